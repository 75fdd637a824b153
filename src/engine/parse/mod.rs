//! From files to the typed model, with every problem at once.
//!
//! It knows nothing of disks: files are paths and bytes. A workflow with a problem that blocks is not returned; the
//! others are.

pub mod calendar;
pub mod case;
pub mod change;
pub mod context;
pub mod facts;
pub mod fields;
mod prune;
pub mod questionnaire;
pub mod rule;
pub mod schedule;
pub mod schema;
pub mod score;
pub mod span;
pub mod standard;
pub mod step;
pub mod tree;
pub mod workflow;

#[cfg(test)]
pub(crate) mod tests;

use std::collections::BTreeMap;

use crate::{
    Name,
    case::Case,
    diagnostic::{Diagnostic, Log, Place},
    model::{LevelId, Workflow},
    site::Calendar,
};
use fields::{Fields, name};
use questionnaire::QuestionnaireFile;
use standard::Standard;
use tree::{Kind, Node};
use workflow::Ground;

/// What a set of files means.
#[derive(Debug, Clone, Default)]
pub struct Compiled {
    /// Workflows that can be used, with the path of their file.
    pub workflows: Vec<(String, Workflow)>,
    /// Calendars by name.
    pub calendars: BTreeMap<Name, Calendar>,
    /// Stories that must come true, with the path of their file.
    pub cases: Vec<(String, Case)>,
    /// Everything that is wrong, by file and place.
    pub diagnostics: Vec<Diagnostic>,
}

impl Compiled {
    /// The workflow of that name.
    #[must_use]
    pub fn workflow(&self, id: &str) -> Option<&Workflow> {
        self.workflows.iter().map(|(_, workflow)| workflow).find(|workflow| workflow.id == *id)
    }
}

/// What a file is, from its path and, failing that, its first key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Sort {
    Standard,
    Calendar,
    Questionnaire,
    Workflow,
    Case,
}

/// Reads all files together. A path ends in `.yaml`; its folder says what it is, as in `workflows/`.
#[must_use]
pub fn compile(files: &BTreeMap<String, Vec<u8>>) -> Compiled {
    let mut compiled = Compiled::default();
    let mut read: Vec<(Sort, &str, &[u8], Log, Node)> = Vec::new();
    for (path, bytes) in files {
        let mut log = Log::new(path);
        match tree::load(bytes, &mut log) {
            Some(node) => read.push((sort_of(path, &node), path, bytes, log, node)),
            None => compiled.diagnostics.extend(log.finish()),
        }
    }
    read.sort_by_key(|(sort, ..)| *sort);
    let mut standard = Standard::default();
    let mut questionnaires: BTreeMap<Name, QuestionnaireFile> = BTreeMap::new();
    for (sort, path, bytes, mut log, node) in read {
        let source = std::str::from_utf8(bytes).unwrap_or_default();
        let owned: Vec<LevelId> = standard.levels.iter().map(|level| level.id).collect();
        match sort {
            Sort::Standard => standard = standard::standard(&node, &mut log).unwrap_or_default(),
            Sort::Calendar => compiled.calendars.extend(calendar::calendar(stem(path), &node, &mut log)),
            Sort::Questionnaire => {
                let file = questionnaire::questionnaire(stem(path), &node, source, &owned, &mut log);
                questionnaires.extend(file.map(|file| (file.questionnaire.id.clone(), file)));
            }
            Sort::Workflow => {
                let ground = Ground { standard: &standard, questionnaires: &questionnaires };
                let found = workflow::workflow(folder(path), &node, source, ground, &mut log);
                compiled.workflows.extend(found.map(|workflow| (path.to_owned(), workflow)));
            }
            Sort::Case => {
                let found = case::case(&node, &compiled.workflows, &compiled.calendars, &mut log);
                compiled.cases.extend(found.map(|case| (path.to_owned(), case)));
            }
        }
        compiled.diagnostics.extend(log.finish());
    }
    compiled.diagnostics.sort();
    compiled
}

fn sort_of(path: &str, node: &Node) -> Sort {
    let mut parts = path.rsplit(['/', '\\']);
    let (file, folder) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    match (folder, file) {
        (_, "standard.yaml") => Sort::Standard,
        (_, "workflow.yaml") => Sort::Workflow,
        ("questionnaires", _) => Sort::Questionnaire,
        ("calendars", _) => Sort::Calendar,
        ("cases", _) => Sort::Case,
        _ => {
            let Kind::Map(pairs) = &node.kind else { return Sort::Workflow };
            let has = |key: &str| pairs.iter().any(|(known, _)| known.text == key);
            [("case", Sort::Case), ("questionnaire", Sort::Questionnaire), ("calendar", Sort::Calendar)]
                .into_iter()
                .find_map(|(key, sort)| has(key).then_some(sort))
                .unwrap_or(Sort::Workflow)
        }
    }
}

/// `phq-9` of `…/questionnaires/phq-9.yaml`.
fn stem(path: &str) -> Option<&str> {
    path.rsplit(['/', '\\']).next().and_then(|file| file.strip_suffix(".yaml"))
}

/// `nmibc-surveillance` of `…/workflows/nmibc-surveillance/workflow.yaml`.
fn folder(path: &str) -> Option<&str> {
    let mut parts = path.rsplit(['/', '\\']);
    let (file, folder, above) = (parts.next()?, parts.next()?, parts.next()?);
    (file == "workflow.yaml" && above == "workflows").then_some(folder)
}

/// The name that a file gives itself, which is also the name of the file or folder.
fn file_id(fields: &Fields<'_>, key: &str, expected: Option<&str>, log: &mut Log) -> Option<Name> {
    let node = fields.need(key, log)?;
    let id = name(node, "a name", log)?;
    if let Some(expected) = expected
        && id != *expected
    {
        let message = format!("this {key} calls itself \"{id}\", but its file or folder is \"{expected}\"");
        log.error(
            "E110",
            node.at,
            message,
            format!("write \"{key}: {expected}\", or rename the file or folder"),
        );
    }
    Some(id)
}

/// A file that could not be read from disk, as a diagnostic like any other.
#[must_use]
pub fn unreadable(path: &str, why: &str) -> Diagnostic {
    let mut log = Log::new(path);
    log.error(
        "E010",
        Place::START,
        format!("the file cannot be read: {why}"),
        "check the path and its permissions",
    );
    log.finish().remove(0)
}
