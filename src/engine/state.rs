//! The fold of a patient's history: what decisions look at. Bounded: its size does not grow with the years.

#![allow(missing_docs, reason = "the fields of a variant are described on the variant")]

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

use crate::{
    Decimal, EnrollmentId, Name, SiteId, Value, VersionHash,
    fact::{
        Closing, DropReason, Entry, Fact, MessageKey, Occurrence, OutcomeCode, Purpose, RiskMove, StopReason,
        TaskKey, VersionChoice,
    },
    migration::Migration,
    model::{Channel, LevelId, Role, TaskKind},
};

pub use crate::memo::{Memo, PatientMemo};

/// Bumped when the fold changes; a stored state of another version is folded afresh from the history.
pub const STATE_VERSION: u16 = 6;
/// Bumped when the engine decides anything otherwise than before. It is stored with every decision: `tend replay` holds a
/// history against it, and so do the frozen histories.
pub const ENGINE_VERSION: u16 = 1;

/// What says nothing is not written down: most of a state is what has not happened.
fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// All that decisions need to know of a patient.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PatientState {
    /// The last sequence number folded in.
    pub seq: u64,
    /// The last recorded time; "now" never goes behind it.
    pub recorded_at: Option<Timestamp>,
    /// Language of messages and pages.
    pub language: String,
    /// IANA zone.
    pub zone: String,
    /// The channel the patient prefers.
    #[serde(default, skip_serializing_if = "is_default")]
    pub preferred: Option<Channel>,
    /// Channels known so far.
    pub channels: BTreeMap<Channel, ChannelState>,
    /// Up to three SMS a day were agreed to.
    #[serde(default, skip_serializing_if = "is_default")]
    pub daily_consent: bool,
    /// The day of death.
    #[serde(default, skip_serializing_if = "is_default")]
    pub died: Option<Date>,
    /// Messages that carriers refused or bounced for good and that nobody was told of yet.
    #[serde(default, skip_serializing_if = "is_default")]
    pub failures: Vec<(MessageKey, Channel)>,
    /// What the latest entries replaced, so that they can be voided or corrected. At most [`UNDO_MAX`].
    #[serde(default, skip_serializing_if = "is_default")]
    pub undo: VecDeque<Undoable>,
    /// When the patient was last told that nobody watches the number.
    #[serde(default, skip_serializing_if = "is_default")]
    pub not_monitored_at: Option<Timestamp>,
    /// Enrollments, also past ones.
    pub enrollments: BTreeMap<EnrollmentId, EnrollmentState>,
    /// Open tasks.
    #[serde(default, skip_serializing_if = "is_default")]
    pub tasks: BTreeMap<TaskKey, TaskState>,
    /// Messages that are planned, in flight, or recent enough to count for caps and silence.
    pub messages: BTreeMap<MessageKey, MessageState>,
    /// Replies not yet answered by a decision: sequence number and what they mean.
    #[serde(default, skip_serializing_if = "is_default")]
    pub unanswered_replies: Vec<(u64, Channel, crate::fact::Reply)>,
    /// Worked out, no part of the state.
    #[serde(skip)]
    pub memo: PatientMemo,
}

/// A channel of a patient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ChannelState {
    /// There is an address that has not failed for good.
    #[serde(default, skip_serializing_if = "is_default")]
    pub usable: bool,
    /// Consent is recorded and not withdrawn.
    #[serde(default, skip_serializing_if = "is_default")]
    pub consented: bool,
    /// STOP.
    #[serde(default, skip_serializing_if = "is_default")]
    pub stopped: bool,
    /// The one confirmation of the STOP was planned.
    #[serde(default, skip_serializing_if = "is_default")]
    pub stop_confirmed: bool,
}

impl ChannelState {
    /// Whether anything may go out on it.
    #[must_use]
    pub fn open(self) -> bool {
        self.usable && self.consented && !self.stopped
    }
}

