//! Facts, anchors, sources, languages: what a workflow knows about before anything happens.

use super::{
    fields::{Fields, boolean, decimal, entries, items, name, one_of, scalar, shorten, text, whole},
    span::value,
    tree::{Kind, Node},
};
use crate::{
    Decimal, Name,
    diagnostic::{Log, suggest},
    model::{AnchorDef, FactDef, FactKind, Lang, Source, Strength, Translation},
};

const STRENGTHS: [(&str, Strength); 3] =
    [("read", Strength::Read), ("knowledge", Strength::Knowledge), ("local", Strength::Local)];

/// The languages of a file.
pub fn languages(node: Option<&Node>, log: &mut Log) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for item in node.map(items).unwrap_or_default() {
        let Some(tag) = scalar(item, "a language such as en", log) else { continue };
        let good = (2..=8).contains(&tag.len()) && tag.bytes().all(|b| b.is_ascii_lowercase());
        if !good {
            let message = format!("\"{}\" is not a language tag", shorten(tag));
            log.error("E104", item.at, message, "write en, zh, de …");
        } else if found.iter().any(|known| known == tag) {
            log.error("E105", item.at, format!("\"{tag}\" stands twice among the languages"), "keep one");
        } else {
            found.push(tag.to_owned());
        }
    }
    found
}

/// Language tags as the model has them.
#[must_use]
pub fn langs(languages: &[String]) -> Vec<Lang> {
    languages.iter().filter_map(|tag| Name::parse(tag).ok().map(Lang)).collect()
}

const TRANSLATIONS: [(&str, Translation); 5] = [
    ("original", Translation::Original),
    ("official", Translation::Official),
    ("reviewed", Translation::Reviewed),
    ("confirm_at_site", Translation::ConfirmAtSite),
    ("needs_review", Translation::NeedsReview),
];

/// How far the words of each language can be relied on: the first language is the original, every other one needs
/// review until the file says otherwise.
pub fn translations(node: Option<&Node>, languages: &[String], log: &mut Log) -> Vec<(Lang, Translation)> {
    let mut found: Vec<(Lang, Translation)> = Vec::new();
    for (id, key, node) in node.map(|node| entries(node, "translations", log)).unwrap_or_default() {
        if !languages.iter().any(|language| id == *language.as_str()) {
            let message = format!("\"{id}\" is not among the languages");
            log.error("E302", key.at, message, "remove it, or add it to \"languages\"");
            continue;
        }
        let said =
            one_of(node, "original, official, reviewed, confirm_at_site or needs_review", &TRANSLATIONS, log);
        found.extend(said.map(|said| (Lang(id), said)));
    }
    let default = |index| if index == 0 { Translation::Original } else { Translation::NeedsReview };
    for (index, language) in langs(languages).into_iter().enumerate() {
        if !found.iter().any(|(known, _)| *known == language) {
            found.push((language, default(index)));
        }
    }
    found.sort_by(|(a, _), (b, _)| a.cmp(b));
    found
}

/// Sources by name.
pub fn sources(node: Option<&Node>, log: &mut Log) -> Vec<Source> {
    let mut found = Vec::new();
    for (id, _, node) in node.map(|node| entries(node, "sources", log)).unwrap_or_default() {
        let Some(fields) = Fields::of(node, "a source", &["title", "strength"], log) else { continue };
        let title = fields.need("title", log).and_then(|node| scalar(node, "a title", log));
        let strength = fields
            .need("strength", log)
            .and_then(|node| one_of(node, "read, knowledge or local", &STRENGTHS, log));
        // Known all the same, so that one mistake is not reported again wherever the source is cited.
        let strength = strength.unwrap_or(Strength::Local);
        found.push(Source { id, title: title.unwrap_or_default().to_owned(), strength });
    }
    found
}

/// The names of sources that something cites.
pub fn cited(node: Option<&Node>, sources: &[Source], log: &mut Log) -> Vec<Name> {
    let mut found = Vec::new();
    for item in node.map(items).unwrap_or_default() {
        let Some(id) = name(item, "the name of a source", log) else { continue };
        if sources.iter().any(|source| source.id == id) {
            found.push(id);
        } else {
            let help = suggest(id.as_str(), sources.iter().map(|source| source.id.as_str()));
            log.error("E106", item.at, format!("there is no source \"{id}\""), help);
        }
    }
    found
}

/// Facts in file order.
pub fn facts(node: Option<&Node>, languages: &[String], log: &mut Log) -> Vec<FactDef> {
    let all = node.map(|node| entries(node, "facts", log)).unwrap_or_default();
    all.into_iter().filter_map(|(id, _, node)| fact(id, node, languages, log)).collect()
}

