//! What is recorded about a patient: facts that happened and decisions that were taken.
//!
//! The history is append-only with a per-patient sequence. It holds no name, no address and no free text.
//! Every row that a query needs (messages, tasks, wake-up, counts) is a fold of these entries.

#![allow(missing_docs, reason = "the fields of a variant are described on the variant")]

use std::collections::BTreeMap;

use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

use crate::{
    Decimal, EnrollmentId, Name, SiteId, StaffId, Value, VersionHash,
    migration::Migration,
    model::{Channel, LevelId, Role, TaskKind, Text},
};

/// Bumped when the shape of a fact changes; older shapes are read by upcasters.
pub const SCHEMA: u16 = 1;

/// One line of a patient's history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Per patient, from 1, without a gap.
    pub seq: u64,
    /// The enrollment it belongs to; `None` for the patient as a whole.
    pub enrollment: Option<EnrollmentId>,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// When it was written down. Never goes back within a patient.
    pub recorded_at: Timestamp,
    /// Who.
    pub author: Author,
    /// What.
    pub fact: Fact,
}

/// A fact that has no place in the history yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewFact {
    /// The enrollment it belongs to; `None` for the patient as a whole.
    pub enrollment: Option<EnrollmentId>,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// Who.
    pub author: Author,
    /// What.
    pub fact: Fact,
}

/// Who recorded a fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Author {
    /// The patient.
    Patient,
    /// A carer who answers for the patient.
    Carer,
    /// A member of staff.
    Staff(StaffId),
    /// The engine: a decision.
    Engine,
    /// A carrier: a receipt or a bounce.
    Carrier,
    /// The system around the engine: import, scoring.
    System,
}

/// An occurrence of a step. Never an instant.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Occurrence {
    /// Whose.
    pub enrollment: EnrollmentId,
    /// Which step.
    pub step: Name,
    /// A change of the step's schedule inputs opens a new generation.
    pub generation: u32,
    /// From 1.
    pub ordinal: u32,
}

/// The key of a message: (first member's occurrence, purpose, rung, resend n). Unique, derived, never random.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MessageKey(pub String);

/// The key of a task: (occurrence or rule and first trigger). Unique, derived, never random.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TaskKey(pub String);

/// Where a clinician puts a patient on the risk queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RiskMove {
    /// Before every score.
    Up,
    /// Behind every score.
    Down,
    /// Off the queue: somebody has looked and nothing is to be done.
    Dismissed,
    /// Back to where the score puts the patient.
    Back,
}

/// What is to become of a follow-up when there is another version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VersionChoice {
    /// It stays on its own, also when all the others are moved.
    Stay,
    /// It moves as soon as nothing waits for an answer or for a task to be done.
    MoveWhenQuiet(Migration),
}

/// Everything that can be recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fact", rename_all = "snake_case")]
pub enum Fact {
    // ---- the patient as a whole -------------------------------------------------------------------------------
    /// Language and zone, at first or changed.
    Preference { language: String, zone: String, preferred: Option<Channel> },
    /// Whether the patient has a usable address on a channel. The address itself is in the demographics.
    Reachable { channel: Channel, usable: bool },
    /// Consent to be written to on a channel.
    ConsentGiven { channel: Channel, wording: String },
    /// Consent withdrawn in another way than STOP.
    ConsentWithdrawn { channel: Channel },
    /// Consent to up to three messages a day.
    DailyConsent { given: bool },
    /// A STOP on a channel: it ends at once; care goes on by phone.
    ChannelStopped { channel: Channel },
    /// A START: messages on the channel again.
    ChannelRestarted { channel: Channel },
    /// An inbound text. The words are kept encrypted elsewhere.
    Replied { channel: Channel, reply: Reply },
    /// Died: everything ends at once.
    Died { date: Date },

