//! What became of patients, models that a site recalibrated, and what the watch found, as they are written.

use jiff::{Timestamp, civil::Date};
use sea_orm::{TransactionTrait, Value};
use tend_engine::{EnrollmentId, PatientId, SiteId, StaffId};

use super::{
    Store, StoreError,
    read::sql::Sql,
    words::{micros, uuid},
};

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
    /// Whether it happened within the horizon.
    pub happened: bool,
    /// The day, if it is known.
    pub day: Option<Date>,
    /// `staff` or `import`.
    pub source: &'static str,
    /// Who entered it.
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

impl Store {
    /// Writes what became of patients, all or nothing.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn write_outcomes(&self, outcomes: &[NewOutcome]) -> Result<(), StoreError> {
        let _writer = self.0.writer.lock().await;
        let db = &self.0.write;
        let tx = db.begin().await?;
        for one in outcomes {
            let insert = "insert into outcome (id, site, patient, enrollment, happened, day, source, set_by, set_at) values ";
            let values: Vec<Value> = vec![
                uuid(one.id).into(),
                uuid(one.site.0).into(),
                uuid(one.patient.0).into(),
                uuid(one.enrollment.0).into(),
                one.happened.into(),
                one.day.map(|day| day.to_string()).into(),
                one.source.into(),
                one.by.map(|by| uuid(by.0)).into(),
                micros(one.at).into(),
            ];
            Sql::new(db, insert).list(values).run(&tx).await?;
        }
        tx.commit().await?;
        Ok(())
    }

    /// Writes which model of its own a site uses or tries.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn write_local(&self, local: &NewLocal) -> Result<(), StoreError> {
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
        let insert =
            "insert into model_local (id, site, model, model_version, state, body, set_by, set_at) values ";
        self.insert_one(insert, values).await
    }

    /// Writes what a look at a model found.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn write_watch(&self, watch: &NewWatch) -> Result<(), StoreError> {
        let values: Vec<Value> = vec![
            uuid(watch.id).into(),
            uuid(watch.site.0).into(),
            watch.model.into(),
            watch.model_version.clone().into(),
            watch.signal.into(),
            watch.body.clone().into(),
            micros(watch.at).into(),
        ];
        let insert = "insert into model_watch (id, site, model, model_version, signal, body, at) values ";
        self.insert_one(insert, values).await
    }

    async fn insert_one(&self, insert: &str, values: Vec<Value>) -> Result<(), StoreError> {
        let db = &self.0.write;
        Sql::new(db, insert).list(values).run(db).await?;
        Ok(())
    }
}
