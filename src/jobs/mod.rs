//! Background work on apalis: a ticker, a lane per channel, a sweeper, a scorer, and long jobs. apalis gives each worker its life: it starts,
//! restarts and stops it; what there is to do is in the application's own rows and never in a job.
//!
//! A worker that fails starts again under a fresh name; deleting every job loses nothing and repeats nothing.

mod fault;
pub mod lane;
mod long;
mod scribe;
mod stop;
mod wake;
pub mod work;

use std::{fmt, future::Future, sync::Arc, time::Duration};

use apalis::prelude::{Monitor, WorkerBuilder, WorkerBuilderExt};
use tracing::{error, warn};
use uuid::Uuid;

use crate::app::{Carrier, Channel, Topic};

pub use lane::Lane;
pub use stop::{Stop, Stopper};
use wake::{Look, Until, wakes};
pub use work::{Work, WorkError};

/// Connections of a lane, unless it is told otherwise.
pub const CONNECTIONS: u16 = 16;
/// Most connections of a lane.
pub const CONNECTIONS_MAX: u16 = 256;
/// How long a worker that failed rests before it starts again.
pub const RESTART_PAUSE: Duration = Duration::from_millis(200);

/// Which workers a process runs, and how widely.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Roles {
    /// Advances patients who are due.
    pub ticker: bool,
    /// Hands messages over and settles old claims.
    pub lanes: bool,
    /// Connections of each lane to its carrier: as many messages may be in doubt after a crash.
    pub connections: u16,
}

impl Default for Roles {
    fn default() -> Self {
        Self { ticker: true, lanes: true, connections: CONNECTIONS }
    }
}

/// A worker's role, in its name.
#[derive(Debug, Clone, Copy)]
enum Role {
    Ticker,
    Sweeper,
    Foreman,
    Scorer,
    Lane(Channel),
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ticker => "ticker",
            Self::Sweeper => "sweeper",
            Self::Foreman => "foreman",
            Self::Scorer => "scorer",
            Self::Lane(Channel::Email) => "lane-email",
            Self::Lane(Channel::Sms) => "lane-sms",
        })
    }
}

/// Runs the workers until `shutdown` is ready: then nothing new is begun, what is in flight is finished and what was
/// claimed is given back.
pub async fn run(
    work: Arc<dyn Work>,
    carriers: Vec<Arc<dyn Carrier>>,
    roles: Roles,
    shutdown: impl Future<Output = ()> + Send,
) {
    let (stopper, stop) = Stop::pair();
    let mut monitor = Monitor::new().should_restart(|worker, error| {
        warn!("worker {} failed and starts again: {error}", worker.name());
        true
    });
    if roles.ticker {
        monitor = add(monitor, Role::Ticker, &work, &stop, due(&work), tick);
    }
    if roles.lanes {
        monitor = add(monitor, Role::Sweeper, &work, &stop, told(), sweep);
        monitor = add(monitor, Role::Scorer, &work, &stop, told(), score);
        monitor = add_long(monitor, &work, &stop).await;
        for carrier in carriers {
            let channel = carrier.channel();
            let lane = Arc::new(Lane::new(work.clone(), carrier, roles.connections.into()));
            let waited_for = lane.clone();
            let until: Until = Arc::new(move || {
                let lane = waited_for.clone();
                Box::pin(async move { lane.until_ready().await })
            });
            monitor = add(monitor, Role::Lane(channel), &work, &stop, until, move |_, stop| {
                let lane = lane.clone();
                async move { lane.drain(&stop).await }
            });
        }
    }
    let signal = async {
        shutdown.await;
        stopper.stop();
        Ok(())
    };
    if let Err(error) = monitor.run_with_signal(signal).await {
        error!("background workers ended badly: {error}");
    }
}

/// Adds a worker that calls `job` at each wake-up, one at a time, under a name that no worker had before.
fn add<J, F>(monitor: Monitor, role: Role, work: &Arc<dyn Work>, stop: &Stop, until: Until, job: J) -> Monitor
where
    J: Fn(Arc<dyn Work>, Stop) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Result<(), WorkError>> + Send + 'static,
{
    let (work, stop) = (work.clone(), stop.clone());
    monitor.register(move |_| {
        let (job, work, stop) = (job.clone(), work.clone(), stop.clone());
        let changes = work.changes(topic(role));
        let look = move |_: Look| {
            let done = job(work.clone(), stop.clone());
            async move {
                if let Err(error) = done.await {
                    warn!("the {role} could not finish and will look again: {error}");
                    tokio::time::sleep(RESTART_PAUSE).await;
                }
            }
        };
        WorkerBuilder::new(fresh_name(role).as_str())
            .backend(wakes(&changes, &until))
            .concurrency(1)
            .catch_panic()
            .build(look)
    })
}

/// Adds the foreman, who hands long jobs out, and the worker that runs them.
async fn add_long(monitor: Monitor, work: &Arc<dyn Work>, stop: &Stop) -> Monitor {
    let Some(pool) = work.job_pool() else { return monitor };
    let Some(bench) = long::Bench::open(pool).await else { return monitor };
    let monitor = bench.add_to(monitor, work, stop);
    add(monitor, Role::Foreman, work, stop, told(), move |work, _| {
        let bench = bench.clone();
        async move { bench.hand_out(&work).await }
    })
}

/// A name that no worker had before: one of a worker that was killed can never be used again.
fn fresh_name(role: impl fmt::Display) -> String {
    #[expect(
        clippy::disallowed_methods,
        reason = "a worker's name is fresh at each start and decides nothing"
    )]
    let id = Uuid::now_v7();
    format!("{role}-{id}")
}

/// What a role waits for. The sweeper waits for time to pass and looks once a second: it is told least.
fn topic(role: Role) -> Topic {
    match role {
        Role::Ticker => Topic::Due,
        Role::Lane(_) => Topic::Messages,
        Role::Scorer => Topic::Scores,
        Role::Foreman | Role::Sweeper => Topic::LongJobs,
    }
}

/// How long the ticker may sleep.
fn due(work: &Arc<dyn Work>) -> Until {
    let work = work.clone();
    Arc::new(move || {
        let work = work.clone();
        // The net catches what a moment's trouble hides.
        Box::pin(async move { work.until_due().await.ok().flatten() })
    })
}

/// How long those may sleep who are told: until the net catches them.
fn told() -> Until {
    Arc::new(|| Box::pin(std::future::ready(None)))
}

async fn tick(work: Arc<dyn Work>, stop: Stop) -> Result<(), WorkError> {
    while !stop.is_set() && work.tick().await? > 0 {}
    Ok(())
}

async fn score(work: Arc<dyn Work>, stop: Stop) -> Result<(), WorkError> {
    while !stop.is_set() && work.score().await? > 0 {}
    Ok(())
}

async fn sweep(work: Arc<dyn Work>, stop: Stop) -> Result<(), WorkError> {
    while !stop.is_set() && work.sweep().await? > 0 {}
    Ok(())
}