    // ---- one enrollment ---------------------------------------------------------------------------------------
    /// Put on a version of a workflow.
    Enrolled {
        site: SiteId,
        workflow: Name,
        version: VersionHash,
        facts: BTreeMap<Name, Value>,
        anchors: BTreeMap<Name, Date>,
    },
    /// A fact got another value.
    FactSet { name: Name, value: Value },
    /// A new anchor event: what is planned is withdrawn and planned afresh.
    AnchorEvent { anchor: Name, date: Date },
    /// A mistyped date: what is unsent is re-timed, what is done stays done.
    AnchorCorrected { anchor: Name, date: Date, reason: String },
    /// A red-flag item was answered: at once, before anything is submitted.
    Flagged { about: Occurrence, questionnaire: Name, rule: Name, answers: BTreeMap<Name, Answer> },
    /// A questionnaire was submitted.
    Answered {
        about: Occurrence,
        questionnaire: Name,
        questionnaire_version: String,
        language: String,
        mode: Mode,
        answers: BTreeMap<Name, Answer>,
    },
    /// Staff recorded what came of a task.
    Outcome { task: TaskKey, code: OutcomeCode },
    /// Staff took a task, or gave it back.
    Taken { task: TaskKey, by: Option<StaffId> },
    /// Sending pauses; it has an end or a review task.
    Paused { until: Option<Date>, reason: String },
    /// Sending goes on.
    Resumed,
    /// Ended by a person or a rule.
    Stopped { reason: StopReason },
    /// What is to become of the follow-up now that there is that other version; an earlier choice does not count any more.
    VersionChosen { to: VersionHash, choice: VersionChoice },
    /// Moved from one version to another, or, `undone`, back to where it was before its last move.
    VersionChanged {
        from: VersionHash,
        to: VersionHash,
        migration: Migration,
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        undone: bool,
    },
    /// A model scored the patient. `probability_ppm` is parts per million; `None` means it abstained.
    Scored { model: Name, model_version: String, probability_ppm: Option<u32> },
    /// A clinician moved the patient on the risk queue; the score itself stays as it is.
    RiskMoved { to: RiskMove },
    /// The entry with that sequence number was wrong.
    Voided { seq: u64, reason: String },
    /// The entry with that sequence number should have read so.
    Corrected { seq: u64, reason: String, instead: Box<Fact> },

    // ---- what carriers did ------------------------------------------------------------------------------------
    /// A lane claimed the message for hand-over; from here on it is in flight.
    Claimed { message: MessageKey, attempt: u32 },
    /// A claim was given back before its first byte: the message waits again as if nobody had claimed it.
    Released { message: MessageKey, attempt: u32 },
    /// How a hand-over ended.
    HandedOver { message: MessageKey, attempt: u32, result: HandoverResult },
    /// A receipt came later.
    Receipt { message: MessageKey, delivered: bool },

    // ---- decisions --------------------------------------------------------------------------------------------
    /// An occurrence came due.
    /// `day` is the civil day it is due on.
    Opened { about: Occurrence, day: Date, due: Timestamp, closes: Timestamp, expires: Timestamp, late: bool },
    /// An occurrence left its window. For an ask only `Silent` is the patient's silence.
    Closed { about: Occurrence, how: Closing },
    /// A stretch of occurrences was passed over without ever being opened.
    Skipped { step: Name, generation: u32, first: u32, last: u32, how: Closing },
    /// A schedule input changed: occurrences from here on belong to this generation. It plans what is due after
    /// `from`, or with `open_windows` also what was due before and may still be done; ordinals up to `after` are done.
    Replanned { step: Name, generation: u32, from: Timestamp, open_windows: bool, after: u32 },
    /// A step that waits for a rule or an outcome was started by the entry with that sequence number.
    StepStarted { step: Name, generation: u32, ordinal: u32, at: Timestamp, by: u64 },
    /// A model shall score the patient. It never blocks; `Scored` follows when it is done.
    ScoreWanted { about: Occurrence, model: Name },
    /// A message is to be sent.
    Planned(MessagePlan),
    /// A questionnaire that came due later goes with a message that has not left yet.
    Joined { message: MessageKey, member: Occurrence },
    /// A planned message moves (quiet hours, cap, retry); due, ordinal and key stay.
    Moved { message: MessageKey, send_after: Timestamp, why: MoveReason },
    /// A planned message will not be sent.
    Dropped { message: MessageKey, why: DropReason },
    /// A task was opened.
    TaskOpened(TaskPlan),
    /// An open task changed: escalated, added to by a rule, raised. `because` is one more reason;
    /// without `respond_by` the deadline stays.
    TaskChanged {
        task: TaskKey,
        level: LevelId,
        role: Role,
        respond_by: Option<Timestamp>,
        rung: u32,
        because: Text,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        rule: Option<Name>,
    },
    /// A task fell away (answered after all, withdrawn, stopped).
    TaskWithdrawn { task: TaskKey, why: DropReason },
    /// Rules were looked at for the entry with that sequence number; these fired. The numbers of an answer that later
    /// rules look back on are kept with the day they belong to, so many days back; without it the longest look-back.
    Judged {
        seq: u64,
        fired: Vec<Name>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        day: Option<Date>,
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        numbers: BTreeMap<Name, Decimal>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        back_days: Option<u32>,
    },
    /// The follow-up reached its end.
    Ended,
}

