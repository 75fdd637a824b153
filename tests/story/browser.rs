//! `tend demo` in Chromium: enrolled, asked, answered badly, called, recorded, told.
//!
//! With `TEND_PICTURES=FOLDER` every page is photographed.

use serde_json::{Value, json};

use super::demo;
use crate::support::browser::{assert_accessible, play};

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
    says(&result, "check", &["81.4", "Breathless even at rest", "Call 999 now"]);
    says(&result, "row", &["Emergency", name, "breathless at rest"]);
    let above: Vec<&str> =
        result["above"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    assert!(above.iter().all(|row| row.contains("Emergency")), "less urgent ones stand above: {above:#?}");
    says(
        &result,
        "call",
        &[name, "1951-04-09", "breathless at rest", "81.4 kg", "Dry weight 78 kg (+3.4 kg)"],
    );
    assert_eq!(result["dial"], "tel:+447700900777");
    says(&result, "done", &["Call 999 now", "Your answers have arrived"]);
    assert_eq!((&result["reassured"], &result["called"]), (&json!(0), &json!("tel:999")), "nothing green");
    assert!(!result["done"].as_str().unwrap_or_default().contains("We will write"), "{}", result["done"]);
    says(&result, "closed", &["Closed: Sent to emergency", note]);
    tells(
        &result,
        &["Outcome: Sent to emergency", "Task taken", "Answered", "Red-flag answer", "Enrolled in"],
    );

    assert_accessible("the story", &result["found"]);
    assert_eq!(result["wide"], json!([]), "these pages scroll sideways");
}
