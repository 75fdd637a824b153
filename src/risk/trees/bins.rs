//! Values in bins, which is all that trees see of them: bin 0 is missing, then numbers by quantile and categories by
//! level, the rare ones sharing the last.

use crate::columns::Frame;
use crate::schema::{Feature, Kind};

/// Bins of an input, missing included; a set of them fits 128 bits.
const MOST: usize = 128;
/// Rows that a bin of numbers should hold.
const ROWS_PER_BIN: usize = 8;

/// How the values of every input fall into bins.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Bins {
    /// Per input: cuts of a number, or the bin of each level.
    pub cuts: Vec<Vec<f64>>,
    /// Per input: whether `cuts` are bins of levels.
    pub category: Vec<bool>,
}

/// Binned rows.
#[derive(Debug, Clone, Default)]
pub struct Binned {
    /// Inputs per row.
    pub width: usize,
    /// `rows * width` bins.
    pub bins: Vec<u8>,
}

impl Binned {
    /// Bins of one row.
    pub fn row(&self, row: usize) -> &[u8] {
        &self.bins[row * self.width..(row + 1) * self.width]
    }
}

impl Bins {
    /// Learns the cuts from training rows.
    pub fn fit(frame: &Frame, features: &[Feature]) -> Self {
        let mut out = Self::default();
        for (i, feature) in features.iter().enumerate() {
            let values: Vec<f64> =
                (0..frame.rows()).map(|row| frame.row(row)[i]).filter(|v| !v.is_nan()).collect();
            let cuts = match &feature.kind {
                Kind::Category { levels } => of_levels(&values, levels.len()),
                Kind::Boolean | Kind::Number { .. } => of_numbers(values),
            };
            out.cuts.push(cuts);
            out.category.push(matches!(feature.kind, Kind::Category { .. }));
        }
        out
    }

    /// Number of inputs.
    pub fn width(&self) -> usize {
        self.cuts.len()
    }

    /// Whether every bin fits a set.
    pub fn is_sound(&self) -> bool {
        self.cuts.len() == self.category.len() && (0..self.width()).all(|input| self.count(input) <= MOST)
    }

    /// Bins of an input, missing included.
    pub fn count(&self, input: usize) -> usize {
        let cuts = &self.cuts[input];
        if self.category[input] {
            1 + cuts.iter().fold(0.0f64, |most, bin| most.max(*bin)) as usize
        } else {
            cuts.len() + 2
        }
    }

    /// Appends the bins of one row of values.
    pub fn row(&self, values: &[f64], out: &mut Vec<u8>) {
        for ((cuts, category), value) in self.cuts.iter().zip(&self.category).zip(values) {
            out.push(if value.is_nan() {
                0
            } else if *category {
                cuts.get(*value as usize).map_or(0, |bin| *bin as u8)
            } else {
                1 + cuts.partition_point(|cut| cut < value) as u8
            });
        }
    }
}

/// Cuts between quantiles: a value up to the first cut is in bin 1.
fn of_numbers(mut values: Vec<f64>) -> Vec<f64> {
    values.sort_by(f64::total_cmp);
    let mut distinct = values.clone();
    distinct.dedup();
    let most = (values.len() / ROWS_PER_BIN).clamp(2, MOST - 2);
    if distinct.len() <= most {
        return distinct.windows(2).map(|pair| 0.5 * (pair[0] + pair[1])).collect();
    }
    let mut cuts: Vec<f64> = (1..most).map(|b| values[b * (values.len() - 1) / most]).collect();
    cuts.dedup();
    cuts
}

/// Bins of levels by frequency; what does not fit shares the last.
fn of_levels(values: &[f64], levels: usize) -> Vec<f64> {
    let mut counts = vec![0usize; levels];
    values.iter().for_each(|value| counts[*value as usize] += 1);
    let mut order: Vec<usize> = (0..levels).collect();
    order.sort_by_key(|level| std::cmp::Reverse(counts[*level]));
    let mut bins = vec![0.0; levels];
    for (place, level) in order.into_iter().enumerate() {
        bins[level] = (1 + place.min(MOST - 2)) as f64;
    }
    bins
}
