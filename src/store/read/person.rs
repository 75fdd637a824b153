//! Who is behind a row: names for lists, addresses and consents for the patient's page, and looking people up.

use jiff::Timestamp;
use sea_orm::{FromQueryResult, prelude::Uuid};
use tend_engine::{EnrollmentId, PatientId, SiteId, model::Channel};

use super::{
    patient::{open_json, open_text},
    sql::Sql,
};
pub use crate::store::identity::{ContactPoint, Demographics, Identifier, Owner};
use crate::store::{Store, StoreError, identity::sealed, words};

/// A stored address.
#[derive(Debug, Clone)]
pub struct ContactRow {
    /// Which.
    pub id: u128,
    /// How.
    pub channel: Channel,
    /// Where; empty once the patient was erased.
    pub address: String,
    /// Whose.
    pub owner: Owner,
    /// Whether it works.
    pub usable: bool,
}

/// A stored consent.
#[derive(Debug, Clone)]
pub struct ConsentRow {
    /// What for.
    pub purpose: String,
    /// Which channel, or `daily`.
    pub channel: String,
    /// The version of the wording that was read out or shown.
    pub wording: String,
    /// How it was given.
    pub how: String,
    /// Who recorded it.
    pub given_by: String,
    /// When.
    pub given_at: Timestamp,
    /// When it was taken back.
    pub withdrawn_at: Option<Timestamp>,
}

#[derive(FromQueryResult)]
struct RawContact {
    id: Uuid,
    channel: String,
    sealed: Vec<u8>,
    owner: String,
    usable: bool,
}

#[derive(FromQueryResult)]
struct RawConsent {
    purpose: String,
    channel: String,
    wording: String,
    how: String,
    given_by: String,
    given_at: i64,
    withdrawn_at: Option<i64>,
}

#[derive(FromQueryResult)]
struct Id {
    patient: Uuid,
}

impl Store {
    /// Opens the demographics that came with a row; `None` once erased.
    pub(in crate::store) fn person_of(
        &self,
        patient: Uuid,
        wrapped: Option<&[u8]>,
        sealed_bytes: Option<&[u8]>,
    ) -> Result<Option<Demographics>, StoreError> {
        let (Some(wrapped), Some(bytes)) = (wrapped, sealed_bytes) else { return Ok(None) };
        let key = self.vault().unwrap_key(patient.as_u128(), wrapped)?;
        open_json(&key, sealed::DEMOGRAPHICS, bytes).map(Some)
    }

    /// Patients by an identifier in any system, else by the words of a name.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn find_patients(&self, text: &str) -> Result<Vec<PatientId>, StoreError> {
        let db = self.reader();
        let hash = self.vault().lookup_hash("identifier", text.trim());
        let by_number: Vec<Id> = Sql::new(db, "select patient from identifier where value_hash = ")
            .bind(hash)
            .text(" limit 10")
            .all(db)
            .await?;
        if by_number.is_empty() {
            // A part of a name without spaces is found by its characters.
            let spaced: String = text
                .chars()
                .flat_map(|c| if c >= '\u{2e80}' { [' ', c] } else { ['\0', c] })
                .filter(|c| *c != '\0')
                .collect();
            return self.patients_named(&spaced).await;
        }
        Ok(by_number.into_iter().map(|row| PatientId(row.patient.as_u128())).collect())
    }

    /// Whose enrollment it is.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn patient_enrolled(&self, enrollment: EnrollmentId) -> Result<Option<PatientId>, StoreError> {
        let db = self.reader();
        let row: Option<Id> = Sql::new(db, "select patient from enrollment where id = ")
            .bind(words::uuid(enrollment.0))
            .first(db)
            .await?;
        Ok(row.map(|row| PatientId(row.patient.as_u128())))
    }

    /// Of these patients, those of a site, in the same order.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn at_site(
        &self,
        site: SiteId,
        patients: Vec<PatientId>,
    ) -> Result<Vec<PatientId>, StoreError> {
        let db = self.reader();
        let rows: Vec<Id> = Sql::new(db, "select id as patient from patient where site = ")
            .bind(words::uuid(site.0))
            .text(" and id in ")
            .list(patients.iter().map(|id| words::uuid(id.0)))
            .all(db)
            .await?;
        let here: std::collections::BTreeSet<u128> = rows.iter().map(|row| row.patient.as_u128()).collect();
        Ok(patients.into_iter().filter(|id| here.contains(&id.0)).collect())
    }

    /// The addresses of a patient.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn contacts(&self, patient: PatientId) -> Result<Vec<ContactRow>, StoreError> {
        let db = self.reader();
        let keys = self.keys_of(&[patient]).await?;
        let rows: Vec<RawContact> =
            Sql::new(db, "select id, channel, sealed, owner, usable from contact_point where patient = ")
                .bind(words::uuid(patient.0))
                .text(" order by id limit 50")
                .all(db)
                .await?;
        rows.into_iter()
            .map(|row| {
                let address = match keys.get(&patient) {
                    Some(key) => open_text(key, sealed::ADDRESS, &row.sealed)?,
                    None => String::new(),
                };
                Ok(ContactRow {
                    id: row.id.as_u128(),
                    channel: words::channel_of(&row.channel)?,
                    address,
                    owner: if row.owner == "carer" { Owner::Carer } else { Owner::Own },
                    usable: row.usable,
                })
            })
            .collect()
    }

    /// The consents of a patient, latest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn consents(&self, patient: PatientId) -> Result<Vec<ConsentRow>, StoreError> {
        let db = self.reader();
        let rows: Vec<RawConsent> = Sql::new(
            db,
            "select purpose, channel, wording, how, given_by, given_at, withdrawn_at from consent where patient = ",
        )
        .bind(words::uuid(patient.0))
        .text(" order by given_at desc, id desc limit 100")
        .all(db)
        .await?;
        rows.into_iter()
            .map(|row| {
                Ok(ConsentRow {
                    purpose: row.purpose,
                    channel: row.channel,
                    wording: row.wording,
                    how: row.how,
                    given_by: row.given_by,
                    given_at: words::instant(row.given_at)?,
                    withdrawn_at: words::instant_opt(row.withdrawn_at)?,
                })
            })
            .collect()
    }
}
