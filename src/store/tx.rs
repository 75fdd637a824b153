//! A unit of work: locks its patients, gathers what they write, and commits as a whole.

use std::collections::BTreeMap;

use jiff::Timestamp;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect, Select, SqliteTransactionMode, TransactionOptions, TransactionTrait,
    sea_query::{LockBehavior, LockType},
};
use tend_engine::{
    PatientId, SiteId,
    fact::{Entry, NewFact, TaskKey},
    model::Text,
    planner::Advanced,
    state::{PatientState, STATE_VERSION},
};
use tokio::sync::OwnedMutexGuard;

use super::{
    Batch, Store, StoreError,
    batch::task_changed,
    enrolling::NewRows,
    entity::{event, message, patient, task},
    locks::PatientGuard,
    project::{Queue, TaskRow, Whose, json, queues},
    read::patient::entry_of,
    sql, tables,
    topic::Topics,
    vault::PatientKey,
    words::{self, uuid},
};

/// Most patients of a group that shares one commit.
pub const GROUP_MAX: usize = 100;

/// What to do about a patient that another transaction holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Busy {
    /// Leave it to the other one.
    Skip,
    /// Wait for it.
    Wait,
}

/// A patient that this transaction holds.
#[derive(Debug)]
pub struct Locked {
    /// Which.
    pub id: PatientId,
    /// Where.
    pub site: SiteId,
    /// In which team.
    pub team: Option<u128>,
    /// The last sequence number in the database.
    pub seq: u64,
    /// When something will next be decided, as it stood.
    pub wake_at: Option<Timestamp>,
    /// The fold of the history; advanced in place.
    pub state: PatientState,
    /// Set aside until somebody has looked: nothing is decided.
    pub quarantined: bool,
    pub(super) open_tasks: BTreeMap<TaskKey, Queue>,
}

impl Locked {
    /// Folds facts in without deciding anything: of a patient whom the engine cannot advance.
    pub fn fold_only(&mut self, facts: Vec<NewFact>, now: Timestamp) -> Advanced {
        let recorded_at = self.state.recorded_at.map_or(now, |last| last.max(now));
        let mut entries = Vec::with_capacity(facts.len());
        for new in facts {
            let entry = Entry {
                seq: self.state.seq + 1,
                enrollment: new.enrollment,
                occurred_at: new.occurred_at,
                recorded_at,
                author: new.author,
                fact: new.fact,
            };
            self.state.fold(&entry);
            entries.push(entry);
        }
        Advanced { given: entries.len(), entries, wake_at: self.wake_at, under: None }
    }
}

/// A unit of work. Dropped without [`Tx::commit`], nothing of it stays.
#[derive(Debug)]
pub struct Tx {
    store: Store,
    open: Option<OpenTx>,
    guards: Vec<PatientGuard>,
    kept: Vec<Locked>,
    /// Whether a patient was moved, and what may have moved with it.
    moved: bool,
    topics: Topics,
}

#[derive(Debug)]
struct OpenTx {
    tx: DatabaseTransaction,
    later: sql::Later,
    _writer: Option<OwnedMutexGuard<()>>,
}

impl Store {
    /// Begins a unit of work. On SQLite the database's writer is taken at the first write and not before.
    #[must_use]
    pub fn begin(&self) -> Tx {
        Tx {
            store: self.clone(),
            open: None,
            guards: Vec::new(),
            kept: Vec::new(),
            moved: false,
            topics: Topics::default(),
        }
    }
}

impl Tx {
    /// The database's transaction, begun at first use. All writes so far are ahead of whatever is asked of it.
    pub(super) async fn conn(&mut self) -> Result<&DatabaseTransaction, StoreError> {
        let open = self.opened().await?;
        open.later.send(&open.tx).await.map_err(conflict)?;
        Ok(&open.tx)
    }

    /// The transaction, and where writes wait whose outcome nobody waits for.
    pub(super) async fn writes(&mut self) -> Result<(&DatabaseTransaction, &mut sql::Later), StoreError> {
        let open = self.opened().await?;
        Ok((&open.tx, &mut open.later))
    }

    async fn opened(&mut self) -> Result<&mut OpenTx, StoreError> {
        let open = match self.open.take() {
            Some(open) => open,
            None => open(&self.store).await?,
        };
        Ok(self.open.insert(open))
    }

    /// Rows of patients that are locked: read inside the transaction, or on SQLite beside the one that is being written,
    /// since nobody else in this process, the only one that writes, may change them.
    pub(super) async fn rows_of_locked<E: EntityTrait>(
        &mut self,
        query: Select<E>,
    ) -> Result<Vec<E::Model>, StoreError> {
        if self.store.is_postgres() || self.open.is_some() {
            Ok(query.all(self.conn().await?).await?)
        } else {
            Ok(query.all(self.store.reader()).await?)
        }
    }

