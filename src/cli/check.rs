//! `tend check [PATH…] [--json]`: every problem of workflow files at once. With `--accept` the expected part of cases is
//! written down, `--explain CODE` says more about a code, `--schema` prints the JSON Schema for editors, `--texts` counts
//! the parts of text messages.

use std::{collections::BTreeSet, io::Write as _, path::PathBuf, process::ExitCode};

use clap::Args;
use serde::Serialize;
use tend_engine::{
    diagnostic::{Diagnostic, codes},
    model::Does,
    parse::schema,
    text::{Coding, longest, sms_size},
};

use crate::library::{self, Library};

/// Compile workflows and questionnaires and run their cases
#[derive(Debug, Args)]
pub struct Check {
    /// Files and folders; by default ./workflows, else the built-in library
    paths: Vec<PathBuf>,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
    /// Write the expected part of cases that have none or did not come true, for review
    #[arg(long)]
    accept: bool,
    /// Say what a code means, for example W107
    #[arg(long, value_name = "CODE")]
    explain: Option<String>,
    /// Print the JSON Schema of a kind of file: workflow, questionnaire or standard
    #[arg(long, value_name = "KIND", num_args = 0..=1, default_missing_value = "workflow")]
    schema: Option<String>,
    /// List every text message with its parts per language at the longest values
    #[arg(long)]
    texts: bool,
    /// With --texts: what one part costs, to print the cost of each message
    #[arg(long, value_name = "AMOUNT", requires = "texts")]
    price: Option<f64>,
}

#[derive(Serialize)]
struct Report<'a> {
    diagnostics: &'a [Diagnostic],
}

