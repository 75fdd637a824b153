//! What a line of a case expects, compared with what was decided since the line before.

use jiff::{Timestamp, civil::DateTime};

use crate::{
    Name,
    case::{MessageFor, Phrase},
    fact::{
        Closing, Entry, Fact, HandoverResult, MessageKey, MessagePlan, Occurrence, Purpose, TaskKey, TaskPlan,
    },
    model::{LevelId, TaskKind, Text},
    state::Standing,
};

use super::run::{ENROLLMENT, Stage};

/// Most happenings listed beside a phrase that failed.
const HAPPENINGS_MAX: usize = 12;

/// Whether it happened since the line before.
pub(super) fn came_true(stage: &Stage<'_>, phrase: &Phrase) -> bool {
    let any = |wanted: &dyn Fn(&Entry) -> bool| stage.since().iter().any(wanted);
    match phrase {
        Phrase::Alert { level, because, by } => {
            any(&|entry| is_alert(stage, entry, *level, because.as_deref(), *by))
        }
        Phrase::Task { kind, role, because } => any(&|entry| {
            let Some((plan, now)) = task_of(stage, &entry.fact) else { return false };
            plan.kind != TaskKind::Alert
                && kind.is_none_or(|kind| plan.kind == kind)
                && role.is_none_or(|role| now == role)
                && because.as_ref().is_none_or(|words| {
                    contains(&plan.title, words) || says(stage, &plan.key, entry.seq, words)
                })
        }),
        Phrase::Message { purpose, step, channel } => any(&|entry| {
            went(stage, &entry.fact).is_some_and(|plan| {
                purpose.is_none_or(|purpose| is_for(plan.purpose, purpose))
                    && step.as_ref().is_none_or(|step| is_about(stage, plan, step))
                    && channel.is_none_or(|channel| plan.channel == channel)
            })
        }),
        Phrase::Withdrawn(step) => any(&|entry| match &entry.fact {
            Fact::Closed { about, how: Closing::Withdrawn } => about.step == *step,
            Fact::TaskWithdrawn { task, .. } => opened(stage, task)
                .is_some_and(|plan| plan.about.as_ref().is_some_and(|about| about.step == *step)),
            _ => false,
        }),
        Phrase::Dropped(step) => any(&|entry| match &entry.fact {
            Fact::Dropped { message, .. } => step
                .as_ref()
                .is_none_or(|step| planned(stage, message).is_some_and(|plan| is_about(stage, plan, step))),
            _ => false,
        }),
        Phrase::Silent(step) => any(&|entry| closed(&entry.fact, step, Closing::Silent)),
        Phrase::Undone(step) => any(&|entry| closed(&entry.fact, step, Closing::Undone)),
        Phrase::Late(step) => any(&|entry| is_late(stage, entry, step)),
        Phrase::Flag(rule) => {
            any(&|entry| matches!(&entry.fact, Fact::Flagged { rule: raised, .. } if raised == rule))
        }
        Phrase::Doubt(item) => stage.doubts.contains(item),
        Phrase::Open(count) => {
            let alerts = stage.patient.state.tasks.values().filter(|task| task.kind == TaskKind::Alert);
            alerts.count() == *count
        }
        Phrase::Ended => {
            let standing =
                stage.patient.state.enrollments.get(&ENROLLMENT).map(|enrollment| &enrollment.standing);
            matches!(standing, Some(Standing::Over { .. }))
        }
        Phrase::Nothing => !any(&|entry| {
            went(stage, &entry.fact).is_some()
                || matches!(entry.fact, Fact::TaskOpened(_) | Fact::Flagged { .. })
        }),
    }
}

/// Raised, raised to that level, or added to by a rule.
fn is_alert(
    stage: &Stage<'_>,
    entry: &Entry,
    level: Option<LevelId>,
    because: Option<&str>,
    by: Option<DateTime>,
) -> bool {
    let (key, now, deadline) = match &entry.fact {
        Fact::TaskOpened(plan) if plan.kind == TaskKind::Alert => (&plan.key, plan.level, plan.respond_by),
        Fact::TaskChanged { task, level, respond_by, rule: Some(_), .. }
            if opened(stage, task).is_some_and(|plan| plan.kind == TaskKind::Alert) =>
        {
            (task, *level, *respond_by)
        }
        _ => return false,
    };
    let local = |at: Timestamp| stage.zone.to_datetime(at);
    level.is_none_or(|level| now == level)
        && because.is_none_or(|words| says(stage, key, entry.seq, words))
        && by.is_none_or(|by| deadline.map(local) == Some(by))
}

