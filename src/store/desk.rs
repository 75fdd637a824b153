//! Who holds a task, and notes on tasks. Notes decide nothing, so they take no patient's lock.

use jiff::Timestamp;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use tend_engine::{PatientId, StaffId, TaskId};

use super::{
    Store, StoreError, Tx,
    entity::task,
    identity::sealed,
    read::sql::Sql,
    vault::PatientKey,
    words::{self, uuid},
};

impl Store {
    async fn key_for(&self, patient: PatientId) -> Result<PatientKey, StoreError> {
        self.keys_of(&[patient]).await?.remove(&patient).ok_or(StoreError::Sealed("record"))
    }

    /// Writes a note on a task, sealed under the patient's key.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn write_note(
        &self,
        id: u128,
        task: TaskId,
        patient: PatientId,
        by: StaffId,
        at: Timestamp,
        note: &str,
    ) -> Result<(), StoreError> {
        let sealed_note = self.key_for(patient).await?.seal(sealed::NOTE, note.as_bytes());
        let db = &self.0.write;
        Sql::new(db, "insert into task_note (id, task, patient, written_by, written_at, sealed) values (")
            .bind(uuid(id))
            .text(", ")
            .bind(uuid(task.0))
            .text(", ")
            .bind(uuid(patient.0))
            .text(", ")
            .bind(uuid(by.0))
            .text(", ")
            .bind(words::micros(at))
            .text(", ")
            .bind(sealed_note)
            .text(")")
            .run(db)
            .await?;
        Ok(())
    }
}

impl Tx {
    /// Who holds an open task of a patient that is locked; `None` when it is closed or not there.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn holder_of_open_task(&mut self, id: TaskId) -> Result<Option<Option<StaffId>>, StoreError> {
        let query =
            task::Entity::find().filter(task::Column::Id.eq(uuid(id.0))).filter(task::Column::Open.eq(true));
        let rows = self.rows_of_locked(query).await?;
        Ok(rows.first().map(|row| row.taken_by.map(|by| StaffId(by.as_u128()))))
    }
}
