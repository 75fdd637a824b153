//! The core of every use case: facts about one patient and all that follows from them, in one commit.

use std::panic::{AssertUnwindSafe, catch_unwind};

use jiff::Timestamp;
use tend_engine::{
    PatientId,
    fact::{Fact, NewFact},
    planner::{self, AdvanceError, Advanced},
};

use super::{Actor, App, Live};
use crate::store::{AuditLine, Batch, Busy, FreeText, Locked, StoreError, Tx};

/// How often a use case decides again when another writer was faster.
pub const TRIES_MAX: u32 = 5;

/// Why facts could not be recorded.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// Nobody with that id, or set aside until a person has looked.
    #[error("the patient is not there, or was set aside until somebody has looked at the record")]
    NotThere,
    /// The engine cannot decide about this patient.
    #[error("the engine cannot go on with this patient: {0}")]
    Engine(#[from] EngineFailure),
    /// The database said no.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why the engine could not advance a patient.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EngineFailure {
    /// It said why.
    #[error(transparent)]
    Refused(#[from] AdvanceError),
    /// It stopped in the middle: a fault of this program.
    #[error("the engine stopped in the middle of a decision: report this to the makers of Tend")]
    Panicked,
}

impl EngineFailure {
    /// Whether a version is missing that another process may have published a moment ago.
    #[must_use]
    pub fn lacks_a_version(&self) -> bool {
        matches!(self, Self::Refused(AdvanceError::UnknownVersion(_)))
    }
}

/// What was recorded.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// When.
    pub at: Timestamp,
    /// The facts with their sequence numbers, and the decisions that follow from them.
    pub advanced: Advanced,
}

/// A fact about an enrollment or the patient that just happened.
#[must_use]
pub fn just_now(
    actor: Actor,
    now: Timestamp,
    enrollment: Option<tend_engine::EnrollmentId>,
    fact: Fact,
) -> NewFact {
    NewFact { enrollment, occurred_at: now, author: actor.author(), fact }
}

/// Advances a locked patient in place. The engine is total; should it ever stop in the middle all the same, only this
/// patient is set aside.
///
/// # Errors
/// [`EngineFailure`]; the patient's state is then unusable.
pub fn decide(
    live: &Live,
    locked: &mut Locked,
    facts: Vec<NewFact>,
    now: Timestamp,
) -> Result<Advanced, EngineFailure> {
    let built_in;
    let site = match live.sites.get(&locked.site) {
        Some(site) => site,
        None => {
            built_in = tend_engine::site::SiteSettings::default();
            &built_in
        }
    };
    let state = &mut locked.state;
    catch_unwind(AssertUnwindSafe(|| planner::advance(&live.library, site, state, facts, now)))
        .map_err(|_| EngineFailure::Panicked)?
        .map_err(EngineFailure::Refused)
}

impl App {
    /// Records facts about a patient and commits what follows from them.
    ///
    /// # Errors
    /// [`RecordError`].
    pub async fn record(
        &self,
        actor: Actor,
        action: &'static str,
        patient: PatientId,
        facts: Vec<NewFact>,
        text: &FreeText,
    ) -> Result<Recorded, RecordError> {
        for _ in 1..TRIES_MAX {
            let tx = self.store.begin();
            match self.record_in(tx, actor, action, patient, facts.clone(), text).await {
                Err(RecordError::Store(StoreError::Conflict)) => {}
                other => return other,
            }
        }
        self.record_in(self.store.begin(), actor, action, patient, facts, text).await
    }

    async fn record_in(
        &self,
        mut tx: Tx,
        actor: Actor,
        action: &'static str,
        patient: PatientId,
        facts: Vec<NewFact>,
        text: &FreeText,
    ) -> Result<Recorded, RecordError> {
        let mut locked = self.lock_one(&mut tx, patient).await?;
        let recorded = self.append(&mut tx, actor, action, &mut locked, facts, text).await?;
        tx.commit().await?;
        Ok(recorded)
    }

    /// Locks one patient; waits for whoever holds it.
    ///
    /// # Errors
    /// [`RecordError`].
    pub async fn lock_one(&self, tx: &mut Tx, patient: PatientId) -> Result<Locked, RecordError> {
        tx.lock(&[patient], Busy::Wait).await?.pop().ok_or(RecordError::NotThere)
    }

    /// The same, also one who was set aside: what a patient says is kept, whatever the engine can make of it.
    ///
    /// # Errors
    /// [`RecordError`].
    pub async fn lock_even_aside(&self, tx: &mut Tx, patient: PatientId) -> Result<Locked, RecordError> {
        tx.lock_any(&[patient]).await?.pop().ok_or(RecordError::NotThere)
    }

    /// Decides about a locked patient and writes facts, decisions, rows and audit entry into the open unit of work. A use
    /// case that writes more rows in the same commit does so around this call.
    ///
    /// # Errors
    /// [`RecordError`]; [`StoreError::Conflict`] means to begin again.
    pub async fn append(
        &self,
        tx: &mut Tx,
        actor: Actor,
        action: &'static str,
        locked: &mut Locked,
        facts: Vec<NewFact>,
        text: &FreeText,
    ) -> Result<Recorded, RecordError> {
        let live = self.live();
        let now = self.clock.now();
        let first = facts.first().and_then(|fact| fact.enrollment);
        let advanced = if locked.quarantined {
            locked.fold_only(facts, now)
        } else {
            match decide(&live, locked, facts, now) {
                Err(failure) if failure.lacks_a_version() && self.refresh_if_changed().await? => {
                    return Err(StoreError::Conflict.into());
                }
                other => other?,
            }
        };
        let mut batch = Batch::default();
        let key = if text.is_empty() { None } else { tx.key(locked.id).await? };
        let sealed = key.as_ref().map(|key| (key, text));
        batch.advance_with(&live.library, &*self.ids, locked, &advanced, sealed);
        let line = AuditLine {
            actor: actor.name(),
            action,
            patient: Some(locked.id),
            subject: first.map_or_else(|| "patient".to_owned(), |id| format!("enrollment {id}")),
            detail: format!("{{\"entries\":{}}}", advanced.entries.len()),
        };
        batch.audit(&*self.ids, now, line);
        tx.append(batch).await?;
        Ok(Recorded { at: now, advanced })
    }

    /// Writes one line of the audit log: a page was seen, a file exported.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn note(&self, line: AuditLine) -> Result<(), StoreError> {
        let mut tx = self.store.begin();
        self.note_in(&mut tx, line, self.clock.now()).await?;
        tx.commit().await
    }

    /// The same in the commit of what it tells of.
    pub(super) async fn note_in(
        &self,
        tx: &mut Tx,
        line: AuditLine,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut batch = Batch::default();
        batch.audit(&*self.ids, now, line);
        tx.append(batch).await
    }
}
