//! Random typed conditions with random histories.

use std::{collections::BTreeMap, fmt::Write as _};

use jiff::tz::TimeZone;
use serde_json::{Value as Json, json};

use super::{COMPARED, Dice, agree, world::world};
use crate::{
    Decimal, Value,
    expr::{AnswerAtHand, Env, Scope, StepSort, eval, types},
    model::{Band, FactDef, FactKind, Item, ItemKind, Option_, Questionnaire, ScoreDef},
    sample::{name, text},
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
            former: &eval::NO_FORMER,
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
