//! Many open tasks quickly: a row each, with names sealed as real ones are, and the counts that the writer would have kept.

use jiff::{SignedDuration, Timestamp};
use sqlx::QueryBuilder;
use tend_engine::{PatientId, SiteId};

use super::{BenchError, seed};
use crate::store::{Demographics, JobPool, Store, identity::sealed};

/// Rows of one statement.
const ROWS: usize = 5_000;
/// Of a hundred tasks so many are of a level: `level, rank, how many`.
const LEVELS: [(&str, i32, u64); 5] =
    [("red_now", 0, 1), ("red", 1, 9), ("amber", 2, 40), ("grey", 3, 30), ("blue", 4, 20)];
/// Of ten tasks so many are of an owner.
const ROLES: [(&str, u64); 3] = [("nurse", 7), ("clinician", 2), ("clerk", 1)];

struct Row {
    id: uuid::Uuid,
    patient: PatientId,
    level: (&'static str, i32),
    role: &'static str,
    opened_at: i64,
    respond_by: i64,
    wrapped: Vec<u8>,
    sealed: Vec<u8>,
}

/// Opens `tasks` tasks, spread over the patients numbered `from..to`.
///
/// # Errors
/// [`BenchError`].
pub async fn open(
    store: &Store,
    site: SiteId,
    now: Timestamp,
    tasks: u64,
    (from, to): (u64, u64),
) -> Result<(), BenchError> {
    let numbers: Vec<u64> = (0..tasks.min(to - from)).collect();
    let every = (to - from) / (numbers.len().max(1) as u64);
    for chunk in numbers.chunks(ROWS) {
        let rows: Vec<Row> =
            chunk.iter().map(|n| row(store, now, *n, from + n * every)).collect::<Result<_, _>>()?;
        write(store, site, &rows).await?;
    }
    recount(store).await
}

fn row(store: &Store, now: Timestamp, n: u64, number: u64) -> Result<Row, BenchError> {
    let patient = seed::id(number);
    let (key, wrapped) = store.vault().fresh_key(patient.0);
    let who = Demographics {
        name: format!("Bench Patient {number}"),
        birth_date: jiff::civil::date(1950, 1, 1),
        sex: None,
    };
    let who = serde_json::to_vec(&who).map_err(BenchError::of)?;
    // Scattered, and the same at each run.
    let scattered = n.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 20;
    let minutes = i64::try_from(scattered % 2_880).map_err(BenchError::of)?;
    let opened_at = now - SignedDuration::from_mins(minutes);
    let respond_by = opened_at + SignedDuration::from_hours(24);
    let id =
        (0x0190_0005_u128 << 96) | (u128::from(number) << 64) | 0x7000_8000_0000_0000 | u128::from(n >> 32);
    Ok(Row {
        id: uuid::Uuid::from_u128(id),
        patient,
        level: pick(LEVELS.iter().map(|(name, rank, of)| ((*name, *rank), *of)), scattered % 100),
        role: pick(ROLES.iter().copied(), (scattered / 100) % 10),
        opened_at: opened_at.as_microsecond(),
        respond_by: respond_by.as_microsecond(),
        wrapped,
        sealed: key.seal(sealed::DEMOGRAPHICS, &who),
    })
}

fn pick<T: Default>(choices: impl Iterator<Item = (T, u64)>, mut at: u64) -> T {
    for (choice, of) in choices {
        if at < of {
            return choice;
        }
        at -= of;
    }
    T::default()
}

const TITLE: &str = r#"{"en":"Call the patient","zh":"致电患者"}"#;
const BECAUSE: &str = r#"[{"en":"Weight rose by 2.1 kg in 3 days (limit 2 kg)","zh":"3 天内体重增加 2.1 公斤（上限 2 公斤）"}]"#;

macro_rules! insert {
    ($pool:expr, $site:expr, $rows:expr, $database:ty) => {{
        let mut tx = $pool.begin().await.map_err(BenchError::of)?;
        let mut keys = QueryBuilder::<$database>::new("insert into patient_key (patient, wrapped, created_at) ");
        keys.push_values($rows, |mut to, row| {
            to.push_bind(uuid::Uuid::from_u128(row.patient.0)).push_bind(&row.wrapped).push_bind(row.opened_at);
        });
        keys.build().execute(&mut *tx).await.map_err(BenchError::of)?;
        let mut who = QueryBuilder::<$database>::new("insert into demographics (patient, sealed, updated_at) ");
        who.push_values($rows, |mut to, row| {
            to.push_bind(uuid::Uuid::from_u128(row.patient.0)).push_bind(&row.sealed).push_bind(row.opened_at);
        });
        who.build().execute(&mut *tx).await.map_err(BenchError::of)?;
        let mut tasks = QueryBuilder::<$database>::new(
            "insert into task (id, patient, key, site, kind, level, level_rank, role, title, because, plan, opened_at,
             respond_by, respond_sort, minutes, rung, state, open) ",
        );
        tasks.push_values($rows, |mut to, row| {
            to.push_bind(row.id)
                .push_bind(uuid::Uuid::from_u128(row.patient.0))
                .push_bind("bench")
                .push_bind(uuid::Uuid::from_u128($site.0))
                .push_bind("alert")
                .push_bind(row.level.0)
                .push_bind(row.level.1)
                .push_bind(row.role)
                .push_bind(TITLE)
                .push_bind(BECAUSE)
                .push_bind("{}")
                .push_bind(row.opened_at)
                .push_bind(row.respond_by)
                .push_bind(row.respond_by)
                .push_bind(10_i32)
                .push_bind(0_i32)
                .push_bind("open")
                .push_bind(true);
        });
        tasks.build().execute(&mut *tx).await.map_err(BenchError::of)?;
        tx.commit().await.map_err(BenchError::of)
    }};
}

async fn write(store: &Store, site: SiteId, rows: &[Row]) -> Result<(), BenchError> {
    // Both databases bound how many values one statement may carry.
    for rows in rows.chunks(1_000) {
        match store.job_pool() {
            JobPool::Sqlite(pool) => insert!(pool, site, rows, sqlx::Sqlite),
            JobPool::Postgres(pool) => insert!(pool, site, rows, sqlx::Postgres),
        }?;
    }
    Ok(())
}

/// The counts as the writer would have kept them, and the tasks' own enrollments.
async fn recount(store: &Store) -> Result<(), BenchError> {
    let yes = if store.is_postgres() { "true" } else { "1" };
    seed::run(
        store,
        &[
            "update task set enrollment = (select e.id from enrollment e where e.patient = task.patient limit 1),
             workflow = (select e.workflow from enrollment e where e.patient = task.patient limit 1)
             where key = 'bench' and enrollment is null"
                .to_owned(),
            "delete from queue_count".to_owned(),
            format!(
                "insert into queue_count (site, role, level, shard, n)
                 select site, role, level, 0, count(*) from task where open = {yes} group by site, role, level"
            ),
        ],
    )
    .await
}
