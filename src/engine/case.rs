//! Case files: stories that must come true. A line is a moment, what somebody does then, and what must follow.
//!
//! ```yaml
//! case: S1 weight up more than 2 kg in 3 days
//! workflow: hf-discharge-90d
//! zone: Europe/London                       # of the patient and the site; default Europe/London
//! calendar: england                         # holidays of the site; by default there are none
//! enrol:
//!   on: 2026-03-02 10:00                    # local time
//!   facts: {dry_weight: 78.0}
//!   anchors: {discharge: 2026-03-02}
//!   language: en                            # default: the first of the workflow
//!   channels: [sms, email]                  # usable and consented, the first one preferred; default [sms, email]
//!   daily_consent: true                     # default false
//! story:
//!   - {at: day 1 09:30, answer: daily-check, calm: true, with: {weight: 78.2}}
//!   - {at: day 4 09:30, answer: daily-check, calm: true, with: {weight: 80.5},
//!      expect: [alert amber because "weight up more than 2 kg in 3 days"]}
//!   - {at: day 5 08:00, expect_not: [alert]}
//! ```
//!
//! `at` is `day N HH:MM` (N civil days after the main anchor's date as it stands then) or `YYYY-MM-DD HH:MM`, local. Lines are in order of time.
//! The runner advances the patient through every wake-up up to that moment, does what the line says, advances once more,
//! and then looks at everything decided *since the line before* (for the first line: since enrolment). Every message
//! whose time has come is taken as handed over and delivered at once, unless a line says otherwise.
//!
//! What a line may do (at most one):
//!
//! | key | meaning |
//! |---|---|
//! | `answer: STEP` | the patient submits the open (or latest closed) occurrence of the step; `with: {item: value}` are the answers, `calm: true` gives every other visible item its calmest answer: first option (lowest points), no, the least number; `declined: [items]`; `doubtful: [items]` were confirmed although implausible; `by: patient, carer or nurse` |
//! | `draft: STEP` | the same answers are typed but nothing is submitted: only red flags are looked at |
//! | `reply: "text"` | an inbound text message |
//! | `outcome: {task: STEP or RULE, code: done}` | staff records what came of the latest open task of that step or rule |
//! | `take: STEP or RULE` | a nurse takes the task |
//! | `set: {fact: value}` | a fact gets another value |
//! | `event: {anchor: date}` | a new anchor event |
//! | `correct: {anchor: date}` | a mistyped anchor is corrected |
//! | `died: date` | death is recorded |
//! | `stop: withdrawn` | the enrollment ends: withdrawn, transferred, hospice, clinician |
//! | `pause: date` / `resume: true` | sending pauses until that day / goes on |
//! | `refuse: sms` or `refuse: email` | from here on the carrier refuses that channel for good |
//! | `outage: true` / `outage: false` | from here on nothing can be handed over / everything can again |
//!
//! What may be expected (`expect`) or excluded (`expect_not`), each a phrase:
//!
//! | phrase | comes true when |
//! |---|---|
//! | `alert [LEVEL] [because "words"] [by YYYY-MM-DD HH:MM]` | an alert of that level is raised or raised to it; its reasons contain the words; its deadline |
//! | `task [KIND] [for ROLE] [because "words"]` | a task of another kind than alert is opened or handed to that role; title or reasons contain the words |
//! | `message [PURPOSE] [STEP] [on CHANNEL]` | a message whose send time has come was handed over; PURPOSE is ask, remind, tell, stopped, started, help or not_monitored |
//! | `withdrawn STEP` | a task or occurrence of that step was withdrawn |
//! | `dropped [STEP]` | a planned message (of that step) was dropped |
//! | `silent STEP` / `undone STEP` | an occurrence of the step closed so |
//! | `late STEP` | an answer to the step was taken after its window |
//! | `flag RULE` | a red flag rule fired on a draft |
//! | `doubt ITEM` | the value typed for that item must be confirmed before it counts |
//! | `open N alerts` | so many alerts are open at that moment |
//! | `ended` | the enrollment is over |
//! | `nothing` | no message, no task, no alert |
//!
//! `plan: {STEP: [dates]}` on a line: the next due days of the step after that moment, from the timeline, begin with these.

pub mod accept;
mod act;
mod expect;
pub mod run;
#[cfg(test)]
pub(crate) mod tests;

use std::collections::BTreeMap;

use jiff::civil::{Date, DateTime, Time};

use crate::{
    Name, Value,
    fact::{Mode, OutcomeCode, StopReason},
    model::{Channel, LevelId, Role, TaskKind},
    site::Calendar,
};

