//! Random stories.

use super::*;

#[derive(Debug, Clone)]
pub(super) enum Event {
    Minutes(i64),
    /// The planner is not woken for that long.
    Asleep(i64),
    Answer {
        pick: usize,
        seed: u64,
    },
    Flag {
        pick: usize,
        seed: u64,
    },
    Outcome {
        pick: usize,
        code: usize,
    },
    Take(usize),
    Reply(Channel, usize),
    Restart(usize, i64),
    AnchorCorrected(usize, i64),
    SetFact(usize, u64),
    Pause(Option<i64>),
    Resume,
    Stop,
    Died,
    Void(usize),
    Carriers(u8),
    Bounce(usize),
    Enrol(usize),
    Consent(Channel, bool),
    Daily(bool),
    Version(usize, u8),
}

pub(super) fn channel() -> impl Strategy<Value = Channel> {
    prop_oneof![Just(Channel::Sms), Just(Channel::Email)]
}

pub(super) fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        12 => (1_i64..3000).prop_map(Event::Minutes),
        4 => (3000_i64..60_000).prop_map(Event::Minutes),
        3 => (60_i64..90_000).prop_map(Event::Asleep),
        8 => (any::<usize>(), any::<u64>()).prop_map(|(pick, seed)| Event::Answer { pick, seed }),
        1 => (any::<usize>(), any::<u64>()).prop_map(|(pick, seed)| Event::Flag { pick, seed }),
        4 => (any::<usize>(), 0_usize..10).prop_map(|(pick, code)| Event::Outcome { pick, code }),
        1 => any::<usize>().prop_map(Event::Take),
        1 => (channel(), 0_usize..5).prop_map(|(channel, reply)| Event::Reply(channel, reply)),
        1 => (any::<usize>(), -5_i64..20).prop_map(|(pick, days)| Event::Restart(pick, days)),
        1 => (any::<usize>(), -40_i64..40).prop_map(|(pick, days)| Event::AnchorCorrected(pick, days)),
        1 => (any::<usize>(), any::<u64>()).prop_map(|(pick, seed)| Event::SetFact(pick, seed)),
        1 => prop::option::of(1_i64..20).prop_map(Event::Pause),
        2 => Just(Event::Resume),
        1 => prop::bool::weighted(0.15).prop_map(|stop| if stop { Event::Stop } else { Event::Resume }),
        1 => prop::bool::weighted(0.1).prop_map(|died| if died { Event::Died } else { Event::Resume }),
        1 => any::<usize>().prop_map(Event::Void),
        3 => (0_u8..8).prop_map(Event::Carriers),
        1 => any::<usize>().prop_map(Event::Bounce),
        1 => any::<usize>().prop_map(Event::Enrol),
        1 => (channel(), any::<bool>()).prop_map(|(channel, given)| Event::Consent(channel, given)),
        1 => any::<bool>().prop_map(Event::Daily),
        2 => (any::<usize>(), 0_u8..8).prop_map(|(pick, what)| Event::Version(pick, what)),
    ]
}

#[derive(Debug, Clone)]
pub(super) struct Story {
    pub(super) workflow: usize,
    pub(super) zone: usize,
    pub(super) start_day: i64,
    pub(super) daily_consent: bool,
    pub(super) events: Vec<Event>,
}

pub(super) fn story() -> impl Strategy<Value = Story> {
    (any::<usize>(), any::<usize>(), 0_i64..800, any::<bool>(), prop::collection::vec(event(), 1..60))
        .prop_map(|(workflow, zone, start_day, daily_consent, events)| Story {
            workflow,
            zone,
            start_day,
            daily_consent,
            events,
        })
}

/// A small generator, so that one number makes a whole form.
pub(super) fn next(seed: &mut u64) -> u64 {
    *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    *seed >> 33
}

pub(super) fn any_value(kind: &FactKind, seed: &mut u64) -> Value {
    match kind {
        FactKind::Boolean => Value::Bool(next(seed).is_multiple_of(2)),
        FactKind::Choice(options) => {
            Value::Choice(options[usize::try_from(next(seed)).unwrap_or(0) % options.len()].0.clone())
        }
        FactKind::Whole { min, .. } => Value::Number(Decimal::whole(*min)),
        FactKind::Quantity { min, .. } => Value::Number(*min),
        FactKind::Date => Value::Date(sample::date("2026-01-01")),
    }
}

pub(super) fn any_answers(questionnaire: &Questionnaire, mut seed: u64) -> BTreeMap<Name, Answer> {
    let mut answers = BTreeMap::new();
    for _ in 0..questionnaire.items.len() {
        let shown = visible_items(questionnaire, &answers);
        let Some(item) = shown.into_iter().find(|item| !answers.contains_key(&item.id)) else { break };
        let roll = next(&mut seed);
        let value = match &item.kind {
            ItemKind::Choice(options) => {
                Value::Choice(options[usize::try_from(roll).unwrap_or(0) % options.len()].id.clone())
            }
            ItemKind::YesNo => Value::Bool(roll.is_multiple_of(2)),
            ItemKind::Whole { min, max } => {
                Value::Number(Decimal::whole(min + i64::try_from(roll).unwrap_or(0) % (max - min + 1)))
            }
            ItemKind::Quantity { min, .. } => {
                Value::Number(*min + Decimal::whole(i64::try_from(roll % 80).unwrap_or(0)))
            }
            ItemKind::Text { .. } => {
                answers.insert(item.id.clone(), Answer::Text);
                continue;
            }
        };
        let answer = if roll.is_multiple_of(17) && item.declinable {
            Answer::Declined
        } else {
            Answer::Given { value, doubtful: roll.is_multiple_of(13) }
        };
        answers.insert(item.id.clone(), answer);
    }
    answers
}
