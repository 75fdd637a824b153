//! When a step happens.

mod chosen;

use jiff::civil::Weekday;

use super::{
    context::Context,
    fields::{Fields, items, name, scalar, shorten},
    span::{civil_span, days_about, positive_span, window},
    tree::{Kind, Node},
};
use crate::{
    Name,
    diagnostic::{Log, Place, suggest},
    expr::{
        StepSort,
        eval::{OUTCOME_CODES, outcome_name},
    },
    model::{FactKind, Rhythm, Schedule, Segment, Span, Window, schedule::EXPIRES_DAYS_DEFAULT},
};

/// Most entries of one `at` list, and most segments of one schedule.
pub const AT_MAX: usize = 400;

/// The window of a step that names none: the due day itself.
pub const NO_WINDOW: Window = Window { before_days: 0, after_days: 0, expires_days: EXPIRES_DAYS_DEFAULT };

/// The schedule of a step: exactly one of its forms.
pub fn schedule(id: &Name, fields: &Fields<'_>, context: &mut Context<'_>) -> Option<Schedule> {
    let default = match fields.get("window") {
        Some(node) => window(node, context.log)?,
        None => NO_WINDOW,
    };
    let forms = fields.present(&["when", "around", "after"]);
    let [form] = forms.as_slice() else {
        let message = match forms.as_slice() {
            [] => format!("step \"{id}\" never happens: it has no \"when\", \"around\" or \"after\""),
            _ => format!("step \"{id}\" has {}, but one of them decides", forms.join(" and ")),
        };
        let help = "write \"from: ANCHOR\" with \"when: …\", or \"around: STEP\", or \"after: STEP is done\", or \"when: started\"";
        context.log.error("E211", fields.place(), message, help);
        return None;
    };
    match *form {
        "around" => around(id, fields, default, context),
        "after" => after(id, fields, default, context),
        _ => when(fields, default, context),
    }
}

fn when(fields: &Fields<'_>, default: Window, context: &mut Context<'_>) -> Option<Schedule> {
    let node = fields.get("when")?;
    if matches!(&node.kind, Kind::Scalar { text, .. } if text == "started") {
        refuse(fields, &["from"], "a step that rules start", context.log);
        let offset = match fields.get("at") {
            Some(node) => Some(positive_span(node, "the time after the start", context.log)?),
            None => None,
        };
        return Some(Schedule::Started { window: default, offset });
    }
    refuse(fields, &["at"], "\"when\"", context.log);
    let anchor = fields.need("from", context.log).and_then(|node| anchor(node, context));
    match &node.kind {
        Kind::Map(pairs) if pairs.iter().any(|(key, _)| key.text == "by") => {
            by_fact(anchor, node, default, context)
        }
        Kind::Map(pairs) if pairs.iter().any(|(key, _)| key.text == "first") => {
            chosen::chain(anchor, node, default, context)
        }
        Kind::List(_) | Kind::Map(_) if chosen::weekday_fact(node, context).is_some() => {
            chosen::on_chosen_weekday(anchor, node, default, context)
        }
        Kind::List(_) | Kind::Map(_) => {
            let segments = segments(node, default, context.log)?;
            Some(Schedule::Plan { anchor: anchor?, segments })
        }
        Kind::Scalar { text, .. } => {
            let message = format!("\"{}\" does not say when", shorten(text));
            let help = "write a list such as [{at: [7 days]}], or started";
            context.log.error("E103", node.at, message, help);
            None
        }
    }
}

/// The name of an anchor of the workflow.
pub fn anchor(node: &Node, context: &mut Context<'_>) -> Option<Name> {
    let id = name(node, "an anchor", context.log)?;
    if context.anchors.contains(&id) {
        return Some(id);
    }
    let help = suggest(id.as_str(), context.anchors.iter().map(Name::as_str));
    context.log.error("E106", node.at, format!("there is no anchor \"{id}\""), help);
    None
}

fn refuse(fields: &Fields<'_>, keys: &[&str], with: &str, log: &mut Log) {
    for key in fields.present(keys) {
        let message = format!("\"{key}\" does not go with {with}");
        log.error("E211", fields.at(key), message, format!("remove \"{key}\""));
    }
}

