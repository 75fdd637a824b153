//! Time in intervals: one log-hazard each, constant within, so that a survival curve is known at any time.
//!
//! The hazard of interval j is exp(z_j) for the whole interval. A row that is followed for a part of an interval
//! counts with that part, which is how censoring enters the likelihood. A yes-or-no label is one interval without
//! length, on the log-odds scale.

use serde::{Deserialize, Serialize};

/// Events that an interval should hold.
const EVENTS_PER_INTERVAL: usize = 15;
/// Most intervals.
const MAX_INTERVALS: usize = 30;
/// Fewest intervals.
const MIN_INTERVALS: usize = 4;
/// Shortest part of an interval that a row is taken to be followed for.
const LEAST_EXPOSURE: f64 = 1e-3;
/// Log-hazards are kept within this distance of 0.
const FURTHEST: f64 = 30.0;

/// Outcome of a row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Observed {
    /// Time to the event or to the end of follow-up; 0 for a label.
    pub time: f64,
    /// Whether the event happened.
    pub event: bool,
}

/// The intervals of a model.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Intervals {
    /// Ends of the intervals, rising; none for a label.
    pub ends: Vec<f64>,
}

/// A row's outcome by interval.
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    /// Last interval that the row entered.
    pub last: usize,
    /// The part of that interval it was followed for.
    pub exposure: f64,
    /// Whether the event happened in it.
    pub event: bool,
}

impl Intervals {
    /// One interval without length, for labels.
    pub fn label() -> Self {
        Self::default()
    }

    /// Intervals that hold about the same number of events each.
    pub fn from_events(rows: &[Observed]) -> Self {
        let mut times: Vec<f64> = rows.iter().filter(|r| r.event).map(|r| r.time).collect();
        times.sort_by(f64::total_cmp);
        let Some(&last) = times.last() else {
            return Self::default();
        };
        let wanted = (times.len() / EVENTS_PER_INTERVAL).clamp(MIN_INTERVALS, MAX_INTERVALS);
        let mut ends: Vec<f64> = (1..=wanted)
            .map(|j| times[(j * times.len() / wanted).saturating_sub(1)])
            .chain([last])
            .filter(|end| *end > 0.0)
            .collect();
        ends.dedup();
        Self { ends }
    }

    /// Whether the outcome is a label.
    pub fn is_label(&self) -> bool {
        self.ends.is_empty()
    }

    /// Number of log-hazards.
    pub fn count(&self) -> usize {
        self.ends.len().max(1)
    }

    /// Longest time that is known, for survival.
    pub fn longest(&self) -> Option<f64> {
        self.ends.last().copied()
    }

    /// The row's outcome by interval.
    pub fn target(&self, row: Observed) -> Target {
        if self.is_label() {
            return Target { last: 0, exposure: 1.0, event: row.event };
        }
        let (last, part) = self.place(row.time);
        let beyond = self.ends.last().is_some_and(|end| row.time > *end);
        Target { last, exposure: part.max(LEAST_EXPOSURE), event: row.event && !beyond }
    }

    /// Interval that holds `time`, and the part of it that has passed.
    fn place(&self, time: f64) -> (usize, f64) {
        let j = self.ends.partition_point(|end| *end < time);
        let Some(end) = self.ends.get(j) else {
            return (self.ends.len() - 1, 1.0);
        };
        let start = if j == 0 { 0.0 } else { self.ends[j - 1] };
        (j, (time - start) / (end - start))
    }

    /// Risk of the event by `horizon`; a label ignores it.
    pub fn risk(&self, z: &[f64], horizon: f64) -> f64 {
        if self.is_label() {
            return logistic(z[0]);
        }
        -(-self.cumulative(z, horizon)).exp_m1()
    }

    /// Cumulative hazard at `horizon`.
    pub fn cumulative(&self, z: &[f64], horizon: f64) -> f64 {
        if horizon <= 0.0 {
            return 0.0;
        }
        let (j, part) = self.place(horizon);
        let full: f64 = z[..j].iter().map(|z| hazard(*z)).sum();
        full + part * hazard(z[j])
    }

