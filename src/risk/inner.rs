//! Inner folds: by patient, so that all rows of an id are on one side.

use std::collections::BTreeMap;

use crate::hazard::Observed;
use crate::rng::Rng;

/// Inner folds when the caller gives none.
pub const INNER_FOLDS: usize = 5;

/// Rows of one inner fold and of all the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// Learned from.
    pub train: Vec<usize>,
    /// Held out.
    pub valid: Vec<usize>,
}

/// A fold for every row: ids with and without events are dealt out in turn, in an order that the seed decides.
pub fn assign(ids: &[usize], observed: &[Observed], seed: u64) -> Vec<usize> {
    let mut has_event: BTreeMap<usize, bool> = BTreeMap::new();
    for (id, row) in ids.iter().zip(observed) {
        *has_event.entry(*id).or_default() |= row.event;
    }
    let mut order: Vec<(bool, usize)> = has_event.iter().map(|(id, event)| (*event, *id)).collect();
    Rng::new(seed, "inner folds").shuffle(&mut order);
    order.sort_by_key(|(event, _)| *event);
    let fold: BTreeMap<usize, usize> =
        order.iter().enumerate().map(|(i, (_, id))| (*id, i % INNER_FOLDS)).collect();
    ids.iter().map(|id| fold[id]).collect()
}

/// The splits of a fold per row, in the order of the fold numbers.
pub fn splits(folds: &[usize]) -> Vec<Split> {
    let mut names = folds.to_vec();
    names.sort_unstable();
    names.dedup();
    let of =
        |name: usize, inside: bool| (0..folds.len()).filter(|row| (folds[*row] == name) == inside).collect();
    names.iter().map(|name| Split { train: of(*name, false), valid: of(*name, true) }).collect()
}

/// Which optional inputs a row loses while learning, so that the model knows what to make of absence.
#[derive(Debug, Clone)]
pub struct Absence {
    /// Positions of the optional features; empty when nothing is taken away.
    pub optional: Vec<usize>,
    /// Share of rows that lose something.
    pub share: f64,
}

/// Share of the shortened rows that lose everything optional.
const LOSE_ALL: f64 = 0.25;

impl Absence {
    /// Sets optional values to missing, or returns false and leaves the row as it is.
    pub fn shorten(&self, values: &mut [f64], rng: &mut Rng) -> bool {
        if self.optional.is_empty() || rng.uniform() >= self.share {
            return false;
        }
        self.shorten_always(values, rng);
        true
    }

    /// As `shorten`, for every row.
    pub fn shorten_always(&self, values: &mut [f64], rng: &mut Rng) {
        let rate = if rng.uniform() < LOSE_ALL { 1.0 } else { rng.uniform() };
        for &i in &self.optional {
            if rng.uniform() < rate {
                values[i] = f64::NAN;
            }
        }
    }
}

/// Positions of equal texts get equal numbers, in the order of first appearance.
pub fn group<'a>(names: impl Iterator<Item = &'a str>) -> Vec<usize> {
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    names
        .map(|name| {
            let next = seen.len();
            *seen.entry(name).or_insert(next)
        })
        .collect()
}
