//! What became of patients, which models a site uses and shows, and what the watch found, as they are written: each in the
//! transaction of what follows from it.

use jiff::{Timestamp, civil::Date};
use sea_orm::Value;
use tend_engine::{EnrollmentId, Name, PatientId, SiteId, StaffId};

use super::{
    StoreError, Tx, sql, tables,
    words::{micros, uuid},
};

/// What became of a patient within the horizon after a discharge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Became {
    /// Admitted again, on that day.
    Admitted(Date),
    /// Not admitted again.
    NotAdmitted,
}

impl Became {
    /// Whether the patient was admitted.
    #[must_use]
    pub fn happened(self) -> bool {
        self.day().is_some()
    }

    /// The day of the admission.
    #[must_use]
    pub fn day(self) -> Option<Date> {
        match self {
            Self::Admitted(day) => Some(day),
            Self::NotAdmitted => None,
        }
    }
}

/// What became of a patient, to be written.
#[derive(Debug, Clone)]
pub struct NewOutcome {
    /// Its id.
    pub id: u128,
    /// Where.
    pub site: SiteId,
    /// Whose.
    pub patient: PatientId,
    /// After which discharge.
    pub enrollment: EnrollmentId,
    /// What became.
    pub became: Became,
    /// `staff` or `import`.
    pub source: &'static str,
    /// Who entered it.
    pub by: Option<StaffId>,
    /// When.
    pub at: Timestamp,
}

/// Whether a model is shown for a workflow, to be written.
#[derive(Debug, Clone)]
pub struct NewSwitch<'a> {
    /// Its id.
    pub id: u128,
    /// Where.
    pub site: SiteId,
    /// The model.
    pub model: &'static str,
    /// Its version.
    pub model_version: &'a str,
    /// For which workflow.
    pub workflow: &'a Name,
    /// `shadow`, `on`, `off` or `stepped_back`.
    pub state: &'static str,
    /// Who did it; nobody if it was the watch.
    pub by: Option<StaffId>,
    /// When.
    pub at: Timestamp,
}

/// A model as a site moved it, to be written.
#[derive(Debug, Clone)]
pub struct NewLocal {
    /// Its id.
    pub id: u128,
    /// Where.
    pub site: SiteId,
    /// The model.
    pub model: &'static str,
    /// Its version as moved; empty takes back what had that state.
    pub model_version: String,
    /// `champion` or `challenger`.
    pub state: &'static str,
    /// How it was moved, as JSON.
    pub body: String,
    /// Who did it.
    pub by: Option<StaffId>,
    /// When.
    pub at: Timestamp,
}

/// What a look at a model found, to be written.
#[derive(Debug, Clone)]
pub struct NewWatch {
    /// Its id.
    pub id: u128,
    /// Where.
    pub site: SiteId,
    /// The model.
    pub model: &'static str,
    /// Its version.
    pub model_version: String,
    /// `quiet`, `look` or `step_back`.
    pub signal: &'static str,
    /// The figures, as JSON.
    pub body: String,
    /// When.
    pub at: Timestamp,
}

impl Tx {
    /// Writes what became of patients.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn write_outcomes(&mut self, outcomes: &[NewOutcome]) -> Result<(), StoreError> {
        let mut rows = sql::Rows::default();
        for one in outcomes {
            rows.push([
                uuid(one.id).into(),
                uuid(one.site.0).into(),
                uuid(one.patient.0).into(),
                uuid(one.enrollment.0).into(),
                one.became.happened().into(),
                one.became.day().map(|day| day.to_string()).into(),
                one.source.into(),
                one.by.map(|by| uuid(by.0)).into(),
                micros(one.at).into(),
            ]);
        }
        sql::insert(self.conn().await?, &tables::OUTCOME, rows).await?;
        Ok(())
    }

    /// Writes that a model was switched for a workflow.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn write_switch(&mut self, switch: &NewSwitch<'_>) -> Result<(), StoreError> {
        let values: Vec<Value> = vec![
            uuid(switch.id).into(),
            uuid(switch.site.0).into(),
            switch.model.into(),
            switch.model_version.into(),
            switch.workflow.as_str().into(),
            switch.state.into(),
            switch.by.map(|by| uuid(by.0)).into(),
            micros(switch.at).into(),
        ];
        let insert = "insert into model_switch (id, site, model, model_version, workflow, state, set_by, set_at) \
                      values ($1, $2, $3, $4, $5, $6, $7, $8)";
        self.statement(insert, values).await.map(|_| ())
    }

    /// Writes which model of its own a site uses or tries.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn write_local(&mut self, local: &NewLocal) -> Result<(), StoreError> {
        let values: Vec<Value> = vec![
            uuid(local.id).into(),
            uuid(local.site.0).into(),
            local.model.into(),
            local.model_version.clone().into(),
            local.state.into(),
            local.body.clone().into(),
            local.by.map(|by| uuid(by.0)).into(),
            micros(local.at).into(),
        ];
        let insert = "insert into model_local (id, site, model, model_version, state, body, set_by, set_at) \
                      values ($1, $2, $3, $4, $5, $6, $7, $8)";
        self.statement(insert, values).await.map(|_| ())
    }

    /// Writes what a look at a model found.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn write_watch(&mut self, watch: &NewWatch) -> Result<(), StoreError> {
        let values: Vec<Value> = vec![
            uuid(watch.id).into(),
            uuid(watch.site.0).into(),
            watch.model.into(),
            watch.model_version.clone().into(),
            watch.signal.into(),
            watch.body.clone().into(),
            micros(watch.at).into(),
        ];
        let insert = "insert into model_watch (id, site, model, model_version, signal, body, at) \
                      values ($1, $2, $3, $4, $5, $6, $7)";
        self.statement(insert, values).await.map(|_| ())
    }
}
