//! `tend publish WORKFLOW`: puts the folder's version of a workflow in use at a site. With `--preview` it only looks: who would
//! change if the running follow-ups were moved to it, and what each gets and no longer gets.

mod preview;

use std::{path::PathBuf, process::ExitCode, sync::Arc};

use clap::{Args, ValueEnum};

use super::clock::{FreshIds, MovedClock, SystemClock};
use crate::{
    app::{
        App,
        version_move::{How, MoveAll},
    },
    config::Config,
    library,
    store::{Open, Store, Vault},
};

/// Put a workflow's new version in use: new patients are put on it, running follow-ups stay on theirs
#[derive(Debug, Args)]
pub struct Publish {
    /// Name of the workflow, as its folder is called
    workflow: String,
    /// Site, by id or name; needed only where there are several
    #[arg(long)]
    site: Option<String>,
    /// Only look: who changes, what each gets and no longer gets, who would get a message today. Nothing is written or sent
    #[arg(long, conflicts_with = "moving")]
    preview: bool,
    /// With --preview: one JSON document
    #[arg(long, requires = "preview")]
    json: bool,
    /// What becomes of running follow-ups; by default they stay. A running server moves them
    #[arg(long = "move", value_enum)]
    moving: Option<Moving>,
    /// Move at most so many patients an hour
    #[arg(long, requires = "moving", value_parser = clap::value_parser!(u32).range(1..))]
    per_hour: Option<u32>,
    #[command(flatten)]
    config: Config,
}

/// What becomes of running follow-ups.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Moving {
    /// They move now
    Now,
    /// Each moves when no window of it is open
    Quiet,
    /// Those that were moved go back
    Back,
}

impl Moving {
    fn how(self) -> How {
        match self {
            Self::Now => How::Now,
            Self::Quiet => How::WhenQuiet,
            Self::Back => How::Back,
        }
    }
}

/// Why nothing was published.
#[derive(Debug, thiserror::Error)]
pub enum PublishFailure {
    /// The files have problems.
    #[error("not published: {0} problem(s) in the workflow files, `tend check` lists them")]
    Problems(usize),
    /// No such workflow.
    #[error("there is no workflow \"{name}\" in {place}: choose one of {known}")]
    Unknown {
        /// The name.
        name: String,
        /// Where it was looked for.
        place: String,
        /// Those that are there.
        known: String,
    },
    /// Which site.
    #[error(transparent)]
    Site(#[from] crate::app::site::SiteError),
    /// No site key.
    #[error("the site key is needed: --site-key-file FILE")]
    NoKey,
    /// The new file leaves open what is meant.
    #[error(
        "published nothing: the new file leaves open what becomes of running follow-ups, `--preview` says what"
    )]
    Ambiguous,
    /// The application refused.
    #[error(transparent)]
    Refused(#[from] crate::app::publish::PublishError),
    /// The store.
    #[error(transparent)]
    Store(#[from] crate::store::StoreError),
    /// No runtime.
    #[error("cannot start: {0}")]
    Start(#[from] std::io::Error),
    /// Nobody reads what is printed.
    #[error("the preview cannot be printed: {0}")]
    Print(std::io::Error),
}

impl Publish {
    /// Publishes, and says what happened.
    ///
    /// # Errors
    /// [`PublishFailure`]; the version in use is then still the one before.
    pub fn run(&self) -> Result<ExitCode, PublishFailure> {
        let library = library::load(self.config.workflows.as_deref());
        if !library.compiled.diagnostics.is_empty() {
            return Err(PublishFailure::Problems(library.compiled.diagnostics.len()));
        }
        let workflow = library.compiled.workflow(&self.workflow).ok_or_else(|| self.unknown(&library))?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let app = self.app().await?;
            let site = app.which_site(self.site.as_deref())?;
            if self.preview {
                return preview::print(&app, site, workflow, self.json).await;
            }
            if self.moving.is_some_and(|moving| moving.how() != How::Back)
                && app.population(site, workflow).await?.is_ambiguous()
            {
                return Err(PublishFailure::Ambiguous);
            }
            let new = app.publish(site, workflow, None).await?;
            let version = workflow.version();
            if new {
                println!("published {} version {} at site {site}", workflow.id, version.short());
            } else {
                println!("{} version {} was published before and is in use", workflow.id, version.short());
            }
            if let Some(moving) = self.moving {
                let (workflow, per_hour) = (workflow.id.clone(), self.per_hour);
                let all = MoveAll { workflow, to: version, how: moving.how(), per_hour };
                app.move_everybody(site, &all, None).await?;
                println!("running follow-ups are moved by the running server, patient by patient");
            }
            Ok(ExitCode::SUCCESS)
        })
    }

    fn unknown(&self, library: &library::Library) -> PublishFailure {
        let known: Vec<String> = library.compiled.workflows.iter().map(|(_, w)| w.id.to_string()).collect();
        let place =
            library.folder.as_ref().map_or_else(|| PathBuf::from("the built-in library"), Clone::clone);
        PublishFailure::Unknown {
            name: self.workflow.clone(),
            place: place.display().to_string(),
            known: known.join(", "),
        }
    }

    async fn app(&self) -> Result<App, PublishFailure> {
        let key = self.config.site_key_file.as_deref().ok_or(PublishFailure::NoKey)?;
        let vault = Vault::from_file(key, false)?;
        let store = Store::open(&self.config.database_url, vault, Open::Beside).await?;
        let clock = Arc::new(MovedClock::of(&store).await?);
        let app = App::new(store, clock, Arc::new(SystemClock), Arc::new(FreshIds));
        app.refresh().await?;
        Ok(app)
    }
}
