//! Steps: what a follow-up plans.

use jiff::civil::Time;

use super::{
    context::Context,
    facts::cited,
    fields::{Fields, LEVELS, PAGE_PLACEHOLDERS, ROLES, boolean, items, name, one_of, text, whole},
    schedule::schedule,
    span::{civil_span, minutes_about, positive_span, time},
    tree::{Key, Kind, Node},
};
use crate::{
    Name,
    check::words::check_patient_words,
    diagnostic::{Log, Place, suggest},
    expr::StepSort,
    model::{
        Channel, Does, LevelId, Overdue, Remind, Schedule, Segment, Span, Step, TaskKind, Window,
        schedule::{Timing, WorkingDay},
    },
};

/// Words for kinds of task that a file may open.
pub const TASK_KINDS: [(&str, TaskKind); 5] = [
    ("call", TaskKind::Call),
    ("visit", TaskKind::Visit),
    ("examination", TaskKind::Examination),
    ("review", TaskKind::Review),
    ("admin", TaskKind::Admin),
];

/// Most reminders of one ask, and most rungs of one ladder.
pub const LADDER_MAX: usize = 8;
/// Most minutes of one task.
pub const TASK_MINUTES_MAX: i64 = 600;

const DOES: [&str; 4] = ["ask", "tell", "task", "score"];
pub(super) const KEYS: [&str; 19] = [
    "title",
    "ask",
    "tell",
    "task",
    "score",
    "from",
    "when",
    "around",
    "after",
    "at",
    "time",
    "window",
    "working_day",
    "only_if",
    "until",
    "not_before",
    "remind",
    "overdue",
    "sources",
];

/// What a step is, from its keys alone; the first thing that is looked at, so that conditions may name later steps.
#[must_use]
pub fn sort(node: &Node) -> Option<StepSort> {
    let Kind::Map(pairs) = &node.kind else { return None };
    let has = |key: &str| pairs.iter().any(|(known, _)| known.text == key);
    [("ask", StepSort::Ask), ("tell", StepSort::Tell), ("task", StepSort::Task), ("score", StepSort::Score)]
        .into_iter()
        .find_map(|(key, sort)| has(key).then_some(sort))
}

/// Whether a rule starts the step.
#[must_use]
pub fn is_started(node: &Node) -> bool {
    let Kind::Map(pairs) = &node.kind else { return false };
    pairs.iter().any(|(key, value)| {
        key.text == "when" && matches!(&value.kind, Kind::Scalar { text, .. } if text == "started")
    })
}

/// A step.
pub fn step(id: Name, key: &Key, node: &Node, context: &mut Context<'_>) -> Option<Step> {
    let fields = Fields::of(node, "a step", &KEYS, context.log)?;
    let title =
        fields.need("title", context.log).and_then(|node| text(node, context.languages, None, context.log));
    let schedule = schedule(&id, &fields, context);
    let timing = timing(&fields, context);
    let does =
        does(&id, key.at, &fields, schedule.as_ref(), timing.as_ref().map(|timing| timing.time), context);
    let sources = cited(fields.get("sources"), &context.sources, context.log);
    Some(Step { id, title: title?, schedule: schedule?, timing: timing?, does: does?, sources })
}

fn timing(fields: &Fields<'_>, context: &mut Context<'_>) -> Option<Timing> {
    const WAYS: [(&str, WorkingDay); 2] = [("next", WorkingDay::Next), ("previous", WorkingDay::Previous)];
    let time = match fields.get("time") {
        Some(node) => time(node, context.log)?,
        None => Time::constant(9, 0, 0, 0),
    };
    let working_day = match fields.get("working_day") {
        Some(node) => Some(one_of(node, "next or previous", &WAYS, context.log)?),
        None => None,
    };
    let only_if = match fields.get("only_if") {
        Some(node) => Some(context.condition(node, None)?),
        None => None,
    };
    let until = match fields.get("until") {
        Some(node) => Some(context.condition(node, None)?),
        None => None,
    };
    let not_before = match fields.get("not_before") {
        Some(node) => Some(not_before(node, context)?),
        None => None,
    };
    Some(Timing { time, working_day, only_if, until, not_before })
}

