//! Every course that a workflow can take within stated bounds, walked with the real planner on an imagined patient.
//!
//! A course is what follows from choices: what the carrier does with a message, what the patient answers and when, what
//! staff do with a task, a stop, a death, a date that moves. At each choice one way is usual (the message arrives, the
//! answer is calm and prompt, the task is done); every other way is a *deviation*. All courses with a deviation anywhere
//! are walked, and those with a second one shortly after a first one on each day that rules or the schedule can tell
//! from the day before. Habits (silent from here on, the same bad answer from here on, staff ignore everything from here
//! on) count as one.
//!
//! Two courses that wait for the same instant in states that no later decision can tell apart are walked on as one.

mod answers;
mod case;
mod days;
mod linear;
mod look;
mod merge;
mod moves;
mod mutants;
mod possible;
mod regions;
mod story;
#[cfg(test)]
mod tests;
mod walk;
mod watch;
mod world;

use jiff::{Timestamp, civil::Date};
use serde::Serialize;

use crate::{Name, model::Workflow, planner::AdvanceError, site::SiteSettings};

/// How far it goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Bounds {
    /// Deviations in one course.
    pub deviations: u8,
    /// Choices after a deviation at which another one is tried.
    pub choices_after: u8,
    /// Most states; what lies beyond is said to be left out.
    pub states_max: usize,
    /// Days after enrolment that are looked at.
    pub days_max: i32,
    /// Days that a course is followed after a date or fact changed as it did on an earlier course that was followed to
    /// its end.
    pub days_after_change: i32,
    /// Whether states that cannot be told apart are walked on as one.
    pub merge: bool,
    /// Whether answers that no rule can tell apart are tried once; otherwise every form is.
    pub regions: bool,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            deviations: 2,
            choices_after: 2,
            states_max: 150_000,
            days_max: 12 * 366,
            days_after_change: 400,
            merge: true,
            regions: true,
        }
    }
}

/// What is wrong with a workflow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A step that no course comes to.
    NeverReached,
    /// A rule, or one of its alternatives, that is never true.
    NeverTrue,
    /// A condition that is always true.
    AlwaysTrue,
    /// The patient can be silent, and nobody owns it.
    SilentWithoutOwner,
    /// An alert or task that everybody can ignore: nobody else ever hears of it.
    LadderWithoutEnd,
    /// More is to be sent than the caps allow.
    OverTheCap,
    /// A message after stop or death.
    AfterStop,
    /// Two messages within the smallest gap.
    TooClose,
    /// The follow-up runs on and nothing more is planned.
    OutOfSteps,
    /// Nothing will happen, and nobody has a task.
    Lost,
    /// A rule that feeds itself.
    FeedsItself,
}

/// Something that is wrong, and a course on which it shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What.
    pub kind: Kind,
    /// The step or rule.
    pub about: String,
    /// One sentence.
    pub sentence: String,
    /// The course, line by line, with day and hour; empty when no course comes there.
    pub story: Vec<String>,
    /// The same as a case file that comes true once the workflow is mended.
    #[serde(skip)]
    pub case: Option<String>,
}

/// What was walked and found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The workflow.
    pub workflow: Name,
    /// Most serious first.
    pub findings: Vec<Finding>,
    /// Within these.
    pub bounds: Bounds,
    /// States that were told apart.
    pub states: usize,
    /// Courses that ended in a state that had been seen.
    pub merged: usize,
    /// Advances of the planner.
    pub advances: usize,
    /// Steps, and alternatives of rules, that are possible but that no course within the bounds came to.
    pub unseen: Vec<String>,
    /// Courses left out because there were too many states, and sets of facts at the start beyond those that are tried.
    pub left_out: usize,
    /// The last day that a course came to.
    pub until: Option<Date>,
}

/// Walks every course of a workflow within the bounds.
///
/// # Errors
/// [`AdvanceError`] when the site's zone is not known.
pub fn explore(workflow: &Workflow, site: &SiteSettings, bounds: Bounds) -> Result<Report, AdvanceError> {
    Ok(walk::Walk::begin(workflow, site, bounds)?.finish())
}

/// The Monday on which every imagined patient is enrolled.
const ENROLLED_ON: Date = Date::constant(2026, 3, 2);

fn later(at: Timestamp, minutes: i64) -> Timestamp {
    crate::calendar::plus_minutes(at, minutes)
}
