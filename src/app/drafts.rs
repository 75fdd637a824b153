//! Workflow files as they lie in the folder: what `tend check` says of them, for the page of those who write them.

use tend_engine::case::run;

use super::App;
use crate::library;

/// The state of the folder.
#[derive(Debug, Clone, Default)]
pub struct Drafts {
    /// Workflows that can be used.
    pub workflows: usize,
    /// Stories that were played.
    pub cases: usize,
    /// Every problem as the terminal shows it: place, code, message, the line with a caret, the mend.
    pub problems: Vec<String>,
}

impl App {
    /// Reads and checks the folder, and plays its stories. Takes some tenths of a second.
    #[must_use]
    pub fn drafts(&self) -> Drafts {
        let mut library = library::load(self.workflows.as_deref());
        let stories = run::all(&library.compiled);
        library.compiled.diagnostics.extend(stories);
        let compiled = &library.compiled;
        let said = |found: &tend_engine::diagnostic::Diagnostic| {
            found.for_terminal(library.source(&found.file)).trim_end().to_owned()
        };
        Drafts {
            workflows: compiled.workflows.len(),
            cases: compiled.cases.len(),
            problems: compiled.diagnostics.iter().map(said).collect(),
        }
    }
}
