//! Calibration: how far to trust the linear path, the members and the trees, from predictions on rows that none of
//! them had seen.
//!
//! z = base + a + a_j + b·linear + c·members + d·trees, fitted by the same likelihood as the model. A prior holds
//! the three slopes near a half (the members add to the line, the trees stand beside both) when the data are few;
//! with one path alone what remains is a Platt calibration (intercept and slope).

use serde::{Deserialize, Serialize};

use crate::hazard::{Target, hazard, logistic};
use crate::solve::solve;

/// The prior counts as much as this many events of unit variance.
const PRIOR: f64 = 8.0;
/// Slopes before the data speak.
const SLOPE: f64 = 0.5;
/// Events that an interval needs to move by as much as it wants, half the way.
const INTERVAL_PRIOR: f64 = 20.0;
/// Newton steps.
const STEPS: usize = 30;
/// Slopes.
const PATHS: usize = 3;

/// The fitted weights.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Stack {
    /// Shift of all log-hazards.
    pub intercept: f64,
    /// Further shift of each interval; none for a label.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub by_interval: Vec<f64>,
    /// Slope of the linear path.
    pub linear: f64,
    /// Slope of the members.
    pub members: f64,
    /// Slope of the trees.
    pub trees: f64,
}

/// Held-out predictions of all rows, split into what the calibration weighs.
pub struct Centred {
    /// Whether the outcome is a label.
    pub label: bool,
    /// Intervals.
    pub outputs: usize,
    /// (rows, intervals): log-hazard of the average patient.
    pub base: Vec<f64>,
    /// (rows): linear part, centred.
    pub linear: Vec<f64>,
    /// (rows, intervals): members' part, centred.
    pub members: Vec<f64>,
    /// (rows, intervals): trees' part, centred.
    pub trees: Vec<f64>,
    /// Mean of the linear columns.
    pub mean: Vec<f64>,
    /// Mean of the members' part by interval.
    pub shift: Vec<f64>,
    /// Mean of the trees' part by interval.
    pub trees_shift: Vec<f64>,
}

impl Centred {
    /// Fits the calibration; a negative slope is not believed and becomes 0.
    pub fn stack(&self, targets: &[Target]) -> Stack {
        let mut free = [true; PATHS];
        loop {
            let theta = self.newton(targets, free);
            let slopes = &theta[theta.len() - PATHS..];
            let least = (0..PATHS).filter(|p| free[*p]).min_by(|a, b| slopes[*a].total_cmp(&slopes[*b]));
            match least {
                Some(path) if slopes[path] < 0.0 => free[path] = false,
                _ => return self.named(&theta),
            }
        }
    }

    /// The calibrated log-hazards of all rows.
    pub fn held_out(&self, stack: &Stack) -> Vec<Vec<f64>> {
        let theta = self.theta(stack);
        let rows = 0..self.linear.len();
        rows.map(|i| (0..self.outputs).map(|j| self.log_hazard(&theta, i, j)).collect()).collect()
    }

    fn named(&self, theta: &[f64]) -> Stack {
        let n = theta.len();
        Stack {
            intercept: theta[0],
            by_interval: theta[1..n - PATHS].to_vec(),
            linear: theta[n - 3],
            members: theta[n - 2],
            trees: theta[n - 1],
        }
    }

    fn theta(&self, stack: &Stack) -> Vec<f64> {
        let mut theta = vec![stack.intercept];
        theta.extend(&stack.by_interval);
        theta.extend([stack.linear, stack.members, stack.trees]);
        theta
    }

    /// Intercepts: one, and one per interval when there are several.
    fn intercepts(&self) -> usize {
        if self.label { 1 } else { 1 + self.outputs }
    }

    fn paths(&self, i: usize, j: usize) -> [f64; PATHS] {
        let at = i * self.outputs + j;
        [self.linear[i], self.members[at], self.trees[at]]
    }

    fn log_hazard(&self, theta: &[f64], i: usize, j: usize) -> f64 {
        let n = self.intercepts();
        let own = if self.label { 0.0 } else { theta[1 + j] };
        let slopes: f64 = self.paths(i, j).iter().zip(&theta[n..]).map(|(x, t)| x * t).sum();
        self.base[i * self.outputs + j] + theta[0] + own + slopes
    }

    fn newton(&self, targets: &[Target], free: [bool; PATHS]) -> Vec<f64> {
        let mut theta = vec![0.0; self.intercepts()];
        theta.extend(free.map(|free| if free { SLOPE } else { 0.0 }));
        for _ in 0..STEPS {
            let (gradient, hessian) = self.derivatives(targets, &theta, free);
            let Some(step) = solve(&hessian, &gradient) else {
                break;
            };
            let longest = step.iter().fold(0.0f64, |m, s| m.max(s.abs()));
            let scale = (1.0 / longest).min(1.0);
            theta.iter_mut().zip(&step).for_each(|(t, s)| *t -= scale * s);
            if longest < 1e-9 {
                break;
            }
        }
        theta
    }

    fn derivatives(&self, targets: &[Target], theta: &[f64], free: [bool; PATHS]) -> (Vec<f64>, Vec<f64>) {
        let (size, n) = (theta.len(), self.intercepts());
        let mut gradient = vec![0.0; size];
        let mut hessian = vec![0.0; size * size];
        for (i, target) in targets.iter().enumerate() {
            for j in 0..=target.last {
                let z = self.log_hazard(theta, i, j);
                let last = j == target.last;
                let (mean, weight) = if self.label {
                    let p = logistic(z);
                    (p, p * (1.0 - p))
                } else {
                    let mean = hazard(z) * if last { target.exposure } else { 1.0 };
                    (mean, mean)
                };
                let residual = mean - f64::from(u8::from(target.event && last));
                let paths = self.paths(i, j);
                let own = (!self.label).then_some((1 + j, 1.0));
                let slopes = paths.iter().enumerate().map(|(p, x)| (n + p, *x));
                let row: Vec<(usize, f64)> = [(0, 1.0)].into_iter().chain(own).chain(slopes).collect();
                for (a, x) in &row {
                    gradient[*a] += residual * x;
                    row.iter().for_each(|(b, y)| hessian[a * size + b] += weight * x * y);
                }
            }
        }
        for a in 1..size {
            let (prior, middle) = if a < n { (INTERVAL_PRIOR, 0.0) } else { (PRIOR, SLOPE) };
            gradient[a] += prior * (theta[a] - middle);
            hessian[a * size + a] += prior;
        }
        for a in (0..PATHS).filter(|p| !free[*p]).map(|p| n + p) {
            gradient[a] = 0.0;
            for b in 0..size {
                hessian[a * size + b] = f64::from(u8::from(a == b));
                hessian[b * size + a] = f64::from(u8::from(a == b));
            }
        }
        (gradient, hessian)
    }
}
