//! Plain SQL for both databases: a few words stand for the types that differ.

use sea_orm_migration::{
    prelude::{DbErr, SchemaManager},
    sea_orm::{ConnectionTrait, DbBackend},
};

/// Word, SQLite (strict tables), PostgreSQL. Instants are whole microseconds UTC on both.
const WORDS: [(&str, &str, &str); 9] = [
    (":id", "BLOB", "UUID"),
    (":instant", "INTEGER", "BIGINT"),
    (":int", "INTEGER", "INTEGER"),
    (":big", "INTEGER", "BIGINT"),
    (":bytes", "BLOB", "BYTEA"),
    (":bool", "INTEGER", "BOOLEAN"),
    (":date", "TEXT", "DATE"),
    (":yes", "1", "TRUE"),
    (":strict", "STRICT", ""),
];

fn translate(sql: &str, postgres: bool) -> String {
    WORDS.iter().fold(sql.to_owned(), |text, (word, sqlite, pg)| {
        text.replace(word, if postgres { pg } else { sqlite })
    })
}

/// Runs the statements one after the other.
pub async fn run(manager: &SchemaManager<'_>, statements: &[&str]) -> Result<(), DbErr> {
    let postgres = manager.get_database_backend() == DbBackend::Postgres;
    for statement in statements {
        manager.get_connection().execute_unprepared(&translate(statement, postgres)).await?;
    }
    Ok(())
}

/// A migration that runs statements, in a transaction on both databases.
macro_rules! migration {
    ($name:literal, $statements:expr) => {
        /// See the module.
        #[derive(Debug)]
        pub struct Migration;

        impl sea_orm_migration::prelude::MigrationName for Migration {
            fn name(&self) -> &str {
                $name
            }
        }

        #[async_trait::async_trait]
        impl sea_orm_migration::prelude::MigrationTrait for Migration {
            async fn up(
                &self,
                manager: &sea_orm_migration::prelude::SchemaManager,
            ) -> Result<(), sea_orm_migration::prelude::DbErr> {
                crate::ddl::run(manager, $statements).await
            }

            fn use_transaction(&self) -> Option<bool> {
                Some(true)
            }
        }
    };
}
pub(crate) use migration;

#[cfg(test)]
mod tests {
    use super::translate;

    #[test]
    fn words_become_types() {
        let sql = "create table t (a :id not null, b :instant, c :int) :strict";
        assert_eq!(translate(sql, false), "create table t (a BLOB not null, b INTEGER, c INTEGER) STRICT");
        assert_eq!(translate(sql, true), "create table t (a UUID not null, b BIGINT, c INTEGER) ");
    }
}