/// The task that an entry opened, or handed on, with its owner from then on.
fn task_of<'s>(stage: &'s Stage<'_>, fact: &'s Fact) -> Option<(&'s TaskPlan, crate::model::Role)> {
    match fact {
        Fact::TaskOpened(plan) => Some((plan, plan.role)),
        Fact::TaskChanged { task, role, .. } => opened(stage, task).map(|plan| (plan, *role)),
        _ => None,
    }
}

fn opened<'s>(stage: &'s Stage<'_>, key: &TaskKey) -> Option<&'s TaskPlan> {
    stage.patient.history.iter().find_map(|entry| match &entry.fact {
        Fact::TaskOpened(plan) if plan.key == *key => Some(plan),
        _ => None,
    })
}

fn planned<'s>(stage: &'s Stage<'_>, key: &MessageKey) -> Option<&'s MessagePlan> {
    stage.patient.history.iter().find_map(|entry| match &entry.fact {
        Fact::Planned(plan) if plan.key == *key => Some(plan),
        _ => None,
    })
}

/// Whether a message has a member of that step: from the start, or joined later.
fn is_about(stage: &Stage<'_>, plan: &MessagePlan, step: &Name) -> bool {
    members(stage, plan).any(|member| member.step == *step)
}

fn members<'s>(stage: &'s Stage<'_>, plan: &'s MessagePlan) -> impl Iterator<Item = &'s Occurrence> {
    let joined = stage.patient.history.iter().filter_map(|entry| match &entry.fact {
        Fact::Joined { message, member } if *message == plan.key => Some(member),
        _ => None,
    });
    plan.members.iter().chain(joined)
}

/// The message that an entry handed over.
fn went<'s>(stage: &'s Stage<'_>, fact: &Fact) -> Option<&'s MessagePlan> {
    match fact {
        Fact::HandedOver { message, result: HandoverResult::Accepted, .. } => planned(stage, message),
        _ => None,
    }
}

/// Whether the reasons of a task, up to an entry, contain the words.
fn says(stage: &Stage<'_>, key: &TaskKey, until: u64, words: &str) -> bool {
    let so_far = stage.patient.history.iter().take_while(|entry| entry.seq <= until);
    so_far.into_iter().any(|entry| match &entry.fact {
        Fact::TaskOpened(plan) if plan.key == *key => {
            plan.because.iter().any(|because| contains(because, words))
        }
        Fact::TaskChanged { task, because, .. } if task == key => contains(because, words),
        _ => false,
    })
}

fn contains(text: &Text, words: &str) -> bool {
    let words = words.to_lowercase();
    text.0.values().any(|said| said.to_lowercase().contains(&words))
}

fn closed(fact: &Fact, step: &Name, wanted: Closing) -> bool {
    matches!(fact, Fact::Closed { about, how } if about.step == *step && *how == wanted)
}

fn is_late(stage: &Stage<'_>, entry: &Entry, step: &Name) -> bool {
    let Fact::Answered { about, .. } = &entry.fact else { return false };
    let closes = stage.patient.history.iter().find_map(|earlier| match &earlier.fact {
        Fact::Opened { about: opened, closes, .. } if opened == about => Some(*closes),
        _ => None,
    });
    about.step == *step && closes.is_some_and(|closes| entry.occurred_at >= closes)
}

fn is_for(purpose: Purpose, wanted: MessageFor) -> bool {
    match purpose {
        Purpose::Ask => wanted == MessageFor::Ask,
        Purpose::Remind(_) => wanted == MessageFor::Remind,
        Purpose::Tell => wanted == MessageFor::Tell,
        Purpose::StopConfirmation => wanted == MessageFor::Stopped,
        Purpose::StartConfirmation => wanted == MessageFor::Started,
        Purpose::Help => wanted == MessageFor::Help,
        Purpose::NotMonitored => wanted == MessageFor::NotMonitored,
    }
}

