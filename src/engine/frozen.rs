//! Histories written down once fold to the same state for ever. `TEND_ACCEPT=1` writes new ones and, where the
//! shape of the state changed on purpose, the states; a history is never written anew.

#![cfg(test)]

use std::path::PathBuf;

use crate::{
    case::{run::play, tests::shipped},
    fact::Entry,
    state::PatientState,
};

const STORIES: [&str; 4] = ["s1-weight-esc", "s12-recurrence", "s15-stop", "s18-death"];

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("frozen")
}

fn fold(history: &str) -> PatientState {
    let mut state = PatientState::default();
    for line in history.lines() {
        let entry: Entry = serde_json::from_str(line).expect("an entry of today's or an upcast shape");
        assert!(state.expects(&entry), "entry {} is out of order", entry.seq);
        state.fold(&entry);
    }
    state
}

fn accept(story: &str) {
    let compiled = shipped();
    let of_story = |(path, _): &&(String, _)| path.ends_with(&format!("/{story}.yaml"));
    let (_, case) = compiled.cases.iter().find(of_story).expect("a shipped case");
    let workflow = compiled.workflow(case.workflow.as_str()).expect("its workflow");
    let path = folder().join(format!("{story}.history.jsonl"));
    let line = |entry: &Entry| serde_json::to_string(entry).expect("an entry") + "\n";
    // A history that was written down once stays as it is; the shape of the state may change.
    let text = std::fs::read_to_string(&path)
        .unwrap_or_else(|_| play(case, workflow).iter().map(line).collect::<String>());
    let state = serde_json::to_string_pretty(&fold(&text)).expect("a state") + "\n";
    std::fs::create_dir_all(folder()).expect("the folder");
    std::fs::write(path, text).expect("written");
    std::fs::write(folder().join(format!("{story}.state.json")), state).expect("written");
}

#[test]
fn frozen_histories_fold_to_the_same_state() {
    for story in STORIES {
        if std::env::var_os("TEND_ACCEPT").is_some() {
            accept(story);
        }
        let read = |end: &str| {
            let path = folder().join(format!("{story}.{end}"));
            std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
        };
        let expected: PatientState = serde_json::from_str(&read("state.json")).expect("a state");
        assert_eq!(fold(&read("history.jsonl")), expected, "{story}");
    }
}
