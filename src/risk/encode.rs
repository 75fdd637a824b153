//! From values to the network's inputs.
//!
//! A number becomes its standardised value (after a signed logarithm when it is skewed) for the linear path, and
//! its place in quantile bins (a piecewise-linear embedding) for the members. A category becomes one column per
//! level, which with the first layer's weights is an embedding; rare levels share one. Missing is a column of its
//! own. The linear path reads the first `linear` columns only.

use serde::{Deserialize, Serialize};

use crate::columns::Frame;
use crate::schema::{Feature, Kind};

/// Most bins of a number.
const MAX_BINS: usize = 16;
/// Rows that a bin should hold.
const ROWS_PER_BIN: usize = 40;
/// Levels with fewer rows share a column.
const RARE_ROWS: usize = 10;
/// Skewness above which a number is taken on a logarithmic scale.
const SKEWED: f64 = 1.5;

/// Spread that a yes-or-no input is taken to have at least, so that a rare yes is not an extreme value.
const LEAST_SHARE_SD: f64 = 0.2;

/// How one feature is encoded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "encoding", rename_all = "snake_case")]
pub enum Block {
    /// A number or a boolean.
    Number {
        /// Signed logarithm first.
        log: bool,
        /// Mean after the transformation.
        mean: f64,
        /// Standard deviation after the transformation.
        sd: f64,
        /// Edges of the bins.
        edges: Vec<f64>,
        /// Used for a missing value when missing was never seen.
        fill: f64,
        /// Whether missing has a column.
        missing: bool,
    },
    /// A category.
    Category {
        /// Column of each level.
        columns: Vec<usize>,
        /// Number of columns.
        width: usize,
        /// Column used for a missing value when missing was never seen.
        fill: usize,
        /// Whether missing has a column.
        missing: bool,
    },
}

impl Block {
    fn linear_width(&self) -> usize {
        match self {
            Self::Number { missing, .. } => 1 + usize::from(*missing),
            Self::Category { width, missing, .. } => width + usize::from(*missing),
        }
    }

    fn bins(&self) -> usize {
        match self {
            Self::Number { edges, .. } => edges.len().saturating_sub(1),
            Self::Category { .. } => 0,
        }
    }
}

/// The encoding of all features.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Encoder {
    /// One block per feature, in feature order.
    pub blocks: Vec<Block>,
}

impl Encoder {
    /// Learns the encoding from training rows; features in `may_be_missing` get a missing column in any case.
    pub fn fit(frame: &Frame, features: &[Feature], may_be_missing: &[bool]) -> Self {
        let blocks = features.iter().enumerate().map(|(i, feature)| {
            let mut values: Vec<f64> = (0..frame.rows()).map(|row| frame.row(row)[i]).collect();
            let all = values.len();
            values.retain(|value| !value.is_nan());
            let missing = values.len() < all || may_be_missing[i];
            match &feature.kind {
                Kind::Category { levels } => category(&values, levels.len(), missing),
                Kind::Boolean => number(values, missing, false),
                Kind::Number { .. } => number(values, missing, true),
            }
        });
        Self { blocks: blocks.collect() }
    }

    /// Columns of the linear path.
    pub fn linear(&self) -> usize {
        self.blocks.iter().map(Block::linear_width).sum()
    }

    /// All columns; the last is the constant 1.
    pub fn width(&self) -> usize {
        self.linear() + self.blocks.iter().map(Block::bins).sum::<usize>() + 1
    }

    /// Encodes one row of values into `out`, which has `width()` zeros.
    pub fn row(&self, values: &[f64], out: &mut [f32]) {
        let mut at = 0;
        let mut bin = self.linear();
        for (block, &value) in self.blocks.iter().zip(values) {
            match block {
                Block::Number { log, mean, sd, edges, fill, missing } => {
                    let absent = value.is_nan() && *missing;
                    if absent {
                        out[at + 1] = 1.0;
                    } else {
                        let value = if value.is_nan() { *fill } else { value };
                        let value = clip(value, edges);
                        out[at] = ((transform(value, *log) - mean) / sd) as f32;
                        piecewise(value, edges, &mut out[bin..]);
                    }
                }
                Block::Category { columns, width, fill, missing } => {
                    let column = if value.is_nan() {
                        if *missing { *width } else { *fill }
                    } else {
                        columns.get(value as usize).copied().unwrap_or(*fill)
                    };
                    out[at + column] = 1.0;
                }
            }
            at += block.linear_width();
            bin += block.bins();
        }
        out[bin] = 1.0;
    }
}

