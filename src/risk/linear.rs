//! The linear path: one log-hazard per interval plus a ridge-shrunk linear part, by Newton's method in `f64`.
//!
//! A Poisson likelihood of hazards and a Bernoulli likelihood of labels have the same shape, so one routine fits both.

use crate::hazard::{Target, hazard, logistic, loss};
use crate::solve::{cholesky, solve, substitute};

/// Newton steps at most.
const MAX_STEPS: usize = 25;
/// Steps end when the objective falls by less than this share.
const TOLERANCE: f64 = 1e-7;
/// Keeps an interval's log-hazard finite when it has no event.
const INTERCEPT_RIDGE: f64 = 1e-3;

/// Encoded rows without their zeros: most columns of a row are levels that it does not have.
#[derive(Debug, Clone, Default)]
pub struct Rows {
    starts: Vec<usize>,
    entries: Vec<(u32, f64)>,
}

impl Rows {
    /// Appends a row.
    pub fn push(&mut self, x: &[f32]) {
        self.starts.push(self.entries.len());
        let filled = x.iter().enumerate().filter(|(_, x)| **x != 0.0);
        self.entries.extend(filled.map(|(c, x)| (c as u32, f64::from(*x))));
    }

    fn iter(&self) -> impl Iterator<Item = &[(u32, f64)]> {
        let ends = self.starts.iter().skip(1).copied().chain([self.entries.len()]);
        self.starts.iter().zip(ends).map(|(start, end)| &self.entries[*start..end])
    }
}

fn product(row: &[(u32, f64)], beta: &[f64]) -> f64 {
    row.iter().map(|(c, x)| x * beta[*c as usize]).sum()
}

/// The rows to fit.
pub struct Problem<'a> {
    /// Whether the outcome is a label.
    pub label: bool,
    /// Number of intervals.
    pub intervals: usize,
    /// Encoded rows.
    pub x: &'a Rows,
    /// Values per row.
    pub width: usize,
    /// Outcome of each row.
    pub targets: &'a [Target],
}

/// The fitted part.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Linear {
    /// Log-hazard of each interval.
    pub intercepts: Vec<f64>,
    /// One coefficient per linear column.
    pub beta: Vec<f64>,
    /// Covariance of the coefficients, row by row.
    pub covariance: Vec<f64>,
}

impl Linear {
    /// x'beta.
    pub fn part(&self, x: &[f32]) -> f64 {
        self.beta.iter().zip(x).map(|(b, x)| b * f64::from(*x)).sum()
    }
}

/// The variance of x'beta around the middle of all rows, made ready for rows that are mostly zeros.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Doubt {
    covariance: Vec<f64>,
    /// Covariance times the middle.
    pull: Vec<f64>,
    /// Variance of the middle itself.
    rest: f64,
}

impl Doubt {
    /// From the covariance of the coefficients and the mean of the columns.
    pub fn of(covariance: &[f64], middle: &[f64]) -> Self {
        let times = |line: &[f64]| line.iter().zip(middle).map(|(c, m)| c * m).sum();
        let pull: Vec<f64> = covariance.chunks_exact(middle.len().max(1)).map(times).collect();
        Self { covariance: covariance.to_vec(), rest: times(&pull), pull }
    }

    /// The variance for a row.
    pub fn variance(&self, x: &[f32]) -> f64 {
        let filled: Vec<(usize, f64)> =
            x.iter().enumerate().filter(|(_, x)| **x != 0.0).map(|(c, x)| (c, f64::from(*x))).collect();
        let mut total = self.rest;
        for (at, (a, xa)) in filled.iter().enumerate() {
            let line = &self.covariance[a * x.len()..(a + 1) * x.len()];
            // The covariance is the same on both sides of its diagonal.
            let before: f64 = filled[..at].iter().map(|(b, xb)| line[*b] * xb).sum();
            total += xa * (xa * line[*a] + 2.0 * (before - self.pull[*a]));
        }
        total.max(0.0)
    }
}

