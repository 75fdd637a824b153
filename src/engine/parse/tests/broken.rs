//! Broken files: one mistake each in a small good workflow, and the words that its author reads.

use std::{collections::BTreeMap, fmt::Write as _};

use super::super::compile;

const WORKFLOW: &str = r#"workflow: knee
title: {en: Knee, zh: 膝}
status: example, not approved
languages: [en, zh]
sources:
  book: {title: A book, strength: read}
facts:
  side:
    label: {en: Side, zh: 侧}
    type: choice
    options:
      left: {en: left, zh: 左}
      right: {en: right, zh: 右}
  start_weight:
    label: {en: Weight, zh: 体重}
    type: quantity
    unit: kg
    range: [30, 250]
anchors:
  operation: {label: {en: Operation, zh: 手术}}
define:
  early: days_since(operation) <= 14
steps:
  pain-check:
    title: {en: Pain, zh: 疼痛}
    ask: pain
    from: operation
    when:
      - {every: 1 day, from: 1 day, to: 14 days}
      - {on: [mon], from: 15 days, to: 90 days}
    time: "09:00"
    remind:
      - {after: 4 hours}
      - {after: 8 hours, channel: other}
  visit:
    title: {en: Visit, zh: 门诊}
    task: {kind: visit, role: clinician, minutes: 20}
    from: operation
    when:
      - {at: [14 days, 42 days], window: {before: 2 days, after: 2 days}}
    overdue:
      - {after: 1 day, role: clerk, level: grey, because: {en: late, zh: 迟}}
      - {after: 7 days, role: nurse_lead, level: amber, because: {en: later, zh: 更迟}}
  booking:
    title: {en: Booking, zh: 预约}
    task: {kind: admin, role: clerk, minutes: 5}
    around: visit
    at: -7 days
    overdue:
      - {after: 3 days, role: nurse_lead, level: grey, because: {en: not booked, zh: 未预约}}
  after-visit:
    title: {en: After, zh: 之后}
    ask: pain
    after: visit is done
    at: 1 day
  extra:
    title: {en: Extra, zh: 额外}
    tell: {en: "{hospital}: rest well. Reply STOP to end", zh: "{hospital}：好好休息。退订回复TD"}
    when: started
rules:
  strong:
    on: answer to pain
    any:
      - if: score >= 7 and early
        because: {en: "pain {score}", zh: "疼痛 {score}"}
      - if: weight - lowest(weight, 3 days) > 2 kg
        because: {en: weight, zh: 体重}
      - if: swelling in [some, lot]
        because: {en: swelling, zh: 肿}
    then: [alert amber, start extra]
    sources: [book]
  silent:
    on: silence of pain-check
    if: missed_in_a_row(pain-check) >= 2
    because: {en: silent, zh: 沉默}
    then:
      - task: {kind: call, role: nurse, minutes: 10, within: 1 day, level: grey, title: {en: Call, zh: 电话}}
  after-silent:
    on: silence of after-visit
    if: side = left or start_weight > 100 kg
    because: {en: silent after the visit, zh: 门诊后沉默}
    then: [alert grey]
ending: {after: 100 days}
"#;

const QUESTIONNAIRE: &str = r#"questionnaire: pain
version: "1"
languages: [en, zh]
title: {en: Pain, zh: 疼痛}
heading: {en: Pain, zh: 疼痛}
licence: own
options:
  amount:
    no: {points: 0, label: {en: "No", zh: 没有}}
    some: {points: 1, label: {en: Some, zh: 一些}}
    lot: {points: 2, label: {en: A lot, zh: 很多}}
items:
  score:
    ask: {en: How strong?, zh: 多强？}
    type: whole
    range: [0, 10]
  swelling:
    ask: {en: Swelling?, zh: 肿吗？}
    type: choice
    options: amount
    only_if: score > 3
  weight:
    ask: {en: Weight?, zh: 体重？}
    type: quantity
    unit: kg
    range: [30, 250]
    ask_again_if_differs_by: 5 kg
    optional: true
  note:
    ask: {en: Note?, zh: 备注？}
    type: text
    max_chars: 100
    optional: true
