//! Instruments at work: which items are shown, totals with imputation, bands.

use std::collections::BTreeMap;

use crate::{
    Decimal, Name, Value,
    expr::{Env, holds},
    fact::Answer,
    model::{Band, Item, ItemKind, Questionnaire, ScoreDef},
};

/// A total as far as it can be said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScoreResult {
    /// The total, rounded when something was imputed; `None` when too much is missing.
    pub total: Option<Decimal>,
    /// Items replaced by the mean of the others.
    pub imputed: u32,
    /// Items that are shown and have no number: empty or declined.
    pub missing: Vec<Name>,
    /// The lowest total that the items allow.
    pub min_possible: Decimal,
    /// The highest total that the items allow.
    pub max_possible: Decimal,
}

/// The items that are shown, given the answers so far. An answer to a hidden item is as good as none.
#[must_use]
pub fn visible_items<'a>(
    questionnaire: &'a Questionnaire,
    answers: &BTreeMap<Name, Answer>,
) -> Vec<&'a Item> {
    let mut shown = Vec::with_capacity(questionnaire.items.len());
    if questionnaire.items.iter().all(|item| item.only_if.is_none()) {
        shown.extend(&questionnaire.items);
        return shown;
    }
    let mut seen: BTreeMap<Name, Answer> = BTreeMap::new();
    for item in &questionnaire.items {
        let visible =
            item.only_if.as_ref().is_none_or(|when| holds(when, &Env::of_answers(questionnaire, &seen)));
        if !visible {
            continue;
        }
        shown.push(item);
        if let Some(answer) = answers.get(&item.id) {
            seen.insert(item.id.clone(), answer.clone());
        }
    }
    shown
}

/// The number that an answer counts for: points of an option, the number itself, 1 for yes and 0 for no.
#[must_use]
pub fn points(item: &Item, answer: &Answer) -> Option<Decimal> {
    let Answer::Given { value, .. } = answer else { return None };
    match (&item.kind, value) {
        (ItemKind::Choice(options), Value::Choice(chosen)) => options
            .iter()
            .find(|option| option.id == *chosen)
            .and_then(|option| option.points)
            .map(Decimal::whole),
        (ItemKind::Whole { .. } | ItemKind::Quantity { .. }, Value::Number(number)) => Some(*number),
        (ItemKind::YesNo, Value::Bool(yes)) => Some(Decimal::whole(i64::from(*yes))),
        _ => None,
    }
}

/// The total of `def` over `answers`. A hidden item counts as zero, as its branch was not entered.
#[must_use]
pub fn score(def: &ScoreDef, questionnaire: &Questionnaire, answers: &BTreeMap<Name, Answer>) -> ScoreResult {
    let shown = visible_items(questionnaire, answers);
    let mut sum = Decimal::ZERO;
    let mut answered = 0_u32;
    let mut missing = Vec::new();
    for name in &def.items {
        let Some(item) = shown.iter().find(|item| item.id == *name) else {
            answered += 1;
            continue;
        };
        match answers.get(name).and_then(|answer| points(item, answer)) {
            Some(worth) => {
                sum = sum + worth;
                answered += 1;
            }
            None => missing.push(name.clone()),
        }
    }
    let gone = u32::try_from(missing.len()).unwrap_or(u32::MAX);
    let forbidden = missing.iter().any(|name| def.never_impute.contains(name));
    let (min_possible, max_possible) = possible(def, questionnaire);
    let (total, imputed) = if gone == 0 {
        (Some(sum), 0)
    } else if forbidden || gone > def.impute_up_to || answered == 0 {
        (None, 0)
    } else {
        (filled_up(sum, answered, gone), gone)
    };
    ScoreResult { total, imputed, missing, min_possible, max_possible }
}

/// Each missing item counts as the mean of the answered ones; the total is rounded.
fn filled_up(sum: Decimal, answered: u32, missing: u32) -> Option<Decimal> {
    let all = Decimal::whole(i64::from(answered) + i64::from(missing));
    sum.times(all).over(Decimal::whole(i64::from(answered))).map(|total| Decimal::whole(total.rounded()))
}

/// The band that a total falls into.
#[must_use]
pub fn band(def: &ScoreDef, total: Decimal) -> Option<&Band> {
    let total = total.rounded();
    def.bands.iter().find(|band| band.from <= total && total <= band.to)
}

/// The lowest and highest total that the items allow.
#[must_use]
pub fn possible(def: &ScoreDef, questionnaire: &Questionnaire) -> (Decimal, Decimal) {
    let mut range = (Decimal::ZERO, Decimal::ZERO);
    for name in &def.items {
        if let Some(item) = questionnaire.items.iter().find(|item| item.id == *name) {
            let (low, high) = item_range(item);
            let low = if item.only_if.is_some() { low.min(Decimal::ZERO) } else { low };
            range = (range.0 + low, range.1 + high);
        }
    }
    range
}

/// The lowest and highest number that an item counts for.
#[must_use]
pub fn item_range(item: &Item) -> (Decimal, Decimal) {
    match &item.kind {
        ItemKind::Choice(options) => {
            let worth = || options.iter().filter_map(|option| option.points).map(Decimal::whole);
            (worth().min().unwrap_or_default(), worth().max().unwrap_or_default())
        }
        ItemKind::YesNo => (Decimal::ZERO, Decimal::whole(1)),
        ItemKind::Whole { min, max } => (Decimal::whole(*min), Decimal::whole(*max)),
        ItemKind::Quantity { min, max, .. } => (*min, *max),
        ItemKind::Text { .. } => (Decimal::ZERO, Decimal::ZERO),
    }
}
