//! Facts and what follows from them: one commit, one sequence, rows that can be rebuilt.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use tend::app::Actor;
use tend::app::record::just_now;
use tend::ports::Clock;
use tend::store::{Busy, FreeText, StoreError};
use tend_engine::fact::{Fact, StopReason};
use tend_engine::model::Channel;

use super::world::{World, newcomer, on_both};

on_both!(
    a_due_step_becomes_a_message,
    a_course_of_a_week_can_be_rebuilt,
    a_row_changed_by_hand_is_found,
    free_text_is_kept_beside_its_fact,
    a_conflict_is_told_and_leaves_nothing,
    a_number_belongs_to_one_patient,
    the_same_key_is_refused,
    stopping_ends_what_was_planned,
    every_use_case_is_in_the_audit_log,
);

async fn a_due_step_becomes_a_message(world: World) {
    let who = world.enroll("Anna Example", "+447700900001").await;
    world.pass(24).await;
    let ready = world.app.store.ready(Channel::Sms, world.clock.now(), 10).await.expect("a look");
    assert!(ready.iter().all(|(_, patient)| *patient == who.patient) && !ready.is_empty());
    let texts = world.send_all(Channel::Sms).await;
    assert!(texts.iter().any(|text| text.contains("https://t.example/c/")), "{texts:?}");
    assert_eq!(
        world.number("select count(*) from message where state = 'handed_over'").await,
        texts.len() as i64
    );
    assert!(world.send_all(Channel::Sms).await.is_empty(), "nothing goes twice");
    world.is_sound().await;
}

async fn a_course_of_a_week_can_be_rebuilt(world: World) {
    world.enroll("Anna Example", "+447700900001").await;
    world.enroll("Bea Example", "+447700900002").await;
    for _ in 0..14 {
        world.pass(12).await;
        world.send_all(Channel::Sms).await;
    }
    assert!(world.number("select count(*) from event").await > 40);
    assert!(world.number("select count(*) from task").await > 2);
    world.is_sound().await;
}

async fn a_row_changed_by_hand_is_found(world: World) {
    world.enroll("Anna Example", "+447700900001").await;
    world.pass(24).await;
    world.sql("update message set state = 'delivered'").await;
    world.sql("update queue_count set n = n + 1").await;
    let findings = world.app.doctor(true).await.expect("a check");
    assert!(findings.differences.iter().any(|line| line.contains("message")), "{:?}", findings.differences);
    assert!(findings.differences.iter().any(|line| line.contains("queue")), "{:?}", findings.differences);
}

async fn free_text_is_kept_beside_its_fact(world: World) {
    let who = world.enroll("Anna Example", "+447700900001").await;
    let stopped = Fact::Stopped { reason: StopReason::Withdrawn };
    let fact = just_now(Actor::System, world.clock.now(), Some(who.enrollment), stopped);
    let text = FreeText::from([("reason".to_owned(), "moved to her daughter in Leeds".to_owned())]);
    world.app.record(Actor::System, "stop", who.patient, vec![fact], &text).await.expect("a record");
    let lines = world.app.store.history(who.patient, 0, 100).await.expect("a history");
    let said: Vec<&BTreeMap<String, String>> =
        lines.iter().map(|line| &line.words).filter(|words| !words.is_empty()).collect();
    assert_eq!(said, [&text]);
    assert!(lines.iter().zip(1..).all(|(line, n)| line.entry.seq == n), "numbered from 1 without a gap");
}

async fn a_conflict_is_told_and_leaves_nothing(world: World) {
    let who = world.enroll("Anna Example", "+447700900001").await;
    let mut tx = world.app.store.begin();
    let mut locked = world.app.lock_one(&mut tx, who.patient).await.expect("a lock");
    // As if somebody else had written in between: the patient that was read is not the one that is there.
    locked.seq -= 1;
    let fact = just_now(Actor::System, world.clock.now(), Some(who.enrollment), Fact::Resumed);
    let refused =
        world.app.append(&mut tx, Actor::System, "resume", &mut locked, vec![fact], &FreeText::new()).await;
    assert!(matches!(refused, Err(tend::app::RecordError::Store(StoreError::Conflict))), "{refused:?}");
    drop(tx);
    world.is_sound().await;
    let mut tx = world.app.store.begin();
    assert_eq!(
        tx.lock(&[who.patient], Busy::Skip).await.expect("a lock").len(),
        1,
        "the lock was given back"
    );
}

async fn a_number_belongs_to_one_patient(world: World) {
    world.enroll("Anna Example", "+447700900001").await;
    let again = newcomer("Anna Example", "+447700900009", world.clock.now());
    let error = world.app.enroll(Actor::System, &[again]).await.expect_err("the same hospital number");
    assert_eq!(error.to_string(), "a patient with that number is there already: enrol that one");
    assert_eq!(world.number("select count(*) from patient").await, 1, "all or nothing");
}

async fn the_same_key_is_refused(world: World) {
    world.enroll("Anna Example", "+447700900001").await;
    world.pass(24).await;
    let columns = "patient, key, site, purpose, channel, rung, state, plan, send_after, not_after, attempt, \
                   next_attempt_at, fence, created_at, updated_at";
    let id = if world.file().is_some() {
        "x'00000000000000000000000000000001'"
    } else {
        "'00000000-0000-0000-0000-000000000001'"
    };
    let twice = format!("insert into message (id, {columns}) select {id}, {columns} from message limit 1");
    let refused = match world.app.store.job_pool() {
        tend::store::JobPool::Sqlite(pool) => {
            sqlx::query(sqlx::AssertSqlSafe(twice)).execute(&pool).await.map(|_| ())
        }
        tend::store::JobPool::Postgres(pool) => {
            sqlx::query(sqlx::AssertSqlSafe(twice)).execute(&pool).await.map(|_| ())
        }
    };
    let refused = refused.expect_err("one message per key");
    assert!(refused.as_database_error().is_some_and(|error| error.is_unique_violation()), "{refused}");
}

async fn stopping_ends_what_was_planned(world: World) {
    let who = world.enroll("Anna Example", "+447700900001").await;
    world.pass(23).await;
    let stopped = Fact::Stopped { reason: StopReason::Clinician };
    let fact = just_now(Actor::System, world.clock.now(), Some(who.enrollment), stopped);
    world
        .app
        .record(Actor::System, "stop", who.patient, vec![fact], &FreeText::new())
        .await
        .expect("a record");
    world.clock.forward(SignedDuration::from_hours(72));
    world.app.tick().await.expect("a tick");
    assert!(world.claim(Channel::Sms).await.is_empty());
    assert_eq!(
        world
            .number("select count(*) from enrollment where standing = 'over' and ended_at is not null")
            .await,
        1
    );
    assert_eq!(world.number("select count(*) from message where state = 'scheduled'").await, 0);
    world.is_sound().await;
}

async fn every_use_case_is_in_the_audit_log(world: World) {
    world.enroll("Anna Example", "+447700900001").await;
    world.pass(24).await;
    world.send_all(Channel::Sms).await;
    world.text_from("+447700900001", "in-1", "STOP").await;
    let actions =
        world.texts("select distinct action from audit where patient is not null order by action").await;
    assert_eq!(actions, ["advance", "enroll", "reply", "send"]);
}