scores:
  total:
    label: {en: Total, zh: 总分}
    items: [score, swelling]
    bands:
      low: {range: [0, 5], label: {en: low, zh: 低}}
      high: {range: [6, 12], label: {en: high, zh: 高}}
flags:
  worst:
    if: score = 10
    because: {en: worst pain, zh: 最痛}
    level: red
    advice: {en: "Call {ward_phone}", zh: "请拨打 {ward_phone}"}
"#;

fn files(workflow: &str, questionnaire: &str, standard: &str) -> BTreeMap<String, Vec<u8>> {
    BTreeMap::from([
        ("workflows/knee/workflow.yaml".to_owned(), workflow.as_bytes().to_vec()),
        ("workflows/questionnaires/pain.yaml".to_owned(), questionnaire.as_bytes().to_vec()),
        ("workflows/standard.yaml".to_owned(), standard.as_bytes().to_vec()),
    ])
}

fn shipped_standard() -> String {
    String::from_utf8(super::shipped()["workflows/standard.yaml"].clone()).unwrap()
}

/// Which file a mistake is made in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum In {
    W,
    Q,
    S,
}
use In::{Q, S, W};

/// What is replaced, by what, and the line that the author reads: `place  code  message  (mend)`.
type Mistake = (In, &'static str, &'static str, &'static str);

#[test]
fn the_good_files_are_clean() {
    let compiled = compile(&files(WORKFLOW, QUESTIONNAIRE, &shipped_standard()));
    assert_eq!(compiled.diagnostics, []);
    assert_eq!(compiled.workflows.len(), 1);
}

#[test]
fn every_mistake_is_found_with_place_code_and_mend() {
    let mut wrong = String::new();
    for (file, find, replace, expected) in MISTAKES {
        let edit = |which: In, text: &str| {
            if which != *file {
                return text.to_owned();
            }
            assert!(text.contains(find), "{find:?} is not in the good file");
            text.replacen(find, replace, 1)
        };
        let compiled =
            compile(&files(&edit(W, WORKFLOW), &edit(Q, QUESTIONNAIRE), &edit(S, &shipped_standard())));
        let first = match file {
            W => "workflow.yaml",
            Q => "pain.yaml",
            S => "standard.yaml",
        };
        let found: Vec<String> = compiled
            .diagnostics
            .iter()
            .filter(|d| d.file.ends_with(first))
            .map(|d| format!("{}:{} {} {} ({})", d.line, d.column, d.code, d.message, d.help))
            .collect();
        let said = found.join(" | ");
        if said != *expected {
            let _ = writeln!(wrong, "    ({file:?}, {find:?}, {replace:?}, {said:?}),");
        }
    }
    if let Some(path) = std::env::var_os("TEND_ACCEPT") {
        std::fs::write(std::path::Path::new(&path).join("broken.txt"), &wrong).expect("written");
    }
    assert!(wrong.is_empty(), "these read otherwise:\n{wrong}");
}

#[test]
fn several_mistakes_are_found_at_once() {
    let workflow = WORKFLOW
        .replacen("status:", "statsu:", 1)
        .replacen("zh: 门诊", "de: Besuch", 1)
        .replacen("around: visit", "around: visitt", 1)
        .replacen("alert amber", "alert ambr", 1);
    let compiled = compile(&files(&workflow, QUESTIONNAIRE, &shipped_standard()));
    let codes: Vec<&str> = compiled.diagnostics.iter().map(|found| found.code).collect();
    assert_eq!(codes, ["E102", "E101", "E301", "E302", "E106", "E107"]);
    assert!(compiled.workflows.is_empty());
}

include!("broken_table.rs");
