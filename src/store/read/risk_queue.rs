//! The clinicians' list: enrollments with their latest score, what is red by rule, and which model is on.

use jiff::Timestamp;
use sea_orm::{FromQueryResult, prelude::Uuid};
use serde::{Deserialize, Serialize};
use tend_engine::{EnrollmentId, PatientId, SiteId};

use super::{sql::Sql, worklist::read_json};
use crate::store::{Store, StoreError, scoring::CHALLENGER, words};

/// Rows of a page of the risk queue.
pub const RISK_ROWS: usize = 50;

/// A contribution to a score in words, with its log-odds against the reference patient.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScoreReason {
    /// In English.
    pub en: String,
    /// In Chinese.
    pub zh: String,
    /// Log-odds; positive raises the risk.
    pub log_odds: f64,
}

/// A stored score.
#[derive(Debug, Clone)]
pub struct ScoreView {
    /// The model.
    pub model: String,
    /// Its version.
    pub model_version: String,
    /// Parts per million; `None` when it abstained.
    pub ppm: Option<u32>,
    /// The interval's ends.
    pub interval_ppm: Option<(u32, u32)>,
    /// Largest first.
    pub reasons: Vec<ScoreReason>,
    /// Why there is no score, in English and Chinese.
    pub abstain: Option<(String, String)>,
    /// When.
    pub at: Timestamp,
}

/// An enrollment on the risk queue.
#[derive(Debug, Clone)]
pub struct RiskRow {
    /// Which.
    pub enrollment: EnrollmentId,
    /// Whose.
    pub patient: PatientId,
    /// The name; empty once erased.
    pub patient_name: String,
    /// Which workflow.
    pub workflow: String,
    /// The risk on the row.
    pub risk_ppm: Option<u32>,
    /// Where a clinician put it: `up`, `down` or `dismissed`.
    pub moved: Option<String>,
    /// Its place on the queue.
    pub rank: Option<i32>,
    /// The latest score.
    pub score: Option<ScoreView>,
    /// The worst level of the patient's open tasks, as stored.
    pub level_rank: Option<i32>,
}

/// Whether a model is shown to clinicians for a workflow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SwitchRow {
    /// The workflow.
    pub workflow: String,
    /// The model.
    pub model: String,
    /// The version that was switched.
    pub model_version: String,
    /// `shadow`, `on`, `off` or `stepped_back`.
    pub state: String,
    /// Who switched it; empty when the watch did.
    pub set_by: String,
    /// When.
    pub set_at: Timestamp,
}

#[derive(FromQueryResult)]
struct Raw {
    id: Uuid,
    patient: Uuid,
    workflow: String,
    risk_ppm: Option<i32>,
    risk_moved: Option<String>,
    risk_rank: Option<i32>,
    level_rank: Option<i32>,
    sealed: Option<Vec<u8>>,
    wrapped: Option<Vec<u8>>,
}

#[derive(FromQueryResult)]
struct RawScore {
    enrollment: Uuid,
    model: String,
    model_version: String,
    ppm: Option<i32>,
    low_ppm: Option<i32>,
    high_ppm: Option<i32>,
    reasons: String,
    abstain: Option<String>,
    at: i64,
}

#[derive(FromQueryResult)]
struct RawSwitch {
    workflow: String,
    model: String,
    model_version: String,
    state: String,
    name: Option<String>,
    set_at: i64,
}

const COLUMNS: &str = "select e.id, e.patient, e.workflow, e.risk_ppm, e.risk_moved, e.risk_rank, d.sealed, k.wrapped, \
    (select min(t.level_rank) from task t where t.patient = e.patient and t.open = ";
const FROM: &str = ") as level_rank from enrollment e left join demographics d on d.patient = e.patient \
    left join patient_key k on k.patient = e.patient where e.standing <> 'over' and e.site = ";

