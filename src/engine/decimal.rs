//! Exact decimals: a scale that says 80.2 and a rule that says "more than 2 kg above 78.2" must agree.

use std::{fmt, ops};

use serde::{Deserialize, Serialize};

/// Digits kept behind the point.
pub const PLACES: u32 = 4;
const ONE: i64 = 10_i64.pow(PLACES);
/// The largest magnitude that can be written in a file or answered.
pub const DECIMAL_MAX: i64 = 1_000_000_000;

/// A decimal number with four places. Arithmetic saturates and never panics.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Decimal(i64);

/// Why a text is not a [`Decimal`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is not a number: write digits with at most {PLACES} places, for example 78.4")]
pub struct NotADecimal(pub String);

impl Decimal {
    /// Zero.
    pub const ZERO: Self = Self(0);

    /// A whole number; saturates beyond [`DECIMAL_MAX`].
    #[must_use]
    pub fn whole(n: i64) -> Self {
        Self(n.clamp(-DECIMAL_MAX, DECIMAL_MAX) * ONE)
    }

    /// Reads `78`, `78.4`, `-0.5` and, for patients who type a comma, `78,4`.
    ///
    /// # Errors
    /// [`NotADecimal`] for anything else, more than four places, or a magnitude beyond [`DECIMAL_MAX`].
    pub fn parse(text: &str) -> Result<Self, NotADecimal> {
        let bad = || NotADecimal(text.chars().take(40).collect());
        let trimmed = text.trim();
        let (negative, digits) = match trimmed.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, trimmed),
        };
        let (whole, places) = digits.split_once(['.', ',']).unwrap_or((digits, ""));
        let plain = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty()
            || whole.len() > 10
            || places.len() > PLACES as usize
            || !plain(whole)
            || !plain(places)
        {
            return Err(bad());
        }
        let units: i64 = whole.parse().map_err(|_| bad())?;
        if units > DECIMAL_MAX {
            return Err(bad());
        }
        let padded = format!("{places:0<width$}", width = PLACES as usize);
        let fraction: i64 = padded.parse().map_err(|_| bad())?;
        let value = units * ONE + fraction;
        Ok(Self(if negative { -value } else { value }))
    }

    /// The nearest whole number, halves away from zero.
    #[must_use]
    pub fn rounded(self) -> i64 {
        let half = ONE / 2;
        if self.0 >= 0 { self.0.saturating_add(half) / ONE } else { self.0.saturating_sub(half) / ONE }
    }

    /// The exact quotient rounded to four places; `None` when dividing by zero.
    #[must_use]
    pub fn over(self, divisor: Self) -> Option<Self> {
        if divisor.0 == 0 {
            return None;
        }
        let scaled = i128::from(self.0) * i128::from(ONE);
        let quotient = scaled / i128::from(divisor.0);
        Some(Self(i64::try_from(quotient).unwrap_or(i64::MAX)))
    }

    /// The product rounded to four places; saturates.
    #[must_use]
    pub fn times(self, other: Self) -> Self {
        let product = i128::from(self.0) * i128::from(other.0) / i128::from(ONE);
        Self(i64::try_from(product).unwrap_or(if product < 0 { i64::MIN } else { i64::MAX }))
    }

    /// That many per cent of it, rounded to four places, halves away from zero; saturates.
    #[must_use]
    pub fn percent(self, percent: Self) -> Self {
        let hundred = i128::from(ONE) * 100;
        let product = i128::from(self.0) * i128::from(percent.0);
        let half = if product < 0 { -hundred / 2 } else { hundred / 2 };
        let share = (product + half) / hundred;
        Self(i64::try_from(share).unwrap_or(if share < 0 { i64::MIN } else { i64::MAX }))
    }

    /// The value as a float, for charts and risk features only.
    #[must_use]
    pub fn to_f64(self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "charts and features need 15 digits at most")]
        let units = self.0 as f64;
        units / 10_f64.powi(PLACES as i32)
    }
}

impl ops::Add for Decimal {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl ops::Sub for Decimal {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let magnitude = self.0.unsigned_abs();
        let (whole, fraction) = (magnitude / ONE.unsigned_abs(), magnitude % ONE.unsigned_abs());
        if fraction == 0 {
            return write!(f, "{sign}{whole}");
        }
        let places = format!("{fraction:0width$}", width = PLACES as usize);
        write!(f, "{sign}{whole}.{}", places.trim_end_matches('0'))
    }
}

impl fmt::Debug for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl TryFrom<String> for Decimal {
    type Error = NotADecimal;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<Decimal> for String {
    fn from(value: Decimal) -> Self {
        value.to_string()
    }
}
