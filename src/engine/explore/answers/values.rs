//! The answers to one item that are worth trying: the calmest, the worst, and those on each side of every threshold.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    Decimal, Name, Value,
    expr::eval,
    fact::Answer,
    model::{Expr, Item, ItemKind},
};

use super::AtHand;
use crate::explore::{
    linear::{linear, range},
    look::every_part,
};

/// Whole numbers with at most so many values are all tried.
const VALUES_MAX: i64 = 12;

impl AtHand<'_, '_> {
    pub(super) fn calmest(&self, item: &Item, form: &BTreeMap<Name, Answer>) -> Option<Answer> {
        let given = |value| Some(Answer::Given { value, doubtful: false });
        match &item.kind {
            ItemKind::Choice(options) => {
                let calmest = options.iter().min_by_key(|option| option.points.unwrap_or(0))?;
                given(Value::Choice(calmest.id.clone()))
            }
            ItemKind::YesNo => given(Value::Bool(false)),
            ItemKind::Whole { .. } | ItemKind::Quantity { .. } => self.number(item, form),
            ItemKind::Text { .. } => (!item.optional).then_some(Answer::Text),
        }
    }

    /// The last number again, or one that a fact names, or the middle; nothing where no rule ever looks and it may be left
    /// out.
    fn number(&self, item: &Item, form: &BTreeMap<Name, Answer>) -> Option<Answer> {
        let (low, high) = range(item)?;
        let (thresholds, facts) = self.thresholds(item, form);
        if thresholds.is_empty() && facts.is_empty() && item.optional && !self.looked_at.contains(&item.id) {
            return None;
        }
        let last = self.last(item);
        let middle = Decimal::whole((low + high).rounded() / 2);
        let inside = |number: &Decimal| low <= *number && *number <= high;
        let number = last.into_iter().chain(facts).chain([middle]).find(inside)?;
        Some(Answer::Given { value: Value::Number(number), doubtful: self.is_doubtful(item, number) })
    }

    /// The answer that counts for most in a total.
    pub(super) fn worst(&self, item: &Item) -> Option<Answer> {
        let value = match &item.kind {
            ItemKind::Choice(options) => {
                Value::Choice(options.iter().max_by_key(|option| option.points.unwrap_or(0))?.id.clone())
            }
            ItemKind::YesNo => Value::Bool(true),
            ItemKind::Whole { .. } | ItemKind::Quantity { .. } => Value::Number(range(item)?.1),
            ItemKind::Text { .. } => return Some(Answer::Text),
        };
        Some(Answer::Given { value, doubtful: false })
    }

    fn last(&self, item: &Item) -> Option<Decimal> {
        let series = self.enrollment()?.series.get(&item.id)?;
        series.last().map(|(_, number)| *number)
    }

    /// A number far from the last one only counts once it was confirmed.
    pub(super) fn is_doubtful(&self, item: &Item, number: Decimal) -> bool {
        let ItemKind::Quantity { doubt: Some(doubt), .. } = &item.kind else { return false };
        self.last(item).is_some_and(|last| {
            let differs = if last > number { last - number } else { number - last };
            differs > doubt.differs_by
        })
    }

    /// Every answer to an item that some rule can tell from another: below, at and above each threshold.
    pub(super) fn values(&self, item: &Item, form: &BTreeMap<Name, Answer>) -> Vec<Option<Answer>> {
        let given = |value| Some(Answer::Given { value, doubtful: false });
        let mut values = match &item.kind {
            ItemKind::Choice(options) => {
                options.iter().map(|option| given(Value::Choice(option.id.clone()))).collect()
            }
            ItemKind::YesNo => vec![given(Value::Bool(false)), given(Value::Bool(true))],
            ItemKind::Whole { min, max } if max - min <= VALUES_MAX => {
                (*min..=*max).map(|n| given(Value::Number(Decimal::whole(n)))).collect()
            }
            ItemKind::Whole { .. } | ItemKind::Quantity { .. } => self.numbers(item, form),
            ItemKind::Text { .. } => vec![Some(Answer::Text)],
        };
        if item.optional {
            values.push(None);
        }
        if item.declinable {
            values.push(Some(Answer::Declined));
        }
        values
    }

    fn numbers(&self, item: &Item, form: &BTreeMap<Name, Answer>) -> Vec<Option<Answer>> {
        let Some((low, high)) = range(item) else { return Vec::new() };
        let small = match &item.kind {
            ItemKind::Quantity { .. } => Decimal::parse("0.1").unwrap_or_default(),
            _ => Decimal::whole(1),
        };
        let (thresholds, _) = self.thresholds(item, form);
        let mut numbers = BTreeSet::from([low, high]);
        for at in thresholds {
            numbers.extend([at - small, at, at + small]);
        }
        if let (ItemKind::Quantity { doubt: Some(doubt), .. }, Some(last)) = (&item.kind, self.last(item)) {
            let far = doubt.differs_by + Decimal::whole(1);
            numbers.extend([last - far, last + far]);
        }
        let inside = numbers.into_iter().filter(|number| low <= *number && *number <= high);
        inside
            .map(|number| {
                let doubtful = self.is_doubtful(item, number);
                Some(Answer::Given { value: Value::Number(number), doubtful })
            })
            .collect()
    }

    /// Where comparisons of this item change, as things stand; and the facts that it is compared with.
    fn thresholds(&self, item: &Item, form: &BTreeMap<Name, Answer>) -> (BTreeSet<Decimal>, Vec<Decimal>) {
        let (mut thresholds, mut facts) = (BTreeSet::new(), Vec::new());
        let Some(enrollment) = self.enrollment() else { return (thresholds, facts) };
        let env = self.env(enrollment, form);
        let mut look = |expr: &Expr| {
            let Expr::Compare(_, left, right) = expr else { return };
            let (Some((a, b)), Some((c, d))) = (linear(left, &item.id, &env), linear(right, &item.id, &env))
            else {
                return;
            };
            match a - c {
                1 => drop(thresholds.insert(d - b)),
                -1 => drop(thresholds.insert(b - d)),
                _ => return,
            }
            every_part(expr, &mut |part| {
                if let (Expr::Fact(_), Some(Value::Number(number))) = (part, eval(part, &env)) {
                    facts.push(number);
                }
            });
        };
        for (_, rule) in self.rules() {
            rule.alternatives.iter().for_each(|alternative| every_part(&alternative.when, &mut look));
        }
        self.ground.workflow.define.iter().for_each(|(_, expr)| every_part(expr, &mut look));
        (thresholds, facts)
    }
}
