//! Opening: durability of every connection, migrations as a whole, and schemas that do not fit.

use sqlx::Row;
use tend::store::{JobPool, Open, Store, StoreError};

use super::world::{World, on_both, vault};
use crate::support::postgres;

on_both!(a_newer_schema_is_refused, migrating_twice_changes_nothing);

async fn a_newer_schema_is_refused(world: World) {
    world.sql("insert into seaql_migrations (version, applied_at) values ('m9999_future', 0)").await;
    let refused = Store::open(&world.url, vault(), Open::Beside).await.expect_err("a newer schema");
    assert!(matches!(&refused, StoreError::NewerSchema(which) if which == "m9999_future"), "{refused}");
    let refused = Store::migrate(&world.url).await.expect_err("a newer schema");
    assert!(refused.to_string().contains("newer release (m9999_future)"), "{refused}");
}

async fn migrating_twice_changes_nothing(world: World) {
    let before = world.number("select count(*) from seaql_migrations").await;
    Store::migrate(&world.url).await.expect("nothing to do");
    assert_eq!(world.number("select count(*) from seaql_migrations").await, before);
}

#[tokio::test]
async fn an_empty_database_asks_to_be_migrated() {
    let folder = tempfile::tempdir().expect("a folder");
    let url = format!("sqlite://{}/tend.db", folder.path().display());
    let refused = Store::open(&url, vault(), Open::Serve).await.expect_err("not migrated");
    assert!(refused.to_string().contains("tend migrate"), "{refused}");
}

#[tokio::test]
async fn every_connection_of_a_file_is_durable() {
    let world = World::on_sqlite().await;
    let JobPool::Sqlite(pool) = world.app.store.job_pool() else { panic!("a file") };
    let mut held = Vec::new();
    for _ in 0..pool.options().get_max_connections() {
        let mut connection = pool.acquire().await.expect("a connection");
        for (pragma, wanted) in
            [("synchronous", "2"), ("journal_mode", "wal"), ("foreign_keys", "1"), ("busy_timeout", "10000")]
        {
            let row = sqlx::query(sqlx::AssertSqlSafe(format!("pragma {pragma}")))
                .fetch_one(&mut *connection)
                .await
                .expect("a pragma");
            let value =
                row.try_get::<i64, _>(0).map(|n| n.to_string()).or_else(|_| row.try_get::<String, _>(0));
            assert_eq!(value.expect("a value"), wanted, "{pragma}");
        }
        held.push(connection);
    }
    assert!(held.len() >= 2);
    let written: i64 = world.app.store.writer_synchronous().await.expect("a pragma");
    assert_eq!(written, 2);
}

#[tokio::test]
async fn a_file_has_one_serving_process() {
    let world = World::on_sqlite().await;
    let refused = Store::open(&world.url, vault(), Open::Serve).await.expect_err("one server");
    assert!(matches!(refused, StoreError::InUse(_)), "{refused}");
    Store::open(&world.url, vault(), Open::Beside).await.expect("a command may look");
}

/// A migration that fails leaves nothing of itself, and those before it stay.
#[tokio::test]
async fn a_migration_is_whole_or_not_there_on_sqlite() {
    let folder = tempfile::tempdir().expect("a folder");
    let url = format!("sqlite://{}/tend.db?mode=rwc", folder.path().display());
    let pool = sqlx::SqlitePool::connect(&url).await.expect("a file");
    // In the way of the second half of a migration.
    sqlx::query("create table receipt (other integer)").execute(&pool).await.expect("a table");
    Store::migrate(&url).await.expect_err("a table is in the way");
    let there: Vec<String> = sqlx::query_scalar("select name from sqlite_master where type = 'table' and name in ('event', 'message', 'attempt') order by name")
        .fetch_all(&pool).await.expect("names");
    assert_eq!(there, ["event"]);
    sqlx::query("drop table receipt").execute(&pool).await.expect("out of the way");
    pool.close().await;
    Store::migrate(&url).await.expect("the rest");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_migration_is_whole_or_not_there_on_postgres() {
    let url = tokio::task::spawn_blocking(postgres::fresh_database).await.expect("a database");
    let pool = sqlx::PgPool::connect(&url).await.expect("a database");
    sqlx::query("create table receipt (other integer)").execute(&pool).await.expect("a table");
    Store::migrate(&url).await.expect_err("a table is in the way");
    let there: Vec<String> = sqlx::query_scalar(
        "select tablename::text from pg_tables where tablename in ('event', 'message', 'attempt') order by 1",
    )
    .fetch_all(&pool)
    .await
    .expect("names");
    assert_eq!(there, ["event"]);
    sqlx::query("drop table receipt").execute(&pool).await.expect("out of the way");
    Store::migrate(&url).await.expect("the rest");
}
