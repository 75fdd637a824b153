//! Long jobs as they really stand: what is to be done, how far it is, and who is at it. The job library carries ids of these
//! rows and nothing else, so its tables may be emptied at any moment.

use jiff::Timestamp;
use sea_orm::{ConnectionTrait, FromQueryResult, Statement, Value, prelude::Uuid};
use tend_engine::{PatientId, SiteId, StaffId};

use super::{
    Store, StoreError, Tx,
    delivery::GONE_POSTGRES,
    sql::database_now,
    words::{self, micros, uuid},
};

/// How long a run may go on without writing anything.
pub const JOB_LEASE_SECONDS: i64 = 60;
/// After so long a job that nobody began is handed to the workers again.
pub const PUSH_AGAIN_SECONDS: i64 = 5;
/// Longest pause before a job that failed is tried again.
const BACKOFF_SECONDS_MAX: i64 = 300;
/// Jobs that are handed to the workers at a time.
const PUSHED_MAX: i64 = 20;

/// What a long job does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LongKind {
    /// Enrols the lines of an upload.
    Import,
    /// Scores everybody at a site.
    Scoring,
    /// Moves everybody of a workflow to another version, or back.
    Moving,
    /// Looks at how the model of a site does.
    Watching,
}

impl LongKind {
    fn word(self) -> &'static str {
        match self {
            Self::Import => "import",
            Self::Scoring => "scoring",
            Self::Moving => "moving",
            Self::Watching => "watching",
        }
    }

    fn of(word: &str) -> Result<Self, StoreError> {
        [Self::Import, Self::Scoring, Self::Moving, Self::Watching]
            .into_iter()
            .find(|kind| kind.word() == word)
            .ok_or_else(|| StoreError::unreadable("kind of a long job", word))
    }
}

/// How a long job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LongState {
    /// It waits, or somebody is at it.
    Waiting,
    /// Done.
    Done,
    /// It failed too often without getting on.
    GivenUp,
}

/// A long job that is to be done.
#[derive(Debug, Clone)]
pub struct NewLongJob {
    /// Fresh.
    pub id: u128,
    /// Where.
    pub site: SiteId,
    /// What.
    pub kind: LongKind,
    /// There is one job of a name: a night is planned once.
    pub name: String,
    /// Who asked for it; `None` for the system.
    pub asked_by: Option<StaffId>,
    /// What it is about, for people.
    pub body: String,
}

/// A long job.
#[derive(Debug, Clone)]
pub struct LongJob {
    /// Its id.
    pub id: u128,
    /// Where.
    pub site: SiteId,
    /// What.
    pub kind: LongKind,
    /// How it stands.
    pub state: LongState,
    /// Who asked for it.
    pub asked_by: Option<StaffId>,
    /// When.
    pub asked_at: Timestamp,
    /// What it is about.
    pub body: String,
    /// Lines or patients that were looked at.
    pub done: u32,
    /// The last patient that was looked at.
    pub cursor: Option<PatientId>,
    /// Runs since it last got on, the present one included.
    pub attempts: u32,
    /// What went wrong last.
    pub problem: Option<String>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
}

/// A run's hold on a job: once another run has it, nothing more is written under this one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeldJob {
    /// The job.
    pub id: u128,
    fence: i64,
}

#[derive(FromQueryResult)]
struct IdRow {
    id: Uuid,
}

#[derive(FromQueryResult)]
struct Raw {
    id: Uuid,
    site: Uuid,
    kind: String,
    state: String,
    asked_by: Option<Uuid>,
    asked_at: i64,
    body: String,
    done: i32,
    cursor: Option<Uuid>,
    attempts: i32,
    fence: i64,
    problem: Option<String>,
    finished_at: Option<i64>,
}

const COLUMNS: &str = "select id, site, kind, state, asked_by, asked_at, body, done, cursor, attempts, fence, problem, \
                       finished_at from long_job";

fn long_job(raw: Raw) -> Result<LongJob, StoreError> {
    Ok(LongJob {
        id: raw.id.as_u128(),
        site: SiteId(raw.site.as_u128()),
        kind: LongKind::of(&raw.kind)?,
        state: match raw.state.as_str() {
            "waiting" => LongState::Waiting,
            "done" => LongState::Done,
            "given_up" => LongState::GivenUp,
            other => return Err(StoreError::unreadable("state of a long job", other)),
        },
        asked_by: raw.asked_by.map(|id| StaffId(id.as_u128())),
        asked_at: words::instant(raw.asked_at)?,
        body: raw.body,
        done: u32::try_from(raw.done).unwrap_or(0),
        cursor: raw.cursor.map(|id| PatientId(id.as_u128())),
        attempts: u32::try_from(raw.attempts).unwrap_or(0),
        problem: raw.problem,
        finished_at: words::instant_opt(raw.finished_at)?,
    })
}

