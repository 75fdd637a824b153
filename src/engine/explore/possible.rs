//! Whether a condition can be true, or not true, at all: whatever the patient answered before, whatever staff did, on
//! whatever day. What no course within the bounds came to may still be possible; what is not possible is a mistake.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{Timestamp, civil::Date};

use crate::{
    Decimal, Name, Value,
    calendar::plus_days,
    expr::{AnswerAtHand, Env, eval::OUTCOME_CODES, holds},
    fact::Answer,
    model::{Action, Does, Expr, FactKind, ItemKind, Questionnaire, Schedule, Step, Trigger, Workflow},
    state::{AnchorState, Done, StepState},
};

use super::look::every_part;

/// Ways that are tried.
const TRIES: u32 = 20_000;
const TODAY: Date = Date::constant(2026, 7, 1);

/// Everything that a condition may look at, with the values that it may tell apart.
struct Free<'a> {
    workflow: &'a Workflow,
    questionnaire: Option<&'a Questionnaire>,
    /// Numbers that the condition names, and those next to them.
    numbers: Vec<Decimal>,
    mentioned: BTreeSet<&'a Name>,
}

/// Whether it can be true.
pub(super) fn can_be_true(workflow: &Workflow, on: Option<&Trigger>, when: &Expr) -> bool {
    tried(workflow, on, when, true)
}

/// Whether it can be anything but true.
pub(super) fn can_be_untrue(workflow: &Workflow, on: Option<&Trigger>, when: &Expr) -> bool {
    tried(workflow, on, when, false)
}

/// Whether something can bring a step up that no course within the bounds came to.
pub(super) fn can_come(workflow: &Workflow, step: &Step) -> bool {
    let condition = step.timing.only_if.as_ref().is_none_or(|only_if| can_be_true(workflow, None, only_if));
    let schedule = match &step.schedule {
        Schedule::Started { .. } => workflow.rules.iter().any(|rule| {
            let starts = |action: &Action| matches!(action, Action::Start(name) if *name == step.id);
            let fires =
                || rule.alternatives.iter().any(|one| can_be_true(workflow, Some(&rule.on), &one.when));
            rule.then.iter().any(starts) && fires()
        }),
        Schedule::AfterOutcome { outcomes, .. } => !outcomes.is_empty(),
        // Without a condition the usual course comes to it, if any does.
        Schedule::Plan { .. } | Schedule::Around { .. } | Schedule::Chain { .. } => {
            step.timing.only_if.is_some()
        }
        Schedule::ByFact { .. } => true,
    };
    condition && schedule
}

fn tried(workflow: &Workflow, on: Option<&Trigger>, when: &Expr, wanted: bool) -> bool {
    let questionnaire = match on {
        Some(Trigger::Answer(name)) => workflow.questionnaires.get(name),
        _ => None,
    };
    let mut free = Free { workflow, questionnaire, numbers: vec![Decimal::ZERO], mentioned: BTreeSet::new() };
    free.look_into(when);
    let mut seed = 0x2026_0302_u64;
    (0..TRIES).any(|_| free.holds(when, &mut seed) == wanted)
}

fn pick<T: Clone>(from: &[T], seed: &mut u64) -> Option<T> {
    *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    let index = usize::try_from(*seed >> 33).unwrap_or(0).checked_rem(from.len())?;
    from.get(index).cloned()
}

impl<'a> Free<'a> {
    fn look_into(&mut self, when: &'a Expr) {
        let (one, tenth) = (Decimal::whole(1), Decimal::parse("0.1").unwrap_or_default());
        let mut defined = Vec::new();
        every_part(when, &mut |expr| match expr {
            Expr::Literal(Value::Number(number)) => {
                self.numbers.extend([
                    *number - one,
                    *number - tenth,
                    *number,
                    *number + tenth,
                    *number + one,
                ]);
            }
            Expr::Item(name)
            | Expr::Points(name)
            | Expr::Score(name)
            | Expr::Band(name)
            | Expr::Doubtful(name)
            | Expr::Declined(name)
            | Expr::Fact(name)
            | Expr::DaysSince(name)
            | Expr::SilentInARow(name)
            | Expr::SilentWithin { step: name, .. }
            | Expr::AnswerCount(name)
            | Expr::Outcome(name)
            | Expr::DoneWithin { step: name, .. }
            | Expr::Earlier { of: name, .. } => {
                self.mentioned.insert(name);
            }
            Expr::Times { of, with, .. } => {
                self.mentioned.insert(of);
                self.numbers.extend([*with - one, *with, *with + one]);
            }
            Expr::Defined(name) => defined.push(name),
            _ => {}
        });
        for name in defined {
            if let Some((_, expr)) = self.workflow.define.iter().find(|(id, _)| id == name) {
                self.look_into(expr);
            }
        }
    }

    fn number(&self, low: Decimal, high: Decimal, seed: &mut u64) -> Option<Decimal> {
        let middle = Decimal::whole((low + high).rounded() / 2);
        let named = pick(&self.numbers, seed)?;
        // Differences and sums are reached from the middle.
        let near = [low, high, middle, named, middle + named, middle - named, low + named, high - named];
        pick(&near, seed).map(|number| number.clamp(low, high))
    }

