//! Folds histories again and compares with the rows that are kept beside them; decides them again and compares with what was
//! decided.

use std::collections::BTreeMap;

use sea_orm::{
    ColumnTrait, EntityTrait, FromQueryResult, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
    Statement,
};
use tend_engine::{
    PatientId, SiteId,
    fact::MessagePlan,
    planner::Library,
    replay::{Line, replay},
    site::SiteSettings,
    state::{PatientState, STATE_VERSION},
};

use super::{
    Store, StoreError,
    entity::{enrollment, event, message, patient, task},
    order,
    project::{self, Changes, TaskRow, Whose, queues},
    read::why::line_of,
    tx::task_row,
    words::{micros, uuid},
};

/// A page of patients compared.
#[derive(Debug, Default)]
pub struct Compared {
    /// How many.
    pub compared: u64,
    /// Sentences.
    pub differences: Vec<String>,
    /// Where the next page begins; `None` at the end.
    pub last: Option<PatientId>,
}

/// What is compared of an enrollment's row.
#[derive(Debug, Default, PartialEq, Eq)]
struct EnrollmentFold {
    standing: String,
    risk: Option<u32>,
    last_answer_at: Option<i64>,
    risk_rank: Option<i32>,
    version: String,
    moved_from: Option<String>,
    chosen: Option<String>,
}

/// Rows of one patient as the history says.
#[derive(Debug, Default)]
struct Fold {
    state: PatientState,
    /// State, attempt, send after, members.
    messages: BTreeMap<String, (String, u32, i64, usize)>,
    tasks: BTreeMap<String, TaskRow>,
    enrollments: BTreeMap<u128, EnrollmentFold>,
}

#[derive(Debug, FromQueryResult)]
struct CountRow {
    role: String,
    level: String,
    kept: i64,
    counted: i64,
}

impl Store {
    /// How many patients are set aside.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn quarantined(&self) -> Result<u64, StoreError> {
        Ok(patient::Entity::find()
            .filter(patient::Column::Quarantined.is_not_null())
            .count(self.reader())
            .await?)
    }

    /// Counts of queues that are not what counting the open tasks gives.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn wrong_counts(&self) -> Result<Vec<String>, StoreError> {
        let statement = Statement::from_string(
            self.reader().get_database_backend(),
            "select role, level, cast(sum(kept) as bigint) as kept, cast(sum(counted) as bigint) as counted from (
               select site, role, level, n as kept, 0 as counted from queue_count
               union all
               select site, role, level, 0 as kept, 1 as counted from task where closed_at is null
             ) as both_ways group by site, role, level having sum(kept) <> sum(counted)",
        );
        let rows = CountRow::find_by_statement(statement).all(self.reader()).await?;
        Ok(rows
            .into_iter()
            .map(|row| {
                format!("queue {} {}: {} kept, {} open tasks", row.role, row.level, row.kept, row.counted)
            })
            .collect())
    }

    /// Folds the histories of the next patients again and compares.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn rebuild(
        &self,
        library: &Library,
        after: Option<PatientId>,
        limit: u64,
    ) -> Result<Compared, StoreError> {
        let mut query = patient::Entity::find().order_by_asc(patient::Column::Id).limit(limit);
        if let Some(after) = after {
            query = query.filter(patient::Column::Id.gt(uuid(after.0)));
        }
        let rows = query.all(self.reader()).await?;
        let settings = self.settings_ever().await?;
        let mut compared = Compared::default();
        for row in rows {
            let id = PatientId(row.id.as_u128());
            compared.last = Some(id);
            compared.compared += 1;
            compared.differences.extend(self.compare(library, &settings, row).await?);
        }
        Ok(compared)
    }

    async fn compare(
        &self,
        library: &Library,
        settings: &BTreeMap<SiteId, BTreeMap<u64, SiteSettings>>,
        row: patient::Model,
    ) -> Result<Vec<String>, StoreError> {
        let id = row.id;
        let whose = Whose {
            patient: PatientId(id.as_u128()),
            site: SiteId(row.site.as_u128()),
            team: row.team.map(|team| team.as_u128()),
        };
        let events = event::Entity::find()
            .filter(event::Column::Patient.eq(id))
            .filter(event::Column::Seq.lte(row.seq))
            .order_by_asc(event::Column::Seq)
            .all(self.reader())
            .await?;
        let lines: Vec<Line> = events.into_iter().map(line_of).collect::<Result<_, _>>()?;
        let mut differences = Vec::new();
        let mut differs = |what: String| differences.push(format!("patient {}: {what}", whose.patient));
        let built_in = BTreeMap::new();
        let replayed = replay(library, settings.get(&whose.site).unwrap_or(&built_in), &lines);
        replayed.faults().for_each(|found| differs(format!("decided otherwise now: {}", found.in_words())));
        let fold = fold(library, whose, &lines);
        if row.state_version == i32::from(STATE_VERSION)
            && serde_json::from_slice::<PatientState>(&row.state).ok().as_ref() != Some(&fold.state)
        {
            differs("the kept state is not the fold of the history".into());
        }
        for kept in message::Entity::find().filter(message::Column::Patient.eq(id)).all(self.reader()).await?
        {
            let members =
                serde_json::from_str::<MessagePlan>(&kept.plan).map_or(usize::MAX, |plan| plan.members.len());
            let there = (kept.state, u32::try_from(kept.attempt).unwrap_or(0), kept.send_after, members);
            if fold.messages.get(&kept.key) != Some(&there) {
                differs(format!(
                    "message {} is {there:?}, the history says {:?}",
                    kept.key,
                    fold.messages.get(&kept.key)
                ));
            }
        }
        for kept in task::Entity::find().filter(task::Column::Patient.eq(id)).all(self.reader()).await? {
            let mut there = task_row(&kept)?;
            let told = fold.tasks.get(&kept.key);
            if kept.open && kept.respond_sort != order::respond_sort(&there) {
                differs(format!("task {} is not in its place", kept.key));
            }
            // A task that is closed has no place any more.
            there.risk_sort = told.filter(|_| !kept.open).map_or(there.risk_sort, |told| told.risk_sort);
            // The task of a quarantined patient is no decision and not in the history.
            if kept.plan != "{}" && told != Some(&there) {
                differs(format!("task {} is not what the history says", kept.key));
            }
        }
        for kept in
            enrollment::Entity::find().filter(enrollment::Column::Patient.eq(id)).all(self.reader()).await?
        {
            let risk = kept.risk_ppm.and_then(|ppm| u32::try_from(ppm).ok());
            let there = EnrollmentFold {
                standing: kept.standing,
                risk,
                last_answer_at: kept.last_answer_at,
                risk_rank: kept.risk_rank,
                version: kept.version,
                moved_from: kept.moved_from,
                chosen: kept.chosen,
            };
            if fold.enrollments.get(&kept.id.as_u128()) != Some(&there) {
                differs(format!("enrollment {} is not what the history says", kept.id));
            }
        }
        Ok(differences)
    }
}

