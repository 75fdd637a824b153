//! Weekdays as `mon` … `sun` in files and stored values.

use jiff::civil::Weekday;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

const NAMES: [(&str, Weekday); 7] = [
    ("mon", Weekday::Monday),
    ("tue", Weekday::Tuesday),
    ("wed", Weekday::Wednesday),
    ("thu", Weekday::Thursday),
    ("fri", Weekday::Friday),
    ("sat", Weekday::Saturday),
    ("sun", Weekday::Sunday),
];

/// The weekday of that name.
#[must_use]
pub fn parse(text: &str) -> Option<Weekday> {
    NAMES.iter().find(|(name, _)| *name == text).map(|(_, day)| *day)
}

/// The name of that weekday.
#[must_use]
pub fn name(day: Weekday) -> &'static str {
    NAMES.iter().find(|(_, known)| *known == day).map_or("mon", |(name, _)| name)
}

/// Writes a list of weekdays, for `#[serde(with = "crate::weekday")]`.
///
/// # Errors
/// Those of the serializer.
pub fn serialize<S: Serializer>(days: &[Weekday], to: S) -> Result<S::Ok, S::Error> {
    days.iter().map(|day| name(*day)).collect::<Vec<_>>().serialize(to)
}

/// Reads a list of weekdays.
///
/// # Errors
/// Those of the deserializer, or an unknown name.
pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Weekday>, D::Error> {
    let names = Vec::<String>::deserialize(from)?;
    let known =
        |name: &String| parse(name).ok_or_else(|| serde::de::Error::custom(format!("no weekday \"{name}\"")));
    names.iter().map(known).collect()
}