    /// The store it belongs to.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Locks patients and reads their state, in id order. Unknown and quarantined ones are left out, and with
    /// [`Busy::Skip`] those that another transaction holds.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn lock(&mut self, wanted: &[PatientId], busy: Busy) -> Result<Vec<Locked>, StoreError> {
        let mut locked = self.lock_rows(wanted, busy).await?;
        locked.retain(|patient| !patient.quarantined);
        Ok(locked)
    }

    /// Locks patients, also quarantined ones; waits for those that another transaction holds. What carriers did is written
    /// down for everybody.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn lock_any(&mut self, wanted: &[PatientId]) -> Result<Vec<Locked>, StoreError> {
        self.lock_rows(wanted, Busy::Wait).await
    }

    async fn lock_rows(&mut self, wanted: &[PatientId], busy: Busy) -> Result<Vec<Locked>, StoreError> {
        let guard = match busy {
            Busy::Skip => self.store.0.patients.take_free(wanted),
            Busy::Wait => self.store.0.patients.take_all(wanted).await,
        };
        let mut locked = self.store.0.kept.as_ref().map_or_else(Vec::new, |kept| kept.take(guard.patients()));
        let unread = guard.patients().iter().filter(|id| !locked.iter().any(|kept| kept.id == **id));
        let ids = sql::listed(unread.map(|id| id.0));
        self.guards.push(guard);
        if ids.is_empty() {
            locked.sort_by_key(|patient| patient.id);
            return Ok(locked);
        }
        let mut query =
            patient::Entity::find().filter(patient::Column::Id.is_in(ids)).order_by_asc(patient::Column::Id);
        if self.store.is_postgres() {
            query = match busy {
                Busy::Skip => query.lock_with_behavior(LockType::Update, LockBehavior::SkipLocked),
                Busy::Wait => query.lock(LockType::Update),
            };
        }
        let rows = self.rows_of_locked(query).await?;
        for row in rows {
            locked.push(self.locked(row).await?);
            // Reading many states takes long enough to keep others waiting.
            tokio::task::yield_now().await;
        }
        locked.sort_by_key(|patient| patient.id);
        Ok(locked)
    }

    async fn locked(&mut self, row: patient::Model) -> Result<Locked, StoreError> {
        let id = PatientId(row.id.as_u128());
        let state = if row.state_version == i32::from(STATE_VERSION) {
            serde_json::from_slice(&row.state)
                .map_err(|error| StoreError::unreadable("patient state", error))?
        } else {
            self.refold(id).await?
        };
        let whose = Whose {
            patient: id,
            site: SiteId(row.site.as_u128()),
            team: row.team.map(|team| team.as_u128()),
        };
        Ok(Locked {
            id,
            site: whose.site,
            team: whose.team,
            seq: u64::try_from(row.seq).map_err(|error| StoreError::unreadable("sequence number", error))?,
            wake_at: words::instant_opt(row.wake_at)?,
            open_tasks: queues(&state, whose),
            quarantined: row.quarantined.is_some(),
            state,
        })
    }

    /// Folds a whole history: the state was written by another release.
    async fn refold(&mut self, id: PatientId) -> Result<PatientState, StoreError> {
        let rows = event::Entity::find()
            .filter(event::Column::Patient.eq(uuid(id.0)))
            .order_by_asc(event::Column::Seq)
            .all(self.conn().await?)
            .await?;
        let mut state = PatientState::default();
        for row in rows {
            state.fold(&entry_of(row)?);
        }
        Ok(state)
    }

    /// Holds a patient of whom more changes than the history tells: what this process has kept of it is out of date.
    pub(super) async fn hold(&mut self, id: PatientId) {
        if !self.guards.iter().any(|guard| guard.patients().contains(&id)) {
            let guard = self.store.0.patients.take_all(&[id]).await;
            self.guards.push(guard);
        }
        if let Some(kept) = &self.store.0.kept {
            kept.take(&[id]);
        }
    }

    /// The key of a patient; `None` once erased.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn key(&mut self, id: PatientId) -> Result<Option<PatientKey>, StoreError> {
        Ok(self.store.keys_of(&[id]).await?.remove(&id))
    }

    /// Writes what a batch has gathered.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when another writer was faster: begin again, lock again, decide again.
    pub async fn append(&mut self, mut batch: Batch) -> Result<(), StoreError> {
        let shard = self.store.shard();
        self.topics.join(batch.topics);
        let moved = batch.patient_count > 0 || !batch.new.patients.is_empty();
        let tx = self.conn().await?;
        new_patients(tx, std::mem::take(&mut batch.new)).await?;
        joined(tx, &mut batch).await?;
        let tasks_changed = tasks_changed(tx, std::mem::take(&mut batch.tasks_changed)).await?;
        if sql::update(tx, &tables::PATIENT_MOVED, batch.patients).await? != batch.patient_count {
            return Err(StoreError::Conflict);
        }
        let (tx, later) = self.writes().await?;
        later.insert(tx, &tables::EVENT, batch.events).await.map_err(conflict)?;
        later.insert(tx, &tables::ENROLLMENT, batch.enrollments).await?;
        later.update(tx, &tables::ENROLLMENT_CHANGED, batch.enrollments_changed).await?;
        later.insert(tx, &tables::MESSAGE, batch.messages).await?;
        later.update(tx, &tables::MESSAGE_CHANGED, batch.messages_changed).await?;
        later.insert(tx, &tables::TASK, batch.tasks).await?;
        later.update(tx, &tables::TASK_CHANGED, tasks_changed).await?;
        later.insert(tx, &tables::AUDIT, batch.audits).await?;
        later.insert(tx, &tables::SCORE, batch.scores).await?;
        later.update(tx, &tables::SCORE_LOOKED_AT, batch.scores_looked_at).await?;
        // Last: on PostgreSQL the rows of counts are the only ones that several nodes may want.
        let counts = counts(batch.counts, shard);
        later.upsert(tx, &tables::QUEUE_COUNT, tables::COUNTED, counts).await?;
        self.kept.append(&mut batch.kept);
        self.moved |= moved;
        Ok(())
    }

    /// Commits; whoever waits for due work or messages is told.
    ///
    /// # Errors
    /// [`StoreError`]; nothing of it stays then.
    pub async fn commit(mut self) -> Result<(), StoreError> {
        let Some(mut open) = self.open.take() else { return Ok(()) };
        open.later.send(&open.tx).await.map_err(conflict)?;
        if self.moved && self.store.is_postgres() {
            open.tx.execute_unprepared(&format!("notify tend_changed, '{}'", self.topics.word())).await?;
        }
        open.tx.commit().await?;
        drop(open._writer);
        if let Some(kept) = &self.store.0.kept {
            kept.put(std::mem::take(&mut self.kept));
        }
        self.guards.clear();
        if self.moved {
            self.store.changed(self.topics);
        }
        Ok(())
    }

    /// Marks that all waiting workers should look again after the commit.
    pub(super) fn wakes(&mut self) {
        self.moved = true;
        self.topics = Topics::all();
    }

    /// Takes everything back, and waits for it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn rollback(mut self) -> Result<(), StoreError> {
        match self.open.take() {
            Some(open) => Ok(open.tx.rollback().await?),
            None => Ok(()),
        }
    }
}

