//! The condition language: typed, total, decidable. No loops, no free text, no side effects.
//!
//! Unknown is a value of its own: a comparison with something unknown is unknown, and only true fires a rule.

#![allow(missing_docs, reason = "the fields of a variant are described on the variant")]

use serde::{Deserialize, Serialize};

use crate::{Decimal, Name, Value};

/// An expression of any type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Expr {
    /// A literal.
    Literal(Value),
    /// A fact of the enrollment.
    Fact(Name),
    /// An item of the answer at hand (for a questionnaire: the answer that triggered the rule).
    Item(Name),
    /// Points of a choice item of the answer at hand.
    Points(Name),
    /// A total of the answer at hand.
    Score(Name),
    /// The band of a total, as a choice.
    Band(Name),
    /// A named condition of the file.
    Defined(Name),
    /// Over earlier answers to the same item or total, bounded.
    Earlier { what: LookBack, of: Name, days: u32 },
    /// How many earlier answers to an item or total within the last `days` days compare so with a number.
    Times { of: Name, how: Compare, with: Decimal, days: u32 },
    /// Whole civil days from an anchor to today; negative before it.
    DaysSince(Name),
    /// Closed asks of a step in a row, latest first, that were the patient's silence. Saturates at 100.
    SilentInARow(Name),
    /// Silent asks of a step whose due day lies within the last `days` days.
    SilentWithin { step: Name, days: u32 },
    /// Answers to the asks of a step so far, or outcomes of a task step that took place; saturates at 1000.
    AnswerCount(Name),
    /// Whether a task of the step took place, or an ask of it went out, today or within the last `days` days.
    DoneWithin { step: Name, days: u32 },
    /// The latest outcome code of a task step.
    Outcome(Name),
    /// True when the inner value is not unknown.
    Known(Box<Expr>),
    /// True when the item was confirmed although it differs implausibly from the last one.
    Doubtful(Name),
    /// Declined ("prefer not to say").
    Declined(Name),
    /// Exact sum.
    Add(Box<Expr>, Box<Expr>),
    /// Exact difference.
    Subtract(Box<Expr>, Box<Expr>),
    /// That many per cent of it.
    Share(Decimal, Box<Expr>),
    /// A comparison.
    Compare(Compare, Box<Expr>, Box<Expr>),
    /// Membership in a list of literals.
    In(Box<Expr>, Vec<Value>),
    /// Kleene and.
    And(Vec<Condition>),
    /// Kleene or.
    Or(Vec<Condition>),
    /// Kleene not.
    Not(Box<Condition>),
}

/// An expression whose type is boolean.
pub type Condition = Expr;

/// What is taken from earlier answers. Doubtful answers are left out; the answer at hand is not among the earlier ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LookBack {
    /// The smallest of the last `days` civil days.
    Lowest,
    /// The largest of the last `days` civil days.
    Highest,
    /// The latest within the last `days` civil days.
    Previous,
}

/// Comparisons.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Compare {
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    More,
    /// `>=`
    AtLeast,
}

impl Compare {
    /// The same comparison with its sides exchanged.
    #[must_use]
    pub fn turned(self) -> Self {
        match self {
            Self::Less => Self::More,
            Self::AtMost => Self::AtLeast,
            Self::More => Self::Less,
            Self::AtLeast => Self::AtMost,
            Self::Equal | Self::NotEqual => self,
        }
    }
}

/// The longest look-back in days.
pub const LOOK_BACK_DAYS_MAX: u32 = 366;
/// Deepest nesting of an expression.
pub const EXPR_DEPTH_MAX: usize = 40;
/// Longest source of an expression, in bytes.
pub const EXPR_BYTES_MAX: usize = 1024;
