//! What can be done: one use case per file. Each locks, loads, decides, records and commits, and nothing else.
//!
//! Knows nothing of pages, of background work or of how rows are stored.

pub mod form;
pub mod reading;

use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError, RwLock},
};

use tend_engine::{SiteId, planner::Library, site::SiteSettings};

use crate::{
    ports::{Clock, Ids},
    store::Store,
};

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
    live: RwLock<Arc<Live>>,
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
        Self { store, clock, wall, ids, live: RwLock::default() }
    }

    /// Published versions and site settings.
    #[must_use]
    pub fn live(&self) -> Arc<Live> {
        self.live.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A version was published or settings were changed.
    pub fn set_live(&self, live: Live) {
        *self.live.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(live);
    }
}
