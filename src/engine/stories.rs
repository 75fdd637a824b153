//! Stories through the whole planner, on synthetic workflows.

use crate::{
    fact::{Author, Closing, DropReason, Entry, Fact, OutcomeCode, Purpose, Reply, StopReason},
    model::{Channel, LevelId, Role, TaskKind},
    rehearsal::Rehearsal,
    sample::{PATIENT_A, answer, daily, date, latest, library, local, name, story},
    site::SiteSettings,
};

const ZONE: &str = "Europe/London";

fn sent(rehearsal: &Rehearsal<'_>) -> Vec<(String, Purpose, Channel)> {
    let mut out = Vec::new();
    for entry in &rehearsal.history {
        if let Fact::HandedOver { message, result: crate::fact::HandoverResult::Accepted, .. } = &entry.fact
            && let Some(Fact::Planned(plan)) = rehearsal
                .history
                .iter()
                .map(|e| &e.fact)
                .find(|fact| matches!(fact, Fact::Planned(plan) if plan.key == *message))
        {
            let zone = jiff::tz::TimeZone::get(ZONE).expect("zone");
            let at = zone.to_datetime(entry.occurred_at).strftime("%m-%d %H:%M").to_string();
            out.push((at, plan.purpose, plan.channel));
        }
    }
    out
}

fn has(entries: &[Entry], wanted: impl Fn(&Fact) -> bool) -> bool {
    entries.iter().any(|entry| wanted(&entry.fact))
}

#[test]
fn a_silent_day_is_asked_reminded_twice_and_closed() {
    let (library, site) = (library(), SiteSettings::default());
    let mut story = story(&library, &site, &daily(), "2026-03-02T10:00", "2026-03-02");
    story.run_until(local(ZONE, "2026-03-04T00:00")).expect("runs");
    assert_eq!(
        sent(&story),
        [
            ("03-03 09:00".to_owned(), Purpose::Ask, Channel::Sms),
            ("03-03 13:00".to_owned(), Purpose::Remind(1), Channel::Sms),
            ("03-03 17:00".to_owned(), Purpose::Remind(2), Channel::Email),
        ]
    );
    assert!(has(&story.history, |fact| matches!(fact, Fact::Closed { how: Closing::Silent, .. })));
    story.run_until(local(ZONE, "2026-03-05T00:00")).expect("runs");
    let call = story.state.tasks.values().find(|task| task.kind == TaskKind::Call);
    assert_eq!(call.map(|task| task.role), Some(Role::Nurse));
}

#[test]
fn an_answer_ends_the_reminders_and_a_bad_one_raises_one_alert() {
    let (library, site) = (library(), SiteSettings::default());
    let mut story = story(&library, &site, &daily(), "2026-03-02T10:00", "2026-03-02");
    story.run_until(local(ZONE, "2026-03-03T09:30")).expect("runs");
    let about = latest(&story, PATIENT_A, "check").expect("asked");
    story.happens(Some(PATIENT_A), Author::Patient, answer(about, "78.2", "bad")).expect("answered");
    story.run_until(local(ZONE, "2026-03-03T23:00")).expect("runs");
    assert_eq!(sent(&story).len(), 1);
    let alerts: Vec<_> = story.state.tasks.values().filter(|task| task.kind == TaskKind::Alert).collect();
    assert_eq!(alerts.len(), 1);
    assert_eq!((alerts[0].level, alerts[0].role, alerts[0].rung), (LevelId::Red, Role::Clinician, 2));
}

