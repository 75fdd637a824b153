//! The same rows written by hand: what the database itself can do.

use std::time::Duration;

use crate::store::{JobPool, PlainRows, Store};

use super::{BenchError, bare_postgres::BarePostgres, bare_sqlite::BareSqlite};

/// A group of steps that share one transaction.
#[derive(Debug)]
pub struct Group {
    /// Rows table by table; the last are the patients'.
    pub rows: Vec<PlainRows>,
}

/// A bare writer.
pub enum Bare {
    /// libsqlite3 itself: one thread, prepared statements.
    Sqlite(Box<BareSqlite>),
    /// One connection, one set-based statement per table and group.
    Postgres(Box<BarePostgres>),
}

impl Bare {
    /// Opens the same database beside the store.
    ///
    /// # Errors
    /// [`BenchError`].
    pub async fn open(store: &Store, url: &str) -> Result<Self, BenchError> {
        match (store.job_pool(), store.file()) {
            (JobPool::Sqlite(_), Some(file)) => Ok(Self::Sqlite(Box::new(BareSqlite::open(file)?))),
            _on_postgres => Ok(Self::Postgres(Box::new(BarePostgres::open(url).await?))),
        }
    }

    /// Writes groups, one transaction each, and says how long each took.
    ///
    /// # Errors
    /// [`BenchError`].
    pub async fn write(&mut self, groups: &[Group], now_micros: i64) -> Result<Vec<Duration>, BenchError> {
        match self {
            Self::Sqlite(bare) => tokio::task::block_in_place(|| bare.write(groups, now_micros)),
            Self::Postgres(bare) => bare.write(groups, now_micros).await,
        }
    }

    /// How many durable commits of one small row fit into a second.
    ///
    /// # Errors
    /// [`BenchError`].
    pub async fn flushes_per_second(&mut self) -> Result<f64, BenchError> {
        match self {
            Self::Sqlite(bare) => tokio::task::block_in_place(|| bare.flushes_per_second()),
            Self::Postgres(bare) => bare.flushes_per_second().await,
        }
    }
}

/// Commits that [`Bare::flushes_per_second`] counts over.
pub const FLUSHES: u32 = 200;