impl Check {
    /// Prints what was found; exit code 1 if anything was.
    #[must_use]
    pub fn run(&self) -> ExitCode {
        if let Some(code) = &self.explain {
            return explain(code);
        }
        if let Some(kind) = &self.schema {
            return schema(kind);
        }
        let load =
            || if self.paths.is_empty() { library::load(None) } else { library::load_paths(&self.paths) };
        let mut library = load();
        if self.accept {
            let accepted = accept(&library);
            eprintln!("{} written anew: read what changed before you commit it", count(accepted, "case"));
            library = load();
        }
        if self.texts {
            say(&texts(&library, self.price));
        }
        let stories = tend_engine::case::run::all(&library.compiled);
        library.compiled.diagnostics.extend(stories);
        let found = &library.compiled.diagnostics;
        if self.json {
            match serde_json::to_string_pretty(&Report { diagnostics: found }) {
                Ok(json) => say(&(json + "\n")),
                Err(error) => eprintln!("the report could not be written as JSON: {error}"),
            }
        } else {
            say(&for_people(&library));
        }
        if found.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

/// To standard output; whoever reads it may stop early.
fn say(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}

fn explain(code: &str) -> ExitCode {
    match codes::explain(code) {
        Some(known) => {
            println!("{}  {}\n\n{}", known.code, known.title, known.text);
            ExitCode::SUCCESS
        }
        None => {
            let all: Vec<&str> = codes::CODES.iter().map(|known| known.code).collect();
            eprintln!("error: there is no code \"{code}\": there is {}", all.join(", "));
            ExitCode::FAILURE
        }
    }
}

fn schema(kind: &str) -> ExitCode {
    let printed = schema::schema(kind).and_then(|schema| serde_json::to_string_pretty(&schema).ok());
    match printed {
        Some(json) => {
            say(&(json + "\n"));
            ExitCode::SUCCESS
        }
        None => {
            eprintln!("error: \"{kind}\" has no schema: there is {}", schema::KINDS.join(", "));
            ExitCode::FAILURE
        }
    }
}

/// Writes the expected part of every case that needs it; how many files changed.
fn accept(library: &Library) -> usize {
    let mut changed = 0;
    for (path, case) in &library.compiled.cases {
        let workflow = library.compiled.workflow(case.workflow.as_str());
        let (Some(workflow), Some(source)) = (workflow, library.source(path)) else { continue };
        let Some(text) = tend_engine::case::accept::accept(case, workflow, source) else { continue };
        match std::fs::write(path, text) {
            Ok(()) => changed += 1,
            Err(error) => eprintln!("{path} could not be written: {error}"),
        }
    }
    changed
}

/// Every message of every workflow, with its coding, units and parts at the longest values.
fn texts(library: &Library, price: Option<f64>) -> String {
    let mut rows = BTreeSet::new();
    for (_, workflow) in &library.compiled.workflows {
        let standard = workflow.words.iter().map(|(key, words)| (format!("standard.yaml {key}"), words));
        let told = workflow.steps.iter().filter_map(|step| match &step.does {
            Does::Tell { words } => Some((format!("{} {}", workflow.id, step.id), words)),
            Does::Ask { .. } | Does::Task { .. } | Does::Score { .. } => None,
        });
        for (name, words) in standard.chain(told) {
            for (language, words) in &words.0 {
                let size = sms_size(&longest(words));
                let coding = match size.coding {
                    Coding::Gsm7 => "7-bit",
                    Coding::Ucs2 => "UCS-2",
                };
                let parts = count(size.parts, "part");
                let paid = u32::try_from(size.parts).map_or(f64::INFINITY, f64::from);
                let cost = price.map(|price| format!("  {:.3}", price * paid)).unwrap_or_default();
                let units = size.units;
                rows.insert(format!(
                    "{name:<48} {language:<4} {coding:<6} {units:>4} units  {parts}{cost}\n"
                ));
            }
        }
    }
    rows.into_iter().collect()
}

fn count(n: usize, one: &str) -> String {
    format!("{n} {one}{}", if n == 1 { "" } else { "s" })
}

fn for_people(library: &Library) -> String {
    let compiled = &library.compiled;
    let mut out: String = compiled
        .diagnostics
        .iter()
        .map(|found| found.for_terminal(library.source(&found.file)) + "\n")
        .collect();
    out += &match compiled.diagnostics.len() {
        0 => format!(
            "{} and {} checked, nothing found\n",
            count(compiled.workflows.len(), "workflow"),
            count(compiled.cases.len(), "case")
        ),
        n => format!("{} found\n", count(n, "problem")),
    };
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_see_the_line_the_caret_and_the_mend() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("workflow.yaml");
        std::fs::write(&path, "workflow: knee\ntittle: {en: Knee}\n").unwrap();
        let library = library::load_paths(std::slice::from_ref(&path));
        let text = for_people(&library);
        assert!(text.contains("workflow.yaml:2:1  E101  \"tittle\" is not a key of a workflow"), "{text}");
        assert!(
            text.contains("    | tittle: {en: Knee}\n    | ^\n    help: did you mean \"title\"?"),
            "{text}"
        );
    }

    #[test]
    fn stories_are_written_down_and_then_come_true() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("workflows/hf-discharge-90d/cases/new.yaml");
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let shipped = include_bytes!("../../workflows/hf-discharge-90d/workflow.yaml");
        std::fs::write(folder.path().join("workflows/hf-discharge-90d/workflow.yaml"), shipped).unwrap();
        let story = "case: new\nworkflow: hf-discharge-90d\nenrol: {on: 2026-03-02 09:30, facts: {dry_weight: 78}, anchors: {discharge: 2026-03-02}}\nstory:\n  # a comment\n  - at: day 1 10:00\n    answer: daily-check\n    calm: true\n";
        std::fs::write(&path, story).unwrap();
        let load = || library::load_paths(&[folder.path().join("workflows")]);
        assert_eq!(accept(&load()), 1);
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.starts_with(story) && text.contains("- message ask daily-check on sms"), "{text}");
        let library = load();
        assert_eq!(library.compiled.diagnostics, []);
        assert_eq!(tend_engine::case::run::all(&library.compiled), []);
        assert_eq!(accept(&library), 0, "nothing more to write");
    }

    #[test]
    fn texts_are_counted_per_language() {
        let listed = texts(&library::built_in(), None);
        assert!(
            listed.lines().any(|row| row.starts_with("standard.yaml ask")
                && row.contains(" zh ")
                && row.contains("UCS-2")
                && row.contains("2 parts")),
            "{listed}"
        );
        assert!(listed.lines().all(|row| !row.contains(" en ") || row.ends_with("1 part")), "{listed}");
    }
}
