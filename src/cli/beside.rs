//! Commands that work beside a running server: the database, opened for one command.

use std::{future::Future, sync::Arc};

use super::clock::{FreshIds, MovedClock, SystemClock};
use crate::{
    app::App,
    store::{Open, Store, StoreError, Vault},
};

/// Which database.
#[derive(Debug, Clone, clap::Args)]
pub struct Database {
    /// `sqlite://path` or `postgres://user@host/name`
    #[arg(long, env = "DATABASE_URL", default_value = "sqlite://tend.db", hide_env_values = true)]
    pub database_url: String,
}

impl Database {
    /// Opens it for a command that opens nothing that is sealed.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn app(&self) -> Result<App, StoreError> {
        let store = Store::open(&self.database_url, Vault::new(&[0; 32]), Open::Beside).await?;
        let clock = Arc::new(MovedClock::of(&store).await?);
        let app = App::new(store, clock, Arc::new(SystemClock), Arc::new(FreshIds));
        app.refresh().await?;
        Ok(app)
    }
}

/// Runs a command to its end.
///
/// # Errors
/// The command's own, or that there are no threads.
pub fn run<T, E: From<std::io::Error>>(work: impl Future<Output = Result<T, E>>) -> Result<T, E> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(work)
}
