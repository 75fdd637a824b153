//! Enums of the engine in the words of the pages. Exhaustive, so that a new kind must get words before it compiles.

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use tend_engine::{
    fact::{Closing, DropReason, MoveReason, OutcomeCode, Purpose, StopReason},
    model::{Channel, LevelId, Role, TaskKind, Text},
    state::Standing,
};

use crate::{
    app::{
        App,
        enroll::{DAILY, FOLLOW_UP},
    },
    store::read::{message_log::MessageRow, timeline::Dropped},
    web::{
        Lang,
        words::{Enrol, Staff, Story},
    },
};

/// All levels, worst first.
pub const LEVELS: [LevelId; 6] =
    [LevelId::RedNow, LevelId::Red, LevelId::Amber, LevelId::Grey, LevelId::Blue, LevelId::Green];
/// Outcomes of calls and alerts.
pub const CALL_OUTCOMES: [OutcomeCode; 7] = [
    OutcomeCode::CalledAdvice,
    OutcomeCode::MedicineChanged,
    OutcomeCode::VisitBooked,
    OutcomeCode::SentToEmergency,
    OutcomeCode::NoAction,
    OutcomeCode::FalseAlarm,
    OutcomeCode::CouldNotReach,
];
/// Outcomes of visits, examinations and reviews.
pub const VISIT_OUTCOMES: [OutcomeCode; 3] =
    [OutcomeCode::Done, OutcomeCode::DidNotCome, OutcomeCode::Refused];

/// A level in words.
#[must_use]
pub fn level(w: Staff, level: LevelId) -> &'static str {
    match level {
        LevelId::RedNow => w.level_red_now(),
        LevelId::Red => w.level_red(),
        LevelId::Amber => w.level_amber(),
        LevelId::Grey => w.level_grey(),
        LevelId::Blue => w.level_blue(),
        LevelId::Green => w.level_green(),
    }
}

/// What a level means.
#[must_use]
pub fn level_means(w: Staff, level: LevelId) -> &'static str {
    match level {
        LevelId::RedNow => w.level_red_now_means(),
        LevelId::Red => w.level_red_means(),
        LevelId::Amber => w.level_amber_means(),
        LevelId::Grey => w.level_grey_means(),
        LevelId::Blue => w.level_blue_means(),
        LevelId::Green => w.level_green_means(),
    }
}

/// A sign beside the colour, which alone would say nothing to some.
#[must_use]
pub fn level_sign(level: LevelId) -> &'static str {
    match level {
        LevelId::RedNow => "‼",
        LevelId::Red => "▲",
        LevelId::Amber => "◆",
        LevelId::Grey => "○",
        LevelId::Blue => "□",
        LevelId::Green => "✓",
    }
}

/// The word in addresses and class names.
#[must_use]
pub fn level_word(level: LevelId) -> &'static str {
    match level {
        LevelId::RedNow => "red_now",
        LevelId::Red => "red",
        LevelId::Amber => "amber",
        LevelId::Grey => "grey",
        LevelId::Blue => "blue",
        LevelId::Green => "green",
    }
}

/// The colour of a level; the two reds share one.
#[must_use]
pub fn level_colour(level: LevelId) -> &'static str {
    match level {
        LevelId::RedNow | LevelId::Red => "red",
        LevelId::Amber => "amber",
        LevelId::Grey => "grey",
        LevelId::Blue => "blue",
        LevelId::Green => "green",
    }
}

/// A duty role in words.
#[must_use]
pub fn role(w: Staff, role: Role) -> &'static str {
    match role {
        Role::Clerk => w.role_clerk(),
        Role::Nurse => w.role_nurse(),
        Role::NurseLead => w.role_nurse_lead(),
        Role::Clinician => w.role_clinician(),
        Role::Pharmacist => w.role_pharmacist(),
    }
}

