//! The fold of a patient's history: what decisions look at. Bounded: its size does not grow with the years.

use std::collections::BTreeMap;

use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

use crate::{
    Decimal, EnrollmentId, Name, SiteId, Value, VersionHash,
    fact::{Entry, MessageKey, Occurrence, OutcomeCode, Purpose, TaskKey},
    model::{Channel, LevelId, Role, TaskKind},
};

/// Bumped when the fold changes; a stored state of another version is folded afresh from the history.
pub const STATE_VERSION: u16 = 1;

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
    pub preferred: Option<Channel>,
    /// Channels known so far.
    pub channels: BTreeMap<Channel, ChannelState>,
    /// Up to three SMS a day were agreed to.
    pub daily_consent: bool,
    /// The day of death.
    pub died: Option<Date>,
    /// Enrollments, also past ones.
    pub enrollments: BTreeMap<EnrollmentId, EnrollmentState>,
    /// Open tasks.
    pub tasks: BTreeMap<TaskKey, TaskState>,
    /// Messages that are planned, in flight, or recent enough to count for caps and silence.
    pub messages: BTreeMap<MessageKey, MessageState>,
    /// Replies not yet answered by a decision: sequence number and what they mean.
    pub unanswered_replies: Vec<(u64, Channel, crate::fact::Reply)>,
}

/// A channel of a patient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ChannelState {
    /// There is an address that has not failed for good.
    pub usable: bool,
    /// Consent is recorded and not withdrawn.
    pub consented: bool,
    /// STOP.
    pub stopped: bool,
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
    /// Sends nothing until that day, or until resumed.
    Paused { until: Option<Date> },
    /// Over.
    Over,
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
    pub series: BTreeMap<Name, Vec<(Date, Decimal)>>,
    /// Entries that rules have not been looked at for.
    pub unjudged: Vec<Unjudged>,
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
    /// The current generation, from 1.
    pub generation: u32,
    /// This generation plans only what is due from here on.
    pub from: Option<Timestamp>,
    /// The last ordinal that was opened or closed.
    pub ordinal: u32,
    /// Open occurrences.
    pub open: Vec<OpenOccurrence>,
    /// Silent asks in a row; saturates at 100.
    pub silent_in_a_row: u8,
    /// Due days of silent asks within the longest look-back.
    pub silent_days: Vec<Date>,
    /// Answers so far; saturates at 1000.
    pub answers: u16,
    /// The latest outcome.
    pub outcome: Option<OutcomeCode>,
    /// Outcomes that dependent steps have not been planned for: ordinal, day, code.
    pub outcomes: Vec<(u32, Date, OutcomeCode)>,
    /// Starts by rules that are not opened yet.
    pub starts: Vec<(u64, Timestamp)>,
    /// Due days that were done, as far as a new generation's window can reach back.
    pub done_days: Vec<Date>,
}

/// An occurrence whose window is open, or that is still of interest after it (late answers, undone tasks).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenOccurrence {
    /// Generation.
    pub generation: u32,
    /// Ordinal.
    pub ordinal: u32,
    /// Due.
    pub due: Timestamp,
    /// From here on missed.
    pub closes: Timestamp,
    /// From here on the link is dead.
    pub expires: Timestamp,
    /// Reminders planned or passed over so far.
    pub reminded: u8,
    /// Rungs of the overdue ladder taken.
    pub rung: u32,
    /// Set once closed; it stays here until the link expires so that a late answer finds it.
    pub closed: Option<crate::fact::Closing>,
    /// The task of a task step.
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
    /// The rule it came from.
    pub rule: Option<Name>,
    /// The occurrence it came from.
    pub about: Option<Occurrence>,
    /// When it came up.
    pub opened_at: Timestamp,
    /// Rungs climbed.
    pub rung: u32,
    /// Taken by somebody since.
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
    pub rung: u32,
    /// Where it stands.
    pub standing: MessageStanding,
    /// Not before.
    pub send_after: Timestamp,
    /// Not at or after.
    pub not_after: Timestamp,
    /// Exempt from quiet hours and caps.
    pub exempt: bool,
    /// Attempts begun.
    pub attempts: u32,
}

/// Where a message stands, as far as decisions care.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MessageStanding {
    /// Waiting for its time or for a lane.
    Scheduled,
    /// Claimed: in flight.
    Claimed,
    /// The carrier took it at that instant.
    HandedOver(Timestamp),
    /// Taken or not, nobody knows; since that instant.
    Uncertain(Timestamp),
    /// Refused for good.
    Refused,
    /// Will not be sent.
    Dropped,
    /// A receipt says it did not arrive.
    Bounced,
}

/// An entry that rules have not been looked at for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unjudged {
    /// Its sequence number.
    pub seq: u64,
    /// When it happened.
    pub at: Timestamp,
    /// What it was.
    pub what: crate::fact::Fact,
}

impl PatientState {
    /// Whether an entry may be folded in next.
    #[must_use]
    pub fn expects(&self, entry: &Entry) -> bool {
        entry.seq == self.seq + 1
    }
}
