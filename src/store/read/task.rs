//! One task, for the call screen; and the tasks of a patient.

use std::collections::BTreeMap;

use jiff::Timestamp;
use sea_orm::{FromQueryResult, prelude::Uuid};
use tend_engine::{
    EnrollmentId, PatientId, SiteId, StaffId, TaskId,
    fact::{TaskKey, TaskPlan},
    model::{LevelId, Role, TaskKind, Text},
};

use super::{patient::open_text, sql::Sql, worklist::read_json};
use crate::store::{Store, StoreError, identity::sealed, words};

/// Tasks of a patient that a page shows.
pub const PATIENT_TASKS_MAX: i64 = 200;
/// Notes of a task that a page shows.
pub const TASK_NOTES_MAX: i64 = 100;

/// A task with all that is known of it.
#[derive(Debug, Clone)]
pub struct TaskView {
    /// Which.
    pub id: TaskId,
    /// Whose.
    pub patient: PatientId,
    /// Its key in the history.
    pub key: TaskKey,
    /// Whose enrollment.
    pub enrollment: Option<EnrollmentId>,
    /// Where.
    pub site: SiteId,
    /// Kind.
    pub kind: TaskKind,
    /// How urgent.
    pub level: LevelId,
    /// Owner.
    pub role: Role,
    /// What to do.
    pub title: Text,
    /// Why.
    pub because: Vec<Text>,
    /// As it was opened.
    pub plan: TaskPlan,
    /// Since when.
    pub opened_at: Timestamp,
    /// By when.
    pub respond_by: Option<Timestamp>,
    /// Planned minutes.
    pub minutes: u32,
    /// End of the window of a visit.
    pub window_closes: Option<Timestamp>,
    /// Rungs climbed.
    pub rung: u32,
    /// Whether somebody must still act.
    pub open: bool,
    /// Who took it.
    pub taken_by: Option<(StaffId, String)>,
    /// What came of it, as stored.
    pub outcome: Option<String>,
    /// When it was closed.
    pub closed_at: Option<Timestamp>,
    /// Who closed it.
    pub closed_by: Option<String>,
}

/// A note on a task.
#[derive(Debug, Clone)]
pub struct TaskNote {
    /// Its words; empty once the patient was erased.
    pub words: String,
    /// When.
    pub written_at: Timestamp,
    /// By whom.
    pub written_by: String,
}

#[derive(FromQueryResult)]
struct Raw {
    id: Uuid,
    patient: Uuid,
    key: String,
    enrollment: Option<Uuid>,
    site: Uuid,
    kind: String,
    level: String,
    role: String,
    title: String,
    because: String,
    plan: String,
    opened_at: i64,
    respond_by: Option<i64>,
    minutes: i32,
    window_closes: Option<i64>,
    rung: i32,
    open: bool,
    taken_by: Option<Uuid>,
    taken_name: Option<String>,
    outcome: Option<String>,
    closed_at: Option<i64>,
    closed_name: Option<String>,
}

#[derive(FromQueryResult)]
struct RawNote {
    task: Uuid,
    sealed: Vec<u8>,
    written_at: i64,
    name: Option<String>,
}

const COLUMNS: &str = "select t.id, t.patient, t.key, t.enrollment, t.site, t.kind, t.level, t.role, t.title, \
    t.because, t.plan, t.opened_at, t.respond_by, t.minutes, t.window_closes, t.rung, t.open, t.taken_by, \
    s.name as taken_name, t.outcome, t.closed_at, c.name as closed_name \
    from task t left join staff s on s.id = t.taken_by left join staff c on c.id = t.closed_by where ";

