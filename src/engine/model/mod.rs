//! The typed model of a workflow: what a file means once it has been read.
//!
//! It holds no position and no comment, so two files that mean the same have the same version.

#![allow(missing_docs, reason = "the fields of a variant are described on the variant")]

pub mod change;
pub mod condition;
pub mod level;
pub mod questionnaire;
pub mod rule;
pub mod schedule;
pub mod step;

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

pub use change::Changes;
pub use condition::{Compare, Condition, Expr, LookBack};
pub use level::{Counting, Level, LevelId, Respond, Role, Rung};
pub use questionnaire::{Band, Doubt, Item, ItemKind, Option_, Questionnaire, ScoreDef};
pub use rule::{Action, Alternative, Rule, Trigger};
pub use schedule::{Next, Rhythm, Schedule, Segment, Span, Window};
pub use step::{Channel, Does, Overdue, Remind, Step, TaskKind};

use crate::{Decimal, Name, VersionHash};

/// A language of the product: a BCP 47 primary tag such as `en` or `zh`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Lang(pub Name);

impl fmt::Display for Lang {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Words in every language that the workflow declares; a missing one is an error of the file, never a fallback.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Text(pub BTreeMap<String, String>);

impl Text {
    /// The words in `lang`. `check` guarantees them for every declared language.
    #[must_use]
    pub fn get(&self, lang: &str) -> Option<&str> {
        self.0.get(lang).map(String::as_str)
    }
}

/// A whole workflow: the schedule, its rules and words, and every questionnaire that it leads to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Workflow {
    /// The folder's name.
    pub id: Name,
    /// Shown to staff.
    pub title: Text,
    /// For example "example, not approved", until a named clinician signs.
    pub status: String,
    /// Every text has exactly these.
    pub languages: Vec<Lang>,
    /// Where the words of each language come from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub translations: Vec<(Lang, Translation)>,
    /// Where the schedule comes from.
    pub sources: Vec<Source>,
    /// Facts known at enrolment or set later.
    pub facts: Vec<FactDef>,
    /// Named dates; the first is the main anchor.
    pub anchors: Vec<AnchorDef>,
    /// Named conditions, usable in later conditions by name. In file order; each may use earlier ones.
    pub define: Vec<(Name, Expr)>,
    /// Steps in file order.
    pub steps: Vec<Step>,
    /// Rules in file order: the workflow's own, then those of its questionnaires.
    pub rules: Vec<Rule>,
    /// When the follow-up is over.
    pub ending: Ending,
    /// Levels of alerts with owner and escalation ladder.
    pub levels: Vec<Level>,
    /// Default words of messages: keys `ask`, `remind`, `stopped`, `help`, `not_monitored`, `outside_hours`, `email_subject` …
    pub words: BTreeMap<String, Text>,
    /// Questionnaires by id.
    pub questionnaires: BTreeMap<Name, Questionnaire>,
    /// What became of steps of earlier versions.
    #[serde(default, skip_serializing_if = "Changes::is_empty")]
    pub changes: Changes,
}

impl Workflow {
    /// The hash that names this version: SHA-256 over the canonical JSON of the model.
    #[must_use]
    pub fn version(&self) -> VersionHash {
        // Serialising maps with string keys and plain enums cannot fail.
        let canonical = serde_json::to_vec(self).unwrap_or_default();
        VersionHash(Sha256::digest(&canonical).iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// The step of that name.
    #[must_use]
    pub fn step(&self, name: &Name) -> Option<&Step> {
        self.steps.iter().find(|step| step.id == *name)
    }

    /// The level of that id.
    #[must_use]
    pub fn level(&self, id: LevelId) -> Option<&Level> {
        self.levels.iter().find(|level| level.id == id)
    }

    /// The main anchor; `check` guarantees one.
    #[must_use]
    pub fn main_anchor(&self) -> Option<&AnchorDef> {
        self.anchors.first()
    }
}

/// How far the words of a language can be relied on. Shown beside them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Translation {
    /// Written in this language.
    Original,
    /// A translation that its owner publishes.
    Official,
    /// A translation that somebody who knows the subject and the language has read.
    Reviewed,
    /// Widely used, and to be compared by the site with the official form before use.
    ConfirmAtSite,
    /// Made by a machine or by nobody in particular: to be reviewed before use.
    NeedsReview,
}

impl Translation {
    /// Whether somebody has to look at the words before they are used.
    #[must_use]
    pub fn is_open(self) -> bool {
        match self {
            Self::ConfirmAtSite | Self::NeedsReview => true,
            Self::Original | Self::Official | Self::Reviewed => false,
        }
    }
}

/// A source that a schedule, rule or instrument rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// Cited by rules and steps.
    pub id: Name,
    /// Title, year, identifier.
    pub title: String,
    /// How far it was verified: `read`, `from knowledge, check before use` or `local choice`.
    pub strength: Strength,
}

/// How far a statement can be relied on. Shown beside it, never hidden.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Strength {
    /// Read in the named source.
    Read,
    /// From the named guideline by domain knowledge; check before use.
    Knowledge,
    /// The project's proposal where guidelines give no number; every site may change it.
    Local,
}

/// A fact of an enrollment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FactDef {
    /// Used in conditions.
    pub id: Name,
    /// Shown on the enrol form.
    pub label: Text,
    /// Type and range.
    pub kind: FactKind,
    /// Enrolment is refused without it.
    pub required: bool,
    /// Taken when nobody gave another value.
    pub default: Option<crate::Value>,
}

/// The type of a fact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FactKind {
    /// Yes or no.
    Boolean,
    /// One of these options, each with its words.
    Choice(Vec<(Name, Text)>),
    /// A whole number in a closed range.
    Whole { min: i64, max: i64 },
    /// A measured quantity in a closed range.
    Quantity { unit: String, min: Decimal, max: Decimal },
    /// A civil date.
    Date,
}

/// A named date that steps count from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnchorDef {
    /// Used by steps.
    pub id: Name,
    /// Shown on pages.
    pub label: Text,
    /// A new event of this anchor becomes the date of that other anchor and plans its steps afresh
    /// (a recurrence restarts the clock of the first operation).
    pub restarts: Option<Name>,
}

/// When a follow-up ends by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ending {
    /// This long after the main anchor, at the start of that day; `None` means for life.
    pub after: Option<Span>,
    /// Or as soon as this holds, looked at after every fact.
    pub when: Option<Expr>,
}
