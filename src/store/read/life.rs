//! A model after it went live: who was scored and what became of them, which models a site moved, what the watch found.

use std::collections::BTreeMap;

use jiff::{Timestamp, civil::Date};
use sea_orm::{FromQueryResult, prelude::Uuid};
use tend_engine::{EnrollmentId, PatientId, SiteId};

use super::sql::Sql;
use crate::store::{Became, Store, StoreError, words};

/// Scores that are looked at, newest first: enough for years of a hospital's wards.
pub const FOLLOWED_MAX: i64 = 20_000;

/// The first score of a follow-up by one version of a model, and what became of the patient.
#[derive(Debug, Clone)]
pub struct Followed {
    /// Which.
    pub enrollment: EnrollmentId,
    /// Whose.
    pub patient: PatientId,
    /// The model's version.
    pub model_version: String,
    /// Parts per million.
    pub ppm: u32,
    /// What was put in, as JSON.
    pub inputs: String,
    /// When.
    pub at: Timestamp,
    /// Whether it happened, once that is known.
    pub happened: Option<bool>,
}

/// What became of a patient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutcomeRow {
    /// After which discharge.
    pub enrollment: EnrollmentId,
    /// Whose.
    pub patient: PatientId,
    /// What became.
    pub became: Became,
    /// `staff` or `import`.
    pub source: String,
    /// Who entered it; empty for a program.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// A model as a site moved it.
#[derive(Debug, Clone)]
pub struct LocalRow {
    /// `champion` or `challenger`.
    pub state: String,
    /// Its version as moved; empty when it was taken back.
    pub model_version: String,
    /// How it was moved, as JSON.
    pub body: String,
    /// Who did it.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// What the latest look at a model found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatchRow {
    /// The model's version.
    pub model_version: String,
    /// `quiet`, `look` or `step_back`.
    pub signal: String,
    /// The figures, as JSON.
    pub body: String,
    /// When.
    pub at: Timestamp,
}

#[derive(FromQueryResult)]
struct RawFollowed {
    enrollment: Uuid,
    patient: Uuid,
    model_version: String,
    ppm: i32,
    inputs: Option<String>,
    at: i64,
    happened: Option<bool>,
}

#[derive(FromQueryResult)]
struct RawOutcome {
    enrollment: Uuid,
    patient: Uuid,
    happened: bool,
    day: Option<String>,
    source: String,
    name: Option<String>,
    set_at: i64,
}

#[derive(FromQueryResult)]
struct RawLocal {
    state: String,
    model_version: String,
    body: String,
    name: Option<String>,
    set_at: i64,
}

#[derive(FromQueryResult)]
struct RawWatch {
    model_version: String,
    signal: String,
    body: String,
    at: i64,
}

const OUTCOME: &str = "select o.enrollment, o.patient, o.happened, o.day, o.source, s.name, o.set_at from outcome o \
     left join staff s on s.id = o.set_by where ";

