//! What can go wrong in the store, in sentences that name who must act.

use std::path::PathBuf;

/// An error of the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another node or process wrote the same patient first: read again and decide again.
    #[error("another writer was faster: read the patient again and decide again")]
    Conflict,
    /// An identifier belongs to a patient already.
    #[error("a patient with that number is there already: enrol that one")]
    KnownIdentifier,
    /// The address is neither SQLite nor PostgreSQL.
    #[error("\"{0}\" is not a database address: write sqlite://PATH or postgres://USER@HOST/NAME")]
    BadAddress(String),
    /// A newer release migrated the database.
    #[error(
        "the database was migrated by a newer release ({0}): start that release, this one would damage it"
    )]
    NewerSchema(String),
    /// Migrations are missing.
    #[error("the database lacks {0} of this release's migrations: run `tend migrate` first")]
    OlderSchema(usize),
    /// Another process serves this file.
    #[error("another process is using {0}: stop it first, a SQLite file has one serving process")]
    InUse(PathBuf),
    /// The lock file cannot be opened.
    #[error("cannot open the lock file {path}: {reason}")]
    LockFile {
        /// Which.
        path: PathBuf,
        /// The operating system's words.
        reason: std::io::Error,
    },
    /// Sealed bytes do not open: the key was erased, or the site key is another one.
    #[error(
        "sealed {0} does not open: the patient was erased, or the site key is not the one it was sealed with"
    )]
    Sealed(&'static str),
    /// The site key cannot be read.
    #[error("{0}")]
    SiteKey(String),
    /// A stored value is not what this release writes.
    #[error("stored {what} cannot be read ({reason}): it was written by another release or by hand")]
    Unreadable {
        /// What.
        what: &'static str,
        /// Why.
        reason: String,
    },
    /// The database said no.
    #[error("the database refused: {0}")]
    Database(#[from] sea_orm::DbErr),
}

impl StoreError {
    /// A value that does not parse.
    pub(crate) fn unreadable(what: &'static str, reason: impl std::fmt::Display) -> Self {
        Self::Unreadable { what, reason: reason.to_string() }
    }
}

/// SQLite: busy, locked, no memory, input or output, full, cannot open, protocol, changed schema.
const SQLITE_NOT_ABOUT_ROWS: [&str; 8] = ["5", "6", "7", "10", "13", "14", "15", "17"];
/// PostgreSQL: connection, transaction rolled back, resources, intervention by an operator, system, internal.
const POSTGRES_NOT_ABOUT_ROWS: [&str; 6] = ["08", "40", "53", "57", "58", "XX"];

impl StoreError {
    /// Whether what was read or written is at fault, not the database: then a group can be halved to find the member.
    pub(crate) fn is_about_rows(&self) -> bool {
        match self {
            Self::Unreadable { .. } | Self::Sealed(_) | Self::KnownIdentifier => true,
            Self::Database(error) => database_code(error).is_some_and(|code| {
                let sqlite = code.len() <= 4 && code.parse::<u32>().is_ok();
                if sqlite {
                    let primary = code.parse::<u32>().unwrap_or(0) & 0xff;
                    !SQLITE_NOT_ABOUT_ROWS.contains(&primary.to_string().as_str())
                } else {
                    !POSTGRES_NOT_ABOUT_ROWS.iter().any(|class| code.starts_with(class))
                }
            }),
            Self::Conflict
            | Self::BadAddress(_)
            | Self::NewerSchema(_)
            | Self::OlderSchema(_)
            | Self::InUse(_)
            | Self::LockFile { .. }
            | Self::SiteKey(_) => false,
        }
    }
}

fn database_code(error: &sea_orm::DbErr) -> Option<String> {
    use sea_orm::{DbErr, RuntimeErr};
    match error {
        DbErr::Exec(RuntimeErr::SqlxError(error)) | DbErr::Query(RuntimeErr::SqlxError(error)) => {
            error.as_database_error()?.code().map(|code| code.into_owned())
        }
        _ => None,
    }
}