fn fact(id: Name, node: &Node, languages: &[String], log: &mut Log) -> Option<FactDef> {
    const KEYS: [&str; 7] = ["label", "type", "options", "unit", "range", "required", "default"];
    let fields = Fields::of(node, "a fact", &KEYS, log)?;
    let label = fields.need("label", log).and_then(|node| text(node, languages, None, log));
    let kind = kind(&fields, languages, log);
    let required = fields.get("required").map_or(Some(false), |node| boolean(node, log));
    let default = match (fields.get("default"), &kind) {
        (Some(node), Some(kind)) => Some(value(node, kind, log)?),
        (Some(_) | None, _) => None,
    };
    Some(FactDef { id, label: label?, kind: kind?, required: required?, default })
}

fn kind(fields: &Fields<'_>, languages: &[String], log: &mut Log) -> Option<FactKind> {
    const TYPES: [(&str, u8); 5] =
        [("boolean", 0), ("choice", 1), ("whole", 2), ("quantity", 3), ("date", 4)];
    let node = fields.need("type", log)?;
    let sort = one_of(node, "a type of fact", &TYPES, log)?;
    for (key, fits) in [("options", sort == 1), ("unit", sort == 3), ("range", sort == 2 || sort == 3)] {
        if fields.get(key).is_some() && !fits {
            let message = format!("\"{key}\" does not belong to this type");
            log.error("E101", fields.at(key), message, "remove it, or change the type");
        }
    }
    match sort {
        0 => Some(FactKind::Boolean),
        1 => options(fields.need("options", log)?, languages, log).map(FactKind::Choice),
        2 => {
            let (min, max) = whole_range(fields.need("range", log)?, log)?;
            Some(FactKind::Whole { min, max })
        }
        3 => {
            let unit = fields.need("unit", log).and_then(|node| scalar(node, "a unit such as kg", log));
            let range = fields.need("range", log).and_then(|node| decimal_range(node, log));
            let (min, max) = range?;
            Some(FactKind::Quantity { unit: unit?.to_owned(), min, max })
        }
        _ => Some(FactKind::Date),
    }
}

fn options(node: &Node, languages: &[String], log: &mut Log) -> Option<Vec<(Name, crate::model::Text)>> {
    let all = entries(node, "options", log);
    if all.is_empty() {
        log.error("E102", node.at, "a choice has no options", "write \"NAME: {en: …}\" for each");
        return None;
    }
    let count = all.len();
    let read: Vec<_> =
        all.into_iter().filter_map(|(id, _, node)| Some((id, text(node, languages, None, log)?))).collect();
    (read.len() == count).then_some(read)
}

/// Two numbers, the smaller one first.
pub fn decimal_range(node: &Node, log: &mut Log) -> Option<(Decimal, Decimal)> {
    let (low, high) = pair(node, log)?;
    let (low, high) = (decimal(low, log)?, decimal(high, log)?);
    upright(node, low, high, log)
}

/// Two whole numbers, the smaller one first.
pub fn whole_range(node: &Node, log: &mut Log) -> Option<(i64, i64)> {
    let (low, high) = pair(node, log)?;
    const LIMIT: i64 = 1_000_000;
    let (low, high) = (
        whole(low, "the lower end", -LIMIT..=LIMIT, log)?,
        whole(high, "the upper end", -LIMIT..=LIMIT, log)?,
    );
    upright(node, low, high, log)
}

fn pair<'n>(node: &'n Node, log: &mut Log) -> Option<(&'n Node, &'n Node)> {
    if let Kind::List(nodes) = &node.kind
        && let [low, high] = nodes.as_slice()
    {
        return Some((low, high));
    }
    let message = format!("a range is a list of two numbers, but this is {}", node.describe());
    log.error("E103", node.at, message, "write [lowest, highest]");
    None
}

fn upright<T: PartialOrd + std::fmt::Display>(node: &Node, low: T, high: T, log: &mut Log) -> Option<(T, T)> {
    if low <= high {
        return Some((low, high));
    }
    let message = format!("the range is upside down: {low} is more than {high}");
    log.error("E109", node.at, message, format!("write [{high}, {low}]"));
    None
}

/// Anchors in file order.
pub fn anchors(node: Option<&Node>, languages: &[String], log: &mut Log) -> Vec<AnchorDef> {
    let all = node.map(|node| entries(node, "anchors", log)).unwrap_or_default();
    let known: Vec<Name> = all.iter().map(|(id, ..)| id.clone()).collect();
    let mut found = Vec::new();
    for (id, _, node) in all {
        let Some(fields) = Fields::of(node, "an anchor", &["label", "restarts"], log) else { continue };
        let label = fields.need("label", log).and_then(|node| text(node, languages, None, log));
        let restarts = fields.get("restarts").and_then(|node| Some((node, name(node, "an anchor", log)?)));
        if let Some((node, other)) = &restarts
            && (*other == id || !known.contains(other))
        {
            let others = known.iter().filter(|known| **known != id).map(Name::as_str);
            let message = format!("\"{other}\" is not another anchor");
            log.error("E106", node.at, message, suggest(other.as_str(), others));
        }
        if let Some(label) = label {
            found.push(AnchorDef { id, label, restarts: restarts.map(|(_, other)| other) });
        }
    }
    found
}