#[test]
fn two_ambers_make_one_red_with_both_reasons() {
    let (library, site) = (library(), SiteSettings::default());
    let mut story = story(&library, &site, &daily(), "2026-03-02T10:00", "2026-03-02");
    story.run_until(local(ZONE, "2026-03-03T09:30")).expect("runs");
    let about = latest(&story, PATIENT_A, "check").expect("asked");
    story.happens(Some(PATIENT_A), Author::Patient, answer(about, "101", "low")).expect("answered");
    let alerts: Vec<_> = story.state.tasks.values().filter(|task| task.kind == TaskKind::Alert).collect();
    assert_eq!(alerts.len(), 1);
    assert_eq!(alerts[0].level, LevelId::Red);
    assert_eq!(alerts[0].rules, [name("feels-low"), name("heavy")]);
    // The started step leaves after the gap, as it is covered.
    story.run_until(local(ZONE, "2026-03-03T11:00")).expect("runs");
    assert_eq!(
        sent(&story).last().map(|(at, purpose, _)| (at.as_str(), *purpose)),
        Some(("03-03 10:00", Purpose::Ask))
    );
}

#[test]
fn stop_at_night_is_confirmed_once_and_care_goes_on() {
    let (library, site) = (library(), SiteSettings::default());
    let mut story = story(&library, &site, &daily(), "2026-03-02T10:00", "2026-03-02");
    story.run_until(local(ZONE, "2026-03-02T23:30")).expect("runs");
    for _ in 0..2 {
        story
            .happens(None, Author::Patient, Fact::Replied { channel: Channel::Sms, reply: Reply::Stop })
            .expect("stops");
    }
    story.run_until(local(ZONE, "2026-03-04T23:30")).expect("runs");
    let sms: Vec<_> = sent(&story).into_iter().filter(|(_, _, channel)| *channel == Channel::Sms).collect();
    assert_eq!(sms, [("03-02 23:30".to_owned(), Purpose::StopConfirmation, Channel::Sms)]);
    assert!(
        story.state.tasks.values().any(|task| task.kind == TaskKind::Call && task.level == LevelId::Grey)
    );
}

#[test]
fn death_withdraws_everything_and_can_be_undone() {
    let (library, site) = (library(), SiteSettings::default());
    let mut story = story(&library, &site, &daily(), "2026-03-02T10:00", "2026-03-02");
    story.carriers.idle = true;
    story.run_until(local(ZONE, "2026-03-03T09:00")).expect("runs");
    story.happens(None, Author::System, Fact::Died { date: date("2026-03-03") }).expect("died");
    let died =
        story.history.iter().find(|entry| matches!(entry.fact, Fact::Died { .. })).map(|entry| entry.seq);
    story.carriers.idle = false;
    story.run_until(local(ZONE, "2026-03-03T12:00")).expect("runs");
    assert!(sent(&story).is_empty());
    assert!(has(&story.history, |fact| matches!(fact, Fact::Dropped { why: DropReason::Died, .. })));
    assert!(has(&story.history, |fact| matches!(fact, Fact::Stopped { reason: StopReason::Died })));
    assert_eq!(story.wake_at, None);
    let seq = died.expect("recorded");
    story
        .happens(None, Author::System, Fact::Voided { seq, reason: "wrong patient".into() })
        .expect("voided");
    story.run_until(local(ZONE, "2026-03-04T12:00")).expect("runs");
    assert_eq!(sent(&story).first().map(|(at, _, _)| at.as_str()), Some("03-04 09:00"));
}

#[test]
fn a_visit_done_early_silences_what_leads_up_to_it_and_starts_what_follows() {
    let (library, site) = (library(), SiteSettings::default());
    let mut story = story(&library, &site, &daily(), "2026-03-02T10:00", "2026-03-02");
    story.run_until(local(ZONE, "2026-03-05T10:00")).expect("runs");
    let about = latest(&story, PATIENT_A, "check").expect("asked");
    story.happens(Some(PATIENT_A), Author::Patient, answer(about, "78", "good")).expect("answered");
    story.run_until(local(ZONE, "2026-03-07T08:00")).expect("runs");
    let visit =
        story.state.tasks.iter().find(|(_, task)| task.kind == TaskKind::Visit).map(|(key, _)| key.clone());
    let task = visit.expect("open with its window");
    story
        .happens(Some(PATIENT_A), Author::System, Fact::Outcome { task, code: OutcomeCode::Done })
        .expect("done");
    story.run_until(local(ZONE, "2026-03-08T10:00")).expect("runs");
    assert!(!sent(&story).iter().any(|(_, purpose, _)| *purpose == Purpose::Tell));
    let asked = latest(&story, PATIENT_A, "after-visit").expect("started");
    assert_eq!(asked.ordinal, 1);
    // Due the same day as the daily check: one message carries both.
    let on_the_day = sent(&story).into_iter().filter(|(at, _, _)| at.starts_with("03-08")).count();
    assert_eq!(on_the_day, 1);
}