    /// Log-odds of the event by `horizon`.
    pub fn log_odds(&self, z: &[f64], horizon: f64) -> f64 {
        if self.is_label() {
            return z[0];
        }
        // 1 - exp(-H) against exp(-H): the odds are exp(H) - 1.
        self.cumulative(z, horizon).max(1e-12).exp_m1().ln()
    }

    /// Derivative of the log-odds by a shift of all log-hazards.
    pub fn log_odds_slope(&self, z: &[f64], horizon: f64) -> f64 {
        if self.is_label() {
            return 1.0;
        }
        let h = self.cumulative(z, horizon).max(1e-12);
        h / -(-h).exp_m1()
    }
}

/// exp, kept finite.
pub fn hazard(z: f64) -> f64 {
    z.clamp(-FURTHEST, FURTHEST).exp()
}

/// The logistic function.
pub fn logistic(z: f64) -> f64 {
    1.0 / (1.0 + (-z).exp())
}

/// Negative log-likelihood of a row under log-hazards `z`.
pub fn loss(label: bool, target: &Target, z: &[f64]) -> f64 {
    if label {
        let z = z[0];
        let softplus = z.max(0.0) + (-z.abs()).exp().ln_1p();
        return softplus - if target.event { z } else { 0.0 };
    }
    let full: f64 = z[..target.last].iter().map(|z| hazard(*z)).sum();
    let last = z[target.last].clamp(-FURTHEST, FURTHEST);
    full + target.exposure * last.exp() - if target.event { last } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn months() -> Intervals {
        Intervals { ends: vec![30.0, 90.0, 180.0] }
    }

    #[test]
    fn the_curve_is_exact_at_ends_and_between_them() {
        let z = [(0.1f64).ln(), (0.2f64).ln(), (0.4f64).ln()];
        let at = |t| 1.0 - months().risk(&z, t);
        assert!((at(30.0) - (-0.1f64).exp()).abs() < 1e-12);
        assert!((at(60.0) - (-0.2f64).exp()).abs() < 1e-12);
        assert!((at(180.0) - (-0.7f64).exp()).abs() < 1e-12);
        assert_eq!(at(500.0), at(180.0));
        assert_eq!(at(0.0), 1.0);
        let odds = months().log_odds(&z, 60.0);
        assert!((logistic(odds) - months().risk(&z, 60.0)).abs() < 1e-12);
    }

    #[test]
    fn a_censored_row_counts_only_the_time_it_was_followed() {
        let z = [(0.1f64).ln(), (0.2f64).ln(), (0.4f64).ln()];
        let row = |time, event| months().target(Observed { time, event });
        let censored = loss(false, &row(60.0, false), &z);
        assert!((censored - 0.2).abs() < 1e-12);
        let event = loss(false, &row(60.0, true), &z);
        assert!((event - (0.2 - (0.2f64).ln())).abs() < 1e-12);
        // An event after the last end is follow-up without an event up to there.
        assert!((loss(false, &row(200.0, true), &z) - 0.7).abs() < 1e-12);
    }

    #[test]
    fn the_rate_is_recovered_only_when_censoring_is_in_the_likelihood() {
        // Hazard 0.1 a day; everybody still at risk on day 5 is censored there.
        let rows: Vec<Observed> = (0..4000)
            .map(|i| -(1.0 - (f64::from(i) + 0.5) / 4000.0).ln() / 0.1)
            .map(|t| Observed { time: t.min(5.0), event: t < 5.0 })
            .collect();
        let one = Intervals { ends: vec![5.0] };
        let total = |rate: f64| -> f64 {
            rows.iter().map(|r| loss(false, &one.target(*r), &[(5.0 * rate).ln()])).sum()
        };
        let best = (1..40).map(|i| f64::from(i) * 0.005).min_by(|a, b| total(*a).total_cmp(&total(*b)));
        assert!((best.unwrap_or(0.0) - 0.1).abs() < 1e-9);
    }
}
