//! The pure core of Tend: the workflow language, a patient's history, and the decisions that follow from both.
//!
//! Nothing in here reads a clock, draws a random number or does I/O; `now` and every id are arguments.
//! One planner serves the running system, the timeline, case files, previews and replay:
//!
//! * [`parse`] turns files into the typed [`model`], with every problem at once;
//! * [`fact`] is what may be recorded about a patient, [`state`] the fold of it;
//! * [`decide`] says what one enrollment wants now and when to look again;
//! * [`arrange`] turns the wants of all of a patient's enrollments into messages, tasks and one wake-up;
//! * [`guard`] answers, right before a hand-over, whether a message may still go.

// What bad input could reach says what is wrong and goes on; a test may panic.
#![warn(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod arrange;
pub mod calendar;
pub mod case;
pub mod check;
#[cfg(test)]
mod clockwork;
pub mod compare;
pub mod cover;
pub mod decide;
pub mod decimal;
pub mod diagnostic;
mod differential;
pub mod explore;
pub mod expr;
pub mod fact;
pub mod fold;
mod frozen;
pub mod guard;
pub mod ids;
pub mod instrument;
pub mod keys;
#[cfg(test)]
mod laws;
mod memo;
pub mod migration;
pub mod model;
pub mod name;
pub mod next;
pub mod parse;
pub mod planner;
pub mod preview;
pub mod rehearsal;
pub mod replay;
pub mod reply;
#[cfg(test)]
mod sample;
pub mod schedule;
pub mod simulate;
pub mod site;
pub mod state;
#[cfg(test)]
mod stories;
#[cfg(test)]
mod tables;
pub mod text;
pub mod timeline;
mod turn;
pub mod upcast;
pub mod value;
#[cfg(test)]
mod vectors;
pub mod weekday;
pub mod why;
mod words;

pub use decimal::Decimal;
pub use ids::{EnrollmentId, MessageId, PatientId, SiteId, StaffId, TaskId, VersionHash};
pub use name::Name;
pub use value::Value;
