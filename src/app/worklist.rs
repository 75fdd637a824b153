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

/// Pages by what they show; each holds until the next commit.
#[derive(Debug, Default)]
pub struct Kept(Mutex<HashMap<(SiteId, WorklistFilter), Page>>);

#[derive(Debug, Clone)]
struct Page {
    /// How many commits there had been when it was asked for.
    changes: u64,
    at: Timestamp,
    /// Read by whoever comes first; the others wait for it.
    list: Arc<OnceCell<Arc<Worklist>>>,
}

impl Kept {
    fn page(&self, key: (SiteId, WorklistFilter), changes: u64, now: Timestamp) -> Page {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = |page: &Page| page.changes == changes && now.duration_since(page.at) < AGE_MAX;
        if let Some(page) = kept.get(&key).filter(|page| fresh(page)) {
            return page.clone();
        }
        if kept.len() >= KEPT_MAX {
            kept.retain(|_, page| fresh(page));
        }
        if kept.len() >= KEPT_MAX {
            kept.clear();
        }
        let page = Page { changes, at: now, list: Arc::default() };
        kept.insert(key, page.clone());
        page
    }
}

impl App {
    /// A page of the worklist with its counts, as of the last commit of this process, and of another node's that was told
    /// of; never older than a second.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn worklist(&self, site: SiteId, filter: &WorklistFilter) -> Result<Arc<Worklist>, StoreError> {
        if filter.search.is_some() {
            return self.read_worklist(site, filter).await.map(Arc::new);
        }
        let changes = *self.store.changes().borrow();
        let page = self.worklists.page((site, filter.clone()), changes, self.wall.now());
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

    #[test]
    fn a_page_holds_until_the_next_commit_and_no_longer_than_a_second() {
        let kept = Kept::default();
        let key = || (SiteId(1), WorklistFilter::default());
        let first = kept.page(key(), 7, at(0));
        assert!(Arc::ptr_eq(&first.list, &kept.page(key(), 7, at(999)).list));
        assert!(!Arc::ptr_eq(&first.list, &kept.page(key(), 8, at(999)).list), "a commit");
        let second = kept.page(key(), 8, at(999));
        assert!(!Arc::ptr_eq(&second.list, &kept.page(key(), 8, at(1_999)).list), "a second");
        assert!(!Arc::ptr_eq(
            &second.list,
            &kept.page((SiteId(2), WorklistFilter::default()), 8, at(999)).list
        ));
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
