//! Reading maps and scalars with positions: unknown keys, missing keys, wrong types.

use std::collections::BTreeMap;

use super::tree::{Key, Kind, Node};
use crate::{
    Decimal, Name,
    diagnostic::{Log, Place, suggest},
    model::{LevelId, Role, Text},
    text::{PLACEHOLDERS, Piece, pieces},
};

/// The entries of a map whose keys are fixed.
#[derive(Debug, Clone, Copy)]
pub struct Fields<'n> {
    what: &'static str,
    at: Place,
    entries: &'n [(Key, Node)],
}

impl<'n> Fields<'n> {
    /// The map behind `node`; keys that are not among `known` are reported.
    pub fn of(node: &'n Node, what: &'static str, known: &[&str], log: &mut Log) -> Option<Self> {
        let Kind::Map(entries) = &node.kind else {
            let message = format!("{what} is a map of {}, but this is {}", known.join(", "), node.describe());
            log.error("E103", node.at, message, format!("write \"{}: …\"", known.first().unwrap_or(&"key")));
            return None;
        };
        for (key, _) in entries {
            if !known.contains(&key.text.as_str()) {
                let message = format!("\"{}\" is not a key of {what}", shorten(&key.text));
                let help = if log.is_full() {
                    String::new()
                } else if key.text.contains(['(', ')', '<', '>', '=']) {
                    "a condition with a comma goes in quotes, or on a line of its own".to_owned()
                } else {
                    suggest(&key.text, known.iter().copied())
                };
                log.error("E101", key.at, message, help);
            }
        }
        Some(Self { what, at: node.at, entries })
    }

    /// The value of a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&'n Node> {
        self.entries.iter().find(|(known, _)| known.text == key).map(|(_, node)| node)
    }

    /// Where a key stands, else the map.
    #[must_use]
    pub fn at(&self, key: &str) -> Place {
        self.entries.iter().find(|(known, _)| known.text == key).map_or(self.at, |(known, _)| known.at)
    }

    /// The value of a key that must be there.
    pub fn need(&self, key: &str, log: &mut Log) -> Option<&'n Node> {
        let found = self.get(key);
        if found.is_none() {
            let message = format!("{} has no \"{key}\"", self.what);
            log.error("E102", self.at, message, format!("add \"{key}: …\""));
        }
        found
    }

    /// The keys that are there, among these.
    #[must_use]
    pub fn present<'k>(&self, keys: &[&'k str]) -> Vec<&'k str> {
        keys.iter().copied().filter(|key| self.get(key).is_some()).collect()
    }

    /// Where the map begins.
    #[must_use]
    pub fn place(&self) -> Place {
        self.at
    }
}

/// At most 40 characters, for messages.
#[must_use]
pub fn shorten(text: &str) -> String {
    if text.chars().count() <= 40 {
        return text.to_owned();
    }
    text.chars().take(39).chain(['…']).collect()
}

/// The text of a scalar.
pub fn scalar<'n>(node: &'n Node, what: &str, log: &mut Log) -> Option<&'n str> {
    match &node.kind {
        Kind::Scalar { text, .. } if !text.trim().is_empty() => Some(text.trim()),
        Kind::Scalar { .. } | Kind::List(_) | Kind::Map(_) => {
            let message = format!("{what} is expected here, but this is {}", node.describe());
            log.error("E103", node.at, message, format!("write {what}"));
            None
        }
    }
}

/// A name.
pub fn name(node: &Node, what: &str, log: &mut Log) -> Option<Name> {
    let text = scalar(node, what, log)?;
    parse_name(text, node.at, log)
}

/// A key as a name.
pub fn key_name(key: &Key, log: &mut Log) -> Option<Name> {
    parse_name(&key.text, key.at, log)
}

/// Words of the condition language that would not be read as names.
const WORDS_OF_CONDITIONS: [&str; 7] = ["and", "or", "not", "in", "of", "true", "false"];

fn parse_name(text: &str, at: Place, log: &mut Log) -> Option<Name> {
    if WORDS_OF_CONDITIONS.contains(&text) {
        let message = format!("\"{text}\" is a word of conditions, so nothing can be called that");
        log.error("E104", at, message, "choose another name");
        return None;
    }
    Name::parse(text)
        .map_err(|error| {
            log.error(
                "E104",
                at,
                format!("\"{}\" is not a name", shorten(text)),
                error.to_string().split_once(": ").map_or_else(String::new, |(_, mend)| mend.to_owned()),
            );
        })
        .ok()
}

