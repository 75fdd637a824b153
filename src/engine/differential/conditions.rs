//! Random typed conditions with random histories.

use std::{collections::BTreeMap, fmt::Write as _};

use jiff::{civil::Date, tz::TimeZone};
use serde_json::{Value as Json, json};

use super::{COMPARED, Dice, agree};
use crate::{
    Decimal, Name, Value,
    calendar::{at, plus_days},
    expr::{AnswerAtHand, Env, Scope, StepSort, eval, types},
    fact::{Answer, OutcomeCode},
    model::{Band, FactDef, FactKind, Item, ItemKind, Option_, Questionnaire, ScoreDef},
    sample::{name, text},
    state::{AnchorState, Done, StepState},
};

const SEED: u64 = 0x5eed_0001;

fn fact(id: &str, kind: FactKind) -> FactDef {
    FactDef { id: name(id), label: text(id), kind, required: false, default: None }
}

fn facts() -> Vec<FactDef> {
    let options = ["small", "middle", "large"].map(|option| (name(option), text(option))).to_vec();
    vec![
        fact("agreed", FactKind::Boolean),
        fact("size", FactKind::Choice(options)),
        fact("count", FactKind::Whole { min: 0, max: 20 }),
        fact(
            "start_weight",
            FactKind::Quantity { unit: "kg".into(), min: Decimal::whole(30), max: Decimal::whole(200) },
        ),
        fact("since", FactKind::Date),
    ]
}

fn item(id: &str, kind: ItemKind) -> Item {
    Item {
        id: name(id),
        ask: text(id),
        hint: None,
        loinc: None,
        kind,
        optional: true,
        declinable: true,
        only_if: None,
    }
}

fn questionnaire() -> Questionnaire {
    let option =
        |id: &str, points| Option_ { id: name(id), label: text(id), points: Some(points), loinc: None };
    let band = |id: &str, from, to| Band { id: name(id), label: text(id), from, to };
    let mut questionnaire = crate::sample::blank_questionnaire("form");
    questionnaire.items = vec![
        item("pain", ItemKind::Whole { min: 0, max: 10 }),
        item("mood", ItemKind::Choice(vec![option("fine", 0), option("low", 1), option("awful", 3)])),
        item("slept", ItemKind::YesNo),
        item(
            "weight",
            ItemKind::Quantity {
                unit: "kg".into(),
                other_units: Vec::new(),
                min: Decimal::whole(30),
                max: Decimal::whole(200),
                doubt: None,
            },
        ),
    ];
    questionnaire.scores = vec![ScoreDef {
        id: name("total"),
        label: text("total"),
        loinc: None,
        items: vec![name("pain"), name("mood")],
        impute_up_to: 0,
        never_impute: Vec::new(),
        bands: vec![band("low", 0, 5), band("high", 6, 13)],
    }];
    questionnaire
}

/// Text of a number in a unit.
fn kilograms(dice: &mut Dice) -> String {
    match dice.roll(3) {
        0 => format!("{} kg", dice.number(31, 199)),
        1 => format!("{}.{} kg", dice.number(31, 199), dice.number(0, 9)),
        _ => format!("{}.{:04} kg", dice.number(31, 199), dice.number(1, 9999)),
    }
}

fn days(dice: &mut Dice) -> String {
    if dice.often(2) {
        format!("{} weeks", dice.number(1, 5))
    } else {
        format!("{} days", dice.number(1, 40))
    }
}

fn plain(dice: &mut Dice, depth: u32) -> String {
    if depth > 0 && dice.often(3) {
        let (a, b) = (plain(dice, depth - 1), plain(dice, depth - 1));
        return match dice.roll(4) {
            0 => format!("{a} + {b}"),
            1 => format!("({a}) - {b}"),
            2 => format!("{} % of ({a})", dice.number(1, 300)),
            _ => format!("{}.5 % of count", dice.number(0, 99)),
        };
    }
    let days = days(dice);
    match dice.roll(15) {
        0 => "count".into(),
        1 => "pain".into(),
        2 => "total".into(),
        3 => "points(mood)".into(),
        4 => "points(pain)".into(),
        5 => "days_since(start)".into(),
        6 => format!(
            "{}({}, {days})",
            dice.one_of(&["lowest", "highest", "previous"]),
            dice.one_of(&["pain", "total", "mood"])
        ),
        7 => "missed_in_a_row(check)".into(),
        8 => format!("missed(check, {days})"),
        9 => "answers(check)".into(),
        10 => "done(visit)".into(),
        11 => format!(
            "times(pain {} {}, {days})",
            dice.one_of(&["=", "!=", "<", "<=", ">", ">="]),
            dice.number(-2, 12)
        ),
        12 => format!("times(weight >= {}, {days})", kilograms(dice)),
        13 => dice.number(-3, 25).to_string(),
        _ => format!("{}.{}", dice.number(0, 12), dice.number(0, 99)),
    }
}

fn weight(dice: &mut Dice, depth: u32) -> String {
    if depth > 0 && dice.often(4) {
        let (a, b) = (weight(dice, depth - 1), weight(dice, depth - 1));
        return match dice.roll(3) {
            0 => format!("{a} - {b}"),
            1 => format!("{a} + ({b})"),
            _ => format!("{}.{} % of ({a})", dice.number(0, 150), dice.number(0, 9999)),
        };
    }
    let days = days(dice);
    match dice.roll(4) {
        0 => "weight".into(),
        1 => "start_weight".into(),
        2 => format!("{}(weight, {days})", dice.one_of(&["lowest", "highest", "previous"])),
        _ => kilograms(dice),
    }
}

