//! Long jobs on apalis: rows of its own tables that carry an id and nothing else. What there is to do, who is at it, how
//! often it was tried and when it may be tried again stand in the application's own rows, so that
//!
//! * deleting every row of the job tables loses nothing: the foreman hands the job out again;
//! * a job that is handed out twice, or again at once after a failure, or whose acknowledgement was lost, ends quietly;
//! * a job that ends the process is not tried for ever.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use apalis::prelude::{BackendExt, BoxDynError, Monitor, TaskSink, WorkerBuilder, WorkerBuilderExt};
use apalis_postgres::PostgresStorage;
use apalis_sqlite::SqliteStorage;
use futures_util::stream;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;
use tracing::{error, warn};

use super::{Stop, Work, WorkError, fresh_name};
use crate::app::JobPool;

/// The queue in the job tables.
const QUEUE: &str = "tend::long";
/// How often a worker says that it lives.
const HEARTBEAT: Duration = Duration::from_secs(10);
/// A worker looks this often although nobody woke it: a job may come from another node.
const LOOK_AGAIN: Duration = Duration::from_secs(5);
/// Tries to make the job tables before the process goes on without long jobs.
const TRIES_MAX: u32 = 5;

/// What a row of the job tables says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Ticket {
    job: String,
}

/// A backend of either database.
#[derive(Clone)]
enum Storage {
    Sqlite(SqliteStorage<Ticket>),
    Postgres(PostgresStorage<Ticket>),
}

/// Hands jobs out and runs them.
#[derive(Clone)]
pub(super) struct Bench {
    storage: Arc<Mutex<Storage>>,
    handed_out: Arc<Notify>,
}

impl Bench {
    /// Makes the job tables where they are missing. Never `setup`: on SQLite it leaves a connection that does not wait for
    /// the disk.
    pub(super) async fn open(pool: JobPool) -> Option<Self> {
        for tried in 1..=TRIES_MAX {
            match tables(&pool).await {
                Ok(storage) => {
                    let storage = Arc::new(Mutex::new(storage));
                    return Some(Self { storage, handed_out: Arc::default() });
                }
                Err(error) if tried < TRIES_MAX => {
                    warn!("the job tables cannot be made yet: {error}");
                    tokio::time::sleep(Duration::from_millis(200) * tried).await;
                }
                Err(error) => {
                    error!("imports and nightly scoring do not run, the job tables cannot be made: {error}")
                }
            }
        }
        None
    }

    fn storage(&self) -> Storage {
        self.storage.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Hands out the jobs that are to be begun now.
    pub(super) async fn hand_out(&self, work: &Arc<dyn Work>) -> Result<(), WorkError> {
        let due = work.long_due().await?;
        if due.is_empty() {
            return Ok(());
        }
        for job in due {
            let ticket = Ticket { job };
            let pushed = match self.storage() {
                Storage::Sqlite(mut storage) => storage.push(ticket).await.map_err(|error| error.to_string()),
                Storage::Postgres(mut storage) => {
                    storage.push(ticket).await.map_err(|error| error.to_string())
                }
            };
            pushed.map_err(WorkError)?;
        }
        self.handed_out.notify_one();
        Ok(())
    }

    /// Adds the worker that runs what was handed out.
    pub(super) fn add_to(&self, monitor: Monitor, work: &Arc<dyn Work>, stop: &Stop) -> Monitor {
        let (work, stop) = (work.clone(), stop.clone());
        let run = move |ticket: Ticket| {
            let (work, stop) = (work.clone(), stop.clone());
            // apalis never tries again by itself: when, is decided by the application's own row.
            async move {
                run(work, ticket.job, stop).await;
                Ok::<(), BoxDynError>(())
            }
        };
        let wakes = {
            let handed_out = self.handed_out.clone();
            move || {
                let wakes = stream::unfold(handed_out.clone(), |handed_out| async move {
                    let _ = tokio::time::timeout(LOOK_AGAIN, handed_out.notified()).await;
                    Some(((), handed_out))
                });
                Box::pin(wakes)
            }
        };
        match self.storage() {
            Storage::Sqlite(storage) => monitor.register(move |_| {
                WorkerBuilder::new(fresh_name("long").as_str())
                    .backend(storage.clone().poll_with_stream(wakes()))
                    .concurrency(1)
                    .catch_panic()
                    .build(run.clone())
            }),
            Storage::Postgres(storage) => monitor.register(move |_| {
                WorkerBuilder::new(fresh_name("long").as_str())
                    .backend(storage.clone().poll_with_stream(wakes()))
                    .concurrency(1)
                    .catch_panic()
                    .build(run.clone())
            }),
        }
    }
}

/// A run in a task of its own: whatever breaks in it, the job's row learns of it.
async fn run(work: Arc<dyn Work>, job: String, stop: Stop) {
    let running = {
        let (work, job) = (work.clone(), job.clone());
        tokio::spawn(async move { work.long_run(&job, &stop).await })
    };
    match running.await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => warn!("a long job could not be run and is handed out again: {error}"),
        Err(_) => {
            if let Err(error) = work.long_broke(&job).await {
                warn!("that a long job broke could not be written down: {error}");
            }
        }
    }
}

async fn tables(pool: &JobPool) -> Result<Storage, String> {
    match pool {
        JobPool::Sqlite(pool) => {
            SqliteStorage::migrations().run(pool).await.map_err(|error| error.to_string())?;
            let config =
                apalis_sqlite::Config::default().queue(QUEUE).heartbeat_interval(HEARTBEAT).batch_size(1);
            Ok(Storage::Sqlite(SqliteStorage::new(pool).with_config(config)))
        }
        JobPool::Postgres(pool) => {
            PostgresStorage::migrations().run(pool).await.map_err(|error| error.to_string())?;
            let config =
                apalis_postgres::Config::default().queue(QUEUE).heartbeat_interval(HEARTBEAT).batch_size(1);
            Ok(Storage::Postgres(PostgresStorage::new(pool).with_config(config)))
        }
    }
}
