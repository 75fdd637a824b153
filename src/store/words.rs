//! How engine values are written in columns. One function per type; a new variant fails to compile until it has a word.

use jiff::{Timestamp, civil::Date};
use sea_orm::prelude::{Date as ChronoDate, Uuid};
use tend_engine::{
    Name, StaffId, VersionHash,
    fact::{Author, DropReason, Fact, OutcomeCode, Purpose, VersionChoice},
    model::{Channel, LevelId, Role, TaskKind},
    planner::{Made, Under},
};

use super::StoreError;

/// Whole microseconds UTC.
pub fn micros(at: Timestamp) -> i64 {
    at.as_microsecond()
}

/// The instant of a column.
pub fn instant(micros: i64) -> Result<Timestamp, StoreError> {
    Timestamp::from_microsecond(micros).map_err(|error| StoreError::unreadable("instant", error))
}

/// The instant of an optional column.
pub fn instant_opt(micros: Option<i64>) -> Result<Option<Timestamp>, StoreError> {
    micros.map(instant).transpose()
}

/// An engine id as the database's type.
pub fn uuid(id: u128) -> Uuid {
    Uuid::from_u128(id)
}

/// A civil date as the database's type.
pub fn chrono_date(date: Date) -> Option<ChronoDate> {
    ChronoDate::from_ymd_opt(
        i32::from(date.year()),
        u32::from(date.month().unsigned_abs()),
        u32::from(date.day().unsigned_abs()),
    )
}

pub fn name(text: &str) -> Result<Name, StoreError> {
    Name::parse(text).map_err(|error| StoreError::unreadable("name", error))
}

pub fn channel(channel: Channel) -> &'static str {
    match channel {
        Channel::Sms => "sms",
        Channel::Email => "email",
    }
}

pub fn channel_of(text: &str) -> Result<Channel, StoreError> {
    match text {
        "sms" => Ok(Channel::Sms),
        "email" => Ok(Channel::Email),
        other => Err(StoreError::unreadable("channel", other)),
    }
}

pub fn level(level: LevelId) -> &'static str {
    match level {
        LevelId::RedNow => "red_now",
        LevelId::Red => "red",
        LevelId::Amber => "amber",
        LevelId::Grey => "grey",
        LevelId::Blue => "blue",
        LevelId::Green => "green",
    }
}

pub fn level_of(text: &str) -> Result<LevelId, StoreError> {
    LEVELS.into_iter().find(|id| level(*id) == text).ok_or_else(|| StoreError::unreadable("level", text))
}

/// All levels, most urgent first.
pub const LEVELS: [LevelId; 6] =
    [LevelId::RedNow, LevelId::Red, LevelId::Amber, LevelId::Grey, LevelId::Blue, LevelId::Green];

/// The place of a level in the order of a worklist.
pub fn level_rank(level: LevelId) -> i32 {
    match level {
        LevelId::RedNow => 0,
        LevelId::Red => 1,
        LevelId::Amber => 2,
        LevelId::Grey => 3,
        LevelId::Blue => 4,
        LevelId::Green => 5,
    }
}

pub fn role(role: Role) -> &'static str {
    match role {
        Role::Clerk => "clerk",
        Role::Nurse => "nurse",
        Role::NurseLead => "nurse_lead",
        Role::Clinician => "clinician",
        Role::Pharmacist => "pharmacist",
    }
}

pub fn role_of(text: &str) -> Result<Role, StoreError> {
    [Role::Clerk, Role::Nurse, Role::NurseLead, Role::Clinician, Role::Pharmacist]
        .into_iter()
        .find(|id| role(*id) == text)
        .ok_or_else(|| StoreError::unreadable("role", text))
}

pub fn task_kind(kind: TaskKind) -> &'static str {
    match kind {
        TaskKind::Alert => "alert",
        TaskKind::Call => "call",
        TaskKind::Visit => "visit",
        TaskKind::Examination => "examination",
        TaskKind::Review => "review",
        TaskKind::Admin => "admin",
    }
}

