//! What is known of a random patient.

use std::collections::BTreeMap;

use jiff::{civil::Date, tz::TimeZone};
use serde_json::{Value as Json, json};

use super::Dice;
use crate::{
    Decimal, Name, Value,
    calendar::{at, plus_days},
    fact::{Answer, OutcomeCode},
    sample::name,
    state::{AnchorState, Done, StepState},
};

/// What is known of one patient, in both forms.
pub(super) struct World {
    pub facts: BTreeMap<Name, Value>,
    pub answers: BTreeMap<Name, Answer>,
    pub series: BTreeMap<Name, Vec<(Date, Decimal)>>,
    pub steps: BTreeMap<Name, StepState>,
    pub anchors: BTreeMap<Name, AnchorState>,
    pub today: Date,
    pub json: Json,
}

fn decimal(dice: &mut Dice, from: i64, to: i64) -> Decimal {
    let text = match dice.roll(3) {
        0 => dice.number(from, to - 1).to_string(),
        1 => format!("{}.{}", dice.number(from, to - 1), dice.number(0, 9)),
        _ => format!("{}.{:04}", dice.number(from, to - 1), dice.number(0, 9999)),
    };
    Decimal::parse(&text).expect("a decimal")
}

pub(super) fn world(dice: &mut Dice, zone: &TimeZone) -> World {
    let today = plus_days(crate::sample::date("2024-01-01"), dice.number(0, 2000));
    let mut facts = BTreeMap::new();
    let mut values = serde_json::Map::new();
    let mut give = |facts: &mut BTreeMap<Name, Value>, id: &str, value: Option<Value>| {
        let json = match &value {
            None => Json::Null,
            Some(Value::Bool(yes)) => json!(yes),
            Some(Value::Number(number)) => json!({"number": number.to_string()}),
            Some(Value::Choice(choice)) => json!({"choice": choice.as_str()}),
            Some(Value::Date(day)) => json!({"date": day.to_string()}),
        };
        values.insert(id.to_owned(), json);
        if let Some(value) = value {
            facts.insert(name(id), value);
        }
    };
    let maybe = |dice: &mut Dice, value: Value| dice.often(7).then_some(value);
    let value = Value::Bool(dice.often(5));
    give(&mut facts, "agreed", maybe(dice, value));
    let value = Value::Choice(name(dice.one_of::<&str>(&["small", "middle", "large"])));
    give(&mut facts, "size", maybe(dice, value));
    let value = Value::Number(Decimal::whole(dice.number(0, 20)));
    give(&mut facts, "count", maybe(dice, value));
    let value = Value::Number(decimal(dice, 30, 200));
    give(&mut facts, "start_weight", maybe(dice, value));
    let value = Value::Date(plus_days(crate::sample::date("2020-01-01"), dice.number(0, 3000)));
    give(&mut facts, "since", maybe(dice, value));
    let mut answers = BTreeMap::new();
    let (mut doubtful, mut declined) = (Vec::new(), Vec::new());
    let mut given = BTreeMap::new();
    for id in ["pain", "mood", "slept", "weight"] {
        let value = match id {
            "pain" => Value::Number(Decimal::whole(dice.number(0, 10))),
            "mood" => Value::Choice(name(dice.one_of::<&str>(&["fine", "low", "awful"]))),
            "slept" => Value::Bool(dice.often(5)),
            _ => Value::Number(decimal(dice, 30, 200)),
        };
        match dice.roll(10) {
            0 => give(&mut given, id, None),
            1 => {
                answers.insert(name(id), Answer::Declined);
                declined.push(id);
                give(&mut given, id, None);
            }
            roll => {
                let doubt = roll == 2;
                if doubt {
                    doubtful.push(id);
                }
                answers.insert(name(id), Answer::Given { value: value.clone(), doubtful: doubt });
                give(&mut given, id, Some(value));
            }
        }
    }
    let number = |id: &str| match given.get(&name(id)) {
        Some(Value::Number(number)) => Some(*number),
        _ => None,
    };
    let mood = match given.get(&name("mood")) {
        Some(Value::Choice(mood)) => Some(match mood.as_str() {
            "fine" => 0,
            "low" => 1,
            _ => 3,
        }),
        _ => None,
    };
    let total = number("pain").zip(mood).map(|(pain, mood)| pain + Decimal::whole(mood));
    values.insert("total".into(), total.map_or(Json::Null, |total| json!({"number": total.to_string()})));
    let mut series: BTreeMap<Name, Vec<(Date, Decimal)>> = BTreeMap::new();
    let mut series_json = serde_json::Map::new();
    for (id, from, to) in [("pain", 0, 11), ("mood", 0, 4), ("total", 0, 14), ("weight", 30, 200)] {
        let mut entries: Vec<(Date, Decimal)> = (0..dice.roll(8))
            .map(|_| {
                let value = if id == "weight" {
                    decimal(dice, from, to)
                } else {
                    Decimal::whole(dice.number(from, to - 1))
                };
                (plus_days(today, -dice.number(0, 45)), value)
            })
            .collect();
        entries.sort_by_key(|(day, _)| *day);
        let json: Vec<Json> =
            entries.iter().map(|(day, value)| json!([day.to_string(), value.to_string()])).collect();
        series_json.insert(id.into(), Json::Array(json));
        series.insert(name(id), entries);
    }
    let (steps, steps_json) = steps(dice, zone, today);
    let start = dice.often(8).then(|| plus_days(today, -dice.number(-5, 60)));
    let anchors = start.map(|date| {
        (name("start"), AnchorState { date, known_since: at(zone, date, jiff::civil::Time::MIN) })
    });
    let json = json!({
        "today": today.to_string(),
        "values": values,
        "points": {"mood": mood, "pain": number("pain").map(|pain| pain.to_string())},
        "doubtful": doubtful,
        "declined": declined,
        "series": series_json,
        "steps": steps_json,
        "anchors": {"start": start.map(|day| day.to_string())},
    });
    World { facts, answers, series, steps, anchors: anchors.into_iter().collect(), today, json }
}