impl Store {
    /// The first score of each follow-up of a site by each version of a model, oldest first, with what became of the patient.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn followed(&self, site: SiteId, model: &str) -> Result<Vec<Followed>, StoreError> {
        let db = self.reader();
        let raw: Vec<RawFollowed> = Sql::new(
            db,
            "select s.enrollment, s.patient, s.model_version, s.ppm, s.inputs, s.at, o.happened from score s \
             left join outcome o on o.id = (select l.id from outcome l where l.enrollment = s.enrollment \
             order by l.set_at desc, l.id desc limit 1) where s.ppm is not null and s.model = ",
        )
        .bind(model)
        .text(" and s.site = ")
        .bind(words::uuid(site.0))
        .text(" order by s.at desc, s.id limit ")
        .bind(FOLLOWED_MAX)
        .all(db)
        .await?;
        let mut first: BTreeMap<(Uuid, String), Followed> = BTreeMap::new();
        for row in raw {
            let followed = Followed {
                enrollment: EnrollmentId(row.enrollment.as_u128()),
                patient: PatientId(row.patient.as_u128()),
                model_version: row.model_version.clone(),
                ppm: u32::try_from(row.ppm).unwrap_or(0),
                inputs: row.inputs.unwrap_or_else(|| "{}".to_owned()),
                at: words::instant(row.at)?,
                happened: row.happened,
            };
            first.insert((row.enrollment, row.model_version), followed);
        }
        let mut all: Vec<Followed> = first.into_values().collect();
        all.sort_by_key(|row| (row.at, row.enrollment));
        Ok(all)
    }

    /// What became of the patients of these follow-ups, as far as it is known.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn outcomes_of(
        &self,
        enrollments: &[EnrollmentId],
    ) -> Result<BTreeMap<EnrollmentId, OutcomeRow>, StoreError> {
        if enrollments.is_empty() {
            return Ok(BTreeMap::new());
        }
        let db = self.reader();
        let ids = enrollments.iter().map(|id| words::uuid(id.0));
        let sql = Sql::new(db, OUTCOME).text("o.enrollment in ").list(ids).text(" order by o.set_at, o.id");
        latest(sql.all(db).await?)
    }

    /// What became of the patients of a site, by follow-up.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn outcomes_at(&self, site: SiteId) -> Result<BTreeMap<EnrollmentId, OutcomeRow>, StoreError> {
        let db = self.reader();
        let sql = Sql::new(db, OUTCOME)
            .text("o.site = ")
            .bind(words::uuid(site.0))
            .text(" order by o.set_at, o.id");
        latest(sql.all(db).await?)
    }

    /// The follow-ups of a site that began on these days, for a list of outcomes by patient and day.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn follow_ups_of(
        &self,
        site: SiteId,
        patient: PatientId,
    ) -> Result<Vec<(EnrollmentId, Option<Date>)>, StoreError> {
        use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

        use crate::store::entity::enrollment;
        let rows = enrollment::Entity::find()
            .filter(enrollment::Column::Patient.eq(words::uuid(patient.0)))
            .filter(enrollment::Column::Site.eq(words::uuid(site.0)))
            .all(self.reader())
            .await?;
        rows.into_iter()
            .map(|row| {
                let day = row.anchor.map(|day| day.to_string().parse()).transpose();
                let day = day.map_err(|error| StoreError::unreadable("anchor", error))?;
                Ok((EnrollmentId(row.id.as_u128()), day))
            })
            .collect()
    }

    /// The latest row of each state of a model that a site moved; what was taken back is left out.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn model_locals(&self, site: SiteId, model: &str) -> Result<Vec<LocalRow>, StoreError> {
        let db = self.reader();
        let raw: Vec<RawLocal> = Sql::new(
            db,
            "select m.state, m.model_version, m.body, s.name, m.set_at from model_local m \
             left join staff s on s.id = m.set_by where m.site = ",
        )
        .bind(words::uuid(site.0))
        .text(" and m.model = ")
        .bind(model)
        .text(" order by m.set_at, m.id")
        .all(db)
        .await?;
        let mut last = BTreeMap::new();
        for row in raw {
            let local = LocalRow {
                state: row.state.clone(),
                model_version: row.model_version,
                body: row.body,
                by: row.name.unwrap_or_default(),
                at: words::instant(row.set_at)?,
            };
            last.insert(row.state, local);
        }
        Ok(last.into_values().filter(|local| !local.model_version.is_empty()).collect())
    }

    /// What the latest look at a model found.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn last_watch(&self, site: SiteId, model: &str) -> Result<Option<WatchRow>, StoreError> {
        let db = self.reader();
        let raw: Option<RawWatch> =
            Sql::new(db, "select w.model_version, w.signal, w.body, w.at from model_watch w where w.site = ")
                .bind(words::uuid(site.0))
                .text(" and w.model = ")
                .bind(model)
                .text(" order by w.at desc, w.id desc limit 1")
                .first(db)
                .await?;
        raw.map(|row| {
            Ok(WatchRow {
                model_version: row.model_version,
                signal: row.signal,
                body: row.body,
                at: words::instant(row.at)?,
            })
        })
        .transpose()
    }
}

fn latest(raw: Vec<RawOutcome>) -> Result<BTreeMap<EnrollmentId, OutcomeRow>, StoreError> {
    raw.into_iter()
        .map(|row| {
            let enrollment = EnrollmentId(row.enrollment.as_u128());
            let day = row.day.map(|day| day.parse::<Date>()).transpose();
            let day = day.map_err(|error| StoreError::unreadable("the day of an outcome", error))?;
            let became = match (row.happened, day) {
                (true, Some(day)) => Became::Admitted(day),
                (false, None) => Became::NotAdmitted,
                (happened, day) => {
                    return Err(StoreError::unreadable("outcome", format!("{happened} on {day:?}")));
                }
            };
            let outcome = OutcomeRow {
                enrollment,
                patient: PatientId(row.patient.as_u128()),
                became,
                source: row.source,
                by: row.name.unwrap_or_default(),
                at: words::instant(row.set_at)?,
            };
            Ok((enrollment, outcome))
        })
        .collect()
}
