//! Life after go-live: do patients still look as in training, and do as many have the event as predicted?
//!
//! Drift of an input is the population stability index against the training rows. Calibration is a control chart: in
//! each period the events seen minus those expected, in standard errors, against a limit whose rate of false alarms
//! is known. One bad period asks for a look; two counted ones in a row say that the model should step back.

use serde::{Deserialize, Serialize};

use crate::columns::Frame;
use crate::schema::Kind;

/// Index from which an input has drifted; from 0.1 on it deserves a look.
pub const DRIFTED: f64 = 0.25;
/// ... and from which it deserves a look.
pub const LOOK: f64 = 0.1;
/// Standard errors of the control limit: 0.27 % of periods cross it by chance, one year of months in 31.
pub const LIMIT: f64 = 3.0;
/// Standard errors from which a second period in a row counts: 0.026 % of pairs by chance, on one side.
pub const AGAIN: f64 = 2.13;
/// Least share counted in the index, so that an empty bin does not decide alone.
const LEAST_SHARE: f64 = 1e-3;
/// Bins of a number.
const BINS: usize = 10;

/// How the values of an input were spread in training: missing first, then bins or levels.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Spread {
    /// Cuts of a number; none for a category.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cuts: Vec<f64>,
    /// Share of the rows in each.
    pub shares: Vec<f64>,
}

impl Spread {
    /// Of one input of the training rows.
    pub fn of(frame: &Frame, input: usize, kind: &Kind) -> Self {
        let mut values: Vec<f64> =
            (0..frame.rows()).map(|row| frame.row(row)[input]).filter(|v| !v.is_nan()).collect();
        values.sort_by(f64::total_cmp);
        let (cuts, bins) = match kind {
            Kind::Category { levels } => (Vec::new(), levels.len()),
            Kind::Boolean => (vec![0.5], 2),
            Kind::Number { .. } => {
                let at = |b: usize| values.get(b * values.len() / BINS).copied();
                let mut cuts: Vec<f64> = (1..BINS).filter_map(at).collect();
                cuts.dedup();
                let bins = cuts.len() + 1;
                (cuts, bins)
            }
        };
        let empty = Self { cuts, shares: vec![0.0; bins + 1] };
        let shares = empty.shares_of((0..frame.rows()).map(|row| frame.row(row)[input]));
        Self { shares, ..empty }
    }

    fn bin(&self, value: f64) -> usize {
        let bin = match (value.is_nan(), self.cuts.is_empty()) {
            (true, _) => 0,
            (false, true) => 1 + value as usize,
            (false, false) => 1 + self.cuts.partition_point(|cut| *cut <= value),
        };
        bin.min(self.shares.len().saturating_sub(1))
    }

    fn shares_of(&self, values: impl Iterator<Item = f64>) -> Vec<f64> {
        let mut counts = vec![0.0; self.shares.len()];
        let mut rows = 0.0;
        for value in values {
            counts[self.bin(value)] += 1.0;
            rows += 1.0;
        }
        counts.iter().map(|count| count / f64::max(rows, 1.0)).collect()
    }

    /// The population stability index of newer values, and the share of them that is missing.
    pub fn drift(&self, values: impl Iterator<Item = f64>) -> (f64, f64) {
        let now = self.shares_of(values);
        let index = self.shares.iter().zip(&now).map(|(then, now)| {
            let (then, now) = (then.max(LEAST_SHARE), now.max(LEAST_SHARE));
            (now - then) * (now / then).ln()
        });
        (index.sum(), now.first().copied().unwrap_or(0.0))
    }
}

/// A period of the control chart.
#[derive(Debug, Clone, PartialEq)]
pub struct Period {
    /// Events seen.
    pub observed: f64,
    /// Events expected.
    pub expected: f64,
    /// Difference in standard errors.
    pub z: f64,
    /// What to do.
    pub signal: Signal,
}

/// What a period says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// Within the limits.
    Quiet,
    /// Beyond the limit: a person should look, and recalibrate if it is true.
    Look,
    /// Beyond it again in the same direction: show the published score instead until somebody decided.
    StepBack,
}

/// Events seen over events expected, with a 95 % interval (Byar's, of the events seen).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ratio {
    /// Seen over expected; 1 is ideal.
    pub value: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// Of so many events where so many were expected.
