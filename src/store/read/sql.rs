//! A statement built piece by piece; every value is bound, never written into the text.

use sea_orm::{
    ConnectionTrait, DatabaseConnection, DbBackend, FromQueryResult, QueryResult, Statement, Value,
};

use crate::store::StoreError;

/// A statement and its values, in one dialect that both databases read (`$1`, `$2`, …).
pub(in crate::store) struct Sql {
    backend: DbBackend,
    text: String,
    values: Vec<Value>,
}

impl Sql {
    /// Starts a statement for that database.
    pub(in crate::store) fn new(db: &DatabaseConnection, text: &str) -> Self {
        Self { backend: db.get_database_backend(), text: text.to_owned(), values: Vec::new() }
    }

    /// Adds text as it stands.
    pub(in crate::store) fn text(mut self, text: &str) -> Self {
        self.text.push_str(text);
        self
    }

    /// Adds a bound value.
    pub(in crate::store) fn bind(mut self, value: impl Into<Value>) -> Self {
        self.values.push(value.into());
        self.text.push_str(&format!("${}", self.values.len()));
        self
    }

    /// Adds the literal of the database for true, so that partial indexes are recognised.
    pub(in crate::store) fn yes(self) -> Self {
        match self.backend {
            DbBackend::Postgres => self.text("true"),
            _ => self.text("1"),
        }
    }

    /// Adds `(a, b, …)` of bound values; an empty list matches nothing.
    pub(in crate::store) fn list<V: Into<Value>>(mut self, values: impl IntoIterator<Item = V>) -> Self {
        self.text.push('(');
        let mut first = true;
        for value in values {
            if !first {
                self.text.push_str(", ");
            }
            first = false;
            self = self.bind(value);
        }
        if first {
            self.text.push_str("null");
        }
        self.text(")")
    }

    fn statement(self) -> Statement {
        Statement::from_sql_and_values(self.backend, self.text, self.values)
    }

    /// All rows.
    pub(in crate::store) async fn all<T: FromQueryResult>(
        self,
        db: &DatabaseConnection,
    ) -> Result<Vec<T>, StoreError> {
        Ok(T::find_by_statement(self.statement()).all(db).await?)
    }

    /// The first row, if there is one.
    pub(in crate::store) async fn first<T: FromQueryResult>(
        self,
        db: &DatabaseConnection,
    ) -> Result<Option<T>, StoreError> {
        Ok(T::find_by_statement(self.statement()).one(db).await?)
    }

    /// The first row, raw.
    pub(in crate::store) async fn row(
        self,
        db: &DatabaseConnection,
    ) -> Result<Option<QueryResult>, StoreError> {
        Ok(db.query_one_raw(self.statement()).await?)
    }

    /// Runs it and counts the rows it touched.
    pub(in crate::store) async fn run(self, db: &impl ConnectionTrait) -> Result<u64, StoreError> {
        Ok(db.execute_raw(self.statement()).await?.rows_affected())
    }
}
