//! Case files; what they mean is described in [`crate::case`].

use std::collections::BTreeMap;

use jiff::civil::{Date, DateTime, Time};

use super::{
    fields::{Fields, LEVELS, ROLES, boolean, entries, items, name, names, one_of, scalar, shorten, word_of},
    span::date,
    step::{CHANNELS, TASK_KINDS},
    tree::{Kind, Node},
};
use crate::{
    Decimal, Name, Value,
    case::{Act, Answers, Case, Enrol, Line, MessageFor, Moment, Phrase},
    diagnostic::{Log, Place, suggest},
    expr::eval::{OUTCOME_CODES, outcome_name},
    fact::{Mode, OutcomeCode, StopReason},
    model::{Does, FactKind, Item, ItemKind, Questionnaire, Workflow},
};

/// Most lines of one story.
pub const LINES_MAX: usize = 1000;

const ACTS: [&str; 14] = [
    "answer", "draft", "reply", "outcome", "take", "set", "event", "correct", "died", "stop", "pause",
    "resume", "refuse", "outage",
];
const LINE_KEYS: [&str; 23] = [
    "at",
    "answer",
    "draft",
    "reply",
    "outcome",
    "take",
    "set",
    "event",
    "correct",
    "died",
    "stop",
    "pause",
    "resume",
    "refuse",
    "outage",
    "with",
    "calm",
    "declined",
    "doubtful",
    "by",
    "expect",
    "expect_not",
    "plan",
];

/// Reads a case file. Its workflow is looked up among those that can be used.
pub fn case(node: &Node, workflows: &[(String, Workflow)], log: &mut Log) -> Option<Case> {
    let fields = Fields::of(node, "a case", &["case", "workflow", "zone", "enrol", "story"], log)?;
    let title = fields.need("case", log).and_then(|node| scalar(node, "a title", log));
    let workflow_node = fields.need("workflow", log)?;
    let id = name(workflow_node, "a workflow", log)?;
    let known = workflows.iter().map(|(_, workflow)| workflow);
    let Some(workflow) = known.clone().find(|workflow| workflow.id == id) else {
        let help = suggest(id.as_str(), known.map(|workflow| workflow.id.as_str()));
        log.error("E106", workflow_node.at, format!("there is no workflow \"{id}\" that can be used"), help);
        return None;
    };
    let zone = match fields.get("zone") {
        Some(node) => scalar(node, "a time zone", log)?,
        None => "Europe/London",
    };
    if jiff::tz::TimeZone::get(zone).is_err() {
        let message = format!("\"{}\" is not a time zone", shorten(zone));
        log.error("E107", fields.at("zone"), message, "write for example Europe/London or Asia/Shanghai");
    }
    let enrol = fields.need("enrol", log).and_then(|node| enrol(node, workflow, log));
    let story = fields.need("story", log).map(|node| story(node, workflow, log));
    (!log.blocks()).then_some(())?;
    Some(Case { title: title?.to_owned(), workflow: id, zone: zone.to_owned(), enrol: enrol?, story: story? })
}

fn enrol(node: &Node, workflow: &Workflow, log: &mut Log) -> Option<Enrol> {
    const KEYS: [&str; 6] = ["on", "facts", "anchors", "language", "channels", "daily_consent"];
    let fields = Fields::of(node, "an enrolment", &KEYS, log)?;
    let on = fields.need("on", log).and_then(|node| date_time(node, log));
    let mut facts = BTreeMap::new();
    for (id, key, node) in fields.get("facts").map(|node| entries(node, "facts", log)).unwrap_or_default() {
        facts.extend(fact(id, key.at, node, workflow, log));
    }
    let mut anchors = BTreeMap::new();
    for (id, key, node) in fields.get("anchors").map(|node| entries(node, "anchors", log)).unwrap_or_default()
    {
        anchors.extend(anchor(id, key.at, node, workflow, log));
    }
    let language = match fields.get("language") {
        Some(node) => scalar(node, "a language", log)?.to_owned(),
        None => String::new(),
    };
    if !language.is_empty() && !workflow.languages.iter().any(|lang| lang.0 == *language.as_str()) {
        let message = format!("the workflow has no words in \"{}\"", shorten(&language));
        log.error("E302", fields.at("language"), message, "choose one of its languages");
    }
    let channels = match fields.get("channels") {
        Some(node) => {
            items(node).into_iter().filter_map(|node| one_of(node, "a channel", &CHANNELS, log)).collect()
        }
        None => CHANNELS.map(|(_, channel)| channel).to_vec(),
    };
    let daily_consent = fields.get("daily_consent").map_or(Some(false), |node| boolean(node, log));
    Some(Enrol { on: on?, facts, anchors, language, channels, daily_consent: daily_consent? })
}

