//! The worklist as last read. At eight in the morning many ask for the same page; it is read once for each change.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use jiff::{SignedDuration, Timestamp};
use tend_engine::{Name, SiteId};
use tokio::sync::OnceCell;

use super::App;
use crate::store::{
    StoreError,
    read::worklist::{QueueCount, WorklistFilter, WorklistPage},
};

/// Pages that are kept.
const KEPT_MAX: usize = 256;
/// How old a page may be where nothing has changed: who is at work, and which models are on, change without a step.
const AGE_MAX: SignedDuration = SignedDuration::from_secs(1);
/// A page is not read again so soon, whatever the engine commits. What people do is seen at once: see [`App::forget_pages`].
const PAUSE: SignedDuration = SignedDuration::from_millis(100);
/// How old a page may be that is shown while a newer one is being read.
const BEHIND_MAX: SignedDuration = SignedDuration::from_millis(500);

/// What the worklist shows, as of one moment.
#[derive(Debug)]
pub struct Worklist {
    /// The rows.
    pub page: WorklistPage,
    /// Open tasks per owner and level.
    pub counts: Vec<QueueCount>,
    /// Nurses who use the pages now.
    pub nurses: u64,
    /// Workflows whose model is on.
    pub scored: Vec<String>,
    /// Workflows of the site.
    pub workflows: Vec<Name>,
}

/// Pages by what they show.
#[derive(Debug, Default)]
pub struct Kept(Mutex<HashMap<(SiteId, WorklistFilter), Page>>);

#[derive(Debug, Clone)]
struct Page {
    /// How many commits there had been when it was asked for.
    changes: u64,
    at: Timestamp,
    /// Read by whoever comes first; the others wait for it.
    list: Arc<OnceCell<Arc<Worklist>>>,
    /// What is shown meanwhile, and of when it is.
    before: Option<(Timestamp, Arc<Worklist>)>,
}

impl Page {
    fn holds(&self, changes: u64, now: Timestamp) -> bool {
        let age = now.duration_since(self.at);
        let unread = self.list.get().is_none();
        age < PAUSE || (age < AGE_MAX && (unread || self.changes == changes))
    }

    /// What may be shown without waiting.
    fn shown(&self, now: Timestamp) -> Option<Arc<Worklist>> {
        let before = || self.before.as_ref().filter(|(at, _)| now.duration_since(*at) < BEHIND_MAX);
        self.list.get().cloned().or_else(|| before().map(|(_, list)| list.clone()))
    }
}

impl Kept {
    /// The page, and whether it was begun by this call.
    fn page(&self, key: (SiteId, WorklistFilter), changes: u64, now: Timestamp) -> (Page, bool) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(page) = kept.get(&key).filter(|page| page.holds(changes, now)) {
            return (page.clone(), false);
        }
        if kept.len() >= KEPT_MAX {
            kept.retain(|_, page| page.holds(changes, now));
        }
        if kept.len() >= KEPT_MAX {
            kept.clear();
        }
        let before = kept.get(&key).and_then(|page| Some((page.at, page.list.get()?.clone())));
        let page = Page { changes, at: now, list: Arc::default(), before };
        kept.insert(key, page.clone());
        (page, true)
    }

    fn forget(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

impl App {
    /// A page of the worklist with its counts. It holds what people did on this process's pages, and what the engine or
    /// another node did up to half a second ago.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn worklist(
        self: Arc<Self>,
        site: SiteId,
        filter: &WorklistFilter,
    ) -> Result<Arc<Worklist>, StoreError> {
        if filter.search.is_some() {
            return self.read_worklist(site, filter).await.map(Arc::new);
        }
        let (changes, now) = (self.store.changes(), self.wall.now());
        let (page, begun) = self.worklists.page((site, filter.clone()), changes, now);
        let Some(shown) = page.shown(now) else { return self.fill(&page, site, filter).await };
        if begun {
            let (app, filter) = (self.clone(), filter.clone());
            tokio::spawn(async move {
                if let Err(error) = app.fill(&page, site, &filter).await {
                    tracing::warn!("a worklist could not be read and will be again: {error}");
                }
            });
        }
        Ok(shown)
    }

    /// Somebody did something: who looks now must see it.
    pub fn forget_pages(&self) {
        self.worklists.forget();
        self.sessions.forget();
    }

    async fn fill(
        &self,
        page: &Page,
        site: SiteId,
        filter: &WorklistFilter,
    ) -> Result<Arc<Worklist>, StoreError> {
        let list = page.list.get_or_try_init(async || self.read_worklist(site, filter).await.map(Arc::new));
        list.await.cloned()
    }

    async fn read_worklist(&self, site: SiteId, filter: &WorklistFilter) -> Result<Worklist, StoreError> {
        let switches = self.store.model_switches(site).await?;
        let scored = switches.into_iter().filter(|switch| switch.state == "on");
        Ok(Worklist {
            page: self.store.worklist(site, filter).await?,
            counts: self.store.queue_counts(site).await?,
            nurses: self.nurses_at_work(site).await?,
            scored: scored.map(|switch| switch.workflow).collect(),
            workflows: self.store.workflow_names(site).await?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millisecond(millis).unwrap()
    }

    fn key() -> (SiteId, WorklistFilter) {
        (SiteId(1), WorklistFilter::default())
    }

    fn read(page: &Page) -> Arc<Worklist> {
        let list = Worklist {
            page: WorklistPage::default(),
            counts: Vec::new(),
            nurses: 0,
            scored: Vec::new(),
            workflows: Vec::new(),
        };
        page.list.set(Arc::new(list)).unwrap();
        page.list.get().unwrap().clone()
    }

    #[test]
    fn a_page_holds_until_something_changes_and_no_longer_than_a_second() {
        let kept = Kept::default();
        let (first, begun) = kept.page(key(), 7, at(0));
        assert!(begun && first.shown(at(0)).is_none());
        let list = read(&first);
        let (page, begun) = kept.page(key(), 7, at(999));
        assert!(!begun && Arc::ptr_eq(&page.shown(at(999)).unwrap(), &list));
        assert!(!kept.page(key(), 8, at(99)).1, "not again so soon");
        assert!(kept.page(key(), 7, at(1_000)).1, "a second");
    }

    #[test]
    fn the_page_before_is_shown_while_a_newer_one_is_read_but_not_for_long() {
        let kept = Kept::default();
        let list = read(&kept.page(key(), 7, at(0)).0);
        let (page, begun) = kept.page(key(), 8, at(200));
        assert!(begun && Arc::ptr_eq(&page.shown(at(200)).unwrap(), &list));
        let (page, begun) = kept.page(key(), 9, at(499));
        assert!(!begun && page.shown(at(499)).is_some());
        assert!(page.shown(at(500)).is_none(), "who comes now waits for the newer one");
    }

    #[test]
    fn what_people_do_is_seen_at_once() {
        let kept = Kept::default();
        read(&kept.page(key(), 7, at(0)).0);
        kept.forget();
        let (page, begun) = kept.page(key(), 7, at(1));
        assert!(begun && page.shown(at(1)).is_none());
    }

    #[test]
    fn no_more_than_so_many_are_kept() {
        let kept = Kept::default();
        for n in 0..(2 * KEPT_MAX as u128) {
            kept.page((SiteId(n), WorklistFilter::default()), 1, at(0));
            assert!(kept.0.lock().unwrap().len() <= KEPT_MAX);
        }
    }
}
