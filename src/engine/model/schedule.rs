//! When a step happens: offsets from an anchor, repeats, windows.

#![allow(missing_docs, reason = "the fields of a variant are described on the variant")]

use jiff::civil::{Time, Weekday};
use serde::{Deserialize, Serialize};

use super::Expr;
use crate::Name;

/// A signed length of time. Hours and minutes are elapsed time; days and longer are civil.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Span {
    /// Elapsed minutes.
    Minutes(i32),
    /// Elapsed hours.
    Hours(i32),
    /// Civil days.
    Days(i32),
    /// Seven civil days each.
    Weeks(i32),
    /// Calendar months, counted from the anchor and clamped at month end.
    Months(i32),
    /// Twelve calendar months each.
    Years(i32),
}

/// How the occurrences of a step are found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Schedule {
    /// The same for everybody, counted from an anchor.
    Plan { anchor: Name, segments: Vec<Segment> },
    /// Decided by choice facts, counted from an anchor: the first of `facts` whose value has a case decides, so that
    /// a local variant can stand before the risk group. No two of the facts share an option. No case plans nothing.
    ByFact { anchor: Name, facts: Vec<Name>, cases: Vec<(Vec<Name>, Vec<Segment>)> },
    /// One occurrence at this distance from the due day of each occurrence of another step, with the same ordinal.
    Around { step: Name, offset: Span, window: Window },
    /// One occurrence this long after the outcome of a task step is recorded as one of these codes, same ordinal.
    AfterOutcome { step: Name, outcomes: Vec<Name>, offset: Span, window: Window },
    /// Only when a rule starts it, then or this long after; ordinals count the starts.
    Started {
        window: Window,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        offset: Option<Span>,
    },
    /// The first at this distance from an anchor; each next one at a distance from the due day of the one before, which
    /// the first of `then` that holds decides when that one has closed. The last of them always holds.
    Chain { anchor: Name, first: Span, then: Vec<Next>, window: Window },
}

/// How far away the next occurrence of a chain is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Next {
    /// Only if this holds; the last one has no condition.
    pub when: Option<Expr>,
    /// Counted from the due day of the one before.
    pub after: Span,
}

/// One stretch of a schedule. Segments follow each other in time; ordinals count on through them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Segment {
    /// Which days.
    pub rhythm: Rhythm,
    /// How early and late it may be done.
    pub window: Window,
}

/// The days of a segment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rhythm {
    /// At these offsets from the anchor, ascending.
    At(Vec<Span>),
    /// From `from` on, every `every`, up to and including `to`; without end when `to` is absent.
    /// The k-th is `from + k * every` counted from the anchor, never from the one before.
    Every { every: Span, from: Span, to: Option<Span> },
    /// On these weekdays from `from` up to and including `to`.
    Weekdays {
        #[serde(with = "crate::weekday")]
        days: Vec<Weekday>,
        from: Span,
        to: Option<Span>,
    },
}

/// Half-open: `before: 1, after: 1` around day 3 is [day 2 00:00, day 5 00:00) in the patient's zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// Whole days before the due day.
    pub before_days: u32,
    /// Whole days after the due day.
    pub after_days: u32,
    /// The link is dead this many days after the window closed.
    pub expires_days: u32,
}

/// Days after closing at which a link dies unless the file says otherwise.
pub const EXPIRES_DAYS_DEFAULT: u32 = 14;

/// What a step adds to its due day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timing {
    /// The local time of the due instant.
    pub time: Time,
    /// Ask for a working day: the next or the previous one within the window.
    pub working_day: Option<WorkingDay>,
    /// Only if this holds when the occurrence comes due.
    pub only_if: Option<Expr>,
    /// Once this holds when an occurrence comes due, neither it nor any later one takes place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Expr>,
    /// No occurrence is due before this distance from an anchor, once that anchor has a date: it moves to that day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<(Name, Span)>,
}

/// Which way a due day moves off a holiday or weekend.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WorkingDay {
    /// Forward.
    Next,
    /// Backward.
    Previous,
}
