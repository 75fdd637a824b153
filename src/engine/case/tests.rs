//! Every case file of the shipped library comes true, and a case that does not says what happened instead.

use std::{collections::BTreeMap, path::Path};

use crate::parse::{Compiled, compile};

use super::run::{all, run};

fn read(folder: &Path, files: &mut BTreeMap<String, Vec<u8>>) {
    for entry in std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
        if entry.is_dir() {
            read(&entry, files);
        } else if entry.extension().is_some_and(|end| end == "yaml") {
            let path = entry.display().to_string();
            files.insert(path, std::fs::read(&entry).expect("a file"));
        }
    }
}

pub(crate) fn shipped() -> Compiled {
    let mut files = BTreeMap::new();
    read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../workflows"), &mut files);
    compile(&files)
}

#[test]
fn every_shipped_case_comes_true() {
    if std::env::var_os("TEND_ACCEPT").is_some() {
        accept_all();
    }
    let compiled = shipped();
    let found = all(&compiled);
    let told: String = found.iter().map(|problem| problem.for_terminal(None)).collect();
    assert!(found.is_empty(), "{told}");
    let needed = [
        "happy-path",
        "silence",
        "worst-answer-draft",
        "stop",
        "withdrawn",
        "death",
        "readmission",
        "re-anchoring",
        "dst-spring",
        "leap-day",
        "public-holiday",
    ];
    for (path, workflow) in &compiled.workflows {
        let folder = path.trim_end_matches("workflow.yaml");
        for case in needed {
            let there = compiled.cases.iter().any(|(path, _)| *path == format!("{folder}cases/{case}.yaml"));
            assert!(there, "{} has no case {case}", workflow.id);
        }
    }
}

/// What `tend check --accept` does, for whoever works on the engine alone.
fn accept_all() {
    let compiled = shipped();
    for (path, case) in &compiled.cases {
        let Some(workflow) = compiled.workflow(case.workflow.as_str()) else { continue };
        let source = std::fs::read_to_string(path).expect("a readable case");
        if let Some(text) = super::accept::accept(case, workflow, &source) {
            std::fs::write(path, text).expect("written");
        }
    }
}

#[test]
fn a_story_that_does_not_come_true_says_what_happened() {
    let compiled = shipped();
    let (_, case) =
        compiled.cases.iter().find(|(path, _)| path.ends_with("s1-weight-esc.yaml")).expect("a case");
    let workflow = compiled.workflow("hf-discharge-90d").expect("shipped");
    let mut case = case.clone();
    case.story.truncate(1);
    let line = &mut case.story[0];
    line.expect = vec![super::Phrase::Ended];
    line.expect_not = vec![super::Phrase::Nothing];
    let failures = run(&case, workflow);
    assert_eq!(failures[0].message, "expected ended, but it did not come");
    assert!(failures[0].help.starts_with("since the line before"), "{}", failures[0].help);
}
