//! What was sent, newest first, opened: for the demo's mailbox.

use jiff::Timestamp;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use tend_engine::{PatientId, model::Channel};

use crate::store::{
    Sent, Store, StoreError,
    entity::{attempt, message, queue_count},
    identity::sealed,
    words,
};

use super::patient::open_json;

/// A message as it was handed over.
#[derive(Debug, Clone)]
pub struct SentRow {
    /// Whose.
    pub patient: PatientId,
    /// How it went.
    pub channel: Channel,
    /// Address and words.
    pub sent: Sent,
    /// When it was claimed for its hand-over.
    pub at: Timestamp,
}

impl Store {
    /// How many tasks are open, over all queues.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn open_tasks(&self) -> Result<u64, StoreError> {
        let rows = queue_count::Entity::find().all(self.reader()).await?;
        Ok(rows.iter().map(|row| u64::try_from(row.n).unwrap_or(0)).sum())
    }

    /// The newest accepted hand-overs; what an erased patient got is left out.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn sent(&self, limit: u64) -> Result<Vec<SentRow>, StoreError> {
        let attempts = attempt::Entity::find()
            .filter(attempt::Column::Result.eq("accepted"))
            .order_by_desc(attempt::Column::ClaimedAt)
            .order_by_desc(attempt::Column::Message)
            .limit(limit)
            .all(self.reader())
            .await?;
        let ids = attempts.iter().map(|row| row.message);
        let messages =
            message::Entity::find().filter(message::Column::Id.is_in(ids)).all(self.reader()).await?;
        let patients: std::collections::BTreeMap<_, _> =
            messages.iter().map(|row| (row.id, PatientId(row.patient.as_u128()))).collect();
        let keys = self.keys_of(&patients.values().copied().collect::<Vec<_>>()).await?;
        let mut rows = Vec::with_capacity(attempts.len());
        for row in attempts {
            let Some(patient) = patients.get(&row.message).copied() else { continue };
            let Some(key) = keys.get(&patient) else { continue };
            let sent: Sent = open_json(key, sealed::SENT, &row.sealed)?;
            let (channel, at) = (words::channel_of(&row.channel)?, words::instant(row.claimed_at)?);
            rows.push(SentRow { patient, channel, sent, at });
        }
        Ok(rows)
    }
}