fn by_fact(
    anchor: Option<Name>,
    node: &Node,
    default: Window,
    context: &mut Context<'_>,
) -> Option<Schedule> {
    let Kind::Map(pairs) = &node.kind else { return None };
    let mut facts = Vec::new();
    let mut cases: Vec<(Vec<Name>, Vec<Segment>)> = Vec::new();
    for (key, value) in pairs.iter().filter(|(key, _)| key.text == "by") {
        facts = deciding_facts(key.at, value, context);
    }
    let mut options: Vec<Name> = Vec::new();
    for fact in context.facts.iter().filter(|fact| facts.contains(&fact.id)) {
        if let FactKind::Choice(known) = &fact.kind {
            for (option, _) in known {
                if options.contains(option) {
                    let message = format!("\"{option}\" is an option of two of these facts");
                    context.log.error("E210", node.at, message, "give the options different names");
                }
                options.push(option.clone());
            }
        }
    }
    let mut complete = anchor.is_some() && !facts.is_empty();
    for (key, value) in pairs.iter().filter(|(key, _)| key.text != "by") {
        let mut chosen = Vec::new();
        for word in key.text.split(',').map(str::trim) {
            let Some(option) = options.iter().find(|option| **option == *word) else {
                if !facts.is_empty() {
                    let message = format!("\"{}\" is not an option of {}", shorten(word), listed(&facts));
                    context.log.error(
                        "E107",
                        key.at,
                        message,
                        suggest(word, options.iter().map(Name::as_str)),
                    );
                }
                complete = false;
                continue;
            };
            if chosen.contains(option) || cases.iter().any(|(known, _)| known.contains(option)) {
                let message = format!("\"{option}\" is decided twice");
                context.log.error("E210", key.at, message, "keep one of the two");
            }
            chosen.push(option.clone());
        }
        match segments(value, default, context.log) {
            Some(segments) => cases.push((chosen, segments)),
            None => complete = false,
        }
    }
    Some(Schedule::ByFact { anchor: anchor?, facts, cases }).filter(|_| complete)
}

fn listed(names: &[Name]) -> String {
    names.iter().map(Name::as_str).collect::<Vec<_>>().join(" or ")
}

fn deciding_facts(at: Place, node: &Node, context: &mut Context<'_>) -> Vec<Name> {
    let mut facts = Vec::new();
    for item in items(node) {
        let Some(id) = name(item, "a fact", context.log) else { continue };
        match context.facts.iter().find(|fact| fact.id == id).map(|fact| &fact.kind) {
            Some(FactKind::Choice(_)) => facts.push(id),
            Some(_) => {
                let message = format!("\"{id}\" is not a choice, so it cannot decide a schedule");
                context.log.error("E122", item.at, message, "use a fact with \"type: choice\"");
            }
            None => {
                let help = suggest(id.as_str(), context.facts.iter().map(|fact| fact.id.as_str()));
                context.log.error("E106", item.at, format!("there is no fact \"{id}\""), help);
            }
        }
    }
    if facts.is_empty() && context.log.is_empty() {
        context.log.error("E102", at, "\"by\" names no fact", "write \"by: FACT\"");
    }
    facts
}

/// The stretches of a schedule.
fn segments(node: &Node, default: Window, log: &mut Log) -> Option<Vec<Segment>> {
    let all = items(node);
    if all.is_empty() || all.len() > AT_MAX {
        let message = format!("a schedule has 1 to {AT_MAX} stretches, but this has {}", all.len());
        log.error("E209", node.at, message, "write a list such as [{at: [7 days]}]");
        return None;
    }
    let read: Vec<Option<Segment>> = all.iter().map(|node| segment(node, default, log)).collect();
    read.into_iter().collect()
}

fn segment(node: &Node, default: Window, log: &mut Log) -> Option<Segment> {
    let fields = Fields::of(node, "a stretch", &["at", "every", "on", "from", "to", "window"], log)?;
    let window = match fields.get("window") {
        Some(node) => window(node, log)?,
        None => default,
    };
    let forms = fields.present(&["at", "every", "on"]);
    let [form] = forms.as_slice() else {
        let message = "a stretch has exactly one of \"at\", \"every\" and \"on\"";
        log.error(
            "E211",
            fields.place(),
            message,
            "write for example {every: 1 day, from: 1 day, to: 30 days}",
        );
        return None;
    };
    if *form == "at" {
        refuse(&fields, &["from", "to"], "\"at\"", log);
        let list: Vec<Option<Span>> =
            items(fields.get("at")?).iter().map(|node| civil_span(node, "a day", log)).collect();
        let list: Vec<Span> = list.into_iter().collect::<Option<_>>()?;
        return at(fields.at("at"), list, log).map(|rhythm| Segment { rhythm, window });
    }
    let from = fields.need("from", log).and_then(|node| civil_span(node, "the beginning", log));
    let to = match fields.get("to") {
        Some(node) => Some(civil_span(node, "the end", log)?),
        None => None,
    };
    let from = from?;
    if let Some(to) = to
        && days_about(to) < days_about(from)
    {
        let message = "the stretch ends before it begins";
        log.error("E203", fields.at("to"), message, "exchange \"from\" and \"to\"");
        return None;
    }
    let rhythm = if *form == "every" {
        let node = fields.get("every")?;
        let every = civil_span(node, "the distance", log)?;
        if days_about(every) < 1 {
            log.error("E209", node.at, "the distance must be at least a day", "write for example 1 day");
            return None;
        }
        if to.is_some_and(|to| days_about(to) / days_about(every).max(1) > 4000) {
            log.error(
                "E209",
                node.at,
                "this repeats more than 4000 times",
                "make the distance longer or the end earlier",
            );
            return None;
        }
        Rhythm::Every { every, from, to }
    } else {
        Rhythm::Weekdays { days: weekdays(fields.get("on")?, log)?, from, to }
    };
    Some(Segment { rhythm, window })
}

