//! What the job library does that we must live with.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tend::jobs::{self, Roles};

use super::fake::Fake;

async fn eventually(what: &str, mut ready: impl FnMut() -> bool) {
    for _ in 0..1000 {
        if ready() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{what}: not within 10 s");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_panics_ends_neither_its_worker_nor_the_others() {
    let fake = Arc::new(Fake::with(0));
    fake.panics.store(true, Ordering::SeqCst);
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let running = tokio::spawn(jobs::run(fake.clone(), Vec::new(), Roles::default(), async {
        let _ = stopped.await;
    }));
    eventually("ticks after the panic", || fake.ticks.load(Ordering::SeqCst) >= 3).await;
    assert!(!fake.panics.load(Ordering::SeqCst));
    drop(stop);
    tokio::time::timeout(Duration::from_secs(5), running).await.expect("it stops").expect("no panic");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_is_looked_at_long_before_the_net() {
    let fake = Arc::new(Fake::with(0));
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let running = tokio::spawn(jobs::run(fake.clone(), Vec::new(), Roles::default(), async {
        let _ = stopped.await;
    }));
    eventually("the first tick", || fake.ticks.load(Ordering::SeqCst) >= 1).await;
    let begin = std::time::Instant::now();
    for n in 0..20 {
        let before = fake.ticks.load(Ordering::SeqCst);
        fake.add(n);
        eventually("a tick for the change", || fake.ticks.load(Ordering::SeqCst) > before).await;
    }
    assert!(begin.elapsed() < Duration::from_secs(5), "{:?} for twenty changes", begin.elapsed());
    drop(stop);
    running.await.expect("no panic");
}
