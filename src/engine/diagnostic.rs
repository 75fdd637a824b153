//! What is wrong with a file: where, what, and what to write instead. The same words on the command line and on pages.

pub mod codes;

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

/// Most diagnostics kept for one file; the rest is counted in the last one.
pub const DIAGNOSTICS_PER_FILE_MAX: usize = 200;

/// A position in a file, in characters, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// Line.
    pub line: usize,
    /// Column.
    pub column: usize,
}

impl Place {
    /// The first character of a file.
    pub const START: Self = Self { line: 1, column: 1 };
}

/// Whether a file can be used in spite of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The file means nothing as it stands.
    Error,
    /// The file means something, but probably not what is wanted.
    Warning,
}

/// One problem of one file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Diagnostic {
    /// Path as given.
    pub file: String,
    /// From 1, in characters.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// Stable: see `docs/workflow-format.md`.
    pub code: &'static str,
    /// Error or warning.
    pub severity: Severity,
    /// What is wrong, in one sentence.
    pub message: String,
    /// What to write instead.
    pub help: String,
}

impl Diagnostic {
    /// Whether a workflow with this problem must not be used. An alert that nobody owns is a lost patient, so it blocks
    /// although the file can be read.
    #[must_use]
    pub fn blocks(&self) -> bool {
        self.severity == Severity::Error || self.code == "W107"
    }

    /// For the terminal: the place, the code, the message, the source line with a caret, the mend.
    #[must_use]
    pub fn for_terminal(&self, source: Option<&str>) -> String {
        let mut out =
            format!("{}:{}:{}  {}  {}\n", self.file, self.line, self.column, self.code, self.message);
        if let Some(line) = source.and_then(|text| text.lines().nth(self.line.saturating_sub(1))) {
            let (shown, caret) = excerpt(line, self.column);
            let _ = writeln!(out, "    | {shown}\n    | {caret}");
        }
        if !self.help.is_empty() {
            let _ = writeln!(out, "    help: {}", self.help);
        }
        out
    }
}

/// Characters of a source line that are shown.
const EXCERPT_MAX: usize = 120;

/// The part of the line around the column, and the caret under it. Wide characters take two cells.
fn excerpt(line: &str, column: usize) -> (String, String) {
    let skip = column.saturating_sub(EXCERPT_MAX - 20);
    let plain = |c: char| if c.is_control() { ' ' } else { c };
    let shown: String = line.chars().skip(skip).take(EXCERPT_MAX).map(plain).collect();
    let before = shown.chars().take(column.saturating_sub(1 + skip));
    let cells: usize = before.map(|c| if c as u32 >= 0x1100 { 2 } else { 1 }).sum();
    (shown, format!("{}^", " ".repeat(cells)))
}

/// The problems found in one file.
#[derive(Debug, Clone)]
pub struct Log {
    file: String,
    found: Vec<Diagnostic>,
    more: usize,
}

impl Log {
    /// Nothing found yet.
    #[must_use]
    pub fn new(file: &str) -> Self {
        Self { file: file.to_owned(), found: Vec::new(), more: 0 }
    }

    /// Something that makes the file unusable.
    pub fn error(
        &mut self,
        code: &'static str,
        at: Place,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.push(code, Severity::Error, at, message.into(), help.into());
    }

    /// Something that is probably not what is wanted.
    pub fn warn(
        &mut self,
        code: &'static str,
        at: Place,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.push(code, Severity::Warning, at, message.into(), help.into());
    }

    fn push(&mut self, code: &'static str, severity: Severity, at: Place, message: String, help: String) {
        if self.found.len() >= DIAGNOSTICS_PER_FILE_MAX {
            self.more += 1;
            return;
        }
        let file = self.file.clone();
        self.found.push(Diagnostic { file, line: at.line, column: at.column, code, severity, message, help });
    }

    /// Whether further problems are only counted, so that nobody looks for their mends.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.found.len() >= DIAGNOSTICS_PER_FILE_MAX
    }

    /// Whether the file must not be used.
    #[must_use]
    pub fn blocks(&self) -> bool {
        self.found.iter().any(Diagnostic::blocks)
    }

    /// How many were found so far.
    #[must_use]
    pub fn len(&self) -> usize {
        self.found.len() + self.more
    }

    /// Whether nothing was found.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All of them, by place.
    #[must_use]
    pub fn finish(mut self) -> Vec<Diagnostic> {
        self.found.sort();
        self.found.dedup();
        if self.more > 0 {
            let message = format!("{} more problems of this file are not shown", self.more);
            let (severity, help) =
                (Severity::Error, "mend the ones above first, then check again".to_owned());
            let file = self.file;
            self.found.push(Diagnostic { file, line: 1, column: 1, code: "E008", severity, message, help });
        }
        self.found
    }
}

/// The known word nearest to `word`, if it is near enough to be what was meant.
#[must_use]
pub fn nearest<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let allowed = 1 + word.chars().count() / 4;
    // "monday" is as near to "mon" as a slip of the finger.
    let begins = |candidate: &str| candidate.len() >= 3 && word.starts_with(candidate);
    let far = |candidate: &str| if begins(candidate) { 1 } else { distance(word, candidate) };
    let scored = known.into_iter().take(2000).map(|candidate| (far(candidate), candidate));
    scored.filter(|(far, _)| *far <= allowed).min().map(|(_, candidate)| candidate)
}

/// "did you mean …?" or the list of what there is.
#[must_use]
pub fn suggest<'k>(word: &str, known: impl IntoIterator<Item = &'k str> + Clone) -> String {
    if let Some(near) = nearest(word, known.clone()) {
        return format!("did you mean \"{near}\"?");
    }
    let all: Vec<&str> = known.into_iter().take(13).collect();
    match all.len() {
        0 => "there is nothing of that kind in this file".to_owned(),
        13 => format!("there is {}, …", all[..12].join(", ")),
        _ => format!("there is {}", all.join(", ")),
    }
}

/// Edit distance with transpositions, over at most 64 characters of each.
fn distance(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.chars().take(64).flat_map(char::to_lowercase).collect();
    let b: Vec<char> = b.chars().take(64).flat_map(char::to_lowercase).collect();
    let mut before: Vec<usize> = vec![0; b.len() + 1];
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let replace = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            row[j] = replace.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(before[j - 2] + 1);
            }
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}