pub fn task_kind_of(text: &str) -> Result<TaskKind, StoreError> {
    [
        TaskKind::Alert,
        TaskKind::Call,
        TaskKind::Visit,
        TaskKind::Examination,
        TaskKind::Review,
        TaskKind::Admin,
    ]
    .into_iter()
    .find(|id| task_kind(*id) == text)
    .ok_or_else(|| StoreError::unreadable("kind of task", text))
}

/// The purpose of a message: a reminder keeps its number.
pub fn purpose(purpose: Purpose) -> String {
    match purpose {
        Purpose::Ask => "ask".into(),
        Purpose::Remind(n) => format!("remind_{n}"),
        Purpose::Tell => "tell".into(),
        Purpose::StopConfirmation => "stop_confirmation".into(),
        Purpose::StartConfirmation => "start_confirmation".into(),
        Purpose::Help => "help".into(),
        Purpose::NotMonitored => "not_monitored".into(),
    }
}

pub fn author(author: Author) -> String {
    match author {
        Author::Patient => "patient".into(),
        Author::Carer => "carer".into(),
        Author::Staff(id) => format!("staff:{id}"),
        Author::Engine => "engine".into(),
        Author::Carrier => "carrier".into(),
        Author::System => "system".into(),
    }
}

pub fn author_of(text: &str) -> Result<Author, StoreError> {
    match text {
        "patient" => Ok(Author::Patient),
        "carer" => Ok(Author::Carer),
        "engine" => Ok(Author::Engine),
        "carrier" => Ok(Author::Carrier),
        "system" => Ok(Author::System),
        other => other
            .strip_prefix("staff:")
            .and_then(|id| StaffId::parse(id).ok())
            .map(Author::Staff)
            .ok_or_else(|| StoreError::unreadable("author", other)),
    }
}

/// The state that a message is in once it was dropped.
pub fn dropped(why: DropReason) -> &'static str {
    match why {
        DropReason::Expired => "expired",
        DropReason::ChannelStopped
        | DropReason::NoConsent
        | DropReason::NoAddress
        | DropReason::Cap
        | DropReason::Paused
        | DropReason::Undeliverable => "suppressed",
        DropReason::Answered
        | DropReason::EnrollmentOver
        | DropReason::Died
        | DropReason::Replanned
        | DropReason::Visited
        | DropReason::Voided
        | DropReason::Empty => "withdrawn",
    }
}

/// The kind of a fact, the same word as in its JSON.
pub fn fact(fact: &Fact) -> &'static str {
    match fact {
        Fact::Preference { .. } => "preference",
        Fact::Reachable { .. } => "reachable",
        Fact::ConsentGiven { .. } => "consent_given",
        Fact::ConsentWithdrawn { .. } => "consent_withdrawn",
        Fact::DailyConsent { .. } => "daily_consent",
        Fact::ChannelStopped { .. } => "channel_stopped",
        Fact::ChannelRestarted { .. } => "channel_restarted",
        Fact::Replied { .. } => "replied",
        Fact::Died { .. } => "died",
        Fact::Enrolled { .. } => "enrolled",
        Fact::FactSet { .. } => "fact_set",
        Fact::AnchorEvent { .. } => "anchor_event",
        Fact::AnchorCorrected { .. } => "anchor_corrected",
        Fact::Flagged { .. } => "flagged",
        Fact::Answered { .. } => "answered",
        Fact::Outcome { .. } => "outcome",
        Fact::Taken { .. } => "taken",
        Fact::Paused { .. } => "paused",
        Fact::Resumed => "resumed",
        Fact::Stopped { .. } => "stopped",
        Fact::Scored { .. } => "scored",
        Fact::VersionChosen { .. } => "version_chosen",
        Fact::VersionChanged { .. } => "version_changed",
        Fact::RiskMoved { .. } => "risk_moved",
        Fact::Voided { .. } => "voided",
        Fact::Corrected { .. } => "corrected",
        Fact::Claimed { .. } => "claimed",
        Fact::Released { .. } => "released",
        Fact::HandedOver { .. } => "handed_over",
        Fact::Receipt { .. } => "receipt",
        Fact::Opened { .. } => "opened",
        Fact::Closed { .. } => "closed",
        Fact::Skipped { .. } => "skipped",
        Fact::Replanned { .. } => "replanned",
        Fact::StepStarted { .. } => "step_started",
        Fact::ScoreWanted { .. } => "score_wanted",
        Fact::Planned(_) => "planned",
        Fact::Joined { .. } => "joined",
        Fact::Moved { .. } => "moved",
        Fact::Dropped { .. } => "dropped",
        Fact::TaskOpened(_) => "task_opened",
        Fact::TaskChanged { .. } => "task_changed",
        Fact::TaskWithdrawn { .. } => "task_withdrawn",
        Fact::Judged { .. } => "judged",
        Fact::Ended => "ended",
    }
}