/// The phrase as an author would write it.
pub(super) fn in_words(phrase: &Phrase) -> String {
    let or = |part: Option<String>| part.map(|part| format!(" {part}")).unwrap_or_default();
    match phrase {
        Phrase::Alert { level, because, by } => format!(
            "alert{}{}{}",
            or(level.map(snake)),
            or(by.map(|by| format!("by {} {}", by.date(), by.strftime("%H:%M")))),
            or(because.as_ref().map(|words| format!("because \"{words}\"")))
        ),
        Phrase::Task { kind, role, because } => format!(
            "task{}{}{}",
            or(kind.map(snake)),
            or(role.map(|role| format!("for {}", snake(role)))),
            or(because.as_ref().map(|words| format!("because \"{words}\"")))
        ),
        Phrase::Message { purpose, step, channel } => format!(
            "message{}{}{}",
            or(purpose.map(|purpose| format!("{purpose:?}").to_lowercase())),
            or(step.as_ref().map(ToString::to_string)),
            or(channel.map(|channel| format!("on {}", snake(channel))))
        ),
        Phrase::Withdrawn(step) => format!("withdrawn {step}"),
        Phrase::Dropped(step) => format!("dropped{}", or(step.as_ref().map(ToString::to_string))),
        Phrase::Silent(step) => format!("silent {step}"),
        Phrase::Undone(step) => format!("undone {step}"),
        Phrase::Late(step) => format!("late {step}"),
        Phrase::Flag(rule) => format!("flag {rule}"),
        Phrase::Doubt(item) => format!("doubt {item}"),
        Phrase::Open(1) => "open 1 alert".into(),
        Phrase::Open(count) => format!("open {count} alerts"),
        Phrase::Ended => "ended".into(),
        Phrase::Nothing => "nothing".into(),
    }
}

/// A value of an enum as files write it.
fn snake<T: serde::Serialize>(value: T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(text)) => text,
        Ok(_) | Err(_) => String::new(),
    }
}

/// What did happen, for the author of a case that failed.
pub(super) fn what_happened(stage: &Stage<'_>) -> String {
    let lines: Vec<String> = stage.since().iter().filter_map(|entry| happening(stage, entry)).collect();
    if lines.is_empty() {
        return "since the line before nothing happened".into();
    }
    let more = lines.len().saturating_sub(HAPPENINGS_MAX);
    let latest = lines[more..].join("; ");
    let more = if more > 0 { format!("{more} earlier and ") } else { String::new() };
    format!("since the line before happened {more}{latest}")
}

fn happening(stage: &Stage<'_>, entry: &Entry) -> Option<String> {
    let at = stage.zone.to_datetime(entry.occurred_at).strftime("%d %b %H:%M");
    let first =
        |texts: &[Text]| texts.first().and_then(|text| text.0.values().next()).cloned().unwrap_or_default();
    let what = match &entry.fact {
        Fact::HandedOver { message, result: HandoverResult::Accepted, .. } => {
            let plan = planned(stage, message)?;
            let steps: Vec<String> = members(stage, plan).map(|member| member.step.to_string()).collect();
            format!("message {:?} {} on {}", plan.purpose, steps.join("+"), snake(plan.channel))
                .to_lowercase()
        }
        Fact::TaskOpened(plan) => {
            let by =
                plan.respond_by.map(|by| format!(" by {}", stage.zone.to_datetime(by))).unwrap_or_default();
            let (kind, level) = (snake(plan.kind), snake(plan.level));
            let because = if plan.because.is_empty() {
                first(std::slice::from_ref(&plan.title))
            } else {
                first(&plan.because)
            };
            format!("{kind} {level} for {} \"{because}\"{by}", snake(plan.role))
        }
        Fact::TaskChanged { level, role, because, .. } => {
            format!(
                "task now {} for {} \"{}\"",
                snake(*level),
                snake(*role),
                first(std::slice::from_ref(because))
            )
        }
        Fact::TaskWithdrawn { task, .. } => {
            let plan = opened(stage, task)?;
            format!("withdrawn {}", plan.about.as_ref().map_or("", |about| about.step.as_str()))
        }
        Fact::Closed { about, how } => format!("{} {}", snake(*how), about.step),
        Fact::Dropped { message, why } => format!("dropped {} ({})", message.0, snake(*why)),
        Fact::Flagged { rule, .. } => format!("flag {rule}"),
        Fact::Stopped { .. } | Fact::Ended => "ended".into(),
        _ => return None,
    };
    Some(format!("{at} {what}"))
}

