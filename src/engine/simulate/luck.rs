//! What comes of a task, and what a patient is enrolled with, by chance.

use jiff::civil::Date;

use crate::{
    Decimal, Value,
    fact::{HandoverResult, OutcomeCode},
    model::{Channel, FactKind, TaskKind},
};

use super::behaviour::Chance;

pub(super) fn outcome(kind: TaskKind, behaviour: &super::Behaviour, chance: &mut Chance) -> OutcomeCode {
    match kind {
        TaskKind::Visit | TaskKind::Examination if chance.happens(behaviour.missed_visits) => {
            OutcomeCode::DidNotCome
        }
        TaskKind::Call if chance.happens(behaviour.missed_calls) => OutcomeCode::CouldNotReach,
        TaskKind::Alert | TaskKind::Call => OutcomeCode::CalledAdvice,
        TaskKind::Visit | TaskKind::Examination | TaskKind::Review | TaskKind::Admin => OutcomeCode::Done,
    }
}

/// How a carrier ends a hand-over, and whether it comes back later.
pub(super) fn carrier(
    behaviour: &super::Behaviour,
    dead_number: bool,
    channel: Channel,
    chance: &mut Chance,
) -> (HandoverResult, bool) {
    let refused = |permanent| HandoverResult::Refused { permanent, retry_after_seconds: None };
    if dead_number && channel == Channel::Sms {
        return (refused(true), false);
    }
    let luck = chance.below(1_000);
    let lost = behaviour.refused_for_now + behaviour.lost_answers;
    if luck < behaviour.refused_for_now {
        (refused(false), false)
    } else if luck < lost {
        (HandoverResult::Unknown, false)
    } else {
        (HandoverResult::Accepted, luck < lost + behaviour.bounces)
    }
}

pub(super) fn any(kind: &FactKind, today: Date, chance: &mut Chance) -> Value {
    let between = |low: Decimal, high: Decimal, chance: &mut Chance| {
        // Around the middle half of the range.
        let (low, high) = (low.rounded(), high.rounded());
        let quarter = (high - low) / 4;
        let within = u32::try_from(2 * quarter + 1).unwrap_or(1);
        Value::Number(Decimal::whole(low + quarter + i64::from(chance.below(within))))
    };
    match kind {
        FactKind::Boolean => Value::Bool(chance.happens(500)),
        FactKind::Choice(options) => {
            let index = chance.below(u32::try_from(options.len()).unwrap_or(1)) as usize;
            options.get(index).map_or(Value::Bool(false), |(name, _)| Value::Choice(name.clone()))
        }
        FactKind::Whole { min, max } => between(Decimal::whole(*min), Decimal::whole(*max), chance),
        FactKind::Quantity { min, max, .. } => between(*min, *max, chance),
        FactKind::Date => Value::Date(today),
    }
}