pub fn ratio(observed: f64, expected: f64) -> Option<Ratio> {
    let byar = |n: f64, z: f64| n * (1.0 - 1.0 / (9.0 * n) + z / (3.0 * n.sqrt())).powi(3);
    let low = if observed > 0.0 { byar(observed, -1.96).max(0.0) } else { 0.0 };
    (expected > 0.0).then(|| Ratio {
        value: observed / expected,
        low: low / expected,
        high: byar(observed + 1.0, 1.96) / expected,
    })
}

/// The control chart of risks and outcomes, period by period.
pub fn control(periods: &[(Vec<f64>, Vec<bool>)]) -> Vec<Period> {
    let mut out: Vec<Period> = Vec::new();
    for (risks, outcomes) in periods {
        let observed = outcomes.iter().filter(|event| **event).count() as f64;
        let expected: f64 = risks.iter().sum();
        let variance: f64 = risks.iter().map(|p| p * (1.0 - p)).sum();
        let z = if variance > 0.0 { (observed - expected) / variance.sqrt() } else { 0.0 };
        let before = out.last().map_or(0.0, |period| period.z);
        let again = z * before > 0.0 && z.abs() > AGAIN && before.abs() > AGAIN;
        let signal = match (again, z.abs() > LIMIT) {
            (true, _) => Signal::StepBack,
            (false, true) => Signal::Look,
            (false, false) => Signal::Quiet,
        };
        out.push(Period { observed, expected, z, signal });
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;

    /// Twelve months of 300 patients; the log-odds of the truth leave those of the model by `shift` from month 6 on.
    fn year(seed: u64, shift: f64) -> Vec<(Vec<f64>, Vec<bool>)> {
        let mut rng = Rng::new(seed, "a year");
        let month = |month: usize, rng: &mut Rng| {
            let moved = if month >= 6 { shift } else { 0.0 };
            let rows = (0..300).map(|_| {
                let z = -2.0 + 0.7 * rng.normal();
                let p = |z: f64| 1.0 / (1.0 + (-z).exp());
                (p(z), rng.uniform() < p(z + moved))
            });
            rows.unzip()
        };
        (0..12).map(|m| month(m, &mut rng)).collect()
    }

    #[test]
    fn false_alarms_come_at_the_stated_rate() {
        let years = 1_000;
        let (mut looks, mut steps) = (0, 0);
        for seed in 0..years {
            let chart = control(&year(seed, 0.0));
            looks += chart.iter().filter(|p| p.z.abs() > LIMIT).count();
            steps += usize::from(chart.iter().any(|p| p.signal == Signal::StepBack));
        }
        let rate = looks as f64 / (12 * years) as f64;
        assert!((0.0012..0.0050).contains(&rate), "{rate} of the months, 0.0027 is stated");
        // Eleven pairs of months, two sides, 0.017 squared each.
        assert!(steps < 20, "{steps} of 1,000 years");
    }

    #[test]
    fn a_drift_by_design_is_seen() {
        let seen = (0..100).filter(|seed| {
            let chart = control(&year(*seed, 0.5));
            chart[6..].iter().any(|p| p.signal != Signal::Quiet)
        });
        assert!(seen.count() > 95);
    }

    #[test]
    fn the_index_is_nothing_for_the_same_patients_and_large_for_others() {
        let mut frame = Frame { width: 1, ..Frame::default() };
        let mut rng = Rng::new(1, "drift");
        for _ in 0..2_000 {
            frame.values.push(if rng.uniform() < 0.1 { f64::NAN } else { rng.normal() });
            frame.abstain.push(None);
        }
        let kind = Kind::Number { min: -9.0, max: 9.0, whole: false };
        let spread = Spread::of(&frame, 0, &kind);
        assert_eq!(spread.drift(frame.values.iter().copied()).0, 0.0);
        let (same, missing) = spread.drift((0..2_000).map(|_| rng.normal()));
        assert!(same > LOOK && missing == 0.0, "what was sometimes missing never is: {same}");
        let (moved, _) = spread.drift(frame.values.iter().map(|v| v + 1.0));
        assert!(moved > DRIFTED, "{moved}");
    }
}
