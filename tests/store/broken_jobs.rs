//! A worker of the job library ends for good on its first error of the database. It is started again under a fresh name, and what it
//! was to do is done.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use super::long_job::{each_line_of_all_once, job_tables, table_is_there, upload_from, with_workers};
use super::world::{World, on_both};

on_both!(a_worker_whose_job_table_breaks_starts_again_and_finishes);

const LINES: u32 = 12;
/// Longer than the worker's heartbeat, which needs the table.
const BROKEN: Duration = Duration::from_secs(32);
/// For another one to begin.
const ANEW: Duration = Duration::from_secs(30);

async fn a_worker_whose_job_table_breaks_starts_again_and_finishes(world: World) {
    let first = upload_from(&world, 1, LINES).await;
    let (jobs, workers) = job_tables(&world);
    let short = jobs.split('.').next_back().expect("a name");
    let aside = jobs.replace(short, "aside");
    let names = async || {
        let names = world.texts(&format!("select id from {workers}")).await;
        names.into_iter().filter(|name| name.starts_with("long-")).collect::<BTreeSet<String>>()
    };
    let second = Mutex::new(None);
    let saboteur = async || {
        while !table_is_there(&world, workers).await || names().await.is_empty() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let known = names().await;
        world.sql(&format!("alter table {jobs} rename to aside")).await;
        // Asked for while nobody can be handed anything.
        *second.lock().expect("not poisoned") = Some(upload_from(&world, LINES + 1, LINES).await);
        tokio::time::sleep(BROKEN).await;
        world.sql(&format!("alter table {aside} rename to {short}")).await;
        let begin = Instant::now();
        while names().await.is_subset(&known) {
            assert!(begin.elapsed() < ANEW, "no worker with a fresh name: {known:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    with_workers(&world, first, saboteur).await;
    let second = second.into_inner().expect("not poisoned").expect("asked for");
    with_workers(&world, second, async || {}).await;
    each_line_of_all_once(&world, second, LINES, 2 * LINES).await;
}
