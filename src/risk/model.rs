//! A model as a folder: `model.safetensors` (weights) and `model.toml` (everything that a person may want to read).
//!
//! Both are checked by SHA-256 when they are loaded: `model.toml` begins with the hash of the rest of itself and holds
//! the hash of the weights, so that a changed byte in either is refused.

use serde::{Deserialize, Serialize};

use crate::encode::{Block, Encoder};
use crate::evaluate::NetBenefit;
use crate::figures::{FoldMetric, Subgroup, Tenth};
use crate::hazard::Intervals;
use crate::history::Lookback;
use crate::linear::{Doubt, Linear};
use crate::local::Local;
pub use crate::parts::Parts;
use crate::quick::QuickMembers;
use crate::schema::{About, Feature, Source};
use crate::score::Abstain;
use crate::sha256;
use crate::stack::Stack;
use crate::trees::{Bins, LEAVES, QuickTrees, STRETCHES, stretches};
use crate::watch::Spread;

/// Format that this program reads and writes.
pub const FORMAT: u32 = 2;

/// Why a model cannot be used.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ModelError {
    /// `model.toml` was changed after it was written.
    #[error("model.toml is not the file that was written (its checksum differs); restore it or train again")]
    Changed,
    /// `model.toml` cannot be read.
    #[error("model.toml cannot be read: {0}")]
    Unreadable(String),
    /// Written by another version of the program.
    #[error(
        "the model has format {found}, this program reads format {FORMAT}; train it again with this program"
    )]
    Format {
        /// Format of the file.
        found: u32,
    },
    /// The weights do not belong to this `model.toml`.
    #[error(
        "model.safetensors is not the file that belongs to model.toml (its checksum differs); restore it or train again"
    )]
    Weights,
    /// The weights have another shape than `model.toml` says.
    #[error("model.safetensors does not fit model.toml: {0}; train again")]
    Shape(String),
    /// A weight is NaN or infinite.
    #[error("the weight {0} is not a finite number; train again")]
    NotFinite(String),
}

/// A figure with its interval.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Metric {
    /// Name, as in the output of `tend risk evaluate`.
    pub name: String,
    /// Horizon, where the figure depends on one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub horizon: Option<f64>,
    /// The figure.
    pub value: f64,
    /// Lower end of the 95 % interval.
    pub low: f64,
    /// Upper end of the 95 % interval.
    pub high: f64,
}

/// How the model came about.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Training {
    /// Rows learned from.
    pub rows: usize,
    /// Different ids among them.
    pub ids: usize,
    /// Rows with the event.
    pub events: usize,
    /// SHA-256 of the data file.
    pub data_sha256: String,
    /// Seed.
    pub seed: u64,
    /// Inner folds.
    pub inner_folds: usize,
    /// Shrinkage of the linear path, chosen by held-out loss.
    pub ridge: f64,
    /// Epochs of the members, chosen by held-out loss.
    pub epochs: usize,
    /// Units of each hidden layer.
    pub hidden: usize,
    /// Members of all networks together.
    pub members: usize,
    /// Trees of all forests together.
    pub trees: usize,
    /// Whether somebody stopped the training before it had learned all that it would have.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub stopped_early: bool,
    /// Whether optional inputs were taken away at random while learning.
    pub random_absence: bool,
    /// Columns that were not used, each with the reason.
    pub left_out: Vec<String>,
    /// Columns that look odd, each with the figure; those that were allowed by name among them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// The columns of the training file that have a role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Columns {
    /// Patient.
    pub id: String,
    /// Label, for a yes-or-no outcome.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Time, for survival.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<String>,
    /// Event, for survival.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<String>,
    /// Order of an id's rows, when the model looks back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<String>,
}

/// A feature with its encoding and the reference patient's value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Input {
    /// The feature.
    #[serde(flatten)]
    pub feature: Feature,
    /// Value of the reference patient; none when most are missing. A category is the position of its level.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<f64>,
    /// Encoding.
    pub block: Block,
    /// How its values were spread in training.
    #[serde(default)]
    pub spread: Spread,
}

/// The contents of `model.toml`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelFile {
    /// See `FORMAT`.
    pub format: u32,
    /// Short name of these weights: the first 12 digits of their hash.
    pub version: String,
    /// SHA-256 of `model.safetensors`.
    pub weights_sha256: String,
    /// Horizons that are reported when none are asked for; none for a label.
    pub horizons: Vec<f64>,
    /// Purpose, source, limits.
    pub about: About,
    /// Roles of columns.
    pub columns: Columns,
    /// Intervals of time.
    pub intervals: Intervals,
    /// Calibration, already contained in the weights.
    pub calibration: Stack,
    /// How a site recalibrated it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub local: Option<Local>,
    /// How it came about.
    pub training: Training,
    /// Figures on held-out rows, with intervals.
    #[serde(default)]
    pub metric: Vec<Metric>,
    /// The same, fold by fold.
    #[serde(default)]
    pub fold_metric: Vec<FoldMetric>,
    /// The same, by parts of the patients.
    #[serde(default)]
    pub subgroup: Vec<Subgroup>,
    /// Calibration by tenths of risk.
    #[serde(default)]
    pub tenth: Vec<Tenth>,
    /// Net benefit by threshold.
    #[serde(default)]
    pub decision_curve: Vec<NetBenefit>,
    /// Inputs.
    pub input: Vec<Input>,
}

