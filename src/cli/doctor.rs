//! `tend doctor`: proves that nobody is lost, and that every row is what the histories say.

use std::{path::PathBuf, process::ExitCode, sync::Arc};

use clap::Args;

use crate::{
    app::{App, doctor::Findings},
    cli::clock::{FreshIds, SystemClock},
    store::{Open, Store, StoreError, Vault},
};

/// `tend doctor`
#[derive(Debug, Args)]
pub struct DoctorArgs {
    /// `sqlite://path` or `postgres://user@host/name`.
    #[arg(long, env = "DATABASE_URL", default_value = "sqlite://tend.db", hide_env_values = true)]
    database_url: String,
    /// File with the site key; when given, it is checked that it opens what is sealed.
    #[arg(long, env = "TEND_SITE_KEY_FILE")]
    site_key_file: Option<PathBuf>,
    /// Also fold and decide every history again and compare with what is stored. Takes long on a large database.
    #[arg(long)]
    rebuild: bool,
}

/// Why it could not look.
#[derive(Debug, thiserror::Error)]
pub enum DoctorError {
    /// The store said why.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No threads.
    #[error("cannot start: {0}")]
    Runtime(#[from] std::io::Error),
}

/// Looks, and exits with 1 when something is wrong.
///
/// # Errors
/// [`DoctorError`].
pub fn run(args: &DoctorArgs) -> Result<ExitCode, DoctorError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(look(args))
}

async fn look(args: &DoctorArgs) -> Result<ExitCode, DoctorError> {
    let vault = match &args.site_key_file {
        Some(file) => Vault::from_file(file, false)?,
        // Nothing that is sealed is opened without it.
        None => Vault::new(&[0; 32]),
    };
    let store = Store::open(&args.database_url, vault, Open::Beside).await?;
    if args.site_key_file.is_some() {
        store.opens_a_key().await?;
    }
    let app = App::new(store, Arc::new(SystemClock), Arc::new(SystemClock), Arc::new(FreshIds));
    app.refresh().await?;
    let findings = app.doctor(args.rebuild).await?;
    print(&findings);
    Ok(if findings.healthy() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn print(findings: &Findings) {
    for missing in &findings.missing {
        println!("{missing}");
    }
    for lost in &findings.lost {
        println!("lost: {lost}");
    }
    for difference in &findings.differences {
        println!("differs: {difference}");
    }
    if findings.quarantined > 0 {
        println!("{} patients are set aside, each with a task for the lead nurse", findings.quarantined);
    }
    if findings.compared > 0 {
        println!("{} histories were folded again and compared", findings.compared);
    }
    if findings.healthy() {
        println!(
            "every running follow-up of {} patients has a next step or a task with an owner",
            findings.followed
        );
    }
}
