//! A batch as plain rows, for whoever wants to write the same rows in another way: the bench does, beside the real writer.

use sea_orm::Value;

use super::{
    Batch,
    sql::{Columns, Kind, Rows},
    tables,
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
}

impl Batch {
    /// New rows of the tables that a step writes, and last the patients' own: `id, seq, next_seq, wake_at, state,
    /// state_version`, where the row of `id` with `seq` is updated to the others.
    #[must_use]
    pub fn into_plain(self) -> Vec<PlainRows> {
        let inserts = [
            (&tables::EVENT, self.events),
            (&tables::MESSAGE, self.messages),
            (&tables::TASK, self.tasks),
            (&tables::AUDIT, self.audits),
            (&tables::PATIENT_MOVED.rows, self.patients),
        ];
        inserts.into_iter().map(|(columns, rows)| plain(columns, rows)).collect()
    }
}

fn plain(columns: &Columns, rows: Rows) -> PlainRows {
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