/// The word in addresses.
#[must_use]
pub fn role_word(role: Role) -> &'static str {
    match role {
        Role::Clerk => "clerk",
        Role::Nurse => "nurse",
        Role::NurseLead => "nurse_lead",
        Role::Clinician => "clinician",
        Role::Pharmacist => "pharmacist",
    }
}

/// A kind of task in words.
#[must_use]
pub fn kind(w: Staff, kind: TaskKind) -> &'static str {
    match kind {
        TaskKind::Alert => w.kind_alert(),
        TaskKind::Call => w.kind_call(),
        TaskKind::Visit => w.kind_visit(),
        TaskKind::Examination => w.kind_examination(),
        TaskKind::Review => w.kind_review(),
        TaskKind::Admin => w.kind_admin(),
    }
}

/// Which outcomes a kind of task offers.
#[must_use]
pub fn outcomes_of(kind: TaskKind) -> Vec<OutcomeCode> {
    match kind {
        TaskKind::Alert | TaskKind::Call => CALL_OUTCOMES.to_vec(),
        TaskKind::Visit | TaskKind::Examination => {
            let mut all = VISIT_OUTCOMES.to_vec();
            all.extend([OutcomeCode::VisitBooked, OutcomeCode::CouldNotReach]);
            all
        }
        TaskKind::Review | TaskKind::Admin => vec![
            OutcomeCode::Done,
            OutcomeCode::VisitBooked,
            OutcomeCode::MedicineChanged,
            OutcomeCode::NoAction,
            OutcomeCode::CouldNotReach,
        ],
    }
}

/// A channel in words.
#[must_use]
pub fn channel(w: Staff, channel: Channel) -> &'static str {
    match channel {
        Channel::Sms => w.channel_sms(),
        Channel::Email => w.channel_email(),
    }
}

/// The word in addresses.
#[must_use]
pub fn channel_word(channel: Channel) -> &'static str {
    match channel {
        Channel::Sms => "sms",
        Channel::Email => "email",
    }
}

/// A channel from its word.
#[must_use]
pub fn channel_of(word: &str) -> Option<Channel> {
    [Channel::Sms, Channel::Email].into_iter().find(|channel| channel_word(*channel) == word)
}

/// An outcome in words.
#[must_use]
pub fn outcome(w: Staff, code: OutcomeCode) -> &'static str {
    match code {
        OutcomeCode::Done => w.outcome_done(),
        OutcomeCode::DidNotCome => w.outcome_did_not_come(),
        OutcomeCode::Refused => w.outcome_refused(),
        OutcomeCode::CalledAdvice => w.outcome_called_advice(),
        OutcomeCode::MedicineChanged => w.outcome_medicine_changed(),
        OutcomeCode::VisitBooked => w.outcome_visit_booked(),
        OutcomeCode::SentToEmergency => w.outcome_sent_to_emergency(),
        OutcomeCode::NoAction => w.outcome_no_action(),
        OutcomeCode::FalseAlarm => w.outcome_false_alarm(),
        OutcomeCode::CouldNotReach => w.outcome_could_not_reach(),
    }
}

/// The word of an outcome in forms and in the store.
#[must_use]
pub fn outcome_word(code: OutcomeCode) -> &'static str {
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

/// An outcome from its word.
#[must_use]
pub fn outcome_of(word: &str) -> Option<OutcomeCode> {
    CALL_OUTCOMES.into_iter().chain(VISIT_OUTCOMES).find(|code| outcome_word(*code) == word)
}

/// Where an enrollment stands, in words.
#[must_use]
pub fn standing(w: Staff, standing: &Standing) -> String {
    match standing {
        Standing::Active => w.standing_active().to_owned(),
        Standing::Paused { until: None, .. } => w.standing_paused().to_owned(),
        Standing::Paused { until: Some(day), .. } => w.standing_paused_until(day),
        Standing::Over { because: None } => w.standing_over().to_owned(),
        Standing::Over { because: Some(why) } => format!("{}: {}", w.standing_over(), stop_reason(w, *why)),
    }
}

