//! The condition language: what it means, how it is written, how answers become totals.

use std::collections::BTreeMap;

use jiff::civil::{Date, date};
use proptest::prelude::*;

use super::{
    ast::{Ast, Kind, parse},
    eval::{AnswerAtHand, Env, eval, series_of},
    types::condition,
};
use crate::{
    Decimal, Name, Value,
    expr::Scope,
    fact::Answer,
    instrument::{band, score, visible_items},
    model::{Compare, Questionnaire, Trigger, Workflow},
    parse::{compile, tests::shipped},
    state::{AnchorState, StepState},
};

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

fn heart_failure() -> Workflow {
    compile(&shipped()).workflow("hf-discharge-90d").unwrap().clone()
}

fn answers(questionnaire: &Questionnaire, given: &str) -> BTreeMap<Name, Answer> {
    let options = ["not_at_all", "several_days", "more_than_half", "nearly_every_day"];
    let mut answers = BTreeMap::new();
    for (item, word) in questionnaire.items.iter().zip(given.split(' ')) {
        let answer = match word {
            "-" => continue,
            "declined" => Answer::Declined,
            points => {
                let option = options[points.parse::<usize>().unwrap()];
                Answer::Given { value: Value::Choice(name(option)), doubtful: false }
            }
        };
        answers.insert(item.id.clone(), answer);
    }
    answers
}

/// Total, imputed items, and the rules that fire.
fn phq9(given: &str) -> (Option<i64>, u32, Vec<String>) {
    let workflow = heart_failure();
    let questionnaire = &workflow.questionnaires["phq-9"];
    let answers = answers(questionnaire, given);
    let result = score(&questionnaire.scores[0], questionnaire, &answers);
    assert_eq!((result.min_possible, result.max_possible), (Decimal::ZERO, Decimal::whole(27)));
    let env = Env {
        answer: Some(AnswerAtHand { questionnaire, answers: &answers }),
        ..Env::of_workflow(&workflow, date(2026, 3, 2))
    };
    let about = |trigger: &Trigger| matches!(trigger, Trigger::Answer(id) if *id == "phq-9");
    let fires = |rule: &&crate::model::Rule| {
        about(&rule.on) && rule.alternatives.iter().any(|one| super::holds(&one.when, &env))
    };
    let fired = workflow.rules.iter().filter(fires).map(|rule| rule.id.to_string()).collect();
    (result.total.map(Decimal::rounded), result.imputed, fired)
}

#[test]
fn vectors_s5_s6_s7() {
    assert_eq!(phq9("1 1 1 1 0 0 0 0 1"), (Some(5), 0, vec!["phq9-thoughts".to_owned()]));
    assert_eq!(phq9("2 2 2 2 - 2 2 2 0"), (Some(16), 1, vec!["phq9-raised".to_owned()]));
    assert_eq!(phq9("0 0 0 0 0 0 0 0 declined"), (None, 0, vec!["phq9-not-said".to_owned()]));
    assert_eq!(phq9("0 0 0 0 0 0 0 0 -"), (None, 0, vec!["phq9-not-said".to_owned()]));
    assert_eq!(phq9("1 - - 1 1 1 1 1 0"), (Some(8), 2, Vec::new()));
    assert_eq!(phq9("1 - - - 1 1 1 1 0"), (None, 0, Vec::new()));
    assert_eq!(phq9("3 3 3 3 3 3 2 0 0").2, ["phq9-severe"]);
    assert_eq!(phq9("3 3 3 1 0 0 0 0 0"), (Some(10), 0, vec!["phq9-moderate".to_owned()]));
}

#[test]
fn bands_are_closed_on_both_sides() {
    let workflow = heart_failure();
    let def = &workflow.questionnaires["phq-9"].scores[0];
    let at = |total| band(def, Decimal::whole(total)).map(|band| band.id.to_string());
    let edges =
        [(0, "minimal"), (4, "minimal"), (5, "mild"), (9, "mild"), (10, "moderate"), (14, "moderate")];
    for (total, expected) in edges.into_iter().chain([
        (15, "moderately_severe"),
        (19, "moderately_severe"),
        (20, "severe"),
        (27, "severe"),
    ]) {
        assert_eq!(at(total).as_deref(), Some(expected), "{total}");
    }
    assert_eq!(at(28), None);
}

#[test]
fn a_hidden_item_is_as_good_as_none() {
    let workflow = heart_failure();
    let check = &workflow.questionnaires["heart-failure-check"];
    let given = |value| Answer::Given { value, doubtful: false };
    let mut answers = BTreeMap::from([(name("systolic"), given(Value::Number(Decimal::whole(85))))]);
    let shown = |answers: &BTreeMap<Name, Answer>| {
        visible_items(check, answers).iter().any(|item| item.id == *"systolic")
    };
    assert!(!shown(&answers));
    answers.insert(name("has_monitor"), given(Value::Bool(true)));
    assert!(shown(&answers));
    answers.insert(name("has_monitor"), Answer::Declined);
    assert!(!shown(&answers));
}

