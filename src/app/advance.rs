//! What is due: groups of patients, one durable commit each. A group takes what is there and never waits for more.

use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use tend_engine::{PatientId, StaffId};
use tracing::warn;

use super::{
    Actor, App,
    record::{TRIES_MAX, decide},
};
use crate::{
    ports::Pending,
    store::{AuditLine, Batch, Busy, GROUP_MAX, StoreError},
};

/// Due patients that are looked up at a time.
pub const DUE_MAX: u64 = 2_000;

/// What came of a look at what is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ticked {
    /// Patients that were advanced.
    pub advanced: usize,
    /// Patients that were set aside.
    pub quarantined: usize,
}

impl Ticked {
    fn and(self, other: Self) -> Self {
        Self { advanced: self.advanced + other.advanced, quarantined: self.quarantined + other.quarantined }
    }
}

impl App {
    /// Advances everybody who is due, and says when to look again.
    ///
    /// # Errors
    /// [`StoreError`] when the database is not there.
    pub async fn tick(&self) -> Result<(Ticked, Option<Timestamp>), StoreError> {
        let mut all = Ticked::default();
        loop {
            let due = self.store.due(self.clock.now(), DUE_MAX).await?;
            if due.is_empty() {
                break;
            }
            let ticked = self.advance(&due).await?;
            all = all.and(ticked);
            // Those left are held by another transaction, which decides about them itself.
            if ticked == Ticked::default() {
                break;
            }
        }
        Ok((all, self.store.next_wake().await?))
    }

    /// Takes a patient back who was set aside, because somebody has looked; whom the engine still cannot advance is set aside
    /// again. Says whether the follow-up goes on.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn take_back(&self, patient: PatientId, by: StaffId) -> Result<bool, StoreError> {
        let now = self.clock.now();
        let mut tx = self.store.begin();
        if tx.release(patient, by, now).await? {
            let mut batch = Batch::default();
            let mut taken_back = line(patient, 0);
            (taken_back.actor, taken_back.action) = (Actor::Staff(by).name(), "take back");
            batch.audit(&*self.ids, now, taken_back);
            tx.append(batch).await?;
        }
        tx.commit().await?;
        Ok(self.advance(&[patient]).await?.quarantined == 0)
    }

    /// Advances these patients in groups of [`GROUP_MAX`]. Two groups are under way at a time: while one is being
    /// written the next is decided.
    ///
    /// # Errors
    /// [`StoreError`] when the database is not there.
    pub async fn advance(&self, due: &[PatientId]) -> Result<Ticked, StoreError> {
        let groups = Mutex::new(due.chunks(GROUP_MAX));
        let next = || groups.lock().unwrap_or_else(PoisonError::into_inner).next();
        let lane = async || {
            let mut all = Ticked::default();
            while let Some(group) = next() {
                all = all.and(self.group(group).await?);
            }
            Ok::<_, StoreError>(all)
        };
        let (one, other) = tokio::join!(lane(), lane());
        Ok(one?.and(other?))
    }

    /// One group in one commit. When a member's rows make it fail the group is halved until the member is found.
    fn group<'a>(&'a self, group: &'a [PatientId]) -> Pending<'a, Result<Ticked, StoreError>> {
        Box::pin(async move {
            for _ in 0..TRIES_MAX {
                match self.commit_group(group).await {
                    Err(StoreError::Conflict) => {}
                    Err(error) if !error.is_about_rows() => return Err(error),
                    Err(error) => return self.bisect(group, &error).await,
                    Ok(ticked) => return Ok(ticked),
                }
            }
            // Somebody else goes on writing them; they stay due.
            Ok(Ticked::default())
        })
    }

    async fn bisect(&self, group: &[PatientId], error: &StoreError) -> Result<Ticked, StoreError> {
        if let [patient] = group {
            warn!(patient.id = %patient, "setting patient {patient} aside: {error}");
            let mut tx = self.store.begin();
            tx.quarantine(&*self.ids, *patient, &error.to_string(), self.clock.now()).await?;
            tx.commit().await?;
            return Ok(Ticked { advanced: 0, quarantined: 1 });
        }
        let (left, right) = group.split_at(group.len() / 2);
        Ok(self.group(left).await?.and(self.group(right).await?))
    }

    async fn commit_group(&self, group: &[PatientId]) -> Result<Ticked, StoreError> {
        let live = self.live();
        let now = self.clock.now();
        let mut tx = self.store.begin();
        let mut batch = Batch::default();
        let mut ticked = Ticked::default();
        let mut aside = Vec::new();
        for mut patient in tx.lock(group, Busy::Skip).await? {
            match decide(&live, &mut patient, Vec::new(), now) {
                Ok(advanced) => {
                    batch.advance(&live.library, &*self.ids, &patient, &advanced);
                    batch.audit(&*self.ids, now, line(patient.id, advanced.entries.len()));
                    batch.keep(patient, advanced.wake_at);
                    ticked.advanced += 1;
                }
                // Another process has published it since: begin again.
                Err(failure) if failure.lacks_a_version() && self.refresh_if_changed().await? => {
                    return Err(StoreError::Conflict);
                }
                Err(failure) => aside.push((patient.id, failure)),
            }
            // The group beside this one is being written: let it hand its next statement over.
            tokio::task::yield_now().await;
        }
        if !batch.is_empty() {
            tx.append(batch).await?;
        }
        for (patient, failure) in aside {
            warn!(patient.id = %patient, "setting patient {patient} aside: {failure}");
            tx.quarantine(&*self.ids, patient, &failure.to_string(), now).await?;
            ticked.quarantined += 1;
        }
        tx.commit().await?;
        Ok(ticked)
    }
}

fn line(patient: PatientId, entries: usize) -> AuditLine {
    AuditLine {
        actor: "system".into(),
        action: "advance",
        patient: Some(patient),
        subject: "patient".into(),
        detail: format!("{{\"entries\":{entries}}}"),
    }
}
