//! The proof that nobody is lost: every running follow-up has a next thing of its own that will happen, and its patient is looked
//! at by then; or it has an open task of its own, which somebody owns. The doctor asks for it, and every night.

use std::fmt;

use jiff::Timestamp;
use tend_engine::{
    EnrollmentId, PatientId,
    next::{NextThing, next_thing},
};
use tracing::warn;

use super::App;
use crate::store::{AuditLine, Ongoing, StoreError};

/// A follow-up that nobody and nothing will look at in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lost {
    /// Whose.
    pub patient: PatientId,
    /// Which.
    pub enrollment: EnrollmentId,
    /// What is wrong.
    pub how: HowLost,
}

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HowLost {
    /// Nothing will ever happen.
    Never,
    /// The patient is looked at too late for it, or not at all.
    Late {
        /// When something comes.
        comes: Timestamp,
        /// When the patient is looked at.
        looked_at: Option<Timestamp>,
    },
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { patient, enrollment, how } = self;
        write!(f, "follow-up {enrollment} of patient {patient} ")?;
        match how {
            HowLost::Never => {
                f.write_str("is running, but nothing will ever happen in it and nobody has a task")
            }
            HowLost::Late { comes, looked_at: Some(at) } => {
                write!(f, "has something to come at {comes}, but is not looked at before {at}")
            }
            HowLost::Late { comes, looked_at: None } => {
                write!(f, "has something to come at {comes}, but is never looked at")
            }
        }
    }
}

impl App {
    /// Running follow-ups of these patients that are lost.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn lost_among(&self, patients: &[PatientId]) -> Result<Vec<Lost>, StoreError> {
        let ongoing = self.store.ongoing(patients).await?;
        Ok(ongoing.iter().flat_map(|one| self.lost_of(one)).collect())
    }

    fn lost_of(&self, one: &Ongoing) -> Vec<Lost> {
        let (live, now) = (self.live(), self.clock.now());
        let site = self.site(one.site);
        let how = |enrollment: EnrollmentId| {
            match next_thing(&live.library, &site, &one.state, enrollment, now) {
                Ok(NextThing::Task) => None,
                Ok(next @ NextThing::At(comes)) => {
                    let late = HowLost::Late { comes, looked_at: one.wake_at };
                    (!next.comes(one.wake_at)).then_some(late)
                }
                // The row says that it is running. What the engine cannot decide about does not come either.
                Ok(NextThing::Over | NextThing::Nothing) | Err(_) => Some(HowLost::Never),
            }
        };
        let lost = |enrollment: &EnrollmentId| {
            let (patient, enrollment) = (one.patient, *enrollment);
            Some(Lost { patient, enrollment, how: how(enrollment)? })
        };
        one.running.iter().filter_map(lost).collect()
    }

    /// Looks at patients whose follow-ups are lost, so that what is to come is planned again; whom that does not help is set
    /// aside with a task for the lead nurse. Says how many follow-ups were lost.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(in crate::app) async fn find_lost(&self, patients: &[PatientId]) -> Result<usize, StoreError> {
        let lost = self.lost_among(patients).await?;
        if lost.is_empty() {
            return Ok(0);
        }
        let mut ids: Vec<PatientId> = Vec::new();
        for one in &lost {
            warn!(patient.id = %one.patient, enrollment.id = %one.enrollment, "found by night: {one}");
            self.note(line(one)).await?;
            if ids.last() != Some(&one.patient) {
                ids.push(one.patient);
            }
        }
        self.advance(&ids).await?;
        for one in self.lost_among(&ids).await? {
            warn!(patient.id = %one.patient, "setting patient {} aside: {one}", one.patient);
            let mut tx = self.store.begin();
            tx.quarantine(&*self.ids, one.patient, &one.to_string(), self.clock.now()).await?;
            tx.commit().await?;
        }
        Ok(lost.len())
    }
}

fn line(lost: &Lost) -> AuditLine {
    AuditLine {
        actor: "system".to_owned(),
        action: "find lost",
        patient: Some(lost.patient),
        subject: format!("enrollment {}", lost.enrollment),
        detail: lost.to_string(),
    }
}
