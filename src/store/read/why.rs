//! What is needed to explain a message or task: whose it is, and the history without anything that is sealed.

use jiff::Timestamp;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use tend_engine::{
    PatientId,
    fact::{Entry, MessageKey, TaskKey},
    replay::Line,
};

use super::patient::entry_of;
use crate::store::{
    Store, StoreError,
    entity::{event, message, task},
    words,
};

/// A message or a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum About {
    /// A message by its key.
    Message(MessageKey),
    /// A task by its key.
    Task(TaskKey),
}

/// Entries of a history that are read at a time.
const ENTRIES_READ: u64 = 2_000;

impl Store {
    /// The message or task of that id, and whose it is.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn message_or_task(&self, id: u128) -> Result<Option<(PatientId, About)>, StoreError> {
        let id = words::uuid(id);
        if let Some(row) = message::Entity::find_by_id(id).one(self.reader()).await? {
            let about = About::Message(MessageKey(row.key));
            return Ok(Some((PatientId(row.patient.as_u128()), about)));
        }
        let row = task::Entity::find_by_id(id).one(self.reader()).await?;
        Ok(row.map(|row| (PatientId(row.patient.as_u128()), About::Task(TaskKey(row.key)))))
    }

    /// A whole history without anything that is sealed, oldest first.
    ///
    /// # Errors
    /// [`StoreError`]; an entry of an unknown kind is refused loudly.
    pub async fn whole_history(&self, id: PatientId) -> Result<Vec<Entry>, StoreError> {
        let mut entries: Vec<Entry> = Vec::new();
        loop {
            let after = entries.last().map_or(0, |entry| entry.seq);
            let page = self.entries(id, after, ENTRIES_READ).await?;
            let is_last = (page.len() as u64) < ENTRIES_READ;
            entries.extend(page);
            if is_last {
                return Ok(entries);
            }
        }
    }

    /// The entries after `seq`, oldest first, at most `limit`. Nothing that is sealed is opened.
    ///
    /// # Errors
    /// [`StoreError`]; an entry of an unknown kind is refused loudly.
    pub async fn entries(&self, id: PatientId, after: u64, limit: u64) -> Result<Vec<Entry>, StoreError> {
        let rows = event::Entity::find()
            .filter(event::Column::Patient.eq(words::uuid(id.0)))
            .filter(event::Column::Seq.gt(i64::try_from(after).unwrap_or(i64::MAX)))
            .order_by_asc(event::Column::Seq)
            .limit(limit)
            .all(self.reader())
            .await?;
        rows.into_iter().map(entry_of).collect()
    }

    /// The whole history up to an instant, and how each entry came to be.
    ///
    /// # Errors
    /// [`StoreError`]; an entry of an unknown kind is refused loudly.
    pub async fn lines_until(&self, id: PatientId, at: Timestamp) -> Result<Vec<Line>, StoreError> {
        let rows = event::Entity::find()
            .filter(event::Column::Patient.eq(words::uuid(id.0)))
            .filter(event::Column::RecordedAt.lte(words::micros(at)))
            .order_by_asc(event::Column::Seq)
            .all(self.reader())
            .await?;
        rows.into_iter().map(line_of).collect()
    }
}

/// A row of the history with how it came to be.
pub(in crate::store) fn line_of(row: event::Model) -> Result<Line, StoreError> {
    Ok(Line { made: words::made_of(row.decided_under)?, entry: entry_of(row)? })
}
