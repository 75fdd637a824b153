//! Opens a database with the settings that durability needs, migrates it, and refuses one that a newer release migrated.

use std::{fs::File, path::PathBuf, sync::Arc, time::Duration};

use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, Statement,
    prelude::Uuid,
    sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};
use tend_migrations::{Migrator, MigratorTrait};
use tokio::sync::{Mutex, watch};

use super::{Inner, Store, StoreError, Vault, kept::Kept, locks::PatientLocks, presence};

/// How long a SQLite statement waits for another process's lock.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// Readers of a SQLite file.
const SQLITE_READERS: u32 = 4;
/// Connections of a node to PostgreSQL.
const POSTGRES_CONNECTIONS: u32 = 16;
/// Statements that a connection keeps prepared.
const PREPARED_MAX: usize = 400;
/// Page cache of the SQLite writer, in KiB. Small: after a page was split the library walks all of it at the commit, and what is
/// not in it is read in place.
pub const SQLITE_WRITER_CACHE_KIB: u32 = 8 * 1024;
/// Page cache of each SQLite reader, in KiB.
const READER_CACHE_KIB: u32 = 4 * 1024;
/// Page cache of all connections to a SQLite file together, in KiB.
pub const SQLITE_CACHE_KIB: u32 = SQLITE_WRITER_CACHE_KIB + SQLITE_READERS * READER_CACHE_KIB;
/// Most bytes of a SQLite file that are read in place: the library's own limit.
pub const SQLITE_MAPPED_BYTES_MAX: u32 = 0x7fff_0000;
/// Pages of write-ahead log after which the writer copies them into the file, 160 MB: in a large file the pages of many commits lie
/// scattered, and copying them often costs more than the commits.
pub const SQLITE_CHECKPOINT_PAGES: u32 = 40_000;

/// What a process opens the store for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Open {
    /// To serve: on SQLite the only process that does.
    Serve,
    /// For one command beside a serving process.
    Beside,
}

impl Store {
    /// Brings the schema up to this release. On a pool of one connection, so that each migration is one transaction.
    ///
    /// # Errors
    /// [`StoreError`]; nothing of a failed migration stays.
    pub async fn migrate(url: &str) -> Result<(), StoreError> {
        let connection = connect(url, 1, SQLITE_WRITER_CACHE_KIB).await?;
        refuse_newer(&connection).await?;
        let migrated = Migrator::up(&connection, None).await;
        connection.close().await?;
        Ok(migrated?)
    }

    /// Opens a migrated database.
    ///
    /// # Errors
    /// [`StoreError`], among them a schema that is too old or too new, and a file that another process serves.
    pub async fn open(url: &str, vault: Vault, how: Open) -> Result<Self, StoreError> {
        let file = sqlite_file(url)?;
        let lock = match (&file, how) {
            (Some(file), Open::Serve) => Some(lock_file(file)?),
            _ => None,
        };
        let (write, read) = match file {
            Some(_) => (
                connect(url, 1, SQLITE_WRITER_CACHE_KIB).await?,
                connect(url, SQLITE_READERS, READER_CACHE_KIB).await?,
            ),
            None => {
                let pool = connect(url, POSTGRES_CONNECTIONS, 0).await?;
                (pool.clone(), pool)
            }
        };
        refuse_newer(&write).await?;
        let missing = tend_migrations::count().saturating_sub(applied(&write).await?.len());
        if missing > 0 {
            return Err(StoreError::OlderSchema(missing));
        }
        #[expect(
            clippy::disallowed_methods,
            reason = "names this process in leases; nothing is decided by it"
        )]
        let node = Uuid::now_v7();
        let presence = match &file {
            Some(_) => None,
            None => {
                let connection = connect(url, 1, 0).await?;
                presence::hold(&connection, node).await?;
                Some(connection)
            }
        };
        let store = Self(Arc::new(Inner {
            presence,
            write,
            read,
            writer: Arc::new(Mutex::new(())),
            patients: PatientLocks::default(),
            kept: lock.is_some().then(Kept::default),
            vault,
            node,
            changed: watch::Sender::new(0),
            topics: std::array::from_fn(|_| watch::Sender::new(0)),
            file,
            _lock: lock,
        }));
        if store.is_postgres() {
            let pool = store.0.read.get_postgres_connection_pool().clone();
            tokio::spawn(presence::listen(pool, Arc::downgrade(&store.0)));
        }
        Ok(store)
    }
}