fn clip(value: f64, edges: &[f64]) -> f64 {
    match (edges.first(), edges.last()) {
        (Some(low), Some(high)) => value.clamp(*low, *high),
        _ => value,
    }
}

fn transform(value: f64, log: bool) -> f64 {
    if log { value.signum() * value.abs().ln_1p() } else { value }
}

fn piecewise(value: f64, edges: &[f64], out: &mut [f32]) {
    for (pair, slot) in edges.windows(2).zip(out) {
        *slot = ((value - pair[0]) / (pair[1] - pair[0])).clamp(0.0, 1.0) as f32;
    }
}

fn number(mut values: Vec<f64>, missing: bool, bins: bool) -> Block {
    values.sort_by(f64::total_cmp);
    let log =
        bins && skewness(&values, false) > SKEWED && skewness(&values, true).abs() < skewness(&values, false);
    let (mean, sd) = moments(values.iter().map(|v| transform(*v, log)));
    let fill = values.get(values.len() / 2).copied().unwrap_or(0.0);
    let edges = if bins { edges(&values) } else { Vec::new() };
    Block::Number {
        log,
        mean,
        sd: if sd > 1e-9 { sd.max(if bins { 0.0 } else { LEAST_SHARE_SD }) } else { 1.0 },
        edges,
        fill,
        missing,
    }
}

/// Quantile edges without repetition, from the smallest value to the largest.
fn edges(sorted: &[f64]) -> Vec<f64> {
    if sorted.is_empty() {
        return Vec::new();
    }
    let bins = (sorted.len() / ROWS_PER_BIN).clamp(2, MAX_BINS);
    let mut distinct = sorted.to_vec();
    distinct.dedup();
    let mut edges: Vec<f64> = if distinct.len() <= bins + 1 {
        distinct
    } else {
        (0..=bins).map(|b| sorted[b * (sorted.len() - 1) / bins]).collect()
    };
    edges.dedup();
    if edges.len() < 2 {
        edges.clear();
    }
    edges
}

fn category(values: &[f64], levels: usize, missing: bool) -> Block {
    let mut counts = vec![0usize; levels];
    for value in values {
        counts[*value as usize] += 1;
    }
    let rare_at = RARE_ROWS.min(values.len() / (2 * levels.max(1))).max(1);
    let mut columns = vec![usize::MAX; levels];
    let mut width = 0;
    for (column, count) in columns.iter_mut().zip(&counts) {
        if *count >= rare_at {
            *column = width;
            width += 1;
        }
    }
    if columns.contains(&usize::MAX) {
        columns.iter_mut().filter(|column| **column == usize::MAX).for_each(|column| *column = width);
        width += 1;
    }
    let common = (0..levels).max_by_key(|level| (counts[*level], levels - level));
    let fill = common.map_or(0, |level| columns[level]);
    Block::Category { columns, width, fill, missing }
}

fn moments(values: impl Iterator<Item = f64> + Clone) -> (f64, f64) {
    let n = values.clone().count().max(1) as f64;
    let mean = values.clone().sum::<f64>() / n;
    let var = values.map(|v| (v - mean).powi(2)).sum::<f64>() / n;
    (mean, var.sqrt())
}

fn skewness(values: &[f64], log: bool) -> f64 {
    let (mean, sd) = moments(values.iter().map(|v| transform(*v, log)));
    if sd < 1e-12 {
        return 0.0;
    }
    let cubes = values.iter().map(|v| ((transform(*v, log) - mean) / sd).powi(3));
    cubes.sum::<f64>() / values.len() as f64
}