/// A small world to evaluate in.
struct World {
    workflow: Workflow,
    answers: BTreeMap<Name, Answer>,
    series: BTreeMap<Name, Vec<(Date, Decimal)>>,
    steps: BTreeMap<Name, StepState>,
    anchors: BTreeMap<Name, AnchorState>,
    facts: BTreeMap<Name, Value>,
}

const TODAY: Date = date(2026, 3, 6);

impl World {
    fn new() -> Self {
        let number = |text: &str| Decimal::parse(text).unwrap();
        let series = [(3, "78.2"), (4, "78.4"), (5, "79.0"), (6, "80.5")]
            .map(|(day, weight)| (date(2026, 3, day), number(weight)));
        let given = |value| Answer::Given { value, doubtful: false };
        let silent = StepState {
            silent_in_a_row: 2,
            silent_days: vec![date(2026, 2, 1), date(2026, 3, 4), date(2026, 3, 5)],
            answers: 7,
            ..StepState::default()
        };
        let anchor =
            AnchorState { date: date(2026, 3, 2), known_since: "2026-03-02T10:00:00Z".parse().unwrap() };
        Self {
            workflow: heart_failure(),
            answers: BTreeMap::from([
                (name("weight"), given(Value::Number(number("80.5")))),
                (name("breathing"), given(Value::Choice(name("worse")))),
                (name("tablets"), Answer::Declined),
            ]),
            series: BTreeMap::from([(name("weight"), series.to_vec())]),
            steps: BTreeMap::from([(name("daily-check"), silent)]),
            anchors: BTreeMap::from([(name("discharge"), anchor)]),
            facts: BTreeMap::new(),
        }
    }

    fn value(&self, source: &str) -> Option<Value> {
        let steps: BTreeMap<Name, super::StepSort> = BTreeMap::from([
            (name("daily-check"), super::StepSort::Ask),
            (name("first-visit"), super::StepSort::Task),
        ]);
        let scope = Scope {
            facts: &self.workflow.facts,
            anchors: &[name("discharge")],
            steps: &steps,
            define: &[],
            questionnaires: &self.workflow.questionnaires,
            answer: self.workflow.questionnaires.get("heart-failure-check"),
        };
        let (expr, _, _) =
            super::compile(source, &scope).unwrap_or_else(|errors| panic!("{source}: {errors:?}"));
        let questionnaire = &self.workflow.questionnaires["heart-failure-check"];
        let env = Env {
            facts: &self.facts,
            answer: Some(AnswerAtHand { questionnaire, answers: &self.answers }),
            series: &self.series,
            steps: &self.steps,
            anchors: &self.anchors,
            ..Env::of_workflow(&self.workflow, TODAY)
        };
        eval(&expr, &env)
    }
}

/// A condition of an earlier version calls a step as it was called then.
#[test]
fn a_step_is_found_by_the_name_that_it_had() {
    use crate::state::Former;
    let workflow = heart_failure();

    let steps = BTreeMap::from([(name("newest"), StepState { silent_in_a_row: 2, ..StepState::default() })]);
    let former = BTreeMap::from([
        (name("oldest"), Former::Renamed(name("older"))),
        (name("older"), Former::Renamed(name("newest"))),
        (name("gone"), Former::Removed(workflow.version())),
    ]);
    let env = Env { steps: &steps, former: &former, ..Env::of_workflow(&workflow, TODAY) };
    let silent = |step: &str| eval(&crate::model::Expr::SilentInARow(name(step)), &env);
    for step in ["newest", "older", "oldest"] {
        assert_eq!(silent(step), Some(Value::Number(Decimal::whole(2))), "{step}");
    }
    assert_eq!(silent("gone"), Some(Value::Number(Decimal::ZERO)));
}

#[test]
fn what_conditions_are_worth() {
    let world = World::new();
    for (source, expected) in [
        // The answer of today is in the series already and is not looked at.
        ("weight - lowest(weight, 3 days) > 2 kg", Some(true)),
        ("lowest(weight, 3 days) = 78.2 kg", Some(true)),
        ("lowest(weight, 2 days) = 78.4 kg", Some(true)),
        ("highest(weight, 3 days) = 79 kg", Some(true)),
        ("previous(weight, 1 day) = 79 kg", Some(true)),
        ("weight - previous(weight, 1 day) >= 1.5 kg", Some(true)),
        ("weight - previous(weight, 1 day) > 1.5 kg", Some(false)),
        ("known(previous(weight, 1 day))", Some(true)),
        ("systolic < 90 mmHg", None),
        ("not known(systolic)", Some(true)),
        ("systolic < 90 mmHg or breathing = worse", Some(true)),
        ("systolic < 90 mmHg and breathing = worse", None),
        ("systolic < 90 mmHg and breathing = better", Some(false)),
        ("not (systolic < 90 mmHg)", None),
        ("declined(tablets) and not declined(weight)", Some(true)),
        ("tablets = none_taken", None),
        ("breathing in [worse, at_rest]", Some(true)),
        ("points(breathing) + 1 = 3", Some(true)),
        ("doubtful(weight)", Some(false)),
        ("days_since(discharge) = 4", Some(true)),
        ("missed_in_a_row(daily-check) = 2", Some(true)),
        ("missed(daily-check, 7 days) = 2", Some(true)),
        ("missed(daily-check, 5 weeks) = 3", Some(true)),
        ("answers(daily-check) >= 7", Some(true)),
        ("outcome(first-visit) = done", None),
        // A default stands in for a fact that nobody gave; without one it is unknown.
        ("weight_esc and not weight_us", Some(true)),
        ("weight - dry_weight > 2 kg", None),
        ("true or systolic < 90 mmHg", Some(true)),
        ("-1 < 0", Some(true)),
    ] {
        assert_eq!(world.value(source), expected.map(Value::Bool), "{source}");
    }
}

