//! Rules: what follows from an answer, a silence, an outcome.

#![allow(missing_docs, reason = "the fields of a variant are described on the variant")]

use serde::{Deserialize, Serialize};

use super::{Expr, LevelId, Respond, Role, Source, Span, TaskKind, Text};
use crate::{Name, Value};

/// A rule. Alerts of one rule and patient fold into one while it is open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// Stable: part of the alert's key.
    pub id: Name,
    /// What makes it be looked at.
    pub on: Trigger,
    /// The first alternative that is true fires; the reasons of all that are true are given.
    pub alternatives: Vec<Alternative>,
    /// What then happens, in order.
    pub then: Vec<Action>,
    /// A red flag: looked at as soon as the item is answered, before submission.
    pub at_once: bool,
    /// What the patient is shown at once, with the site's numbers filled in. Fixed words, never model output.
    pub advice: Option<Text>,
    /// Alerts of rules with the same thread fold into one while it is open; without one a rule is a thread of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thread: Option<Name>,
    /// Sources cited.
    pub sources: Vec<Name>,
    /// Kept with the rule when it comes from a questionnaire.
    pub own_sources: Vec<Source>,
}

/// One way for a rule to be true, with its words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alternative {
    /// The condition; unknown is not true.
    pub when: Expr,
    /// The reason a nurse reads; `{name}` is replaced by the value of that expression name.
    pub because: Text,
}

/// What makes a rule be looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
    /// This questionnaire was submitted (or, at once, an item of it answered).
    Answer(Name),
    /// An ask of this step closed unanswered although it was handed over.
    Silent(Name),
    /// A task of this step got an outcome.
    Outcome(Name),
    /// An occurrence of this task step left its window undone.
    Undone(Name),
    /// The patient was enrolled, or a fact or anchor changed.
    Fact,
}

/// What a rule does. Nothing here can send model output to a patient.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Raises an alert: a task of kind alert with the level's owner, time and ladder.
    Alert(LevelId),
    /// The same with a time to respond of its own, after which the level's ladder begins.
    AlertWithin { level: LevelId, respond: Respond },
    /// Opens a task.
    Task { kind: TaskKind, role: Role, minutes: u32, within: Span, title: Text, level: LevelId },
    /// Starts a step whose schedule is `Started`.
    Start(Name),
    /// Sets a fact.
    Set(Name, Value),
    /// Pauses sending, with a review task for this role within this time.
    Pause { role: Role, review_within: Span },
    /// Ends the enrollment.
    Stop { because: Text },
}
