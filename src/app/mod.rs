//! What can be done: one use case per file. Each locks, loads, decides, records and commits, and nothing else.
//!
//! Knows nothing of pages, of background work or of how rows are stored.

pub mod account;
pub mod actor;
pub mod advance;
pub mod answer;
pub mod country;
pub mod doctor;
pub mod doubt;
pub mod drafts;
pub mod ending;
pub mod enroll;
pub mod flag;
mod flights;
pub mod form;
pub mod import;
pub mod link;
pub mod long_job;
pub mod lookup;
pub mod lost;
pub mod patient_change;
pub mod population;
pub mod publish;
pub mod reading;
pub mod receive;
pub mod record;
pub mod register;
pub mod relay;
pub mod render;
pub mod score;
pub mod sign_in;
pub mod site;
pub mod site_setting;
pub mod sweep;
pub mod task;
pub mod version_move;
pub mod visitor;
pub mod worklist;

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError, RwLock},
};

use jiff::{Timestamp, civil::Date, tz::TimeZone};
pub use tend_engine::model::Channel;
use tend_engine::{SiteId, planner::Library, site::SiteSettings};

use crate::{
    ports::{Clock, Ids},
    store::{LiveMark, Store, StoreError},
};

/// What background workers hand messages over with.
pub use crate::ports::{Carrier, Connection, Handover, Refusal};
pub use actor::Actor;
pub use record::RecordError;

/// Where the job library keeps its tables.
pub use crate::store::{JobPool, Topic};

/// The application of one process.
pub struct App {
    /// Where everything is.
    pub store: Store,
    /// The clock of the clinical world; the demo moves it.
    pub clock: Arc<dyn Clock>,
    /// The clock of this machine: sessions and limits go by it.
    pub wall: Arc<dyn Clock>,
    /// Makes ids.
    pub ids: Arc<dyn Ids>,
    /// Where patients reach this server: links in messages begin with it.
    pub public_url: String,
    /// The folder of workflow files; without one `./workflows`, else the built-in library.
    pub workflows: Option<PathBuf>,
    live: RwLock<Arc<Live>>,
    /// How much there was when `live` was read.
    live_mark: Mutex<Option<LiveMark>>,
    worklists: worklist::Kept,
    sessions: sign_in::Sessions,
    flights: flights::Flights,
    /// When a sweep was last written down, by the machine's clock.
    swept: Mutex<Option<Timestamp>>,
    /// Models that sites moved, ready to score.
    models: score::Kept,
    /// The last night that was planned, by site: saves a look at the database.
    nights: Mutex<BTreeMap<SiteId, Date>>,
}

/// What decisions look at beside the history, as it stood when it was last read.
#[derive(Debug, Default)]
pub struct Live {
    /// Published versions.
    pub library: Library,
    /// Settings of each site.
    pub sites: BTreeMap<SiteId, SiteSettings>,
}

impl App {
    /// Brings the parts together; nothing is published and no site is known until [`App::set_live`].
    #[must_use]
    pub fn new(store: Store, clock: Arc<dyn Clock>, wall: Arc<dyn Clock>, ids: Arc<dyn Ids>) -> Self {
        Self {
            store,
            clock,
            wall,
            ids,
            public_url: "http://127.0.0.1:8080".into(),
            workflows: None,
            live: RwLock::default(),
            live_mark: Mutex::default(),
            worklists: worklist::Kept::default(),
            sessions: sign_in::Sessions::default(),
            flights: flights::Flights::default(),
            swept: Mutex::default(),
            models: score::Kept::default(),
            nights: Mutex::default(),
        }
    }

    /// The same with links that begin with `url`.
    #[must_use]
    pub fn reached_at(mut self, url: &str) -> Self {
        url.trim_end_matches('/').clone_into(&mut self.public_url);
        self
    }

    /// The same with workflow files in that folder.
    #[must_use]
    pub fn written_in(mut self, workflows: Option<PathBuf>) -> Self {
        self.workflows = workflows;
        self
    }

    /// Reads published versions and site settings again: at start, after a change, and when another node says so.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn refresh(&self) -> Result<(), StoreError> {
        let mark = self.store.live_mark().await?;
        let live = Live { library: self.store.library().await?, sites: self.store.sites().await? };
        self.set_live(live);
        *self.live_mark.lock().unwrap_or_else(PoisonError::into_inner) = Some(mark);
        Ok(())
    }

    /// Reads them again if another process has published or set anything since; says whether it had.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn refresh_if_changed(&self) -> Result<bool, StoreError> {
        let mark = self.store.live_mark().await?;
        if *self.live_mark.lock().unwrap_or_else(PoisonError::into_inner) == Some(mark) {
            return Ok(false);
        }
        self.refresh().await?;
        Ok(true)
    }

    /// Published versions and site settings.
    #[must_use]
    pub fn live(&self) -> Arc<Live> {
        self.live.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The settings of a site; a site without any has the built-in ones.
    #[must_use]
    pub fn site(&self, site: SiteId) -> SiteSettings {
        self.live().sites.get(&site).cloned().unwrap_or_default()
    }

    /// The zone that a site lives in.
    #[must_use]
    pub fn zone(&self, site: SiteId) -> TimeZone {
        zone_named(&self.site(site).zone)
    }

    /// A version was published or settings were changed.
    pub fn set_live(&self, live: Live) {
        *self.live.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(live);
    }
}

/// A zone by its name; UTC when the name is not known.
#[must_use]
pub fn zone_named(name: &str) -> TimeZone {
    TimeZone::get(name).unwrap_or(TimeZone::UTC)
}
