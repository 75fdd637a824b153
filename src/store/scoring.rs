//! Scores and model switches as they are written: each score with model version and the hash of its inputs.

use jiff::Timestamp;
use tend_engine::{EnrollmentId, PatientId, SiteId, StaffId};

use super::{
    Store, StoreError,
    read::{risk_queue::ScoreReason, sql::Sql},
    words::{self, uuid},
};

/// A score to be written.
#[derive(Debug, Clone)]
pub struct NewScore {
    /// The model.
    pub model: String,
    /// Its version.
    pub model_version: String,
    /// Of its inputs.
    pub inputs_hash: Vec<u8>,
    /// Parts per million; `None` when it abstained.
    pub ppm: Option<u32>,
    /// The interval's ends.
    pub interval_ppm: Option<(u32, u32)>,
    /// Largest first.
    pub reasons: Vec<ScoreReason>,
    /// Why there is none, in English and Chinese.
    pub abstain: Option<(String, String)>,
}

fn small(n: u32) -> i32 {
    i32::try_from(n).unwrap_or(i32::MAX)
}

impl Store {
    /// Writes a score.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn write_score(
        &self,
        id: u128,
        patient: PatientId,
        enrollment: EnrollmentId,
        score: &NewScore,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let db = &self.0.write;
        let insert = "insert into score (id, patient, enrollment, model, model_version, inputs_hash, ppm, low_ppm, \
                      high_ppm, reasons, abstain, at) values (";
        let abstain = score.abstain.as_ref().map(|(en, zh)| format!("{en}\n{zh}"));
        Sql::new(db, insert)
            .bind(uuid(id))
            .text(", ")
            .bind(uuid(patient.0))
            .text(", ")
            .bind(uuid(enrollment.0))
            .text(", ")
            .bind(score.model.as_str())
            .text(", ")
            .bind(score.model_version.as_str())
            .text(", ")
            .bind(score.inputs_hash.clone())
            .text(", ")
            .bind(score.ppm.map(small))
            .text(", ")
            .bind(score.interval_ppm.map(|(low, _)| small(low)))
            .text(", ")
            .bind(score.interval_ppm.map(|(_, high)| small(high)))
            .text(", ")
            .bind(serde_json::to_string(&score.reasons).unwrap_or_else(|_| "[]".to_owned()))
            .text(", ")
            .bind(abstain)
            .text(", ")
            .bind(words::micros(at))
            .text(")")
            .run(db)
            .await?;
        Ok(())
    }

    /// Writes that a model was switched for a workflow.
    ///
    /// # Errors
    /// [`StoreError`].
    #[expect(clippy::too_many_arguments, reason = "the columns of one row")]
    pub async fn write_switch(
        &self,
        id: u128,
        site: SiteId,
        model: &str,
        version: &str,
        workflow: &str,
        state: &str,
        by: StaffId,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let db = &self.0.write;
        let insert = "insert into model_switch (id, site, model, model_version, workflow, state, set_by, set_at) values (";
        Sql::new(db, insert)
            .bind(uuid(id))
            .text(", ")
            .bind(uuid(site.0))
            .text(", ")
            .bind(model)
            .text(", ")
            .bind(version)
            .text(", ")
            .bind(workflow)
            .text(", ")
            .bind(state)
            .text(", ")
            .bind(uuid(by.0))
            .text(", ")
            .bind(words::micros(at))
            .text(")")
            .run(db)
            .await?;
        Ok(())
    }
}