async fn open(store: &Store) -> Result<OpenTx, StoreError> {
    let writer = if store.is_postgres() { None } else { Some(store.0.writer.clone().lock_owned().await) };
    let options = TransactionOptions {
        sqlite_transaction_mode: (!store.is_postgres()).then_some(SqliteTransactionMode::Immediate),
        ..TransactionOptions::default()
    };
    let write = store.0.write.clone();
    let tx = if store.is_postgres() {
        // In a task of its own: sqlx forgets a transaction whose beginning nobody waits for any more, and the connection
        // would serve the next one inside it. What nobody takes is rolled back.
        let begun = tokio::spawn(async move { write.begin_with_options(options).await });
        begun.await.map_err(|error| DbErr::Custom(format!("a transaction could not be begun: {error}")))??
    } else {
        write.begin_with_options(options).await?
    };
    Ok(OpenTx { tx, later: sql::Later::default(), _writer: writer })
}

async fn new_patients(tx: &DatabaseTransaction, rows: NewRows) -> Result<(), StoreError> {
    sql::insert(tx, &tables::PATIENT, rows.patients).await?;
    sql::insert(tx, &tables::PATIENT_KEY, rows.keys).await?;
    sql::insert(tx, &tables::DEMOGRAPHICS, rows.demographics).await?;
    sql::insert(tx, &tables::NAME_WORD, rows.name_words).await?;
    sql::insert(tx, &tables::IDENTIFIER, rows.identifiers).await.map_err(known)?;
    sql::insert(tx, &tables::CONTACT_POINT, rows.contact_points).await?;
    sql::insert(tx, &tables::CONSENT, rows.consents).await?;
    Ok(())
}

