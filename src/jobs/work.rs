//! What background workers need of the application, and the application as that.

use std::{
    future::Future,
    pin::Pin,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use tokio::sync::watch;

use super::Stop;

pub use crate::app::relay::{Claim, Ticket, Writing};
use crate::app::{App, Channel, JobPool, Topic, long_job};

/// The application answers later.
pub type Later<'a, T> = Pin<Box<dyn Future<Output = Result<T, WorkError>> + Send + 'a>>;

/// Why it could not be done; the words are for the log.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct WorkError(pub String);

/// The application as background workers see it. Everything in it may be done twice, late, or after a crash.
pub trait Work: Send + Sync {
    /// Changes after each commit that may have moved what workers on this topic wait for, on this node or another.
    fn changes(&self, topic: Topic) -> watch::Receiver<u64>;
    /// Advances a group of patients who are due; gives how many there were.
    fn tick(&self) -> Later<'_, usize>;
    /// How long until the next patient is due.
    fn until_due(&self) -> Later<'_, Option<Duration>>;
    /// Takes up to `limit` messages that may go now: guarded again, rendered to today's words and address.
    fn claim(&self, channel: Channel, limit: usize, deadline: Instant) -> Later<'_, Vec<Claim>>;
    /// Writes in one commit. Gives the tickets that are now marked as begun; any other has lost its claim.
    fn write<'a>(&'a self, writing: &'a Writing) -> Later<'a, Vec<Ticket>>;
    /// Gives back what was claimed and not begun, to be guarded anew.
    fn release<'a>(&'a self, tickets: &'a [Ticket]) -> Later<'a, ()>;
    /// How long until the next message of a channel may go.
    fn until_ready(&self, channel: Channel) -> Later<'_, Option<Duration>>;
    /// Settles claims whose lease ran out or whose node is gone; gives how many there were.
    fn sweep(&self) -> Later<'_, usize>;
    /// Scores those for whom a score is wanted; gives how many were looked at.
    fn score(&self) -> Later<'_, usize>;
    /// Where the job library keeps its tables; without it there are no long jobs.
    fn job_pool(&self) -> Option<JobPool>;
    /// Long jobs that are to be begun now, by id.
    fn long_due(&self) -> Later<'_, Vec<String>>;
    /// Runs a long job until it is done or the signal to stop is given.
    fn long_run<'a>(&'a self, job: &'a str, stop: &'a Stop) -> Later<'a, ()>;
    /// A run of a long job ended in the middle.
    fn long_broke<'a>(&'a self, job: &'a str) -> Later<'a, ()>;
}

impl Work for App {
    fn changes(&self, topic: Topic) -> watch::Receiver<u64> {
        self.store.changes_of(topic)
    }

    fn tick(&self) -> Later<'_, usize> {
        Box::pin(async {
            let (ticked, _) = App::tick(self).await.map_err(in_words)?;
            Ok(ticked.advanced + ticked.quarantined)
        })
    }

    fn until_due(&self) -> Later<'_, Option<Duration>> {
        Box::pin(async { Ok(self.until(self.store.next_wake().await.map_err(in_words)?)) })
    }

    fn claim(&self, channel: Channel, limit: usize, deadline: Instant) -> Later<'_, Vec<Claim>> {
        Box::pin(async move { App::claim(self, channel, limit, deadline).await.map_err(in_words) })
    }

    fn write<'a>(&'a self, writing: &'a Writing) -> Later<'a, Vec<Ticket>> {
        Box::pin(async move { App::write(self, writing).await.map_err(in_words) })
    }

    fn release<'a>(&'a self, tickets: &'a [Ticket]) -> Later<'a, ()> {
        Box::pin(async move { App::release(self, tickets).await.map_err(in_words) })
    }

    fn until_ready(&self, channel: Channel) -> Later<'_, Option<Duration>> {
        Box::pin(async move { Ok(self.until(self.store.next_ready(channel).await.map_err(in_words)?)) })
    }

    fn sweep(&self) -> Later<'_, usize> {
        Box::pin(async {
            let swept = App::sweep(self).await.map_err(in_words)?;
            Ok(swept.uncertain + swept.released)
        })
    }

    fn score(&self) -> Later<'_, usize> {
        Box::pin(async { self.score_wanted().await.map_err(in_words) })
    }

    fn job_pool(&self) -> Option<JobPool> {
        Some(self.store.job_pool())
    }

    fn long_due(&self) -> Later<'_, Vec<String>> {
        Box::pin(async {
            let due = self.long_jobs_due().await.map_err(in_words)?;
            Ok(due.into_iter().map(long_job::uuid).collect())
        })
    }

    fn long_run<'a>(&'a self, job: &'a str, stop: &'a Stop) -> Later<'a, ()> {
        Box::pin(async move {
            self.run_long_job(id(job)?, &|| stop.is_set()).await.map_err(in_words)?;
            Ok(())
        })
    }

    fn long_broke<'a>(&'a self, job: &'a str) -> Later<'a, ()> {
        Box::pin(async move { self.long_job_broke(id(job)?).await.map_err(in_words) })
    }
}

/// An id out of a row of the job tables, which anybody may have written.
fn id(job: &str) -> Result<u128, WorkError> {
    long_job::parse_id(job)
        .ok_or_else(|| WorkError(format!("\"{job}\" in the job tables is not the id of a job")))
}

impl App {
    /// How long until an instant of the clinical clock, which the demo may move.
    fn until(&self, at: Option<Timestamp>) -> Option<Duration> {
        let until =
            |at: Timestamp| Duration::try_from(at.duration_since(self.clock.now())).unwrap_or(Duration::ZERO);
        at.map(until)
    }
}

fn in_words(error: impl std::fmt::Display) -> WorkError {
    WorkError(error.to_string())
}
