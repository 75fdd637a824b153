//! Moving: what is done stays done, what is due from now on is planned afresh, and the way back leads back.

mod compose;
mod quiet;

use std::sync::Arc;

use jiff::Timestamp;

use super::*;
use crate::{
    compare::{Difference, Line, Move, compare},
    fact::{Author, Closing, Entry, Fact, HandoverResult, VersionChoice},
    model::TaskKind,
    planner::Library,
    preview::preview,
    rehearsal::Rehearsal,
    sample::{PATIENT_A, answer, daily, latest, local, name, story},
    site::SiteSettings,
};

const ZONE: &str = "Europe/London";

/// The check an hour later; the visit, and what leads up to it, keeps its times.
fn later() -> Workflow {
    let mut next = daily();
    next.steps.iter_mut().find(|step| step.id == *"check").expect("a step").timing.time =
        jiff::civil::time(10, 0, 0, 0);
    next.changes.retimed.push(name("check"));
    next
}

/// The check by another name.
fn renamed() -> Workflow {
    let text = serde_json::to_string(&daily()).expect("a model");
    let text = text.replace(
        "\"id\":\"check\",\"title\":{\"en\":\"check\"},\"schedule\"",
        "\"id\":\"daily-check\",\"title\":{\"en\":\"check\"},\"schedule\"",
    );
    let mut next: Workflow = serde_json::from_str(&text).expect("a model");
    for rule in &mut next.rules {
        let json = serde_json::to_string(rule).expect("a rule");
        let json = json.replace("{\"silent\":\"check\"}", "{\"silent\":\"daily-check\"}");
        *rule = serde_json::from_str(&json).expect("a rule");
    }
    next.changes.renamed.push((name("check"), name("daily-check")));
    next
}

/// Without the check.
fn without() -> Workflow {
    let mut next = daily();
    next.steps.retain(|step| step.id != *"check");
    next.rules.clear();
    next.questionnaires.remove(&name("check"));
    next.changes.removed.push(name("check"));
    next
}

fn library(workflows: &[Workflow]) -> Library {
    let all = std::iter::once(daily()).chain(workflows.iter().cloned());
    all.map(|workflow| (workflow.version(), Arc::new(workflow))).collect()
}

fn moved(new: &Workflow) -> Fact {
    let (from, to) = (daily().version(), new.version());
    Fact::VersionChanged {
        from,
        to,
        migration: Migration::between(&daily(), new).expect("stated"),
        undone: false,
    }
}

fn undone(patient: &Rehearsal<'_>) -> Fact {
    let of = &patient.state.enrollments[&PATIENT_A];
    let (to, migration) = of.moved_from.clone().expect("moved");
    Fact::VersionChanged { from: of.version.clone(), to, migration: migration.back(), undone: true }
}

/// Asks that went out, by step and hour.
fn asked(history: &[Entry]) -> Vec<String> {
    let zone = jiff::tz::TimeZone::get(ZONE).expect("a zone");
    let plan_of = |key: &crate::fact::MessageKey| {
        history.iter().find_map(|entry| match &entry.fact {
            Fact::Planned(plan) if plan.key == *key => Some(plan.clone()),
            _ => None,
        })
    };
    let sent = history.iter().filter_map(|entry| match &entry.fact {
        Fact::HandedOver { message, result: HandoverResult::Accepted, .. } => {
            let plan = plan_of(message).expect("planned");
            let at = zone.to_datetime(entry.occurred_at).strftime("%m-%d %H:%M");
            (plan.purpose == crate::fact::Purpose::Ask).then(|| format!("{at} {}", plan.members[0].step))
        }
        _ => None,
    });
    sent.collect()
}

/// What waits for an answer or for a task to be done.
fn open(patient: &Rehearsal<'_>) -> Vec<(Name, Timestamp)> {
    let steps = &patient.state.enrollments[&PATIENT_A].steps;
    let waiting = steps.iter().flat_map(|(step, state)| {
        state.open.iter().filter(|open| open.closed.is_none()).map(|open| (step.clone(), open.due))
    });
    waiting.collect()
}