impl Store {
    /// Enrollments on the risk queue of a site: who was moved up, then the highest risk first, then who was moved down; after
    /// `(rank, id)`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn risk_scored(
        &self,
        site: SiteId,
        after: Option<(i32, EnrollmentId)>,
    ) -> Result<Vec<RiskRow>, StoreError> {
        let db = self.reader();
        let mut sql = Sql::new(db, COLUMNS)
            .yes()
            .text(FROM)
            .bind(words::uuid(site.0))
            .text(" and e.risk_rank is not null");
        if let Some((rank, id)) = after {
            sql = sql
                .text(" and (e.risk_rank, e.id) > (")
                .bind(rank)
                .text(", ")
                .bind(words::uuid(id.0))
                .text(")");
        }
        let limit = i64::try_from(RISK_ROWS).unwrap_or(i64::MAX);
        let raw = sql.text(" order by e.risk_rank, e.id limit ").bind(limit).all(db).await?;
        self.risk_rows(raw).await
    }

    /// Enrollments that a clinician took off the queue.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn risk_dismissed(&self, site: SiteId) -> Result<Vec<RiskRow>, StoreError> {
        let db = self.reader();
        let raw = Sql::new(db, COLUMNS)
            .yes()
            .text(FROM)
            .bind(words::uuid(site.0))
            .text(" and e.risk_moved is not null and e.risk_moved = ")
            .bind("dismissed")
            .text(" order by e.id desc limit ")
            .bind(i64::try_from(RISK_ROWS).unwrap_or(i64::MAX))
            .all(db)
            .await?;
        self.risk_rows(raw).await
    }

    /// Enrollments whose patient has an open task of level red or worse, whatever a model says; worst first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn risk_red(&self, site: SiteId) -> Result<Vec<RiskRow>, StoreError> {
        let db = self.reader();
        let raw = Sql::new(
            db,
            "select e.id, e.patient, e.workflow, e.risk_ppm, e.risk_moved, e.risk_rank, d.sealed, k.wrapped, \
             min(t.level_rank) as level_rank \
             from task t join enrollment e on e.id = t.enrollment left join demographics d on d.patient = e.patient \
             left join patient_key k on k.patient = e.patient where t.open = ",
        )
        .yes()
        .text(" and t.site = ")
        .bind(words::uuid(site.0))
        .text(" and t.level_rank <= ")
        .bind(words::level_rank(tend_engine::model::LevelId::Red))
        .text(
            " group by e.id, e.patient, e.workflow, e.risk_ppm, e.risk_moved, e.risk_rank, d.sealed, k.wrapped \
             order by min(t.level_rank), e.risk_rank, e.id limit ",
        )
        .bind(i64::try_from(RISK_ROWS).unwrap_or(i64::MAX))
        .all(db)
        .await?;
        self.risk_rows(raw).await
    }

    /// Running enrollments of these workflows that were scored and have no score now.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn risk_abstained(&self, site: SiteId, workflows: &[&str]) -> Result<Vec<RiskRow>, StoreError> {
        if workflows.is_empty() {
            return Ok(Vec::new());
        }
        let db = self.reader();
        let raw = Sql::new(db, COLUMNS)
            .yes()
            .text(FROM)
            .bind(words::uuid(site.0))
            .text(" and e.workflow in ")
            .list(workflows.iter().copied())
            .text(" and e.risk_ppm is null and e.risk_moved is null and exists (select 1 from score s where s.enrollment = e.id) order by e.id desc limit ")
            .bind(i64::try_from(RISK_ROWS).unwrap_or(i64::MAX))
            .all(db)
            .await?;
        self.risk_rows(raw).await
    }

    /// Enrollments with a low risk, for the audit of those whom nobody would look at; chosen by `pick` of their ids.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn risk_lowest(&self, site: SiteId, limit: usize) -> Result<Vec<RiskRow>, StoreError> {
        let db = self.reader();
        let raw = Sql::new(db, COLUMNS)
            .yes()
            .text(FROM)
            .bind(words::uuid(site.0))
            .text(" and e.risk_ppm is not null order by e.risk_ppm, e.id limit ")
            .bind(i64::try_from(limit).unwrap_or(i64::MAX))
            .all(db)
            .await?;
        self.risk_rows(raw).await
    }

    async fn risk_rows(&self, raw: Vec<Raw>) -> Result<Vec<RiskRow>, StoreError> {
        let ids: Vec<EnrollmentId> = raw.iter().map(|row| EnrollmentId(row.id.as_u128())).collect();
        let mut scores = self.latest_scores(&ids).await?;
        raw.into_iter()
            .map(|row| {
                let name = self.person_of(row.patient, row.wrapped.as_deref(), row.sealed.as_deref())?;
                let enrollment = EnrollmentId(row.id.as_u128());
                Ok(RiskRow {
                    enrollment,
                    patient: PatientId(row.patient.as_u128()),
                    patient_name: name.map_or_else(String::new, |person| person.name),
                    workflow: row.workflow,
                    risk_ppm: row.risk_ppm.and_then(|ppm| u32::try_from(ppm).ok()),
                    moved: row.risk_moved,
                    rank: row.risk_rank,
                    score: scores.remove(&enrollment),
                    level_rank: row.level_rank,
                })
            })
            .collect()
    }

    /// The latest score of each of these enrollments; a challenger's is nobody's business yet.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn latest_scores(
        &self,
        enrollments: &[EnrollmentId],
    ) -> Result<std::collections::BTreeMap<EnrollmentId, ScoreView>, StoreError> {
        let db = self.reader();
        let raw: Vec<RawScore> = Sql::new(
            db,
            "select s.enrollment, s.model, s.model_version, s.ppm, s.low_ppm, s.high_ppm, s.reasons, s.abstain, s.at \
             from score s where s.enrollment in ",
        )
        .list(enrollments.iter().map(|id| words::uuid(id.0)))
        .text(" and s.model <> ")
        .bind(CHALLENGER)
        .text(" and s.at = (select max(l.at) from score l where l.enrollment = s.enrollment and l.model = s.model)")
        .all(db)
        .await?;
        raw.into_iter()
            .map(|row| {
                let ppm = |value: Option<i32>| value.and_then(|ppm| u32::try_from(ppm).ok());
                let view = ScoreView {
                    model: row.model,
                    model_version: row.model_version,
                    ppm: ppm(row.ppm),
                    interval_ppm: ppm(row.low_ppm).zip(ppm(row.high_ppm)),
                    reasons: read_json("the reasons of a score", &row.reasons)?,
                    abstain: row.abstain.map(|words| match words.split_once('\n') {
                        Some((en, zh)) => (en.to_owned(), zh.to_owned()),
                        None => (words.clone(), words),
                    }),
                    at: words::instant(row.at)?,
                };
                Ok((EnrollmentId(row.enrollment.as_u128()), view))
            })
            .collect()
    }

    /// Patients with a running follow-up, in id order after `after`: a page of the nightly scoring.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn running_patients(
        &self,
        site: Option<SiteId>,
        after: Option<PatientId>,
        limit: i64,
    ) -> Result<Vec<PatientId>, StoreError> {
        #[derive(FromQueryResult)]
        struct Id {
            id: Uuid,
        }
        let db = self.reader();
        let mut sql = Sql::new(db, "select p.id from patient p where p.quarantined is null");
        if let Some(site) = site {
            sql = sql.text(" and p.site = ").bind(words::uuid(site.0));
        }
        if let Some(after) = after {
            sql = sql.text(" and p.id > ").bind(words::uuid(after.0));
        }
        let rows: Vec<Id> = sql
            .text(" and exists (select 1 from enrollment e where e.patient = p.id and e.standing <> 'over')")
            .text(" order by p.id limit ")
            .bind(limit)
            .all(db)
            .await?;
        Ok(rows.into_iter().map(|row| PatientId(row.id.as_u128())).collect())
    }

    /// The latest switch of each model and workflow of a site.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn model_switches(&self, site: SiteId) -> Result<Vec<SwitchRow>, StoreError> {
        let db = self.reader();
        let raw: Vec<RawSwitch> = Sql::new(
            db,
            "select m.workflow, m.model, m.model_version, m.state, s.name, m.set_at from model_switch m \
             left join staff s on s.id = m.set_by where m.site = ",
        )
        .bind(words::uuid(site.0))
        .text(" order by m.set_at, m.id")
        .all(db)
        .await?;
        let mut latest = std::collections::BTreeMap::new();
        for row in raw {
            let switch = SwitchRow {
                workflow: row.workflow,
                model: row.model,
                model_version: row.model_version,
                state: row.state,
                set_by: row.name.unwrap_or_default(),
                set_at: words::instant(row.set_at)?,
            };
            latest.insert((switch.workflow.clone(), switch.model.clone()), switch);
        }
        Ok(latest.into_values().collect())
    }
}