async fn connect(url: &str, connections: u32, cache_kib: u32) -> Result<DatabaseConnection, StoreError> {
    let mut options = ConnectOptions::new(url);
    options
        .max_connections(connections)
        .min_connections(1)
        // The session of a node's presence must not be closed for being idle or old.
        .idle_timeout(None::<Duration>)
        .max_lifetime(None::<Duration>)
        .acquire_timeout(Duration::from_secs(30))
        .test_before_acquire(false)
        .sqlx_logging(false)
        .map_sqlx_sqlite_opts(move |sqlite| sqlite_options(sqlite, cache_kib))
        .map_sqlx_postgres_opts(|postgres| postgres.statement_cache_capacity(PREPARED_MAX));
    Ok(Database::connect(options).await?)
}

fn sqlite_options(options: SqliteConnectOptions, cache_kib: u32) -> SqliteConnectOptions {
    options
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(BUSY_TIMEOUT)
        .foreign_keys(true)
        .statement_cache_capacity(PREPARED_MAX)
        .pragma("cache_size", format!("-{cache_kib}"))
        .pragma("wal_autocheckpoint", SQLITE_CHECKPOINT_PAGES.to_string())
        // Pages of the file are read where the system keeps them: a reader's own cache is void after each commit.
        .pragma("mmap_size", SQLITE_MAPPED_BYTES_MAX.to_string())
        .pragma("temp_store", "memory")
}

/// The file of a SQLite address; `None` for PostgreSQL.
fn sqlite_file(url: &str) -> Result<Option<PathBuf>, StoreError> {
    if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        return Ok(None);
    }
    let rest = url.strip_prefix("sqlite:").ok_or_else(|| StoreError::BadAddress(shown(url)))?;
    let path = rest.strip_prefix("//").unwrap_or(rest);
    let path = path.split('?').next().unwrap_or(path);
    if path.is_empty() || path == ":memory:" {
        return Err(StoreError::BadAddress(shown(url)));
    }
    Ok(Some(PathBuf::from(path)))
}

/// An address without its password.
fn shown(url: &str) -> String {
    match (url.find("://"), url.rfind('@')) {
        (Some(scheme), Some(at)) if at > scheme => {
            format!("{}://…{}", url.get(..scheme).unwrap_or_default(), url.get(at..).unwrap_or_default())
        }
        _ => url.to_owned(),
    }
}

fn lock_file(database: &std::path::Path) -> Result<File, StoreError> {
    let mut path = database.as_os_str().to_owned();
    path.push(".lock");
    let path = PathBuf::from(path);
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(|reason| StoreError::LockFile { path: path.clone(), reason })?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(StoreError::InUse(database.to_owned())),
        Err(std::fs::TryLockError::Error(reason)) => Err(StoreError::LockFile { path, reason }),
    }
}

/// Names of the migrations that were applied.
async fn applied(connection: &DatabaseConnection) -> Result<Vec<String>, StoreError> {
    let backend = connection.get_database_backend();
    let there = match backend {
        sea_orm::DbBackend::Postgres => "select to_regclass('seaql_migrations') is not null as there",
        sea_orm::DbBackend::Sqlite | sea_orm::DbBackend::MySql => {
            "select count(*) > 0 as there from sqlite_master where name = 'seaql_migrations'"
        }
        _ => return Ok(Vec::new()),
    };
    let row = connection.query_one_raw(Statement::from_string(backend, there)).await?;
    if !row.map(|row| row.try_get::<bool>("", "there")).transpose()?.unwrap_or(false) {
        return Ok(Vec::new());
    }
    let names = Statement::from_string(backend, "select version from seaql_migrations order by version");
    let rows = connection.query_all_raw(names).await?;
    Ok(rows.into_iter().map(|row| row.try_get("", "version")).collect::<Result<_, _>>()?)
}

async fn refuse_newer(connection: &DatabaseConnection) -> Result<(), StoreError> {
    let unknown = tend_migrations::unknown_to_this_binary(&applied(connection).await?);
    if unknown.is_empty() { Ok(()) } else { Err(StoreError::NewerSchema(unknown.join(", "))) }
}

#[cfg(test)]
mod tests {
    use super::{shown, sqlite_file};

    #[test]
    fn addresses_are_recognised() {
        assert_eq!(sqlite_file("sqlite://a/b.db?mode=rwc").unwrap().unwrap().to_str(), Some("a/b.db"));
        assert_eq!(sqlite_file("sqlite:/a.db").unwrap().unwrap().to_str(), Some("/a.db"));
        assert!(sqlite_file("postgres://me@host/tend").unwrap().is_none());
        assert!(sqlite_file("mysql://me:secret@host/tend").is_err());
        assert!(sqlite_file("sqlite::memory:").is_err());
    }

    #[test]
    fn a_shown_address_has_no_password() {
        assert_eq!(shown("mysql://me:secret@host/tend"), "mysql://…@host/tend");
    }
}
