//! Questionnaire files: items, totals, red flags, rules.

use std::collections::BTreeMap;

use super::{
    context::Context,
    facts::{decimal_range, languages, sources, whole_range},
    fields::{Fields, decimal, entries, items, name, one_of, scalar, text, whole},
    rule, score,
    step::flag,
    tree::{Kind, Node},
};
use crate::{
    Decimal, Name,
    check::{self, words::check_patient_words},
    diagnostic::{Log, suggest},
    model::{Doubt, Item, ItemKind, LevelId, Option_, Questionnaire, Rule, Text},
};

/// Most items of one questionnaire, and most options of one item.
pub const ITEMS_MAX: usize = 200;

pub(super) const KEYS: [&str; 19] = [
    "questionnaire",
    "version",
    "languages",
    "title",
    "heading",
    "stem",
    "licence",
    "credit",
    "loinc",
    "translation_source",
    "translations",
    "only_in_covered_hours",
    "sources",
    "options",
    "items",
    "scores",
    "flags",
    "rules",
    "closing",
];

/// A questionnaire and the rules that come with it.
#[derive(Debug, Clone)]
pub struct QuestionnaireFile {
    /// Items and totals.
    pub questionnaire: Questionnaire,
    /// Red flags, then rules on submission.
    pub rules: Vec<Rule>,
    /// The languages of its words.
    pub languages: Vec<String>,
}

/// Reads a questionnaire file; `None` when it must not be used.
pub fn questionnaire(
    expected: Option<&str>,
    node: &Node,
    source: &str,
    owned: &[LevelId],
    log: &mut Log,
) -> Option<QuestionnaireFile> {
    let fields = Fields::of(node, "a questionnaire", &KEYS, log)?;
    let id = super::file_id(&fields, "questionnaire", expected, log);
    let languages = languages(fields.need("languages", log), log);
    let words = |key: &str, log: &mut Log| -> Option<Option<Text>> {
        let Some(node) = fields.get(key) else { return Some(None) };
        check_patient_words(node, false, log);
        text(node, &languages, Some(&super::fields::PAGE_PLACEHOLDERS), log).map(Some)
    };
    let heading = fields.need("heading", log).and_then(|_| words("heading", log)).flatten();
    let (stem, closing) = (words("stem", log), words("closing", log));
    let title = fields.need("title", log).and_then(|node| text(node, &languages, None, log));
    let version = fields.need("version", log).and_then(|node| scalar(node, "a version", log));
    let licence = fields.need("licence", log).and_then(|node| scalar(node, "a licence", log));
    let mut plain = |key: &str| fields.get(key).and_then(|node| scalar(node, "text", log)).map(str::to_owned);
    let (credit, loinc) = (plain("credit"), plain("loinc"));
    let translation_source = translations(fields.get("translation_source"), &languages, log);
    let trusted = super::facts::translations(fields.get("translations"), &languages, log);
    let only_in_covered_hours = flag(&fields, "only_in_covered_hours", log);
    let sources = sources(fields.get("sources"), log);
    let sets = option_sets(fields.get("options"), &languages, log);
    let item_list = fields.need("items", log).map(|node| all_items(node, &languages, &sets, log));
    let (id, item_list) = (id?, item_list?);
    let broken = broken(fields.get("items"), &item_list);
    let mut draft = Questionnaire {
        id: id.clone(),
        version: version.unwrap_or_default().to_owned(),
        title: title.unwrap_or_default(),
        heading: heading.unwrap_or_default(),
        stem: stem.flatten(),
        licence: licence.unwrap_or_default().to_owned(),
        credit,
        loinc,
        translation_source,
        translations: trusted,
        only_in_covered_hours: only_in_covered_hours.unwrap_or_default(),
        items: item_list.iter().map(|(item, _)| item.clone()).collect(),
        scores: Vec::new(),
        closing: closing.flatten(),
    };
    draft.scores = score::scores(fields.get("scores"), &draft, &broken, &languages, log);
    let nothing = BTreeMap::new();
    let branching = branches(&draft, &item_list, source, log);
    for (item, only_if) in draft.items.iter_mut().zip(branching) {
        item.only_if = only_if;
    }
    let mut context = Context {
        source,
        languages: &languages,
        facts: Vec::new(),
        anchors: Vec::new(),
        steps: BTreeMap::new(),
        started: Vec::new(),
        define: Vec::new(),
        questionnaires: &nothing,
        own: Some(&draft),
        sources,
        owned,
        log,
    };
    let mut rules = Vec::new();
    for (flag_id, _, node) in
        fields.get("flags").map(|node| entries(node, "flags", context.log)).unwrap_or_default()
    {
        rules.extend(rule::flag(flag_id, node, &id, &mut context));
    }
    for (rule_id, key, node) in
        fields.get("rules").map(|node| entries(node, "rules", context.log)).unwrap_or_default()
    {
        if rules.iter().any(|known: &Rule| known.id == rule_id) {
            context.log.error(
                "E105",
                key.at,
                format!("\"{rule_id}\" is a flag and a rule"),
                "give one another name",
            );
        }
        rules.extend(rule::rule(rule_id, node, Some(&id), &mut context));
    }
    for rule in &mut rules {
        rule.own_sources = context.sources.iter().filter(|s| rule.sources.contains(&s.id)).cloned().collect();
    }
    drop(context);
    if !log.blocks() {
        let place = |section: &str, id: &Name| {
            let found = fields.get(section).map(|node| entries(node, section, &mut Log::new("")));
            let mut found = found.unwrap_or_default().into_iter();
            found.find(|(known, ..)| known == id).map_or(fields.place(), |(_, key, _)| key.at)
        };
        check::instruments::check(&draft, &rules, &place, log);
    }
    (!log.blocks()).then_some(QuestionnaireFile { questionnaire: draft, rules, languages })
}