#[test]
fn an_outage_is_not_silence_and_a_refusal_goes_down_the_ladder() {
    let (library, site) = (library(), SiteSettings::default());
    let mut story = story(&library, &site, &daily(), "2026-03-02T10:00", "2026-03-02");
    story.carriers.outage = true;
    story.run_until(local(ZONE, "2026-03-04T08:00")).expect("runs");
    assert!(!has(&story.history, |fact| matches!(fact, Fact::Closed { how: Closing::Silent, .. })));
    assert!(has(&story.history, |fact| matches!(
        fact,
        Fact::Closed { how: Closing::NotAskedUndelivered, .. }
    )));
    story.carriers.outage = false;
    story.carriers.refuse.insert(Channel::Sms);
    story.run_until(local(ZONE, "2026-03-04T12:00")).expect("runs");
    let first = sent(&story).into_iter().next();
    assert_eq!(first, Some(("03-04 09:00".to_owned(), Purpose::Ask, Channel::Email)));
    assert!(story.state.tasks.values().any(|task| task.kind == TaskKind::Admin && task.role == Role::Clerk));
}

#[test]
fn a_tick_a_month_late_sends_one_message_and_says_what_was_missed() {
    let (library, site) = (library(), SiteSettings::default());
    let mut story = story(&library, &site, &daily(), "2026-03-02T10:00", "2026-03-02");
    story.now = local(ZONE, "2026-03-12T14:00");
    let before = story.history.len();
    story.record(Vec::new()).expect("advances");
    let new = &story.history[before..];
    let planned = new.iter().filter(|entry| matches!(entry.fact, Fact::Planned(_))).count();
    assert_eq!(planned, 1);
    assert!(has(new, |fact| matches!(
        fact,
        Fact::Skipped { first: 1, last: 9, how: Closing::NotAskedLate, .. }
    )));
    assert!(
        has(new, |fact| matches!(fact, Fact::Closed { how: Closing::Undone, .. }))
            || story.state.tasks.values().any(|task| task.kind == TaskKind::Visit)
    );
}

#[test]
fn a_new_event_restarts_the_clock_and_a_correction_does_not_ask_twice() {
    let (library, site) = (library(), SiteSettings::default());
    let mut story = story(&library, &site, &daily(), "2026-03-02T10:00", "2026-03-02");
    story.run_until(local(ZONE, "2026-03-05T10:00")).expect("runs");
    let corrected =
        Fact::AnchorCorrected { anchor: name("start"), date: date("2026-03-01"), reason: "mistyped".into() };
    story.happens(Some(PATIENT_A), Author::System, corrected).expect("corrected");
    story.run_until(local(ZONE, "2026-03-05T12:00")).expect("runs");
    let on_the_day: Vec<_> = sent(&story).into_iter().filter(|(at, _, _)| at.starts_with("03-05")).collect();
    assert!(on_the_day.len() <= 2, "{on_the_day:?}");
    story.run_until(local(ZONE, "2026-03-06T20:00")).expect("runs");
    let event = Fact::AnchorEvent { anchor: name("again"), date: date("2026-03-06") };
    story.happens(Some(PATIENT_A), Author::System, event).expect("restarts");
    story.run_until(local(ZONE, "2026-03-07T09:00")).expect("runs");
    let about = latest(&story, PATIENT_A, "check").expect("asked");
    assert_eq!((about.generation, about.ordinal), (3, 1));
}
