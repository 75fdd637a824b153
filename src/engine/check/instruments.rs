//! Questionnaires as a whole: branches that are never shown, bands that are never reached, owners that do not permit.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    Decimal, Name, Value,
    diagnostic::{Log, Place},
    expr::{Env, eval},
    fact::Answer,
    model::{Expr, Item, ItemKind, Questionnaire, Rule, ScoreDef},
};

/// Most combinations of answers that are tried for one condition; beyond it nothing is said.
const TRIED_MAX: usize = 50_000;
/// Most different totals that are followed.
const TOTALS_MAX: usize = 20_000;

/// Beginnings of names whose owners do not permit that the wording is shipped.
const PROTECTED: [(&str, &str); 22] = [
    ("eq-5d", "EuroQol"),
    ("eq5d", "EuroQol"),
    ("kccq", "CV Outcomes"),
    ("sf-36", "its owners"),
    ("sf-12", "its owners"),
    ("sf36", "its owners"),
    ("sf12", "its owners"),
    ("copd assessment test", "GSK"),
    ("fact-", "FACIT"),
    ("facit", "FACIT"),
    ("eortc", "EORTC"),
    ("qlq-", "EORTC"),
    ("mmas", "its owners"),
    ("morisky", "its owners"),
    ("quickdash", "the Institute for Work and Health"),
    ("borg", "BorgPerception"),
    ("bluebelle", "its owners"),
    ("iciq", "its owners"),
    ("ipss", "the AUA"),
    ("aua-si", "the AUA"),
    ("pro-ctcae", "the NCI, which permits use but not copies"),
    ("who-5", "the WHO, under terms that do not fit a permissive licence"),
];

/// Looks at a questionnaire that is otherwise in order; `place` finds where an entry of a section stands.
pub fn check(
    questionnaire: &Questionnaire,
    rules: &[Rule],
    place: &dyn Fn(&str, &Name) -> Place,
    log: &mut Log,
) {
    owner(questionnaire, log);
    for item in &questionnaire.items {
        if let Some(only_if) = &item.only_if
            && never(only_if, questionnaire)
        {
            let message = format!("item \"{}\" is never shown: no answers before it make this true", item.id);
            log.error(
                "E406",
                place("items", &item.id),
                message,
                "compare its condition with the options above",
            );
        }
    }
    for flag in rules.iter().filter(|rule| rule.at_once) {
        if flag.alternatives.iter().all(|one| never(&one.when, questionnaire)) {
            let message = format!("red flag \"{}\" is never raised: no answers make it true", flag.id);
            log.error(
                "E406",
                place("flags", &flag.id),
                message,
                "compare its condition with the options above",
            );
        }
    }
    for score in &questionnaire.scores {
        bands(score, questionnaire, place("scores", &score.id), log);
    }
}

fn owner(questionnaire: &Questionnaire, log: &mut Log) {
    let titles = questionnaire.title.0.values().map(|title| title.to_lowercase());
    let names: Vec<String> = titles.chain([questionnaire.id.as_str().to_lowercase()]).collect();
    let permitted = questionnaire.licence.to_lowercase().contains("permission");
    let found = PROTECTED.iter().find(|(word, _)| names.iter().any(|name| name.starts_with(word)));
    if let Some((word, whose)) = found.filter(|_| !permitted) {
        let message = format!("the wording of \"{word}\" belongs to {whose} and may not be shipped");
        let help = "use a free instrument, or name the owner's permission in \"licence\"";
        log.error("E405", Place::START, message, help);
    }
}

/// Items that a condition looks at; `None` when it looks at anything that is not an answer of this form.
fn looked_at(expr: &Expr, found: &mut BTreeSet<Name>) -> Option<()> {
    match expr {
        Expr::Literal(_) => Some(()),
        Expr::Item(name) | Expr::Points(name) | Expr::Declined(name) => {
            found.insert(name.clone());
            Some(())
        }
        Expr::Known(inner) | Expr::Not(inner) | Expr::In(inner, _) => looked_at(inner, found),
        Expr::Compare(_, a, b) => looked_at(a, found).and_then(|()| looked_at(b, found)),
        Expr::And(parts) | Expr::Or(parts) => parts.iter().try_for_each(|part| looked_at(part, found)),
        Expr::Fact(_)
        | Expr::Score(_)
        | Expr::Band(_)
        | Expr::Defined(_)
        | Expr::Earlier { .. }
        | Expr::Times { .. }
        | Expr::DaysSince(_)
        | Expr::SilentInARow(_)
        | Expr::SilentWithin { .. }
        | Expr::AnswerCount(_)
        | Expr::DoneWithin { .. }
        | Expr::Outcome(_)
        | Expr::Doubtful(_)
        | Expr::Add(..)
        | Expr::Subtract(..)
        | Expr::Share(..) => None,
    }
}

