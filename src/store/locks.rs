//! One writer per patient inside a process. On SQLite, where one process serves, this is the lock; the database's single
//! writer is then held only for as long as rows are written, while the next group is read and decided.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
};

use tend_engine::PatientId;
use tokio::sync::Notify;

#[derive(Debug, Default)]
struct Held {
    patients: Mutex<BTreeSet<PatientId>>,
    freed: Notify,
}

/// The patients that a transaction of this process holds.
#[derive(Debug, Clone, Default)]
pub struct PatientLocks(Arc<Held>);

/// Patients held; given back on drop.
#[derive(Debug)]
pub struct PatientGuard {
    held: Arc<Held>,
    patients: Vec<PatientId>,
}

impl PatientLocks {
    /// Takes those that nobody holds, and leaves the others out.
    pub fn take_free(&self, wanted: &[PatientId]) -> PatientGuard {
        let mut held = self.0.patients.lock().unwrap_or_else(PoisonError::into_inner);
        let patients = wanted.iter().copied().filter(|id| held.insert(*id)).collect();
        PatientGuard { held: self.0.clone(), patients }
    }

    /// Waits until nobody holds any of them and takes all at once, so that two waiters cannot hold each other up.
    pub async fn take_all(&self, wanted: &[PatientId]) -> PatientGuard {
        let unique: Vec<PatientId> = wanted.iter().copied().collect::<BTreeSet<_>>().into_iter().collect();
        loop {
            let freed = self.0.freed.notified();
            tokio::pin!(freed);
            // Registered before looking, so that a release in between is not missed.
            freed.as_mut().enable();
            if let Some(guard) = self.try_all(&unique) {
                return guard;
            }
            freed.await;
        }
    }

    fn try_all(&self, wanted: &[PatientId]) -> Option<PatientGuard> {
        let mut held = self.0.patients.lock().unwrap_or_else(PoisonError::into_inner);
        if wanted.iter().any(|id| held.contains(id)) {
            return None;
        }
        held.extend(wanted);
        Some(PatientGuard { held: self.0.clone(), patients: wanted.to_vec() })
    }
}

impl PatientGuard {
    /// Whom it holds.
    pub fn patients(&self) -> &[PatientId] {
        &self.patients
    }
}

impl Drop for PatientGuard {
    fn drop(&mut self) {
        let mut held = self.held.patients.lock().unwrap_or_else(PoisonError::into_inner);
        for id in &self.patients {
            held.remove(id);
        }
        drop(held);
        self.held.freed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_held_patient_is_skipped_or_waited_for() {
        let locks = PatientLocks::default();
        let first = locks.take_free(&[PatientId(1), PatientId(2)]);
        assert_eq!(locks.take_free(&[PatientId(2), PatientId(3)]).patients(), [PatientId(3)]);
        let waiting = tokio::spawn({
            let locks = locks.clone();
            async move { locks.take_all(&[PatientId(2), PatientId(2)]).await.patients().to_vec() }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        drop(first);
        assert_eq!(waiting.await.unwrap(), [PatientId(2)]);
    }
}