impl Store {
    fn long(&self, end: &str, values: Vec<Value>) -> Statement {
        Statement::from_sql_and_values(
            self.reader().get_database_backend(),
            format!("{COLUMNS} {end}"),
            values,
        )
    }

    /// A long job.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn long_job(&self, id: u128) -> Result<Option<LongJob>, StoreError> {
        let statement = self.long("where id = $1", vec![uuid(id).into()]);
        Raw::find_by_statement(statement).one(self.reader()).await?.map(long_job).transpose()
    }

    /// The latest long jobs of a site of one kind.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn long_jobs(
        &self,
        site: SiteId,
        kind: LongKind,
        limit: i64,
    ) -> Result<Vec<LongJob>, StoreError> {
        let end = "where site = $1 and kind = $2 order by asked_at desc, id desc limit $3";
        let statement = self.long(end, vec![uuid(site.0).into(), kind.word().into(), limit.into()]);
        Raw::find_by_statement(statement).all(self.reader()).await?.into_iter().map(long_job).collect()
    }

    /// Whether a job of that name was ever asked for.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn long_job_named(&self, name: &str) -> Result<bool, StoreError> {
        let statement = self.long("where name = $1", vec![name.into()]);
        Ok(Raw::find_by_statement(statement).one(self.reader()).await?.is_some())
    }

    /// Jobs that are to be begun now and were not handed to the workers lately; from here on they were.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn due_long_jobs(&self) -> Result<Vec<u128>, StoreError> {
        let now = database_now(self.reader().get_database_backend());
        let again = PUSH_AGAIN_SECONDS * 1_000_000;
        let statement = Statement::from_sql_and_values(
            self.reader().get_database_backend(),
            format!(
                "select id from long_job where state = 'waiting' and next_attempt_at <= {now}
                 and (pushed_at is null or pushed_at <= {now} - {again}) and {} order by next_attempt_at limit $2",
                self.nobody_at_it(now)
            ),
            [uuid(self.node()).into(), PUSHED_MAX.into()],
        );
        let rows = IdRow::find_by_statement(statement).all(self.reader()).await?;
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let mut tx = self.begin();
        for row in &rows {
            tx.statement(
                &format!("update long_job set pushed_at = {now} where id = $1"),
                vec![row.id.into()],
            )
            .await?;
        }
        tx.commit().await?;
        Ok(rows.into_iter().map(|row| row.id.as_u128()).collect())
    }

    /// `$1` is this node.
    fn nobody_at_it(&self, now: &str) -> String {
        let gone = if self.is_postgres() { GONE_POSTGRES } else { "lease_owner <> $1" };
        format!("(lease_until is null or lease_until <= {now} or {gone})")
    }

    /// Takes a job for this run; `None` when it is done, not due, or somebody is at it. Counts the attempt, so that a job
    /// that ends the process is not tried for ever.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn take_long_job(&self, id: u128) -> Result<Option<(LongJob, HeldJob)>, StoreError> {
        let now = database_now(self.reader().get_database_backend());
        let lease = JOB_LEASE_SECONDS * 1_000_000;
        let take = format!(
            "update long_job set lease_owner = $1, lease_until = {now} + {lease}, fence = fence + 1,
             attempts = attempts + 1 where id = $2 and state = 'waiting' and next_attempt_at <= {now} and {}",
            self.nobody_at_it(now)
        );
        let mut tx = self.begin();
        if tx.statement(&take, vec![uuid(self.node()).into(), uuid(id).into()]).await? == 0 {
            tx.rollback().await?;
            return Ok(None);
        }
        let read = self.long("where id = $1", vec![uuid(id).into()]);
        let raw = Raw::find_by_statement(read).one(tx.conn().await?).await?;
        tx.commit().await?;
        let Some(raw) = raw else { return Ok(None) };
        let held = HeldJob { id, fence: raw.fence };
        Ok(Some((long_job(raw)?, held)))
    }
}

impl Store {
    /// A run of this node ended in the middle: the job is tried again after a pause that grows.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn break_off_long_job(&self, id: u128) -> Result<(), StoreError> {
        let now = database_now(self.reader().get_database_backend());
        let set = format!(
            "update long_job set lease_owner = null, lease_until = null, pushed_at = null,
             next_attempt_at = {now} + 1000000 * (1 << attempts)
             where id = $2 and lease_owner = $1 and state = 'waiting'"
        );
        let mut tx = self.begin();
        tx.statement(&set, vec![uuid(self.node()).into(), uuid(id).into()]).await?;
        tx.commit().await
    }
}

