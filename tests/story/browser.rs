//! `tend demo` in Chromium: enrolled, asked, answered badly, called, recorded, told.
//!
//! With `TEND_PICTURES=FOLDER` every page is photographed.

use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;
use std::{collections::BTreeMap, fs};

use serde_json::{Value, json};

use crate::support::browser::{assert_accessible, play};
use crate::support::process::{Kept, wait_until};

/// A program without optimisation lives through weeks of its patients' past first.
const READY: Duration = Duration::from_secs(240);
const LISTENING: &str = "listening on ";

/// Starts the demo in a folder; gives its address and everybody's password.
fn demo(folder: &Path) -> (Kept, String, BTreeMap<String, String>) {
    let (log, data) = (folder.join("log"), folder.join("data"));
    let command = [env!("CARGO_BIN_EXE_tend"), "demo", "--port", "0", "--dir"].map(OsString::from);
    let command = command.into_iter().chain([data.clone().into_os_string()]).collect();
    let kept = Kept::start(command, &log, "TERM", None);
    let address = || {
        let said = fs::read_to_string(&log).unwrap_or_default();
        said.lines().find_map(|line| line.strip_prefix(LISTENING).map(str::to_owned))
    };
    wait_until("the demo listens", READY, Some(&log), || address().is_some());
    let logins = fs::read_to_string(data.join("logins.txt")).expect("the logins are kept in a file");
    let logins = logins.lines().skip(1).filter_map(|line| line.split_once(char::is_whitespace));
    let passwords = logins.map(|(login, password)| (login.to_owned(), password.trim().to_owned())).collect();
    (kept, address().expect("it listens"), passwords)
}

fn says(result: &Value, what: &str, words: &[&str]) {
    let text = result[what].as_str().unwrap_or_default();
    for word in words {
        assert!(text.contains(word), "{what} does not say `{word}`: {text}");
    }
}

/// Every one of `words` is a line of the timeline, the latest first.
fn tells(result: &Value, words: &[&str]) {
    let lines: Vec<&str> =
        result["timeline"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let mut rest = lines.iter();
    for word in words {
        assert!(
            rest.any(|line| line.contains(word)),
            "the timeline does not tell `{word}` in its place: {lines:#?}"
        );
    }
}

#[test]
fn a_bad_answer_is_asked_seen_called_and_told() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (_kept, base, password) = demo(folder.path());
    let pictures = std::env::var("TEND_PICTURES").ok();
    let result = play("story", &json!({ "base": base, "password": password, "pictures": pictures }));

    let name = result["patient"].as_str().unwrap_or_default();
    let note = result["note"].as_str().unwrap_or_default();
    says(&result, "letter", &[name, "rosalind@mail.example"]);
    says(&result, "advice", &["Being breathless at rest can be an emergency", "Call 999 now"]);
    says(&result, "check", &["81.4", "Breathless even at rest"]);
    says(&result, "row", &["Emergency", name, "breathless at rest"]);
    let above: Vec<&str> =
        result["above"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    assert!(above.iter().all(|row| row.contains("Emergency")), "less urgent ones stand above: {above:#?}");
    says(&result, "call", &[name, "1951-04-09", "breathless at rest"]);
    assert_eq!(result["dial"], "tel:+447700900777");
    says(&result, "done", &["Your answers have arrived"]);
    says(&result, "closed", &["Closed: Sent to emergency", note]);
    tells(
        &result,
        &["Outcome: Sent to emergency", "Task taken", "Answered", "Red-flag answer", "Enrolled in"],
    );

    assert_accessible("the story", &result["found"]);
    assert_eq!(result["wide"], json!([]), "these pages scroll sideways");
}