/// An answer to one item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// A value; `doubtful` when it was confirmed although it differs implausibly from the last one.
    Given {
        value: Value,
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        doubtful: bool,
    },
    /// "Prefer not to say": never zero.
    Declined,
    /// Free text was given; it is stored encrypted beside the entry.
    Text,
}

/// Who typed the answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// The patient.
    Own,
    /// A carer.
    Proxy,
    /// A nurse, on the phone with the patient.
    NursePhone,
}

/// What an inbound text means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// STOP and its kin.
    Stop,
    /// START.
    Start,
    /// HELP.
    Help,
    /// A danger word of the site's list.
    Danger,
    /// Anything else.
    Other,
}

/// Outcome codes of tasks and alerts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutcomeCode {
    /// The visit, examination or review took place.
    Done,
    /// The patient did not come.
    DidNotCome,
    /// The patient refused.
    Refused,
    /// Called, advice given.
    CalledAdvice,
    /// Medicine changed.
    MedicineChanged,
    /// Visit booked.
    VisitBooked,
    /// Sent to emergency.
    SentToEmergency,
    /// No action needed.
    NoAction,
    /// False alarm.
    FalseAlarm,
    /// Could not reach the patient.
    CouldNotReach,
}

impl OutcomeCode {
    /// Whether what the task was for took place.
    #[must_use]
    pub fn took_place(self) -> bool {
        match self {
            Self::Done
            | Self::CalledAdvice
            | Self::MedicineChanged
            | Self::VisitBooked
            | Self::SentToEmergency
            | Self::NoAction
            | Self::FalseAlarm => true,
            Self::DidNotCome | Self::Refused | Self::CouldNotReach => false,
        }
    }
}

/// Why an enrollment ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopReason {
    /// The patient withdrew.
    Withdrawn,
    /// Moved to another hospital.
    Transferred,
    /// Hospice.
    Hospice,
    /// The treating team's decision.
    Clinician,
    /// A rule of the workflow.
    Rule,
    /// The patient died.
    Died,
}

/// How handing a message to a carrier ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HandoverResult {
    /// The carrier took it.
    Accepted,
    /// A clear no; `permanent` goes down the channel ladder, else it is retried under the same key, and not before the
    /// time that the carrier asked for.
    Refused {
        permanent: bool,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_after_seconds: Option<u32>,
    },
    /// Once it may have been taken, no clear answer: never sent again.
    Unknown,
}

/// How an occurrence closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Closing {
    /// Answered, told or done.
    Done,
    /// Asked, handed over, not bounced, and not answered: the patient's silence.
    Silent,
    /// A task that nobody did within its window; its ladder goes on.
    Undone,
    /// Missed, not asked: the tick came too late.
    NotAskedLate,
    /// Missed, not asked: a cap had no room in the window.
    NotAskedCapped,
    /// Missed, not asked: no channel, no consent, stopped, paused.
    NotAskedSuppressed,
    /// Missed, not asked: refused by the carrier or uncertain.
    NotAskedUndelivered,
    /// Its condition did not hold, or what it leads up to took place already.
    NotNeeded,
    /// An occurrence of an older generation inside its window did it already.
    Satisfied,
    /// Planned, then withdrawn by a new anchor event, a fact, a stop.
    Withdrawn,
}