/// `{from: radiotherapy_end, at: 6 months}`
fn not_before(node: &Node, context: &mut Context<'_>) -> Option<(Name, Span)> {
    let fields = Fields::of(node, "an earliest day", &["from", "at"], context.log)?;
    let anchor = fields.need("from", context.log).and_then(|node| super::schedule::anchor(node, context));
    let at = fields.need("at", context.log).and_then(|node| civil_span(node, "the distance", context.log));
    Some((anchor?, at?))
}

fn does(
    id: &Name,
    at: Place,
    fields: &Fields<'_>,
    schedule: Option<&Schedule>,
    time: Option<Time>,
    context: &mut Context<'_>,
) -> Option<Does> {
    let present = fields.present(&DOES);
    let [what] = present.as_slice() else {
        let message = match present.as_slice() {
            [] => format!("step \"{id}\" does nothing: it has no \"ask\", \"tell\", \"task\" or \"score\""),
            _ => format!("step \"{id}\" has {}, but a step does one thing", present.join(" and ")),
        };
        context.log.error("E211", at, message, "make it one of ask, tell, task, score");
        return None;
    };
    for (key, owner) in [("remind", "ask"), ("overdue", "task")] {
        if fields.get(key).is_some() && *what != owner {
            let message = format!("\"{key}\" belongs to a step with \"{owner}\"");
            context.log.error("E211", fields.at(key), message, format!("remove \"{key}\""));
        }
    }
    let node = fields.get(what)?;
    match *what {
        "ask" => {
            let questionnaire = questionnaire(node, context);
            let remind = reminders(fields.get("remind"), schedule, time, context.log);
            Some(Does::Ask { questionnaire: questionnaire?, remind: remind? })
        }
        "tell" => {
            check_patient_words(node, true, context.log);
            let words = text(node, context.languages, Some(&PAGE_PLACEHOLDERS), context.log)?;
            Some(Does::Tell { words })
        }
        "task" => task(node, fields, context),
        _ => name(node, "the name of a model", context.log).map(|model| Does::Score { model }),
    }
}

fn questionnaire(node: &Node, context: &mut Context<'_>) -> Option<Name> {
    let id = name(node, "a questionnaire", context.log)?;
    if context.questionnaires.contains_key(&id) {
        return Some(id);
    }
    let help = suggest(id.as_str(), context.questionnaires.keys().map(Name::as_str));
    context.log.error("E106", node.at, format!("there is no questionnaire \"{id}\" that can be used"), help);
    None
}

fn task(node: &Node, fields: &Fields<'_>, context: &mut Context<'_>) -> Option<Does> {
    let keys = Fields::of(node, "a task", &["kind", "role", "minutes"], context.log)?;
    let kind = keys
        .need("kind", context.log)
        .and_then(|node| one_of(node, "a kind of task", &TASK_KINDS, context.log));
    let role = keys.need("role", context.log).and_then(|node| one_of(node, "a role", &ROLES, context.log));
    let minutes = minutes(&keys, context.log);
    let overdue = ladder(fields.get("overdue"), context);
    Some(Does::Task { kind: kind?, role: role?, minutes: minutes?, overdue: overdue? })
}

/// The planned minutes of a task.
pub fn minutes(fields: &Fields<'_>, log: &mut Log) -> Option<u32> {
    let node = fields.need("minutes", log)?;
    whole(node, "the planned time", 1..=TASK_MINUTES_MAX, log).and_then(|n| u32::try_from(n).ok())
}

fn reminders(
    node: Option<&Node>,
    schedule: Option<&Schedule>,
    time: Option<Time>,
    log: &mut Log,
) -> Option<Vec<Remind>> {
    let Some(node) = node else { return Some(Vec::new()) };
    let all = limited(node, log)?;
    let room = schedule.and_then(smallest_window).zip(time).map(|(window, time)| {
        (i64::from(window.after_days) + 1) * 1440 - i64::from(time.hour()) * 60 - i64::from(time.minute())
    });
    let mut found: Vec<Remind> = Vec::new();
    for node in all {
        let fields = Fields::of(node, "a reminder", &["after", "channel"], log)?;
        let after_node = fields.need("after", log)?;
        let after = positive_span(after_node, "the time of a reminder", log)?;
        let other_channel = match fields.get("channel") {
            Some(node) => one_of(node, "a channel of a reminder", &[("same", false), ("other", true)], log)?,
            None => false,
        };
        if found.last().is_some_and(|last| minutes_about(last.after) >= minutes_about(after)) {
            log.error(
                "E207",
                after_node.at,
                "reminders do not follow each other",
                "write the earliest first",
            );
        }
        if room.is_some_and(|room| minutes_about(after) >= room) {
            let message = "this reminder would come after the window has closed";
            log.error("E212", after_node.at, message, "remind earlier, or widen \"window\" with \"after\"");
        }
        found.push(Remind { after, other_channel });
    }
    Some(found)
}

