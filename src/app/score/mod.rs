//! Scores: at enrolment, when a workflow wants one, and every night; off the async threads, in small slices.
//!
//! A model is in shadow until a clinician turns it on: then it is computed and written down, and shown to nobody. Only a
//! score of a model that is on becomes a fact. What a required input is missing for is "not scored because …".

mod compute;
mod night;
mod run;

use std::sync::LazyLock;

use tend_engine::{Name, SiteId, StaffId};
use tend_risk::Model;

use super::{Actor, App, RecordError};
use crate::store::{AuditLine, StoreError};

pub use run::Scored;

/// The shipped model's name.
pub const MODEL: &str = "readmit30";
/// The horizon of the shipped model, for people.
pub const HORIZON_DAYS: u32 = 30;

static SHIPPED: LazyLock<Option<Model>> = LazyLock::new(|| {
    let toml = include_str!("../../../models/readmit30/model.toml");
    let weights = include_bytes!("../../../models/readmit30/model.safetensors");
    match Model::from_bytes(toml, weights) {
        Ok(model) => Some(model),
        Err(error) => {
            tracing::error!(%error, "the shipped model cannot be loaded, nobody is scored: {error}");
            None
        }
    }
});

/// The shipped model; `None` when it cannot be loaded.
#[must_use]
pub fn shipped() -> Option<&'static Model> {
    SHIPPED.as_ref()
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

/// Whether a model is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SwitchState {
    /// Computed and logged, not shown.
    Shadow,
    /// Computed and shown.
    On,
    /// Not computed.
    Off,
}

impl SwitchState {
    /// The word in the store and in forms.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Shadow => "shadow",
            Self::On => "on",
            Self::Off => "off",
        }
    }

    /// From its word.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        [Self::Shadow, Self::On, Self::Off].into_iter().find(|state| state.word() == word)
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

impl App {
    /// Where the model stands for a workflow of a site; in shadow until somebody switched it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn model_state(&self, site: SiteId, workflow: &Name) -> Result<SwitchState, StoreError> {
        let switches = self.store.model_switches(site).await?;
        let found =
            switches.iter().find(|switch| switch.model == MODEL && workflow == switch.workflow.as_str());
        Ok(found.and_then(|switch| SwitchState::of(&switch.state)).unwrap_or(SwitchState::Shadow))
    }

    /// Switches the model for a workflow; audited. Everybody is looked at again soon: who was not shown a score gets one, and
    /// scores of a model that is off are taken back.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn switch_model(
        &self,
        site: SiteId,
        workflow: &Name,
        state: SwitchState,
        by: StaffId,
    ) -> Result<(), StoreError> {
        let version = shipped().map_or("", Model::version);
        let (at, id) = (self.clock.now(), self.ids.fresh());
        self.store.write_switch(id, site, MODEL, version, workflow.as_str(), state.word(), by, at).await?;
        let line = AuditLine {
            actor: Actor::Staff(by).name(),
            action: "switch model",
            patient: None,
            subject: format!("{MODEL} {version}"),
            detail: format!("{workflow}: {}", state.word()),
        };
        self.note(line).await?;
        self.score_site_again(site, by).await
    }
}