/// A story and what must come of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// Read in reports.
    pub title: String,
    /// The workflow it is about.
    pub workflow: Name,
    /// IANA zone of the patient and the site.
    pub zone: String,
    /// Working days of the site.
    pub calendar: Calendar,
    /// The patient at the start.
    pub enrol: Enrol,
    /// In order of time.
    pub story: Vec<Line>,
}

/// The patient at the start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enrol {
    /// Local time.
    pub on: DateTime,
    /// Facts given.
    pub facts: BTreeMap<Name, Value>,
    /// Anchors given.
    pub anchors: BTreeMap<Name, Date>,
    /// Language of messages; empty means the workflow's first.
    pub language: String,
    /// Usable and consented; the first is preferred.
    pub channels: Vec<Channel>,
    /// Up to three text messages a day.
    pub daily_consent: bool,
}

/// One line of a story.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Line in the file, from 1, for reports.
    pub line: usize,
    /// Column in the file, from 1.
    pub column: usize,
    /// When.
    pub at: Moment,
    /// What somebody does.
    pub act: Option<Act>,
    /// What must have been decided since the line before.
    pub expect: Vec<Phrase>,
    /// What must not.
    pub expect_not: Vec<Phrase>,
    /// Next due days by step.
    pub plan: BTreeMap<Name, Vec<Date>>,
}

/// When a line happens, in the patient's zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// Civil days after the main anchor's date.
    Day(i32, Time),
    /// A date and time.
    On(DateTime),
}

/// Typed answers to a questionnaire.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Answers {
    /// Values by item.
    pub with: BTreeMap<Name, Value>,
    /// Every other visible item gets its calmest answer.
    pub calm: bool,
    /// Items declined.
    pub declined: Vec<Name>,
    /// Items confirmed although implausible.
    pub doubtful: Vec<Name>,
}

/// What somebody does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// The patient (or a carer, or a nurse on the phone) submits a questionnaire.
    Answer {
        /// Of this step.
        step: Name,
        /// Who types.
        mode: Mode,
        /// What.
        answers: Answers,
    },
    /// Typed and not submitted.
    Draft {
        /// Of this step.
        step: Name,
        /// What.
        answers: Answers,
    },
    /// An inbound text message.
    Reply(String),
    /// Staff records an outcome.
    Outcome {
        /// Step or rule of the task.
        task: Name,
        /// What came of it.
        code: OutcomeCode,
    },
    /// A nurse takes a task.
    Take(Name),
    /// A fact gets another value.
    Set(Name, Value),
    /// A new anchor event.
    Event(Name, Date),
    /// An anchor is corrected.
    Correct(Name, Date),
    /// Death.
    Died(Date),
    /// The enrollment ends.
    Stop(StopReason),
    /// Sending pauses until that day.
    Pause(Date),
    /// Sending goes on.
    Resume,
    /// The carrier refuses the channel for good from here on.
    Refuse(Channel),
    /// Whether hand-over fails from here on.
    Outage(bool),
}

/// What a message is for, as a case names it; a reminder of any number is `Remind`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageFor {
    /// A link to a questionnaire.
    Ask,
    /// A reminder.
    Remind,
    /// Words of a step.
    Tell,
    /// Confirmation of STOP.
    Stopped,
    /// Confirmation of START.
    Started,
    /// Answer to HELP.
    Help,
    /// "Nobody watches this number".
    NotMonitored,
}

/// Something that must or must not have happened. What is `None` may be anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Phrase {
    /// An alert.
    Alert {
        /// Level.
        level: Option<LevelId>,
        /// Part of a reason, in the story's language or English.
        because: Option<String>,
        /// Deadline, local.
        by: Option<DateTime>,
    },
    /// A task that is no alert.
    Task {
        /// Kind.
        kind: Option<TaskKind>,
        /// Owner.
        role: Option<Role>,
        /// Part of its title or a reason.
        because: Option<String>,
    },
    /// A message that went out.
    Message {
        /// What for.
        purpose: Option<MessageFor>,
        /// A member's step.
        step: Option<Name>,
        /// How.
        channel: Option<Channel>,
    },
    /// A task or occurrence of that step was withdrawn.
    Withdrawn(Name),
    /// A planned message (of that step) was dropped.
    Dropped(Option<Name>),
    /// An ask closed as the patient's silence.
    Silent(Name),
    /// A task left its window undone.
    Undone(Name),
    /// An answer came after its window.
    Late(Name),
    /// A red flag fired on a draft.
    Flag(Name),
    /// That item must be confirmed before it counts.
    Doubt(Name),
    /// So many alerts are open.
    Open(usize),
    /// The enrollment is over.
    Ended,
    /// No message, task or alert.
    Nothing,
}
