//! Long jobs: what is to be begun now, and a run of one. A run may be cut off anywhere, or be asked for twice at a time: what
//! was done stays done, and is not done again.

use tracing::{info, warn};

use super::{App, import::LineRefusal, score::ScoreError};
use crate::store::{HeldJob, StoreError};
pub use crate::store::{LongJob, LongKind, LongState};

/// Runs that may end badly without getting on before a job is given up. A run that ends the process counts.
pub const ATTEMPTS_MAX: u32 = 5;

/// Whether the process is being stopped.
pub type Stopped<'a> = dyn Fn() -> bool + Send + Sync + 'a;

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunEnd {
    /// There is nothing left to do.
    Done,
    /// The process stops; another run goes on.
    Stopped,
    /// It goes on after a pause that it asked for.
    Rests {
        /// How long.
        seconds: u32,
    },
    /// Somebody else is at it, or it is over.
    NotMine,
    /// It will be tried again later.
    Failed,
    /// It failed too often without getting on.
    GivenUp,
}

/// Why a run failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum RunError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Scoring.
    #[error(transparent)]
    Score(#[from] ScoreError),
}

impl App {
    /// Jobs that are to be begun now, by id; tonight's are planned on the way.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn long_jobs_due(&self) -> Result<Vec<u128>, StoreError> {
        self.plan_nights().await?;
        self.store.due_long_jobs().await
    }

    /// Runs a job until it is done or `stop` says so.
    ///
    /// # Errors
    /// [`StoreError`] when the database is not there.
    pub async fn run_long_job(&self, id: u128, stop: &Stopped<'_>) -> Result<RunEnd, StoreError> {
        let Some((job, held)) = self.store.take_long_job(id).await? else { return Ok(RunEnd::NotMine) };
        if job.attempts > ATTEMPTS_MAX {
            self.give_up(&job, held).await?;
            return Ok(RunEnd::GivenUp);
        }
        // It may be about what another process has published.
        self.refresh_if_changed().await?;
        let ended = match job.kind {
            LongKind::Import => self.run_import(&job, held, stop).await.map_err(RunError::from),
            LongKind::Moving => self.run_moving(&job, held, stop).await.map_err(RunError::from),
            LongKind::Watching => self.run_watching(&job).await.map_err(RunError::from),
            LongKind::Scoring => self.run_scoring(&job, held, stop).await.map_err(RunError::from),
        };
        let mut tx = self.store.begin();
        let end = match ended {
            Ok(RunEnd::Done) => tx.end_job(held, true, self.clock.now()).await.map(|()| RunEnd::Done),
            Ok(RunEnd::Rests { seconds }) => {
                tx.rest_job(held, seconds).await.map(|()| RunEnd::Rests { seconds })
            }
            Ok(RunEnd::Stopped) => tx.put_down_job(held).await.map(|()| RunEnd::Stopped),
            Ok(other) => Ok(other),
            Err(
                RunError::Store(StoreError::Conflict)
                | RunError::Score(ScoreError::Store(StoreError::Conflict)),
            ) => Ok(RunEnd::NotMine),
            Err(error) => {
                warn!(job.id = %uuid(id), "a long job failed and is tried again: {error}");
                tx.job_failed(held, job.attempts, &error.to_string()).await.map(|()| RunEnd::Failed)
            }
        };
        match end {
            Ok(end) => {
                tx.commit().await?;
                info!(job.id = %uuid(id), "a run of a long job ended: {end:?}");
                Ok(end)
            }
            // Another run took it over in the meantime.
            Err(StoreError::Conflict) => Ok(RunEnd::NotMine),
            Err(error) => Err(error),
        }
    }

    /// Notes that a run ended in the middle, by a fault of this program.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn long_job_broke(&self, id: u128) -> Result<(), StoreError> {
        warn!(job.id = %uuid(id), "a run of a long job stopped in the middle: report this to the makers of Tend");
        self.store.break_off_long_job(id).await
    }

    /// Whether this run still has the job.
    pub(super) async fn is_still_mine(&self, held: HeldJob) -> Result<(), StoreError> {
        let mut tx = self.store.begin();
        tx.got_on(held, 0, None).await?;
        tx.commit().await
    }

    async fn give_up(&self, job: &LongJob, held: HeldJob) -> Result<(), StoreError> {
        warn!(job.id = %uuid(job.id), "a long job is given up after {ATTEMPTS_MAX} runs that did not get on");
        let mut tx = self.store.begin();
        tx.lines_given_up(job.id, &LineRefusal::report(&[LineRefusal::not_tried()])).await?;
        tx.end_job(held, false, self.clock.now()).await?;
        tx.commit().await
    }
}

/// An id as people and logs write it.
#[must_use]
pub fn uuid(id: u128) -> String {
    tend_engine::PatientId(id).to_string()
}

/// The id that [`uuid`] wrote.
#[must_use]
pub fn parse_id(text: &str) -> Option<u128> {
    tend_engine::PatientId::parse(text).ok().map(|id| id.0)
}
