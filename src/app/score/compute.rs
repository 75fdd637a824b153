//! Computing scores: on a thread of its own at the lowest priority, so that neither the async threads nor the writer wait for
//! it.

use std::{
    sync::{Arc, LazyLock, mpsc},
    thread,
};

use sha2::{Digest, Sha256};
use tend_engine::{Value as FactValue, state::EnrollmentState};
use tend_risk::{Abstain, Inputs, Kind, Model, Outcome, Source, Value};
use thread_priority::{ThreadPriority, set_current_thread_priority};
use tokio::sync::oneshot;

use super::ScoreError;
use crate::store::{read::risk_queue::ScoreReason, scoring::NewScore};

/// Reasons that are kept with a score.
const REASONS_KEPT: usize = 12;
/// Slices that wait for the thread at most; whoever brings another waits.
const SLICES_WAITING_MAX: usize = 4;

type Slice = (Vec<Question>, oneshot::Sender<Vec<Option<Outcome>>>);

/// Earlier follow-ups of the same patient, oldest first, each with what came of it.
pub(super) type Earlier = Vec<(Inputs, Option<bool>)>;

/// What a model is asked about a follow-up.
#[derive(Debug, Clone)]
pub(super) struct Question {
    /// The name under which it is logged.
    pub name: &'static str,
    /// `None` when it could not be loaded.
    pub model: Option<Arc<Model>>,
    /// The patient's facts.
    pub inputs: Inputs,
    /// Only for a model that looks back.
    pub earlier: Earlier,
    /// The model's day of review has passed.
    pub past_review: Option<Abstain>,
}

static THREAD: LazyLock<Option<mpsc::SyncSender<Slice>>> = LazyLock::new(|| {
    let (sender, slices) = mpsc::sync_channel::<Slice>(SLICES_WAITING_MAX);
    let work = move || {
        if let Err(error) = set_current_thread_priority(ThreadPriority::Min) {
            tracing::warn!("scoring runs at the priority of everything else: {error}");
        }
        for (questions, answer) in slices {
            // Nobody waits for the answer any more when it cannot be sent.
            let _ = answer.send(questions.iter().map(Question::answer).collect());
        }
    };
    match thread::Builder::new().name("scoring".into()).spawn(work) {
        Ok(_) => Some(sender),
        Err(error) => {
            tracing::error!("no thread for scoring, nobody is scored: {error}");
            None
        }
    }
});

/// Scores a slice.
pub(super) async fn compute(questions: Vec<Question>) -> Result<Vec<Option<Outcome>>, ScoreError> {
    let lost = || ScoreError::Interrupted("the thread that computes is gone".to_owned());
    let (answer, answered) = oneshot::channel();
    let thread = THREAD.as_ref().ok_or_else(lost)?;
    let mut slice = (questions, answer);
    loop {
        match thread.try_send(slice) {
            Ok(()) => return answered.await.map_err(|_| lost()),
            Err(mpsc::TrySendError::Disconnected(_)) => return Err(lost()),
            Err(mpsc::TrySendError::Full(back)) => {
                slice = back;
                tokio::time::sleep(std::time::Duration::from_millis(1)).await;
            }
        }
    }
}

impl Question {
    /// What a model is asked today (as YYYY-MM-DD).
    pub(super) fn new(name: &'static str, model: Option<Arc<Model>>, inputs: Inputs, today: &str) -> Self {
        let past_review = model.as_ref().and_then(|model| model.past_review(today));
        Self { name, model, inputs, earlier: Vec::new(), past_review }
    }

    /// The model's version; empty when it could not be loaded.
    pub(super) fn version(&self) -> &str {
        self.model.as_ref().map_or("", |model| model.version())
    }

    /// What was put in, so that the same is not scored twice.
    pub(super) fn hash(&self) -> Vec<u8> {
        let mut put_in = format!("{:?}", self.inputs);
        if !self.earlier.is_empty() {
            put_in.push_str(&format!("{:?}", self.earlier));
        }
        if self.past_review.is_some() {
            put_in.push_str(" past review");
        }
        Sha256::digest(put_in.as_bytes()).to_vec()
    }

