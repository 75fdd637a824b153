//! Set-based writes: one statement per table and group. PostgreSQL takes a column as an array (`unnest`), SQLite rows of
//! values in a few fixed sizes, so that both keep their statements prepared.

use sea_orm::{
    ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, Statement, Value, prelude::Uuid,
    sea_query::ArrayType,
};

/// The type of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Id,
    IdOpt,
    Big,
    BigOpt,
    Int,
    IntOpt,
    Text,
    TextOpt,
    Bytes,
    BytesOpt,
    Bool,
    /// A civil date, written as ISO text.
    DateOpt,
}

/// A table and the columns that are written, in order.
#[derive(Debug)]
pub struct Columns {
    pub table: &'static str,
    pub columns: &'static [(&'static str, Kind)],
}

/// An update of many rows: the first `keys` columns say which row, the others are given to `set` as `{name}`.
#[derive(Debug)]
pub struct Update {
    pub rows: Columns,
    pub keys: usize,
    /// Assignments; `{name}` stands for the value of that column.
    pub set: &'static str,
}

/// Rows of a group in one flat list, so that adding one costs no allocation of its own.
#[derive(Debug, Default)]
pub struct Rows(Vec<Value>);

impl Rows {
    /// Adds a row.
    pub fn push<const N: usize>(&mut self, row: [Value; N]) {
        self.0.extend(row);
    }

    pub fn into_cells(self) -> Vec<Value> {
        self.0
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Rows per statement on SQLite: a group goes into one statement of the next size, padded with rows of nulls that are
/// passed over, because each statement costs a way to the driver's thread and back.
const SIZES: [usize; 14] = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 80, ROWS_MAX];
/// Most rows of one statement on SQLite.
const ROWS_MAX: usize = 100;

/// Inserts the rows. The first column is never null.
pub async fn insert(tx: &DatabaseTransaction, into: &Columns, rows: Rows) -> Result<(), DbErr> {
    write(tx, into, rows, &|source| inserting(into, &source)).await.map(|_| ())
}

fn inserting(into: &Columns, source: &Source) -> String {
    let names: Vec<&str> = into.columns.iter().map(|(name, _)| *name).collect();
    let names = names.join(", ");
    match source {
        Source::Arrays => {
            let expressions = expressions(into, true).join(", ");
            format!("insert into {} ({names}) select {expressions} from {}", into.table, arrays(into))
        }
        Source::Values { rows, padded: false } => {
            format!("insert into {} ({names}) values {}", into.table, values(into, *rows))
        }
        Source::Values { rows, padded: true } => format!(
            "insert into {} ({names}) select * from (values {}) where column1 is not null",
            into.table,
            values(into, *rows)
        ),
    }
}

/// Updates the rows and tells how many were found.
pub async fn update(tx: &DatabaseTransaction, what: &Update, rows: Rows) -> Result<u64, DbErr> {
    write(tx, &what.rows, rows, &|source| updating(what, source)).await
}

fn updating(what: &Update, source: Source) -> String {
    let columns = &what.rows;
    let (from, postgres) = match source {
        Source::Arrays => (arrays(columns), true),
        Source::Values { rows, .. } => (format!("(values {}) as v", values(columns, rows)), false),
    };
    let expressions = expressions(columns, postgres);
    let named = || columns.columns.iter().zip(&expressions);
    let set = named().fold(what.set.to_owned(), |set, ((name, _), expression)| {
        set.replace(&format!("{{{name}}}"), expression)
    });
    let keys: Vec<String> =
        named().take(what.keys).map(|((name, _), expression)| format!("t.{name} = {expression}")).collect();
    format!("update {} as t set {set} from {from} where {}", columns.table, keys.join(" and "))
}

/// Writes of a transaction whose outcome nobody waits for. On SQLite those of a small group wait here and go to the driver's
/// thread together; what is asked of the database after them sends them ahead.
#[derive(Debug, Default)]
pub struct Later {
    sql: String,
    values: Vec<Value>,
}

/// Most rows that wait in [`Later`]; more of them are worth a way of their own.
const LATER_ROWS_MAX: usize = 32;

impl Later {
    /// Inserts the rows. The first column is never null.
    pub async fn insert(
        &mut self,
        tx: &DatabaseTransaction,
        into: &Columns,
        rows: Rows,
    ) -> Result<(), DbErr> {
        self.write(tx, into, rows, &|source| inserting(into, &source)).await
    }

