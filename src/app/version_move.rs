//! Moving follow-ups to another version of their workflow, or back: one fact each, with all that follows from it in the same
//! commit. For everybody it is a long job, as slow as was asked for.

use serde::{Deserialize, Serialize};
use tend_engine::{
    EnrollmentId, Name, PatientId, SiteId, StaffId, VersionHash,
    fact::{Fact, NewFact, VersionChoice},
    migration::{Ambiguous, Migration},
    state::{EnrollmentState, Standing},
};

use super::{
    Actor, App, Live, RecordError,
    long_job::{RunEnd, Stopped},
    population::{Chosen, chosen_for},
    record::{TRIES_MAX, just_now},
};
use crate::store::{FreeText, HeldJob, LongJob, LongKind, NewLongJob, StoreError};

/// Runs of a job that goes slowly, an hour.
const RUNS_PER_HOUR: u32 = 12;
/// Patients that are listed at a time.
const PAGE: usize = 500;

/// What becomes of a follow-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// It stays on its version, also when the others are moved. What was chosen before does not count any more.
    Stay,
    /// It moves now.
    Now,
    /// It moves as soon as nothing waits for an answer or for a task to be done.
    WhenQuiet,
    /// It goes back to the version before its last move; if it only waits to be moved, it stays.
    Back,
}

/// Everybody of a workflow is to be moved.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct MoveAll {
    /// Which.
    pub workflow: Name,
    /// The version to move to, or to move back from.
    pub to: VersionHash,
    /// How.
    pub how: How,
    /// At most so many patients an hour; as fast as it goes without.
    pub per_hour: Option<u32>,
}

/// Why a follow-up was not moved.
#[derive(Debug, thiserror::Error)]
pub enum MoveError {
    /// The new file leaves open what is meant.
    #[error("not moved: {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Ambiguous(Vec<Ambiguous>),
    /// It is over, it is there already, or there is nothing to take back.
    #[error("not moved: the follow-up is over, is on that version already, or was not moved")]
    Nothing,
    /// The fact was not recorded.
    #[error(transparent)]
    Record(#[from] RecordError),
}

impl From<StoreError> for MoveError {
    fn from(error: StoreError) -> Self {
        Self::Record(RecordError::Store(error))
    }
}

impl App {
    /// Moves one follow-up, or chooses for it.
    ///
    /// # Errors
    /// [`MoveError`].
    pub async fn move_followup(
        &self,
        patient: PatientId,
        enrollment: EnrollmentId,
        to: &VersionHash,
        how: How,
        by: StaffId,
    ) -> Result<(), MoveError> {
        for _ in 1..TRIES_MAX {
            match self.move_once(patient, enrollment, to, how, by).await {
                Err(MoveError::Record(RecordError::Store(StoreError::Conflict))) => {}
                other => return other,
            }
        }
        self.move_once(patient, enrollment, to, how, by).await
    }

    async fn move_once(
        &self,
        patient: PatientId,
        enrollment: EnrollmentId,
        to: &VersionHash,
        how: How,
        by: StaffId,
    ) -> Result<(), MoveError> {
        let actor = Actor::Staff(by);
        let mut tx = self.store.begin();
        let mut locked = self.lock_one(&mut tx, patient).await?;
        let live = self.live();
        let of = locked.state.enrollments.get(&enrollment).ok_or(MoveError::Nothing)?;
        let fact = fact(&live, of, to, how)?.ok_or(MoveError::Nothing)?;
        let facts = vec![just_now(actor, self.clock.now(), Some(enrollment), fact)];
        self.append(&mut tx, actor, action(how), &mut locked, facts, &FreeText::new()).await?;
        Ok(tx.commit().await?)
    }

    /// Asks for everybody to be moved; says which job does it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn move_everybody(
        &self,
        site: SiteId,
        all: &MoveAll,
        by: Option<StaffId>,
    ) -> Result<u128, StoreError> {
        let id = self.ids.fresh();
        let job = NewLongJob {
            id,
            site,
            kind: LongKind::Moving,
            name: format!("moving {id}"),
            asked_by: by,
            body: serde_json::to_string(all).unwrap_or_default(),
        };
        let mut tx = self.store.begin();
        tx.add_long_job(&job, self.clock.now()).await?;
        tx.commit().await?;
        Ok(id)
    }