/// A message as planned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessagePlan {
    /// Unique.
    pub key: MessageKey,
    /// What for.
    pub purpose: Purpose,
    /// Occurrences it is about; several when questionnaires of one day are merged. Empty for replies.
    pub members: Vec<Occurrence>,
    /// How it travels.
    pub channel: Channel,
    /// From 0; counts channels down the ladder.
    pub rung: u32,
    /// Not before.
    pub send_after: Timestamp,
    /// Not at or after.
    pub not_after: Timestamp,
    /// The link is dead from here on.
    pub link_expires: Option<Timestamp>,
    /// Exempt from quiet hours and caps: answers to the patient's own message.
    pub exempt: bool,
    /// Why it is sent, for staff.
    pub because: Because,
}

/// What a message is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// A link to a questionnaire.
    Ask,
    /// A reminder of it, by its number from 1.
    Remind(u8),
    /// Words of a step.
    Tell,
    /// The one confirmation of a STOP.
    StopConfirmation,
    /// The confirmation of a START.
    StartConfirmation,
    /// The answer to HELP.
    Help,
    /// "Nobody watches this number", with the emergency number.
    NotMonitored,
}

impl Purpose {
    /// Answers to the patient's own message: exempt from quiet hours and caps, without a link.
    #[must_use]
    pub fn is_reply(self) -> bool {
        match self {
            Self::Ask | Self::Remind(_) | Self::Tell => false,
            Self::StopConfirmation | Self::StartConfirmation | Self::Help | Self::NotMonitored => true,
        }
    }
}

/// Why a decision was taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Because {
    /// The schedule of a step.
    Step(Name),
    /// A rule fired for the entry with that sequence number.
    Rule(Name, u64),
    /// The patient wrote.
    Reply(u64),
    /// The channel before failed for the message with that key.
    Fallback(MessageKey),
}

/// Why a message moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MoveReason {
    /// Quiet hours.
    QuietHours,
    /// A cap.
    Cap,
    /// Two messages within the site's smallest gap.
    Gap,
    /// Outside covered hours, for an instrument that needs cover.
    Uncovered,
    /// A temporary refusal by the carrier.
    Retry,
    /// The anchor was corrected.
    Corrected,
}

/// Why a message or task fell away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DropReason {
    /// Answered in the meantime.
    Answered,
    /// The channel was stopped.
    ChannelStopped,
    /// No consent.
    NoConsent,
    /// No usable address.
    NoAddress,
    /// The enrollment ended or was stopped.
    EnrollmentOver,
    /// Paused.
    Paused,
    /// The patient died.
    Died,
    /// A cap had no room before the window closed.
    Cap,
    /// The window closed first.
    Expired,
    /// A new anchor event, fact or version.
    Replanned,
    /// A visit took place.
    Visited,
    /// The entry that led to it was voided.
    Voided,
    /// All members fell away.
    Empty,
    /// The ladder's last channel refused it.
    Undeliverable,
}

/// A task as opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskPlan {
    /// Unique.
    pub key: TaskKey,
    /// Kind.
    pub kind: TaskKind,
    /// The accountable role.
    pub role: Role,
    /// Order of urgency.
    pub level: LevelId,
    /// What to do, for staff.
    pub title: Text,
    /// Why, sentence by sentence.
    pub because: Vec<Text>,
    /// The occurrence it is about: its own, or the one that made the rule fire.
    pub about: Option<Occurrence>,
    /// The rule, if it comes from one; without it and with `about` it is a step's own task.
    pub rule: Option<Name>,
    /// The sequence number of the entry that it follows from.
    pub cause: Option<u64>,
    /// Planned minutes.
    pub minutes: u32,
    /// When it came up.
    pub opened_at: Timestamp,
    /// By when a person must have acted.
    pub respond_by: Option<Timestamp>,
    /// The earliest and latest day for a visit or examination: window end.
    pub window_closes: Option<Timestamp>,
}