fn translations(node: Option<&Node>, languages: &[String], log: &mut Log) -> Vec<(String, String)> {
    let Some(node) = node else { return Vec::new() };
    let Some(words) = text(node, languages, None, log) else { return Vec::new() };
    words.0.into_iter().collect()
}

type OptionSets = BTreeMap<Name, Vec<Option_>>;

fn option_sets(node: Option<&Node>, languages: &[String], log: &mut Log) -> OptionSets {
    let all = node.map(|node| entries(node, "option sets", log)).unwrap_or_default();
    all.into_iter().filter_map(|(id, _, node)| Some((id, options(node, languages, log)?))).collect()
}

fn options(node: &Node, languages: &[String], log: &mut Log) -> Option<Vec<Option_>> {
    let all = entries(node, "options", log);
    if all.is_empty() || all.len() > ITEMS_MAX {
        log.error(
            "E108",
            node.at,
            format!("a choice has 1 to {ITEMS_MAX} options"),
            "write \"NAME: {points: 0, label: …}\" for each",
        );
        return None;
    }
    let count = all.len();
    let mut found = Vec::new();
    for (id, _, node) in all {
        let Some(fields) = Fields::of(node, "an option", &["label", "points", "loinc"], log) else {
            continue;
        };
        let label = fields.need("label", log).and_then(|node| {
            check_patient_words(node, false, log);
            text(node, languages, Some(&super::fields::PAGE_PLACEHOLDERS), log)
        });
        let points = match fields.get("points") {
            Some(node) => whole(node, "points", -1000..=1000, log).map(Some),
            None => Some(None),
        };
        let loinc = fields.get("loinc").and_then(|node| scalar(node, "a LOINC code", log)).map(str::to_owned);
        if let (Some(label), Some(points)) = (label, points) {
            found.push(Option_ { id, label, points, loinc });
        }
    }
    (found.len() == count).then_some(found)
}

pub(super) const ITEM_KEYS: [&str; 13] = [
    "ask",
    "hint",
    "loinc",
    "type",
    "options",
    "range",
    "unit",
    "other_units",
    "ask_again_if_differs_by",
    "max_chars",
    "optional",
    "declinable",
    "only_if",
];

/// Items with the node of their condition, which is read once all items are known.
fn all_items<'n>(
    node: &'n Node,
    languages: &[String],
    sets: &OptionSets,
    log: &mut Log,
) -> Vec<(Item, Option<&'n Node>)> {
    let all = entries(node, "items", log);
    if all.is_empty() || all.len() > ITEMS_MAX {
        log.error(
            "E108",
            node.at,
            format!("a questionnaire has 1 to {ITEMS_MAX} items"),
            "write \"NAME: {ask: …, type: …}\" for each",
        );
        return Vec::new();
    }
    let mut found = Vec::new();
    for (id, _, node) in all {
        let Some(fields) = Fields::of(node, "an item", &ITEM_KEYS, log) else { continue };
        let words = |key: &str, log: &mut Log| -> Option<Option<Text>> {
            let Some(node) = fields.get(key) else { return Some(None) };
            check_patient_words(node, false, log);
            text(node, languages, Some(&super::fields::PAGE_PLACEHOLDERS), log).map(Some)
        };
        let ask = fields.need("ask", log).and_then(|_| words("ask", log)).flatten();
        let hint = words("hint", log);
        let loinc = fields.get("loinc").and_then(|node| scalar(node, "a LOINC code", log)).map(str::to_owned);
        let kind = kind(&fields, languages, sets, log);
        let (optional, declinable) = (flag(&fields, "optional", log), flag(&fields, "declinable", log));
        if let (Some(ask), Some(hint), Some(kind), Some(optional), Some(declinable)) =
            (ask, hint, kind, optional, declinable)
        {
            let item = Item { id, ask, hint, loinc, kind, optional, declinable, only_if: None };
            found.push((item, fields.get("only_if")));
        }
    }
    found
}