/// Whether no answers make a condition true, as far as that can be tried.
fn never(expr: &Expr, questionnaire: &Questionnaire) -> bool {
    let mut names = BTreeSet::new();
    if looked_at(expr, &mut names).is_none() {
        return false;
    }
    let mut numbers = Vec::new();
    literals(expr, &mut numbers);
    let items: Vec<&Item> = questionnaire.items.iter().filter(|item| names.contains(&item.id)).collect();
    let choices: Vec<Vec<Option<Answer>>> = items.iter().map(|item| answers(item, &numbers)).collect();
    let tried: usize = choices.iter().map(Vec::len).fold(1, usize::saturating_mul);
    if tried > TRIED_MAX {
        return false;
    }
    (0..tried).all(|mut index| {
        let mut given: BTreeMap<Name, Answer> = BTreeMap::new();
        for (item, choices) in items.iter().zip(&choices) {
            if let Some(answer) = &choices[index % choices.len()] {
                given.insert(item.id.clone(), answer.clone());
            }
            index /= choices.len();
        }
        eval::eval(expr, &Env::of_answers(questionnaire, &given)) != Some(Value::Bool(true))
    })
}

fn literals(expr: &Expr, found: &mut Vec<Decimal>) {
    match expr {
        Expr::Literal(Value::Number(number)) => found.push(*number),
        Expr::Compare(_, a, b) => {
            literals(a, found);
            literals(b, found);
        }
        Expr::In(inner, list) => {
            literals(inner, found);
            found.extend(list.iter().filter_map(|value| match value {
                Value::Number(number) => Some(*number),
                Value::Bool(_) | Value::Choice(_) | Value::Date(_) => None,
            }));
        }
        Expr::Not(inner) | Expr::Known(inner) => literals(inner, found),
        Expr::And(parts) | Expr::Or(parts) => parts.iter().for_each(|part| literals(part, found)),
        _ => {}
    }
}

/// Every answer that a condition can tell apart: each option, yes and no, numbers at and beside what they are compared
/// with, nothing, and declined.
fn answers(item: &Item, numbers: &[Decimal]) -> Vec<Option<Answer>> {
    let given = |value| Some(Answer::Given { value, doubtful: false });
    let step = Decimal::parse("0.0001").unwrap_or_default();
    let around = |min: Decimal, max: Decimal, step: Decimal| -> Vec<Option<Answer>> {
        let near = numbers.iter().flat_map(|n| [*n - step, *n, *n + step]).chain([min, max]);
        let within: BTreeSet<Decimal> = near.filter(|n| (min..=max).contains(n)).collect();
        within.into_iter().map(|n| given(Value::Number(n))).collect()
    };
    let mut all = match &item.kind {
        ItemKind::Choice(options) => {
            options.iter().map(|option| given(Value::Choice(option.id.clone()))).collect()
        }
        ItemKind::YesNo => vec![given(Value::Bool(true)), given(Value::Bool(false))],
        ItemKind::Whole { min, max } => around(Decimal::whole(*min), Decimal::whole(*max), Decimal::whole(1)),
        ItemKind::Quantity { min, max, .. } => around(*min, *max, step),
        ItemKind::Text { .. } => Vec::new(),
    };
    all.push(None);
    if item.declinable {
        all.push(Some(Answer::Declined));
    }
    all
}

/// Every total that answers lead to, when that can be followed: options by their points, whole numbers one by one.
fn totals(score: &ScoreDef, questionnaire: &Questionnaire) -> Option<BTreeSet<i64>> {
    let mut totals = BTreeSet::from([0_i64]);
    for name in &score.items {
        let item = questionnaire.items.iter().find(|item| item.id == *name)?;
        let mut worth: BTreeSet<i64> = match &item.kind {
            ItemKind::Choice(options) => options.iter().filter_map(|option| option.points).collect(),
            ItemKind::YesNo => BTreeSet::from([0, 1]),
            ItemKind::Whole { min, max } if max - min <= 1000 => (*min..=*max).collect(),
            ItemKind::Whole { .. } | ItemKind::Quantity { .. } | ItemKind::Text { .. } => return None,
        };
        if item.only_if.is_some() {
            worth.insert(0);
        }
        totals = totals.iter().flat_map(|total| worth.iter().map(move |worth| total + worth)).collect();
        if totals.len() > TOTALS_MAX {
            return None;
        }
    }
    Some(totals)
}

fn bands(score: &ScoreDef, questionnaire: &Questionnaire, at: Place, log: &mut Log) {
    // Replacing missing items by a mean can lead to totals in between.
    if score.impute_up_to > 0 {
        return;
    }
    let Some(totals) = totals(score, questionnaire) else { return };
    for band in &score.bands {
        if totals.range(band.from..=band.to.max(band.from)).next().is_none() {
            let message = format!(
                "no answers lead to a total of {} to {}, so band \"{}\" is never reached",
                band.from, band.to, band.id
            );
            log.warn("W113", at, message, "correct the range, or the points of the options");
        }
    }
}