fn fact(id: Name, at: Place, node: &Node, workflow: &Workflow, log: &mut Log) -> Option<(Name, Value)> {
    let Some(def) = workflow.facts.iter().find(|def| def.id == id) else {
        let help = suggest(id.as_str(), workflow.facts.iter().map(|def| def.id.as_str()));
        log.error("E106", at, format!("the workflow has no fact \"{id}\""), help);
        return None;
    };
    super::span::value(node, &def.kind, log).map(|value| (id, value))
}

fn anchor(id: Name, at: Place, node: &Node, workflow: &Workflow, log: &mut Log) -> Option<(Name, Date)> {
    if !workflow.anchors.iter().any(|def| def.id == id) {
        let help = suggest(id.as_str(), workflow.anchors.iter().map(|def| def.id.as_str()));
        log.error("E106", at, format!("the workflow has no anchor \"{id}\""), help);
        return None;
    }
    date(node, log).map(|date| (id, date))
}

fn clock(text: &str) -> Option<Time> {
    let (hour, minute) = text.split_once(':')?;
    let good = hour.len() == 2 && minute.len() == 2;
    good.then(|| Time::new(hour.parse().ok()?, minute.parse().ok()?, 0, 0).ok()).flatten()
}

fn read_date_time(text: &str) -> Option<DateTime> {
    let (date, time) = text.split_once(' ')?;
    Some(DateTime::from_parts(date.parse().ok()?, clock(time)?))
}

fn date_time(node: &Node, log: &mut Log) -> Option<DateTime> {
    let text = scalar(node, "a date and time", log)?;
    let found = read_date_time(text);
    if found.is_none() {
        let message = format!("\"{}\" is not a date and time", shorten(text));
        log.error("E202", node.at, message, "write for example 2026-03-02 10:00");
    }
    found
}

fn story(node: &Node, workflow: &Workflow, log: &mut Log) -> Vec<Line> {
    let all = items(node);
    if all.len() > LINES_MAX {
        log.error(
            "E108",
            node.at,
            format!("a story has at most {LINES_MAX} lines"),
            "split it into several cases",
        );
        return Vec::new();
    }
    all.into_iter().filter_map(|node| line(node, workflow, log)).collect()
}

fn line(node: &Node, workflow: &Workflow, log: &mut Log) -> Option<Line> {
    let fields = Fields::of(node, "a line", &LINE_KEYS, log)?;
    let at = fields.need("at", log).and_then(|node| moment(node, log));
    let present = fields.present(&ACTS);
    if present.len() > 1 {
        log.error("E211", node.at, format!("this line does {}", present.join(" and ")), "make it two lines");
    }
    let act = match present.first() {
        Some(key) => Some(act(key, &fields, workflow, log)?),
        None => None,
    };
    let mut phrases = |key: &str| {
        let all = fields.get(key).map(items).unwrap_or_default();
        all.into_iter().filter_map(|node| phrase(node, workflow, log)).collect()
    };
    let (expect, expect_not) = (phrases("expect"), phrases("expect_not"));
    let mut plan = BTreeMap::new();
    for (step, key, node) in fields.get("plan").map(|node| entries(node, "plans", log)).unwrap_or_default() {
        check_step(&step, key.at, workflow, log);
        plan.insert(step, items(node).into_iter().filter_map(|node| date(node, log)).collect());
    }
    Some(Line { line: node.at.line, column: node.at.column, at: at?, act, expect, expect_not, plan })
}

