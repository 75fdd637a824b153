//! Patients as this process last wrote them, so that the next decision about them reads nothing. Only for a SQLite file,
//! which one process serves: it alone moves patients, one at a time each, and each commit is refused unless the patient's
//! sequence number is still the one that was decided upon.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Mutex, PoisonError},
};

use tend_engine::PatientId;

use super::Locked;

/// Most patients that are kept: those of the messages that are under way, claimed or being handed over, several times over.
pub const KEPT_MAX: usize = 1_024;

#[derive(Debug, Default)]
pub struct Kept(Mutex<Shelf>);

#[derive(Debug, Default)]
struct Shelf {
    patients: HashMap<PatientId, (u64, Locked)>,
    /// Patients by when they were put here.
    order: BTreeMap<u64, PatientId>,
    next: u64,
}

impl Kept {
    /// Takes patients out, those that are here; whoever does holds their locks.
    pub fn take(&self, wanted: &[PatientId]) -> Vec<Locked> {
        let mut shelf = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        wanted.iter().filter_map(|id| shelf.take(*id)).collect()
    }

    /// Keeps patients as they were just committed, while their locks are still held. Those kept longest make room.
    pub fn put(&self, patients: Vec<Locked>) {
        let mut shelf = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for patient in patients {
            shelf.put(patient);
        }
    }
}

impl Shelf {
    fn take(&mut self, id: PatientId) -> Option<Locked> {
        let (at, patient) = self.patients.remove(&id)?;
        self.order.remove(&at);
        Some(patient)
    }

    fn put(&mut self, patient: Locked) {
        let (id, at) = (patient.id, self.next);
        self.next += 1;
        self.order.insert(at, id);
        if let Some((before, _)) = self.patients.insert(id, (at, patient)) {
            self.order.remove(&before);
        }
        if self.patients.len() > KEPT_MAX
            && let Some((_, longest)) = self.order.pop_first()
        {
            self.patients.remove(&longest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patient(n: u128, seq: u64) -> Locked {
        Locked {
            id: PatientId(n),
            site: tend_engine::SiteId(1),
            team: None,
            seq,
            wake_at: None,
            state: tend_engine::state::PatientState::default(),
            quarantined: false,
            open_tasks: BTreeMap::new(),
        }
    }

    fn seqs(kept: &Kept, ids: &[u128]) -> Vec<u64> {
        let ids: Vec<PatientId> = ids.iter().map(|id| PatientId(*id)).collect();
        kept.take(&ids).iter().map(|patient| patient.seq).collect()
    }

    #[test]
    fn whoever_takes_a_patient_has_the_last_one_and_leaves_none() {
        let kept = Kept::default();
        kept.put(vec![patient(1, 1), patient(2, 1), patient(1, 5)]);
        assert_eq!(seqs(&kept, &[1, 3]), [5]);
        assert_eq!(seqs(&kept, &[1, 2]), [1]);
    }

    #[test]
    fn those_kept_longest_make_room() {
        let kept = Kept::default();
        let most = KEPT_MAX as u128;
        kept.put((0..most).map(|n| patient(n, 1)).collect());
        kept.put(vec![patient(0, 2), patient(most, 1)]);
        assert_eq!(seqs(&kept, &[0, 1, 2, most]), [2, 1, 1]);
    }
}