/// Where an enrollment stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Running.
    Active,
    /// Sends nothing until that day, or until resumed; since the entry with that sequence number.
    Paused { until: Option<Date>, seq: u64 },
    /// Over: stopped for that reason, or at its end.
    Over { because: Option<StopReason> },
}

/// One enrollment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnrollmentState {
    /// Where.
    pub site: SiteId,
    /// Which workflow.
    pub workflow: Name,
    /// Pinned.
    pub version: VersionHash,
    /// When enrolled.
    pub enrolled_at: Timestamp,
    /// Running, paused, over.
    pub standing: Standing,
    /// Facts by name.
    pub facts: BTreeMap<Name, Value>,
    /// Anchors by name.
    pub anchors: BTreeMap<Name, AnchorState>,
    /// Steps that have begun to be planned.
    pub steps: BTreeMap<Name, StepState>,
    /// Numbers answered within the longest look-back, by item or total name, oldest first.
    #[serde(default, skip_serializing_if = "is_default")]
    pub series: BTreeMap<Name, Vec<(Date, Decimal)>>,
    /// Entries that rules have not been looked at for.
    #[serde(default, skip_serializing_if = "is_default")]
    pub unjudged: Vec<Unjudged>,
    /// Notices about the enrollment as a whole that were opened already, each once.
    #[serde(default, skip_serializing_if = "is_default")]
    pub noted: BTreeSet<TaskKey>,
    /// The latest score of a model that is on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub risk: Option<RiskState>,
    /// Where a clinician put the patient on the risk queue, unless the score decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub risk_moved: Option<RiskMove>,
    /// What was chosen for another version, until the follow-up is moved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chosen: Option<(VersionHash, VersionChoice)>,
    /// The version before the last move and what the move did, until it is undone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moved_from: Option<(VersionHash, Migration)>,
    /// Names that steps had in earlier versions.
    #[serde(default, skip_serializing_if = "is_default")]
    pub former: BTreeMap<Name, Former>,
    /// Worked out, no part of the state.
    #[serde(skip)]
    pub memo: Memo,
}

/// What a step is called now that had that name once.
pub(crate) fn name_now<'a>(former: &'a BTreeMap<Name, Former>, step: &'a Name) -> &'a Name {
    let mut name = step;
    for _ in 0..former.len() {
        let Some(Former::Renamed(next)) = former.get(name) else { break };
        name = next;
    }
    name
}

/// What became of a step of an earlier version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Former {
    /// It is called so now.
    Renamed(Name),
    /// It was removed; that version is the last that has it. Its links still take answers.
    Removed(VersionHash),
}

impl EnrollmentState {
    /// What a step is called now, whatever an older message calls it.
    #[must_use]
    pub fn name_now<'a>(&'a self, step: &'a Name) -> &'a Name {
        name_now(&self.former, step)
    }

    /// The version that knows a step: the one it is on, or for a step that was removed the last that had it.
    #[must_use]
    pub fn version_of(&self, step: &Name) -> &VersionHash {
        match self.former.get(self.name_now(step)) {
            Some(Former::Removed(version)) => version,
            Some(Former::Renamed(_)) | None => &self.version,
        }
    }

    /// Whether something waits for an answer or for a task to be done.
    #[must_use]
    pub fn has_open_windows(&self) -> bool {
        self.steps.values().any(StepState::is_owed)
    }
}

/// What a model said last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RiskState {
    /// Its version.
    pub model_version: String,
    /// Parts per million; `None` when it abstained, or when the score was taken back.
    pub ppm: Option<u32>,
}

/// An anchor's date and since when it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnchorState {
    /// The date.
    pub date: Date,
    /// When it became known.
    pub known_since: Timestamp,
}

