//! One connection to PostgreSQL, one set-based statement per table and group.

use std::time::{Duration, Instant};

use sqlx::{
    AssertSqlSafe, Connection, PgConnection, Postgres, postgres::PgArguments, query::Query, types::Uuid,
};

use super::{
    BenchError,
    bare::{FLUSHES, Group},
};
use crate::store::{Cell, PlainRows};

/// A connection of its own.
pub struct BarePostgres {
    connection: PgConnection,
}

type Bound = Query<'static, Postgres, PgArguments>;

impl BarePostgres {
    /// Connects.
    pub async fn open(url: &str) -> Result<Self, BenchError> {
        Ok(Self { connection: PgConnection::connect(url).await.map_err(BenchError::of)? })
    }

    /// Writes groups, one transaction each.
    pub async fn write(&mut self, groups: &[Group], now_micros: i64) -> Result<Vec<Duration>, BenchError> {
        let mut took = Vec::with_capacity(groups.len());
        for group in groups {
            // The arrays are put together beforehand: the limit is the database, not this loop.
            let statements = statements(group)?;
            let begin = Instant::now();
            self.group(statements, now_micros).await.map_err(BenchError::of)?;
            took.push(begin.elapsed());
        }
        Ok(took)
    }

    async fn group(&mut self, statements: Vec<Bound>, now_micros: i64) -> Result<(), sqlx::Error> {
        let mut tx = self.connection.begin().await?;
        sqlx::query(
            "select id, seq, state from patient where id in (select id from patient
             where wake_at <= $1 and wake_at is not null and quarantined is null order by wake_at, id limit 100)
             order by id for update skip locked",
        )
        .bind(now_micros)
        .fetch_all(&mut *tx)
        .await?;
        for statement in statements {
            statement.execute(&mut *tx).await?;
        }
        tx.commit().await
    }

    /// Durable commits of one small row.
    pub async fn flushes_per_second(&mut self) -> Result<f64, BenchError> {
        let begin = Instant::now();
        for n in 0..FLUSHES {
            sqlx::query(
                "insert into setting (key, value) values ('bench', $1)
                 on conflict (key) do update set value = excluded.value",
            )
            .bind(n.to_string())
            .execute(&mut self.connection)
            .await
            .map_err(BenchError::of)?;
        }
        Ok(f64::from(FLUSHES) / begin.elapsed().as_secs_f64())
    }
}

fn statements(group: &Group) -> Result<Vec<Bound>, BenchError> {
    group
        .rows
        .iter()
        .filter(|table| !table.rows.is_empty())
        .map(|table| bound(all_rows(table), table))
        .collect()
}

/// The statement that writes all rows of a table.
fn all_rows(table: &PlainRows) -> String {
    let names: Vec<&str> = table.columns.iter().map(|(name, _)| *name).collect();
    let (columns, arrays) = (names.join(", "), arrays(table));
    let Some(update) = table.update else {
        return format!("insert into {} ({columns}) select * from {arrays}", table.table);
    };
    let set = names
        .iter()
        .fold(update.set.to_owned(), |set, name| set.replace(&format!("{{{name}}}"), &format!("v.{name}")));
    let keys: Vec<String> =
        names.iter().take(update.keys).map(|name| format!("t.{name} = v.{name}")).collect();
    format!(
        "update {} as t set {set} from {arrays} as v({columns}) where {}",
        table.table,
        keys.join(" and ")
    )
}

fn arrays(table: &PlainRows) -> String {
    let casts: Vec<String> =
        table.columns.iter().enumerate().map(|(at, (_, kind))| format!("${}::{kind}[]", at + 1)).collect();
    format!("unnest({})", casts.join(", "))
}

fn bound(sql: String, table: &PlainRows) -> Result<Bound, BenchError> {
    let mut query = sqlx::query(AssertSqlSafe(sql));
    for (at, (_, kind)) in table.columns.iter().enumerate() {
        let column = || table.rows.iter().map(move |row| row.get(at).unwrap_or(&Cell::Null));
        query = match *kind {
            "uuid" => query.bind(column().map(id).collect::<Vec<Option<Uuid>>>()),
            "bigint" => query.bind(column().map(whole).collect::<Vec<Option<i64>>>()),
            "integer" => {
                let small = |cell| whole(cell).and_then(|n| i32::try_from(n).ok());
                query.bind(column().map(small).collect::<Vec<Option<i32>>>())
            }
            "boolean" => {
                query.bind(column().map(|cell| whole(cell).map(|n| n != 0)).collect::<Vec<Option<bool>>>())
            }
            "text" => query.bind(column().map(text).collect::<Vec<Option<String>>>()),
            "bytea" => query.bind(column().map(bytes).collect::<Vec<Option<Vec<u8>>>>()),
            other => return Err(BenchError(format!("the bare loop does not know the type {other}"))),
        };
    }
    Ok(query)
}

fn id(cell: &Cell) -> Option<Uuid> {
    bytes(cell).and_then(|bytes| Uuid::from_slice(&bytes).ok())
}

fn whole(cell: &Cell) -> Option<i64> {
    match cell {
        Cell::Whole(n) => Some(*n),
        Cell::Null | Cell::Text(_) | Cell::Bytes(_) => None,
    }
}

fn text(cell: &Cell) -> Option<String> {
    match cell {
        Cell::Text(text) => Some(text.clone()),
        Cell::Null | Cell::Whole(_) | Cell::Bytes(_) => None,
    }
}

fn bytes(cell: &Cell) -> Option<Vec<u8>> {
    match cell {
        Cell::Bytes(bytes) => Some(bytes.clone()),
        Cell::Null | Cell::Whole(_) | Cell::Text(_) => None,
    }
}
