//! What wakes a worker: a change in this process or another, the instant at which the next row is due, and once a second
//! a look all the same, as a net.
//!
//! It is a backend for apalis that holds no rows: each wake-up is one job without content, which drains its lane.

use std::{convert::Infallible, future::Future, pin::Pin, sync::Arc, time::Duration};

use apalis::prelude::{BackendBuilder, CustomBackend, Task};
use futures_util::{
    sink::{self, Drain},
    stream::{self, BoxStream, StreamExt},
};
use tokio::sync::watch;

/// How long a worker sleeps at most.
pub const NET: Duration = Duration::from_secs(1);

/// A job without content: look what is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look;

/// What is due and was not done is held by somebody else: it is looked at again after so long.
pub const HELD: Duration = Duration::from_millis(5);

/// How long until the next row is due; `None` when none will be by itself.
pub type Until = Arc<dyn Fn() -> Pin<Box<dyn Future<Output = Option<Duration>> + Send>> + Send + Sync>;

/// What apalis polls for wake-ups.
pub type Wakes =
    CustomBackend<Look, (), BoxStream<'static, Result<Option<Task<Look>>, Infallible>>, Drain<Task<Look>>>;

/// Wakes at once, and then at each change and each due instant, but never later than [`NET`]; and not without a pause
/// for what is due already: the last job has just left it.
pub fn wakes(changes: &watch::Receiver<u64>, until: &Until) -> Wakes {
    let (changes, until) = (changes.clone(), until.clone());
    let looks = move |(): &mut (), (): &(), _: &_| {
        let state = (changes.clone(), until.clone(), true);
        stream::unfold(state, |(mut changes, until, first)| async move {
            if !first {
                sleep(&mut changes, &until).await;
            }
            Some((Ok(Some(Task::new(Look))), (changes, until, false)))
        })
        .boxed()
    };
    let built = BackendBuilder::new().database(()).fetcher(looks).sink(|(), ()| sink::drain()).build();
    match built {
        Ok(backend) => backend,
        Err(error) => unreachable!("all four parts are given above: {error}"),
    }
}

async fn sleep(changes: &mut watch::Receiver<u64>, until: &Until) {
    // A change that came while the last job ran is seen at once.
    if changes.has_changed().unwrap_or(false) {
        changes.mark_unchanged();
        return;
    }
    let due = match until().await {
        Some(Duration::ZERO) => HELD,
        Some(due) => due.min(NET),
        None => NET,
    };
    tokio::select! {
        changed = changes.changed() => {
            if changed.is_err() {
                tokio::time::sleep(due).await;
            }
        }
        () = tokio::time::sleep(due) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn never() -> Until {
        Arc::new(|| Box::pin(std::future::ready(None)))
    }

    #[tokio::test]
    async fn what_is_due_and_held_by_another_is_not_looked_at_without_a_pause() {
        let (changed, mut changes) = watch::channel(0_u64);
        let overdue: Until = Arc::new(|| Box::pin(std::future::ready(Some(Duration::ZERO))));
        let begin = tokio::time::Instant::now();
        sleep(&mut changes, &overdue).await;
        assert!(begin.elapsed() >= HELD, "a pause");
        assert!(begin.elapsed() < NET, "but it is looked at again before the net");
        drop(changed);
    }

    #[tokio::test]
    async fn a_change_or_a_due_row_wakes_at_once_and_the_net_after_a_second() {
        let (changed, mut changes) = watch::channel(0_u64);
        let begin = tokio::time::Instant::now();
        changed.send_modify(|n| *n += 1);
        sleep(&mut changes, &never()).await;
        let soon: Until = Arc::new(|| Box::pin(std::future::ready(Some(Duration::from_millis(3)))));
        sleep(&mut changes, &soon).await;
        assert!(begin.elapsed() < NET, "it changed before, and the next row was due");
        sleep(&mut changes, &never()).await;
        assert!(begin.elapsed() >= NET);
        drop(changed);
        sleep(&mut changes, &soon).await;
    }
}