/// An outcome code, the same word as in JSON.
pub fn outcome(code: OutcomeCode) -> &'static str {
    match code {
        OutcomeCode::Done => "done",
        OutcomeCode::DidNotCome => "did_not_come",
        OutcomeCode::Refused => "refused",
        OutcomeCode::CalledAdvice => "called_advice",
        OutcomeCode::MedicineChanged => "medicine_changed",
        OutcomeCode::VisitBooked => "visit_booked",
        OutcomeCode::SentToEmergency => "sent_to_emergency",
        OutcomeCode::NoAction => "no_action",
        OutcomeCode::FalseAlarm => "false_alarm",
        OutcomeCode::CouldNotReach => "could_not_reach",
    }
}

/// What was chosen for a follow-up, and for which version.
pub fn chosen(to: &VersionHash, choice: &VersionChoice) -> String {
    let word = match choice {
        VersionChoice::Stay => STAYS,
        VersionChoice::MoveWhenQuiet(_) => WAITS,
    };
    format!("{word} {}", to.0)
}

/// Begins the choice to stay.
pub const STAYS: &str = "stay";
/// Begins the choice to move when no window is open.
pub const WAITS: &str = "quiet";

/// The state of a task that a column holds.
pub fn task_state_of(text: &str) -> Result<&'static str, StoreError> {
    ["open", "taken", "done", "withdrawn"]
        .into_iter()
        .find(|state| *state == text)
        .ok_or_else(|| StoreError::unreadable("state of a task", text))
}

/// The outcome that a column holds.
pub fn outcome_of(text: &str) -> Result<OutcomeCode, StoreError> {
    OUTCOMES
        .into_iter()
        .find(|code| outcome(*code) == text)
        .ok_or_else(|| StoreError::unreadable("outcome", text))
}

/// All outcome codes.
pub const OUTCOMES: [OutcomeCode; 10] = [
    OutcomeCode::Done,
    OutcomeCode::DidNotCome,
    OutcomeCode::Refused,
    OutcomeCode::CalledAdvice,
    OutcomeCode::MedicineChanged,
    OutcomeCode::VisitBooked,
    OutcomeCode::SentToEmergency,
    OutcomeCode::NoAction,
    OutcomeCode::FalseAlarm,
    OutcomeCode::CouldNotReach,
];

/// Settings take so many bits, and one more tells what was decided from what was given.
const SETTINGS_BITS: u32 = 32;

/// How an entry came to be, in one number; see the migration that added the column.
pub fn made(made: Made) -> Option<i64> {
    let settings = |under: Under| i64::from(u32::try_from(under.settings).unwrap_or(u32::MAX)) << 1;
    let under = |under: Under| (i64::from(under.engine) << (SETTINGS_BITS + 1)) | settings(under);
    match made {
        Made::Given(by) => Some(under(by)),
        Made::Decided(by) => Some(under(by) | 1),
        Made::Kept => None,
        Made::Unknown => Some(0),
    }
}

pub fn made_of(number: Option<i64>) -> Result<Made, StoreError> {
    let Some(number) = number else { return Ok(Made::Kept) };
    if number == 0 {
        return Ok(Made::Unknown);
    }
    let engine = u16::try_from(number >> (SETTINGS_BITS + 1))
        .map_err(|error| StoreError::unreadable("engine version", error))?;
    let settings = u64::try_from((number >> 1) & i64::from(u32::MAX)).unwrap_or_default();
    let under = Under { engine, settings };
    Ok(if number & 1 == 1 { Made::Decided(under) } else { Made::Given(under) })
}
