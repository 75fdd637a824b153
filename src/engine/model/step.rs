//! What a step does.

use serde::{Deserialize, Serialize};

use super::{Expr, LevelId, Role, Schedule, Span, Text, schedule::Timing};
use crate::Name;

/// One thing that a follow-up plans.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Stable for ever: it is part of every key.
    pub id: Name,
    /// Shown on timelines; never sent.
    pub title: Text,
    /// When.
    pub schedule: Schedule,
    /// Time of day, working day, condition.
    pub timing: Timing,
    /// What.
    pub does: Does,
    /// Sources cited.
    pub sources: Vec<Name>,
}

/// What a step does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Does {
    /// Sends a link to a questionnaire.
    Ask { questionnaire: Name, remind: Vec<Remind> },
    /// Sends words. They hold no diagnosis, instrument or result.
    Tell { words: Text },
    /// Gives staff a task; `overdue` is its ladder when nobody did it by the end of its window.
    Task { kind: TaskKind, role: Role, minutes: u32, overdue: Vec<Overdue> },
    /// Has the named model score the patient.
    Score { model: Name },
}

/// A reminder of an ask that has not been answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remind {
    /// After the ask was due.
    pub after: Span,
    /// On the patient's other channel when there is one, for example e-mail after SMS.
    pub other_channel: bool,
}

/// A rung of the ladder of an undone task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overdue {
    /// After the window closed.
    pub after: Span,
    /// The task's owner from then on.
    pub role: Role,
    /// The level shown from then on.
    pub level: LevelId,
    /// Only if this holds then.
    pub only_if: Option<Expr>,
    /// Why, for staff.
    pub because: Text,
}

/// The kind of a staff task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskKind {
    /// Someone looks at what a rule found.
    Alert,
    /// A telephone call.
    Call,
    /// A visit in clinic.
    Visit,
    /// An examination.
    Examination,
    /// A look at the record without the patient.
    Review,
    /// Paper, bookings, numbers.
    Admin,
}

/// How a message travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// A text message through the site's gateway.
    Sms,
    /// Electronic mail.
    Email,
}
