//! The shipped files, broken files, hostile files.

mod broken;
mod hostile;

use std::collections::BTreeMap;

use super::{Compiled, compile};

/// Levels, words, questionnaires and workflows of `workflows/`; the root package checks that none is forgotten.
pub(crate) const SHIPPED: &[(&str, &[u8])] = &[
    ("workflows/calendars/england.yaml", include_bytes!("../../../../workflows/calendars/england.yaml")),
    ("workflows/calendars/example.yaml", include_bytes!("../../../../workflows/calendars/example.yaml")),
    (
        "workflows/hf-discharge-90d/cases/s1-weight-esc.yaml",
        include_bytes!("../../../../workflows/hf-discharge-90d/cases/s1-weight-esc.yaml"),
    ),
    (
        "workflows/hf-discharge-90d/cases/s15-stop.yaml",
        include_bytes!("../../../../workflows/hf-discharge-90d/cases/s15-stop.yaml"),
    ),
    (
        "workflows/hf-discharge-90d/cases/s16-silence.yaml",
        include_bytes!("../../../../workflows/hf-discharge-90d/cases/s16-silence.yaml"),
    ),
    (
        "workflows/hf-discharge-90d/cases/s18-death.yaml",
        include_bytes!("../../../../workflows/hf-discharge-90d/cases/s18-death.yaml"),
    ),
    (
        "workflows/hf-discharge-90d/cases/s2-weight-us.yaml",
        include_bytes!("../../../../workflows/hf-discharge-90d/cases/s2-weight-us.yaml"),
    ),
    (
        "workflows/hf-discharge-90d/cases/s21-late-answer.yaml",
        include_bytes!("../../../../workflows/hf-discharge-90d/cases/s21-late-answer.yaml"),
    ),
    (
        "workflows/hf-discharge-90d/cases/s21-very-late-answer.yaml",
        include_bytes!("../../../../workflows/hf-discharge-90d/cases/s21-very-late-answer.yaml"),
    ),
    (
        "workflows/hf-discharge-90d/cases/s3-weight-and-breathing.yaml",
        include_bytes!("../../../../workflows/hf-discharge-90d/cases/s3-weight-and-breathing.yaml"),
    ),
    (
        "workflows/hf-discharge-90d/cases/s4-weight-in-doubt.yaml",
        include_bytes!("../../../../workflows/hf-discharge-90d/cases/s4-weight-in-doubt.yaml"),
    ),
    (
        "workflows/hf-discharge-90d/cases/worst-answer.yaml",
        include_bytes!("../../../../workflows/hf-discharge-90d/cases/worst-answer.yaml"),
    ),
    (
        "workflows/hf-discharge-90d/workflow.yaml",
        include_bytes!("../../../../workflows/hf-discharge-90d/workflow.yaml"),
    ),
    (
        "workflows/nmibc-surveillance/cases/day-after.yaml",
        include_bytes!("../../../../workflows/nmibc-surveillance/cases/day-after.yaml"),
    ),
    (
        "workflows/nmibc-surveillance/cases/recurrence-withdraws.yaml",
        include_bytes!("../../../../workflows/nmibc-surveillance/cases/recurrence-withdraws.yaml"),
    ),
    (
        "workflows/nmibc-surveillance/cases/s11-high-risk-dates.yaml",
        include_bytes!("../../../../workflows/nmibc-surveillance/cases/s11-high-risk-dates.yaml"),
    ),
    (
        "workflows/nmibc-surveillance/cases/s12-recurrence.yaml",
        include_bytes!("../../../../workflows/nmibc-surveillance/cases/s12-recurrence.yaml"),
    ),
    (
        "workflows/nmibc-surveillance/workflow.yaml",
        include_bytes!("../../../../workflows/nmibc-surveillance/workflow.yaml"),
    ),
    (
        "workflows/questionnaires/blood-in-urine.yaml",
        include_bytes!("../../../../workflows/questionnaires/blood-in-urine.yaml"),
    ),
    (
        "workflows/questionnaires/heart-failure-check.yaml",
        include_bytes!("../../../../workflows/questionnaires/heart-failure-check.yaml"),
    ),
    (
        "workflows/questionnaires/medicine-check.yaml",
        include_bytes!("../../../../workflows/questionnaires/medicine-check.yaml"),
    ),
    (
        "workflows/questionnaires/phq-2.yaml",
        include_bytes!("../../../../workflows/questionnaires/phq-2.yaml"),
    ),
    (
        "workflows/questionnaires/phq-9.yaml",
        include_bytes!("../../../../workflows/questionnaires/phq-9.yaml"),
    ),
    (
        "workflows/questionnaires/urine-check.yaml",
        include_bytes!("../../../../workflows/questionnaires/urine-check.yaml"),
    ),
    ("workflows/standard.yaml", include_bytes!("../../../../workflows/standard.yaml")),
];

pub(crate) fn shipped() -> BTreeMap<String, Vec<u8>> {
    SHIPPED.iter().map(|(path, bytes)| ((*path).to_owned(), bytes.to_vec())).collect()
}

pub(super) fn report(compiled: &Compiled, files: &BTreeMap<String, Vec<u8>>) -> String {
    let source = |file: &str| files.get(file).and_then(|bytes| std::str::from_utf8(bytes).ok());
    compiled.diagnostics.iter().map(|found| found.for_terminal(source(&found.file))).collect()
}

#[test]
fn the_shipped_library_is_clean() {
    let files = shipped();
    let compiled = compile(&files);
    assert!(compiled.diagnostics.is_empty(), "\n{}", report(&compiled, &files));
    let ids: Vec<&str> = compiled.workflows.iter().map(|(_, workflow)| workflow.id.as_str()).collect();
    assert_eq!(ids, ["hf-discharge-90d", "nmibc-surveillance"]);
}

#[test]
fn comments_and_order_of_files_make_no_version() {
    let files = shipped();
    let mut commented = files.clone();
    for bytes in commented.values_mut() {
        bytes.extend_from_slice(b"# a comment\n");
    }
    let versions = |files: &BTreeMap<String, Vec<u8>>| -> Vec<_> {
        compile(files).workflows.iter().map(|(_, workflow)| workflow.version()).collect()
    };
    assert_eq!(versions(&files), versions(&commented));
    let path = "workflows/hf-discharge-90d/workflow.yaml";
    let text = String::from_utf8(files[path].clone()).unwrap().replace("after: 8 hours", "after: 7 hours");
    let mut changed = files.clone();
    changed.insert(path.to_owned(), text.into_bytes());
    assert_ne!(versions(&files)[0], versions(&changed)[0]);
    assert_eq!(versions(&files)[1], versions(&changed)[1]);
}

#[test]
fn the_typed_model_survives_being_stored() {
    for (_, workflow) in compile(&shipped()).workflows {
        let stored = serde_json::to_string(&workflow).unwrap();
        let read: crate::model::Workflow = serde_json::from_str(&stored).unwrap();
        assert_eq!(read.version(), workflow.version());
        assert_eq!(read, workflow);
    }
}

#[test]
fn a_bad_workflow_is_left_out_and_the_others_stay() {
    let mut files = shipped();
    files.insert("workflows/hf-discharge-90d/workflow.yaml".to_owned(), b"workflow: [".to_vec());
    let compiled = compile(&files);
    assert_eq!(compiled.workflows.len(), 1);
    assert_eq!(compiled.workflows[0].1.id, *"nmibc-surveillance");
    assert!(compiled.diagnostics.iter().any(|found| found.code == "E003"));
}
