//! Keys of patients, for opening what is sealed.

use std::collections::BTreeMap;

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use tend_engine::PatientId;

use crate::store::{Store, StoreError, entity::patient_key, sql, vault::PatientKey};

impl Store {
    /// The keys of these patients; whoever was erased is left out.
    pub(in crate::store) async fn keys_of(
        &self,
        patients: &[PatientId],
    ) -> Result<BTreeMap<PatientId, PatientKey>, StoreError> {
        let rows = patient_key::Entity::find()
            .filter(patient_key::Column::Patient.is_in(sql::listed(patients.iter().map(|id| id.0))))
            .all(self.reader())
            .await?;
        rows.into_iter()
            .map(|row| {
                let id = row.patient.as_u128();
                Ok((PatientId(id), self.vault().unwrap_key(id, &row.wrapped)?))
            })
            .collect()
    }

    /// Whether the site key is the one that the patients' keys were wrapped with.
    ///
    /// # Errors
    /// [`StoreError::Sealed`] when it is another one.
    pub async fn opens_a_key(&self) -> Result<(), StoreError> {
        match patient_key::Entity::find().one(self.reader()).await? {
            Some(row) => self.vault().unwrap_key(row.patient.as_u128(), &row.wrapped).map(|_| ()),
            None => Ok(()),
        }
    }
}