fn ahead(patient: &Rehearsal<'_>, until: Timestamp) -> Vec<(Name, Timestamp)> {
    let all = preview(patient.library, patient.site, &patient.state, PATIENT_A, until).expect("drawn");
    all.into_iter().map(|line| (line.step, line.due)).collect()
}

#[test]
fn nothing_is_guessed() {
    let open = |new: &Workflow| Migration::between(&daily(), new).expect_err("left open");
    let silent = |mut new: Workflow| {
        new.changes = crate::model::Changes::default();
        new
    };
    assert_eq!(open(&silent(later())), [Ambiguous::Retimed(name("check"))]);
    assert_eq!(open(&silent(renamed())), [Ambiguous::Gone(name("check"))]);
    assert_eq!(open(&silent(without())), [Ambiguous::Gone(name("check"))]);
    let mut other = daily();
    other.steps.iter_mut().find(|step| step.id == *"check").expect("a step").does =
        Does::Tell { words: crate::model::Text::default() };
    assert_eq!(open(&other), [Ambiguous::Different(name("check"))]);
    assert_eq!(Migration::between(&daily(), &daily()), Ok(Migration::default()));
}

/// The visit, and what leads up to it, four hours later.
fn later_visit() -> Workflow {
    let mut next = daily();
    let visit = next.steps.iter_mut().find(|step| step.id == *"visit").expect("a step");
    visit.timing.time = jiff::civil::time(14, 0, 0, 0);
    next.changes.retimed.push(name("visit"));
    next
}

/// Without the visit and what hangs on it.
fn without_visit() -> Workflow {
    let mut next = daily();
    for step in ["visit", "prepare", "after-visit"] {
        next.steps.retain(|known| known.id != *step);
        next.changes.removed.push(name(step));
    }
    next
}

#[test]
fn work_whose_window_is_open_is_not_lost_by_other_times() {
    let (new, site) = (later_visit(), SiteSettings::default());
    let library = library(std::slice::from_ref(&new));
    let visits = |patient: &Rehearsal<'_>| {
        patient.state.tasks.values().filter(|task| task.kind == TaskKind::Visit).count()
    };
    // It was due yesterday and may be done for two days yet; a day later it would be overdue and owed all the same.
    for at in ["2026-03-10T12:00", "2026-03-14T12:00"] {
        let mut patient = story(&library, &site, &daily(), "2026-03-02T10:00", "2026-03-02");
        patient.run_until(local(ZONE, at)).expect("runs");
        assert_eq!(visits(&patient), 1, "{at}");
        patient.happens(Some(PATIENT_A), Author::System, moved(&new)).expect("moved");
        patient.run_until(patient.now).expect("runs");
        assert_eq!(visits(&patient), 1, "{at}");
    }
}

#[test]
fn what_came_back_is_asked_again_when_its_step_is_planned_afresh() {
    let (new, site) = (later(), SiteSettings::default());
    let library = library(std::slice::from_ref(&new));
    let mut patient = story(&library, &site, &daily(), "2026-03-02T10:00", "2026-03-02");
    patient.run_until(local(ZONE, "2026-03-03T09:30")).expect("runs");
    let sent = patient.state.messages.keys().next().cloned().expect("a message");
    let lost = Fact::Receipt { message: sent, delivered: false };
    patient.happens(Some(PATIENT_A), Author::Staff(crate::StaffId(1)), lost).expect("found out");
    patient.happens(Some(PATIENT_A), Author::System, moved(&new)).expect("moved");
    patient.run_until(local(ZONE, "2026-03-03T11:00")).expect("runs");
    assert_eq!(asked(&patient.history), ["03-03 09:00 check", "03-03 10:00 check"]);
}

