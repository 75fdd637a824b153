//! Many enrolled patients quickly: one goes through the real enrolment and a day of follow-up, the others are copies of its
//! rows with ids of their own. Identity is not copied: a step does not look at it.

use jiff::{SignedDuration, Timestamp};
use tend_engine::{EnrollmentId, PatientId};

use super::BenchError;
use crate::store::{JobPool, Store};

/// Copies made in one transaction.
const COPIES: u64 = 50_000;

/// The patient that all others are copies of.
#[derive(Debug, Clone, Copy)]
pub struct Original {
    /// Its enrollment, whose id stands in keys and in the state.
    pub enrollment: EnrollmentId,
    /// When its next step is due.
    pub due: Timestamp,
}

/// Makes the patients numbered `from..to`; they wake far in the future.
pub async fn copy(store: &Store, original: Original, from: u64, to: u64) -> Result<(), BenchError> {
    let mut at = from;
    while at < to {
        let end = to.min(at + COPIES);
        run(store, &statements(store.is_postgres(), original, at, end)).await?;
        at = end;
        eprint!("\r{at} patients enrolled");
    }
    eprintln!();
    Ok(())
}

/// The id of the patient with that number.
pub fn id(n: u64) -> PatientId {
    PatientId((0x0190_0000 << 96) | (u128::from(n) << 64) | 0x7000_8000_0000_0000)
}

/// Makes every `every`-th patient of `from..to`, beginning with `from + first`, due at `due`.
pub async fn wake(
    store: &Store,
    due: Timestamp,
    (from, to): (u64, u64),
    every: u64,
    first: u64,
) -> Result<(), BenchError> {
    let begin = from + first;
    let statement = if store.is_postgres() {
        format!(
            "update patient set wake_at = {} where id in (select ('01900000' || lpad(to_hex(n), 8, '0') ||
             '7000800000000000')::uuid from generate_series({begin}, {}, {every}) as s(n))",
            due.as_microsecond(),
            to - 1
        )
    } else {
        format!(
            "with recursive s(n) as (select {begin} union all select n + {every} from s where n + {every} < {to})
             update patient set wake_at = {} where id in
             (select unhex('01900000' || printf('%08x', n) || '7000800000000000') from s)",
            due.as_microsecond()
        )
    };
    run(store, &[statement]).await
}

/// Brings the file or the tables into the order that a quiet night leaves them in.
pub async fn settle(store: &Store) -> Result<(), BenchError> {
    let statements: &[&str] = if store.is_postgres() {
        &["vacuum analyze", "checkpoint"]
    } else {
        &["pragma wal_checkpoint(truncate)"]
    };
    for statement in statements {
        match store.job_pool() {
            JobPool::Sqlite(pool) => {
                sqlx::query(sqlx::AssertSqlSafe(*statement)).execute(&pool).await.map(|_| ())
            }
            JobPool::Postgres(pool) => {
                sqlx::query(sqlx::AssertSqlSafe(*statement)).execute(&pool).await.map(|_| ())
            }
        }
        .map_err(BenchError::of)?;
    }
    Ok(())
}

/// Runs the statements in one transaction.
pub async fn run(store: &Store, statements: &[String]) -> Result<(), BenchError> {
    match store.job_pool() {
        JobPool::Sqlite(pool) => {
            let mut tx = pool.begin().await.map_err(BenchError::of)?;
            for statement in statements {
                sqlx::query(sqlx::AssertSqlSafe(statement.clone()))
                    .execute(&mut *tx)
                    .await
                    .map_err(BenchError::of)?;
            }
            tx.commit().await.map_err(BenchError::of)
        }
        JobPool::Postgres(pool) => {
            let mut tx = pool.begin().await.map_err(BenchError::of)?;
            for statement in statements {
                sqlx::query(sqlx::AssertSqlSafe(statement.clone()))
                    .execute(&mut *tx)
                    .await
                    .map_err(BenchError::of)?;
            }
            tx.commit().await.map_err(BenchError::of)
        }
    }
}

/// What differs between the databases when rows are copied.
struct Words {
    series: String,
    hex: &'static str,
    id: fn(&str) -> String,
    text_of: fn(&str) -> String,
    bytes_of: fn(&str) -> String,
    row: &'static str,
}

fn words(postgres: bool, from: u64, to: u64) -> Words {
    if postgres {
        Words {
            series: format!(
                "(select n, lpad(to_hex(n), 8, '0') as h from generate_series({from}, {}) as g(n)) s",
                to - 1
            ),
            hex: "lpad(to_hex(r.at), 4, '0')",
            id: |text| format!("({text})::uuid"),
            text_of: |bytes| format!("convert_from({bytes}, 'UTF8')"),
            bytes_of: |text| format!("convert_to({text}, 'UTF8')"),
            row: "ctid",
        }
    } else {
        Words {
            series: format!(
                "(with recursive g(n) as (select {from} union all select n + 1 from g where n + 1 < {to})
                 select n, printf('%08x', n) as h from g) s"
            ),
            hex: "printf('%04x', r.at)",
            id: |text| format!("unhex({text})"),
            text_of: |bytes| format!("cast({bytes} as text)"),
            bytes_of: |text| format!("cast({text} as blob)"),
            row: "rowid",
        }
    }
}