fn steps(dice: &mut Dice, zone: &TimeZone, today: Date) -> (BTreeMap<Name, StepState>, Json) {
    let mut steps = BTreeMap::new();
    let mut json = serde_json::Map::new();
    for id in ["check", "visit"] {
        let (silent, answers) = (dice.number(0, 12), dice.number(0, 30));
        let silent_days: Vec<Date> =
            (0..dice.roll(5)).map(|_| plus_days(today, -dice.number(0, 50))).collect();
        let done: Vec<(Date, jiff::civil::Time)> = (0..dice.roll(4))
            .map(|_| {
                (
                    plus_days(today, -dice.number(0, 50)),
                    jiff::civil::time(i8::try_from(dice.number(0, 23)).unwrap_or(0), 30, 0, 0),
                )
            })
            .collect();
        let outcome = dice.often(6).then(|| {
            *dice.one_of(&[
                (OutcomeCode::Done, "done"),
                (OutcomeCode::Refused, "refused"),
                (OutcomeCode::DidNotCome, "did_not_come"),
            ])
        });
        let all = |days: &[Date]| days.iter().map(ToString::to_string).collect::<Vec<_>>();
        let done_days: Vec<Date> = done.iter().map(|(day, _)| *day).collect();
        json.insert(
            id.into(),
            json!({
                "silent_in_a_row": silent,
                "answers": answers,
                "silent": all(&silent_days),
                "done": all(&done_days),
                "outcome": outcome.map(|(_, word)| word),
            }),
        );
        let state = StepState {
            silent_in_a_row: u8::try_from(silent).unwrap_or(0),
            answers: u16::try_from(answers).unwrap_or(0),
            silent_days,
            outcome: outcome.map(|(code, _)| code),
            done: done
                .iter()
                .map(|(day, time)| Done { generation: 1, ordinal: 1, at: at(zone, *day, *time) })
                .collect(),
            ..StepState::default()
        };
        steps.insert(name(id), state);
    }
    (steps, Json::Object(json))
}
