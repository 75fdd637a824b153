//! What the demo's patients do with a questionnaire. Deterministic: the person, the day and the items decide.

use std::collections::BTreeMap;

use tend_engine::{
    Decimal, Name, Value,
    fact::Answer,
    instrument,
    model::{Item, ItemKind, Option_, Questionnaire},
};

use super::people::{Course, Habit, Person};

/// Day from which a worsening patient gets worse.
const WORSE_FROM_DAY: i32 = 5;
/// Day from which a fading patient answers nothing.
const FADES_FROM_DAY: i32 = 9;
/// Day on which some write STOP.
const STOPS_ON_DAY: i32 = 8;

/// When a person answers a message that came on that day: hours after it, or never.
#[must_use]
pub fn hours_to_answer(person: &Person, day: i32) -> Option<i32> {
    let dice = roll(person.number, day, 0);
    match person.habit {
        Habit::Silent => None,
        Habit::Fading if day >= FADES_FROM_DAY => None,
        Habit::Stops if day >= STOPS_ON_DAY => None,
        Habit::Forgetful => (dice % 10 < 8).then_some(5 + dice % 3),
        Habit::Steady | Habit::Worsening | Habit::Fading | Habit::Stops | Habit::LowMood => {
            (dice % 20 != 0).then_some(1 + dice % 3)
        }
    }
}

/// Whether the person writes STOP on that day.
#[must_use]
pub fn writes_stop(person: &Person, day: i32) -> bool {
    person.habit == Habit::Stops && day == STOPS_ON_DAY
}

/// The person's answers on that day, for every item that is shown.
#[must_use]
pub fn answers(person: &Person, questionnaire: &Questionnaire, day: i32) -> BTreeMap<Name, Answer> {
    let mut given = BTreeMap::new();
    // Each answer can show further items, so look again until nothing new is shown.
    for _ in 0..questionnaire.items.len() {
        let open: Vec<&Item> = instrument::visible_items(questionnaire, &given)
            .into_iter()
            .filter(|item| !given.contains_key(&item.id))
            .collect();
        let Some(item) = open.into_iter().find(|item| answer(person, item, day).is_some()) else { break };
        if let Some(answer) = answer(person, item, day) {
            given.insert(item.id.clone(), answer);
        }
    }
    given
}

fn answer(person: &Person, item: &Item, day: i32) -> Option<Answer> {
    let value = match &item.kind {
        ItemKind::Choice(options) => Value::Choice(choose(person, item, options, day)?.id.clone()),
        ItemKind::YesNo => Value::Bool(false),
        ItemKind::Whole { min, max } => {
            // Tablets for two weeks; of everything else (missed days) the least.
            let usual = if item.id == "days_left" { 14 } else { 0 };
            Value::Number(Decimal::whole(usual.clamp(*min, *max)))
        }
        ItemKind::Quantity { min, max, .. } => Value::Number(quantity(person, item, *min, *max, day)?),
        ItemKind::Text { .. } => return None,
    };
    Some(Answer::Given { value, doubtful: false })
}

fn choose<'a>(person: &Person, item: &Item, options: &'a [Option_], day: i32) -> Option<&'a Option_> {
    let severity = severity(person, item, day);
    let mut ranked: Vec<&Option_> = options.iter().collect();
    ranked.sort_by_key(|option| option.points.unwrap_or(0));
    ranked.get(severity.min(ranked.len().saturating_sub(2))).copied().or(ranked.first().copied())
}

/// 0 is the calmest option.
fn severity(person: &Person, item: &Item, day: i32) -> usize {
    let dice = roll(person.number, day, item.id.as_str().len());
    match person.habit {
        Habit::Worsening if day >= WORSE_FROM_DAY && dice % 3 == 0 => 1,
        Habit::LowMood if dice % 3 != 0 => 1 + usize::from(dice % 2 == 0),
        Habit::Steady | Habit::Forgetful | Habit::Worsening | Habit::Fading => usize::from(dice % 41 == 0),
        Habit::Silent | Habit::Stops | Habit::LowMood => 0,
    }
}

fn quantity(person: &Person, item: &Item, min: Decimal, max: Decimal, day: i32) -> Option<Decimal> {
    if item.id == "weight" {
        return Some(weight(person, day));
    }
    // Few people own a monitor: optional measurements are left out.
    (!item.optional).then(|| min.max(Decimal::ZERO).min(max))
}

fn weight(person: &Person, day: i32) -> Decimal {
    let dry = match person.course {
        Course::HeartFailure { dry_weight_tenths } => dry_weight_tenths,
        Course::Bladder { .. } => 760,
    };
    let noise = i64::from(roll(person.number, day, 3) % 7) - 3;
    let gain = match person.habit {
        Habit::Worsening if day >= WORSE_FROM_DAY => i64::from((day - WORSE_FROM_DAY).min(6)) * 6,
        _ => 0,
    };
    tenths(dry + noise + gain)
}

fn tenths(value: i64) -> Decimal {
    Decimal::whole(value).over(Decimal::whole(10)).unwrap_or(Decimal::ZERO)
}

/// A fixed dice: the same person, day and salt give the same number.
fn roll(number: usize, day: i32, salt: usize) -> i32 {
    let mixed = (number as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15)
        ^ u64::from(day.unsigned_abs()).wrapping_mul(0xC2B2_AE3D_27D4_EB4F)
        ^ (salt as u64).wrapping_mul(0x1656_67B1_9E37_79F9);
    let mixed = (mixed ^ (mixed >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    i32::try_from((mixed >> 33) % 10_000).unwrap_or(0)
}