/// `true` or `false`.
pub fn boolean(node: &Node, log: &mut Log) -> Option<bool> {
    match scalar(node, "true or false", log)? {
        "true" => Some(true),
        "false" => Some(false),
        other => {
            let message = format!("\"{}\" is neither true nor false", shorten(other));
            log.error("E103", node.at, message, "write true or false");
            None
        }
    }
}

/// A whole number within a range.
pub fn whole(node: &Node, what: &str, range: std::ops::RangeInclusive<i64>, log: &mut Log) -> Option<i64> {
    let text = scalar(node, "a whole number", log)?;
    let Ok(number) = text.parse::<i64>() else {
        log.error(
            "E103",
            node.at,
            format!("{what} is a whole number, but this is \"{}\"", shorten(text)),
            "write digits, for example 3",
        );
        return None;
    };
    if !range.contains(&number) {
        let message =
            format!("{what} lies between {} and {}, but this is {number}", range.start(), range.end());
        log.error(
            "E108",
            node.at,
            message,
            format!("write a number from {} to {}", range.start(), range.end()),
        );
        return None;
    }
    Some(number)
}

/// A decimal number.
pub fn decimal(node: &Node, log: &mut Log) -> Option<Decimal> {
    let text = scalar(node, "a number", log)?;
    Decimal::parse(text)
        .map_err(|_| {
            let message = format!("\"{}\" is not a number", shorten(text));
            log.error("E103", node.at, message, "write digits with at most four places, for example 78.4");
        })
        .ok()
}

/// The items of a list; a single value is a list of one.
#[must_use]
pub fn items(node: &Node) -> Vec<&Node> {
    match &node.kind {
        Kind::List(nodes) => nodes.iter().collect(),
        Kind::Scalar { .. } | Kind::Map(_) => vec![node],
    }
}

/// A list of names.
pub fn names(node: &Node, what: &str, log: &mut Log) -> Vec<Name> {
    items(node).into_iter().filter_map(|item| name(item, what, log)).collect()
}

/// The entries of a map whose keys are names that the author chooses.
pub fn entries<'n>(node: &'n Node, what: &str, log: &mut Log) -> Vec<(Name, &'n Key, &'n Node)> {
    let Kind::Map(entries) = &node.kind else {
        let message = format!("{what} is a map from names to definitions, but this is {}", node.describe());
        log.error("E103", node.at, message, "write \"NAME: …\" below it, indented");
        return Vec::new();
    };
    entries.iter().filter_map(|(key, value)| Some((key_name(key, log)?, key, value))).collect()
}

/// One of a fixed set of words.
pub fn one_of<T: Copy>(node: &Node, what: &str, words: &[(&str, T)], log: &mut Log) -> Option<T> {
    let text = scalar(node, what, log)?;
    word_of(text, node.at, what, words, log)
}

/// One of a fixed set of words, already taken out of a phrase.
pub fn word_of<T: Copy>(text: &str, at: Place, what: &str, words: &[(&str, T)], log: &mut Log) -> Option<T> {
    let found = words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
    if found.is_none() {
        let message = format!("\"{}\" is not {what}", shorten(text));
        log.error("E107", at, message, suggest(text, words.iter().map(|(word, _)| *word)));
    }
    found
}

/// Words for levels.
pub const LEVELS: [(&str, LevelId); 6] = [
    ("red_now", LevelId::RedNow),
    ("red", LevelId::Red),
    ("amber", LevelId::Amber),
    ("grey", LevelId::Grey),
    ("blue", LevelId::Blue),
    ("green", LevelId::Green),
];

/// Words for duty roles.
pub const ROLES: [(&str, Role); 5] = [
    ("clerk", Role::Clerk),
    ("nurse", Role::Nurse),
    ("nurse_lead", Role::NurseLead),
    ("clinician", Role::Clinician),
    ("pharmacist", Role::Pharmacist),
];

/// Longest text in one language, in characters.
pub const TEXT_CHARS_MAX: usize = 2000;

