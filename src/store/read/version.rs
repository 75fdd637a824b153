//! Published versions of a site, without their models, and the running follow-ups on them.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use sea_orm::{FromQueryResult, prelude::Uuid};
use tend_engine::{EnrollmentId, Name, PatientId, SiteId, VersionHash};

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
struct RawFollowUp {
    patient: Uuid,
    id: Uuid,
}

#[derive(FromQueryResult)]
struct Patient {
    patient: Uuid,
}

#[derive(FromQueryResult)]
struct Hash {
    hash: String,
}

#[derive(FromQueryResult)]
struct Count {
    word: String,
    n: i64,
}

/// A running follow-up: whose, and which.
pub type FollowUp = (PatientId, EnrollmentId);

/// Running follow-ups for which something was chosen for a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ChosenCounts {
    /// They stay.
    pub stay: usize,
    /// They move when no window is open.
    pub wait: usize,
}

impl Store {
    /// How many running follow-ups of a workflow are on each version, by hash.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn followed_by_version(
        &self,
        site: SiteId,
        workflow: &Name,
    ) -> Result<BTreeMap<VersionHash, usize>, StoreError> {
        let rows: Vec<Count> = self
            .running("select e.version as word, count(*) as n", site, workflow)
            .text(" group by e.version")
            .all(self.reader())
            .await?;
        Ok(rows.into_iter().map(|row| (VersionHash(row.word), whole(row.n))).collect())
    }

    /// Running follow-ups on a version, in order of patient and id, after one of them.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn followed_on(
        &self,
        site: SiteId,
        workflow: &Name,
        version: &VersionHash,
        after: Option<FollowUp>,
        limit: usize,
    ) -> Result<Vec<FollowUp>, StoreError> {
        let sql = self.running("select e.patient, e.id", site, workflow).text(" and e.version = ");
        self.in_order(sql.bind(version.0.as_str()), after, limit).await
    }

    /// Running follow-ups that a move brought to a version, in order of patient and id, after one of them.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn moved_to(
        &self,
        site: SiteId,
        workflow: &Name,
        version: &VersionHash,
        after: Option<FollowUp>,
        limit: usize,
    ) -> Result<Vec<FollowUp>, StoreError> {
        let sql = self.running("select e.patient, e.id", site, workflow);
        let sql = sql.text(" and e.moved_from is not null and e.version = ").bind(version.0.as_str());
        self.in_order(sql, after, limit).await
    }

    /// How many running follow-ups a move brought to a version.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn moved_count(
        &self,
        site: SiteId,
        workflow: &Name,
        version: &VersionHash,
    ) -> Result<usize, StoreError> {
        let row: Option<Count> = self
            .running("select '' as word, count(*) as n", site, workflow)
            .text(" and e.moved_from is not null and e.version = ")
            .bind(version.0.as_str())
            .first(self.reader())
            .await?;
        Ok(row.map_or(0, |row| whole(row.n)))
    }

    /// For how many running follow-ups something was chosen for that version.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn chosen_for(
        &self,
        site: SiteId,
        workflow: &Name,
        version: &VersionHash,
    ) -> Result<ChosenCounts, StoreError> {
        let (stays, waits) =
            (format!("{} {}", words::STAYS, version.0), format!("{} {}", words::WAITS, version.0));
        let rows: Vec<Count> = self
            .running("select e.chosen as word, count(*) as n", site, workflow)
            .text(" and e.chosen is not null and e.chosen in ")
            .list([stays.as_str(), waits.as_str()])
            .text(" group by e.chosen")
            .all(self.reader())
            .await?;
        let of = |word: &str| rows.iter().find(|row| row.word == word).map_or(0, |row| whole(row.n));
        Ok(ChosenCounts { stay: of(&stays), wait: of(&waits) })
    }

    /// Patients of a site with a running follow-up of that workflow, in order, after one of them.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn followed_with(
        &self,
        site: SiteId,
        workflow: &Name,
        after: Option<PatientId>,
        limit: usize,
    ) -> Result<Vec<PatientId>, StoreError> {
        let db = self.reader();
        // The index goes by version: a page of each, and the first of them all.
        let versions: Vec<Hash> = Sql::new(db, "select hash from version where site = ")
            .bind(words::uuid(site.0))
            .text(" and workflow = ")
            .bind(workflow.as_str())
            .all(db)
            .await?;
        let mut first = BTreeSet::new();
        for version in versions {
            let mut sql = self.running("select e.patient", site, workflow);
            sql = sql.text(" and e.version = ").bind(version.hash);
            if let Some(after) = after {
                sql = sql.text(" and e.patient > ").bind(words::uuid(after.0));
            }
            let rows: Vec<Patient> = sql
                .text(" order by e.patient limit ")
                .bind(i64::try_from(limit).unwrap_or(i64::MAX))
                .all(db)
                .await?;
            first.extend(rows.into_iter().map(|row| PatientId(row.patient.as_u128())));
        }
        Ok(first.into_iter().take(limit).collect())
    }

    fn running(&self, select: &str, site: SiteId, workflow: &Name) -> Sql {
        Sql::new(self.reader(), select)
            .text(" from enrollment e where e.standing <> 'over' and e.site = ")
            .bind(words::uuid(site.0))
            .text(" and e.workflow = ")
            .bind(workflow.as_str())
    }

    async fn in_order(
        &self,
        mut sql: Sql,
        after: Option<FollowUp>,
        limit: usize,
    ) -> Result<Vec<FollowUp>, StoreError> {
        if let Some((patient, enrollment)) = after {
            sql = sql.text(" and (e.patient, e.id) > ");
            sql = sql.list([words::uuid(patient.0), words::uuid(enrollment.0)]);
        }
        let rows: Vec<RawFollowUp> = sql
            .text(" order by e.patient, e.id limit ")
            .bind(i64::try_from(limit).unwrap_or(i64::MAX))
            .all(self.reader())
            .await?;
        let one = |row: RawFollowUp| (PatientId(row.patient.as_u128()), EnrollmentId(row.id.as_u128()));
        Ok(rows.into_iter().map(one).collect())
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

fn whole(n: i64) -> usize {
    usize::try_from(n).unwrap_or(0)
}
