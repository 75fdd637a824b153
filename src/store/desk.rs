//! Notes on tasks. They decide nothing, so they take no patient's lock.

use jiff::Timestamp;
use tend_engine::{PatientId, StaffId, TaskId};

use super::{
    Store, StoreError,
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
