//! What is expected of a line of a story.

use super::{check_step, read_date_time};
use crate::{
    Name,
    case::{MessageFor, Phrase},
    diagnostic::{Log, suggest},
    model::Workflow,
    parse::{
        fields::{LEVELS, ROLES, scalar, shorten, word_of},
        step::{CHANNELS, TASK_KINDS},
        tree::Node,
    },
};

/// One phrase of `expect`.
pub(super) fn phrase(node: &Node, workflow: &Workflow, log: &mut Log) -> Option<Phrase> {
    let written = scalar(node, "what is expected", log)?;
    let (words, because) = match written.split_once(" because ") {
        Some((words, reason)) => (words, Some(reason.trim().trim_matches('"').to_owned())),
        None => (written, None),
    };
    let mut rest = words.split_whitespace();
    let kind = rest.next().unwrap_or_default();
    let rest: Vec<&str> = rest.collect();
    let step = |word: &str, log: &mut Log| {
        let id = Name::parse(word).ok()?;
        check_step(&id, node.at, workflow, log);
        Some(id)
    };
    match (kind, rest.as_slice()) {
        ("alert", rest) => alert(node, rest, because, log),
        ("task", rest) => task_phrase(node, rest, because, log),
        ("message", rest) => message_phrase(node, rest, workflow, log),
        ("withdrawn", [word]) => step(word, log).map(Phrase::Withdrawn),
        ("dropped", []) => Some(Phrase::Dropped(None)),
        ("dropped", [word]) => step(word, log).map(|id| Phrase::Dropped(Some(id))),
        ("silent", [word]) => step(word, log).map(Phrase::Silent),
        ("undone", [word]) => step(word, log).map(Phrase::Undone),
        ("late", [word]) => step(word, log).map(Phrase::Late),
        ("flag", [word]) => Name::parse(word).ok().map(Phrase::Flag),
        ("doubt", [word]) => Name::parse(word).ok().map(Phrase::Doubt),
        ("open", [number, "alert" | "alerts"]) if number.parse::<u8>().is_ok() => {
            number.parse().ok().map(Phrase::Open)
        }
        ("ended", []) => Some(Phrase::Ended),
        ("nothing", []) => Some(Phrase::Nothing),
        _ => {
            let message = format!("\"{}\" cannot be expected", shorten(written));
            let kinds = [
                "alert",
                "task",
                "message",
                "withdrawn",
                "dropped",
                "silent",
                "undone",
                "late",
                "flag",
                "doubt",
                "open",
                "ended",
                "nothing",
            ];
            log.error("E107", node.at, message, suggest(kind, kinds));
            None
        }
    }
}

fn alert(node: &Node, rest: &[&str], because: Option<String>, log: &mut Log) -> Option<Phrase> {
    let (levels, by) = match rest.iter().position(|word| *word == "by") {
        Some(at) => (&rest[..at], Some(rest[at + 1..].join(" "))),
        None => (rest, None),
    };
    let level = match levels {
        [] => None,
        [word, ..] => Some(word_of(word, node.at, "a level", &LEVELS, log)?),
    };
    let by = match by {
        Some(text) => match read_date_time(&text) {
            Some(by) => Some(by),
            None => {
                log.error(
                    "E202",
                    node.at,
                    format!("\"{}\" is not a date and time", shorten(&text)),
                    "write by 2026-03-02 10:00",
                );
                return None;
            }
        },
        None => None,
    };
    Some(Phrase::Alert { level, because, by })
}

fn task_phrase(node: &Node, rest: &[&str], because: Option<String>, log: &mut Log) -> Option<Phrase> {
    let (kind, role) = match rest {
        [] => (None, None),
        [kind] => (Some(*kind), None),
        ["for", role] => (None, Some(*role)),
        [kind, "for", role] => (Some(*kind), Some(*role)),
        _ => {
            log.error("E107", node.at, "this is not a task", "write task call for nurse because \"…\"");
            return None;
        }
    };
    let kind = match kind {
        Some(word) => Some(word_of(word, node.at, "a kind of task", &TASK_KINDS, log)?),
        None => None,
    };
    let role = match role {
        Some(word) => Some(word_of(word, node.at, "a role", &ROLES, log)?),
        None => None,
    };
    Some(Phrase::Task { kind, role, because })
}

fn message_phrase(node: &Node, rest: &[&str], workflow: &Workflow, log: &mut Log) -> Option<Phrase> {
    const PURPOSES: [(&str, MessageFor); 7] = [
        ("ask", MessageFor::Ask),
        ("remind", MessageFor::Remind),
        ("tell", MessageFor::Tell),
        ("stopped", MessageFor::Stopped),
        ("started", MessageFor::Started),
        ("help", MessageFor::Help),
        ("not_monitored", MessageFor::NotMonitored),
    ];
    let (words, channel) = match rest {
        [words @ .., "on", channel] => (words, Some(word_of(channel, node.at, "a channel", &CHANNELS, log)?)),
        words => (words, None),
    };
    let purpose =
        words.first().and_then(|word| PURPOSES.iter().find(|(known, _)| known == word)).map(|(_, p)| *p);
    let words = if purpose.is_some() { &words[1..] } else { words };
    let step = match words {
        [] => None,
        [word] => {
            let id = Name::parse(word).ok();
            if let Some(id) = &id {
                check_step(id, node.at, workflow, log);
            }
            Some(id?)
        }
        _ => {
            log.error("E107", node.at, "this is not a message", "write message ask STEP on sms");
            return None;
        }
    };
    Some(Phrase::Message { purpose, step, channel })
}