/// Why an enrollment ended, in words.
#[must_use]
pub fn stop_reason(w: Staff, why: StopReason) -> &'static str {
    match why {
        StopReason::Withdrawn => w.stop_withdrawn(),
        StopReason::Transferred => w.stop_transferred(),
        StopReason::Hospice => w.stop_hospice(),
        StopReason::Clinician => w.stop_clinician(),
        StopReason::Rule => w.stop_rule(),
        StopReason::Died => w.stop_died(),
    }
}

/// What a message is for, in words.
#[must_use]
pub fn purpose(w: Staff, purpose: Purpose) -> String {
    match purpose {
        Purpose::Ask => w.purpose_ask().to_owned(),
        Purpose::Remind(n) => format!("{} {n}", w.purpose_remind()),
        Purpose::Tell => w.purpose_tell().to_owned(),
        Purpose::StopConfirmation => w.purpose_stop().to_owned(),
        Purpose::StartConfirmation => w.purpose_start().to_owned(),
        Purpose::Help => w.purpose_help().to_owned(),
        Purpose::NotMonitored => w.purpose_not_monitored().to_owned(),
    }
}

/// A stored state of a message in words; an unknown one as it stands.
#[must_use]
pub fn message_state(w: Staff, state: &str) -> String {
    let known = match state {
        "scheduled" => w.msg_scheduled(),
        "claimed" => w.msg_claimed(),
        "handed_over" => w.msg_handed_over(),
        "delivered" => w.msg_delivered(),
        "refused" => w.msg_refused(),
        "uncertain" => w.msg_uncertain(),
        "expired" => w.msg_expired(),
        "suppressed" => w.msg_suppressed(),
        "withdrawn" => w.msg_withdrawn(),
        other => other,
    };
    known.to_owned()
}

/// The state of a message, and why nothing was sent where nothing was.
#[must_use]
pub fn message_state_because(lang: Lang, message: &MessageRow, dropped: &Dropped) -> String {
    let state = message_state(Staff(lang), &message.state);
    let stays = !matches!(message.state.as_str(), "suppressed" | "expired" | "withdrawn");
    match dropped.get(&(message.patient, message.key.clone())).filter(|_| !stays) {
        Some(why) => format!("{state}: {}", self::dropped(Story(lang), *why)),
        None => state,
    }
}

/// How an occurrence closed, in words.
#[must_use]
pub fn closing(s: Story, how: Closing) -> &'static str {
    match how {
        Closing::Done => s.how_done(),
        Closing::Silent => s.how_silent(),
        Closing::Undone => s.how_undone(),
        Closing::NotAskedLate => s.how_late(),
        Closing::NotAskedCapped => s.how_capped(),
        Closing::NotAskedSuppressed => s.how_suppressed(),
        Closing::NotAskedUndelivered => s.how_undelivered(),
        Closing::NotNeeded => s.how_not_needed(),
        Closing::Satisfied => s.how_satisfied(),
        Closing::Withdrawn => s.how_withdrawn(),
    }
}

/// Why a message moved, in words.
#[must_use]
pub fn moved(s: Story, why: MoveReason) -> &'static str {
    match why {
        MoveReason::QuietHours => s.move_quiet(),
        MoveReason::Cap => s.move_cap(),
        MoveReason::Gap => s.move_gap(),
        MoveReason::Uncovered => s.move_uncovered(),
        MoveReason::Retry => s.move_retry(),
        MoveReason::Corrected => s.move_corrected(),
    }
}

/// Why a message or task fell away, in words.
#[must_use]
pub fn dropped(s: Story, why: DropReason) -> &'static str {
    match why {
        DropReason::Answered => s.drop_answered(),
        DropReason::ChannelStopped => s.drop_channel_stopped(),
        DropReason::NoConsent => s.drop_no_consent(),
        DropReason::NoAddress => s.drop_no_address(),
        DropReason::EnrollmentOver => s.drop_over(),
        DropReason::Paused => s.drop_paused(),
        DropReason::Died => s.drop_died(),
        DropReason::Cap => s.drop_cap(),
        DropReason::Expired => s.drop_expired(),
        DropReason::Replanned => s.drop_replanned(),
        DropReason::Visited => s.drop_visited(),
        DropReason::Voided => s.drop_voided(),
        DropReason::Empty => s.drop_empty(),
        DropReason::Undeliverable => s.drop_undeliverable(),
    }
}

