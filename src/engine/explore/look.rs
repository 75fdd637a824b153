//! What conditions look at, and which of them were true and false so far.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    Name, Value,
    calendar::day_of,
    decide::judge,
    expr::{Env, eval::OUTCOME_CODES, eval::outcome_name, holds},
    fact::{Entry, Fact, OutcomeCode},
    model::{Does, Expr, Schedule, Workflow},
    state::PatientState,
    turn::env,
};

use super::{
    days::Days,
    world::{ENROLLMENT, Ground},
};

/// What was seen on all courses together, and what is worth telling apart.
pub(super) struct Seen {
    pub days: Days,
    /// Whether answers that no rule can tell apart are tried once.
    pub regions: bool,
    /// Outcomes of a step that conditions or schedules tell apart.
    pub outcomes: BTreeMap<Name, BTreeSet<OutcomeCode>>,
    pub horizon: Horizon,
    steps: BTreeSet<Name>,
    /// By rule and alternative: how often true, how often false.
    truth: BTreeMap<(usize, usize), (u32, u32)>,
}

/// How far back and how high conditions look: what lies beyond cannot be told apart.
#[derive(Debug, Clone, Default)]
pub(super) struct Horizon {
    pub series: BTreeMap<Name, u32>,
    /// Items that a condition looks at.
    pub items: BTreeSet<Name>,
    pub silent_days: u32,
    pub done_days: u32,
    pub silent_in_a_row: u8,
    pub answers: u16,
    pub outcomes: bool,
    /// Steps that others lead up to.
    pub parents: BTreeSet<Name>,
}

impl Seen {
    pub fn new(workflow: &Workflow, regions: bool) -> Self {
        let mut horizon = Horizon { silent_in_a_row: 1, ..Horizon::default() };
        let mut outcomes: BTreeMap<Name, BTreeSet<OutcomeCode>> = BTreeMap::new();
        let mut add = |step: &Name, word: &str| {
            let code = OUTCOME_CODES.into_iter().find(|code| outcome_name(*code) == *word);
            outcomes.entry(step.clone()).or_default().extend(code);
        };
        for step in &workflow.steps {
            match &step.schedule {
                Schedule::AfterOutcome { step: parent, outcomes, .. } => {
                    outcomes.iter().for_each(|word| add(parent, word.as_str()));
                }
                Schedule::Around { step: parent, .. } => {
                    horizon.parents.insert(parent.clone());
                }
                Schedule::Plan { .. }
                | Schedule::ByFact { .. }
                | Schedule::Started { .. }
                | Schedule::Chain { .. } => {}
            }
        }
        every_condition(workflow, &mut |expr| match expr {
            Expr::Earlier { of, days, .. } | Expr::Times { of, days, .. } => {
                let known = horizon.series.entry(of.clone()).or_insert(0);
                *known = (*known).max(*days);
                horizon.items.insert(of.clone());
            }
            Expr::Item(item) => drop(horizon.items.insert(item.clone())),
            Expr::DoneWithin { days, .. } => horizon.done_days = horizon.done_days.max(*days + 1),
            Expr::SilentWithin { days, .. } => horizon.silent_days = horizon.silent_days.max(*days),
            Expr::Outcome(_) => horizon.outcomes = true,
            Expr::Compare(_, left, right) => {
                for (side, other) in [(left, right), (right, left)] {
                    match (&**side, &**other) {
                        (Expr::SilentInARow(_), Expr::Literal(Value::Number(number))) => {
                            let most = u8::try_from(number.rounded() + 1).unwrap_or(u8::MAX);
                            horizon.silent_in_a_row = horizon.silent_in_a_row.max(most);
                        }
                        (Expr::AnswerCount(_), Expr::Literal(Value::Number(number))) => {
                            let most = u16::try_from(number.rounded() + 1).unwrap_or(u16::MAX);
                            horizon.answers = horizon.answers.max(most);
                        }
                        (Expr::Outcome(step), Expr::Literal(Value::Choice(word))) => add(step, word.as_str()),
                        _ => {}
                    }
                }
            }
            Expr::In(inner, list) => {
                if let Expr::Outcome(step) = &**inner {
                    for value in list {
                        if let Value::Choice(word) = value {
                            add(step, word.as_str());
                        }
                    }
                }
            }
            _ => {}
        });
        Self {
            days: Days::default(),
            regions,
            outcomes,
            horizon,
            steps: BTreeSet::new(),
            truth: BTreeMap::new(),
        }
    }

