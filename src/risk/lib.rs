//! Tend's risk model: values of a patient to a score with reasons, or a reason to abstain.
//!
//! Pure: no files, no clock, no randomness but what a seed gives. Bytes go in and come out; reading and writing files
//! is the caller's business.
//!
//! For those who score:
//!
//! ```no_run
//! use tend_risk::{Inputs, Model, Outcome, Value};
//! # let (toml, weights): (&str, &[u8]) = ("", &[]);
//! let model = Model::from_bytes(toml, weights)?;          // ModelError is a sentence
//! for feature in model.features() {                       // name, label (en, zh), unit, required, kind with range or levels
//!     println!("{} {}", feature.name, feature.label.get("en"));
//! }
//! let mut inputs = Inputs::new();                         // by feature name; what is left out is missing
//! inputs.insert("age".into(), Value::Number(75.0));
//! inputs.insert("sex".into(), Value::Category("F".into()));
//! match model.score(&inputs, None) {                      // None: the model's own horizon
//!     Outcome::Score(score) => println!("{} {:?}", score.risk, score.reasons[0].sentence("zh")),
//!     Outcome::Abstain(why) => println!("not scored because {}", why.sentence("en")),
//! }
//! # Ok::<(), tend_risk::ModelError>(())
//! ```
//!
//! `score.reasons` are largest first and sum to `logit(risk) - logit(reference_risk)`. `model.file()` has everything
//! else that `model.toml` says: what it was trained on, where it was not validated, figures with intervals.
//! A model that cannot be loaded is `Abstain::ModelUnavailable`, never a low risk.
//!
//! For those who train: `fit` takes a `RawTable` of texts and gives a model's bytes; `history` holds the features that
//! look back; `inner`, `trees`, `linear`, `deep` and `stack` are the steps of a fit, in this order.

// What bad input could reach says what is wrong and goes on; a test may panic.
#![warn(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bare;
mod card;
mod columns;
mod deep;
mod encode;
mod error;
mod evaluate;
mod figures;
mod fit;
mod hazard;
mod history;
mod inner;
mod leak;
mod linear;
mod local;
pub mod metrics;
mod model;
mod net;
mod outcome;
mod page;
mod parts;
mod predict;
pub mod published;
mod quick;
mod reasons;
mod rng;
mod schema;
mod score;
mod settle;
pub mod sha256;
mod solve;
mod stack;
mod table;
mod trees;
mod tripod;
mod watch;

pub use bare::Bare;
pub use card::card;
pub use columns::Frame;
pub use error::{DataError, FitError};
pub use evaluate::{
    EvaluateError, Evaluation, NetBenefit, Question, ROUNDS, Scored, binary_metrics, survival_metrics,
};
pub use figures::{Figures, FoldMetric, Subgroup, Tenth};
pub use fit::{Fitted, Options, Tell, fit};
pub use hazard::{Intervals, Observed};
pub use history::{Lookback, Past};
pub use inner::{Split, group};
pub use leak::Leak;
pub use local::{INTERCEPT_EVENTS, Local, SLOPE_EVENTS};
pub use model::{Columns, FORMAT, Input, Metric, Model, ModelBytes, ModelError, ModelFile, Training};
pub use outcome::{OutcomeColumns, Roles, observed};
pub use page::page;
pub use predict::{Estimate, Raw};
pub use schema::{About, Feature, FeatureWords, Kind, Level, SchemaFile, Section, Source, Words};
pub use score::{Abstain, Inputs, Outcome, Reason, Score, Value};
pub use settle::{MIN_EVENTS, MIN_IDS, MIN_ROWS};
pub use stack::Stack;
pub use table::{MAX_COLUMNS, RawTable};
pub use watch::{DRIFTED, LIMIT, LOOK, Period, Ratio, Signal, Spread, control, ratio};

#[cfg(test)]
mod after_tests;
#[cfg(test)]
mod history_tests;
#[cfg(test)]
mod leak_tests;
#[cfg(test)]
mod reading_tests;
#[cfg(test)]
mod tests;