struct Derivatives {
    objective: f64,
    gradient: Vec<f64>,
    hessian: Vec<f64>,
}

impl Problem<'_> {
    /// Minimises the penalised negative log-likelihood from `start`.
    pub fn fit(&self, ridge: f64, start: &Linear) -> Linear {
        let size = self.intervals + self.width;
        let mut theta: Vec<f64> = start.intercepts.iter().chain(&start.beta).copied().collect();
        if theta.len() != size {
            theta = self.start();
        }
        let mut here = self.derivatives(&theta, ridge);
        for _ in 0..MAX_STEPS {
            let Some(step) = solve(&here.hessian, &here.gradient) else {
                break;
            };
            let Some((next, objective)) = self.search(&theta, &step, here.objective, ridge) else {
                break;
            };
            let fell = here.objective - objective;
            theta = next;
            let done = fell <= TOLERANCE * (here.objective.abs() + 1.0);
            if done {
                break;
            }
            here = self.derivatives(&theta, ridge);
        }
        Linear {
            intercepts: theta[..self.intervals].to_vec(),
            beta: theta[self.intervals..].to_vec(),
            covariance: Vec::new(),
        }
    }

    /// The inverse of the penalised information, for the coefficients without the intercepts.
    pub fn covariance(&self, fit: &Linear, ridge: f64) -> Vec<f64> {
        let theta: Vec<f64> = fit.intercepts.iter().chain(&fit.beta).copied().collect();
        let hessian = self.derivatives(&theta, ridge).hessian;
        let size = theta.len();
        let mut out = Vec::with_capacity(self.width * self.width);
        let Some(factor) = cholesky(&hessian, size) else {
            return vec![0.0; self.width * self.width];
        };
        for column in self.intervals..size {
            let mut unit = vec![0.0; size];
            unit[column] = 1.0;
            out.extend_from_slice(&substitute(&factor, &unit)[self.intervals..]);
        }
        out
    }

    /// Baseline rates, no effects.
    fn start(&self) -> Vec<f64> {
        let mut events = vec![0.5; self.intervals];
        let mut exposure = vec![1.0; self.intervals];
        for target in self.targets {
            exposure[..target.last].iter_mut().for_each(|time| *time += 1.0);
            exposure[target.last] += target.exposure;
            events[target.last] += f64::from(u8::from(target.event));
        }
        let rate = events.iter().zip(&exposure).map(|(e, t)| (e / t).ln());
        rate.chain(std::iter::repeat_n(0.0, self.width)).collect()
    }

    fn search(&self, theta: &[f64], step: &[f64], from: f64, ridge: f64) -> Option<(Vec<f64>, f64)> {
        let mut scale = 1.0;
        for _ in 0..12 {
            let next: Vec<f64> = theta.iter().zip(step).map(|(t, s)| t - scale * s).collect();
            let objective = self.objective(&next, ridge);
            if objective.is_finite() && objective <= from {
                return Some((next, objective));
            }
            scale *= 0.5;
        }
        None
    }

    fn penalty(&self, theta: &[f64], ridge: f64) -> f64 {
        let square = |part: &[f64]| part.iter().map(|t| t * t).sum::<f64>();
        let (a, b) = theta.split_at(self.intervals);
        0.5 * (INTERCEPT_RIDGE * square(a) + ridge * square(b))
    }

    fn objective(&self, theta: &[f64], ridge: f64) -> f64 {
        let (a, beta) = theta.split_at(self.intervals);
        let rows = self.x.iter().zip(self.targets);
        let mut z = vec![0.0; self.intervals];
        let total: f64 = rows
            .map(|(x, target)| {
                let part = product(x, beta);
                z.iter_mut().zip(a).for_each(|(z, a)| *z = a + part);
                loss(self.label, target, &z)
            })
            .sum();
        total + self.penalty(theta, ridge)
    }

    fn derivatives(&self, theta: &[f64], ridge: f64) -> Derivatives {
        let jn = self.intervals;
        let size = jn + self.width;
        let (a, beta) = theta.split_at(jn);
        let mut gradient = vec![0.0; size];
        let mut hessian = vec![0.0; size * size];
        let mut objective = 0.0;
        let mut z = vec![0.0; jn];
        for (row, target) in self.x.iter().zip(self.targets) {
            let part = product(row, beta);
            let (mut residual, mut row_weight) = (0.0, 0.0);
            for j in 0..=target.last {
                let y = f64::from(u8::from(target.event && j == target.last));
                let (mean, weight) = self.moments(a[j] + part, target, j);
                gradient[j] += mean - y;
                residual += mean - y;
                hessian[j * size + j] += weight;
                row_weight += weight;
                row.iter().for_each(|(c, x)| hessian[j * size + jn + *c as usize] += weight * x);
            }
            z.iter_mut().zip(a).for_each(|(z, a)| *z = a + part);
            objective += loss(self.label, target, &z);
            for (i, (r, xr)) in row.iter().enumerate() {
                gradient[jn + *r as usize] += residual * xr;
                let line = &mut hessian[(jn + *r as usize) * size + jn..];
                row[i..].iter().for_each(|(c, xc)| line[*c as usize] += row_weight * xr * xc);
            }
        }
        for r in 0..size {
            for c in 0..r {
                hessian[r * size + c] = hessian[c * size + r];
            }
        }
        for (t, theta) in theta.iter().enumerate() {
            let ridge = if t < jn { INTERCEPT_RIDGE } else { ridge };
            gradient[t] += ridge * theta;
            hessian[t * size + t] += ridge;
        }
        objective += self.penalty(theta, ridge);
        Derivatives { objective, gradient, hessian }
    }

    /// Expected events and information of one row in interval `j`.
    fn moments(&self, z: f64, target: &Target, j: usize) -> (f64, f64) {
        if self.label {
            let p = logistic(z);
            return (p, (p * (1.0 - p)).max(1e-10));
        }
        let exposure = if j < target.last { 1.0 } else { target.exposure };
        let mean = exposure * hazard(z);
        (mean, mean)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hazard::{Intervals, Observed};

    #[test]
    fn a_two_by_two_table_gives_its_log_odds_ratio() {
        // 30 of 100 without the sign, 60 of 100 with it.
        let mut x = Rows::default();
        let mut targets = Vec::new();
        for i in 0..200 {
            let sign = i >= 100;
            x.push(&[f32::from(u8::from(sign))]);
            let event = i % 100 < if sign { 60 } else { 30 };
            targets.push(Intervals::label().target(Observed { time: 0.0, event }));
        }
        let problem = Problem { label: true, intervals: 1, x: &x, width: 1, targets: &targets };
        let fit = problem.fit(0.0, &Linear::default());
        let expected = (0.6f64 / 0.4).ln() - (0.3f64 / 0.7).ln();
        assert!((fit.beta[0] - expected).abs() < 1e-3, "{fit:?}");
        let shrunk = problem.fit(50.0, &fit);
        assert!(shrunk.beta[0] > 0.0 && shrunk.beta[0] < fit.beta[0]);
        // Textbook variance of a log odds ratio: the sum of the four reciprocals.
        let variance = problem.covariance(&fit, 0.0)[0];
        let textbook = 1.0 / 60.0 + 1.0 / 40.0 + 1.0 / 30.0 + 1.0 / 70.0;
        assert!((variance - textbook).abs() < 1e-3, "{variance} {textbook}");
    }

    #[test]
    fn doubt_grows_with_the_square_of_the_distance_from_the_middle() {
        let doubt = Doubt::of(&[2.0, 0.5, 0.5, 1.0], &[1.0, 3.0]);
        assert!(doubt.variance(&[1.0, 3.0]).abs() < 1e-12);
        assert!((doubt.variance(&[0.0, 0.0]) - 14.0).abs() < 1e-12);
        assert!((doubt.variance(&[2.0, 0.0]) - (2.0 - 3.0 + 9.0)).abs() < 1e-12);
    }
}
