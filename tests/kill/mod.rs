//! `kill -9` at named points of a send and at random, restarted at once under load. An auditor reads the database and the
//! carrier's own log: nothing lost, nothing handed over twice, and no more in doubt than connections were open.
//!
//! A failed run prints its seed; `TEND_KILL_SEED=… TEND_KILL_ROUNDS=… cargo test -p tend kill::` replays it.

mod process;
mod rounds;
mod ward;

use std::time::{Duration, Instant};

use rounds::Plan;
use ward::Ward;

const SEED: u64 = 20_260_302;
const ROUNDS: u32 = 30;
const ROUNDS_LONG: u32 = 200;
/// Patients who are due when the process is killed.
const DUE: usize = 2_000;

fn from_environment(name: &str) -> Option<u64> {
    std::env::var(name)
        .ok()
        .map(|text| text.parse().unwrap_or_else(|_| panic!("{name} is no number: {text}")))
}

fn plan(database: &'static str) -> Plan {
    let long = std::env::var_os("TEND_LONG").is_some();
    let rounds = if long { ROUNDS_LONG } else { ROUNDS };
    let rounds =
        from_environment("TEND_KILL_ROUNDS").map_or(rounds, |rounds| u32::try_from(rounds).expect("a count"));
    Plan { database, seed: from_environment("TEND_KILL_SEED").unwrap_or(SEED), rounds }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rounds_on_sqlite() {
    rounds::run(Ward::on_sqlite().await, plan("SQLite")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rounds_on_postgres() {
    rounds::run(Ward::on_postgres().await, plan("PostgreSQL")).await;
}

/// The time that a killed run takes beyond one that was not killed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_thousand_due_steps_survive_a_kill_without_delay() {
    let mut took = [Duration::ZERO; 2];
    for (killed, took) in [false, true].into_iter().zip(&mut took) {
        let ward = Ward::on_sqlite().await;
        ward.enroll_due(DUE).await;
        let begin = Instant::now();
        if killed {
            let process = ward.start(None);
            ward.wait_for_taken(DUE / 10, Duration::from_secs(60)).await;
            process.kill();
        }
        let process = ward.start(None);
        ward.wait_until_settled(Duration::from_secs(240)).await;
        *took = begin.elapsed();
        process.stop();
        let audit = ward.audit().await;
        assert_eq!(audit.findings, Vec::<String>::new());
        assert!(audit.taken + audit.doubt_never_left >= DUE, "{audit:?}");
    }
    let [quiet, killed] = took;
    println!("2,000 due: {quiet:?} without a kill, {killed:?} with one");
    assert!(killed < quiet + Duration::from_secs(5), "{killed:?} with a kill, {quiet:?} without");
}
