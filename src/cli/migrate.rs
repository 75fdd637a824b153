//! `tend migrate`: brings the database up to this release.

use std::process::ExitCode;

use clap::Args;

use crate::store::{Store, StoreError};

/// `tend migrate`
#[derive(Debug, Args)]
pub struct MigrateArgs {
    /// `sqlite://path` or `postgres://user@host/name`.
    #[arg(long, env = "DATABASE_URL", default_value = "sqlite://tend.db", hide_env_values = true)]
    database_url: String,
}

/// Why it did not migrate.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// The store said why.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No threads.
    #[error("cannot start: {0}")]
    Runtime(#[from] std::io::Error),
}

/// Migrates.
///
/// # Errors
/// [`MigrateError`].
pub fn run(args: &MigrateArgs) -> Result<ExitCode, MigrateError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(Store::migrate(&args.database_url))?;
    println!("the database is up to date: {} migrations", tend_migrations::count());
    Ok(ExitCode::SUCCESS)
}
