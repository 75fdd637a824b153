//! Values of facts and answers.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::{Decimal, Name};

/// A typed value. Free text is never a value: rules cannot see it, and it is stored encrypted elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Value {
    /// Yes or no.
    Bool(bool),
    /// A whole number or a quantity in the unit that its definition states.
    Number(Decimal),
    /// One of the options of a choice.
    Choice(Name),
    /// A civil date.
    Date(Date),
}