fn moment(node: &Node, log: &mut Log) -> Option<Moment> {
    let text = scalar(node, "a moment such as day 3 09:30", log)?;
    let relative = || {
        let (day, time) = text.strip_prefix("day ")?.split_once(' ')?;
        Some(Moment::Day(day.parse().ok()?, clock(time)?))
    };
    let found = relative().or_else(|| read_date_time(text).map(Moment::On));
    if found.is_none() {
        let message = format!("\"{}\" is not a moment", shorten(text));
        log.error("E202", node.at, message, "write for example day 3 09:30, or 2026-03-02 10:00");
    }
    found
}

fn check_step(id: &Name, at: Place, workflow: &Workflow, log: &mut Log) {
    if workflow.step(id).is_none() {
        let help = suggest(id.as_str(), workflow.steps.iter().map(|step| step.id.as_str()));
        log.error("E106", at, format!("the workflow has no step \"{id}\""), help);
    }
}

fn act(key: &str, fields: &Fields<'_>, workflow: &Workflow, log: &mut Log) -> Option<Act> {
    const STOPS: [(&str, StopReason); 4] = [
        ("withdrawn", StopReason::Withdrawn),
        ("transferred", StopReason::Transferred),
        ("hospice", StopReason::Hospice),
        ("clinician", StopReason::Clinician),
    ];
    let node = fields.get(key)?;
    match key {
        "answer" | "draft" => answer(key == "draft", node, fields, workflow, log),
        "reply" => match &node.kind {
            Kind::Scalar { text, .. } => Some(Act::Reply(text.clone())),
            Kind::List(_) | Kind::Map(_) => {
                log.error("E103", node.at, "a reply is text", "write it in quotes");
                None
            }
        },
        "outcome" => {
            let inner = Fields::of(node, "an outcome", &["task", "code"], log)?;
            let task = inner.need("task", log).and_then(|node| task(node, workflow, log));
            let code = inner.need("code", log).and_then(|node| outcome(node, log));
            Some(Act::Outcome { task: task?, code: code? })
        }
        "take" => task(node, workflow, log).map(Act::Take),
        "set" => single(node, log)
            .and_then(|(id, at, node)| fact(id, at, node, workflow, log))
            .map(|(n, v)| Act::Set(n, v)),
        "event" => single(node, log)
            .and_then(|(id, at, node)| anchor(id, at, node, workflow, log))
            .map(|(n, d)| Act::Event(n, d)),
        "correct" => single(node, log)
            .and_then(|(id, at, node)| anchor(id, at, node, workflow, log))
            .map(|(n, d)| Act::Correct(n, d)),
        "died" => date(node, log).map(Act::Died),
        "stop" => one_of(node, "a reason to stop", &STOPS, log).map(Act::Stop),
        "pause" => date(node, log).map(Act::Pause),
        "resume" => boolean(node, log).map(|_| Act::Resume),
        "refuse" => one_of(node, "a channel", &CHANNELS, log).map(Act::Refuse),
        _ => boolean(node, log).map(Act::Outage),
    }
}

fn single<'n>(node: &'n Node, log: &mut Log) -> Option<(Name, Place, &'n Node)> {
    let mut all = entries(node, "this", log);
    if all.len() != 1 {
        log.error("E103", node.at, "exactly one name and value belong here", "write {NAME: VALUE}");
        return None;
    }
    all.pop().map(|(id, key, node)| (id, key.at, node))
}

/// A step or a rule.
fn task(node: &Node, workflow: &Workflow, log: &mut Log) -> Option<Name> {
    let id = name(node, "a step or rule", log)?;
    let all = || workflow.steps.iter().map(|step| &step.id).chain(workflow.rules.iter().map(|rule| &rule.id));
    if !all().any(|known| *known == id) {
        let help = suggest(id.as_str(), all().map(Name::as_str).collect::<Vec<_>>().iter().copied());
        log.error("E106", node.at, format!("the workflow has no step or rule \"{id}\""), help);
        return None;
    }
    Some(id)
}