/// The window with the least time after the due day.
fn smallest_window(schedule: &Schedule) -> Option<Window> {
    fn least<'s>(segments: impl Iterator<Item = &'s Segment>) -> Option<Window> {
        segments.map(|segment| segment.window).min_by_key(|window| window.after_days)
    }
    match schedule {
        Schedule::Plan { segments, .. } => least(segments.iter()),
        Schedule::ByFact { cases, .. } => least(cases.iter().flat_map(|(_, segments)| segments)),
        Schedule::Around { window, .. }
        | Schedule::AfterOutcome { window, .. }
        | Schedule::Started { window, .. }
        | Schedule::Chain { window, .. } => Some(*window),
    }
}

fn limited<'n>(node: &'n Node, log: &mut Log) -> Option<Vec<&'n Node>> {
    let all = items(node);
    if all.len() > LADDER_MAX {
        log.error("E108", node.at, format!("at most {LADDER_MAX} rungs are climbed"), "leave some out");
        return None;
    }
    Some(all)
}

fn ladder(node: Option<&Node>, context: &mut Context<'_>) -> Option<Vec<Overdue>> {
    let Some(node) = node else { return Some(Vec::new()) };
    let mut found: Vec<Overdue> = Vec::new();
    for node in limited(node, context.log)? {
        let fields =
            Fields::of(node, "a rung", &["after", "role", "level", "only_if", "because"], context.log)?;
        let after_node = fields.need("after", context.log);
        let after = after_node.and_then(|node| positive_span(node, "the time of a rung", context.log));
        let role =
            fields.need("role", context.log).and_then(|node| one_of(node, "a role", &ROLES, context.log));
        let level = fields.need("level", context.log).and_then(|node| owned_level(node, context));
        let only_if = match fields.get("only_if") {
            Some(node) => Some(context.condition(node, None)?),
            None => None,
        };
        let because = fields.need("because", context.log).and_then(|node| context.reason(node, None));
        let (after, role, level, because) = (after?, role?, level?, because?);
        if let (Some(last), Some(node)) = (found.last(), after_node)
            && minutes_about(last.after) >= minutes_about(after)
        {
            context.log.error(
                "E207",
                node.at,
                "the rungs do not follow each other",
                "write the earliest first",
            );
        }
        found.push(Overdue { after, role, level, only_if, because });
    }
    Some(found)
}

/// A level that somebody owns.
pub fn owned_level(node: &Node, context: &mut Context<'_>) -> Option<LevelId> {
    let level = one_of(node, "a level", &LEVELS, context.log)?;
    check_owner(level, node.at, context);
    Some(level)
}

/// Reports a level that nobody owns: such an alert would reach nobody.
pub fn check_owner(level: LevelId, at: Place, context: &mut Context<'_>) {
    if !context.owned.contains(&level) {
        let word = LEVELS.iter().find(|(_, known)| *known == level).map_or("", |(word, _)| word);
        let message = format!("this can alert with level {word}, but nobody owns that level");
        context.log.warn("W107", at, message, "give the level an owner in standard.yaml");
    }
}

/// Words for channels.
pub const CHANNELS: [(&str, Channel); 2] = [("sms", Channel::Sms), ("email", Channel::Email)];

/// Reads `true` or `false`, for keys that are off unless written.
pub fn flag(fields: &Fields<'_>, key: &str, log: &mut Log) -> Option<bool> {
    fields.get(key).map_or(Some(false), |node| boolean(node, log))
}
