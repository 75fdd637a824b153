//! Published versions of a site, without their models.

use jiff::Timestamp;
use sea_orm::FromQueryResult;
use tend_engine::{Name, SiteId, VersionHash};

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

impl Store {
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
