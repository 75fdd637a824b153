//! The tutorial, followed to the letter in a fresh folder: every file is written as it says, every command is run, and
//! what it prints is what the tutorial prints.

use std::{fs, path::Path, process::Command};

/// A fenced block: its language and its lines.
fn blocks(text: &str) -> Vec<(String, Vec<&str>)> {
    let mut found: Vec<(String, Vec<&str>)> = Vec::new();
    let mut inside = false;
    for line in text.lines() {
        match (line.strip_prefix("```"), inside) {
            (Some(language), false) => {
                found.push((language.to_owned(), Vec::new()));
                inside = true;
            }
            (Some(_), true) => inside = false,
            (None, true) => found.last_mut().expect("a block").1.push(line),
            (None, false) => {}
        }
    }
    found
}

/// A block of a file goes to its end, without the line that names it; `as it is now` is what the file ends with.
fn file(folder: &Path, lines: &[&str]) {
    let named = lines[0].strip_prefix("# ").expect("the first line names the file");
    let (path, ending) = match named.strip_suffix(" as it is now") {
        Some(path) => (folder.join(path), true),
        None => (folder.join(named), false),
    };
    let before = fs::read_to_string(&path).unwrap_or_default();
    if ending {
        let last = lines[1..].join("\n") + "\n";
        assert!(before.ends_with(&last), "{} does not end as the tutorial says:\n{before}", path.display());
        return;
    }
    fs::create_dir_all(path.parent().expect("a folder")).expect("made");
    // The name stays in the file: it is a comment, and places count from it.
    let new = if before.is_empty() { lines.join("\n") } else { lines[1..].join("\n") };
    fs::write(&path, before + &new + "\n").expect("written");
}

/// How long something took is another figure each time.
fn without_seconds(line: &str) -> String {
    let line = line.trim_end();
    let begins = line.rfind(", ").filter(|_| line.ends_with(" s"));
    let is_time =
        |begins: &usize| line.get(begins + 2..line.len() - 2).is_some_and(|time| time.parse::<f64>().is_ok());
    begins.filter(is_time).map_or_else(|| line.to_owned(), |begins| line[..begins].to_owned())
}

fn commands(folder: &Path, lines: &[&str]) {
    let command = lines[0].strip_prefix("$ tend ").expect("a command");
    let output = Command::new(env!("CARGO_BIN_EXE_tend"))
        .args(command.split(' '))
        .current_dir(folder)
        .env_clear()
        .output()
        .expect("tend runs");
    let said = String::from_utf8(output.stdout).expect("text");
    let said: Vec<String> = said.lines().map(without_seconds).collect();
    let expected: Vec<String> = lines[1..].iter().map(|line| without_seconds(line)).collect();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(said.join("\n"), expected.join("\n"), "tend {command}\n{errors}");
}

#[test]
fn the_tutorial_comes_true_to_the_letter() {
    let text =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/tutorial.md")).expect("there");
    let folder = tempfile::tempdir().expect("a folder");
    let mut ran = 0;
    for (language, lines) in blocks(&text) {
        match language.as_str() {
            "yaml" => file(folder.path(), &lines),
            "console" => {
                commands(folder.path(), &lines);
                ran += 1;
            }
            other => panic!("what is a block of {other:?}?"),
        }
    }
    assert!(ran >= 5, "{ran} commands");
}

/// Every code is in the reference, and every example of it that is a whole section is understood by the parser.
#[test]
fn the_reference_names_every_code_function_and_key() {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/workflow-format.md"))
        .expect("there");
    for known in tend_engine::diagnostic::codes::CODES {
        assert!(text.contains(&format!("| {} |", known.code)), "{} is not in the reference", known.code);
    }
    let schema = tend_engine::parse::schema::schema("workflow").expect("a schema");
    let keys = |pointer: &str| -> Vec<String> {
        let found = schema.pointer(pointer).and_then(serde_json::Value::as_object);
        found.map(|map| map.keys().cloned().collect()).unwrap_or_default()
    };
    let steps = keys("/properties/steps/additionalProperties/properties");
    assert!(steps.len() > 15, "{steps:?}");
    for key in steps.into_iter().chain(keys("/properties")) {
        assert!(
            text.contains(&format!("`{key}")) || text.contains(&format!("{key}:")),
            "{key} is not in the reference"
        );
    }
}

/// The long examples of the reference, put together with the few things that they name, are a workflow.
#[test]
fn the_examples_of_the_reference_are_understood() {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/workflow-format.md"))
        .expect("there");
    let blocks = blocks(&text);
    let example = |begins: &str| -> String {
        let found =
            blocks.iter().find(|(_, lines)| lines.first().is_some_and(|line| line.starts_with(begins)));
        found.unwrap_or_else(|| panic!("no example begins with {begins:?}")).1.join("\n")
    };
    let head = "workflow: example\ntitle: {en: Example}\nstatus: example, not approved\nlanguages: [en]\nfacts:\n  risk: {label: {en: risk}, type: choice, options: {low: {en: low}, high: {en: high}}}\n  in_remission: {label: {en: remission}, type: boolean, default: false}\nanchors:\n  operation: {label: {en: operation}}\n  diagnostic_mammogram: {label: {en: mammogram}}\n  radiotherapy_end: {label: {en: end}}\n  recurrence: {label: {en: recurrence}, restarts: operation}\n";
    let more = "  recheck: {title: {en: again}, ask: oxygen-check, when: started, at: 1 hour, window: {before: 0 days, after: 1 day}}\n  oxygen: {title: {en: oxygen}, ask: oxygen-check, from: operation, when: {first: 2 days, then: [{if: in_remission, after: 12 weeks}, {after: 4 weeks}]}}\n  closing-visit: {title: {en: end}, task: {kind: visit, role: clinician, minutes: 20}, from: operation, when: [{at: 90 days}]}\n";
    let start = "  screened: {on: answer to phq-2, if: phq2_total >= 3, because: {en: low}, then: [start mood-full]}\n";
    let file = format!(
        "{head}{}\n{more}rules:\n{}\n{start}ending: {{after: 2 years}}\n",
        example("steps:"),
        example("  oxygen-low:")
    );
    let mut files = crate::support::workflows::shipped_files();
    files.retain(|path, _| path.ends_with("standard.yaml") || path.contains("/questionnaires/"));
    files.insert("workflows/example/workflow.yaml".to_owned(), file.clone().into_bytes());
    let compiled = tend_engine::parse::compile(&files);
    let wrong: Vec<String> = compiled
        .diagnostics
        .iter()
        // Examples are short: what hears of silence and of work undone is left out.
        .filter(|found| !["W105", "W108"].contains(&found.code))
        .map(|found| found.for_terminal(Some(&file)))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(compiled.workflows.len(), 1);
}
