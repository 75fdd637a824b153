//! The real clock, the demo's moved clock, and fresh ids: the only place that reads them.

use std::sync::atomic::{AtomicI64, Ordering};

use jiff::{SignedDuration, Timestamp};

use crate::{
    ports::{Clock, Ids},
    store::{Store, StoreError},
};

/// The setting that holds how far the demo's clinical clock is ahead, in microseconds.
pub const OFFSET: &str = "demo_clock_offset_micros";

/// Whole microseconds, as both databases keep them.
fn whole_micros(at: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(at.as_microsecond()).unwrap_or(at)
}

/// The system's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        #[expect(clippy::disallowed_methods, reason = "the one place that reads the clock")]
        whole_micros(Timestamp::now())
    }
}

/// The demo's clock: the system's clock moved by an offset, or standing still while a past is simulated.
#[derive(Debug, Default)]
pub struct MovedClock {
    offset_micros: AtomicI64,
    standing_micros: AtomicI64,
}

/// Marks that the clock runs.
const RUNS: i64 = 0;

impl MovedClock {
    /// A clock that runs `offset` ahead of the system's.
    #[must_use]
    pub fn ahead_by(offset: SignedDuration) -> Self {
        let micros = i64::try_from(offset.as_micros()).unwrap_or(0);
        Self { offset_micros: AtomicI64::new(micros), standing_micros: AtomicI64::new(RUNS) }
    }

    /// The clinical clock of that database: the system's, but for a demo whose clock was moved.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn of(store: &Store) -> Result<Self, StoreError> {
        let offset = store.setting(OFFSET).await?.and_then(|text| text.parse().ok()).unwrap_or(0);
        Ok(Self::ahead_by(SignedDuration::from_micros(offset)))
    }

    /// Stands still at that instant until it is set again or let run.
    pub fn stand_at(&self, at: Timestamp) {
        self.standing_micros.store(at.as_microsecond().max(1), Ordering::SeqCst);
    }

    /// Runs on from that instant.
    pub fn run_from(&self, at: Timestamp) {
        let offset = at.as_microsecond() - SystemClock.now().as_microsecond();
        self.offset_micros.store(offset, Ordering::SeqCst);
        self.standing_micros.store(RUNS, Ordering::SeqCst);
    }

    /// How far ahead of the system's clock it runs, in microseconds.
    #[must_use]
    pub fn offset_micros(&self) -> i64 {
        self.offset_micros.load(Ordering::SeqCst)
    }
}

impl Clock for MovedClock {
    fn now(&self) -> Timestamp {
        let standing = self.standing_micros.load(Ordering::SeqCst);
        let system = SystemClock.now();
        let micros = if standing == RUNS {
            system.as_microsecond().saturating_add(self.offset_micros())
        } else {
            standing
        };
        Timestamp::from_microsecond(micros).unwrap_or(system)
    }
}

/// UUIDv7.
#[derive(Debug, Clone, Copy, Default)]
pub struct FreshIds;

impl Ids for FreshIds {
    fn fresh(&self) -> u128 {
        #[expect(clippy::disallowed_methods, reason = "the one place that makes ids")]
        uuid::Uuid::now_v7().as_u128()
    }
}
