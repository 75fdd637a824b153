//! Computing scores: on a thread of its own at the lowest priority, so that neither the async threads nor the writer wait for
//! it.

use std::{
    sync::{LazyLock, mpsc},
    thread,
};

use sha2::{Digest, Sha256};
use tend_engine::{Value as FactValue, state::EnrollmentState};
use tend_risk::{Inputs, Kind, Model, Outcome, Value};
use thread_priority::{ThreadPriority, set_current_thread_priority};
use tokio::sync::oneshot;

use super::{MODEL, ScoreError, shipped};
use crate::store::{read::risk_queue::ScoreReason, scoring::NewScore};

/// Reasons that are kept with a score.
const REASONS_KEPT: usize = 12;
/// Slices that wait for the thread at most; whoever brings another waits.
const SLICES_WAITING_MAX: usize = 4;

type Slice = (Vec<Inputs>, oneshot::Sender<Vec<Option<Outcome>>>);

static THREAD: LazyLock<Option<mpsc::SyncSender<Slice>>> = LazyLock::new(|| {
    let (sender, slices) = mpsc::sync_channel::<Slice>(SLICES_WAITING_MAX);
    let work = move || {
        if let Err(error) = set_current_thread_priority(ThreadPriority::Min) {
            tracing::warn!("scoring runs at the priority of everything else: {error}");
        }
        for (inputs, answer) in slices {
            // Nobody waits for the answer any more when it cannot be sent.
            let _ = answer.send(inputs.iter().map(outcome).collect());
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
pub(super) async fn compute(inputs: Vec<Inputs>) -> Result<Vec<Option<Outcome>>, ScoreError> {
    let lost = || ScoreError::Interrupted("the thread that computes is gone".to_owned());
    let (answer, answered) = oneshot::channel();
    let thread = THREAD.as_ref().ok_or_else(lost)?;
    let mut slice = (inputs, answer);
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

/// What was put in, so that the same is not scored twice.
pub(super) fn inputs_hash(inputs: &Inputs) -> Vec<u8> {
    Sha256::digest(format!("{inputs:?}").as_bytes()).to_vec()
}

/// What the model asks, out of a follow-up's facts: those that bear a feature's name.
pub(super) fn inputs(state: &EnrollmentState) -> Inputs {
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

/// A score as it is written down.
pub(super) fn new_score(inputs: &Inputs, outcome: Option<Outcome>) -> NewScore {
    let mut score = NewScore {
        model: MODEL.to_owned(),
        model_version: shipped().map_or_else(String::new, |model| model.version().to_owned()),
        inputs_hash: inputs_hash(inputs),
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

    #[tokio::test]
    async fn the_thread_answers_in_order() {
        let outcomes = compute(vec![Inputs::new(); 40]).await.expect("the thread lives");
        assert_eq!(outcomes.len(), 40);
        assert!(outcomes.iter().all(|outcome| matches!(outcome, Some(Outcome::Abstain(_)))));
    }

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