/// A step of an enrollment.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct StepState {
    /// The current generation, from 1; 0 before anything happened.
    #[serde(default, skip_serializing_if = "is_default")]
    pub generation: u32,
    /// Since when this generation plans; `None` means since enrolment.
    #[serde(default, skip_serializing_if = "is_default")]
    pub from: Option<Timestamp>,
    /// Whether this generation plans only what is due after `from`, not what may still be done then.
    #[serde(default, skip_serializing_if = "is_default")]
    pub only_later: bool,
    /// Ordinals up to this one were done by an older generation.
    #[serde(default, skip_serializing_if = "is_default")]
    pub after: u32,
    /// The last ordinal that was opened or passed over.
    #[serde(default, skip_serializing_if = "is_default")]
    pub ordinal: u32,
    /// Open occurrences, and closed ones until their link is dead.
    #[serde(default, skip_serializing_if = "is_default")]
    pub open: Vec<OpenOccurrence>,
    /// Silent asks in a row; saturates at 100.
    #[serde(default, skip_serializing_if = "is_default")]
    pub silent_in_a_row: u8,
    /// Due days of silent asks within the longest look-back.
    #[serde(default, skip_serializing_if = "is_default")]
    pub silent_days: Vec<Date>,
    /// Answers, or outcomes that took place, so far; saturates at 1000.
    #[serde(default, skip_serializing_if = "is_default")]
    pub answers: u16,
    /// The latest outcome.
    #[serde(default, skip_serializing_if = "is_default")]
    pub outcome: Option<OutcomeCode>,
    /// Starts by rules or outcomes that are not opened yet.
    #[serde(default, skip_serializing_if = "is_default")]
    pub starts: Vec<Start>,
    /// The latest occurrences that went out or were done. At most [`DONE_MAX`].
    #[serde(default, skip_serializing_if = "is_default")]
    pub done: Vec<Done>,
}

impl StepState {
    /// Whether it waits for an answer or for a task to be done, also one that is overdue.
    #[must_use]
    pub fn is_owed(&self) -> bool {
        self.open.iter().any(|open| open.closed.is_none() || open.task.is_some())
    }
}

/// Occurrences remembered as done per step.
pub const DONE_MAX: usize = 8;
/// Entries that can still be voided or corrected.
pub const UNDO_MAX: usize = 64;
/// Answers among them.
pub const UNDO_ANSWERS_MAX: usize = 24;
/// Where silent asks in a row saturate.
pub const SILENT_MAX: u8 = 100;
/// Where answers saturate.
pub const ANSWERS_MAX: u16 = 1000;

/// A start of a step that waits for one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Start {
    /// Generation.
    pub generation: u32,
    /// Ordinal.
    pub ordinal: u32,
    /// The instant it counts from.
    pub at: Timestamp,
}

/// An occurrence that went out or was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {
    /// Generation.
    pub generation: u32,
    /// Ordinal.
    pub ordinal: u32,
    /// When.
    pub at: Timestamp,
}

/// What an entry replaced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Undoable {
    /// The entry.
    pub seq: u64,
    /// Whose.
    pub enrollment: Option<EnrollmentId>,
    /// What it replaced.
    pub was: Was,
}

/// The value before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Was {
    /// An answer: the occurrence as it stood.
    Unanswered {
        about: Occurrence,
        #[serde(default, skip_serializing_if = "is_default")]
        closed: Option<Closing>,
        #[serde(default, skip_serializing_if = "is_default")]
        silent_in_a_row: u8,
        #[serde(default, skip_serializing_if = "is_default")]
        numbers: Vec<(Name, Date, Decimal)>,
    },
    /// A fact's value.
    Fact { name: Name, value: Option<crate::Value> },
    /// An anchor.
    Anchor { name: Name, anchor: Option<AnchorState> },
    /// Alive.
    Alive,
}

