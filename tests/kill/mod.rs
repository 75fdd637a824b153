//! `kill -9` of `tend serve` at named points of a send and at random, restarted at once under load. An auditor reads the database and the
//! carrier's own log: nothing lost, nothing handed over twice, and no more in doubt than connections were open.
//!
//! A failed run prints its seed and the command that replays it. With `TEND_KILL_REPORT=FOLDER` a report is written.

mod process;
mod rounds;
pub mod ward;

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
    rounds::run(Ward::on_sqlite, plan("SQLite")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rounds_on_postgres() {
    rounds::run(Ward::on_postgres, plan("PostgreSQL")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_thousand_due_steps_survive_a_kill_without_delay() {
    two_thousand("SQLite", Ward::on_sqlite().await, Ward::on_sqlite().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_thousand_due_steps_survive_a_kill_without_delay_on_postgres() {
    two_thousand("PostgreSQL", Ward::on_postgres().await, Ward::on_postgres().await).await;
}

/// The time that a killed run takes beyond one that was not killed. Both run side by side, so that whatever else the
/// machine does slows both.
async fn two_thousand(database: &str, quiet: Ward, killed: Ward) {
    quiet.enroll_due(DUE).await;
    killed.enroll_due(DUE).await;
    let (quiet, killed) = (tokio::spawn(until_done(quiet, false)), tokio::spawn(until_done(killed, true)));
    let (quiet, killed) = (quiet.await.expect("done"), killed.await.expect("done"));
    println!("{database}, 2,000 due: {quiet:?} without a kill, {killed:?} with one");
    assert!(killed < quiet + Duration::from_secs(5), "{killed:?} with a kill, {quiet:?} without");
}

async fn until_done(ward: Ward, kill: bool) -> Duration {
    let begin = Instant::now();
    if kill {
        let process = ward.start(None);
        ward.wait_for_taken(DUE / 10, Duration::from_secs(60)).await;
        process.kill();
    }
    let process = ward.start(None);
    ward.wait_until_settled(Duration::from_secs(480)).await;
    let took = begin.elapsed();
    tokio::task::block_in_place(|| process.stop());
    let audit = ward.audit().await;
    assert_eq!(audit.findings, Vec::<String>::new());
    assert!(audit.taken + audit.doubt_never_left >= DUE, "{audit:?}");
    took
}