/// Words in every declared language, no more and no less; `placeholders` are the names allowed in braces, and `None`
/// leaves braces alone.
pub fn text(node: &Node, languages: &[String], placeholders: Option<&[&str]>, log: &mut Log) -> Option<Text> {
    let Kind::Map(entries) = &node.kind else {
        let message = format!("text is written once per language, but this is {}", node.describe());
        let pattern: Vec<String> = languages.iter().map(|language| format!("{language}: …")).collect();
        log.error("E103", node.at, message, format!("write {{{}}}", pattern.join(", ")));
        return None;
    };
    let mut words = BTreeMap::new();
    for (key, value) in entries {
        if !languages.contains(&key.text) {
            let message =
                format!("there are words in \"{}\", which is not among the languages", shorten(&key.text));
            log.error("E302", key.at, message, "remove them, or add the language to \"languages\"");
            continue;
        }
        if let Some(said) = said(value, &key.text, placeholders, log) {
            words.insert(key.text.clone(), said);
        }
    }
    for language in languages {
        if !entries.iter().any(|(key, _)| key.text == *language) {
            let message = format!("the words in \"{language}\" are missing");
            log.error("E301", node.at, message, format!("add \"{language}: …\" beside the others"));
        }
    }
    if words.len() == languages.len() {
        if let Some(known) = placeholders {
            same_placeholders(node.at, &words, known, log);
        }
        return Some(Text(words));
    }
    None
}

/// Every language names the same values.
fn same_placeholders(at: Place, words: &BTreeMap<String, String>, known: &[&str], log: &mut Log) {
    let named = |words: &str| -> std::collections::BTreeSet<String> {
        let names = pieces(words).into_iter().filter_map(|piece| match piece {
            Piece::Placeholder(name) => known.contains(&name).then(|| name.to_owned()),
            Piece::Plain(_) => None,
        });
        names.collect()
    };
    let mut all = words.iter().map(|(language, words)| (language, named(words)));
    let Some((first, expected)) = all.next() else { return };
    for (language, names) in all {
        let (missing, here, there) =
            match (expected.difference(&names).next(), names.difference(&expected).next()) {
                (Some(missing), _) => (missing, language, first),
                (None, Some(missing)) => (missing, first, language),
                (None, None) => continue,
            };
        let message =
            format!("the words in \"{here}\" leave out {{{missing}}}, which those in \"{there}\" have");
        log.warn("W116", at, message, format!("name {{{missing}}} in every language, or in none"));
    }
}

fn said(node: &Node, language: &str, placeholders: Option<&[&str]>, log: &mut Log) -> Option<String> {
    let Kind::Scalar { text, .. } = &node.kind else {
        let message = format!("words are expected here, but this is {}", node.describe());
        log.error("E103", node.at, message, "write the sentence, in quotes if it holds a colon");
        return None;
    };
    let text = text.trim();
    if text.is_empty() {
        log.error("E303", node.at, format!("the words in \"{language}\" are empty"), "write them");
        return None;
    }
    if text.chars().count() > TEXT_CHARS_MAX {
        let message = format!("the words in \"{language}\" have more than {TEXT_CHARS_MAX} characters");
        log.error("E305", node.at, message, "shorten them");
        return None;
    }
    for piece in placeholders.map_or_else(Vec::new, |_| pieces(text)) {
        let Piece::Placeholder(name) = piece else { continue };
        let known = placeholders.unwrap_or_default();
        if !known.contains(&name) {
            let message = format!("\"{{{}}}\" is not a placeholder that is filled here", shorten(name));
            log.error("E304", node.at, message, suggest(name, known.iter().copied()));
        }
    }
    Some(text.to_owned())
}

/// The placeholders of messages.
pub const MESSAGE_PLACEHOLDERS: [&str; 5] =
    [PLACEHOLDERS[0].0, PLACEHOLDERS[1].0, PLACEHOLDERS[2].0, PLACEHOLDERS[3].0, PLACEHOLDERS[4].0];
/// The placeholders of words on a page: no link, as the patient is there already.
pub const PAGE_PLACEHOLDERS: [&str; 4] =
    [PLACEHOLDERS[0].0, PLACEHOLDERS[2].0, PLACEHOLDERS[3].0, PLACEHOLDERS[4].0];
