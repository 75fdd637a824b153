//! A clock that stands still until it is moved, and ids in order.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use jiff::{SignedDuration, Timestamp};
use tend::ports::{Clock, Ids};

/// Monday, 2 March 2026, 10:00 UTC.
const START_SECONDS: i64 = 1_772_445_600;

/// A clock that stands still until it is moved.
#[derive(Debug)]
pub struct ManualClock(AtomicI64);

impl Default for ManualClock {
    fn default() -> Self {
        ManualClock(AtomicI64::new(START_SECONDS * 1_000_000))
    }
}

impl ManualClock {
    /// Goes to that instant.
    pub fn set(&self, to: Timestamp) {
        self.0.store(to.as_microsecond(), Ordering::SeqCst);
    }

    /// Goes on by so much.
    pub fn forward(&self, by: SignedDuration) {
        self.set(self.now() + by);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_microsecond(self.0.load(Ordering::SeqCst)).expect("an instant that was set")
    }
}

/// Ids that are the same in every run.
#[derive(Debug, Default)]
pub struct CountingIds(AtomicU64);

impl Ids for CountingIds {
    fn fresh(&self) -> u128 {
        let n = self.0.fetch_add(1, Ordering::SeqCst) + 1;
        0x0190_0000_0000_7000_8000_0000_0000_0000 | u128::from(n)
    }
}