    /// One way things may stand, picked by chance.
    fn holds(&self, when: &Expr, seed: &mut u64) -> bool {
        let facts = self.facts(seed);
        let answers = self.answers(seed);
        let series = self.series(seed);
        let steps = self.steps(seed);
        let mut anchors = BTreeMap::new();
        for anchor in &self.workflow.anchors {
            let days = pick(&self.numbers, seed).map_or(0, Decimal::rounded);
            let date = plus_days(TODAY, -days);
            anchors.insert(anchor.id.clone(), AnchorState { date, known_since: Timestamp::MIN });
        }
        let answer =
            self.questionnaire.map(|questionnaire| AnswerAtHand { questionnaire, answers: &answers });
        let env = Env {
            facts: &facts,
            answer,
            series: &series,
            steps: &steps,
            anchors: &anchors,
            ..Env::of_workflow(self.workflow, TODAY)
        };
        holds(when, &env)
    }

    fn facts(&self, seed: &mut u64) -> BTreeMap<Name, Value> {
        let mut facts = BTreeMap::new();
        for def in &self.workflow.facts {
            let value = match &def.kind {
                FactKind::Boolean => pick(&[Value::Bool(false), Value::Bool(true)], seed),
                FactKind::Choice(options) => pick(options, seed).map(|(name, _)| Value::Choice(name)),
                FactKind::Whole { min, max } => {
                    self.number(Decimal::whole(*min), Decimal::whole(*max), seed).map(Value::Number)
                }
                FactKind::Quantity { min, max, .. } => self.number(*min, *max, seed).map(Value::Number),
                FactKind::Date => Some(Value::Date(TODAY)),
            };
            // A fact may also be unknown.
            if let (Some(value), Some(true)) = (value, pick(&[true, true, true, false], seed)) {
                facts.insert(def.id.clone(), value);
            }
        }
        facts
    }

    fn answers(&self, seed: &mut u64) -> BTreeMap<Name, Answer> {
        let mut answers = BTreeMap::new();
        let Some(questionnaire) = self.questionnaire else { return answers };
        for item in &questionnaire.items {
            let value = match &item.kind {
                ItemKind::Choice(options) => pick(options, seed).map(|option| Value::Choice(option.id)),
                ItemKind::YesNo => pick(&[Value::Bool(false), Value::Bool(true)], seed),
                ItemKind::Whole { min, max } => {
                    self.number(Decimal::whole(*min), Decimal::whole(*max), seed).map(Value::Number)
                }
                ItemKind::Quantity { min, max, .. } => self.number(*min, *max, seed).map(Value::Number),
                ItemKind::Text { .. } => None,
            };
            let doubtful = matches!(&item.kind, ItemKind::Quantity { doubt: Some(_), .. })
                && pick(&[false, false, true], seed) == Some(true);
            let given = value.map(|value| Answer::Given { value, doubtful });
            // A form may also come partly filled in.
            let mut ways = vec![given.clone(), given, None];
            if item.declinable {
                ways.push(Some(Answer::Declined));
            }
            if let Some(answer) = pick(&ways, seed).flatten() {
                answers.insert(item.id.clone(), answer);
            }
        }
        answers
    }

    fn series(&self, seed: &mut u64) -> BTreeMap<Name, Vec<(Date, Decimal)>> {
        let mut series = BTreeMap::new();
        for name in &self.mentioned {
            let Some((low, high)) = self.range(name) else { continue };
            let days = pick(&[0_i64, 1, 1, 2, 3, 7], seed).unwrap_or(1);
            let earlier = (1..=days).rev();
            let earlier =
                earlier.filter_map(|ago| Some((plus_days(TODAY, -ago), self.number(low, high, seed)?)));
            let earlier: Vec<(Date, Decimal)> = earlier.collect();
            if !earlier.is_empty() {
                series.insert((*name).clone(), earlier);
            }
        }
        series
    }

    /// What an earlier answer to an item, or an earlier total, may have been.
    fn range(&self, name: &Name) -> Option<(Decimal, Decimal)> {
        let all = self.workflow.questionnaires.values();
        all.flat_map(|questionnaire| {
            let items = questionnaire.items.iter().filter(|item| item.id == *name);
            let totals = questionnaire.scores.iter().filter(|score| score.id == *name);
            items
                .map(crate::instrument::item_range)
                .chain(totals.map(|score| crate::instrument::possible(score, questionnaire)))
                .collect::<Vec<_>>()
        })
        .next()
    }

    fn steps(&self, seed: &mut u64) -> BTreeMap<Name, StepState> {
        let mut steps = BTreeMap::new();
        for step in self.workflow.steps.iter().filter(|step| self.mentioned.contains(&step.id)) {
            let count = pick(&self.numbers, seed).map_or(0, |number| number.rounded().clamp(0, 100));
            let mut state = StepState {
                silent_in_a_row: u8::try_from(count).unwrap_or(0),
                answers: u16::try_from(count).unwrap_or(0),
                silent_days: (0..count).map(|_| TODAY).collect(),
                ..StepState::default()
            };
            if pick(&[false, true], seed) == Some(true) {
                let at = crate::calendar::start_of_day(&jiff::tz::TimeZone::UTC, TODAY);
                state.done.push(Done { generation: 1, ordinal: 1, at });
            }
            if matches!(step.does, Does::Task { .. }) {
                state.outcome = pick(&OUTCOME_CODES, seed);
            }
            steps.insert(step.id.clone(), state);
        }
        steps
    }
}