/// An occurrence whose window is open, or that is still of interest after it (late answers, undone tasks).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenOccurrence {
    /// Generation.
    pub generation: u32,
    /// Ordinal.
    pub ordinal: u32,
    /// The civil day it is due on.
    pub day: Date,
    /// Due.
    pub due: Timestamp,
    /// From here on missed.
    pub closes: Timestamp,
    /// From here on the link is dead.
    pub expires: Timestamp,
    /// When it was first handed over, if it was.
    #[serde(default, skip_serializing_if = "is_default")]
    pub asked_at: Option<Timestamp>,
    /// When a reminder was last planned.
    #[serde(default, skip_serializing_if = "is_default")]
    pub reminded_at: Option<Timestamp>,
    /// Red-flag rules that were raised before submission.
    #[serde(default, skip_serializing_if = "is_default")]
    pub flagged: Vec<Name>,
    /// Rungs of the overdue ladder taken.
    #[serde(default, skip_serializing_if = "is_default")]
    pub rung: u32,
    /// Set once closed; it stays here until the link expires so that a late answer finds it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub closed: Option<Closing>,
    /// The task of a task step.
    #[serde(default, skip_serializing_if = "is_default")]
    pub task: Option<TaskKey>,
}

/// An open task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskState {
    /// Whose enrollment; `None` for the patient as a whole.
    pub enrollment: Option<EnrollmentId>,
    /// Kind.
    pub kind: TaskKind,
    /// Level.
    pub level: LevelId,
    /// Owner.
    pub role: Role,
    /// Rules that it came from; none for a step's own task.
    #[serde(default, skip_serializing_if = "is_default")]
    pub rules: Vec<Name>,
    /// The occurrence it came from.
    #[serde(default, skip_serializing_if = "is_default")]
    pub about: Option<Occurrence>,
    /// The entry it follows from.
    #[serde(default, skip_serializing_if = "is_default")]
    pub cause: Option<u64>,
    /// When it came up.
    pub opened_at: Timestamp,
    /// Rungs climbed.
    #[serde(default, skip_serializing_if = "is_default")]
    pub rung: u32,
    /// Taken by somebody since.
    #[serde(default, skip_serializing_if = "is_default")]
    pub taken_at: Option<Timestamp>,
}

/// A message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageState {
    /// Purpose.
    pub purpose: Purpose,
    /// Occurrences.
    pub members: Vec<Occurrence>,
    /// Channel.
    pub channel: Channel,
    /// Rung.
    #[serde(default, skip_serializing_if = "is_default")]
    pub rung: u32,
    /// Where it stands.
    pub standing: MessageStanding,
    /// Not before.
    pub send_after: Timestamp,
    /// Not at or after.
    pub not_after: Timestamp,
    /// Exempt from quiet hours and caps.
    #[serde(default, skip_serializing_if = "is_default")]
    pub exempt: bool,
    /// Attempts begun.
    #[serde(default, skip_serializing_if = "is_default")]
    pub attempts: u32,
    /// A carrier said "not now": it needs another time.
    #[serde(default, skip_serializing_if = "is_default")]
    pub retry: bool,
    /// The carrier asked not to be tried with it again before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Timestamp>,
}

/// Where a message stands, as far as decisions care.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MessageStanding {
    /// Waiting for its time or for a lane.
    Scheduled,
    /// Claimed at that instant: in flight.
    Claimed(Timestamp),
    /// The carrier took it at that instant.
    HandedOver(Timestamp),
    /// Taken or not, nobody knows; since that instant.
    Uncertain(Timestamp),
    /// Refused for good.
    Refused,
    /// Will not be sent.
    Dropped(DropReason),
    /// A receipt says it did not arrive; it was sent at that instant.
    Bounced(Timestamp),
}

/// An entry that rules have not been looked at for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unjudged {
    /// Its sequence number.
    pub seq: u64,
    /// When it happened.
    pub at: Timestamp,
    /// What it was.
    pub what: Fact,
    /// The anchor or fact that got its earlier value back, when an entry was voided or corrected.
    pub restored: Option<Name>,
}

impl PatientState {
    /// Whether an entry may be folded in next.
    #[must_use]
    pub fn expects(&self, entry: &Entry) -> bool {
        entry.seq == self.seq + 1
    }
}