fn statements(postgres: bool, original: Original, from: u64, to: u64) -> Vec<String> {
    let w = words(postgres, from, to);
    let patient = (w.id)("'01900000' || s.h || '7000800000000000'");
    let enrollment = (w.id)("'01900001' || s.h || '7000800000000000'");
    let named = "'01900001-' || substr(s.h, 1, 4) || '-' || substr(s.h, 5, 4) || '-7000-800000000000'";
    let own = |column: &str| format!("replace(r.{column}, '{}', {named})", original.enrollment);
    let row_id =
        |table: u8| (w.id)(&format!("'019000{table:02x}' || s.h || '7000' || {} || '00000000'", w.hex));
    let state =
        (w.bytes_of)(&format!("replace({}, '{}', {named})", (w.text_of)("r.state"), original.enrollment));
    // Spread over the weeks to come.
    let wake = format!("{} + 86400000000 * (30 + s.n % 60)", original.due.as_microsecond());
    // The original has the smallest of all ids, so that it can be told from its copies.
    let source = |table: &str| {
        format!(
            "(select t.*, row_number() over (order by t.{}) as at from {table} t where t.{} = (select patient from enrollment order by enrolled_at, id limit 1)) r",
            w.row,
            if table == "patient" { "id" } else { "patient" }
        )
    };
    let from_ = |table: &str| format!("from {} cross join {}", w.series, source(table));
    vec![
        format!(
            "insert into patient (id, site, team, seq, wake_at, state, state_version, created_at)
             select {patient}, r.site, r.team, r.seq, {wake}, {state}, r.state_version, r.created_at {}",
            from_("patient")
        ),
        format!(
            "insert into event (patient, seq, enrollment, kind, schema, occurred_at, recorded_at, author, body,
             decided_under)
             select {patient}, r.seq, case when r.enrollment is not null then {enrollment} end, r.kind, r.schema,
             r.occurred_at, r.recorded_at, r.author, {}, r.decided_under {}",
            own("body"),
            from_("event")
        ),
        format!(
            "insert into message (id, patient, key, enrollment, site, purpose, channel, rung, state, plan, send_after,
             not_after, link_expires, attempt, next_attempt_at, fence, created_at, updated_at)
             select {}, {patient}, {}, {enrollment}, r.site, r.purpose, r.channel, r.rung, r.state, {}, r.send_after,
             r.not_after, r.link_expires, r.attempt, r.next_attempt_at, r.fence, r.created_at, r.updated_at {}",
            row_id(2),
            own("key"),
            own("plan"),
            from_("message")
        ),
        format!(
            "insert into task (id, patient, key, enrollment, workflow, site, team, kind, level, level_rank, role, title, because,
             plan, opened_at, respond_by, respond_sort, minutes, window_closes, rung, state, open)
             select {}, {patient}, {}, {enrollment}, r.workflow, r.site, r.team, r.kind, r.level, r.level_rank, r.role, r.title,
             r.because, {}, r.opened_at, r.respond_by, r.respond_sort, r.minutes, r.window_closes, r.rung, r.state,
             r.open {}",
            row_id(3),
            own("key"),
            own("plan"),
            from_("task")
        ),
        format!(
            "insert into audit (id, at, actor, action, patient, subject, detail)
             select {}, r.at_, r.actor, r.action, {patient}, r.subject, r.detail from {} cross join
             (select t.id, t.at as at_, t.actor, t.action, t.subject, t.detail,
              row_number() over (order by t.{}) as at from audit t
              where t.patient = (select patient from enrollment order by enrolled_at, id limit 1)) r",
            row_id(4),
            w.series,
            w.row
        ),
        // Last: the others find the original by it.
        format!(
            "insert into enrollment (id, patient, site, team, workflow, version, standing, anchor, enrolled_at)
             select {enrollment}, {patient}, r.site, r.team, r.workflow, r.version, r.standing, r.anchor,
             r.enrolled_at + 1 {}",
            from_("enrollment")
        ),
        format!(
            "update queue_count set n = n + {} * (select count(*) from task t where t.site = queue_count.site
             and t.role = queue_count.role and t.level = queue_count.level and t.closed_at is null
             and t.patient = (select patient from enrollment order by enrolled_at, id limit 1))",
            to - from
        ),
    ]
}

/// How far the original's own follow-up has gone before it is copied.
pub const FOLLOWED: SignedDuration = SignedDuration::from_hours(20);
