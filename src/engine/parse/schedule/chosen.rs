//! Schedules that something chooses: the last answer, or the patient's own weekday.

use super::segments;
use crate::{
    Name,
    model::{FactDef, FactKind, Next, Schedule, Window},
    parse::{
        context::Context,
        fields::{Fields, items},
        span::{civil_span, days_about},
        tree::{Kind, Node},
    },
};

/// Most distances that a chain chooses from.
pub const NEXT_MAX: usize = 8;

/// `{first: 112 days, then: [{if: …, after: 12 weeks}, {after: 4 weeks}]}`
pub(super) fn chain(
    anchor: Option<Name>,
    node: &Node,
    window: Window,
    context: &mut Context<'_>,
) -> Option<Schedule> {
    let fields = Fields::of(node, "a chain", &["first", "then"], context.log)?;
    let first = fields.need("first", context.log).and_then(|node| civil_span(node, "the first", context.log));
    let list = fields.need("then", context.log)?;
    let all = items(list);
    if all.is_empty() || all.len() > NEXT_MAX {
        let message = format!("\"then\" lists 1 to {NEXT_MAX} distances");
        context.log.error("E108", list.at, message, "write a list of {if: …, after: …}, the last without if");
        return None;
    }
    let count = all.len();
    let mut then = Vec::new();
    for (index, node) in all.into_iter().enumerate() {
        let fields = Fields::of(node, "a distance", &["if", "after"], context.log)?;
        let when = match fields.get("if") {
            Some(node) => Some(context.condition(node, None)?),
            None => None,
        };
        if when.is_none() != (index + 1 == count) {
            let (message, help) = match when {
                Some(_) => ("nothing is planned when none of these conditions holds", "end with {after: …}"),
                None => (
                    "the distances after this one are never used",
                    "give it an \"if\", or move it to the end",
                ),
            };
            context.log.error("E213", node.at, message, help);
            return None;
        }
        let node = fields.need("after", context.log)?;
        let after = civil_span(node, "the distance", context.log)?;
        if days_about(after) <= i32::try_from(window.after_days + window.before_days).unwrap_or(i32::MAX) {
            let message = "this is so near that the window before it is still open";
            context.log.error("E204", node.at, message, "make the window smaller, or the distance longer");
        }
        then.push(Next { when, after });
    }
    Some(Schedule::Chain { anchor: anchor?, first: first?, then, window })
}

/// The choice fact that a stretch names in place of its weekdays: `on: FACT`.
pub(super) fn weekday_fact<'c>(node: &Node, context: &'c Context<'_>) -> Option<&'c FactDef> {
    let named = items(node).into_iter().find_map(|stretch| {
        let Kind::Map(pairs) = &stretch.kind else { return None };
        pairs.iter().find(|(key, _)| key.text == "on").and_then(|(_, value)| match &value.kind {
            Kind::Scalar { text, .. } => Some(text.as_str()),
            Kind::List(_) | Kind::Map(_) => None,
        })
    })?;
    context.facts.iter().find(|fact| fact.id == *named)
}

/// The patient's own weekday: one case for each day that the fact offers.
pub(super) fn on_chosen_weekday(
    anchor: Option<Name>,
    node: &Node,
    default: Window,
    context: &mut Context<'_>,
) -> Option<Schedule> {
    let fact = weekday_fact(node, context)?;
    let (id, kind) = (fact.id.clone(), fact.kind.clone());
    let days = match &kind {
        FactKind::Choice(options) => options.iter().map(|(option, _)| option.clone()).collect(),
        FactKind::Boolean | FactKind::Whole { .. } | FactKind::Quantity { .. } | FactKind::Date => Vec::new(),
    };
    if days.is_empty() || days.iter().any(|day| crate::weekday::parse(day.as_str()).is_none()) {
        let message = format!("\"{id}\" does not choose between weekdays");
        context.log.error(
            "E107",
            node.at,
            message,
            "let its options be among mon, tue, wed, thu, fri, sat, sun",
        );
        return None;
    }
    let mut cases = Vec::new();
    for day in days {
        let mut chosen = node.clone();
        choose(&mut chosen, id.as_str(), day.as_str());
        cases.push((vec![day], segments(&chosen, default, context.log)?));
    }
    Some(Schedule::ByFact { anchor: anchor?, facts: vec![id], cases })
}

fn choose(node: &mut Node, fact: &str, day: &str) {
    let stretches = match &mut node.kind {
        Kind::List(all) => all.as_mut_slice(),
        Kind::Map(_) | Kind::Scalar { .. } => std::slice::from_mut(node),
    };
    for stretch in stretches {
        let Kind::Map(pairs) = &mut stretch.kind else { continue };
        for (_, value) in pairs.iter_mut().filter(|(key, _)| key.text == "on") {
            match &mut value.kind {
                Kind::Scalar { text, .. } if text == fact => day.clone_into(text),
                Kind::Scalar { .. } | Kind::List(_) | Kind::Map(_) => {}
            }
        }
    }
}
