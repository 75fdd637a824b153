//! The nurse's first page: open tasks, worst first, and how many there are.
//!
//! The order is (level, deadline, risk, id): deadlines are rounded to what counts as the same, so that among equals the risk
//! decides; ids grow with time, so the oldest of equals comes first, and nobody waits for ever, see `store::order`. No OFFSET and no
//! COUNT: a page starts after the last row of the page before, and the writer keeps the counts.

use jiff::Timestamp;
use sea_orm::{FromQueryResult, prelude::Uuid};
use tend_engine::{
    Name, PatientId, SiteId, StaffId, TaskId,
    model::{LevelId, Role, TaskKind, Text},
};

use super::sql::Sql;
use crate::store::{Store, StoreError, words};

/// Rows of a page of the worklist.
pub const WORKLIST_ROWS: usize = 50;
/// Where a page starts: after this row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct After {
    /// Rank of its level.
    pub level_rank: i32,
    /// Its deadline in microseconds, rounded.
    pub respond_sort: i64,
    /// Its place by risk.
    pub risk_sort: i32,
    /// Its id.
    pub id: TaskId,
}

/// What of the worklist is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct WorklistFilter {
    /// These owners; empty means all.
    pub roles: Vec<Role>,
    /// One level.
    pub level: Option<LevelId>,
    /// Tasks of one workflow.
    pub workflow: Option<Name>,
    /// Tasks taken by this person.
    pub taken_by: Option<StaffId>,
    /// Tasks of one team.
    pub team: Option<u128>,
    /// Words of a patient's name, or a whole identifier.
    pub search: Option<String>,
    /// The page starts after this row.
    pub after: Option<After>,
}

/// A row of the worklist.
#[derive(Debug, Clone)]
pub struct WorklistRow {
    /// The task.
    pub id: TaskId,
    /// Whose.
    pub patient: PatientId,
    /// The patient's name; empty when it was erased.
    pub patient_name: String,
    /// The year of birth; none when erased.
    pub born: Option<i16>,
    /// Alert, call, visit …
    pub kind: TaskKind,
    /// How urgent.
    pub level: LevelId,
    /// Its owner.
    pub role: Role,
    /// What to do.
    pub title: Text,
    /// Why.
    pub because: Vec<Text>,
    /// Which workflow it belongs to.
    pub workflow: Option<String>,
    /// Since when.
    pub opened_at: Timestamp,
    /// By when.
    pub respond_by: Option<Timestamp>,
    /// Planned minutes.
    pub minutes: u32,
    /// Rungs of the ladder climbed.
    pub rung: u32,
    /// Who took it.
    pub taken_by: Option<(StaffId, String)>,
    /// Risk of the enrollment, parts per million.
    pub risk_ppm: Option<u32>,
    /// Where the next page starts when this is the last row.
    pub after: After,
}

/// How many tasks of an owner and a level are open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueueCount {
    /// Owner.
    pub role: Role,
    /// Level.
    pub level: LevelId,
    /// Open tasks.
    pub n: u64,
}

/// A page of the worklist.
#[derive(Debug, Clone, Default)]
pub struct WorklistPage {
    /// At most [`WORKLIST_ROWS`].
    pub rows: Vec<WorklistRow>,
    /// Whether there are more.
    pub more: bool,
}

#[derive(FromQueryResult)]
struct Raw {
    id: Uuid,
    patient: Uuid,
    kind: String,
    level: String,
    level_rank: i32,
    role: String,
    title: String,
    because: String,
    workflow: Option<String>,
    opened_at: i64,
    respond_by: Option<i64>,
    respond_sort: i64,
    risk_sort: i32,
    minutes: i32,
    rung: i32,
    taken_by: Option<Uuid>,
    taken_name: Option<String>,
    risk_ppm: Option<i32>,
    sealed: Option<Vec<u8>>,
    wrapped: Option<Vec<u8>>,
}

#[derive(FromQueryResult)]
struct RawCount {
    role: String,
    level: String,
    n: i64,
}

const COLUMNS: &str = "select t.id, t.patient, t.kind, t.level, t.level_rank, t.role, t.title, t.because, \
    t.workflow, t.opened_at, t.respond_by, t.respond_sort, t.risk_sort, t.minutes, t.rung, t.taken_by, s.name as taken_name, \
    e.risk_ppm, d.sealed, k.wrapped from task t \
    left join enrollment e on e.id = t.enrollment left join staff s on s.id = t.taken_by \
    left join demographics d on d.patient = t.patient left join patient_key k on k.patient = t.patient \
    where t.open = ";

impl Store {
    /// A page of open tasks of a site, worst first.
    ///
    /// # Errors
    /// [`StoreError`] when the database refuses or a row is unreadable.
    pub async fn worklist(&self, site: SiteId, filter: &WorklistFilter) -> Result<WorklistPage, StoreError> {
        let limit = WORKLIST_ROWS + 1;
        let mut raw = Vec::new();
        if filter.workflow.is_some() && filter.taken_by.is_none() {
            // Each owner's tasks of a workflow lie in order in an index; those of several owners do not.
            let roles = if filter.roles.is_empty() { &Role::ALL[..] } else { &filter.roles };
            for role in roles {
                raw.extend(self.tasks(site, filter, std::slice::from_ref(role), limit).await?);
            }
            raw.sort_by_key(|row| (row.level_rank, row.respond_sort, row.risk_sort, row.id));
        } else {
            raw = self.tasks(site, filter, &filter.roles, limit).await?;
        }
        let more = raw.len() > WORKLIST_ROWS;
        let rows = raw
            .into_iter()
            .take(WORKLIST_ROWS)
            .map(|row| self.worklist_row(row))
            .collect::<Result<_, _>>()?;
        Ok(WorklistPage { rows, more })
    }

