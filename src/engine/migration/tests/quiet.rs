//! A follow-up that waits moves in a quiet instant.

use super::*;

#[test]
fn a_follow_up_that_waits_moves_when_its_window_closes() {
    let (new, site) = (later(), SiteSettings::default());
    let library = library(std::slice::from_ref(&new));
    let mut patient = story(&library, &site, &daily(), "2026-03-02T10:00", "2026-03-02");
    patient.run_until(local(ZONE, "2026-03-03T09:30")).expect("runs");
    let Fact::VersionChanged { to, migration, .. } = moved(&new) else { unreachable!() };
    let chosen = Fact::VersionChosen { to: to.clone(), choice: VersionChoice::MoveWhenQuiet(migration) };
    patient.happens(Some(PATIENT_A), Author::System, chosen).expect("chosen");
    let version = |patient: &Rehearsal<'_>| patient.state.enrollments[&PATIENT_A].version.clone();
    assert_eq!(version(&patient), daily().version());
    patient.run_until(local(ZONE, "2026-03-03T23:59")).expect("runs");
    assert_eq!(version(&patient), daily().version());
    patient.run_until(local(ZONE, "2026-03-06T00:00")).expect("runs");
    assert_eq!(version(&patient), to);
    let by_the_engine = |entry: &&Entry| matches!(entry.fact, Fact::VersionChanged { .. });
    let moved = patient.history.iter().find(by_the_engine).expect("moved");
    assert_eq!(moved.author, Author::Engine);
}

/// The check at midnight: its window closes as the next one opens.
fn at_midnight() -> Workflow {
    let mut old = daily();
    let check = old.steps.iter_mut().find(|step| step.id == *"check").expect("a step");
    check.timing.time = jiff::civil::Time::midnight();
    old
}

#[test]
fn windows_that_touch_leave_an_instant_to_move() {
    let (old, site) = (at_midnight(), SiteSettings::default());
    let mut new = daily();
    new.changes.retimed.push(name("check"));
    let library = library(&[old.clone(), new.clone()]);
    let mut patient = story(&library, &site, &old, "2026-03-02T10:00", "2026-03-02");
    patient.run_until(local(ZONE, "2026-03-03T12:00")).expect("runs");
    let migration = Migration::between(&old, &new).expect("stated");
    let chosen = Fact::VersionChosen { to: new.version(), choice: VersionChoice::MoveWhenQuiet(migration) };
    patient.happens(Some(PATIENT_A), Author::System, chosen).expect("chosen");
    patient.run_until(local(ZONE, "2026-03-04T12:00")).expect("runs");
    let moved = patient.history.iter().find(|entry| matches!(entry.fact, Fact::VersionChanged { .. }));
    assert_eq!(moved.expect("moved").recorded_at, local(ZONE, "2026-03-04T00:00"));
    let silent = |entry: &&Entry| matches!(entry.fact, Fact::Closed { how: Closing::Silent, .. });
    let closed = patient.history.iter().find(silent).expect("closed");
    assert!(closed.seq < moved.expect("moved").seq, "what waited was waited for to its end");
    assert_eq!(asked(&patient.history), ["03-03 08:00 check", "03-04 09:00 check"]);
}
