//! Where a comparison of one item with everything else changes.

use crate::{
    Decimal, Name, Value,
    expr::{Env, eval},
    model::{Expr, Item, ItemKind},
};

pub(super) fn range(item: &Item) -> Option<(Decimal, Decimal)> {
    match &item.kind {
        ItemKind::Whole { min, max } => Some((Decimal::whole(*min), Decimal::whole(*max))),
        ItemKind::Quantity { min, max, .. } => Some((*min, *max)),
        ItemKind::Choice(_) | ItemKind::YesNo | ItemKind::Text { .. } => None,
    }
}

/// An expression as so many times the item plus a known number.
pub(super) fn linear(expr: &Expr, item: &Name, env: &Env<'_>) -> Option<(i8, Decimal)> {
    match expr {
        Expr::Item(name) if name == item => Some((1, Decimal::ZERO)),
        Expr::Add(left, right) => {
            let ((a, b), (c, d)) = (linear(left, item, env)?, linear(right, item, env)?);
            Some((a.checked_add(c)?, b + d))
        }
        Expr::Subtract(left, right) => {
            let ((a, b), (c, d)) = (linear(left, item, env)?, linear(right, item, env)?);
            Some((a.checked_sub(c)?, b - d))
        }
        _ => match eval(expr, env)? {
            Value::Number(number) => Some((0, number)),
            Value::Bool(_) | Value::Choice(_) | Value::Date(_) => None,
        },
    }
}
