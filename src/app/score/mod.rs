//! Scores: at enrolment, when a workflow wants one, and every night; off the async threads, in small slices.
//!
//! A model is in shadow until a clinician turns it on: then it is computed and written down, and shown to nobody. Only a
//! score of a model that is on becomes a fact. What a required input is missing for is "not scored because …".

mod compute;
pub mod landmarks;
mod life;
mod models;
mod night;
pub mod outcome;
pub mod published;
mod run;
pub mod watch;

use std::sync::{Arc, LazyLock};

use jiff::Timestamp;
use tend_engine::{Name, SiteId, StaffId};
use tend_risk::Model;

use super::{Actor, App, RecordError};
use crate::store::{AuditLine, NewSwitch, StoreError, Tx, read::risk_queue::SwitchRow};

pub use life::LifeError;
pub use models::{Kept, SiteModels};
pub use run::Scored;
pub use tend_risk::{LIMIT, Signal};

/// The shipped model's name.
pub const MODEL: &str = "readmit30";
/// The horizon of the shipped model, for people.
pub const HORIZON_DAYS: u32 = 30;

static SHIPPED: LazyLock<Option<Arc<Model>>> = LazyLock::new(|| {
    let toml = include_str!("../../../models/readmit30/model.toml");
    load(toml, include_bytes!("../../../models/readmit30/model.safetensors"))
});

/// The same with the patient's earlier stays: a challenger for who wants to try it.
static WITH_HISTORY: LazyLock<Option<Arc<Model>>> = LazyLock::new(|| {
    let toml = include_str!("../../../models/readmit30-history/model.toml");
    load(toml, include_bytes!("../../../models/readmit30-history/model.safetensors"))
});

fn load(toml: &str, weights: &[u8]) -> Option<Arc<Model>> {
    match Model::from_bytes(toml, weights) {
        Ok(model) => Some(Arc::new(model)),
        Err(error) => {
            tracing::error!(%error, "a shipped model cannot be loaded, nobody is scored by it: {error}");
            None
        }
    }
}

/// The shipped model; `None` when it cannot be loaded.
#[must_use]
pub fn shipped() -> Option<&'static Model> {
    SHIPPED.as_deref()
}

/// The shipped model's version; empty when it cannot be loaded.
#[must_use]
pub fn version() -> &'static str {
    shipped().map_or("", Model::version)
}

/// The card of the shipped model, as written.
#[must_use]
pub fn card() -> &'static str {
    include_str!("../../../models/readmit30/card.md")
}

/// The plots of the shipped model's card, each an SVG: calibration, then net benefit.
#[must_use]
pub fn plots() -> Vec<String> {
    let page = shipped().map(tend_risk::page).unwrap_or_default();
    let drawn = page.split("<svg ").skip(1).filter_map(|rest| rest.split_once("</svg>"));
    drawn.map(|(svg, _)| format!("<svg class=\"chart plot\" {svg}</svg>")).collect()
}

/// Whether a model is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SwitchState {
    /// Computed and logged, not shown.
    Shadow,
    /// Computed and shown.
    On,
    /// Not computed.
    Off,
    /// The watch found its figures beyond the limit: computed and logged, not shown, until a clinician decides.
    SteppedBack,
}

impl SwitchState {
    /// The word in the store and in forms.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Shadow => "shadow",
            Self::On => "on",
            Self::Off => "off",
            Self::SteppedBack => "stepped_back",
        }
    }

    /// From its word.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        [Self::Shadow, Self::On, Self::Off, Self::SteppedBack].into_iter().find(|state| state.word() == word)
    }
}

/// Why nobody was scored.
#[derive(Debug, thiserror::Error)]
pub enum ScoreError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The fact was not recorded.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The thread that computes was lost.
    #[error("scoring was interrupted: {0}")]
    Interrupted(String),
}

/// Where the model stands for a workflow, of the switches of its site; in shadow until somebody switched it.
#[must_use]
pub fn stands(switches: &[SwitchRow], workflow: &Name) -> SwitchState {
    let found = switches.iter().find(|switch| switch.model == MODEL && workflow == switch.workflow.as_str());
    found.and_then(|switch| SwitchState::of(&switch.state)).unwrap_or(SwitchState::Shadow)
}

impl App {
    /// Where the model stands for a workflow of a site.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn model_state(&self, site: SiteId, workflow: &Name) -> Result<SwitchState, StoreError> {
        Ok(stands(&self.store.model_switches(site).await?, workflow))
    }

    /// Switches the model for a workflow; audited. Everybody is looked at again soon, as the same commit asks for: who was not
    /// shown a score gets one, and scores of a model that is off are taken back. Without a person it was the watch.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn switch_model(
        &self,
        site: SiteId,
        workflow: &Name,
        state: SwitchState,
        by: Option<StaffId>,
    ) -> Result<(), StoreError> {
        let models = self.site_models(site).await?;
        let now = self.clock.now();
        let mut tx = self.store.begin();
        self.switch_in(&mut tx, site, models.champion_version(), workflow, state, by, now).await?;
        self.score_site_again(&mut tx, site, by, now).await?;
        tx.commit().await
    }

    /// A switch and its line in the audit log.
    #[expect(clippy::too_many_arguments, reason = "what is switched, and in which commit")]
    async fn switch_in(
        &self,
        tx: &mut Tx,
        site: SiteId,
        model_version: &str,
        workflow: &Name,
        state: SwitchState,
        by: Option<StaffId>,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let (id, model, word) = (self.ids.fresh(), MODEL, state.word());
        let new = NewSwitch { id, site, model, model_version, workflow, state: word, by, at };
        tx.write_switch(&new).await?;
        let line = AuditLine {
            actor: by.map_or(Actor::System, Actor::Staff).name(),
            action: "switch model",
            patient: None,
            subject: format!("{MODEL} {model_version}"),
            detail: format!("{workflow}: {word}"),
        };
        self.note_in(tx, line, at).await
    }
}
