//! Rules: what follows from an answer, a silence, an outcome.

use super::{
    context::Context,
    facts::cited,
    fields::{Fields, LEVELS, PAGE_PLACEHOLDERS, ROLES, items, one_of, scalar, shorten, text, word_of},
    span::{minutes_about, parse_span, parse_value, positive_span},
    step::{TASK_KINDS, check_owner, minutes, owned_level},
    tree::{Kind, Node},
};
use crate::{
    Name, Value,
    check::words::check_patient_words,
    diagnostic::suggest,
    expr::StepSort,
    model::{Action, Alternative, Counting, Expr, Respond, Rule, Trigger},
};

/// Most alternatives, and most actions, of one rule.
pub const ALTERNATIVES_MAX: usize = 20;

pub(super) const KEYS: [&str; 7] = ["on", "if", "because", "any", "then", "thread", "sources"];

/// A rule of a workflow, or of a questionnaire (`own`), whose rules are all about its own answer.
pub fn rule(id: Name, node: &Node, own: Option<&Name>, context: &mut Context<'_>) -> Option<Rule> {
    let known = if own.is_some() { &KEYS[1..] } else { &KEYS[..] };
    let fields = Fields::of(node, "a rule", known, context.log)?;
    let on = match own {
        Some(own) => Some(Trigger::Answer(own.clone())),
        None => fields.need("on", context.log).and_then(|node| trigger(node, context)),
    };
    let on = on?;
    let answer = match &on {
        Trigger::Answer(id) => Some(id.clone()),
        Trigger::Silent(_) | Trigger::Outcome(_) | Trigger::Undone(_) | Trigger::Fact => None,
    };
    let alternatives = alternatives(&fields, answer.as_ref(), context);
    let then = fields.need("then", context.log).and_then(|node| actions(node, context));
    let thread = thread(&fields, context)?;
    let sources = cited(fields.get("sources"), &context.sources, context.log);
    Some(Rule {
        id,
        on,
        alternatives: alternatives?,
        then: then?,
        at_once: false,
        advice: None,
        thread,
        sources,
        own_sources: Vec::new(),
    })
}

/// A red flag of a questionnaire: looked at as soon as the item is answered.
pub fn flag(id: Name, node: &Node, own: &Name, context: &mut Context<'_>) -> Option<Rule> {
    let fields = Fields::of(
        node,
        "a red flag",
        &["if", "because", "level", "advice", "thread", "sources"],
        context.log,
    )?;
    let when = fields.need("if", context.log).and_then(|node| context.condition(node, Some(own)));
    let because = fields.need("because", context.log).and_then(|node| context.reason(node, Some(own)));
    let level = fields.need("level", context.log).and_then(|node| owned_level(node, context));
    let advice = match fields.get("advice") {
        Some(node) => {
            check_patient_words(node, false, context.log);
            text(node, context.languages, Some(&PAGE_PLACEHOLDERS), context.log)
        }
        None => {
            let message = format!("red flag \"{id}\" has no advice: the patient would be left alone with it");
            context.log.error(
                "E306",
                fields.place(),
                message,
                "add \"advice: …\" with {emergency_number} and {ward_phone}",
            );
            None
        }
    };
    let thread = thread(&fields, context)?;
    let sources = cited(fields.get("sources"), &context.sources, context.log);
    Some(Rule {
        id,
        on: Trigger::Answer(own.clone()),
        alternatives: vec![Alternative { when: when?, because: because? }],
        then: vec![Action::Alert(level?)],
        at_once: true,
        advice: Some(advice?),
        thread,
        sources,
        own_sources: Vec::new(),
    })
}

fn thread(fields: &Fields<'_>, context: &mut Context<'_>) -> Option<Option<Name>> {
    let Some(node) = fields.get("thread") else { return Some(None) };
    super::fields::name(node, "the name of a thread", context.log).map(Some)
}

