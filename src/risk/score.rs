//! What goes into a model and what comes out: a score with reasons, or a reason to abstain.

use std::collections::BTreeMap;

use crate::schema::{Feature, Kind, Words};

/// One value of a patient.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A number, or 0 and 1 for a boolean.
    Number(f64),
    /// A level of a category.
    Category(String),
    /// Known to be unknown; the same as leaving the name out.
    Missing,
}

/// Values by feature name; what is left out is missing.
pub type Inputs = BTreeMap<String, Value>;

/// The two normal endings of a scoring.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// A number that may be shown.
    Score(Score),
    /// No number may be shown.
    Abstain(Abstain),
}

/// A probability with its interval and its reasons.
#[derive(Debug, Clone, PartialEq)]
pub struct Score {
    /// The time that the risk is for, in the unit of the training data; `None` for a yes-or-no label.
    pub horizon: Option<f64>,
    /// Calibrated probability of the event by the horizon.
    pub risk: f64,
    /// Lower end of the 90 % interval.
    pub low: f64,
    /// Upper end of the 90 % interval.
    pub high: f64,
    /// Risk of the reference patient, from whom the reasons count.
    pub reference_risk: f64,
    /// Largest first; their sum is logit(risk) - logit(reference risk).
    pub reasons: Vec<Reason>,
    /// Names of optional inputs that were missing.
    pub missing: Vec<String>,
    /// Which weights made it.
    pub model_version: String,
}

/// One additive contribution on the log-odds scale.
#[derive(Debug, Clone, PartialEq)]
pub struct Reason {
    /// Feature name.
    pub feature: String,
    /// Feature in words.
    pub label: Words,
    /// The patient's value in words, unit included.
    pub value: Words,
    /// The reference patient's value in words.
    pub reference: Words,
    /// Log-odds; above 0 raises the risk.
    pub log_odds: f64,
}

impl Reason {
    /// "Age: 75 years (reference 65 years) raises the risk".
    pub fn sentence(&self, language: &str) -> String {
        let label = self.label.get(language);
        let value = self.value.get(language);
        let reference = self.reference.get(language);
        let raises = self.log_odds > 0.0;
        if language.starts_with("zh") {
            let verb = if raises { "使风险升高" } else { "使风险降低" };
            return format!("{label}：{value}（参照 {reference}）{verb}");
        }
        let verb = if raises { "raises the risk" } else { "lowers the risk" };
        format!("{label}: {value} (reference {reference}) {verb}")
    }
}

/// Why a patient is not scored.
#[derive(Debug, Clone, PartialEq)]
pub enum Abstain {
    /// A required input is missing.
    RequiredMissing {
        /// Which.
        feature: String,
        /// In words.
        label: Words,
    },
    /// A number outside the range of the training data.
    OutOfRange {
        /// Which.
        feature: String,
        /// In words.
        label: Words,
        /// The value.
        value: f64,
        /// Smallest value scored.
        min: f64,
        /// Largest value scored.
        max: f64,
    },
    /// A level that training never saw, or a text where a number belongs.
    UnseenKind {
        /// Which.
        feature: String,
        /// In words.
        label: Words,
        /// The value.
        value: String,
    },
    /// No model is loaded, or its files are damaged.
    ModelUnavailable {
        /// What is wrong with it.
        why: String,
    },
    /// The model was to be reviewed by a day that has passed.
    PastReview {
        /// That day, as YYYY-MM-DD.
        review_by: String,
    },
    /// The computation gave no finite number.
    NotFinite,
    /// The horizon asked for lies outside what the model has seen.
    HorizonOutOfRange {
        /// Asked for.
        horizon: f64,
        /// The longest that training followed anybody.
        longest: f64,
    },
}

impl Abstain {
    /// A stable one-word code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::RequiredMissing { .. } => "required_missing",
            Self::OutOfRange { .. } => "out_of_range",
            Self::UnseenKind { .. } => "unseen_kind",
            Self::ModelUnavailable { .. } => "model_unavailable",
            Self::PastReview { .. } => "past_review",
            Self::NotFinite => "not_finite",
            Self::HorizonOutOfRange { .. } => "horizon_out_of_range",
        }
    }

    /// What follows "not scored because" (or 未评分，因为).
    pub fn sentence(&self, language: &str) -> String {
        let zh = language.starts_with("zh");
        match self {
            Self::RequiredMissing { label, .. } => {
                let label = label.get(language);
                if zh {
                    format!("缺少必需项“{label}”")
                } else {
                    format!("{label} is missing, and the model requires it")
                }
            }
            Self::OutOfRange { label, value, min, max, .. } => {
                let label = label.get(language);
                let value = plain(*value);
                let (min, max) = (plain(*min), plain(*max));
                if zh {
                    format!("“{label}”为 {value}，超出模型训练范围 {min} 至 {max}")
                } else {
                    format!("{label} is {value}, outside the model's range of {min} to {max}")
                }
            }
            Self::UnseenKind { label, value, .. } => {
                let label = label.get(language);
                if zh {
                    format!("“{label}”为“{value}”，模型训练中没有这种取值")
                } else {
                    format!("{label} is \"{value}\", a value that the model has never seen")
                }
            }
            Self::ModelUnavailable { why } if zh => format!("模型不可用：{why}"),
            Self::ModelUnavailable { why } => format!("the model is not available: {why}"),
            Self::PastReview { review_by } if zh => format!("模型应在 {review_by} 前复核，现已过期"),
            Self::PastReview { review_by } => {
                format!("the model was to be reviewed by {review_by}, and nobody has done so")
            }
            Self::NotFinite if zh => "模型没有得出有效数值".to_owned(),
            Self::NotFinite => "the model gave no valid number".to_owned(),
            Self::HorizonOutOfRange { horizon, longest } => {
                let (horizon, longest) = (plain(*horizon), plain(*longest));
                if zh {
                    format!("时间点 {horizon} 超出模型的观察时长 {longest}")
                } else {
                    format!("the horizon {horizon} is beyond the {longest} that the model has seen")
                }
            }
        }
    }
}

/// A number as a person writes it: no trailing zeros, at most four decimals.
pub(crate) fn plain(value: f64) -> String {
    let text = format!("{value:.4}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A feature's value in words; NaN is missing.
pub(crate) fn in_words(feature: &Feature, value: f64) -> Words {
    let words = |en: &str, zh: &str| Words { en: en.to_owned(), zh: zh.to_owned() };
    if value.is_nan() {
        return words("not known", "未知");
    }
    match &feature.kind {
        Kind::Boolean if value > 0.5 => words("yes", "是"),
        Kind::Boolean => words("no", "否"),
        Kind::Number { .. } => {
            let number = plain(value);
            match &feature.unit {
                Some(unit) => {
                    Words { en: format!("{number} {}", unit.en), zh: format!("{number} {}", unit.zh) }
                }
                None => Words::same(&number),
            }
        }
        Kind::Category { levels } => {
            levels.get(value as usize).map_or_else(|| Words::same("?"), |level| level.label.clone())
        }
    }
}