    /// Inserts the rows; those whose `key` is there already get what `set` assigns out of `excluded`.
    pub async fn upsert(
        &mut self,
        tx: &DatabaseTransaction,
        into: &Columns,
        (key, set): (&str, &str),
        rows: Rows,
    ) -> Result<(), DbErr> {
        let sql = |source| format!("{} on conflict ({key}) do update set {set}", inserting(into, &source));
        self.write(tx, into, rows, &sql).await
    }

    /// Updates those of the rows that are there.
    pub async fn update(&mut self, tx: &DatabaseTransaction, what: &Update, rows: Rows) -> Result<(), DbErr> {
        self.write(tx, &what.rows, rows, &|source| updating(what, source)).await
    }

    async fn write(
        &mut self,
        tx: &DatabaseTransaction,
        columns: &Columns,
        rows: Rows,
        sql: &(dyn Fn(Source) -> String + Sync),
    ) -> Result<(), DbErr> {
        let (width, cells) = (columns.columns.len(), rows.0.len());
        let count = cells / width;
        if count == 0 {
            return Ok(());
        }
        if tx.get_database_backend() == DbBackend::Postgres || count > LATER_ROWS_MAX {
            self.send(tx).await?;
            return write(tx, columns, rows, sql).await.map(|_| ());
        }
        // Few sizes, so that the same scripts come again and are kept prepared.
        let size = count.next_power_of_two();
        self.sql += &sql(Source::Values { rows: size, padded: true });
        self.sql += ";";
        self.values.extend(rows.0);
        self.values.extend(std::iter::repeat_n(Value::String(None), size * width - cells));
        Ok(())
    }

    /// Sends what waits.
    pub async fn send(&mut self, tx: &DatabaseTransaction) -> Result<(), DbErr> {
        if self.sql.is_empty() {
            return Ok(());
        }
        let Self { sql, values } = std::mem::take(self);
        tx.execute_raw(Statement::from_sql_and_values(tx.get_database_backend(), sql, values)).await?;
        Ok(())
    }
}

/// Where a statement finds its rows.
enum Source {
    /// PostgreSQL: one array per column.
    Arrays,
    /// SQLite: so many rows of values, the last of them perhaps nulls.
    Values { rows: usize, padded: bool },
}

async fn write(
    tx: &DatabaseTransaction,
    columns: &Columns,
    rows: Rows,
    sql: &(dyn Fn(Source) -> String + Sync),
) -> Result<u64, DbErr> {
    let width = columns.columns.len();
    let backend = tx.get_database_backend();
    if rows.is_empty() {
        return Ok(0);
    }
    if backend == DbBackend::Postgres {
        let statement =
            Statement::from_sql_and_values(backend, sql(Source::Arrays), transpose(columns, rows.0));
        return Ok(tx.execute_raw(statement).await?.rows_affected());
    }
    let mut left = rows.0.len() / width;
    let mut cells = rows.0.into_iter();
    let mut affected = 0;
    while left > 0 {
        let full = left.min(ROWS_MAX);
        let size = SIZES.into_iter().find(|size| *size >= full).unwrap_or(full);
        let mut values: Vec<Value> = cells.by_ref().take(full * width).collect();
        values.resize(size * width, Value::String(None));
        let source = Source::Values { rows: size, padded: size > full };
        let statement = Statement::from_sql_and_values(backend, sql(source), values);
        affected += tx.execute_raw(statement).await?.rows_affected();
        left -= full;
    }
    Ok(affected)
}

/// The ids for a list in a query, the last one repeated up to the next size, so that few statements are kept prepared.
pub fn listed(ids: impl IntoIterator<Item = u128>) -> Vec<Uuid> {
    let mut ids: Vec<Uuid> = ids.into_iter().map(super::words::uuid).collect();
    if let Some(last) = ids.last().copied() {
        let size = SIZES.into_iter().find(|size| *size >= ids.len()).unwrap_or(ids.len());
        ids.resize(size, last);
    }
    ids
}

/// `(?, ?), (?, ?)` for SQLite.
fn values(columns: &Columns, rows: usize) -> String {
    let marks = vec!["?"; columns.columns.len()].join(",");
    let row = format!("({marks})");
    vec![row.as_str(); rows].join(",")
}

/// `unnest($1::uuid[], …) as v(a, …)` for PostgreSQL.
fn arrays(columns: &Columns) -> String {
    let casts: Vec<String> = columns
        .columns
        .iter()
        .enumerate()
        .map(|(at, (_, kind))| format!("${}::{}[]", at + 1, postgres_type(*kind)))
        .collect();
    let names: Vec<&str> = columns.columns.iter().map(|(name, _)| *name).collect();
    format!("unnest({}) as v({})", casts.join(", "), names.join(", "))
}

/// How a statement reads the columns of its source. An array has no nulls: a value that cannot occur stands for them.
fn expressions(columns: &Columns, postgres: bool) -> Vec<String> {
    columns
        .columns
        .iter()
        .enumerate()
        .map(|(at, (name, kind))| match (postgres, kind) {
            (false, _) => format!("v.column{}", at + 1),
            (true, Kind::Id | Kind::Big | Kind::Int | Kind::Text | Kind::Bytes | Kind::Bool) => {
                format!("v.{name}")
            }
            (true, Kind::IdOpt) => format!("nullif(v.{name}, '{}'::uuid)", Uuid::nil()),
            (true, Kind::BigOpt) => format!("nullif(v.{name}, {}::bigint)", NO_BIG_SQL),
            (true, Kind::IntOpt) => format!("nullif(v.{name}, {}::integer)", NO_INT_SQL),
            (true, Kind::TextOpt) => format!("nullif(v.{name}, E'{NO_TEXT}')"),
            (true, Kind::DateOpt) => format!("nullif(v.{name}, '')::date"),
            (true, Kind::BytesOpt) => format!("nullif(v.{name}, ''::bytea)"),
        })
        .collect()
}

const NO_BIG: i64 = i64::MIN + 1;
const NO_BIG_SQL: &str = "(-9223372036854775807)";
const NO_INT: i32 = i32::MIN + 1;
const NO_INT_SQL: &str = "(-2147483647)";
/// A text that nothing writes.
const NO_TEXT: &str = "\u{1}";

pub fn postgres_type(kind: Kind) -> &'static str {
    match kind {
        Kind::Id | Kind::IdOpt => "uuid",
        Kind::Big | Kind::BigOpt => "bigint",
        Kind::Int | Kind::IntOpt => "integer",
        Kind::Text | Kind::TextOpt | Kind::DateOpt => "text",
        Kind::Bytes | Kind::BytesOpt => "bytea",
        Kind::Bool => "boolean",
    }
}