/// `amber`, or `amber within 48 hours`, or `amber within 2 working days`.
fn alert(word: &str, node: &Node, context: &mut Context<'_>) -> Option<Action> {
    let (word, within) = match word.split_once(" within ") {
        Some((word, within)) => (word.trim(), Some(within.trim())),
        None => (word, None),
    };
    let level = word_of(word, node.at, "a level", &LEVELS, context.log)?;
    check_owner(level, node.at, context);
    let Some(within) = within else { return Some(Action::Alert(level)) };
    let days = within.strip_suffix(" working days").or_else(|| within.strip_suffix(" working day"));
    if let Some(days) = days {
        if let Some(days) = days.trim().parse::<u16>().ok().filter(|days| (1..=60).contains(days)) {
            return Some(Action::AlertWithin { level, respond: Respond::WorkingDays(days) });
        }
        let message = format!("\"{}\" is not a number of working days", shorten(within));
        context.log.error("E108", node.at, message, "write 1 to 60, for example 2 working days");
        return None;
    }
    match parse_span(within).map(minutes_about) {
        Ok(minutes) if minutes > 0 => {
            let minutes = u32::try_from(minutes).ok()?;
            let respond = Respond::Within { minutes, counting: Counting::Wall };
            Some(Action::AlertWithin { level, respond })
        }
        Ok(_) => {
            let message = format!("\"{}\" leaves no time to respond", shorten(within));
            context.log.error("E203", node.at, message, "write for example within 48 hours");
            None
        }
        Err(help) => {
            let message = format!("\"{}\" is not a length of time", shorten(within));
            context.log.error("E201", node.at, message, help);
            None
        }
    }
}

type MakeTrigger = fn(Name) -> Trigger;

fn trigger(node: &Node, context: &mut Context<'_>) -> Option<Trigger> {
    let phrase = scalar(node, "what the rule is about", context.log)?;
    let usage = "write \"answer to QUESTIONNAIRE\", \"silence of STEP\", \"outcome of STEP\", \"undone STEP\" or \"facts\"";
    if phrase == "facts" {
        return Some(Trigger::Fact);
    }
    if let Some(word) = phrase.strip_prefix("answer to ") {
        let found = context.questionnaires.keys().find(|id| **id == *word.trim()).cloned();
        if found.is_none() {
            let help = suggest(word, context.questionnaires.keys().map(Name::as_str));
            let message = format!("there is no questionnaire \"{}\" that can be used", shorten(word));
            context.log.error("E106", node.at, message, help);
        }
        return found.map(Trigger::Answer);
    }
    let forms: [(&str, StepSort, MakeTrigger); 3] = [
        ("silence of ", StepSort::Ask, Trigger::Silent),
        ("outcome of ", StepSort::Task, Trigger::Outcome),
        ("undone ", StepSort::Task, Trigger::Undone),
    ];
    for (prefix, sort, make) in forms {
        if let Some(word) = phrase.strip_prefix(prefix) {
            return step_of(node, word.trim(), sort, context).map(make);
        }
    }
    let message = format!("\"{}\" is not something that happens", shorten(phrase));
    context.log.error("E107", node.at, message, usage);
    None
}

fn step_of(node: &Node, word: &str, sort: StepSort, context: &mut Context<'_>) -> Option<Name> {
    let fitting: Vec<Name> =
        context.steps.iter().filter(|(_, known)| **known == sort).map(|(id, _)| id.clone()).collect();
    if let Some(found) = fitting.iter().find(|id| **id == *word) {
        return Some(found.clone());
    }
    let message = match (context.steps.contains_key(word), sort) {
        (true, StepSort::Ask) => format!("step \"{word}\" asks nothing, so it cannot be silent"),
        (true, _) => format!("step \"{word}\" is not a task"),
        (false, _) => format!("there is no step \"{}\"", shorten(word)),
    };
    context.log.error("E106", node.at, message, suggest(word, fitting.iter().map(Name::as_str)));
    None
}

fn alternatives(
    fields: &Fields<'_>,
    answer: Option<&Name>,
    context: &mut Context<'_>,
) -> Option<Vec<Alternative>> {
    let Some(any) = fields.get("any") else {
        return alternative(fields, answer, context).map(|one| vec![one]);
    };
    for key in fields.present(&["if", "because"]) {
        let message = format!("\"{key}\" stands beside \"any\"");
        context.log.error("E211", fields.at(key), message, "put it into the list below \"any\"");
    }
    let all = items(any);
    if all.is_empty() || all.len() > ALTERNATIVES_MAX {
        let message = format!("\"any\" lists 1 to {ALTERNATIVES_MAX} conditions");
        context.log.error("E108", any.at, message, "write a list of {if: …, because: …}");
        return None;
    }
    let read: Vec<Option<Alternative>> = all
        .into_iter()
        .map(|node| {
            let fields = Fields::of(node, "an alternative", &["if", "because"], context.log)?;
            alternative(&fields, answer, context)
        })
        .collect();
    read.into_iter().collect()
}

/// Without `if` it always holds.
fn alternative(fields: &Fields<'_>, answer: Option<&Name>, context: &mut Context<'_>) -> Option<Alternative> {
    let when = match fields.get("if") {
        Some(node) => context.condition(node, answer),
        None => Some(Expr::Literal(Value::Bool(true))),
    };
    let because = fields.need("because", context.log).and_then(|node| context.reason(node, answer));
    Some(Alternative { when: when?, because: because? })
}