/// A model that can score.
#[derive(Debug, Clone)]
pub struct Model {
    pub(crate) file: ModelFile,
    pub(crate) features: Vec<Feature>,
    pub(crate) encoder: Encoder,
    pub(crate) linear: Linear,
    pub(crate) doubt: Doubt,
    pub(crate) members: QuickMembers,
    pub(crate) bins: Bins,
    pub(crate) trees: QuickTrees,
    pub(crate) stretches: Vec<u8>,
    pub(crate) reference: Vec<f64>,
}

impl Model {
    /// Reads a model from the text of `model.toml` and the bytes of `model.safetensors`.
    pub fn from_bytes(toml: &str, safetensors: &[u8]) -> Result<Self, ModelError> {
        let (first, rest) = toml.split_once('\n').ok_or(ModelError::Changed)?;
        if first.trim_end() != seal(rest) {
            return Err(ModelError::Changed);
        }
        let file: ModelFile =
            toml::from_str(rest).map_err(|error| ModelError::Unreadable(error.to_string()))?;
        if file.format != FORMAT {
            return Err(ModelError::Format { found: file.format });
        }
        if sha256::hex(safetensors) != file.weights_sha256 {
            return Err(ModelError::Weights);
        }
        let parts = Parts::from_bytes(safetensors)?;
        Self::assemble(file, &parts)
    }

    pub(crate) fn assemble(file: ModelFile, parts: &Parts) -> Result<Self, ModelError> {
        let shape = |error: candle_core::Error| ModelError::Shape(error.to_string());
        let encoder = Encoder { blocks: file.input.iter().map(|input| input.block.clone()).collect() };
        let members = QuickMembers::of(&parts.nets).map_err(shape)?;
        let many = || ModelError::Shape(format!("a tree has more than {LEAVES} leaves"));
        let count = file.intervals.count();
        let trees = QuickTrees::of(&parts.forests, &parts.bins, count.min(STRETCHES)).ok_or_else(many)?;
        check_shape(&file, parts, &encoder, &members)?;
        Ok(Self {
            features: file.input.iter().map(|input| input.feature.clone()).collect(),
            reference: file.input.iter().map(|i| i.reference.unwrap_or(f64::NAN)).collect(),
            encoder,
            doubt: Doubt::of(&parts.linear.covariance, &parts.centre),
            linear: parts.linear.clone(),
            members,
            bins: parts.bins.clone(),
            trees,
            stretches: stretches(count),
            file,
        })
    }

    /// The inputs, in the order in which a form may ask for them.
    pub fn features(&self) -> &[Feature] {
        &self.features
    }

    /// Everything else that `model.toml` says.
    pub fn file(&self) -> &ModelFile {
        &self.file
    }

    /// Short name of the weights, for records and pages.
    pub fn version(&self) -> &str {
        &self.file.version
    }

    /// Why nobody is scored on this day (YYYY-MM-DD), if the day of review has passed.
    pub fn past_review(&self, today: &str) -> Option<Abstain> {
        let review_by = self.file.about.review_by.as_ref()?;
        (today > review_by.as_str()).then(|| Abstain::PastReview { review_by: review_by.clone() })
    }

    /// The columns that looking back needs, when the model looks back.
    pub fn lookback(&self) -> Option<Lookback> {
        let derived = self.features.iter().any(|f| f.source != Source::Column);
        let order = self.file.columns.order.clone().filter(|_| derived)?;
        Some(Lookback { id: self.file.columns.id.clone(), order, label: self.file.columns.label.clone() })
    }
}

fn check_shape(
    file: &ModelFile,
    parts: &Parts,
    encoder: &Encoder,
    members: &QuickMembers,
) -> Result<(), ModelError> {
    let expect = |what: &str, found: usize, expected: usize| {
        if found == expected {
            return Ok(());
        }
        Err(ModelError::Shape(format!("{what} has {found} values where {expected} are expected")))
    };
    let (columns, intervals) = (encoder.linear(), file.intervals.count());
    expect("linear.beta", parts.linear.beta.len(), columns)?;
    expect("linear.centre", parts.centre.len(), columns)?;
    expect("linear.covariance", parts.linear.covariance.len(), columns * columns)?;
    expect("linear.intercepts", parts.linear.intercepts.len(), intervals)?;
    expect("w1", members.inputs, encoder.width())?;
    expect("w3", members.outputs, intervals)?;
    expect("the trees' bins", parts.bins.width(), file.input.len())?;
    expect("members of all networks", members.count % parts.forests.len().max(1), 0)
}

/// The first line of `model.toml`.
fn seal(rest: &str) -> String {
    format!("# sha256 of what follows: {}", sha256::hex(rest.as_bytes()))
}

/// The two files of a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelBytes {
    /// Text of `model.toml`.
    pub toml: String,
    /// Bytes of `model.safetensors`.
    pub safetensors: Vec<u8>,
}

impl ModelBytes {
    /// Writes `file` and `parts`; version and hash are filled in.
    pub fn write(mut file: ModelFile, parts: &Parts) -> Result<Self, ModelError> {
        let safetensors = parts.to_bytes()?;
        file.weights_sha256 = sha256::hex(&safetensors);
        file.version = file.weights_sha256[..12].to_owned();
        Self { toml: String::new(), safetensors }.with_file(&file)
    }

    /// The same weights with another `model.toml`.
    pub fn with_file(self, file: &ModelFile) -> Result<Self, ModelError> {
        let rest = toml::to_string(file).map_err(|error| ModelError::Unreadable(error.to_string()))?;
        Ok(Self { toml: format!("{}\n{rest}", seal(&rest)), safetensors: self.safetensors })
    }
}
