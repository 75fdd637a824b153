//! One patient: who it is, and the history.

use jiff::Timestamp;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use tend_engine::{EnrollmentId, PatientId, SiteId, fact::Entry, state::PatientState};

use crate::store::{
    Demographics, Identifier, Store, StoreError,
    entity::{demographics, event, identifier, name_word, patient},
    identity::{name_words, sealed},
    vault::PatientKey,
    words,
};

/// Most patients that a look-up by name gives.
pub const FOUND_MAX: u64 = 50;

/// A patient's row.
#[derive(Debug, Clone)]
pub struct PatientRow {
    /// Which.
    pub id: PatientId,
    /// Where.
    pub site: SiteId,
    /// The fold of the history.
    pub state: PatientState,
    /// When something will next be decided.
    pub wake_at: Option<Timestamp>,
    /// Why nothing is decided any more until a person has looked.
    pub quarantined: Option<String>,
}

/// An entry of the history with its free text.
#[derive(Debug, Clone)]
pub struct HistoryLine {
    /// The entry.
    pub entry: Entry,
    /// Free text by item or by `reason`, opened; empty when there was none or the patient was erased.
    pub words: std::collections::BTreeMap<String, String>,
}

impl Store {
    /// A patient's row.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn patient(&self, id: PatientId) -> Result<Option<PatientRow>, StoreError> {
        let row = patient::Entity::find_by_id(words::uuid(id.0)).one(self.reader()).await?;
        row.map(|row| {
            Ok(PatientRow {
                id,
                site: SiteId(row.site.as_u128()),
                state: serde_json::from_slice(&row.state)
                    .map_err(|error| StoreError::unreadable("patient state", error))?,
                wake_at: words::instant_opt(row.wake_at)?,
                quarantined: row.quarantined,
            })
        })
        .transpose()
    }

    /// Name, birth date and sex; `None` once erased.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn demographics(&self, id: PatientId) -> Result<Option<Demographics>, StoreError> {
        Ok(self.demographics_of(&[id]).await?.remove(&id))
    }

    /// The same for many; whoever was erased is left out.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn demographics_of(
        &self,
        ids: &[PatientId],
    ) -> Result<std::collections::BTreeMap<PatientId, Demographics>, StoreError> {
        let keys = self.keys_of(ids).await?;
        let rows = demographics::Entity::find()
            .filter(demographics::Column::Patient.is_in(ids.iter().map(|id| words::uuid(id.0))))
            .all(self.reader())
            .await?;
        rows.into_iter()
            .filter_map(|row| {
                let id = PatientId(row.patient.as_u128());
                let key = keys.get(&id)?;
                Some(open_json(key, sealed::DEMOGRAPHICS, &row.sealed).map(|opened| (id, opened)))
            })
            .collect()
    }

    /// The numbers of a patient in other systems.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn identifiers(&self, id: PatientId) -> Result<Vec<Identifier>, StoreError> {
        let keys = self.keys_of(&[id]).await?;
        let Some(key) = keys.get(&id) else { return Ok(Vec::new()) };
        let rows = identifier::Entity::find()
            .filter(identifier::Column::Patient.eq(words::uuid(id.0)))
            .order_by_asc(identifier::Column::Id)
            .all(self.reader())
            .await?;
        rows.into_iter()
            .map(|row| {
                let value = open_text(key, sealed::IDENTIFIER, &row.sealed)?;
                Ok(Identifier { system: row.system, value })
            })
            .collect()
    }

    /// Patients whose name has all the words of `text`; at most [`FOUND_MAX`].
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn patients_named(&self, text: &str) -> Result<Vec<PatientId>, StoreError> {
        let mut found: Option<std::collections::BTreeSet<u128>> = None;
        for word in name_words(text) {
            let hash = self.vault().lookup_hash("name", &word);
            let rows = name_word::Entity::find()
                .filter(name_word::Column::WordHash.eq(hash))
                .limit(FOUND_MAX * 20)
                .all(self.reader())
                .await?;
            let these = rows.into_iter().map(|row| row.patient.as_u128()).collect();
            found = Some(match found {
                None => these,
                Some(before) => before.intersection(&these).copied().collect(),
            });
        }
        let most = usize::try_from(FOUND_MAX).unwrap_or(usize::MAX);
        Ok(found.unwrap_or_default().into_iter().take(most).map(PatientId).collect())
    }

    /// The patient with that number in another system.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn patient_identified(
        &self,
        system: &str,
        value: &str,
    ) -> Result<Option<PatientId>, StoreError> {
        let row = identifier::Entity::find()
            .filter(identifier::Column::System.eq(system))
            .filter(identifier::Column::ValueHash.eq(self.vault().lookup_hash("identifier", value)))
            .one(self.reader())
            .await?;
        Ok(row.map(|row| PatientId(row.patient.as_u128())))
    }

    /// The history after `seq`, oldest first, at most `limit` entries.
    ///
    /// # Errors
    /// [`StoreError`]; an entry of an unknown kind is refused loudly.
    pub async fn history(
        &self,
        id: PatientId,
        after: u64,
        limit: u64,
    ) -> Result<Vec<HistoryLine>, StoreError> {
        let keys = self.keys_of(&[id]).await?;
        let rows = event::Entity::find()
            .filter(event::Column::Patient.eq(words::uuid(id.0)))
            .filter(event::Column::Seq.gt(i64::try_from(after).unwrap_or(i64::MAX)))
            .order_by_asc(event::Column::Seq)
            .limit(limit)
            .all(self.reader())
            .await?;
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

/// Reads a row of the history; older shapes go through upcasters, unknown ones are refused.
pub(in crate::store) fn entry_of(row: event::Model) -> Result<Entry, StoreError> {
    if row.schema != i32::from(tend_engine::fact::SCHEMA) {
        return Err(StoreError::unreadable("fact", format!("schema {} of kind {}", row.schema, row.kind)));
    }
    Ok(Entry {
        seq: u64::try_from(row.seq).map_err(|error| StoreError::unreadable("sequence number", error))?,
        enrollment: row.enrollment.map(|id| EnrollmentId(id.as_u128())),
        occurred_at: words::instant(row.occurred_at)?,
        recorded_at: words::instant(row.recorded_at)?,
        author: words::author_of(&row.author)?,
        fact: serde_json::from_str(&row.body)
            .map_err(|error| StoreError::unreadable("fact", format!("kind {}: {error}", row.kind)))?,
    })
}

pub(in crate::store) fn open_text(
    key: &PatientKey,
    what: &'static str,
    sealed: &[u8],
) -> Result<String, StoreError> {
    String::from_utf8(key.open(what, sealed)?).map_err(|error| StoreError::unreadable(what, error))
}

pub(in crate::store) fn open_json<T: serde::de::DeserializeOwned>(
    key: &PatientKey,
    what: &'static str,
    sealed: &[u8],
) -> Result<T, StoreError> {
    serde_json::from_slice(&key.open(what, sealed)?).map_err(|error| StoreError::unreadable(what, error))
}
