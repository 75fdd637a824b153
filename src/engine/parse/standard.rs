//! The site's standard file: levels with owners and ladders, and the words of messages.

use std::collections::BTreeMap;

use super::{
    facts::languages,
    fields::{
        Fields, LEVELS, MESSAGE_PLACEHOLDERS, PAGE_PLACEHOLDERS, ROLES, entries, items, one_of, text, whole,
    },
    span::{minutes_about, positive_span, time},
    step::LADDER_MAX,
    tree::{Kind, Node},
};
use crate::{
    check::words::check_patient_words,
    diagnostic::{Log, suggest},
    model::{Counting, Level, LevelId, Respond, Role, Rung, Text},
};

/// Levels and words that every workflow uses.
#[derive(Debug, Clone, Default)]
pub struct Standard {
    /// The languages of its words.
    pub languages: Vec<String>,
    /// Levels with owners.
    pub levels: Vec<Level>,
    /// Words of messages by key.
    pub words: BTreeMap<String, Text>,
}

/// Words that messages need, and whether they travel as text messages.
pub(super) const WORDS: [(&str, bool); 8] = [
    ("ask", true),
    ("remind", true),
    ("email_subject", false),
    ("stopped", true),
    ("started", true),
    ("help", true),
    ("not_monitored", true),
    ("outside_hours", false),
];

/// Reads the standard file.
pub fn standard(node: &Node, log: &mut Log) -> Option<Standard> {
    let fields = Fields::of(node, "the standard file", &["standard", "languages", "levels", "words"], log)?;
    let languages = languages(fields.need("languages", log), log);
    let mut levels = Vec::new();
    for (id, key, node) in
        fields.need("levels", log).map(|node| entries(node, "levels", log)).unwrap_or_default()
    {
        let Some((_, level)) = LEVELS.iter().find(|(word, _)| *word == id.as_str()) else {
            let help = suggest(id.as_str(), LEVELS.iter().map(|(word, _)| *word));
            log.error("E107", key.at, format!("\"{id}\" is not a level"), help);
            continue;
        };
        levels.extend(level_of(*level, node, &languages, log));
    }
    levels.sort_by_key(|level: &Level| level.id);
    let words = words(fields.need("words", log), &languages, log);
    Some(Standard { languages, levels, words })
}

fn words(node: Option<&Node>, languages: &[String], log: &mut Log) -> BTreeMap<String, Text> {
    let Some(node) = node else { return BTreeMap::new() };
    let keys = WORDS.map(|(word, _)| word);
    let Some(fields) = Fields::of(node, "the words of messages", &keys, log) else { return BTreeMap::new() };
    let mut found = BTreeMap::new();
    for (key, sms) in WORDS {
        let Some(node) = fields.need(key, log) else { continue };
        check_patient_words(node, sms, log);
        let linked = matches!(key, "ask" | "remind");
        let placeholders: &[&str] = if linked { &MESSAGE_PLACEHOLDERS } else { &PAGE_PLACEHOLDERS };
        if let Some(words) = text(node, languages, Some(placeholders), log) {
            if linked && words.0.values().any(|words| !words.contains("{link}")) {
                log.error(
                    "E304",
                    node.at,
                    format!("the words \"{key}\" hold no {{link}}"),
                    "add {link} in every language",
                );
            }
            found.insert(key.to_owned(), words);
        }
    }
    found
}

fn level_of(id: LevelId, node: &Node, languages: &[String], log: &mut Log) -> Option<Level> {
    let fields = Fields::of(node, "a level", &["owner", "respond", "ladder", "outside_hours"], log)?;
    let respond = fields.need("respond", log).and_then(|node| respond(node, log));
    let owner = match fields.get("owner") {
        Some(node) => one_of(node, "a role", &ROLES, log),
        None if respond == Some(Respond::Never) => Some(Role::Nurse),
        None => {
            log.warn(
                "W107",
                fields.place(),
                "nobody owns this level, so its alerts would reach nobody",
                "add \"owner: ROLE\"",
            );
            None
        }
    };
    let ladder = ladder(fields.get("ladder"), log)?;
    let outside_hours = match fields.get("outside_hours") {
        Some(node) => {
            check_patient_words(node, false, log);
            Some(text(node, languages, Some(&PAGE_PLACEHOLDERS), log)?)
        }
        None => None,
    };
    let (owner, respond) = (owner?, respond?);
    check_end(fields.at("ladder"), owner, respond, &ladder, log);
    Some(Level { id, owner, respond, ladder, outside_hours })
}

