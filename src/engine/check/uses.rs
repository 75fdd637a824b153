//! What a workflow declares and what its conditions, steps and rules use.

use std::collections::BTreeSet;

use crate::{
    Name,
    model::{Action, Does, Expr, Rule, Schedule, Step},
    text::{Piece, pieces},
};

/// Names that are used, by what they are.
#[derive(Debug, Default)]
pub struct Uses {
    /// Facts, definitions and anchors.
    pub names: BTreeSet<Name>,
    /// Sources.
    pub sources: BTreeSet<Name>,
}

impl Uses {
    /// Looks at a condition.
    pub fn expr(&mut self, expr: &Expr) {
        match expr {
            Expr::Fact(name) | Expr::Defined(name) | Expr::DaysSince(name) => {
                self.names.insert(name.clone());
            }
            Expr::Known(inner) | Expr::Not(inner) | Expr::Share(_, inner) | Expr::In(inner, _) => {
                self.expr(inner);
            }
            Expr::Add(a, b) | Expr::Subtract(a, b) | Expr::Compare(_, a, b) => {
                self.expr(a);
                self.expr(b);
            }
            Expr::And(parts) | Expr::Or(parts) => parts.iter().for_each(|part| self.expr(part)),
            Expr::Literal(_)
            | Expr::Item(_)
            | Expr::Points(_)
            | Expr::Score(_)
            | Expr::Band(_)
            | Expr::Earlier { .. }
            | Expr::Times { .. }
            | Expr::SilentInARow(_)
            | Expr::SilentWithin { .. }
            | Expr::AnswerCount(_)
            | Expr::DoneWithin { .. }
            | Expr::Outcome(_)
            | Expr::Doubtful(_)
            | Expr::Declined(_) => {}
        }
    }

    /// Looks at a step.
    pub fn step(&mut self, step: &Step) {
        self.sources.extend(step.sources.iter().cloned());
        match &step.schedule {
            Schedule::Plan { anchor, .. } => self.name(anchor),
            Schedule::ByFact { anchor, facts, .. } => {
                self.name(anchor);
                facts.iter().for_each(|fact| self.name(fact));
            }
            Schedule::Chain { anchor, then, .. } => {
                self.name(anchor);
                then.iter().filter_map(|next| next.when.as_ref()).for_each(|when| self.expr(when));
            }
            Schedule::Around { .. } | Schedule::AfterOutcome { .. } | Schedule::Started { .. } => {}
        }
        let timing = &step.timing;
        timing.only_if.iter().chain(&timing.until).for_each(|when| self.expr(when));
        timing.not_before.iter().for_each(|(anchor, _)| self.name(anchor));
        match &step.does {
            Does::Task { overdue, .. } => {
                overdue.iter().filter_map(|rung| rung.only_if.as_ref()).for_each(|when| self.expr(when));
            }
            Does::Ask { .. } | Does::Tell { .. } | Does::Score { .. } => {}
        }
    }

    /// Looks at a rule.
    pub fn rule(&mut self, rule: &Rule) {
        self.sources.extend(rule.sources.iter().cloned());
        for alternative in &rule.alternatives {
            self.expr(&alternative.when);
            for words in alternative.because.0.values() {
                for piece in pieces(words) {
                    if let Piece::Placeholder(name) = piece {
                        self.names.extend(Name::parse(name).ok());
                    }
                }
            }
        }
        for action in &rule.then {
            if let Action::Set(name, _) = action {
                self.name(name);
            }
        }
    }

    fn name(&mut self, name: &Name) {
        self.names.insert(name.clone());
    }
}
