//! Two writers on one database.

use std::time::{Duration, Instant};

use tend::app::Actor;
use tend::app::advance::Ticked;
use tend::app::record::just_now;
use tend::app::task::TaskError;
use tend::ports::Clock;
use tend::store::{Busy, FreeText};
use tend_engine::{StaffId, fact::Fact};

use super::world::{World, on_both};

on_both!(
    two_writers_decide_one_after_the_other,
    many_writers_of_one_patient_lose_nothing,
    of_many_who_take_a_task_at_once_one_has_it,
    whoever_is_cut_off_holds_nothing_afterwards,
);

/// PostgreSQL: a group leaves out who is held by another node. SQLite has one serving process.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_patient_held_by_another_node_is_left_to_it() {
    let world = World::on_postgres().await;
    let one = world.enroll("Anna Example", "+447700900001").await;
    world.enroll("Bea Example", "+447700900002").await;
    world.clock.set(world.app.store.next_wake().await.expect("a look").expect("somebody is due"));
    let other = world.another_node().await;
    let mut held = world.app.store.begin();
    assert_eq!(held.lock(&[one.patient], Busy::Skip).await.expect("a lock").len(), 1);
    let (ticked, _) = other.tick().await.expect("a tick");
    assert_eq!(ticked, Ticked { advanced: 1, quarantined: 0 });
    held.rollback().await.expect("a rollback");
    let (ticked, _) = other.tick().await.expect("a tick");
    assert_eq!(ticked, Ticked { advanced: 1, quarantined: 0 });
    world.is_sound().await;
}

async fn two_writers_decide_one_after_the_other(world: World) {
    for n in 1..=20 {
        world.enroll(&format!("Patient {n}"), &format!("+4477009000{n:02}")).await;
    }
    world.clock.set(world.app.store.next_wake().await.expect("a look").expect("somebody is due"));
    let due = world.app.store.due(world.clock.now(), 100).await.expect("a look");
    let other = world.another_node().await;
    let (one, two) = tokio::join!(world.app.advance(&due), other.advance(&due));
    let (one, two) = (one.expect("one"), two.expect("two"));
    assert!(one.advanced + two.advanced >= due.len(), "{one:?} {two:?}");
    assert_eq!(one.quarantined + two.quarantined, 0);
    assert_eq!(
        world.number("select count(*) from event").await,
        world.number("select cast(sum(seq) as bigint) from patient").await
    );
    world.is_sound().await;
}

async fn many_writers_of_one_patient_lose_nothing(world: World) {
    let who = world.enroll("Anna Example", "+447700900001").await;
    let other = std::sync::Arc::new(world.another_node().await);
    let before = world.number("select count(*) from event where kind = 'daily_consent'").await;
    let mut writers = tokio::task::JoinSet::new();
    for n in 0..8 {
        let app = if n % 2 == 0 { world.app.clone() } else { other.clone() };
        let fact = just_now(Actor::System, world.clock.now(), None, Fact::DailyConsent { given: n % 3 == 0 });
        writers.spawn(async move {
            app.record(Actor::System, "consent", who.patient, vec![fact], &FreeText::new()).await.map(|_| ())
        });
    }
    let written = writers.join_all().await;
    let written = written.iter().filter(|one| one.is_ok()).count();
    assert_eq!(written, 8, "each decides again until it gets through");
    assert_eq!(world.number("select count(*) from event where kind = 'daily_consent'").await, before + 8);
    world.is_sound().await;
}

async fn of_many_who_take_a_task_at_once_one_has_it(world: World) {
    let who = world.enroll("Anna Example", "+447700900001").await;
    world.pass(24 * 10).await;
    let tasks = world.app.store.tasks_of(who.patient).await.expect("a look");
    let task = tasks.iter().find(|task| task.open).expect("an open task").id;
    let mut nurses = tokio::task::JoinSet::new();
    for nurse in 1..=8 {
        let app = world.app.clone();
        nurses.spawn(async move { app.take_task(task, StaffId(nurse)).await.map(|()| nurse) });
    }
    let taken = nurses.join_all().await;
    let winners: Vec<u128> = taken.iter().filter_map(|one| one.as_ref().ok().copied()).collect();
    assert_eq!(winners.len(), 1, "{taken:?}");
    assert!(
        taken.iter().all(|one| matches!(one, Ok(_) | Err(TaskError::Taken { .. }))),
        "the others are told that somebody has it: {taken:?}"
    );
    let now = world.app.store.task(task).await.expect("a look").expect("the task");
    assert_eq!(now.taken_by.map(|(by, _)| by.0), winners.first().copied());
    assert_eq!(world.number("select count(*) from event where kind = 'taken'").await, 1);
    world.is_sound().await;
}

/// A browser that goes away ends its request in the middle of whatever it was waiting for.
async fn whoever_is_cut_off_holds_nothing_afterwards(world: World) {
    let patient = world.enroll("Anna Example", "+447700900001").await.patient;
    for n in 0..150 {
        let store = world.app.store.clone();
        let working = tokio::spawn(async move {
            let mut tx = store.begin();
            tx.lock(&[patient], Busy::Wait).await.expect("a lock");
            tx.rollback().await.expect("taken back");
        });
        // Finer than the runtime's own clock.
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_micros(n * 10) {
            std::hint::spin_loop();
        }
        working.abort();
        // Cut off or done.
        let _ = working.await;
        let until = Instant::now() + Duration::from_secs(5);
        while world.app.store.is_postgres() && world.number(OPEN).await > 0 {
            assert!(Instant::now() < until, "a transaction was left open that nobody ends");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
    let mut tx = world.app.store.begin();
    let locked = tokio::time::timeout(Duration::from_secs(10), tx.lock(&[patient], Busy::Wait)).await;
    assert_eq!(locked.expect("nobody holds it").expect("a lock").len(), 1);
}

/// Transactions of other connections that wait for somebody, and the one that this very question was asked inside of.
const OPEN: &str = "select count(*) from pg_stat_activity where datname = current_database()
    and (state like 'idle in transaction%'
         or pid = pg_backend_pid() and statement_timestamp() - xact_start > interval '1 millisecond')";
