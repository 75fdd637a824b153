//! The one place that knows the database. Everything in it is private but the values that it takes and gives: engine types
//! and plain structs. It knows nothing of pages, carriers and jobs.
//!
//! * [`Store`] opens and migrates; [`Tx`] is a unit of work that commits as a whole;
//! * [`read`] has the queries of pages, one file per page, on a pool of their own;
//! * every row that lists and queues need is a fold of the history, see `project`.

mod batch;
mod delivery;
mod desk;
mod due;
mod enrolling;
#[allow(dead_code, reason = "every table has its entity; not every one is read through it")]
mod entity;
mod error;
pub mod identity;
mod import;
mod inbound;
mod kept;
mod link;
mod live;
mod locks;
mod long_job;
mod lost;
mod open;
mod order;
mod outcome;
mod plain;
mod presence;
mod project;
mod quarantine;
pub mod read;
mod rebuild;
pub mod scoring;
mod sign_in;
mod sql;
mod staff;
mod tables;
mod topic;
mod tx;
pub mod vault;
mod words;

use std::{fs::File, path::PathBuf, sync::Arc};

use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement, prelude::Uuid};
use tokio::sync::{Mutex, watch};

pub use batch::{AuditLine, Batch, FreeText};
pub use delivery::{BEGIN_WITHIN_SECONDS, Ended, Flight, Held, LEASE_SECONDS, Lease, Sent, Waiting};
pub use enrolling::{Consent, NewPatient};
pub use error::StoreError;
pub use identity::{ContactPoint, Demographics, Identifier, Owner};
pub use import::{LineCounts, NewLine};
pub use inbound::{Inbound, Receipted};
pub use live::LiveMark;
pub use long_job::{HeldJob, LongJob, LongKind, LongState, NewLongJob};
pub use lost::Ongoing;
pub use open::{
    Open, SQLITE_CACHE_KIB, SQLITE_CHECKPOINT_PAGES, SQLITE_MAPPED_BYTES_MAX, SQLITE_WRITER_CACHE_KIB,
};
pub use outcome::{Became, NewLocal, NewOutcome, NewSwitch, NewWatch};
pub use plain::{Cell, PlainRows, plain_claims, plain_endings};
pub use rebuild::Compared;
pub use scoring::CHALLENGER;
pub use staff::NewStaff;
pub use topic::Topic;
pub use tx::{Busy, GROUP_MAX, Locked, Tx};
pub use vault::{Vault, token_hash};

use kept::Kept;
use locks::PatientLocks;
use topic::Topics;

/// The store of one process. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// SQLite: one connection, and `writer` is held while a transaction is open on it. PostgreSQL: the pool.
    write: DatabaseConnection,
    /// For pages and for looking up what is due.
    read: DatabaseConnection,
    writer: Arc<Mutex<()>>,
    patients: PatientLocks,
    /// None are kept but by the process that serves a SQLite file.
    kept: Option<Kept>,
    vault: Vault,
    /// This process, in leases. Fresh at each start.
    node: Uuid,
    /// PostgreSQL: the session that shows that this node lives.
    presence: Option<DatabaseConnection>,
    /// Counts commits that moved a patient.
    changed: watch::Sender<u64>,
    /// Counts those that may have moved what a topic's workers wait for, in the order of [`Topic::ALL`].
    topics: [watch::Sender<u64>; Topic::ALL.len()],
    file: Option<PathBuf>,
    /// Held for as long as the process serves a SQLite file.
    _lock: Option<File>,
}

impl Store {
    /// The keys.
    #[must_use]
    pub fn vault(&self) -> &Vault {
        &self.0.vault
    }

    /// The id of this process in leases.
    #[must_use]
    pub fn node(&self) -> u128 {
        self.0.node.as_u128()
    }

    /// Whether it is PostgreSQL, where several nodes may serve.
    #[must_use]
    pub fn is_postgres(&self) -> bool {
        self.0.write.get_database_backend() == DbBackend::Postgres
    }

    /// The SQLite file.
    #[must_use]
    pub fn file(&self) -> Option<&std::path::Path> {
        self.0.file.as_deref()
    }

    /// How many commits have moved a patient, on this node or another, as far as it has heard.
    #[must_use]
    pub fn changes(&self) -> u64 {
        *self.0.changed.borrow()
    }

    /// Changes after each commit that may have moved what workers on this topic wait for, on this node or another.
    #[must_use]
    pub fn changes_of(&self, topic: Topic) -> watch::Receiver<u64> {
        let at = Topic::ALL.iter().position(|known| *known == topic).unwrap_or(0);
        self.0.topics.get(at).unwrap_or(&self.0.changed).subscribe()
    }

    /// The pool that background jobs keep their tables in: the truth is never there.
    #[must_use]
    pub fn job_pool(&self) -> JobPool {
        if self.is_postgres() {
            JobPool::Postgres(self.0.read.get_postgres_connection_pool().clone())
        } else {
            JobPool::Sqlite(self.0.read.get_sqlite_connection_pool().clone())
        }
    }

    /// Ends this process's part: pools are closed, and other nodes see at once that it is gone.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn close(self) -> Result<(), StoreError> {
        if let Some(presence) = &self.0.presence {
            presence.close_by_ref().await?;
        }
        self.0.write.close_by_ref().await?;
        self.0.read.close_by_ref().await?;
        Ok(())
    }

    /// How durable the writer of a SQLite file is: 2 is `FULL`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn writer_synchronous(&self) -> Result<i64, StoreError> {
        let backend = self.0.write.get_database_backend();
        let row = self.0.write.query_one_raw(Statement::from_string(backend, "pragma synchronous")).await?;
        Ok(row.map(|row| row.try_get_by_index(0)).transpose()?.unwrap_or(0))
    }

    fn changed(&self, topics: Topics) {
        let count = |count: &mut u64| *count = count.wrapping_add(1);
        self.0.changed.send_modify(count);
        for (topic, sender) in Topic::ALL.into_iter().zip(&self.0.topics) {
            if topics.has(topic) {
                sender.send_modify(count);
            }
        }
    }

    /// Where the queries of pages go.
    fn reader(&self) -> &DatabaseConnection {
        &self.0.read
    }
}

/// A pool for the job tables.
#[derive(Debug, Clone)]
pub enum JobPool {
    /// SQLite.
    Sqlite(sqlx::SqlitePool),
    /// PostgreSQL.
    Postgres(sqlx::PgPool),
}