impl Store {
    /// A task.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn task(&self, id: TaskId) -> Result<Option<TaskView>, StoreError> {
        let db = self.reader();
        let raw: Option<Raw> =
            Sql::new(db, COLUMNS).text("t.id = ").bind(words::uuid(id.0)).first(db).await?;
        raw.map(view).transpose()
    }

    /// The tasks of a patient, open ones first, then the latest.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn tasks_of(&self, patient: PatientId) -> Result<Vec<TaskView>, StoreError> {
        let db = self.reader();
        let raw: Vec<Raw> = Sql::new(db, COLUMNS)
            .text("t.patient = ")
            .bind(words::uuid(patient.0))
            .text(" order by t.open desc, t.opened_at desc, t.id desc limit ")
            .bind(PATIENT_TASKS_MAX)
            .all(db)
            .await?;
        raw.into_iter().map(view).collect()
    }

    /// The open tasks of level red and worse of these patients, worst first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn open_red_tasks(&self, patients: &[PatientId]) -> Result<Vec<TaskView>, StoreError> {
        if patients.is_empty() {
            return Ok(Vec::new());
        }
        let db = self.reader();
        let raw: Vec<Raw> = Sql::new(db, COLUMNS)
            .text("t.open = ")
            .yes()
            .text(" and t.level_rank <= ")
            .bind(words::level_rank(LevelId::Red))
            .text(" and t.patient in ")
            .list(patients.iter().map(|id| words::uuid(id.0)))
            .text(" order by t.level_rank, t.opened_at, t.id limit ")
            .bind(PATIENT_TASKS_MAX)
            .all(db)
            .await?;
        raw.into_iter().map(view).collect()
    }

    /// The notes on a patient's tasks, by task, oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn notes_of(&self, patient: PatientId) -> Result<BTreeMap<TaskId, Vec<TaskNote>>, StoreError> {
        let db = self.reader();
        let keys = self.keys_of(&[patient]).await?;
        let raw: Vec<RawNote> = Sql::new(
            db,
            "select n.task, n.sealed, n.written_at, s.name from task_note n left join staff s on s.id = n.written_by \
             join task t on t.id = n.task where t.patient = ",
        )
        .bind(words::uuid(patient.0))
        .text(" order by n.written_at, n.id limit ")
        .bind(TASK_NOTES_MAX)
        .all(db)
        .await?;
        let mut notes: BTreeMap<TaskId, Vec<TaskNote>> = BTreeMap::new();
        for row in raw {
            let words = match keys.get(&patient) {
                Some(key) => open_text(key, sealed::NOTE, &row.sealed)?,
                None => String::new(),
            };
            notes.entry(TaskId(row.task.as_u128())).or_default().push(TaskNote {
                words,
                written_at: words::instant(row.written_at)?,
                written_by: row.name.unwrap_or_default(),
            });
        }
        Ok(notes)
    }
}

/// The task about a patient who was set aside is no decision: it has no plan, and what stands in its row is all.
fn plan_of(raw: &Raw) -> Result<TaskPlan, StoreError> {
    if raw.plan != "{}" {
        return read_json("the plan of a task", &raw.plan);
    }
    Ok(TaskPlan {
        key: TaskKey(raw.key.clone()),
        kind: words::task_kind_of(&raw.kind)?,
        role: words::role_of(&raw.role)?,
        level: words::level_of(&raw.level)?,
        title: read_json("the title of a task", &raw.title)?,
        because: read_json("the reasons of a task", &raw.because)?,
        about: None,
        rule: None,
        cause: None,
        minutes: u32::try_from(raw.minutes).unwrap_or(0),
        opened_at: words::instant(raw.opened_at)?,
        respond_by: words::instant_opt(raw.respond_by)?,
        window_closes: None,
    })
}

fn view(raw: Raw) -> Result<TaskView, StoreError> {
    Ok(TaskView {
        id: TaskId(raw.id.as_u128()),
        patient: PatientId(raw.patient.as_u128()),
        plan: plan_of(&raw)?,
        key: TaskKey(raw.key),
        enrollment: raw.enrollment.map(|id| EnrollmentId(id.as_u128())),
        site: SiteId(raw.site.as_u128()),
        kind: words::task_kind_of(&raw.kind)?,
        level: words::level_of(&raw.level)?,
        role: words::role_of(&raw.role)?,
        title: read_json("the title of a task", &raw.title)?,
        because: read_json("the reasons of a task", &raw.because)?,
        opened_at: words::instant(raw.opened_at)?,
        respond_by: words::instant_opt(raw.respond_by)?,
        minutes: u32::try_from(raw.minutes).unwrap_or(0),
        window_closes: words::instant_opt(raw.window_closes)?,
        rung: u32::try_from(raw.rung).unwrap_or(0),
        open: raw.open,
        taken_by: raw.taken_by.map(|by| (StaffId(by.as_u128()), raw.taken_name.unwrap_or_default())),
        outcome: raw.outcome,
        closed_at: words::instant_opt(raw.closed_at)?,
        closed_by: raw.closed_name,
    })
}