    /// Takes note of what an advance did.
    pub fn note(&mut self, ground: &Ground<'_>, state: &PatientState, entries: &[Entry]) {
        for entry in entries {
            match &entry.fact {
                Fact::Opened { about, .. } | Fact::ScoreWanted { about, .. }
                    if !self.steps.contains(&about.step) =>
                {
                    self.steps.insert(about.step.clone());
                }
                Fact::Judged { seq, fired, .. } => self.judged(ground, state, entries, *seq, fired),
                _ => {}
            }
        }
    }

    fn judged(
        &mut self,
        ground: &Ground<'_>,
        state: &PatientState,
        entries: &[Entry],
        seq: u64,
        fired: &[Name],
    ) {
        let Some(cause) = entries.iter().find(|entry| entry.seq == seq) else { return };
        let Some(enrollment) = state.enrollments.get(&ENROLLMENT) else { return };
        let about = judge::about(state, ENROLLMENT, &cause.fact);
        let day = day_of(&ground.zone, cause.occurred_at);
        for (index, rule) in ground.workflow.rules.iter().enumerate() {
            if !judge::triggers(rule, &cause.fact, about.as_ref(), &[]) {
                continue;
            }
            let answer = judge::at_hand(ground.workflow, &cause.fact);
            let env = Env { answer, ..env(&ground.zone, enrollment, ground.workflow, day) };
            for (which, alternative) in rule.alternatives.iter().enumerate() {
                let truth = self.truth.entry((index, which)).or_insert((0, 0));
                if truth.0 > 0 && truth.1 > 0 {
                    continue;
                }
                let only = rule.alternatives.len() == 1;
                let holds = if only { fired.contains(&rule.id) } else { holds(&alternative.when, &env) };
                if holds { truth.0 += 1 } else { truth.1 += 1 }
            }
        }
    }

    pub fn never_reached<'a>(&'a self, workflow: &'a Workflow) -> impl Iterator<Item = &'a Name> {
        workflow.steps.iter().map(|step| &step.id).filter(|step| !self.steps.contains(*step))
    }

    pub fn truth_of(&self, rule: usize, alternative: usize) -> (u32, u32) {
        self.truth.get(&(rule, alternative)).copied().unwrap_or((0, 0))
    }
}

/// Looks at every expression of every condition, whole ones before their parts.
pub(super) fn every_condition<'a>(workflow: &'a Workflow, look: &mut impl FnMut(&'a Expr)) {
    for rule in &workflow.rules {
        rule.alternatives.iter().for_each(|alternative| every_part(&alternative.when, look));
    }
    workflow.define.iter().for_each(|(_, expr)| every_part(expr, look));
    for step in &workflow.steps {
        step.timing.only_if.iter().chain(&step.timing.until).for_each(|expr| every_part(expr, look));
        if let Schedule::Chain { then, .. } = &step.schedule {
            then.iter().filter_map(|next| next.when.as_ref()).for_each(|expr| every_part(expr, look));
        }
        if let Does::Task { overdue, .. } = &step.does {
            overdue.iter().filter_map(|rung| rung.only_if.as_ref()).for_each(|expr| every_part(expr, look));
        }
    }
    workflow.ending.when.iter().for_each(|expr| every_part(expr, look));
}

pub(super) fn every_part<'a>(expr: &'a Expr, look: &mut impl FnMut(&'a Expr)) {
    look(expr);
    match expr {
        Expr::Known(inner) | Expr::In(inner, _) | Expr::Not(inner) | Expr::Share(_, inner) => {
            every_part(inner, look);
        }
        Expr::Add(left, right) | Expr::Subtract(left, right) | Expr::Compare(_, left, right) => {
            every_part(left, look);
            every_part(right, look);
        }
        Expr::And(parts) | Expr::Or(parts) => parts.iter().for_each(|part| every_part(part, look)),
        Expr::Literal(_)
        | Expr::Fact(_)
        | Expr::Item(_)
        | Expr::Points(_)
        | Expr::Score(_)
        | Expr::Band(_)
        | Expr::Defined(_)
        | Expr::Earlier { .. }
        | Expr::DaysSince(_)
        | Expr::SilentInARow(_)
        | Expr::SilentWithin { .. }
        | Expr::AnswerCount(_)
        | Expr::Times { .. }
        | Expr::DoneWithin { .. }
        | Expr::Outcome(_)
        | Expr::Doubtful(_)
        | Expr::Declined(_) => {}
    }
}
