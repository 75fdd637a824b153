//! Local recalibration: a model learns the level, and with enough events the spread, of the place where it is used.
//!
//! Log-hazards become centre + a + b·(z - centre), where the centre is the site's average patient. The intercept a is
//! fitted from `INTERCEPT_EVENTS` events on. The slope b is freed only from `SLOPE_EVENTS` events on, and only when
//! the likelihood ratio against the intercept alone is beyond chance (5 %): else it stays 1. Ranking never changes.

use serde::{Deserialize, Serialize};

use crate::error::DataError;
use crate::evaluate::EvaluateError;
use crate::hazard::{Target, hazard, logistic, loss};
use crate::history;
use crate::model::Model;
use crate::outcome::{OutcomeColumns, observed};
use crate::sha256;
use crate::solve::solve;
use crate::table::RawTable;

/// Events (and rows without one, for a label) from which the intercept is fitted.
pub const INTERCEPT_EVENTS: usize = 20;
/// Events from which the slope may be fitted.
pub const SLOPE_EVENTS: usize = 100;
/// Twice the gain in log-likelihood that one parameter reaches by chance in 5 %.
const BEYOND_CHANCE: f64 = 3.841;
/// Newton steps.
const STEPS: usize = 40;

/// How a site moved a model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Local {
    /// Rows with known outcomes.
    pub rows: usize,
    /// Events among them.
    pub events: usize,
    /// Shift of the log-hazards.
    pub intercept: f64,
    /// Stretch of the differences from the average patient.
    pub slope: f64,
    /// Why the slope is what it is.
    pub rule: String,
    /// Log-hazards of the site's average patient.
    pub centre: Vec<f64>,
}

impl Local {
    /// A log-hazard of interval `j`, moved.
    pub fn apply(&self, j: usize, z: f64) -> f64 {
        let centre = self.centre.get(j).copied().unwrap_or(0.0);
        centre + self.intercept + self.slope * (z - centre)
    }
}

struct Site {
    label: bool,
    centre: Vec<f64>,
    z: Vec<Vec<f64>>,
    targets: Vec<Target>,
}

impl Model {
    /// Fits the site's level and spread to outcomes; the model must not be recalibrated yet.
    pub fn localise(&self, table: &RawTable, outcome: &OutcomeColumns) -> Result<Local, EvaluateError> {
        if self.file.local.is_some() {
            return Err(EvaluateError::Mismatch(
                "the model is recalibrated already; start from the model as it was trained",
            ));
        }
        let rows = observed(table, outcome)?;
        let events = rows.iter().filter(|row| row.event).count();
        let label = self.file.intervals.is_label();
        let least = if label { events.min(rows.len() - events) } else { events };
        if least < INTERCEPT_EVENTS {
            let what = "outcomes of the rarer kind";
            return Err(DataError::TooFew { found: least, what, least: INTERCEPT_EVENTS }.into());
        }
        let frame = history::read(table, &self.features, self.lookback().as_ref())?;
        let z = self.log_hazards(&frame.values)?;
        let centre = (0..self.file.intervals.count())
            .map(|j| z.iter().map(|z| z[j]).sum::<f64>() / z.len().max(1) as f64)
            .collect();
        let targets = rows.iter().map(|row| self.file.intervals.target(*row)).collect();
        let site = Site { label, centre, z, targets };
        Ok(site.fit(events, least))
    }

    /// The model as a site moved it.
    pub fn moved_by(&self, local: Local) -> Self {
        Self { file: self.localised(local), ..self.clone() }
    }

    /// The file with the recalibration in it, under a version of its own.
    pub fn localised(&self, local: Local) -> crate::model::ModelFile {
        let mut file = self.file.clone();
        let mark = sha256::hex(format!("{local:?}").as_bytes());
        file.version = format!("{}-{}", file.version, &mark[..6]);
        file.local = Some(local);
        file
    }
}

impl Site {
    fn fit(&self, events: usize, least: usize) -> Local {
        let first = self.newton(false);
        let both = self.newton(true);
        let gain = 2.0 * (self.loss(first) - self.loss(both));
        let (chosen, rule) = if least < SLOPE_EVENTS {
            (first, format!("the slope stays 1: {least} events, {SLOPE_EVENTS} are needed"))
        } else if gain < BEYOND_CHANCE || both[1] <= 0.0 {
            (first, format!("the slope stays 1: freeing it gains {gain:.2}, {BEYOND_CHANCE} is chance"))
        } else {
            (both, format!("the slope is free: {least} events, gain {gain:.2} beyond {BEYOND_CHANCE}"))
        };
        Local {
            rows: self.z.len(),
            events,
            intercept: chosen[0],
            slope: chosen[1],
            rule,
            centre: self.centre.clone(),
        }
    }

    fn moved(&self, t: [f64; 2], row: usize) -> Vec<f64> {
        self.z[row].iter().zip(&self.centre).map(|(z, c)| c + t[0] + t[1] * (z - c)).collect()
    }

    fn loss(&self, t: [f64; 2]) -> f64 {
        let rows = self.targets.iter().enumerate();
        rows.map(|(row, target)| loss(self.label, target, &self.moved(t, row))).sum()
    }

    fn newton(&self, slope: bool) -> [f64; 2] {
        let mut t = [0.0, 1.0];
        for _ in 0..STEPS {
            let (gradient, hessian) = self.derivatives(t, slope);
            let Some(step) = solve(&hessian, &gradient) else { break };
            let longest = step.iter().fold(0.0f64, |m, s| m.max(s.abs()));
            let scale = (1.0 / longest).min(1.0);
            t.iter_mut().zip(&step).for_each(|(t, s)| *t -= scale * s);
            if longest < 1e-10 {
                break;
            }
        }
        t
    }

    fn derivatives(&self, t: [f64; 2], slope: bool) -> ([f64; 2], [f64; 4]) {
        let (mut g, mut h) = ([0.0; 2], [0.0; 4]);
        for (row, target) in self.targets.iter().enumerate() {
            let moved = self.moved(t, row);
            for (j, moved) in moved.into_iter().enumerate().take(target.last + 1) {
                let last = j == target.last;
                let x = [1.0, self.z[row][j] - self.centre[j]];
                let (mean, weight) = if self.label {
                    let p = logistic(moved);
                    (p, p * (1.0 - p))
                } else {
                    let mean = hazard(moved) * if last { target.exposure } else { 1.0 };
                    (mean, mean)
                };
                let residual = mean - f64::from(u8::from(target.event && last));
                for a in 0..2 {
                    g[a] += residual * x[a];
                    for b in 0..2 {
                        h[a * 2 + b] += weight * x[a] * x[b];
                    }
                }
            }
        }
        if !slope {
            (g[1], h[1], h[2], h[3]) = (0.0, 0.0, 0.0, 1.0);
        }
        (g, h)
    }
}
