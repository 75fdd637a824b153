//! Identifiers that authors write in workflow files.

use std::{cmp::Ordering, fmt, sync::Arc};

use serde::{Deserialize, Serialize};

/// The longest name an author may write, in bytes.
pub const NAME_MAX: usize = 60;

/// A name of a step, fact, rule, item, option and so on: ASCII letters, digits, `-` and `_`, starting with a letter.
#[derive(Clone, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[expect(clippy::derived_hash_with_manual_eq, reason = "equality is that of the text, only found out sooner")]
pub struct Name(Arc<str>);

// Most names that are compared are one and the same text in memory.
impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0 == other.0
    }
}

impl PartialOrd for Name {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Name {
    fn cmp(&self, other: &Self) -> Ordering {
        if Arc::ptr_eq(&self.0, &other.0) {
            return Ordering::Equal;
        }
        // Mostly the first letter tells.
        let (one, other) = (self.0.as_bytes(), other.0.as_bytes());
        one.first().cmp(&other.first()).then_with(|| one.cmp(other))
    }
}

/// Why a text is not a [`Name`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "\"{0}\" is not a name: use letters, digits, - and _, start with a letter, at most {NAME_MAX} characters"
)]
pub struct NotAName(pub String);

impl Name {
    /// The one door: checks the alphabet and the length.
    ///
    /// # Errors
    /// [`NotAName`] when the text is empty, too long, or has another character.
    pub fn parse(text: &str) -> Result<Self, NotAName> {
        let good = text.len() <= NAME_MAX
            && text.starts_with(|c: char| c.is_ascii_alphabetic())
            && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
        if good { Ok(Self(text.into())) } else { Err(NotAName(text.chars().take(80).collect())) }
    }

    /// A name of the project's own vocabulary, known to be good.
    #[must_use]
    pub(crate) fn constant(text: &'static str) -> Self {
        Self(text.into())
    }

    /// The name again from the text of one.
    pub(crate) fn known(text: &str) -> Self {
        Self(text.into())
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Name {
    type Error = NotAName;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.0.as_ref().to_owned()
    }
}

impl PartialEq<str> for Name {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for Name {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

impl std::borrow::Borrow<str> for Name {
    fn borrow(&self) -> &str {
        &self.0
    }
}