fn condition(dice: &mut Dice, depth: u32) -> String {
    if depth > 0 && dice.often(6) {
        let (a, b) = (condition(dice, depth - 1), condition(dice, depth - 1));
        return match dice.roll(6) {
            0 => format!("{a} and {b}"),
            1 => format!("{a} or {b}"),
            2 => format!("not ({a})"),
            3 => format!("({a} or {b}) and {}", condition(dice, depth - 1)),
            4 => format!("known({a})"),
            _ => format!("not {}", simple(dice, depth)),
        };
    }
    simple(dice, depth)
}

fn simple(dice: &mut Dice, depth: u32) -> String {
    let how = *dice.one_of(&["=", "!=", "<", "<=", ">", ">="]);
    let equal = *dice.one_of(&["=", "!="]);
    match dice.roll(18) {
        0 => "agreed".into(),
        1 => "slept".into(),
        2 => format!("size {equal} {}", dice.one_of(&["small", "middle", "large"])),
        3 => format!("mood {equal} {}", dice.one_of(&["fine", "low", "awful"])),
        4 => format!("mood in [{}]", dice.one_of(&["fine", "fine, low", "low, awful"])),
        5 => format!("size in [{}]", dice.one_of(&["small", "small, large", "middle"])),
        6 => format!("since {how} 20{}-0{}-1{}", dice.number(20, 29), dice.number(1, 9), dice.number(0, 9)),
        7 => format!("band(total) {equal} {}", dice.one_of(&["low", "high"])),
        8 => format!(
            "{}({})",
            dice.one_of(&["doubtful", "declined"]),
            dice.one_of(&["pain", "mood", "weight"])
        ),
        9 => format!("outcome(visit) {equal} {}", dice.one_of(&["done", "refused", "did_not_come"])),
        10 => format!("done_within(visit, {})", days(dice)),
        11 => format!("asked_within(check, {})", days(dice)),
        12 => format!("agreed {equal} {}", dice.one_of(&["true", "false", "slept"])),
        13 => format!("count in [{}, {}]", dice.number(0, 20), dice.number(0, 20)),
        14 | 15 => format!("{} {how} {}", weight(dice, depth), weight(dice, depth)),
        _ => format!("{} {how} {}", plain(dice, depth), plain(dice, depth)),
    }
}

/// What is known of one patient, in both forms.
struct World {
    facts: BTreeMap<Name, Value>,
    answers: BTreeMap<Name, Answer>,
    series: BTreeMap<Name, Vec<(Date, Decimal)>>,
    steps: BTreeMap<Name, StepState>,
    anchors: BTreeMap<Name, AnchorState>,
    today: Date,
    json: Json,
}

fn decimal(dice: &mut Dice, from: i64, to: i64) -> Decimal {
    let text = match dice.roll(3) {
        0 => dice.number(from, to - 1).to_string(),
        1 => format!("{}.{}", dice.number(from, to - 1), dice.number(0, 9)),
        _ => format!("{}.{:04}", dice.number(from, to - 1), dice.number(0, 9999)),
    };
    Decimal::parse(&text).expect("a decimal")
}

fn world(dice: &mut Dice, zone: &TimeZone) -> World {
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
    let value = Value::Choice(name(*dice.one_of(&["small", "middle", "large"])));
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
            "mood" => Value::Choice(name(*dice.one_of(&["fine", "low", "awful"]))),
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

#[test]
fn ten_thousand_conditions_are_worth_the_same_to_both() {
    let zone = TimeZone::get("Asia/Shanghai").expect("a zone");
    let (facts, form) = (facts(), questionnaire());
    let questionnaires = BTreeMap::from([(form.id.clone(), form.clone())]);
    let steps = BTreeMap::from([(name("check"), StepSort::Ask), (name("visit"), StepSort::Task)]);
    let anchors = [name("start")];
    let scope = Scope {
        facts: &facts,
        anchors: &anchors,
        steps: &steps,
        define: &[],
        questionnaires: &questionnaires,
        answer: Some(&form),
    };
    let mut dice = Dice(SEED);
    let (mut lines, mut kept, mut refused, mut unknown) = (String::new(), 0, 0, 0);
    while kept < COMPARED {
        let text = condition(&mut dice, 3);
        let compiled = match types::condition(&text, &scope) {
            Ok(compiled) => compiled,
            // Constant comparisons and overlong ones are refused by design; anything else is a fault of this test.
            Err(errors) if errors.iter().all(|error| ["E128", "E125"].contains(&error.code)) => {
                refused += 1;
                continue;
            }
            Err(errors) => panic!("{text}: {errors:?}"),
        };
        let world = world(&mut dice, &zone);
        let env = Env {
            fact_defs: &facts,
            define: &[],
            facts: &world.facts,
            answer: Some(AnswerAtHand { questionnaire: &form, answers: &world.answers }),
            series: &world.series,
            steps: &world.steps,
            anchors: &world.anchors,
            today: world.today,
            zone: &zone,
        };
        let worth = match eval::eval(&compiled, &env) {
            Some(Value::Bool(yes)) => json!(yes),
            None => Json::Null,
            Some(other) => panic!("{text} is worth {other:?}"),
        };
        unknown += usize::from(worth.is_null());
        let _ = writeln!(lines, "{}", json!({"text": text, "env": world.json, "worth": worth}));
        kept += 1;
    }
    assert!(refused < COMPARED, "{refused} refused");
    assert!((COMPARED / 20..COMPARED / 2).contains(&unknown), "{unknown} of {COMPARED} unknown");
    agree("evaluate.py", &lines, SEED);
}