#[test]
fn a_move_that_is_taken_back_brings_back_what_an_outcome_had_started() {
    let (new, site) = (without_visit(), SiteSettings::default());
    let library = library(std::slice::from_ref(&new));
    let mut patient = story(&library, &site, &daily(), "2026-03-02T10:00", "2026-03-02");
    patient.run_until(local(ZONE, "2026-03-09T12:00")).expect("runs");
    let visit = patient.state.tasks.iter().find(|(_, task)| task.kind == TaskKind::Visit);
    let task = visit.map(|(key, _)| key.clone()).expect("a visit");
    let done = Fact::Outcome { task, code: crate::fact::OutcomeCode::Done };
    patient.happens(Some(PATIENT_A), Author::Staff(crate::StaffId(1)), done).expect("done");
    let after = |patient: &Rehearsal<'_>| {
        let until = local(ZONE, "2026-06-01T00:00");
        ahead(patient, until).iter().filter(|(step, _)| *step == *"after-visit").count()
    };
    assert_eq!(after(&patient), 1);
    patient.record(vec![fact(&patient, moved(&new))]).expect("moved");
    assert_eq!(after(&patient), 0);
    patient.record(vec![fact(&patient, undone(&patient))]).expect("moved back");
    assert_eq!(after(&patient), 1);
}

#[test]
fn a_follow_up_with_overdue_work_is_not_quiet() {
    let (new, site) = (without_visit(), SiteSettings::default());
    let library = library(std::slice::from_ref(&new));
    let mut patient = story(&library, &site, &daily(), "2026-03-02T10:00", "2026-03-02");
    patient.run_until(local(ZONE, "2026-03-25T12:00")).expect("runs");
    let owed: Vec<_> = patient.state.tasks.values().filter(|task| task.kind == TaskKind::Visit).collect();
    assert_eq!(owed.len(), 1, "overdue and owed");
    let Fact::VersionChanged { to, migration, .. } = moved(&new) else { unreachable!() };
    let chosen = Fact::VersionChosen { to, choice: VersionChoice::MoveWhenQuiet(migration) };
    patient.happens(Some(PATIENT_A), Author::System, chosen).expect("chosen");
    patient.run_until(local(ZONE, "2026-03-27T12:00")).expect("runs");
    assert_eq!(patient.state.enrollments[&PATIENT_A].version, daily().version(), "it waits for the visit");
    assert!(patient.state.tasks.values().any(|task| task.kind == TaskKind::Visit));
}

#[test]
fn a_step_around_a_retimed_one_moves_with_it() {
    let next = later_visit();
    let migration = Migration::between(&daily(), &next).expect("stated");
    let around = daily().steps.into_iter().filter(|step| matches!(step.schedule, Schedule::Around { .. }));
    for step in around {
        assert!(migration.retimed.contains(&step.id), "{}", step.id);
    }
    assert!(migration.retimed.contains("visit"));
}

#[test]
fn a_retimed_step_is_asked_at_the_new_hour_and_never_twice_a_day() {
    let (new, site) = (later(), SiteSettings::default());
    let library = library(std::slice::from_ref(&new));
    let mut patient = story(&library, &site, &daily(), "2026-03-02T10:00", "2026-03-02");
    patient.run_until(local(ZONE, "2026-03-03T09:30")).expect("runs");
    patient.happens(Some(PATIENT_A), Author::System, moved(&new)).expect("moved");
    patient.run_until(local(ZONE, "2026-03-05T00:00")).expect("runs");
    assert_eq!(asked(&patient.history)[..2], ["03-03 09:00 check", "03-04 10:00 check"]);
    // What went out before is followed to its end by the rules as before.
    let silent = |entry: &Entry| matches!(&entry.fact, Fact::Closed { about, how: Closing::Silent } if about.generation == 1);
    assert!(patient.history.iter().any(silent));
}

