//! Calibration: how far to trust the linear path and the members, from predictions on rows that neither had seen.
//!
//! z = base + a + b·linear + c·members, fitted by the same likelihood as the model. With c = 0 what remains is a
//! Platt calibration (intercept and slope) of the linear path. A prior holds b and c near 1 when the data are few.

use serde::{Deserialize, Serialize};

use crate::hazard::{Target, hazard, logistic};
use crate::solve::solve;

/// The prior counts as much as this many events of unit variance.
const PRIOR: f64 = 8.0;
/// Newton steps.
const STEPS: usize = 30;

/// The fitted weights.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Stack {
    /// Shift of all log-hazards.
    pub intercept: f64,
    /// Slope of the linear path.
    pub linear: f64,
    /// Slope of the members.
    pub members: f64,
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
    /// Mean of the linear columns.
    pub mean: Vec<f64>,
    /// Mean of the members' part by interval.
    pub shift: Vec<f64>,
}

impl Centred {
    /// Fits the calibration.
    pub fn stack(&self, targets: &[Target]) -> Stack {
        let held_out = HeldOut {
            label: self.label,
            targets,
            outputs: self.outputs,
            base: &self.base,
            linear: &self.linear,
            members: &self.members,
        };
        held_out.fit()
    }

    /// The calibrated log-hazards of all rows.
    pub fn held_out(&self, stack: Stack) -> Vec<Vec<f64>> {
        let rows = self.base.chunks_exact(self.outputs).zip(self.members.chunks_exact(self.outputs));
        rows.zip(&self.linear).map(|((base, members), linear)| stack.apply(base, *linear, members)).collect()
    }
}

/// Held-out parts of every row.
struct HeldOut<'a> {
    /// Whether the outcome is a label.
    label: bool,
    /// Outcomes.
    targets: &'a [Target],
    /// Intervals.
    outputs: usize,
    /// (rows, intervals): log-hazard of the average patient.
    base: &'a [f64],
    /// (rows): linear part, centred.
    linear: &'a [f64],
    /// (rows, intervals): members' part, centred.
    members: &'a [f64],
}

impl HeldOut<'_> {
    /// Fits; a negative slope of the members is not believed and becomes 0.
    fn fit(&self) -> Stack {
        let both = self.newton([true, true, true]);
        if both.members >= 0.0 && both.linear >= 0.0 {
            return both;
        }
        let mut one = self.newton([true, both.linear >= 0.0, both.linear < 0.0]);
        one.linear = one.linear.max(0.0);
        one.members = one.members.max(0.0);
        one
    }

    fn newton(&self, free: [bool; 3]) -> Stack {
        let mut t = [0.0, f64::from(u8::from(free[1])), f64::from(u8::from(free[2]))];
        for _ in 0..STEPS {
            let (gradient, hessian) = self.derivatives(&t, free);
            let Some(step) = solve(&hessian, &gradient) else {
                break;
            };
            let longest = step.iter().fold(0.0f64, |m, s| m.max(s.abs()));
            let scale = (1.0 / longest).min(1.0);
            t.iter_mut().zip(&step).for_each(|(t, s)| *t -= scale * s);
            if longest < 1e-9 {
                break;
            }
        }
        Stack { intercept: t[0], linear: t[1], members: t[2] }
    }

    fn derivatives(&self, t: &[f64; 3], free: [bool; 3]) -> ([f64; 3], [f64; 9]) {
        let mut gradient = [0.0; 3];
        let mut hessian = [0.0; 9];
        for (i, target) in self.targets.iter().enumerate() {
            for j in 0..=target.last {
                let at = i * self.outputs + j;
                let row = [1.0, self.linear[i], self.members[at]];
                let z = self.base[at] + row.iter().zip(t).map(|(x, t)| x * t).sum::<f64>();
                let last = j == target.last;
                let (mean, weight) = if self.label {
                    let p = logistic(z);
                    (p, p * (1.0 - p))
                } else {
                    let mean = hazard(z) * if last { target.exposure } else { 1.0 };
                    (mean, mean)
                };
                let residual = mean - f64::from(u8::from(target.event && last));
                for a in 0..3 {
                    gradient[a] += residual * row[a];
                    for b in 0..3 {
                        hessian[a * 3 + b] += weight * row[a] * row[b];
                    }
                }
            }
        }
        for a in 1..3 {
            gradient[a] += PRIOR * (t[a] - 1.0);
            hessian[a * 4] += PRIOR;
        }
        for a in (0..3).filter(|a| !free[*a]) {
            gradient[a] = 0.0;
            for b in 0..3 {
                hessian[a * 3 + b] = f64::from(u8::from(a == b));
                hessian[b * 3 + a] = f64::from(u8::from(a == b));
            }
        }
        (gradient, hessian)
    }
}

impl Stack {
    /// The calibrated log-hazards of one row.
    pub fn apply(&self, base: &[f64], linear: f64, members: &[f64]) -> Vec<f64> {
        let each = base.iter().zip(members);
        each.map(|(base, m)| base + self.intercept + self.linear * linear + self.members * m).collect()
    }
}
