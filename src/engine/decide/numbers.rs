//! Which numbers of an answer are kept for rules that look back, and for how long.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use crate::{
    Decimal, Name,
    expr::eval::series_of,
    fact::{Answer, Fact},
    model::{Does, Expr, ItemKind, Questionnaire, Schedule, Workflow},
};

/// Measured quantities are kept at least this long, so that a new version may look back on them at once, in days.
const KEPT_DAYS_MIN: u32 = 31;

/// What a workflow's conditions look back on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LooksBack {
    names: BTreeSet<Name>,
    days: u32,
}

impl LooksBack {
    /// Of every condition of a workflow.
    #[must_use]
    pub fn of(workflow: &Workflow) -> Self {
        let mut found = Self { names: BTreeSet::new(), days: KEPT_DAYS_MIN };
        let rules = workflow.rules.iter().flat_map(|rule| rule.alternatives.iter().map(|one| &one.when));
        let define = workflow.define.iter().map(|(_, expr)| expr);
        let timing =
            workflow.steps.iter().flat_map(|step| step.timing.only_if.iter().chain(&step.timing.until));
        let chains = workflow.steps.iter().filter_map(|step| match &step.schedule {
            Schedule::Chain { then, .. } => Some(then),
            Schedule::Plan { .. }
            | Schedule::ByFact { .. }
            | Schedule::Around { .. }
            | Schedule::AfterOutcome { .. }
            | Schedule::Started { .. } => None,
        });
        let chains = chains.flatten().filter_map(|next| next.when.as_ref());
        let overdue = workflow.steps.iter().filter_map(|step| match &step.does {
            Does::Task { overdue, .. } => Some(overdue),
            Does::Ask { .. } | Does::Tell { .. } | Does::Score { .. } => None,
        });
        let overdue = overdue.flatten().filter_map(|rung| rung.only_if.as_ref());
        for expr in
            rules.chain(define).chain(timing).chain(chains).chain(overdue).chain(&workflow.ending.when)
        {
            found.look_into(expr);
        }
        found
    }

    fn look_into(&mut self, expr: &Expr) {
        match expr {
            Expr::Earlier { of, days, .. } | Expr::Times { of, days, .. } => {
                self.names.insert(of.clone());
                self.days = self.days.max(*days);
            }
            Expr::Literal(_)
            | Expr::Fact(_)
            | Expr::Item(_)
            | Expr::Points(_)
            | Expr::Score(_)
            | Expr::Band(_)
            | Expr::Defined(_)
            | Expr::DaysSince(_)
            | Expr::SilentInARow(_)
            | Expr::SilentWithin { .. }
            | Expr::AnswerCount(_)
            | Expr::DoneWithin { .. }
            | Expr::Outcome(_)
            | Expr::Doubtful(_)
            | Expr::Declined(_) => {}
            Expr::Known(inner) | Expr::In(inner, _) | Expr::Not(inner) | Expr::Share(_, inner) => {
                self.look_into(inner);
            }
            Expr::Add(left, right) | Expr::Subtract(left, right) | Expr::Compare(_, left, right) => {
                self.look_into(left);
                self.look_into(right);
            }
            Expr::And(parts) | Expr::Or(parts) => parts.iter().for_each(|part| self.look_into(part)),
        }
    }

    fn keeps(&self, questionnaire: &Questionnaire, name: &Name) -> bool {
        let measured = |kind: &ItemKind| matches!(kind, ItemKind::Quantity { .. } | ItemKind::Whole { .. });
        self.names.contains(name)
            || questionnaire.items.iter().any(|item| item.id == *name && measured(&item.kind))
    }
}

/// That rules were looked at for an answer given on that day, with its numbers that are kept.
pub(crate) fn judged(
    workflow: &Workflow,
    looks_back: &LooksBack,
    questionnaire: &Name,
    answers: &BTreeMap<Name, Answer>,
    (seq, fired, day): (u64, Vec<Name>, Date),
) -> Fact {
    let kept = workflow.questionnaires.get(questionnaire).map(|questionnaire| {
        let all = series_of(questionnaire, answers).into_iter();
        all.filter(|(name, _)| looks_back.keeps(questionnaire, name)).collect::<BTreeMap<Name, Decimal>>()
    });
    let (day, numbers) = kept.map_or((None, BTreeMap::new()), |numbers| (Some(day), numbers));
    let back_days = (!numbers.is_empty()).then_some(looks_back.days);
    Fact::Judged { seq, fired, day, numbers, back_days }
}
