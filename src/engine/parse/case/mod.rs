//! Case files; what they mean is described in [`crate::case`].

mod act;
mod phrase;

use std::collections::BTreeMap;

use jiff::civil::{Date, DateTime, Time};

use super::{
    fields::{Fields, boolean, entries, items, name, one_of, scalar, shorten},
    span::{date, value},
    step::CHANNELS,
    tree::Node,
};
use crate::{
    Name, Value,
    case::{Case, Enrol, Line, Moment},
    diagnostic::{Log, Place, suggest},
    model::Workflow,
    site::Calendar,
};
use act::act;
use phrase::phrase;

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
pub fn case(
    node: &Node,
    workflows: &[(String, Workflow)],
    calendars: &BTreeMap<Name, Calendar>,
    log: &mut Log,
) -> Option<Case> {
    let fields =
        Fields::of(node, "a case", &["case", "workflow", "zone", "calendar", "enrol", "story"], log)?;
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
    let calendar = match fields.get("calendar") {
        Some(node) => calendar(node, calendars, log)?,
        None => Calendar::default(),
    };
    let enrol = fields.need("enrol", log).and_then(|node| enrol(node, workflow, log));
    let story = fields.need("story", log).map(|node| story(node, workflow, log));
    (!log.blocks()).then_some(())?;
    let (title, zone) = (title?.to_owned(), zone.to_owned());
    Some(Case { title, workflow: id, zone, calendar, enrol: enrol?, story: story? })
}

fn calendar(node: &Node, calendars: &BTreeMap<Name, Calendar>, log: &mut Log) -> Option<Calendar> {
    let id = name(node, "a calendar", log)?;
    let found = calendars.get(&id).cloned();
    if found.is_none() {
        let help = suggest(id.as_str(), calendars.keys().map(Name::as_str));
        log.error("E106", node.at, format!("there is no calendar \"{id}\""), help);
    }
    found
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
    value(node, &def.kind, log).map(|value| (id, value))
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