fn at(place: Place, list: Vec<Span>, log: &mut Log) -> Option<Rhythm> {
    if list.is_empty() || list.len() > AT_MAX {
        log.error("E209", place, format!("\"at\" lists 1 to {AT_MAX} days"), "write for example [7 days]");
        return None;
    }
    if list.windows(2).any(|pair| days_about(pair[0]) >= days_about(pair[1])) {
        log.error(
            "E207",
            place,
            "the days of \"at\" do not follow each other",
            "write the earliest first, each once",
        );
        return None;
    }
    Some(Rhythm::At(list))
}

fn weekdays(node: &Node, log: &mut Log) -> Option<Vec<Weekday>> {
    let mut days = Vec::new();
    for item in items(node) {
        let text = scalar(item, "a weekday", log)?;
        let Some(day) = crate::weekday::parse(text) else {
            let help = suggest(text, ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]);
            log.error("E107", item.at, format!("\"{}\" is not a weekday", shorten(text)), help);
            return None;
        };
        days.push(day);
    }
    days.sort_by_key(|day| day.to_monday_zero_offset());
    days.dedup();
    Some(days)
}

fn offset(fields: &Fields<'_>, log: &mut Log) -> Option<Span> {
    refuse(fields, &["from"], "a step that follows another", log);
    fields.need("at", log).and_then(|node| civil_span(node, "the distance", log))
}

fn other_step(
    id: &Name,
    node: &Node,
    word: &str,
    only: Option<StepSort>,
    context: &mut Context<'_>,
) -> Option<Name> {
    let others =
        || context.steps.iter().filter(|(step, sort)| *step != id && only.is_none_or(|only| **sort == only));
    if word == id.as_str() {
        context.log.error(
            "E206",
            node.at,
            format!("step \"{id}\" is planned relative to itself"),
            "name another step, or count from an anchor",
        );
        return None;
    }
    let found = others().find(|(step, _)| **step == *word).map(|(step, _)| step.clone());
    if found.is_none() {
        let message = match context.steps.get(word) {
            Some(_) => format!("step \"{word}\" is not a task, so it has no outcome"),
            None => format!("there is no step \"{}\"", shorten(word)),
        };
        let help = suggest(word, others().map(|(step, _)| step.as_str()).collect::<Vec<_>>().iter().copied());
        context.log.error("E106", node.at, message, help);
    }
    found
}

fn around(id: &Name, fields: &Fields<'_>, window: Window, context: &mut Context<'_>) -> Option<Schedule> {
    let offset = offset(fields, context.log);
    let node = fields.get("around")?;
    let word = scalar(node, "a step", context.log)?;
    let step = other_step(id, node, word, None, context);
    Some(Schedule::Around { step: step?, offset: offset?, window })
}

/// `STEP is OUTCOME or OUTCOME`.
fn after(id: &Name, fields: &Fields<'_>, window: Window, context: &mut Context<'_>) -> Option<Schedule> {
    let offset = offset(fields, context.log);
    let node = fields.get("after")?;
    let phrase = scalar(node, "STEP is OUTCOME", context.log)?;
    let Some((word, outcomes)) = phrase.split_once(" is ") else {
        let message = format!("\"{}\" does not say after what", shorten(phrase));
        context.log.error("E103", node.at, message, "write \"after: STEP is done\"");
        return None;
    };
    let step = other_step(id, node, word.trim(), Some(StepSort::Task), context);
    let outcomes = outcomes_of(node, outcomes, context.log);
    let offset = offset?;
    if days_about(offset) < 0 {
        context.log.error(
            "E203",
            fields.at("at"),
            "this would lie before the outcome is known",
            "write it without the minus",
        );
        return None;
    }
    Some(Schedule::AfterOutcome { step: step?, outcomes: outcomes?, offset, window })
}

fn outcomes_of(node: &Node, phrase: &str, log: &mut Log) -> Option<Vec<Name>> {
    let known: Vec<Name> = OUTCOME_CODES.map(outcome_name).to_vec();
    let mut found = Vec::new();
    for word in phrase.split(" or ").map(str::trim) {
        match known.iter().find(|code| **code == *word) {
            Some(code) => found.push(code.clone()),
            None => {
                let message = format!("\"{}\" is not an outcome", shorten(word));
                log.error("E107", node.at, message, suggest(word, known.iter().map(Name::as_str)));
                return None;
            }
        }
    }
    Some(found)
}