fn outcome(node: &Node, log: &mut Log) -> Option<OutcomeCode> {
    let text = scalar(node, "an outcome", log)?;
    let found = OUTCOME_CODES.into_iter().find(|code| outcome_name(*code) == *text);
    if found.is_none() {
        let known = OUTCOME_CODES.map(outcome_name);
        let help = suggest(text, known.iter().map(Name::as_str));
        log.error("E107", node.at, format!("\"{}\" is not an outcome", shorten(text)), help);
    }
    found
}

fn answer(draft: bool, node: &Node, fields: &Fields<'_>, workflow: &Workflow, log: &mut Log) -> Option<Act> {
    const MODES: [(&str, Mode); 3] =
        [("patient", Mode::Own), ("carer", Mode::Proxy), ("nurse", Mode::NursePhone)];
    let step = name(node, "a step", log)?;
    let asked = workflow.step(&step).map(|step| &step.does);
    let questionnaire = match asked {
        Some(Does::Ask { questionnaire, .. }) => workflow.questionnaires.get(questionnaire),
        Some(Does::Tell { .. } | Does::Task { .. } | Does::Score { .. }) | None => None,
    };
    let Some(questionnaire) = questionnaire else {
        check_step(&step, node.at, workflow, log);
        log.error("E106", node.at, format!("step \"{step}\" asks nothing"), "name a step with \"ask\"");
        return None;
    };
    let mut answers = Answers {
        calm: fields.get("calm").map_or(Some(false), |node| boolean(node, log))?,
        declined: fields.get("declined").map(|node| names(node, "an item", log)).unwrap_or_default(),
        doubtful: fields.get("doubtful").map(|node| names(node, "an item", log)).unwrap_or_default(),
        with: BTreeMap::new(),
    };
    for (id, key, node) in fields.get("with").map(|node| entries(node, "answers", log)).unwrap_or_default() {
        let Some(item) = questionnaire.items.iter().find(|item| item.id == id) else {
            unknown_item(&id, key.at, questionnaire, log);
            continue;
        };
        if let Some(value) = item_value(node, item, log) {
            answers.with.insert(id, value);
        }
    }
    for id in answers.declined.iter().chain(&answers.doubtful) {
        if !questionnaire.items.iter().any(|item| item.id == *id) {
            unknown_item(id, node.at, questionnaire, log);
        }
    }
    if draft {
        return Some(Act::Draft { step, answers });
    }
    let mode = match fields.get("by") {
        Some(node) => one_of(node, "patient, carer or nurse", &MODES, log)?,
        None => Mode::Own,
    };
    Some(Act::Answer { step, mode, answers })
}

fn unknown_item(id: &Name, at: Place, questionnaire: &Questionnaire, log: &mut Log) {
    let help = suggest(id.as_str(), questionnaire.items.iter().map(|item| item.id.as_str()));
    log.error("E106", at, format!("{} has no item \"{id}\"", questionnaire.id), help);
}

fn item_value(node: &Node, item: &Item, log: &mut Log) -> Option<Value> {
    let kind = match &item.kind {
        ItemKind::Choice(options) => {
            FactKind::Choice(options.iter().map(|option| (option.id.clone(), option.label.clone())).collect())
        }
        ItemKind::YesNo => FactKind::Boolean,
        ItemKind::Whole { min, max } => FactKind::Whole { min: *min, max: *max },
        ItemKind::Quantity { unit, min, max, .. } => {
            FactKind::Quantity { unit: unit.clone(), min: (*min).min(Decimal::ZERO), max: *max }
        }
        ItemKind::Text { .. } => {
            log.error("E103", node.at, "free text is not part of a case", "leave it out");
            return None;
        }
    };
    super::span::value(node, &kind, log)
}

/// One phrase of `expect`.
fn phrase(node: &Node, workflow: &Workflow, log: &mut Log) -> Option<Phrase> {
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
