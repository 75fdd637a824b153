//! Instruments: items, branching, scoring, red flags.

#![allow(missing_docs, reason = "the fields of a variant are described on the variant")]

use serde::{Deserialize, Serialize};

use super::{Expr, Lang, Text, Translation};
use crate::{Decimal, Name};

/// A questionnaire. Changing its words or order makes a new version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Questionnaire {
    /// The file's name.
    pub id: Name,
    /// Written by its author, for example "1".
    pub version: String,
    /// Shown to staff only: patients' messages never name an instrument.
    pub title: Text,
    /// The patient's heading, neutral.
    pub heading: Text,
    /// Said once above the items, for example the recall period.
    pub stem: Option<Text>,
    /// Terms under which the wording is shipped.
    pub licence: String,
    /// Credit line that must be shown.
    pub credit: Option<String>,
    /// LOINC panel code.
    pub loinc: Option<String>,
    /// Per language where the words come from, for example "to be confirmed by site".
    pub translation_source: Vec<(String, String)>,
    /// Per language how far its words can be relied on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub translations: Vec<(Lang, Translation)>,
    /// Never sent where nobody will see the answer the same day (PHQ-9).
    pub only_in_covered_hours: bool,
    /// In order.
    pub items: Vec<Item>,
    /// Totals.
    pub scores: Vec<ScoreDef>,
    /// Said after submission: what happens next.
    pub closing: Option<Text>,
}

/// One question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// Used in conditions.
    pub id: Name,
    /// The question.
    pub ask: Text,
    /// Help under it.
    pub hint: Option<Text>,
    /// LOINC code.
    pub loinc: Option<String>,
    /// Type and range.
    pub kind: ItemKind,
    /// May stay empty.
    pub optional: bool,
    /// "Prefer not to say" is offered and stored as declined, never as zero.
    pub declinable: bool,
    /// Shown only if this holds of the answers so far.
    pub only_if: Option<Expr>,
}

/// The type of an item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ItemKind {
    /// Exactly one option.
    Choice(Vec<Option_>),
    /// Yes or no.
    YesNo,
    /// A whole number in a closed range.
    Whole { min: i64, max: i64 },
    /// A quantity in a closed range; units that the patient may use instead convert to `unit` by a factor.
    Quantity {
        unit: String,
        other_units: Vec<(String, Decimal)>,
        min: Decimal,
        max: Decimal,
        doubt: Option<Doubt>,
    },
    /// Free text; encrypted, never seen by rules.
    Text { max_chars: u32 },
}

/// When a number is asked again before it counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Doubt {
    /// It differs from the last answer by more than this.
    pub differs_by: Decimal,
}

/// An option of a choice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Option_ {
    /// Used in conditions.
    pub id: Name,
    /// Words on the row.
    pub label: Text,
    /// Points for totals and `points(item)`.
    pub points: Option<i64>,
    /// LOINC answer code.
    pub loinc: Option<String>,
}

/// A total over items.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScoreDef {
    /// Used in conditions.
    pub id: Name,
    /// Shown to staff.
    pub label: Text,
    /// LOINC code.
    pub loinc: Option<String>,
    /// Summed by their points or numbers.
    pub items: Vec<Name>,
    /// Up to this many missing ones are replaced by the mean of the others; more leave no total.
    pub impute_up_to: u32,
    /// Never imputed: when one of these is missing the total is still made from the others only if they are not summed.
    pub never_impute: Vec<Name>,
    /// Named ranges that cover the whole scale.
    pub bands: Vec<Band>,
}

/// A named range of a total, closed on both sides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Band {
    /// For example `mild`.
    pub id: Name,
    /// Shown to staff.
    pub label: Text,
    /// Lowest total.
    pub from: i64,
    /// Highest total.
    pub to: i64,
}