/// What happened since the line before, as an author would expect it.
pub(super) fn as_phrases(stage: &Stage<'_>) -> Vec<String> {
    let mut phrases: Vec<String> = stage.since().iter().flat_map(|entry| phrases_of(stage, entry)).collect();
    phrases.extend(stage.doubts.iter().map(|item| format!("doubt {item}")));
    if came_true(stage, &Phrase::Ended) && !phrases.iter().any(|phrase| phrase == "ended") {
        phrases.push("ended".to_owned());
    }
    phrases
}

fn phrases_of(stage: &Stage<'_>, entry: &Entry) -> Vec<String> {
    let because = |texts: &[Text]| {
        let words = texts.first().and_then(|text| text.0.get("en").or_else(|| text.0.values().next()));
        words.map(|words| words.replace('"', "")).filter(|words| !words.is_empty())
    };
    let minute = |at: Timestamp| Some(stage.zone.to_datetime(at)).filter(|at| at.second() == 0);
    match &entry.fact {
        Fact::HandedOver { message, result: HandoverResult::Accepted, .. } => {
            let Some(plan) = planned(stage, message) else { return Vec::new() };
            let purpose = match plan.purpose {
                Purpose::Ask => MessageFor::Ask,
                Purpose::Remind(_) => MessageFor::Remind,
                Purpose::Tell => MessageFor::Tell,
                Purpose::StopConfirmation => MessageFor::Stopped,
                Purpose::StartConfirmation => MessageFor::Started,
                Purpose::Help => MessageFor::Help,
                Purpose::NotMonitored => MessageFor::NotMonitored,
            };
            let channel = Some(plan.channel);
            let of = |step| in_words(&Phrase::Message { purpose: Some(purpose), step, channel });
            let steps: Vec<Name> = members(stage, plan).map(|member| member.step.clone()).collect();
            if steps.is_empty() {
                vec![of(None)]
            } else {
                steps.into_iter().map(|step| of(Some(step))).collect()
            }
        }
        Fact::TaskOpened(plan) if plan.kind == TaskKind::Alert => {
            let by = plan.respond_by.and_then(minute);
            vec![in_words(&Phrase::Alert { level: Some(plan.level), because: because(&plan.because), by })]
        }
        Fact::TaskOpened(plan) => {
            let because = because(&plan.because).or_else(|| because(std::slice::from_ref(&plan.title)));
            vec![in_words(&Phrase::Task { kind: Some(plan.kind), role: Some(plan.role), because })]
        }
        Fact::TaskChanged { task, level, respond_by, rule: Some(_), because: why, .. } => {
            let alert = opened(stage, task).is_some_and(|plan| plan.kind == TaskKind::Alert);
            let (by, because) = (respond_by.and_then(minute), because(std::slice::from_ref(why)));
            let phrase = Phrase::Alert { level: Some(*level), because, by };
            if alert { vec![in_words(&phrase)] } else { Vec::new() }
        }
        Fact::TaskWithdrawn { task, .. } => {
            let about = opened(stage, task).and_then(|plan| plan.about.as_ref());
            about.map(|about| in_words(&Phrase::Withdrawn(about.step.clone()))).into_iter().collect()
        }
        Fact::Closed { about, how: Closing::Withdrawn } => {
            vec![in_words(&Phrase::Withdrawn(about.step.clone()))]
        }
        Fact::Closed { about, how: Closing::Silent } => vec![in_words(&Phrase::Silent(about.step.clone()))],
        Fact::Closed { about, how: Closing::Undone } => vec![in_words(&Phrase::Undone(about.step.clone()))],
        Fact::Answered { about, .. } if is_late(stage, entry, &about.step) => {
            vec![in_words(&Phrase::Late(about.step.clone()))]
        }
        Fact::Flagged { rule, .. } => vec![in_words(&Phrase::Flag(rule.clone()))],
        Fact::Stopped { .. } | Fact::Ended => vec![in_words(&Phrase::Ended)],
        _ => Vec::new(),
    }
}