/// Words of a workflow in the reader's language, else in the first that it has.
#[must_use]
pub fn text(lang: Lang, text: &Text) -> &str {
    text.get(lang.code()).or_else(|| text.0.values().next().map(String::as_str)).unwrap_or_default()
}

/// An instant in a zone, to the minute.
#[must_use]
pub fn instant(zone: &TimeZone, at: Timestamp) -> String {
    at.to_zoned_datetime(zone.clone()).strftime("%Y-%m-%d %H:%M").to_string()
}

/// A day with its weekday and month in words; the year only where it is not this one.
#[must_use]
pub fn day(lang: Lang, day: Date, today: Date) -> String {
    let year = day.year() != today.year();
    match lang {
        Lang::En if year => day.strftime("%a %-d %b %Y").to_string(),
        Lang::En => day.strftime("%a %-d %b").to_string(),
        Lang::Zh => {
            let of_year = if year { format!("{}年", day.year()) } else { String::new() };
            let weekday = crate::web::contact::day_name(day.weekday(), lang);
            format!("{of_year}{}月{}日{weekday}", day.month(), day.day())
        }
    }
}

/// An instant in a zone as short as it can be on a list: today only the time.
#[must_use]
pub fn short_instant(lang: Lang, zone: &TimeZone, at: Timestamp, now: Timestamp) -> String {
    let (at, now) = (zone.to_datetime(at), zone.to_datetime(now));
    let time = at.strftime("%H:%M").to_string();
    if at.date() == now.date() { time } else { format!("{} {time}", day(lang, at.date(), now.date())) }
}

/// A language of patients in words; an unknown one as it stands.
#[must_use]
pub fn language(w: Staff, code: &str) -> String {
    match Lang::parse(code) {
        Some(Lang::En) => w.language_en().to_owned(),
        Some(Lang::Zh) => w.language_zh().to_owned(),
        None => code.to_owned(),
    }
}

/// The recorded sex in words, with what it is; what another system wrote as it stands.
#[must_use]
pub fn sex(lang: Lang, code: &str) -> String {
    let (w, e) = (Staff(lang), Enrol(lang));
    match code {
        "" => String::new(),
        "F" => w.sex(e.sex_female()),
        "M" => w.sex(e.sex_male()),
        other => w.sex(other),
    }
}

/// What a consent is for and how it was given, in words; anything else as it stands.
#[must_use]
pub fn consent_word(w: Staff, word: &str) -> String {
    match word {
        FOLLOW_UP => w.consent_follow_up().to_owned(),
        DAILY => w.consent_daily_messages().to_owned(),
        "in person" => w.consent_in_person().to_owned(),
        "phone" => w.consent_phone().to_owned(),
        other => other.to_owned(),
    }
}

/// Parts per million as a percentage with one place.
#[must_use]
pub fn percent(ppm: u32) -> String {
    format!("{}.{}%", ppm / 10_000, ppm % 10_000 / 1_000)
}

/// Titles of workflows by name.
pub type Titles = std::collections::BTreeMap<String, String>;

/// The titles of all published workflows, in that language.
#[must_use]
pub fn titles(app: &App, lang: Lang) -> Titles {
    let live = app.live();
    live.library.values().map(|w| (w.id.to_string(), text(lang, &w.title).to_owned())).collect()
}

/// A workflow's title; its name where there is none.
#[must_use]
pub fn titled(titles: &Titles, name: &str) -> String {
    titles.get(name).cloned().unwrap_or_else(|| name.to_owned())
}