/// A number of another system that a patient has already.
fn known(error: DbErr) -> StoreError {
    match error.sql_err() {
        Some(sea_orm::SqlErr::UniqueConstraintViolation(_)) => StoreError::KnownIdentifier,
        _ => StoreError::Database(error),
    }
}

/// A sequence number that is taken already means that another writer was faster.
fn conflict(error: DbErr) -> StoreError {
    match error.sql_err() {
        Some(sea_orm::SqlErr::UniqueConstraintViolation(what)) if what.contains("event") => {
            StoreError::Conflict
        }
        _ => StoreError::Database(error),
    }
}

/// Adds joined occurrences to the plans of messages that are there already.
async fn joined(tx: &DatabaseTransaction, batch: &mut Batch) -> Result<(), StoreError> {
    for (patient, key, mut change) in std::mem::take(&mut batch.joined) {
        let row = message::Entity::find()
            .filter(message::Column::Patient.eq(uuid(patient.0)))
            .filter(message::Column::Key.eq(key.0.as_str()))
            .one(tx)
            .await?;
        let Some(row) = row else { continue };
        let mut plan: tend_engine::fact::MessagePlan =
            serde_json::from_str(&row.plan).map_err(|error| StoreError::unreadable("message plan", error))?;
        plan.members.append(&mut change.joined);
        batch.message_changed(patient, &key, &change, Some(json(&plan)));
    }
    Ok(())
}

/// The rows of tasks that changed: reads them and folds what happened.
async fn tasks_changed(
    tx: &DatabaseTransaction,
    changed: Vec<(PatientId, TaskKey, Vec<super::project::TaskStep>)>,
) -> Result<sql::Rows, StoreError> {
    if changed.is_empty() {
        return Ok(sql::Rows::default());
    }
    let there: BTreeMap<(u128, String), task::Model> = task::Entity::find()
        .filter(task::Column::Patient.is_in(changed.iter().map(|(id, _, _)| uuid(id.0))))
        .filter(task::Column::Key.is_in(changed.iter().map(|(_, key, _)| key.0.as_str())))
        .all(tx)
        .await?
        .into_iter()
        .map(|row| ((row.patient.as_u128(), row.key.clone()), row))
        .collect();
    let mut rows = sql::Rows::default();
    for (patient, key, steps) in changed {
        let Some(model) = there.get(&(patient.0, key.0.clone())) else { continue };
        let mut row = task_row(model)?;
        for step in &steps {
            row.step(step);
        }
        rows.push(task_changed(uuid(patient.0), key.0, &row));
    }
    Ok(rows)
}

/// A task's row out of the database.
pub(super) fn task_row(model: &task::Model) -> Result<TaskRow, StoreError> {
    let because: Vec<Text> =
        serde_json::from_str(&model.because).map_err(|error| StoreError::unreadable("reasons", error))?;
    Ok(TaskRow {
        enrollment: model.enrollment.map(|id| id.as_u128()),
        workflow: model.workflow.clone(),
        site: model.site.as_u128(),
        team: model.team.map(|id| id.as_u128()),
        kind: words::task_kind(words::task_kind_of(&model.kind)?),
        level: words::level_of(&model.level)?,
        role: words::role_of(&model.role)?,
        title: model.title.clone(),
        because,
        plan: model.plan.clone(),
        opened_at: model.opened_at,
        respond_by: model.respond_by,
        risk_sort: model.risk_sort,
        minutes: u32::try_from(model.minutes).unwrap_or(0),
        window_closes: model.window_closes,
        rung: u32::try_from(model.rung).unwrap_or(0),
        state: words::task_state_of(&model.state)?,
        taken_by: model.taken_by.map(|id| id.as_u128()),
        outcome: model.outcome.as_deref().map(words::outcome_of).transpose()?.map(words::outcome),
        closed_at: model.closed_at,
        closed_by: model.closed_by.map(|id| id.as_u128()),
    })
}

/// What is added to the counts of the queues, in order, so that two nodes cannot hold each other up.
pub(super) fn counts(counts: BTreeMap<Queue, i64>, shard: i32) -> sql::Rows {
    let mut rows = sql::Rows::default();
    for ((site, role, level), n) in counts.into_iter().filter(|(_, n)| *n != 0) {
        rows.push([
            uuid(site.0).into(),
            words::role(role).into(),
            words::level(level).into(),
            shard.into(),
            n.into(),
        ]);
    }
    rows
}

impl Store {
    /// Which rows of the counts this node adds to.
    pub(super) fn shard(&self) -> i32 {
        if self.is_postgres() { i32::try_from(self.node() % 8).unwrap_or(0) } else { 0 }
    }
}
