//! Writing down what a story leads to, for its author to review: the expected part of lines that have none or that did
//! not come true. Everything else of the file, comments included, stays as it is.

use super::{
    Case,
    run::{Outcome, outcomes},
};
use crate::model::Workflow;

/// Most phrases written for one line.
const PHRASES_MAX: usize = 12;

/// The file with its expectations written anew where they are missing or wrong; `None` when nothing changes.
#[must_use]
pub fn accept(case: &Case, workflow: &Workflow, source: &str) -> Option<String> {
    let mut lines: Vec<String> = source.lines().map(str::to_owned).collect();
    let mut changed = false;
    let played = outcomes(case, workflow);
    // From the end, so that the places of earlier lines stay true.
    for (index, outcome) in played.iter().enumerate().rev() {
        let Some(line) = case.story.get(index) else { continue };
        let bare = line.expect.is_empty() && line.expect_not.is_empty() && line.plan.is_empty();
        if !bare && !outcome.failed {
            continue;
        }
        let next = case.story.get(index + 1).map_or(lines.len(), |next| next.line - 1);
        changed |= write(&mut lines, line.line - 1, next, &phrases(outcome));
    }
    changed.then(|| lines.join("\n") + "\n")
}

fn phrases(outcome: &Outcome) -> Vec<String> {
    let mut phrases: Vec<String> = Vec::new();
    for phrase in &outcome.phrases {
        if !phrases.contains(phrase) && phrases.len() < PHRASES_MAX {
            phrases.push(phrase.clone());
        }
    }
    if phrases.is_empty() {
        phrases.push("nothing".to_owned());
    }
    phrases
}

/// In single quotes where plain YAML would read something else.
fn quoted(phrase: &str) -> String {
    let plain = !phrase.contains(['"', '\'', ',', ':', '{', '}', '[', ']', '#']);
    if plain { phrase.to_owned() } else { format!("'{}'", phrase.replace('\'', "''")) }
}

fn write(lines: &mut Vec<String>, from: usize, until: usize, phrases: &[String]) -> bool {
    let Some(first) = lines.get(from) else { return false };
    let Some(dash) = first.find("- ") else { return false };
    if first[dash + 2..].trim_start().starts_with('{') {
        return write_in_braces(lines, from, phrases);
    }
    let indent = " ".repeat(dash + 2);
    let mut kept: Vec<String> = Vec::new();
    let mut inside = false;
    // Blank lines and comments between two items belong to the next one.
    let end = (from..until).rev().find(|at| {
        let text = lines[*at].trim();
        !text.is_empty() && !text.starts_with('#')
    });
    let end = end.map_or(from + 1, |last| last + 1);
    for line in &lines[from..end] {
        let key = line.trim_start_matches("- ").trim();
        let at_key = line.starts_with(&indent) && !line[indent.len()..].starts_with([' ', '-']);
        if at_key || line.trim_start().starts_with("- ") && line.find("- ") == Some(dash) {
            inside = key.starts_with("expect:");
        }
        if !inside {
            kept.push(line.clone());
        }
    }
    kept.push(format!("{indent}expect:"));
    kept.extend(phrases.iter().map(|phrase| format!("{indent}  - {}", quoted(phrase))));
    let before = lines[from..end].to_vec();
    let changed = before != kept;
    lines.splice(from..end, kept);
    changed
}

/// An item on one line: `- {at: …}`.
fn write_in_braces(lines: &mut [String], at: usize, phrases: &[String]) -> bool {
    let line = &lines[at];
    let Some(close) = line.rfind('}') else { return false };
    let mut head = line[..close].to_owned();
    if let Some(start) = head.find(", expect: [")
        && let Some(length) = head[start..].find(']')
    {
        head.replace_range(start..=start + length, "");
    }
    let list: Vec<String> = phrases.iter().map(|phrase| quoted(phrase)).collect();
    let written = format!("{head}, expect: [{}]{}", list.join(", "), &line[close..]);
    let changed = written != *line;
    lines[at] = written;
    changed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_expected_part_changes() {
        let source = "story:\n  # a comment\n  - at: day 1 09:30\n    answer: x\n    expect:\n      - ended\n    with: {a: 1}\n\n  - {at: day 2 09:00, reply: \"a\", expect: [ended]} # why\n";
        let mut lines: Vec<String> = source.lines().map(str::to_owned).collect();
        let phrases = ["nothing".to_owned(), "alert red because \"it's\"".to_owned()];
        assert!(write(&mut lines, 8, 9, &phrases));
        assert!(write(&mut lines, 2, 8, &phrases));
        assert_eq!(
            lines.join("\n"),
            "story:\n  # a comment\n  - at: day 1 09:30\n    answer: x\n    with: {a: 1}\n    expect:\n      - nothing\n      - 'alert red because \"it''s\"'\n\n  - {at: day 2 09:00, reply: \"a\", expect: [nothing, 'alert red because \"it''s\"']} # why"
        );
    }
}