/// A ladder ends at somebody who leads or decides.
fn check_end(at: crate::diagnostic::Place, owner: Role, respond: Respond, ladder: &[Rung], log: &mut Log) {
    let last = ladder.last().map_or(owner, |rung| rung.role);
    if respond != Respond::Never && !matches!(last, Role::NurseLead | Role::Clinician) {
        let message = "this ladder has no end: its last rung is neither nurse_lead nor clinician";
        log.error("E401", at, message, "add a rung with role nurse_lead or clinician");
    }
}

const COUNTING: [(&str, Counting); 2] = [("wall", Counting::Wall), ("covered", Counting::Covered)];

fn respond(node: &Node, log: &mut Log) -> Option<Respond> {
    if matches!(&node.kind, Kind::Scalar { text, .. } if text == "never") {
        return Some(Respond::Never);
    }
    const KEYS: [&str; 4] = ["within", "counting", "same_day_if_before", "working_days"];
    let fields = Fields::of(node, "a time to respond", &KEYS, log)?;
    let forms = fields.present(&["within", "same_day_if_before", "working_days"]);
    match forms.as_slice() {
        ["within"] => {
            let minutes = fields.need("within", log).and_then(|node| positive_span(node, "the time", log));
            let counting =
                fields.need("counting", log).and_then(|node| one_of(node, "wall or covered", &COUNTING, log));
            let minutes = u32::try_from(minutes_about(minutes?)).ok()?;
            Some(Respond::Within { minutes, counting: counting? })
        }
        ["same_day_if_before"] => {
            let time = time(fields.get("same_day_if_before")?, log)?;
            let minute = u16::try_from(i32::from(time.hour()) * 60 + i32::from(time.minute())).ok()?;
            Some(Respond::SameDay { raised_before_minute: minute })
        }
        ["working_days"] => {
            let days = whole(fields.get("working_days")?, "the number of days", 1..=60, log)?;
            Some(Respond::WorkingDays(u16::try_from(days).ok()?))
        }
        _ => {
            let help = "write {within: 1 hour, counting: covered}, {same_day_if_before: \"15:00\"}, {working_days: 3} or never";
            log.error("E211", node.at, "a time to respond has exactly one form", help);
            None
        }
    }
}

fn ladder(node: Option<&Node>, log: &mut Log) -> Option<Vec<Rung>> {
    let all = node.map(items).unwrap_or_default();
    let mut found: Vec<Rung> = Vec::new();
    if let (Some(node), true) = (node, all.len() > LADDER_MAX) {
        log.error("E108", node.at, format!("at most {LADDER_MAX} rungs are climbed"), "leave some out");
        return None;
    }
    for node in all {
        let fields = Fields::of(node, "a rung", &["after", "counting", "role"], log)?;
        let minutes =
            fields.need("after", log).and_then(|node| positive_span(node, "the time of a rung", log));
        let counting =
            fields.need("counting", log).and_then(|node| one_of(node, "wall or covered", &COUNTING, log));
        let role = fields.need("role", log).and_then(|node| one_of(node, "a role", &ROLES, log));
        let minutes = u32::try_from(minutes_about(minutes?)).ok()?;
        if found.last().is_some_and(|last| last.minutes >= minutes) {
            log.error("E207", node.at, "the rungs do not follow each other", "write the earliest first");
        }
        found.push(Rung { minutes, counting: counting?, role: role? });
    }
    Some(found)
}