#[test]
fn a_doubtful_answer_is_left_out_of_the_series() {
    let mut world = World::new();
    let doubtful = Answer::Given { value: Value::Number(Decimal::parse("178.4").unwrap()), doubtful: true };
    world.answers.insert(name("weight"), doubtful);
    let series = series_of(&world.workflow.questionnaires["heart-failure-check"], &world.answers);
    assert!(series.iter().all(|(item, _)| *item != *"weight"));
    assert!(series.contains(&(name("breathing"), Decimal::whole(2))));
    assert_eq!(world.value("doubtful(weight)"), Some(Value::Bool(true)));
}

#[test]
fn a_number_is_not_a_condition() {
    let world = World::new();
    let scope = Scope {
        facts: &world.workflow.facts,
        anchors: &[],
        steps: &BTreeMap::new(),
        define: &[],
        questionnaires: &BTreeMap::new(),
        answer: None,
    };
    assert!(condition("weight_esc", &scope).is_ok());
    let errors = condition("dry_weight", &scope).unwrap_err();
    assert_eq!(errors[0].code, "E122");
}

fn any_ast() -> impl Strategy<Value = Ast> {
    let node = |kind| Ast { at: 0, kind };
    let number = (-100_000_i64..100_000).prop_map(|n| Decimal::whole(n).over(Decimal::whole(100)).unwrap());
    let leaf = prop_oneof![
        (number, proptest::option::of(prop_oneof![Just("kg"), Just("%"), Just("mmol/L"), Just("days")]))
            .prop_map(move |(n, unit)| node(Kind::Number(n, unit.map(str::to_owned)))),
        "[a-m][a-z0-9_]{0,6}(-[a-z0-9]{1,3})?"
            .prop_filter("keywords", |n| !["and", "in", "false"].contains(&n.as_str()))
            .prop_map(move |n| node(Kind::Name(n))),
        any::<bool>().prop_map(move |b| node(Kind::Bool(b))),
        (1_i16..9999, 1_i8..13, 1_i8..29)
            .prop_filter("four digits", |(year, ..)| *year >= 1000)
            .prop_map(move |(y, m, d)| node(Kind::Date(date(y, m, d)))),
    ];
    leaf.prop_recursive(5, 40, 4, move |inner| {
        let some = || proptest::collection::vec(inner.clone(), 2..4);
        let one = || inner.clone().prop_map(Box::new);
        let how = prop_oneof![
            Just(Compare::Equal),
            Just(Compare::NotEqual),
            Just(Compare::Less),
            Just(Compare::AtMost),
            Just(Compare::More),
            Just(Compare::AtLeast)
        ];
        prop_oneof![
            some().prop_map(Kind::And),
            some().prop_map(Kind::Or),
            one().prop_map(Kind::Not),
            (how, one(), one()).prop_map(|(how, a, b)| Kind::Compare(how, a, b)),
            (one(), some()).prop_map(|(a, list)| Kind::In(a, list)),
            (one(), one()).prop_map(|(a, b)| Kind::Add(a, b)),
            (one(), one()).prop_map(|(a, b)| Kind::Subtract(a, b)),
            (
                "[a-z_]{3,10}"
                    .prop_filter("keywords", |n| !["and", "not", "true", "false"].contains(&n.as_str())),
                some()
            )
                .prop_map(|(function, list)| Kind::Call(function, list)),
        ]
        .prop_map(node)
    })
}

proptest! {
    /// What is written is read again as the same.
    #[test]
    fn printing_and_parsing_are_inverse(ast in any_ast()) {
        let written = ast.to_string();
        prop_assume!(written.len() <= crate::model::condition::EXPR_BYTES_MAX);
        let read = parse(&written).map_err(|error| TestCaseError::fail(format!("{written}: {error:?}")))?;
        prop_assert_eq!(read.to_string(), written);
    }

    /// Any text is read or refused, never more.
    #[test]
    fn any_text_is_read_or_refused(text in "[ a-z0-9()<>=!,.%+\\[\\]-]{0,60}") {
        let _ = parse(&text);
    }
}
