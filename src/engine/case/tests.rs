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
    let compiled = shipped();
    let found = all(&compiled);
    let told: String = found.iter().map(|problem| problem.for_terminal(None)).collect();
    assert!(found.is_empty(), "{told}");
    for workflow in ["hf-discharge-90d", "nmibc-surveillance"] {
        let cases = compiled.cases.iter().filter(|(_, case)| case.workflow == *workflow).count();
        assert!(cases >= 4, "{workflow} has {cases} cases");
    }
}

#[test]
fn a_story_that_does_not_come_true_says_what_happened() {
    let compiled = shipped();
    let (_, case) =
        compiled.cases.iter().find(|(_, case)| case.workflow == *"hf-discharge-90d").expect("a case");
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