#[test]
fn undoing_at_once_changes_nothing_that_lies_ahead() {
    let site = SiteSettings::default();
    for new in [later(), renamed(), without()] {
        let library = library(std::slice::from_ref(&new));
        for at in ["2026-03-03T08:30", "2026-03-03T09:30", "2026-03-09T12:00"] {
            let mut patient = story(&library, &site, &daily(), "2026-03-02T10:00", "2026-03-02");
            patient.run_until(local(ZONE, at)).expect("runs");
            let until = local(ZONE, "2026-07-01T00:00");
            let before = (open(&patient), ahead(&patient, until));
            let asked = latest(&patient, PATIENT_A, "check").filter(|_| at.ends_with("09:30"));
            patient.record(vec![fact(&patient, moved(&new))]).expect("moved");
            patient.record(vec![fact(&patient, undone(&patient))]).expect("moved back");
            let mut after = (open(&patient), ahead(&patient, until));
            // What went out is not asked twice: it was withdrawn, unless only its name changed. Its link takes the answer.
            if let Some(about) = asked {
                let link = patient.state.occurrence(&about).expect("known");
                if let Some(how) = link.closed {
                    assert_eq!(how, Closing::Withdrawn);
                    after.0.push((about.step.clone(), link.due));
                }
                patient
                    .happens(Some(PATIENT_A), Author::Patient, answer(about.clone(), "78.2", "bad"))
                    .expect("answered");
                assert_eq!(
                    patient.state.occurrence(&about).and_then(|open| open.closed),
                    Some(Closing::Done)
                );
            }
            assert_eq!(after, before, "{at}");
            let of = &patient.state.enrollments[&PATIENT_A];
            assert_eq!((&of.version, &of.moved_from), (&daily().version(), &None));
        }
    }
}

fn fact(patient: &Rehearsal<'_>, fact: Fact) -> crate::fact::NewFact {
    crate::fact::NewFact {
        enrollment: Some(PATIENT_A),
        occurred_at: patient.now,
        author: Author::System,
        fact,
    }
}

#[test]
fn a_new_name_changes_nothing_for_the_patient() {
    let (new, site) = (renamed(), SiteSettings::default());
    let library = library(std::slice::from_ref(&new));
    let mut patient = story(&library, &site, &daily(), "2026-03-02T10:00", "2026-03-02");
    patient.run_until(local(ZONE, "2026-03-03T09:30")).expect("runs");
    let about = latest(&patient, PATIENT_A, "check").expect("asked");
    let now = patient.now;
    let difference = difference(&patient, &new, false, now);
    assert!(difference.is_empty(), "{difference:?}");
    patient.happens(Some(PATIENT_A), Author::System, moved(&new)).expect("moved");
    // The link that went out still says the old name.
    patient.happens(Some(PATIENT_A), Author::Patient, answer(about, "78.2", "bad")).expect("answered");
    let of = &patient.state.enrollments[&PATIENT_A];
    assert_eq!(of.steps[&name("daily-check")].answers, 1);
    assert!(!of.steps.contains_key(&name("check")));
    assert_eq!(patient.state.tasks.values().filter(|task| task.kind == TaskKind::Alert).count(), 1);
    patient.run_until(local(ZONE, "2026-03-04T09:30")).expect("runs");
    assert_eq!(asked(&patient.history)[..2], ["03-03 09:00 check", "03-04 09:00 daily-check"]);
}

fn difference(patient: &Rehearsal<'_>, new: &Workflow, undone: bool, now: Timestamp) -> Difference {
    let from = &patient.library[&patient.state.enrollments[&PATIENT_A].version];
    let migration = Migration::between(from, new).expect("stated");
    let what = Move { enrollment: PATIENT_A, to: &new.version(), migration: &migration, undone };
    let until = local(ZONE, "2026-06-01T00:00");
    compare(patient.library, patient.site, &patient.state, &what, now, until).expect("compared")
}

