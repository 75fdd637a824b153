//! The net below the lanes: claims whose lease ran out, whose node is gone, or that were not begun in time.

use jiff::{SignedDuration, Timestamp};
use tend_engine::{MessageId, PatientId};

use super::{App, record::TRIES_MAX};
use crate::store::StoreError;

/// Claims that are looked at in one commit.
const SWEEP_MAX: u64 = 200;

/// How often a sweep is written down.
const NOTED_EVERY: SignedDuration = SignedDuration::from_secs(30);

/// What a sweep found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Swept {
    /// Begun, and nobody knows how it ended: uncertain from now on, never sent again.
    pub uncertain: usize,
    /// Not begun: they wait again.
    pub released: usize,
}

impl App {
    /// Puts claims in order that nobody will finish. Run at start, before the first lane, and every second.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn sweep(&self) -> Result<Swept, StoreError> {
        let mut all = Swept::default();
        let mut conflicts = 0;
        loop {
            let expired = self.store.expired(SWEEP_MAX).await?;
            let held: Vec<(PatientId, MessageId, i64)> =
                expired.iter().map(|claim| (claim.patient, claim.id, claim.fence)).collect();
            let mut tx = self.store.begin();
            let (uncertain, released) = match self.give_back(&mut tx, &held).await {
                // Another writer was faster. A node that sweeps the same ones will have put them in order.
                Err(StoreError::Conflict) if conflicts < TRIES_MAX => {
                    conflicts += 1;
                    continue;
                }
                Err(StoreError::Conflict) => break,
                other => other?,
            };
            tx.commit().await?;
            all = Swept { uncertain: all.uncertain + uncertain, released: all.released + released };
            if uncertain + released == 0 || (held.len() as u64) < SWEEP_MAX {
                break;
            }
        }
        self.note_sweep().await?;
        Ok(all)
    }

    /// Writes down now and then that sweeps go on, for whoever watches.
    async fn note_sweep(&self) -> Result<(), StoreError> {
        let now = self.wall.now();
        let noted = |last: Timestamp| now.duration_since(last) < NOTED_EVERY && last <= now;
        if self.swept.lock().is_ok_and(|last| last.is_some_and(noted)) {
            return Ok(());
        }
        self.store.note_sweep(now).await?;
        if let Ok(mut last) = self.swept.lock() {
            *last = Some(now);
        }
        Ok(())
    }

    /// When the last sweep that was written down went by, by the machine's clock.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn last_sweep(&self) -> Result<Option<Timestamp>, StoreError> {
        self.store.last_sweep().await
    }
}
