//! Nobody is lost: each running follow-up has a next thing of its own, whatever another one of the same patient waits for.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use tend::app::enroll::{Course, Enrolled};
use tend::app::long_job::RunEnd;
use tend::app::lost::HowLost;
use tend::app::record::just_now;
use tend::app::{Actor, App};
use tend::ports::Clock;
use tend::store::FreeText;
use tend_engine::Value;
use tend_engine::fact::{Fact, StopReason};

use super::world::{SITE, World, on_both, word};

on_both!(
    what_one_follow_up_waits_for_hides_nothing_of_another,
    the_night_looks_again_at_who_is_lost,
    whom_a_look_does_not_help_is_given_to_the_lead_nurse,
);

/// Somebody who is asked every day and whom a nurse is to call, and whose next examination is months away.
async fn two_follow_ups(world: &World) -> (Enrolled, Enrolled) {
    let daily = world.enroll("Anna Example", "+447700900001").await;
    let today = jiff::tz::TimeZone::UTC.to_datetime(world.clock.now()).date();
    let course = Course {
        workflow: word("nmibc-surveillance"),
        facts: BTreeMap::from([(word("risk_group"), Value::Choice(word("high")))]),
        anchors: BTreeMap::from([(word("turbt"), today)]),
    };
    let slow = world.app.enroll_known(Actor::System, daily.patient, SITE, &course).await.expect("enrolled");
    (daily, slow)
}

/// The follow-ups that the doctor calls lost, and whether each is never looked at.
async fn lost(app: &App) -> Vec<(tend_engine::EnrollmentId, bool)> {
    let findings = app.doctor(false).await.expect("a look");
    assert_eq!(findings.healthy(), findings.lost.is_empty());
    let never = |how: &HowLost| matches!(how, HowLost::Never | HowLost::Late { looked_at: None, .. });
    findings.lost.iter().map(|one| (one.enrollment, never(&one.how))).collect()
}

/// As if the patient were next looked at on that day from now.
async fn look_after_days(world: &World, days: i64) {
    let at = world.clock.now() + SignedDuration::from_hours(24 * days);
    world.sql(&format!("update patient set wake_at = {}", at.as_microsecond())).await;
}

async fn night(world: &World) {
    let day = jiff::tz::TimeZone::UTC.to_datetime(world.clock.now()).date().tomorrow().expect("a day");
    world.clock.set(format!("{day}T02:30:00Z").parse().expect("an instant"));
    world.app.plan_nights().await.expect("planned");
    for job in world.app.store.due_long_jobs().await.expect("a look") {
        assert_eq!(world.app.run_long_job(job, &|| false).await.expect("a run"), RunEnd::Done);
    }
}

async fn what_one_follow_up_waits_for_hides_nothing_of_another(world: World) {
    let (daily, slow) = two_follow_ups(&world).await;
    assert_eq!(lost(&world.app).await, []);
    world.is_sound().await;
    // The daily one has a task of its own, and the patient a wake-up: neither helps the other.
    assert!(world.number("select count(*) from task where open and enrollment is not null").await > 0);
    look_after_days(&world, 20).await;
    assert_eq!(lost(&world.app).await, [(slow.enrollment, false)]);
    world.sql("update patient set wake_at = null").await;
    assert_eq!(lost(&world.app).await, [(slow.enrollment, true)]);
    // The page of the system's health sees one that is never looked at by itself.
    assert_eq!(world.app.store.lost_patients(SITE, 10).await.expect("a look"), [slow.patient]);
    let stop = |of: &Enrolled| {
        let stopped = Fact::Stopped { reason: StopReason::Withdrawn };
        just_now(Actor::System, world.clock.now(), Some(of.enrollment), stopped)
    };
    let record = async |fact| {
        world
            .app
            .record(Actor::System, "stop", daily.patient, vec![fact], &FreeText::new())
            .await
            .expect("recorded")
    };
    record(stop(&daily)).await;
    assert_eq!(lost(&world.app).await, []);
    record(stop(&slow)).await;
    world.sql("update patient set wake_at = null").await;
    assert_eq!(lost(&world.app).await, [], "what is over needs nothing");
}

async fn the_night_looks_again_at_who_is_lost(world: World) {
    let (_, slow) = two_follow_ups(&world).await;
    world.pass(30).await;
    look_after_days(&world, 20).await;
    assert_eq!(lost(&world.app).await, [(slow.enrollment, false)]);
    night(&world).await;
    assert_eq!(lost(&world.app).await, []);
    let found = "select count(*) from audit where action = 'find lost'";
    assert_eq!(world.number(found).await, 1);
    assert_eq!(world.number("select count(*) from patient where quarantined is not null").await, 0);
    world.pass(1).await;
    night(&world).await;
    assert_eq!(world.number(found).await, 1, "nobody is lost any more");
    world.is_sound().await;
}

async fn whom_a_look_does_not_help_is_given_to_the_lead_nurse(world: World) {
    let (daily, slow) = two_follow_ups(&world).await;
    let stopped = Fact::Stopped { reason: StopReason::Withdrawn };
    let stop = just_now(Actor::System, world.clock.now(), Some(slow.enrollment), stopped);
    world
        .app
        .record(Actor::System, "stop", daily.patient, vec![stop], &FreeText::new())
        .await
        .expect("recorded");
    // The row says that it runs, the history that it is over.
    world.sql("update enrollment set standing = 'active'").await;
    assert_eq!(lost(&world.app).await, [(slow.enrollment, true)]);
    night(&world).await;
    let tasks =
        "select count(*) from task where key = 'quarantine' and role = 'nurse_lead' and state = 'open'";
    assert_eq!(world.number(tasks).await, 1);
    let reasons = world.texts("select quarantined from patient").await;
    assert!(reasons[0].contains("nothing will ever happen"), "{reasons:?}");
}
