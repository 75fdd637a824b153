//! Who a patient is, as sealed in the demographics: the only place with names and addresses.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use tend_engine::model::Channel;

/// Name, birth date and sex.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Demographics {
    /// As on the hospital's papers.
    pub name: String,
    /// The wrong-person guard of links asks for it.
    pub birth_date: Date,
    /// As recorded by the hospital.
    pub sex: Option<String>,
}

/// A number of a patient in another system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identifier {
    /// For example the hospital's number or the national one.
    pub system: String,
    /// The number.
    pub value: String,
}

/// An address on a channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactPoint {
    /// How it is reached.
    pub channel: Channel,
    /// Telephone number in E.164 form, or e-mail address.
    pub address: String,
    /// The patient's own, or a carer's.
    pub owner: Owner,
}

/// Whose an address is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Owner {
    /// The patient's.
    Own,
    /// A carer's.
    Carer,
}

/// What is bound to the bytes when they are sealed.
pub(crate) mod sealed {
    /// Name, birth date, sex.
    pub const DEMOGRAPHICS: &str = "demographics";
    /// A number of another system.
    pub const IDENTIFIER: &str = "identifier";
    /// A telephone number or e-mail address.
    pub const ADDRESS: &str = "address";
    /// Free text of answers and reasons.
    pub const WORDS: &str = "words";
    /// What was sent.
    pub const SENT: &str = "sent";
    /// A draft of answers.
    pub const DRAFT: &str = "draft";
    /// A note on a task.
    pub const NOTE: &str = "note";
    /// An inbound text.
    pub const REPLY: &str = "reply";
}

/// The words of a name that it can be looked up by: lower case, split at anything that is no letter or digit; a name
/// without spaces (as in Chinese) also by each of its characters.
#[must_use]
pub fn name_words(name: &str) -> Vec<String> {
    let lower = name.to_lowercase();
    let mut words: Vec<String> = lower
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect();
    let wide: Vec<String> = lower.chars().filter(|c| *c >= '\u{2e80}').map(String::from).collect();
    words.extend(wide);
    words.sort();
    words.dedup();
    words
}

#[cfg(test)]
mod tests {
    use super::name_words;

    #[test]
    fn a_name_is_found_by_its_words() {
        assert_eq!(name_words("Anna-Maria O'Neil"), ["anna", "maria", "neil", "o"]);
        assert_eq!(name_words("王小明"), ["小", "明", "王", "王小明"]);
        assert!(name_words(" - ").is_empty());
    }
}