impl Tx {
    /// Runs one statement of this transaction; gives the rows that it touched.
    pub(super) async fn statement(&mut self, sql: &str, values: Vec<Value>) -> Result<u64, StoreError> {
        let tx = self.conn().await?;
        let statement = Statement::from_sql_and_values(tx.get_database_backend(), sql, values);
        Ok(tx.execute_raw(statement).await?.rows_affected())
    }

    /// Asks for a long job; says whether there was none of that name.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn add_long_job(&mut self, job: &NewLongJob, now: Timestamp) -> Result<bool, StoreError> {
        let insert =
            "insert into long_job (id, site, kind, name, state, asked_by, asked_at, body, done, attempts,
            next_attempt_at, fence) values ($1, $2, $3, $4, 'waiting', $5, $6, $7, 0, 0, 0, 0)
            on conflict (name) do nothing";
        let values = vec![
            uuid(job.id).into(),
            uuid(job.site.0).into(),
            job.kind.word().into(),
            job.name.clone().into(),
            job.asked_by.map(|id| uuid(id.0)).into(),
            micros(now).into(),
            job.body.clone().into(),
        ];
        let added = self.statement(insert, values).await? > 0;
        self.wakes();
        Ok(added)
    }

    /// The run got on by so many: the lease is as fresh as after taking the job, and earlier failures are forgotten.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when another run has the job.
    pub async fn got_on(
        &mut self,
        held: HeldJob,
        by: u32,
        cursor: Option<PatientId>,
    ) -> Result<(), StoreError> {
        let now = database_now(self.store().reader().get_database_backend());
        let lease = JOB_LEASE_SECONDS * 1_000_000;
        let set = format!(
            "done = done + $3, cursor = coalesce($4, cursor), attempts = 1, lease_until = {now} + {lease}"
        );
        let by = i32::try_from(by).unwrap_or(i32::MAX);
        self.held(held, &set, vec![by.into(), cursor.map(|id| uuid(id.0)).into()]).await
    }

    /// The run stops before the end, without fault: the next one goes on.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when another run has the job.
    pub async fn put_down_job(&mut self, held: HeldJob) -> Result<(), StoreError> {
        let set = "lease_owner = null, lease_until = null, pushed_at = null, attempts = attempts - 1";
        self.held(held, set, Vec::new()).await
    }

    /// The run has done what was to be done for now: the next one goes on after a pause.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when another run has the job.
    pub async fn rest_job(&mut self, held: HeldJob, seconds: u32) -> Result<(), StoreError> {
        let now = database_now(self.store().reader().get_database_backend());
        let pause = i64::from(seconds) * 1_000_000;
        let set = format!(
            "lease_owner = null, lease_until = null, pushed_at = null, attempts = 0, next_attempt_at = {now} + {pause}"
        );
        self.held(held, &set, Vec::new()).await
    }

    /// The run failed: tried again after a pause that grows.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when another run has the job.
    pub async fn job_failed(&mut self, held: HeldJob, attempts: u32, why: &str) -> Result<(), StoreError> {
        let now = database_now(self.store().reader().get_database_backend());
        let pause = (1_i64 << attempts.min(10)).min(BACKOFF_SECONDS_MAX) * 1_000_000;
        let set = format!(
            "lease_owner = null, lease_until = null, pushed_at = null, problem = $3, next_attempt_at = {now} + {pause}"
        );
        self.held(held, &set, vec![why.into()]).await
    }

    /// The job is over: done, or given up.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when another run has the job.
    pub async fn end_job(&mut self, held: HeldJob, done: bool, at: Timestamp) -> Result<(), StoreError> {
        let state = if done { "done" } else { "given_up" };
        let set = format!("state = '{state}', lease_owner = null, lease_until = null, finished_at = $3");
        self.held(held, &set, vec![micros(at).into()]).await
    }

    async fn held(&mut self, held: HeldJob, set: &str, more: Vec<Value>) -> Result<(), StoreError> {
        let mut values: Vec<Value> = vec![uuid(held.id).into(), held.fence.into()];
        values.extend(more);
        let update = format!("update long_job set {set} where id = $1 and fence = $2 and state = 'waiting'");
        if self.statement(&update, values).await? == 1 { Ok(()) } else { Err(StoreError::Conflict) }
    }
}
