//! A batch as plain rows, for whoever wants to write the same rows in another way: the bench does, beside the real writer.

use jiff::Timestamp;
use sea_orm::{Value, prelude::Uuid};

use super::{
    Batch, Ended, Lease,
    delivery::{self, ATTEMPT, ATTEMPT_ENDED, BEGUN, LEASED, LINK, PROVIDER},
    sql::{Columns, Kind, Rows, Update},
    tables,
    words::micros,
};

/// A value of a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// Nothing.
    Null,
    /// A number, a truth value or an instant.
    Whole(i64),
    /// Text.
    Text(String),
    /// Bytes, also of an id.
    Bytes(Vec<u8>),
}

/// Rows of one table.
#[derive(Debug, Clone)]
pub struct PlainRows {
    /// Which.
    pub table: &'static str,
    /// Columns with their types on PostgreSQL, in order.
    pub columns: Vec<(&'static str, &'static str)>,
    /// Rows.
    pub rows: Vec<Vec<Cell>>,
    /// The rows are there already and are updated.
    pub update: Option<PlainUpdate>,
}

/// How rows are updated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlainUpdate {
    /// So many columns, the first ones, say which row of the table `t`.
    pub keys: usize,
    /// Assignments; `{name}` stands for the value of that column.
    pub set: &'static str,
}

impl Batch {
    /// The rows that a decision writes, and last the patients' own: `id, seq, next_seq, wake_at, state, state_version`, where
    /// the row of `id` with `seq` is updated to the others.
    #[must_use]
    pub fn into_plain(self) -> Vec<PlainRows> {
        vec![
            inserted(&tables::EVENT, self.events),
            updated(&tables::ENROLLMENT_CHANGED, self.enrollments_changed),
            inserted(&tables::MESSAGE, self.messages),
            updated(&tables::MESSAGE_CHANGED, self.messages_changed),
            inserted(&tables::TASK, self.tasks),
            inserted(&tables::AUDIT, self.audits),
            updated(&tables::PATIENT_MOVED, self.patients),
        ]
    }
}

/// The rows that a claim writes beside its decision, and the marks that its messages are begun.
#[must_use]
pub fn plain_claims(leases: &[Lease<'_>], now: Timestamp) -> Vec<PlainRows> {
    let rows = delivery::lease_rows(leases, Uuid::nil(), micros(now), now);
    let mut begun = Rows::default();
    for held in &rows.held {
        begun.push([super::words::uuid(held.id.0).into(), held.fence.into(), micros(now).into()]);
    }
    vec![
        updated(&LEASED, rows.leased),
        inserted(&ATTEMPT, rows.attempts),
        inserted(&LINK, rows.links),
        updated(&BEGUN, begun),
    ]
}

/// The rows that endings write beside what is decided about them.
#[must_use]
pub fn plain_endings(ended: &[Ended], now: Timestamp) -> Vec<PlainRows> {
    let (attempts, references) = delivery::ended_rows(ended, now);
    vec![updated(&ATTEMPT_ENDED, attempts), updated(&PROVIDER, references)]
}

fn updated(what: &Update, rows: Rows) -> PlainRows {
    let update = PlainUpdate { keys: what.keys, set: what.set };
    PlainRows { update: Some(update), ..inserted(&what.rows, rows) }
}

fn inserted(columns: &Columns, rows: Rows) -> PlainRows {
    let width = columns.columns.len();
    let mut cells = rows.into_cells().into_iter().map(cell);
    let mut plain = Vec::new();
    loop {
        let row: Vec<Cell> = cells.by_ref().take(width).collect();
        if row.is_empty() {
            break;
        }
        plain.push(row);
    }
    PlainRows {
        table: columns.table,
        columns: columns.columns.iter().map(|(name, kind)| (*name, type_of(*kind))).collect(),
        rows: plain,
        update: None,
    }
}

fn type_of(kind: Kind) -> &'static str {
    super::sql::postgres_type(kind)
}

fn cell(value: Value) -> Cell {
    match value {
        Value::Uuid(Some(id)) => Cell::Bytes(id.as_bytes().to_vec()),
        Value::BigInt(Some(n)) => Cell::Whole(n),
        Value::Int(Some(n)) => Cell::Whole(n.into()),
        Value::Bool(Some(yes)) => Cell::Whole(yes.into()),
        Value::String(Some(text)) => Cell::Text(text),
        Value::Bytes(Some(bytes)) => Cell::Bytes(bytes),
        _null_or_never_written => Cell::Null,
    }
}
