//! Features: what a model asks about a patient, typed, with units, ranges and words.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A text in the two languages of the pages.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Words {
    /// English.
    pub en: String,
    /// Chinese.
    pub zh: String,
}

impl Words {
    /// The same text in both: for columns that nobody has named yet.
    pub fn same(text: &str) -> Self {
        Self { en: text.to_owned(), zh: text.to_owned() }
    }

    /// The text in `language`: Chinese for `zh…`, else English.
    pub fn get(&self, language: &str) -> &str {
        if language.starts_with("zh") { &self.zh } else { &self.en }
    }
}

/// One level of a category.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Level {
    /// As it stands in the data.
    pub name: String,
    /// As a person reads it.
    pub label: Words,
}

/// What values a feature can take.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Kind {
    /// A number within the range seen in training.
    Number {
        /// Smallest value that is scored.
        min: f64,
        /// Largest value that is scored.
        max: f64,
        /// Only whole numbers were seen.
        whole: bool,
    },
    /// Yes (1) or no (0).
    Boolean,
    /// One of the levels seen in training.
    Category {
        /// The levels, in the order of the data's alphabet.
        levels: Vec<Level>,
    },
}

/// How a feature comes about.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// A column of the row itself.
    #[default]
    Column,
    /// How many earlier rows the same id has.
    EarlierRows,
    /// The order column minus that of the row before.
    Gap,
    /// The value of this column in the row before.
    Previous(String),
    /// The value of this column now minus that of the row before.
    Change(String),
    /// 1 when this column is the same as in the row before.
    Same(String),
    /// The share of earlier rows whose label is 1.
    EarlierShare(String),
}

/// One input of a model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Feature {
    /// Column name; the key under which a value is given.
    pub name: String,
    /// In words.
    pub label: Words,
    /// Unit, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<Words>,
    /// Without it the model abstains.
    pub required: bool,
    /// Where it comes from.
    #[serde(default)]
    pub source: Source,
    /// Type, range or levels.
    #[serde(flatten)]
    pub kind: Kind,
}

/// What a person may say about the columns before training; everything is optional.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SchemaFile {
    /// Title, attribution and limits; copied into `model.toml` and the card.
    #[serde(default)]
    pub about: About,
    /// Per column.
    #[serde(default)]
    pub feature: Vec<FeatureWords>,
}

/// What a model is for and where it comes from.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct About {
    /// Name in words.
    pub title: Words,
    /// What the number means.
    pub outcome: Words,
    /// Whom it was trained on and where it was not validated; shown wherever a score is shown.
    pub trained_on: Words,
    /// Where it has not been validated.
    pub not_validated: Words,
    /// Source and authors of the data.
    pub attribution: String,
    /// Licence of the data.
    pub licence: String,
    /// Day by which the model must be reviewed, as YYYY-MM-DD; after it nobody is scored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub review_by: Option<String>,
    /// Features by which the card shows figures of parts of the patients.
    pub subgroups: Vec<String>,
    /// Further sections of the card.
    pub section: Vec<Section>,
    /// The source attributes of the card, by number from 1 to 31.
    pub attribute: BTreeMap<String, String>,
}

/// A section of the card.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Section {
    /// Heading.
    pub heading: String,
    /// Markdown.
    pub text: String,
}

/// Words and overrides for one column.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeatureWords {
    /// Column name.
    pub name: String,
    /// In words.
    pub label: Words,
    /// Unit.
    #[serde(default)]
    pub unit: Option<Words>,
    /// Whether the model abstains without it.
    #[serde(default)]
    pub required: bool,
    /// Plausible range; by default the range seen in training.
    #[serde(default)]
    pub range: Option<[f64; 2]>,
    /// Words for the levels of a category.
    #[serde(default)]
    pub levels: Vec<Level>,
}

impl SchemaFile {
    /// Reads the TOML text of a schema file.
    pub fn parse(text: &str) -> Result<Self, String> {
        toml::from_str(text).map_err(|error| format!("the schema file cannot be read: {error}"))
    }

    pub(crate) fn words(&self, column: &str) -> Option<&FeatureWords> {
        self.feature.iter().find(|words| words.name == column)
    }
}