fn array_type(kind: Kind) -> ArrayType {
    match kind {
        Kind::Id | Kind::IdOpt => ArrayType::Uuid,
        Kind::Big | Kind::BigOpt => ArrayType::BigInt,
        Kind::Int | Kind::IntOpt => ArrayType::Int,
        Kind::Text | Kind::TextOpt | Kind::DateOpt => ArrayType::String,
        Kind::Bytes | Kind::BytesOpt => ArrayType::Bytes,
        Kind::Bool => ArrayType::Bool,
    }
}

/// A null as the value that stands for it inside an array.
fn filled(value: Value, kind: Kind) -> Value {
    match (value, kind) {
        (Value::Uuid(None), _) => Uuid::nil().into(),
        (Value::BigInt(None), _) => NO_BIG.into(),
        (Value::Int(None), _) => NO_INT.into(),
        (Value::String(None), Kind::DateOpt) => String::new().into(),
        (Value::String(None), _) => NO_TEXT.into(),
        (Value::Bytes(None), _) => Vec::<u8>::new().into(),
        (value, _) => value,
    }
}

fn transpose(columns: &Columns, cells: Vec<Value>) -> Vec<Value> {
    let width = columns.columns.len();
    let mut lists: Vec<Vec<Value>> =
        columns.columns.iter().map(|_| Vec::with_capacity(cells.len() / width.max(1))).collect();
    for (at, cell) in cells.into_iter().enumerate() {
        if let (Some(list), Some((_, kind))) = (lists.get_mut(at % width), columns.columns.get(at % width)) {
            list.push(filled(cell, *kind));
        }
    }
    lists
        .into_iter()
        .zip(columns.columns)
        .map(|(list, (_, kind))| Value::Array(array_type(*kind), Some(Box::new(list))))
        .collect()
}

/// The database's own clock in microseconds: leases, sessions and limits go by it.
pub fn database_now(backend: DbBackend) -> &'static str {
    match backend {
        DbBackend::Postgres => "(extract(epoch from clock_timestamp()) * 1000000)::bigint",
        _ => "cast((julianday('now') - 2440587.5) * 86400000000 as integer)",
    }
}
