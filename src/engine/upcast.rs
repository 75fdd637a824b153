//! Reading facts of any age. Older shapes are brought to today's, a newer or unknown one is refused by name.

use serde_json::Value;

use crate::fact::{Fact, SCHEMA};

/// Why a stored fact cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// Written by a newer version of the product.
    #[error(
        "this history was written with schema {found}, and this version reads up to {known}: update tend"
    )]
    Newer {
        /// Its schema.
        found: u16,
        /// The newest that can be read.
        known: u16,
    },
    /// Not a fact of any version that can be read.
    #[error("a stored fact cannot be read: {0}")]
    Unreadable(String),
}

/// Brings a fact of one schema to the next.
type Upcaster = fn(Value) -> Value;

/// The n-th brings schema n + 1 to schema n + 2.
const UPCASTERS: [Upcaster; SCHEMA as usize - 1] = [];

/// Reads a stored fact of that schema.
///
/// # Errors
/// [`ReadError`] for a newer schema, an unknown kind, or a damaged text.
pub fn read(schema: u16, json: &str) -> Result<Fact, ReadError> {
    if schema > SCHEMA || schema == 0 {
        return Err(ReadError::Newer { found: schema, known: SCHEMA });
    }
    let unreadable = |error: serde_json::Error| ReadError::Unreadable(error.to_string());
    if schema == SCHEMA {
        return serde_json::from_str(json).map_err(unreadable);
    }
    let stored: Value = serde_json::from_str(json).map_err(unreadable)?;
    let steps = UPCASTERS.iter().skip(usize::from(schema) - 1);
    serde_json::from_value(steps.fold(stored, |fact, upcast| upcast(fact))).map_err(unreadable)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn todays_facts_are_read_and_others_refused_by_name() {
        let fact = Fact::Resumed;
        let json = serde_json::to_string(&fact).expect("a fact");
        assert_eq!(read(SCHEMA, &json), Ok(fact));
        assert_eq!(read(SCHEMA + 1, &json), Err(ReadError::Newer { found: SCHEMA + 1, known: SCHEMA }));
        let unknown = read(SCHEMA, r#"{"fact":"teleported"}"#).expect_err("refused");
        assert!(unknown.to_string().contains("teleported"), "{unknown}");
    }
}
