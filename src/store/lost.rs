//! What is looked at to prove that nobody is lost.

use std::collections::BTreeMap;

use jiff::Timestamp;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use tend_engine::{
    EnrollmentId, PatientId, SiteId,
    state::{PatientState, STATE_VERSION},
};

use super::{
    Store, StoreError,
    entity::{enrollment, event, patient},
    read::why::line_of,
    words::{self, uuid},
};

/// A patient with running follow-ups who is not set aside.
#[derive(Debug, Clone)]
pub struct Ongoing {
    /// Who.
    pub patient: PatientId,
    /// Where.
    pub site: SiteId,
    /// The fold of the history.
    pub state: PatientState,
    /// When the patient is looked at next.
    pub wake_at: Option<Timestamp>,
    /// Follow-ups that are not over, as their rows say.
    pub running: Vec<EnrollmentId>,
}

impl Store {
    /// These patients as they stand, without those who are set aside.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn ongoing(&self, patients: &[PatientId]) -> Result<Vec<Ongoing>, StoreError> {
        let ids = || patients.iter().map(|id| uuid(id.0));
        let mut running: BTreeMap<u128, Vec<EnrollmentId>> = BTreeMap::new();
        let rows = enrollment::Entity::find()
            .filter(enrollment::Column::Patient.is_in(ids()))
            .filter(enrollment::Column::Standing.ne("over"))
            .all(self.reader())
            .await?;
        for row in rows {
            running.entry(row.patient.as_u128()).or_default().push(EnrollmentId(row.id.as_u128()));
        }
        let rows = patient::Entity::find()
            .filter(patient::Column::Id.is_in(ids()))
            .filter(patient::Column::Quarantined.is_null())
            .all(self.reader())
            .await?;
        let mut ongoing = Vec::with_capacity(rows.len());
        for row in rows {
            let id = row.id.as_u128();
            ongoing.push(Ongoing {
                patient: PatientId(id),
                site: SiteId(row.site.as_u128()),
                wake_at: words::instant_opt(row.wake_at)?,
                running: running.remove(&id).unwrap_or_default(),
                state: self.state_of(row).await?,
            });
        }
        Ok(ongoing)
    }

    /// The state of a row; folded afresh where an earlier release kept it.
    async fn state_of(&self, row: patient::Model) -> Result<PatientState, StoreError> {
        if row.state_version == i32::from(STATE_VERSION) {
            return serde_json::from_slice(&row.state)
                .map_err(|error| StoreError::unreadable("patient state", error));
        }
        let mut state = PatientState::default();
        let events = event::Entity::find()
            .filter(event::Column::Patient.eq(row.id))
            .filter(event::Column::Seq.lte(row.seq))
            .order_by_asc(event::Column::Seq)
            .all(self.reader())
            .await?;
        for event in events {
            state.fold(&line_of(event)?.entry);
        }
        Ok(state)
    }
}