/// Folds a history entry by entry into state and rows.
fn fold(library: &Library, whose: Whose, lines: &[Line]) -> Fold {
    let mut fold = Fold::default();
    for entry in lines.iter().map(|line| &line.entry) {
        let before = queues(&fold.state, whose);
        fold.state.fold(entry);
        let changes = project::project(library, whose, &before, std::slice::from_ref(entry), &fold.state);
        apply(&mut fold, changes);
    }
    fold
}

fn apply(fold: &mut Fold, changes: Changes) {
    for (key, change) in changes.messages {
        let row = fold.messages.entry(key.0).or_default();
        if let Some(planned) = change.planned {
            row.2 = micros(planned.plan.send_after);
            row.3 = planned.plan.members.len();
        }
        row.3 += change.joined.len();
        row.1 = change.attempt.unwrap_or(row.1);
        row.2 = change.send_after.unwrap_or(row.2);
        if let Some(state) = change.state {
            let knows_better = matches!(row.0.as_str(), "delivered" | "refused");
            if !(knows_better && matches!(state, "handed_over" | "uncertain")) {
                state.clone_into(&mut row.0);
            }
        }
    }
    for (key, change) in changes.tasks {
        if let Some(row) = change.opened {
            fold.tasks.insert(key.0.clone(), row);
        }
        if let Some(row) = fold.tasks.get_mut(&key.0) {
            change.steps.iter().for_each(|step| row.step(step));
        }
    }
    for (id, change) in changes.enrollments {
        let row = fold.enrollments.entry(id.0).or_default();
        change.row.standing.clone_into(&mut row.standing);
        row.risk = change.scored.unwrap_or(row.risk);
        row.last_answer_at = change.last_answer_at.or(row.last_answer_at);
        row.risk_rank = change.row.risk_rank;
        (row.version, row.moved_from, row.chosen) =
            (change.row.version, change.row.moved_from, change.row.chosen);
    }
}
