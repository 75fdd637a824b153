//! Scores: at enrolment and every night, off the async threads, in small slices.
//!
//! A model is in shadow until a clinician turns it on: then it is computed and written down, and shown to nobody. Only a
//! score of a model that is on becomes a fact. What a required input is missing for is "not scored because …".

use std::sync::LazyLock;

use sha2::{Digest, Sha256};
use tend_engine::{
    EnrollmentId, Name, PatientId, SiteId, StaffId, Value as FactValue,
    fact::Fact,
    state::{EnrollmentState, Standing},
};
use tend_risk::{Inputs, Kind, Model, Outcome, Value};

use super::{Actor, App, RecordError, record::just_now};
use crate::store::{AuditLine, FreeText, StoreError, read::risk_queue::ScoreReason, scoring::NewScore};

/// The shipped model's name.
pub const MODEL: &str = "readmit30";
/// The horizon of the shipped model, for people.
pub const HORIZON_DAYS: u32 = 30;
/// Scores computed before other work gets the processor again.
const SLICE: usize = 16;
/// Patients that the nightly scoring reads at a time.
const NIGHTLY_PAGE: i64 = 200;
/// Reasons that are kept with a score.
const REASONS_KEPT: usize = 12;

static SHIPPED: LazyLock<Option<Model>> = LazyLock::new(|| {
    let toml = include_str!("../../models/readmit30/model.toml");
    let weights = include_bytes!("../../models/readmit30/model.safetensors");
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
    include_str!("../../models/readmit30/card.md")
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

/// A follow-up to be scored, with what is known.
#[derive(Debug, Clone)]
struct Subject {
    patient: PatientId,
    enrollment: EnrollmentId,
    inputs: Inputs,
    state: SwitchState,
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

    /// Switches the model for a workflow; audited.
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
        self.note(line).await
    }

    /// Scores the running follow-ups of these patients. Computing happens on a thread of its own, slice by slice.
    ///
    /// # Errors
    /// [`ScoreError`].
    pub async fn score_patients(&self, patients: &[PatientId]) -> Result<usize, ScoreError> {
        let mut scored = 0;
        for slice in patients.chunks(SLICE) {
            let subjects = self.subjects(slice).await?;
            let outcomes = tokio::task::spawn_blocking(move || {
                subjects.into_iter().map(|subject| (outcome(&subject.inputs), subject)).collect::<Vec<_>>()
            })
            .await
            .map_err(|error| ScoreError::Interrupted(error.to_string()))?;
            for (outcome, subject) in outcomes {
                self.keep_score(&subject, outcome).await?;
                scored += 1;
            }
            tokio::task::yield_now().await;
        }
        Ok(scored)
    }

    /// Scores everybody with a running follow-up, page by page: what runs every night.
    ///
    /// # Errors
    /// [`ScoreError`]; who was scored before it stays scored.
    pub async fn score_everybody(&self) -> Result<usize, ScoreError> {
        let (mut scored, mut after) = (0, None);
        loop {
            let page = self.store.running_patients(after, NIGHTLY_PAGE).await?;
            let Some(last) = page.last() else { return Ok(scored) };
            after = Some(*last);
            scored += self.score_patients(&page).await?;
        }
    }

    async fn subjects(&self, patients: &[PatientId]) -> Result<Vec<Subject>, ScoreError> {
        let mut subjects = Vec::new();
        for id in patients {
            let Some(row) = self.store.patient(*id).await? else { continue };
            for (enrollment, state) in &row.state.enrollments {
                if matches!(state.standing, Standing::Over { .. }) {
                    continue;
                }
                let switch = self.model_state(state.site, &state.workflow).await?;
                if switch != SwitchState::Off {
                    let inputs = inputs(state);
                    subjects.push(Subject { patient: *id, enrollment: *enrollment, inputs, state: switch });
                }
            }
        }
        Ok(subjects)
    }

    async fn keep_score(&self, subject: &Subject, outcome: Option<Outcome>) -> Result<(), ScoreError> {
        let at = self.clock.now();
        let score = new_score(subject, outcome);
        let ppm = score.ppm;
        let version = score.model_version.clone();
        self.store.write_score(self.ids.fresh(), subject.patient, subject.enrollment, &score, at).await?;
        if subject.state != SwitchState::On {
            return Ok(());
        }
        let Ok(model) = Name::parse(MODEL) else { return Ok(()) };
        let fact = Fact::Scored { model, model_version: version, probability_ppm: ppm };
        let fact = just_now(Actor::System, at, Some(subject.enrollment), fact);
        self.record(Actor::System, "score", subject.patient, vec![fact], &FreeText::new()).await?;
        Ok(())
    }
}

/// What the model asks, out of a follow-up's facts: those that bear a feature's name.
fn inputs(state: &EnrollmentState) -> Inputs {
    let features = shipped().map_or(&[][..], Model::features);
    features
        .iter()
        .filter_map(|feature| {
            let value = state.facts.get(feature.name.as_str())?;
            let value = match (value, &feature.kind) {
                (FactValue::Number(number), Kind::Number { .. }) => Value::Number(number.to_f64()),
                (FactValue::Bool(yes), Kind::Boolean) => Value::Number(if *yes { 1.0 } else { 0.0 }),
                (FactValue::Choice(level), Kind::Category { .. }) => Value::Category(level.to_string()),
                _ => Value::Missing,
            };
            Some((feature.name.clone(), value))
        })
        .collect()
}

fn outcome(inputs: &Inputs) -> Option<Outcome> {
    shipped().map(|model| model.score(inputs, None))
}

fn ppm(probability: f64) -> Option<u32> {
    let scaled = (probability * 1_000_000.0).round();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "checked to be within 0 and 1,000,000"
    )]
    let whole = (0.0..=1_000_000.0).contains(&scaled).then_some(scaled as u32);
    whole
}

fn new_score(subject: &Subject, outcome: Option<Outcome>) -> NewScore {
    let hashed: Vec<u8> = format!("{:?}", subject.inputs).into_bytes();
    let mut score = NewScore {
        model: MODEL.to_owned(),
        model_version: shipped().map_or_else(String::new, |model| model.version().to_owned()),
        inputs_hash: Sha256::digest(&hashed).to_vec(),
        ppm: None,
        interval_ppm: None,
        reasons: Vec::new(),
        abstain: None,
    };
    match outcome {
        Some(Outcome::Score(made)) => {
            score.ppm = ppm(made.risk);
            score.interval_ppm = ppm(made.low).zip(ppm(made.high));
            let reason = |reason: &tend_risk::Reason| ScoreReason {
                en: reason.sentence("en"),
                zh: reason.sentence("zh"),
                log_odds: reason.log_odds,
            };
            score.reasons = made.reasons.iter().take(REASONS_KEPT).map(reason).collect();
        }
        Some(Outcome::Abstain(why)) => score.abstain = Some((why.sentence("en"), why.sentence("zh"))),
        None => {
            let words = ("the model cannot be loaded".to_owned(), "无法加载模型".to_owned());
            score.abstain = Some(words);
        }
    }
    score
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_lacks_a_required_input_is_not_scored() {
        let outcome = outcome(&Inputs::new()).expect("the shipped model loads");
        assert!(matches!(outcome, Outcome::Abstain(_)));
    }

    #[test]
    fn probabilities_are_whole_parts_per_million() {
        assert_eq!((ppm(0.0), ppm(0.1234567), ppm(1.0)), (Some(0), Some(123_457), Some(1_000_000)));
        assert_eq!((ppm(-0.1), ppm(f64::NAN)), (None, None));
    }
}
