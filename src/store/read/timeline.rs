//! The history of a patient, latest first, for the patient's page.

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use tend_engine::{
    PatientId,
    fact::{DropReason, Fact, MessageKey},
};

use super::patient::{HistoryLine, entry_of, open_json};
use crate::store::{Store, StoreError, entity::event, identity::sealed, words};

/// Entries of a page of the timeline.
pub const TIMELINE_ROWS: u64 = 60;

/// Why messages were dropped, by patient and key.
pub type Dropped = std::collections::BTreeMap<(PatientId, MessageKey), DropReason>;

impl Store {
    /// Entries before `before` (all when `None`), latest first, at most `limit`.
    ///
    /// # Errors
    /// [`StoreError`]; an entry of an unknown kind is refused loudly.
    pub async fn history_before(
        &self,
        id: PatientId,
        before: Option<u64>,
        limit: u64,
    ) -> Result<Vec<HistoryLine>, StoreError> {
        let mut query = event::Entity::find().filter(event::Column::Patient.eq(words::uuid(id.0)));
        if let Some(before) = before {
            query = query.filter(event::Column::Seq.lt(i64::try_from(before).unwrap_or(i64::MAX)));
        }
        let rows = query.order_by_desc(event::Column::Seq).limit(limit).all(self.reader()).await?;
        self.lines(id, rows).await
    }

    /// The latest answers and red flags of a patient with their free text, latest first, at most `limit`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn answers_of(&self, id: PatientId, limit: u64) -> Result<Vec<HistoryLine>, StoreError> {
        let rows = event::Entity::find()
            .filter(event::Column::Patient.eq(words::uuid(id.0)))
            .filter(event::Column::Kind.is_in(["answered", "voided", "corrected"]))
            .order_by_desc(event::Column::Seq)
            .limit(limit)
            .all(self.reader())
            .await?;
        self.lines(id, rows).await
    }

    /// Why messages of these patients were dropped.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn drops_of(&self, patients: &[PatientId]) -> Result<Dropped, StoreError> {
        let rows = event::Entity::find()
            .filter(event::Column::Patient.is_in(patients.iter().map(|id| words::uuid(id.0))))
            .filter(event::Column::Kind.eq("dropped"))
            .order_by_asc(event::Column::Seq)
            .all(self.reader())
            .await?;
        let mut dropped = Dropped::new();
        for row in rows {
            let patient = PatientId(row.patient.as_u128());
            if let Fact::Dropped { message, why } = entry_of(row)?.fact {
                dropped.insert((patient, message), why);
            }
        }
        Ok(dropped)
    }

    async fn lines(&self, id: PatientId, rows: Vec<event::Model>) -> Result<Vec<HistoryLine>, StoreError> {
        let keys = self.keys_of(&[id]).await?;
        rows.into_iter()
            .map(|row| {
                let words = match (&row.secret, keys.get(&id)) {
                    (Some(secret), Some(key)) => open_json(key, sealed::WORDS, secret)?,
                    _ => std::collections::BTreeMap::new(),
                };
                Ok(HistoryLine { entry: entry_of(row)?, words })
            })
            .collect()
    }
}