    fn answer(&self) -> Option<Outcome> {
        let model = self.model.as_ref()?;
        if let Some(why) = &self.past_review {
            return Some(Outcome::Abstain(why.clone()));
        }
        Some(match model.lookback() {
            Some(_) => model.score_after(&self.earlier, &self.inputs, None),
            None => model.score(&self.inputs, None),
        })
    }

    /// A score as it is written down.
    pub(super) fn new_score(&self, outcome: Option<Outcome>) -> NewScore {
        let mut score = NewScore {
            model: self.name.to_owned(),
            model_version: self.version().to_owned(),
            inputs_hash: self.hash(),
            inputs: written(&self.inputs),
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
}

/// Inputs as they are kept with a score: numbers and names by feature.
fn written(inputs: &Inputs) -> String {
    let known = inputs.iter().filter_map(|(name, value)| {
        let value = match value {
            Value::Number(number) => serde_json::Number::from_f64(*number)?.into(),
            Value::Category(level) => level.clone().into(),
            Value::Missing => return None,
        };
        Some((name.clone(), value))
    });
    serde_json::Value::Object(known.collect()).to_string()
}

/// The same, read again.
pub(super) fn read(text: &str) -> Inputs {
    let object: serde_json::Map<String, serde_json::Value> = serde_json::from_str(text).unwrap_or_default();
    let one = |(name, value): (String, serde_json::Value)| match value {
        serde_json::Value::Number(number) => Some((name, Value::Number(number.as_f64()?))),
        serde_json::Value::String(level) => Some((name, Value::Category(level))),
        _ => None,
    };
    object.into_iter().filter_map(one).collect()
}

/// What the model asks, out of a follow-up's facts: those that bear a feature's name.
pub(super) fn inputs(model: &Model, state: &EnrollmentState) -> Inputs {
    let asked = model.features().iter().filter(|feature| feature.source == Source::Column);
    asked
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

#[cfg(test)]
mod tests {
    use super::*;

    fn question(today: &str) -> Question {
        let inputs = [("age", 71.0), ("los_days", 5.0), ("n_emergency_12m", 1.0), ("n_inpatient_12m", 2.0)];
        let inputs = inputs.map(|(name, value)| (name.to_owned(), Value::Number(value)));
        Question::new(super::super::MODEL, super::super::SHIPPED.clone(), inputs.into(), today)
    }

    #[tokio::test]
    async fn the_thread_answers_in_order() {
        let empty = Question { inputs: Inputs::new(), ..question("2026-03-02") };
        let outcomes = compute(vec![empty; 40]).await.expect("the thread lives");
        assert_eq!(outcomes.len(), 40);
        assert!(outcomes.iter().all(|outcome| matches!(outcome, Some(Outcome::Abstain(_)))));
    }

    #[test]
    fn who_lacks_a_required_input_is_not_scored() {
        let empty = Question { inputs: Inputs::new(), ..question("2026-03-02") };
        assert!(matches!(empty.answer(), Some(Outcome::Abstain(Abstain::RequiredMissing { .. }))));
    }

    #[test]
    fn a_model_past_its_day_of_review_scores_nobody_and_says_why() {
        let (before, after) = (question("2026-03-02"), question("2999-01-01"));
        assert!(matches!(before.answer(), Some(Outcome::Score(_))));
        assert!(matches!(after.answer(), Some(Outcome::Abstain(Abstain::PastReview { .. }))));
        assert_ne!(before.hash(), after.hash(), "or yesterday's score would stay");
        let written = after.new_score(after.answer());
        assert!(written.ppm.is_none());
        let (en, zh) = written.abstain.expect("a reason");
        assert!(en.contains("was to be reviewed by") && zh.contains("复核"), "{en} {zh}");
    }

    #[test]
    fn what_was_put_in_is_kept_and_read_again() {
        let asked = question("2026-03-02");
        assert_eq!(read(&asked.new_score(None).inputs), asked.inputs);
    }

    #[test]
    fn probabilities_are_whole_parts_per_million() {
        assert_eq!((ppm(0.0), ppm(0.1234567), ppm(1.0)), (Some(0), Some(123_457), Some(1_000_000)));
        assert_eq!((ppm(-0.1), ppm(f64::NAN)), (None, None));
    }
}
