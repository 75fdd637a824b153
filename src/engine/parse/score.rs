//! Totals of a questionnaire and their bands.

use super::{
    facts::whole_range,
    fields::{Fields, entries, scalar, text, whole},
    questionnaire::item_names,
    tree::Node,
};
use crate::{
    Name,
    diagnostic::{Log, Place, suggest},
    instrument::possible,
    model::{Band, ItemKind, Questionnaire, ScoreDef},
};

/// Totals in file order.
pub fn scores(
    node: Option<&Node>,
    draft: &Questionnaire,
    broken: &[Name],
    languages: &[String],
    log: &mut Log,
) -> Vec<ScoreDef> {
    let mut found = Vec::new();
    for (id, key, node) in node.map(|node| entries(node, "scores", log)).unwrap_or_default() {
        if draft.items.iter().any(|item| item.id == id) {
            log.error(
                "E105",
                key.at,
                format!("\"{id}\" is an item and a total"),
                "give the total another name",
            );
        }
        found.extend(score(id, node, draft, broken, languages, log));
    }
    found
}

fn score(
    id: Name,
    node: &Node,
    draft: &Questionnaire,
    broken: &[Name],
    languages: &[String],
    log: &mut Log,
) -> Option<ScoreDef> {
    const KEYS: [&str; 6] = ["label", "loinc", "items", "impute_up_to", "never_impute", "bands"];
    let fields = Fields::of(node, "a total", &KEYS, log)?;
    let label = fields.need("label", log).and_then(|node| text(node, languages, None, log));
    let loinc = fields.get("loinc").and_then(|node| scalar(node, "a LOINC code", log)).map(str::to_owned);
    let listed = fields.need("items", log).map(|node| item_names(node, log))?;
    for (name, at) in listed.iter().filter(|(name, _)| !broken.contains(name)) {
        check_item(name, *at, draft, log);
    }
    let items: Vec<Name> = listed.into_iter().map(|(name, _)| name).collect();
    let impute_up_to = match fields.get("impute_up_to") {
        Some(node) => whole(node, "the number of imputed items", 0..=100, log)?,
        None => 0,
    };
    let never = fields.get("never_impute").map(|node| item_names(node, log)).unwrap_or_default();
    for (name, at) in &never {
        if !items.contains(name) {
            log.error(
                "E106",
                *at,
                format!("\"{name}\" is not among the items of this total"),
                suggest(name.as_str(), items.iter().map(Name::as_str)),
            );
        }
    }
    let mut def = ScoreDef {
        id,
        label: label?,
        loinc,
        items,
        impute_up_to: u32::try_from(impute_up_to).ok()?,
        never_impute: never.into_iter().map(|(name, _)| name).collect(),
        bands: Vec::new(),
    };
    if let Some(node) = fields.get("bands") {
        def.bands = bands(node, languages, log);
        check_bands(fields.at("bands"), &def, draft, log);
    }
    Some(def)
}

fn check_item(name: &Name, at: Place, draft: &Questionnaire, log: &mut Log) {
    let Some(item) = draft.items.iter().find(|item| item.id == *name) else {
        let help = suggest(name.as_str(), draft.items.iter().map(|item| item.id.as_str()));
        log.error("E106", at, format!("there is no item \"{name}\""), help);
        return;
    };
    let counts = match &item.kind {
        ItemKind::Choice(options) => options.iter().any(|option| option.points.is_some()),
        ItemKind::YesNo | ItemKind::Whole { .. } | ItemKind::Quantity { .. } => true,
        ItemKind::Text { .. } => false,
    };
    if !counts {
        let message = format!("item \"{name}\" has no points, so it cannot be part of a total");
        log.error("E404", at, message, "give its options \"points: …\", or leave it out");
    }
}

fn bands(node: &Node, languages: &[String], log: &mut Log) -> Vec<Band> {
    let mut found = Vec::new();
    for (id, _, node) in entries(node, "bands", log) {
        let Some(fields) = Fields::of(node, "a band", &["label", "range"], log) else { continue };
        let label = fields.need("label", log).and_then(|node| text(node, languages, None, log));
        let range = fields.need("range", log).and_then(|node| whole_range(node, log));
        if let (Some(label), Some((from, to))) = (label, range) {
            found.push(Band { id, label, from, to });
        }
    }
    found
}

/// Bands follow each other without gap or overlap and cover every total that can occur.
fn check_bands(at: Place, def: &ScoreDef, draft: &Questionnaire, log: &mut Log) {
    let mut bands: Vec<&Band> = def.bands.iter().collect();
    bands.sort_by_key(|band| band.from);
    for pair in bands.windows(2) {
        let (lower, upper) = (pair[0], pair[1]);
        if upper.from <= lower.to {
            let message =
                format!("the bands \"{}\" and \"{}\" overlap at {}", lower.id, upper.id, upper.from);
            log.error("E403", at, message, format!("let \"{}\" begin at {}", upper.id, lower.to + 1));
        } else if upper.from > lower.to + 1 {
            let message = format!("no band covers a total of {}", lower.to + 1);
            log.error("E403", at, message, format!("let \"{}\" begin at {}", upper.id, lower.to + 1));
        }
    }
    let (min, max) = possible(def, draft);
    let (min, max) = (min.rounded(), max.rounded());
    let covered =
        bands.first().is_some_and(|band| band.from <= min) && bands.last().is_some_and(|band| band.to >= max);
    if !covered {
        let message = format!("the bands do not cover every total from {min} to {max}");
        log.error("E403", at, message, "widen the first and the last band");
    }
}