    /// Moves patient by patient, each in one commit with the progress of the job.
    pub(super) async fn run_moving(
        &self,
        job: &LongJob,
        held: HeldJob,
        stop: &Stopped<'_>,
    ) -> Result<RunEnd, StoreError> {
        let all: MoveAll =
            serde_json::from_str(&job.body).map_err(|error| StoreError::unreadable("long job", error))?;
        let at_a_time = all.per_hour.map(|most| most.div_ceil(RUNS_PER_HOUR).max(1));
        let (mut moved, mut after) = (0, job.cursor);
        loop {
            let page = self.store.followed_with(job.site, &all.workflow, after, PAGE).await?;
            let Some(last) = page.last() else { return Ok(RunEnd::Done) };
            after = Some(*last);
            for patient in page {
                if stop() {
                    return Ok(RunEnd::Stopped);
                }
                if let (Some(at_a_time), Some(per_hour)) = (at_a_time, all.per_hour)
                    && moved >= at_a_time
                {
                    return Ok(RunEnd::Rests { seconds: at_a_time.saturating_mul(3600) / per_hour.max(1) });
                }
                moved += u32::from(self.move_in_job(job, held, &all, patient).await?);
            }
        }
    }

    /// Says whether something was recorded.
    async fn move_in_job(
        &self,
        job: &LongJob,
        held: HeldJob,
        all: &MoveAll,
        patient: PatientId,
    ) -> Result<bool, StoreError> {
        let actor = job.asked_by.map_or(Actor::System, Actor::Staff);
        for tried in 1.. {
            let mut tx = self.store.begin();
            let mut recorded = false;
            match self.lock_one(&mut tx, patient).await {
                Ok(mut locked) => {
                    let facts = self.facts_of(&locked.state.enrollments, all, actor);
                    if !facts.is_empty() {
                        recorded = true;
                        let nothing = FreeText::new();
                        let appended =
                            self.append(&mut tx, actor, action(all.how), &mut locked, facts, &nothing).await;
                        match appended {
                            Ok(_) => {}
                            Err(RecordError::Store(StoreError::Conflict)) if tried < TRIES_MAX => continue,
                            Err(RecordError::Store(error)) => return Err(error),
                            // The patient is left as it is; the ticker sets such a patient aside with an owned task.
                            Err(RecordError::Engine(_) | RecordError::NotThere) => {
                                tx.rollback().await?;
                                tx = self.store.begin();
                                recorded = false;
                            }
                        }
                    }
                }
                Err(RecordError::NotThere | RecordError::Engine(_)) => {}
                Err(RecordError::Store(error)) => return Err(error),
            }
            tx.got_on(held, u32::from(recorded), Some(patient)).await?;
            match tx.commit().await {
                Err(StoreError::Conflict) if tried < TRIES_MAX => self.is_still_mine(held).await?,
                other => return other.map(|()| recorded),
            }
        }
        Ok(false)
    }

    fn facts_of(
        &self,
        enrollments: &std::collections::BTreeMap<EnrollmentId, EnrollmentState>,
        all: &MoveAll,
        actor: Actor,
    ) -> Vec<NewFact> {
        let live = self.live();
        let mut facts = Vec::new();
        for (id, of) in enrollments.iter().filter(|(_, of)| of.workflow == all.workflow) {
            // Whoever was to stay stays.
            if all.how != How::Back && chosen_for(of, &all.to) == Some(Chosen::Stays) {
                continue;
            }
            if let Ok(Some(fact)) = fact(&live, of, &all.to, all.how) {
                facts.push(just_now(actor, self.clock.now(), Some(*id), fact));
            }
        }
        facts
    }
}

/// What is recorded; nothing where there is nothing to do.
fn fact(live: &Live, of: &EnrollmentState, to: &VersionHash, how: How) -> Result<Option<Fact>, MoveError> {
    if matches!(of.standing, Standing::Over { .. }) {
        return Ok(None);
    }
    let chosen = |to: &VersionHash, choice| Some(Fact::VersionChosen { to: to.clone(), choice });
    if how == How::Back {
        if of.version != *to {
            let waits = chosen_for(of, to) == Some(Chosen::Waits);
            return Ok(chosen(&of.version, VersionChoice::Stay).filter(|_| waits));
        }
        let back = of.moved_from.clone().map(|(before, migration)| Fact::VersionChanged {
            from: of.version.clone(),
            to: before,
            migration: migration.back(),
            undone: true,
        });
        return Ok(back);
    }
    if of.version == *to {
        return Ok(None);
    }
    if how == How::Stay {
        return Ok(chosen(to, VersionChoice::Stay));
    }
    let (Some(old), Some(new)) = (live.library.get(&of.version), live.library.get(to)) else {
        return Ok(None);
    };
    let migration = Migration::between(old, new).map_err(MoveError::Ambiguous)?;
    Ok(match how {
        How::WhenQuiet => chosen(to, VersionChoice::MoveWhenQuiet(migration)),
        How::Stay | How::Now | How::Back => {
            let (from, to) = (of.version.clone(), to.clone());
            Some(Fact::VersionChanged { from, to, migration, undone: false })
        }
    })
}

fn action(how: How) -> &'static str {
    match how {
        How::Stay => "stay on version",
        How::Now => "move to version",
        How::WhenQuiet => "move to version when quiet",
        How::Back => "move back",
    }
}
