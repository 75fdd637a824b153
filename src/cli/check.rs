//! `tend check [PATH…] [--json]`: every problem of workflow files at once.

use std::{path::PathBuf, process::ExitCode};

use clap::Args;
use serde::Serialize;
use tend_engine::diagnostic::Diagnostic;

use crate::library::{self, Library};

/// Compile workflows and questionnaires and run their cases
#[derive(Debug, Args)]
pub struct Check {
    /// Files and folders; by default ./workflows, else the built-in library
    paths: Vec<PathBuf>,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Report<'a> {
    diagnostics: &'a [Diagnostic],
}

impl Check {
    /// Prints what was found; exit code 1 if anything was.
    #[must_use]
    pub fn run(&self) -> ExitCode {
        let mut library =
            if self.paths.is_empty() { library::load(None) } else { library::load_paths(&self.paths) };
        let stories = tend_engine::case::run::all(&library.compiled);
        library.compiled.diagnostics.extend(stories);
        let found = &library.compiled.diagnostics;
        if self.json {
            match serde_json::to_string_pretty(&Report { diagnostics: found }) {
                Ok(json) => println!("{json}"),
                Err(error) => eprintln!("the report could not be written as JSON: {error}"),
            }
        } else {
            print!("{}", for_people(&library));
        }
        if found.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

fn for_people(library: &Library) -> String {
    let compiled = &library.compiled;
    let mut out: String = compiled
        .diagnostics
        .iter()
        .map(|found| found.for_terminal(library.source(&found.file)) + "\n")
        .collect();
    let count = |n: usize, one: &str| format!("{n} {one}{}", if n == 1 { "" } else { "s" });
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
}