    /// The first open tasks of these owners, all of them when none is named.
    async fn tasks(
        &self,
        site: SiteId,
        filter: &WorklistFilter,
        roles: &[Role],
        limit: usize,
    ) -> Result<Vec<Raw>, StoreError> {
        let db = self.reader();
        // Who looks at what they took has few of all the tasks: these are found by their holder and by no other index.
        let (of_site, of_role) = match filter.taken_by {
            Some(_) => (" and coalesce(t.site, t.site) = ", " and (t.role || '') in "),
            None => (" and t.site = ", " and t.role in "),
        };
        let mut sql = Sql::new(db, COLUMNS).yes().text(of_site).bind(words::uuid(site.0));
        if !roles.is_empty() {
            sql = sql.text(of_role).list(roles.iter().map(|role| words::role(*role)));
        }
        if let Some(level) = filter.level {
            sql = sql.text(" and t.level_rank = ").bind(words::level_rank(level));
        }
        if let Some(workflow) = &filter.workflow {
            sql = sql.text(" and t.workflow = ").bind(workflow.as_str());
        }
        if let Some(staff) = filter.taken_by {
            sql = sql.text(" and t.taken_by = ").bind(words::uuid(staff.0));
        }
        if let Some(team) = filter.team {
            sql = sql.text(" and t.team = ").bind(words::uuid(team));
        }
        if let Some(search) = &filter.search {
            let found = self.find_patients(search).await?;
            sql = sql.text(" and t.patient in ").list(found.into_iter().map(|id| words::uuid(id.0)));
        }
        if let Some(after) = filter.after {
            sql = sql
                .text(" and (t.level_rank, t.respond_sort, t.risk_sort, t.id) > (")
                .bind(after.level_rank)
                .text(", ")
                .bind(after.respond_sort)
                .text(", ")
                .bind(after.risk_sort)
                .text(", ")
                .bind(words::uuid(after.id.0))
                .text(")");
        }
        sql.text(" order by t.level_rank, t.respond_sort, t.risk_sort, t.id limit ")
            .bind(i64::try_from(limit).unwrap_or(i64::MAX))
            .all(db)
            .await
    }

    fn worklist_row(&self, raw: Raw) -> Result<WorklistRow, StoreError> {
        let person = self.person_of(raw.patient, raw.wrapped.as_deref(), raw.sealed.as_deref())?;
        let born = person.as_ref().map(|person| person.birth_date.year());
        let patient_name = person.map_or_else(String::new, |person| person.name);
        let id = TaskId(raw.id.as_u128());
        Ok(WorklistRow {
            id,
            patient: PatientId(raw.patient.as_u128()),
            patient_name,
            born,
            kind: words::task_kind_of(&raw.kind)?,
            level: words::level_of(&raw.level)?,
            role: words::role_of(&raw.role)?,
            title: read_json("the title of a task", &raw.title)?,
            because: read_json("the reasons of a task", &raw.because)?,
            workflow: raw.workflow,
            opened_at: words::instant(raw.opened_at)?,
            respond_by: words::instant_opt(raw.respond_by)?,
            minutes: u32::try_from(raw.minutes).unwrap_or(0),
            rung: u32::try_from(raw.rung).unwrap_or(0),
            taken_by: raw.taken_by.map(|by| (StaffId(by.as_u128()), raw.taken_name.unwrap_or_default())),
            risk_ppm: raw.risk_ppm.and_then(|ppm| u32::try_from(ppm).ok()),
            after: After {
                level_rank: raw.level_rank,
                respond_sort: raw.respond_sort,
                risk_sort: raw.risk_sort,
                id,
            },
        })
    }

    /// The counts of a site's queues, as the writer keeps them.
    ///
    /// # Errors
    /// [`StoreError`] when the database refuses or a row is unreadable.
    pub async fn queue_counts(&self, site: SiteId) -> Result<Vec<QueueCount>, StoreError> {
        let db = self.reader();
        let raw: Vec<RawCount> =
            Sql::new(db, "select role, level, cast(sum(n) as bigint) as n from queue_count where site = ")
                .bind(words::uuid(site.0))
                .text(" group by role, level")
                .all(db)
                .await?;
        raw.into_iter()
            .map(|row| {
                Ok(QueueCount {
                    role: words::role_of(&row.role)?,
                    level: words::level_of(&row.level)?,
                    n: u64::try_from(row.n).unwrap_or(0),
                })
            })
            .collect()
    }

    /// The same counts counted afresh: what `doctor` and tests compare with. Never on a page's path.
    ///
    /// # Errors
    /// [`StoreError`] when the database refuses or a row is unreadable.
    pub async fn recount_queues(&self, site: SiteId) -> Result<Vec<QueueCount>, StoreError> {
        let db = self.reader();
        let raw: Vec<RawCount> = Sql::new(db, "select role, level, count(*) as n from task where open = ")
            .yes()
            .text(" and site = ")
            .bind(words::uuid(site.0))
            .text(" group by role, level")
            .all(db)
            .await?;
        raw.into_iter()
            .map(|row| {
                Ok(QueueCount {
                    role: words::role_of(&row.role)?,
                    level: words::level_of(&row.level)?,
                    n: u64::try_from(row.n).unwrap_or(0),
                })
            })
            .collect()
    }
}

/// Reads a stored JSON value.
pub(super) fn read_json<T: serde::de::DeserializeOwned>(
    what: &'static str,
    text: &str,
) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|reason| StoreError::unreadable(what, reason))
}