fn kind(fields: &Fields<'_>, languages: &[String], sets: &OptionSets, log: &mut Log) -> Option<ItemKind> {
    const TYPES: [(&str, u8); 5] = [("choice", 0), ("yes_no", 1), ("whole", 2), ("quantity", 3), ("text", 4)];
    let sort = one_of(fields.need("type", log)?, "a type of item", &TYPES, log)?;
    let belongs = [
        ("options", sort == 0),
        ("range", sort == 2 || sort == 3),
        ("unit", sort == 3),
        ("other_units", sort == 3),
        ("ask_again_if_differs_by", sort == 3),
        ("max_chars", sort == 4),
    ];
    for (key, fits) in belongs {
        if fields.get(key).is_some() && !fits {
            log.error(
                "E101",
                fields.at(key),
                format!("\"{key}\" does not belong to this type"),
                "remove it, or change the type",
            );
        }
    }
    match sort {
        0 => choice(fields.need("options", log)?, languages, sets, log),
        1 => Some(ItemKind::YesNo),
        2 => whole_range(fields.need("range", log)?, log).map(|(min, max)| ItemKind::Whole { min, max }),
        3 => quantity(fields, log),
        _ => {
            let most = whole(fields.need("max_chars", log)?, "the length", 1..=2000, log)?;
            Some(ItemKind::Text { max_chars: u32::try_from(most).ok()? })
        }
    }
}

fn choice(node: &Node, languages: &[String], sets: &OptionSets, log: &mut Log) -> Option<ItemKind> {
    if matches!(node.kind, Kind::Map(_)) {
        return options(node, languages, log).map(ItemKind::Choice);
    }
    let set = name(node, "a set of options", log)?;
    if let Some(options) = sets.get(&set) {
        return Some(ItemKind::Choice(options.clone()));
    }
    let help = suggest(set.as_str(), sets.keys().map(Name::as_str));
    log.error("E106", node.at, format!("there is no set of options \"{set}\""), help);
    None
}

fn quantity(fields: &Fields<'_>, log: &mut Log) -> Option<ItemKind> {
    let unit = fields.need("unit", log).and_then(|node| scalar(node, "a unit such as kg", log));
    let range = fields.need("range", log).and_then(|node| decimal_range(node, log));
    let mut other_units = Vec::new();
    if let Some(node) = fields.get("other_units") {
        let Kind::Map(pairs) = &node.kind else {
            log.error("E103", node.at, "other units are a map from unit to factor", "write {lb: 0.4536}");
            return None;
        };
        for (key, node) in pairs {
            let factor = decimal(node, log)?;
            if factor <= Decimal::ZERO {
                log.error(
                    "E108",
                    node.at,
                    "a factor is more than zero",
                    "write how much one of it is in the main unit",
                );
                return None;
            }
            other_units.push((key.text.clone(), factor));
        }
    }
    let unit = unit?;
    let doubt = match fields.get("ask_again_if_differs_by") {
        Some(node) => Some(doubt(node, unit, log)?),
        None => None,
    };
    let (min, max) = range?;
    Some(ItemKind::Quantity { unit: unit.to_owned(), other_units, min, max, doubt })
}

/// A difference such as `5 kg`.
fn doubt(node: &Node, unit: &str, log: &mut Log) -> Option<Doubt> {
    let written = scalar(node, "a difference with its unit", log)?;
    let number = written.strip_suffix(unit).map(str::trim);
    let difference = number.and_then(|number| Decimal::parse(number).ok()).filter(|n| *n > Decimal::ZERO);
    if difference.is_none() {
        let message = format!("\"{}\" is not a difference in {unit}", super::fields::shorten(written));
        log.error("E123", node.at, message, format!("write for example 5 {unit}"));
    }
    difference.map(|differs_by| Doubt { differs_by })
}

/// Items that are written down but could not be read; what is wrong with them was said already.
fn broken(node: Option<&Node>, read: &[(Item, Option<&Node>)]) -> Vec<Name> {
    let Some(Node { kind: Kind::Map(pairs), .. }) = node else { return Vec::new() };
    let written = pairs.iter().filter_map(|(key, _)| Name::parse(&key.text).ok());
    written.filter(|id| !read.iter().any(|(item, _)| item.id == *id)).collect()
}

/// Each item's condition, which may look at the items before it.
fn branches(
    draft: &Questionnaire,
    item_list: &[(Item, Option<&Node>)],
    source: &str,
    log: &mut Log,
) -> Vec<Option<crate::model::Expr>> {
    let nothing = BTreeMap::new();
    let mut found = Vec::new();
    for (index, (_, node)) in item_list.iter().enumerate() {
        let Some(node) = node else {
            found.push(None);
            continue;
        };
        let mut before = draft.clone();
        before.items.truncate(index);
        before.scores.clear();
        let mut context = Context {
            source,
            languages: &[],
            facts: Vec::new(),
            anchors: Vec::new(),
            steps: BTreeMap::new(),
            started: Vec::new(),
            define: Vec::new(),
            questionnaires: &nothing,
            own: Some(&before),
            sources: Vec::new(),
            owned: &[],
            log: &mut *log,
        };
        found.push(context.condition(node, Some(&draft.id)));
    }
    found
}

/// Names of items, for totals.
pub fn item_names(node: &Node, log: &mut Log) -> Vec<(Name, crate::diagnostic::Place)> {
    items(node).into_iter().filter_map(|item| Some((name(item, "an item", log)?, item.at))).collect()
}
