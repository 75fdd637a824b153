//! A patient whom the engine cannot advance is set aside with an owned task; the others proceed.

use std::collections::BTreeMap;

use jiff::Timestamp;
use sea_orm::{ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter};
use tend_engine::{
    PatientId, SiteId,
    fact::TaskKey,
    model::{LevelId, Role, TaskKind, Text},
};

use super::{
    Batch, StoreError, Tx,
    entity::{patient, task},
    order,
    project::{Queue, TaskRow, TaskStep, json},
    sql, tables,
    tx::{counts, task_row},
    words::{self, micros, uuid},
};
use crate::ports::Ids;

/// The key of the task of a quarantined patient.
const KEY: &str = "quarantine";
/// Minutes planned for looking at one.
const MINUTES: u32 = 10;

fn text(en: &str, zh: &str) -> Text {
    Text(BTreeMap::from([("en".to_owned(), en.to_owned()), ("zh".to_owned(), zh.to_owned())]))
}

impl Tx {
    /// Sets a patient aside for `reason` and opens a task for the lead nurse, once.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn quarantine(
        &mut self,
        ids: &dyn Ids,
        id: PatientId,
        reason: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let shard = self.store().shard();
        self.hold(id).await;
        let tx = self.conn().await?;
        let Some(row) = patient::Entity::find_by_id(uuid(id.0)).one(tx).await? else { return Ok(()) };
        if row.quarantined.is_some() {
            return Ok(());
        }
        let site = SiteId(row.site.as_u128());
        let team = row.team.map(|team| team.as_u128());
        let mut changed = row.into_active_model();
        changed.quarantined = Set(Some(reason.to_owned()));
        changed.update(tx).await?;
        let opened = task_of(site, team, reason, now);
        let existing = existing(tx, id).await?;
        let mut batch = Batch::default();
        match existing {
            None => batch.task(ids.fresh(), id, &TaskKey(KEY.to_owned()), &opened),
            Some(row) => {
                let mut active = row.into_active_model();
                active.state = Set("open".to_owned());
                active.open = Set(true);
                active.because = Set(json(&opened.because));
                active.opened_at = Set(opened.opened_at);
                active.respond_sort = Set(order::respond_sort(&opened));
                active.closed_at = Set(None);
                active.closed_by = Set(None);
                active.update(tx).await?;
            }
        }
        sql::insert(tx, &tables::TASK, batch.tasks).await?;
        self.count(BTreeMap::from([((site, opened.role, opened.level), 1)]), shard).await
    }

    /// Something urgent came in about a patient who is set aside: the task about it is for now.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn alarm(&mut self, id: PatientId, because: &Text, now: Timestamp) -> Result<(), StoreError> {
        let shard = self.store().shard();
        let tx = self.conn().await?;
        let Some(row) = existing(tx, id).await?.filter(|row| row.open) else { return Ok(()) };
        let mut folded = task_row(&row)?;
        let queue = |folded: &TaskRow| (SiteId(folded.site), folded.role, folded.level);
        let before = queue(&folded);
        folded.step(&TaskStep::Changed {
            level: LevelId::RedNow,
            role: folded.role,
            respond_by: Some(micros(now)),
            rung: folded.rung,
            because: because.clone(),
        });
        let mut moved = BTreeMap::new();
        *moved.entry(before).or_default() -= 1;
        *moved.entry(queue(&folded)).or_default() += 1;
        let mut rows = sql::Rows::default();
        rows.push(super::batch::task_changed(row.patient, row.key, &folded));
        sql::update(tx, &tables::TASK_CHANGED, rows).await?;
        self.count(moved, shard).await
    }

    /// Takes a patient back; the engine will look at it again at once.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn release(
        &mut self,
        id: PatientId,
        by: tend_engine::StaffId,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let shard = self.store().shard();
        let tx = self.conn().await?;
        let Some(row) = patient::Entity::find_by_id(uuid(id.0)).one(tx).await? else { return Ok(false) };
        if row.quarantined.is_none() {
            return Ok(false);
        }
        let mut changed = row.into_active_model();
        changed.quarantined = Set(None);
        changed.wake_at = Set(Some(micros(now)));
        changed.update(tx).await?;
        if let Some(row) = existing(tx, id).await?.filter(|row| row.open) {
            let mut folded = task_row(&row)?;
            let queue = (SiteId(folded.site), folded.role, folded.level);
            folded.step(&TaskStep::Outcome {
                code: tend_engine::fact::OutcomeCode::Done,
                by: Some(by),
                still_open: false,
                at: micros(now),
            });
            let mut rows = sql::Rows::default();
            rows.push(super::batch::task_changed(row.patient, row.key, &folded));
            sql::update(tx, &tables::TASK_CHANGED, rows).await?;
            self.count(BTreeMap::from([(queue, -1)]), shard).await?;
        }
        self.wakes();
        Ok(true)
    }
}

impl Tx {
    async fn count(&mut self, counted: BTreeMap<Queue, i64>, shard: i32) -> Result<(), StoreError> {
        let (tx, later) = self.writes().await?;
        Ok(later.upsert(tx, &tables::QUEUE_COUNT, tables::COUNTED, counts(counted, shard)).await?)
    }
}

async fn existing(
    tx: &sea_orm::DatabaseTransaction,
    id: PatientId,
) -> Result<Option<task::Model>, StoreError> {
    Ok(task::Entity::find()
        .filter(task::Column::Patient.eq(uuid(id.0)))
        .filter(task::Column::Key.eq(KEY))
        .one(tx)
        .await?)
}

fn task_of(site: SiteId, team: Option<u128>, reason: &str, now: Timestamp) -> TaskRow {
    let title = text("Follow-up stands still: the record needs a look", "随访已停止:需要人工查看该记录");
    TaskRow {
        enrollment: None,
        workflow: None,
        site: site.0,
        team,
        kind: words::task_kind(TaskKind::Review),
        level: LevelId::Red,
        role: Role::NurseLead,
        title: json(&title),
        because: vec![text(reason, reason)],
        plan: "{}".to_owned(),
        opened_at: micros(now),
        respond_by: None,
        risk_sort: order::UNKNOWN,
        minutes: MINUTES,
        window_closes: None,
        rung: 0,
        state: "open",
        taken_by: None,
        outcome: None,
        closed_at: None,
        closed_by: None,
    }
}
