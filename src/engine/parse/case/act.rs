//! What somebody does in a line of a story.

use std::collections::BTreeMap;

use super::{anchor, check_step, fact};
use crate::{
    Decimal, Name, Value,
    case::{Act, Answers},
    diagnostic::{Log, Place, suggest},
    expr::eval::{OUTCOME_CODES, outcome_name},
    fact::{Mode, OutcomeCode, StopReason},
    model::{Does, FactKind, Item, ItemKind, Questionnaire, Workflow},
    parse::{
        fields::{Fields, boolean, entries, name, names, one_of, scalar, shorten},
        span::{date, value},
        step::CHANNELS,
        tree::{Kind, Node},
    },
};

pub(super) fn act(key: &str, fields: &Fields<'_>, workflow: &Workflow, log: &mut Log) -> Option<Act> {
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
    value(node, &kind, log)
}
