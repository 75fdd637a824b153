//! Scores as they are written: each with model version and the hash of its inputs.

use std::collections::BTreeMap;

use jiff::Timestamp;
use sea_orm::{ColumnTrait, EntityTrait, FromQueryResult, QueryFilter, prelude::Uuid};
use tend_engine::{EnrollmentId, PatientId, SiteId, state::PatientState};

use super::{
    Batch, Store, StoreError,
    batch::small,
    entity::patient,
    read::{risk_queue::ScoreReason, sql::Sql},
    words::{micros, uuid},
};
use crate::ports::Ids;

/// The model name under which a challenger's scores are written: it is computed beside the model in use and never shown.
pub const CHALLENGER: &str = "challenger";

/// A score to be written.
#[derive(Debug, Clone)]
pub struct NewScore {
    /// The model.
    pub model: String,
    /// Its version.
    pub model_version: String,
    /// Of its inputs.
    pub inputs_hash: Vec<u8>,
    /// What was put in: JSON of numbers and names by feature.
    pub inputs: String,
    /// Parts per million; `None` when it abstained.
    pub ppm: Option<u32>,
    /// The interval's ends.
    pub interval_ppm: Option<(u32, u32)>,
    /// Largest first.
    pub reasons: Vec<ScoreReason>,
    /// Why there is none, in English and Chinese.
    pub abstain: Option<(String, String)>,
}

/// What a model was last asked about a follow-up.
#[derive(Debug, Clone)]
pub struct Latest {
    /// The model's version.
    pub model_version: String,
    /// Of what was put in.
    pub inputs_hash: Vec<u8>,
    /// What came out.
    pub ppm: Option<u32>,
}

#[derive(FromQueryResult)]
struct Wanted {
    patient: Uuid,
}

#[derive(FromQueryResult)]
struct RawLatest {
    enrollment: Uuid,
    model_version: String,
    inputs_hash: Vec<u8>,
    ppm: Option<i32>,
}

impl Batch {
    /// Adds a score to the log.
    pub fn score(
        &mut self,
        ids: &dyn Ids,
        site: SiteId,
        patient: PatientId,
        enrollment: EnrollmentId,
        score: &NewScore,
        at: Timestamp,
    ) {
        self.scores.push([
            uuid(ids.fresh()).into(),
            uuid(patient.0).into(),
            uuid(enrollment.0).into(),
            score.model.clone().into(),
            score.model_version.clone().into(),
            score.inputs_hash.clone().into(),
            score.ppm.map(small).into(),
            score.interval_ppm.map(|(low, _)| small(low)).into(),
            score.interval_ppm.map(|(_, high)| small(high)).into(),
            serde_json::to_string(&score.reasons).unwrap_or_else(|_| "[]".to_owned()).into(),
            score.abstain.as_ref().map(|(en, zh)| format!("{en}\n{zh}")).into(),
            micros(at).into(),
            Some(score.inputs.clone()).into(),
            Some(uuid(site.0)).into(),
        ]);
    }

    /// A wish for a score up to `seen` was looked at.
    pub fn score_looked_at(&mut self, enrollment: EnrollmentId, seen: Timestamp) {
        self.scores_looked_at.push([uuid(enrollment.0).into(), micros(seen).into()]);
    }
}

impl Store {
    /// Patients with a follow-up for which a score is wanted, the longest waiting first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn score_wanted(&self, limit: i64) -> Result<Vec<PatientId>, StoreError> {
        let db = self.reader();
        let rows: Vec<Wanted> = Sql::new(
            db,
            "select patient from enrollment where score_wanted_at is not null order by score_wanted_at limit ",
        )
        .bind(limit)
        .all(db)
        .await?;
        Ok(rows.into_iter().map(|row| PatientId(row.patient.as_u128())).collect())
    }

    /// The states of these patients as they stand; whoever is not there is left out.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn states(&self, patients: &[PatientId]) -> Result<Vec<(PatientId, PatientState)>, StoreError> {
        let rows = patient::Entity::find()
            .filter(patient::Column::Id.is_in(patients.iter().map(|id| uuid(id.0))))
            .all(self.reader())
            .await?;
        rows.into_iter()
            .map(|row| {
                let state = serde_json::from_slice(&row.state)
                    .map_err(|error| StoreError::unreadable("patient state", error))?;
                Ok((PatientId(row.id.as_u128()), state))
            })
            .collect()
    }

    /// What was put in and came out when each of these follow-ups was last scored by that model.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn latest_inputs(
        &self,
        enrollments: &[EnrollmentId],
        model: &str,
    ) -> Result<BTreeMap<EnrollmentId, Latest>, StoreError> {
        let db = self.reader();
        let rows: Vec<RawLatest> = Sql::new(
            db,
            "select s.enrollment, s.model_version, s.inputs_hash, s.ppm from score s where s.enrollment in ",
        )
        .list(enrollments.iter().map(|id| uuid(id.0)))
        .text(" and s.model = ")
        .bind(model)
        .text(" order by s.enrollment, s.at, s.id")
        .all(db)
        .await?;
        let latest = |row: RawLatest| {
            let ppm = row.ppm.and_then(|ppm| u32::try_from(ppm).ok());
            let latest = Latest { model_version: row.model_version, inputs_hash: row.inputs_hash, ppm };
            (EnrollmentId(row.enrollment.as_u128()), latest)
        };
        Ok(rows.into_iter().map(latest).collect())
    }
}
