//! Opaque ids. They are UUIDv7, made by a port outside this crate, and carry no meaning here.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Why a text is not an id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is not an id: expected 32 hexadecimal digits with or without hyphens")]
pub struct NotAnId(pub String);

fn parse_uuid(text: &str) -> Result<u128, NotAnId> {
    let bad = || NotAnId(text.chars().take(40).collect());
    let digits: String = text.chars().filter(|c| *c != '-').collect();
    if digits.len() != 32 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(bad());
    }
    u128::from_str_radix(&digits, 16).map_err(|_| bad())
}

fn write_uuid(value: u128, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let text = hyphenated(value);
    f.write_str(std::str::from_utf8(&text).unwrap_or_default())
}

/// The usual form, 32 digits with four hyphens.
fn hyphenated(value: u128) -> [u8; 36] {
    let mut text = [b'-'; 36];
    let places = text.iter_mut().enumerate().filter(|(at, _)| !matches!(at, 8 | 13 | 18 | 23));
    for (nth, (_, place)) in places.enumerate() {
        let digit = (value >> (124 - 4 * nth)) & 0xf;
        *place = b"0123456789abcdef"[digit as usize];
    }
    text
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(pub u128);

        impl $name {
            /// Reads an id in the usual hyphenated form.
            ///
            /// # Errors
            /// [`NotAnId`] when the text is not a UUID.
            pub fn parse(text: &str) -> Result<Self, NotAnId> {
                parse_uuid(text).map(Self)
            }

            /// The usual form in ASCII.
            #[must_use]
            pub fn hyphenated(self) -> [u8; 36] {
                hyphenated(self.0)
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write_uuid(self.0, f)
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write_uuid(self.0, f)
            }
        }
        impl TryFrom<String> for $name {
            type Error = NotAnId;
            fn try_from(text: String) -> Result<Self, Self::Error> {
                Self::parse(&text)
            }
        }
        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.to_string()
            }
        }
    };
}

id!(
    /// A patient. Never a hospital number: those are identifiers in the demographics.
    PatientId
);
id!(
    /// A patient on a version of a workflow.
    EnrollmentId
);
id!(
    /// A message of the project's own table.
    MessageId
);
id!(
    /// A task on a worklist.
    TaskId
);
id!(
    /// A member of staff.
    StaffId
);
id!(
    /// A hospital site.
    SiteId
);

/// SHA-256 of the canonical typed model of a workflow, its questionnaires and its words.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct VersionHash(pub String);

impl VersionHash {
    /// The first eight digits, for people.
    #[must_use]
    pub fn short(&self) -> &str {
        self.0.get(..8).unwrap_or(&self.0)
    }
}

impl fmt::Display for VersionHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for VersionHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.short())
    }
}
