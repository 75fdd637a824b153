//! Which models score at a site: the shipped one or one that the site moved to its own outcomes, and a challenger beside it.
//! The other shipped model, which looks back over the patient's earlier stays, is there to be tried.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use tend_engine::SiteId;
use tend_risk::{Local, Model};

use super::{MODEL, SHIPPED, WITH_HISTORY};
use crate::{
    app::App,
    store::{StoreError, read::life::LocalRow},
};

/// Moved models that are kept ready.
const KEPT_MAX: usize = 16;

/// The models of a site.
#[derive(Debug, Clone, Default)]
pub struct SiteModels {
    /// Whose scores are shown where it is on; `None` when it cannot be loaded.
    pub champion: Option<Arc<Model>>,
    /// Computed beside it and shown to nobody.
    pub challenger: Option<Arc<Model>>,
}

impl SiteModels {
    /// Empty when it cannot be loaded.
    #[must_use]
    pub fn champion_version(&self) -> &str {
        self.champion.as_ref().map_or("", |model| model.version())
    }

    /// Empty when there is none.
    #[must_use]
    pub fn challenger_version(&self) -> &str {
        self.challenger.as_ref().map_or("", |model| model.version())
    }
}

/// Moved models by version: they are made of the shipped weights and two numbers.
#[derive(Debug, Default)]
pub struct Kept(Mutex<BTreeMap<String, Arc<Model>>>);

impl Kept {
    fn get(&self, local: &LocalRow) -> Option<Arc<Model>> {
        if let Some(shipped) = WITH_HISTORY.as_ref().filter(|model| model.version() == local.model_version) {
            return Some(shipped.clone());
        }
        let mut kept = self.0.lock().ok()?;
        if let Some(model) = kept.get(&local.model_version) {
            return Some(model.clone());
        }
        let moved: Local = serde_json::from_str(&local.body).ok()?;
        // Of another release's weights it says nothing.
        let model = SHIPPED.as_ref()?.moved_by(moved);
        if model.version() != local.model_version {
            return None;
        }
        if kept.len() >= KEPT_MAX {
            kept.clear();
        }
        let model = Arc::new(model);
        kept.insert(local.model_version.clone(), model.clone());
        Some(model)
    }
}

impl App {
    /// The models of a site.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn site_models(&self, site: SiteId) -> Result<SiteModels, StoreError> {
        let locals = self.store.model_locals(site, MODEL).await?;
        let of = |state: &str| {
            locals.iter().find(|local| local.state == state).and_then(|local| self.models.get(local))
        };
        let champion = of("champion").or_else(|| SHIPPED.clone());
        let same = |model: &Arc<Model>| Some(model.version()) == champion.as_ref().map(|m| m.version());
        let challenger = of("challenger").filter(|model| !same(model));
        Ok(SiteModels { champion, challenger })
    }
}