#[test]
fn the_answer_to_a_removed_step_is_kept_judged_and_shown() {
    let (new, site) = (without(), SiteSettings::default());
    let library = library(std::slice::from_ref(&new));
    let mut patient = story(&library, &site, &daily(), "2026-03-02T10:00", "2026-03-02");
    patient.run_until(local(ZONE, "2026-03-03T09:30")).expect("runs");
    let about = latest(&patient, PATIENT_A, "check").expect("asked");
    patient.happens(Some(PATIENT_A), Author::System, moved(&new)).expect("moved");
    patient.run_until(local(ZONE, "2026-03-04T12:00")).expect("runs");
    assert_eq!(asked(&patient.history), ["03-03 09:00 check"], "nothing more is asked");
    patient
        .happens(Some(PATIENT_A), Author::Patient, answer(about.clone(), "78.2", "bad"))
        .expect("answered");
    assert_eq!(patient.state.occurrence(&about).and_then(|open| open.closed), Some(Closing::Done));
    let kinds: Vec<TaskKind> = patient.state.tasks.values().map(|task| task.kind).collect();
    assert!(kinds.contains(&TaskKind::Alert) && kinds.contains(&TaskKind::Review), "{kinds:?}");
    // The rule that raised it is one of the version that asked, and is looked up there.
    let (key, _) = patient.state.tasks.iter().find(|(_, task)| task.kind == TaskKind::Alert).expect("raised");
    let why = crate::why::why(&patient.history, crate::why::Subject::Task(key)).expect("explained");
    assert_eq!((why.from, why.version), (Some(name("feels-bad")), Some((name("daily"), daily().version()))));
}

#[test]
fn an_answer_that_is_written_down_with_the_move_goes_by_the_new_name() {
    let (new, site) = (renamed(), SiteSettings::default());
    let library = library(std::slice::from_ref(&new));
    let mut patient = story(&library, &site, &daily(), "2026-03-02T10:00", "2026-03-02");
    patient.run_until(local(ZONE, "2026-03-05T08:00")).expect("runs");
    let calls = |patient: &Rehearsal<'_>| {
        patient.state.tasks.values().filter(|task| task.kind == TaskKind::Call).count()
    };
    assert_eq!(calls(&patient), 1, "twice silent");
    let about = latest(&patient, PATIENT_A, "check").expect("asked");
    let both = vec![fact(&patient, answer(about, "78.2", "good")), fact(&patient, moved(&new))];
    patient.record(both).expect("recorded");
    assert_eq!(calls(&patient), 0, "the call about the silence is needless");
}

#[test]
fn the_difference_that_is_announced_is_the_one_that_comes() {
    let site = SiteSettings::default();
    for new in [later(), renamed(), without()] {
        let library = library(std::slice::from_ref(&new));
        for at in ["2026-03-03T08:30", "2026-03-03T09:30", "2026-03-09T12:00"] {
            let mut patient = story(&library, &site, &daily(), "2026-03-02T10:00", "2026-03-02");
            patient.run_until(local(ZONE, at)).expect("runs");
            let until = local(ZONE, "2026-06-01T00:00");
            let announced = difference(&patient, &new, false, patient.now);
            let (history, messages) = (patient.history.len(), patient.state.messages.clone());
            let before = ahead(&patient, until);
            let before: Vec<_> = open(&patient).into_iter().chain(before).collect();
            assert_eq!((history, messages), (patient.history.len(), patient.state.messages.clone()));
            patient.record(vec![fact(&patient, moved(&new))]).expect("moved");
            let after: Vec<_> = open(&patient).into_iter().chain(ahead(&patient, until)).collect();
            let called = |step: &Name| new.changes.follow(step).unwrap_or(step).clone();
            let before: Vec<_> = before.into_iter().map(|(step, due)| (called(&step), due)).collect();
            // The page draws fewer lines of a daily step than are compared.
            let pairs = |lines: &[Line]| -> Vec<(Name, Timestamp)> {
                lines.iter().map(|line| (line.step.clone(), line.due)).collect()
            };
            let near = local(ZONE, "2026-04-10T00:00");
            let only = |these: &[(Name, Timestamp)], those: &[(Name, Timestamp)]| {
                let mut found: Vec<_> =
                    these.iter().filter(|one| !those.contains(one) && one.1 < near).cloned().collect();
                found.sort_by(|a, b| (a.1, &a.0).cmp(&(b.1, &b.0)));
                found
            };
            let announced_near = |lines: &[Line]| -> Vec<_> {
                pairs(lines).into_iter().filter(|(_, due)| *due < near).collect()
            };
            assert_eq!(only(&after, &before), announced_near(&announced.gets), "{at}");
            assert_eq!(only(&before, &after), announced_near(&announced.loses), "{at}");
        }
    }
}
