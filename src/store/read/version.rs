//! Published versions of a site, without their models.

use jiff::Timestamp;
use sea_orm::{FromQueryResult, prelude::Uuid};
use tend_engine::{Name, PatientId, SiteId, VersionHash};

use super::sql::Sql;
use crate::store::{Store, StoreError, words};

/// A published version.
#[derive(Debug, Clone)]
pub struct VersionRow {
    /// Which workflow.
    pub workflow: Name,
    /// Its hash.
    pub hash: VersionHash,
    /// When it was published.
    pub published_at: Timestamp,
    /// By whom.
    pub published_by: Option<String>,
    /// Whether new enrollments take it.
    pub active: bool,
}

#[derive(FromQueryResult)]
struct Raw {
    workflow: String,
    hash: String,
    published_at: i64,
    name: Option<String>,
    active: bool,
}

#[derive(FromQueryResult)]
struct Followed {
    patient: Uuid,
}

impl Store {
    /// Patients of a site with a running follow-up of that workflow, in order.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn followed_with(&self, site: SiteId, workflow: &Name) -> Result<Vec<PatientId>, StoreError> {
        let db = self.reader();
        let rows: Vec<Followed> =
            Sql::new(db, "select distinct patient from enrollment where standing <> 'over' and site = ")
                .bind(words::uuid(site.0))
                .text(" and workflow = ")
                .bind(workflow.as_str())
                .text(" order by patient")
                .all(db)
                .await?;
        Ok(rows.into_iter().map(|row| PatientId(row.patient.as_u128())).collect())
    }

    /// The versions of a site, by workflow, latest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn versions(&self, site: SiteId) -> Result<Vec<VersionRow>, StoreError> {
        let db = self.reader();
        let raw: Vec<Raw> = Sql::new(
            db,
            "select v.workflow, v.hash, v.published_at, s.name, v.active from version v \
             left join staff s on s.id = v.published_by where v.site = ",
        )
        .bind(words::uuid(site.0))
        .text(" order by v.workflow, v.published_at desc limit 500")
        .all(db)
        .await?;
        raw.into_iter()
            .map(|row| {
                Ok(VersionRow {
                    workflow: words::name(&row.workflow)?,
                    hash: VersionHash(row.hash),
                    published_at: words::instant(row.published_at)?,
                    published_by: row.name,
                    active: row.active,
                })
            })
            .collect()
    }
}