fn actions(node: &Node, context: &mut Context<'_>) -> Option<Vec<Action>> {
    let all = items(node);
    if all.is_empty() || all.len() > ALTERNATIVES_MAX {
        let message = format!("\"then\" lists 1 to {ALTERNATIVES_MAX} actions");
        context.log.error("E108", node.at, message, "write for example [alert amber]");
        return None;
    }
    let read: Vec<Option<Action>> = all.into_iter().map(|node| action(node, context)).collect();
    read.into_iter().collect()
}

fn action(node: &Node, context: &mut Context<'_>) -> Option<Action> {
    if matches!(node.kind, Kind::Map(_)) {
        return long_action(node, context);
    }
    let phrase = scalar(node, "an action such as alert amber", context.log)?;
    if let Some(word) = phrase.strip_prefix("alert ") {
        return alert(word.trim(), node, context);
    }
    if let Some(word) = phrase.strip_prefix("start ") {
        let found = context.started.iter().find(|id| **id == *word.trim()).cloned();
        if found.is_none() {
            let message = format!("\"{}\" is not a step that rules start", shorten(word));
            let help = match context.steps.contains_key(word.trim()) {
                true => "give the step \"when: started\"".to_owned(),
                false => suggest(word, context.started.iter().map(Name::as_str)),
            };
            context.log.error("E106", node.at, message, help);
        }
        return found.map(Action::Start);
    }
    if let Some((fact, value)) = phrase.strip_prefix("set ").and_then(|rest| rest.split_once(" to ")) {
        return set(node, fact.trim(), value.trim(), context);
    }
    let message = format!("\"{}\" is not an action", shorten(phrase));
    let help =
        "write \"alert LEVEL\", \"start STEP\", \"set FACT to VALUE\", or a map with task, pause or stop";
    context.log.error("E107", node.at, message, help);
    None
}

fn set(node: &Node, fact: &str, value: &str, context: &mut Context<'_>) -> Option<Action> {
    let Some(def) = context.facts.iter().find(|def| def.id == *fact) else {
        let help = suggest(fact, context.facts.iter().map(|def| def.id.as_str()));
        context.log.error("E106", node.at, format!("there is no fact \"{}\"", shorten(fact)), help);
        return None;
    };
    match parse_value(value, &def.kind) {
        Ok(value) => Some(Action::Set(def.id.clone(), value)),
        Err((code, message, help)) => {
            context.log.error(code, node.at, message, help);
            None
        }
    }
}

fn long_action(node: &Node, context: &mut Context<'_>) -> Option<Action> {
    let outer = Fields::of(node, "an action", &["task", "pause", "stop"], context.log)?;
    let present = outer.present(&["task", "pause", "stop"]);
    let [what] = present.as_slice() else {
        context.log.error("E211", node.at, "an action does one thing", "write one of task, pause, stop");
        return None;
    };
    let inner = outer.get(what)?;
    match *what {
        "task" => task(inner, context),
        "pause" => {
            let fields = Fields::of(inner, "a pause", &["role", "review_within"], context.log)?;
            let role =
                fields.need("role", context.log).and_then(|node| one_of(node, "a role", &ROLES, context.log));
            let within = fields
                .need("review_within", context.log)
                .and_then(|node| positive_span(node, "the time", context.log));
            Some(Action::Pause { role: role?, review_within: within? })
        }
        _ => {
            let fields = Fields::of(inner, "a stop", &["because"], context.log)?;
            let because = fields.need("because", context.log).and_then(|node| context.reason(node, None))?;
            Some(Action::Stop { because })
        }
    }
}

fn task(node: &Node, context: &mut Context<'_>) -> Option<Action> {
    const KEYS: [&str; 6] = ["kind", "role", "minutes", "within", "level", "title"];
    let fields = Fields::of(node, "a task", &KEYS, context.log)?;
    let kind = fields
        .need("kind", context.log)
        .and_then(|node| one_of(node, "a kind of task", &TASK_KINDS, context.log));
    let role = fields.need("role", context.log).and_then(|node| one_of(node, "a role", &ROLES, context.log));
    let minutes = minutes(&fields, context.log);
    let within =
        fields.need("within", context.log).and_then(|node| positive_span(node, "the time", context.log));
    let level = fields.need("level", context.log).and_then(|node| owned_level(node, context));
    let title =
        fields.need("title", context.log).and_then(|node| text(node, context.languages, None, context.log));
    Some(Action::Task {
        kind: kind?,
        role: role?,
        minutes: minutes?,
        within: within?,
        title: title?,
        level: level?,
    })
}
