//! The one planner: folds new facts, decides, arranges, and folds its own decisions until nothing is left to decide.

use std::{collections::BTreeMap, sync::Arc};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    EnrollmentId, VersionHash, arrange, decide,
    fact::{Entry, NewFact},
    memo::Rest,
    model::Workflow,
    site::SiteSettings,
    state::{ENGINE_VERSION, PatientState},
    turn::Turn,
};

pub use arrange::carriers::retry_at;

/// Published versions by hash.
pub type Library = BTreeMap<VersionHash, Arc<Workflow>>;

/// What came of an advance: entries to append, in order, and when to look again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advanced {
    /// The new facts with their sequence numbers, followed by the decisions that follow from them.
    pub entries: Vec<Entry>,
    /// The next instant at which something will be decided; `None` when nothing ever will by itself.
    pub wake_at: Option<Timestamp>,
    /// So many of the first entries were given; the others were decided.
    pub given: usize,
    /// Under what it was decided; `None` where facts were only written down.
    pub under: Option<Under>,
}

/// What decisions depend on beside the history and the version of the workflow, so that they can be taken again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Under {
    /// The version of the deciding code.
    pub engine: u16,
    /// The version of the site's settings.
    pub settings: u64,
}

/// How an entry came to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Made {
    /// It was given to the engine, which decided on it.
    Given(Under),
    /// The engine decided it.
    Decided(Under),
    /// Written down of a patient who is set aside: nothing was decided.
    Kept,
    /// Stored before this was kept.
    Unknown,
}

impl Made {
    /// Under what it was decided, if anything was; engine 0 where that was not kept yet.
    #[must_use]
    pub fn under(self) -> Option<Under> {
        match self {
            Self::Given(under) | Self::Decided(under) => Some(under),
            Self::Kept => None,
            Self::Unknown => Some(Under { engine: 0, settings: 0 }),
        }
    }
}

impl Advanced {
    /// How the entry at that place came to be.
    #[must_use]
    pub fn made(&self, index: usize) -> Made {
        match self.under {
            None => Made::Kept,
            Some(under) if index < self.given => Made::Given(under),
            Some(under) => Made::Decided(under),
        }
    }
}

/// Why a patient could not be advanced. The patient is quarantined with an owned task; the others proceed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AdvanceError {
    /// A version is not in the library.
    #[error("version {0} of the workflow is not in the library: publish it again or restore it")]
    UnknownVersion(VersionHash),
    /// A zone is not in the time-zone database.
    #[error("time zone \"{0}\" is not known: correct it on the patient's page")]
    UnknownZone(String),
    /// More rounds than a patient can need: a rule feeds itself.
    #[error("more than {limit} decisions in one go: a rule of the workflow feeds itself")]
    TooMany {
        /// The limit.
        limit: usize,
    },
}

/// Most entries of one advance.
pub const ENTRIES_PER_ADVANCE_MAX: usize = 500;

/// Advances one patient to `now` with `facts` that just happened. Pure and total; `state` is folded forward in place.
///
/// # Errors
/// [`AdvanceError`]; `state` is then unusable and must be read again.
pub fn advance(
    library: &Library,
    site: &SiteSettings,
    state: &mut PatientState,
    facts: Vec<NewFact>,
    now: Timestamp,
) -> Result<Advanced, AdvanceError> {
    let mut turn = Turn::new(library, site, state, now)?;
    let given = facts.len();
    let under = Some(Under { engine: ENGINE_VERSION, settings: site.version });
    for new in facts {
        turn.append(new.enrollment, new.occurred_at, new.author, new.fact);
    }
    (_, turn.zone) = turn.state.zones(site)?;
    loop {
        let before = turn.entries.len();
        turn.wake_at = None;
        round(&mut turn)?;
        if turn.entries.len() == before {
            return Ok(Advanced { entries: turn.entries, wake_at: turn.wake_at, given, under });
        }
    }
}

/// Everything that can be decided now, once. A round that decides nothing knows when to look again.
fn round(turn: &mut Turn<'_>) -> Result<(), AdvanceError> {
    decide::death(turn)?;
    arrange::replies::answer(turn)?;
    arrange::carriers::settle(turn)?;
    let enrollments: Vec<EnrollmentId> = turn.state.enrollments.keys().copied().collect();
    for id in &enrollments {
        decide::enrollment(turn, *id)?;
    }
    decide::escalate::tasks(turn)?;
    if let Some(wake) = turn.state.memo.messages.holds(turn.now) {
        turn.look_at(wake);
        return Ok(());
    }
    let others = turn.wake_at.take();
    let before = turn.entries.len();
    arrange::messages(turn, &enrollments)?;
    if turn.entries.len() == before {
        turn.state.memo.messages = Rest::from(turn.now, turn.wake_at);
    }
    turn.look_at(others);
    Ok(())
}
