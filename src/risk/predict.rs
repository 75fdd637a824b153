//! Scoring: values to risk, interval, reasons; or a reason to abstain.

use candle_core::{Device, Tensor};

use crate::columns::judge;
use crate::hazard::logistic;
use crate::history::{Past, look_back};
use crate::model::Model;
use crate::schema::{Feature, Kind};
use crate::score::{Abstain, Inputs, Outcome, Score, Value};

/// Half the width of a 90 % interval in standard errors.
const NINETY: f64 = 1.645;
/// Rows that go through the network at once.
const SCORE_ROWS: usize = 256;

/// What the network says of one row, before a horizon is named.
#[derive(Debug, Clone)]
pub struct Raw {
    /// Calibrated log-hazard of each interval (log-odds of a label).
    pub z: Vec<f64>,
    /// The same by member, with the mean of all trees: members * intervals.
    pub members: Vec<f64>,
    /// The same by inner fold's trees, with the mean of all members: folds * intervals.
    pub trees: Vec<f64>,
    /// Variance that the linear path and the level add to all of them.
    pub variance: f64,
}

/// What line, members and trees see or say of a row.
struct PathsOfRow<'a> {
    /// Columns of the linear path.
    x: &'a [f32],
    /// members * intervals.
    members: &'a [f32],
    /// forests * stretches of time.
    trees: &'a [f64],
}

/// A probability with its 90 % interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// Probability of the event by the horizon.
    pub risk: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

impl Model {
    /// Scores one patient at `horizon` (in the unit of the training data; ignored by a label model; by default the
    /// model's first).
    pub fn score(&self, inputs: &Inputs, horizon: Option<f64>) -> Outcome {
        let (values, problem) = self.values(inputs);
        if let Some(problem) = problem {
            return Outcome::Abstain(problem);
        }
        self.score_values(&values, horizon)
    }

    /// As `score`, looking back over the patient's earlier records, oldest first, each with what came of it.
    pub fn score_after(
        &self,
        past: &[(Inputs, Option<bool>)],
        inputs: &Inputs,
        horizon: Option<f64>,
    ) -> Outcome {
        let (mut values, problem) = self.values(inputs);
        if let Some(problem) = problem {
            return Outcome::Abstain(problem);
        }
        let earlier =
            |(inputs, label): &(Inputs, Option<bool>)| Past { values: self.values(inputs).0, label: *label };
        let past: Vec<Past> = past.iter().map(earlier).collect();
        look_back(&self.features, &past, &mut values);
        self.score_values(&values, horizon)
    }

    /// As `score`, for values in feature order (NaN is missing, a category is the position of its level).
    pub fn score_values(&self, values: &[f64], horizon: Option<f64>) -> Outcome {
        let horizon = match self.horizon(horizon) {
            Ok(horizon) => horizon,
            Err(abstain) => return Outcome::Abstain(abstain),
        };
        let unavailable = |error: candle_core::Error| {
            Outcome::Abstain(Abstain::ModelUnavailable { why: error.to_string() })
        };
        let raw = match self.raw(values) {
            Ok(raw) => raw,
            Err(error) => return unavailable(error),
        };
        let Some(estimate) = raw.first().map(|raw| self.estimate(raw, horizon)) else {
            return Outcome::Abstain(Abstain::NotFinite);
        };
        if ![estimate.risk, estimate.low, estimate.high].iter().all(|p| p.is_finite()) {
            return Outcome::Abstain(Abstain::NotFinite);
        }
        let (reasons, reference_risk) = match self.explain(values, horizon) {
            Ok(reasons) => reasons,
            Err(error) => return unavailable(error),
        };
        let missing = self.features.iter().zip(values).filter(|(_, value)| value.is_nan());
        Outcome::Score(Score {
            horizon: (!self.file.intervals.is_label()).then_some(horizon),
            risk: estimate.risk,
            low: estimate.low,
            high: estimate.high,
            reference_risk,
            reasons,
            missing: missing.map(|(feature, _)| feature.name.clone()).collect(),
            model_version: self.file.version.clone(),
        })
    }

    /// The horizon meant, or why it cannot be scored.
    fn horizon(&self, horizon: Option<f64>) -> Result<f64, Abstain> {
        let Some(longest) = self.file.intervals.longest() else {
            return Ok(0.0);
        };
        let first = self.file.horizons.first().copied().unwrap_or(longest);
        let horizon = horizon.unwrap_or(first);
        if horizon > 0.0 && horizon <= longest {
            return Ok(horizon);
        }
        Err(Abstain::HorizonOutOfRange { horizon, longest })
    }

    /// Values in feature order, and the first reason to abstain; with a reason the value is missing.
    pub fn values(&self, inputs: &Inputs) -> (Vec<f64>, Option<Abstain>) {
        let mut first = None;
        let values = self.features.iter().map(|feature| {
            let (value, problem) = value_of(feature, inputs.get(&feature.name));
            first = first.take().or(problem);
            value
        });
        (values.collect(), first)
    }

    /// Runs line, members and trees over rows of values.
    pub fn raw(&self, values: &[f64]) -> Result<Vec<Raw>, candle_core::Error> {
        self.over_rows(values, |paths| Raw {
            z: self.together(&paths),
            members: self.whole(&paths, &doubles(paths.members), &self.trees_mean(&paths)),
            trees: self.whole(&paths, &self.by_interval(paths.trees), &self.members_mean(&paths)),
            variance: self.doubt.variance(paths.x) * self.stretch() * self.stretch() + self.level_variance(),
        })
    }

    /// The calibrated log-hazards of rows of values, without what an interval needs.
    pub fn log_hazards(&self, values: &[f64]) -> Result<Vec<Vec<f64>>, candle_core::Error> {
        self.over_rows(values, |paths| self.together(&paths))
    }

    fn over_rows<T>(
        &self,
        values: &[f64],
        make: impl Fn(PathsOfRow) -> T,
    ) -> Result<Vec<T>, candle_core::Error> {
        let (width, columns) = (self.encoder.width(), self.encoder.linear());
        let features = self.features.len().max(1);
        let mut out = Vec::with_capacity(values.len() / features);
        let mut bins = Vec::new();
        for chunk in values.chunks(SCORE_ROWS * features) {
            let rows = chunk.len() / features;
            let mut x = vec![0f32; rows * width];
            bins.clear();
            for (row, x) in chunk.chunks_exact(features).zip(x.chunks_exact_mut(width)) {
                self.encoder.row(row, x);
                self.bins.row(row, &mut bins);
            }
            let members = self.members.outputs(&Tensor::from_slice(&x, (rows, width), &Device::Cpu)?)?;
            let trees = self.trees.of_rows(&bins);
            let parts = x
                .chunks_exact(width)
                .zip(members.chunks_exact(self.members.count * self.members.outputs))
                .zip(trees.chunks_exact(self.trees.forests() * self.trees.stretches()));
            out.extend(
                parts.map(|((x, members), trees)| make(PathsOfRow { x: &x[..columns], members, trees })),
            );
        }
        Ok(out)
    }

    fn together(&self, paths: &PathsOfRow) -> Vec<f64> {
        self.whole(paths, &self.members_mean(paths), &self.trees_mean(paths))
    }

    /// Line, one path's parts and the mean of the other, as the site recalibrated it.
    fn whole(&self, paths: &PathsOfRow, own: &[f64], other: &[f64]) -> Vec<f64> {
        let part = self.linear.part(paths.x);
        let each = own.chunks_exact(other.len().max(1)).flat_map(|own| {
            let all = own.iter().zip(other).zip(&self.linear.intercepts).enumerate();
            all.map(|(j, ((own, other), intercept))| self.moved(j, intercept + part + own + other))
        });
        each.collect()
    }

    fn members_mean(&self, paths: &PathsOfRow) -> Vec<f64> {
        mean(&doubles(paths.members), self.members.outputs)
    }

    fn trees_mean(&self, paths: &PathsOfRow) -> Vec<f64> {
        self.by_interval(&mean(paths.trees, self.trees.stretches()))
    }

    /// From stretches of time to intervals.
    fn by_interval(&self, by_stretch: &[f64]) -> Vec<f64> {
        let forests = by_stretch.chunks_exact(self.trees.stretches());
        forests.flat_map(|own| self.stretches.iter().map(|s| own[usize::from(*s) - 1])).collect()
    }

    /// A log-hazard as the site recalibrated it.
    fn moved(&self, j: usize, z: f64) -> f64 {
        self.file.local.as_ref().map_or(z, |local| local.apply(j, z))
    }

    /// The level is as sure as the events that it was learned from are many.
    fn level_variance(&self) -> f64 {
        let training = (self.file.training.rows, self.file.training.events);
        let (rows, events) = self.file.local.as_ref().map_or(training, |local| (local.rows, local.events));
        let events = events.max(1) as f64;
        let without = if self.file.intervals.is_label() { 1.0 - events / rows.max(1) as f64 } else { 1.0 };
        1.0 / (events * without.max(1e-3))
    }

    fn stretch(&self) -> f64 {
        self.file.local.as_ref().map_or(1.0, |local| local.slope)
    }

    /// Risk by `horizon`, with its interval.
    pub fn estimate(&self, raw: &Raw, horizon: f64) -> Estimate {
        let intervals = &self.file.intervals;
        let centre = intervals.log_odds(&raw.z, horizon);
        let slope = intervals.log_odds_slope(&raw.z, horizon);
        let away = |z: &[f64]| (intervals.log_odds(z, horizon) - centre).powi(2);
        let spread = raw.members.chunks_exact(intervals.count()).map(away).sum::<f64>()
            / (self.members.count as f64 - 1.0).max(1.0);
        // The folds' forests left out a fold of the patients each: a jackknife.
        let folds = self.trees.forests() as f64;
        let trees = raw.trees.chunks_exact(intervals.count()).map(away).sum::<f64>() * (folds - 1.0) / folds;
        // All learned from the same patients, so their errors go together.
        let error = raw.variance.sqrt() * slope + trees.sqrt() + spread.sqrt();
        Estimate {
            risk: intervals.risk(&raw.z, horizon),
            low: logistic(centre - NINETY * error),
            high: logistic(centre + NINETY * error),
        }
    }
}

fn doubles(numbers: &[f32]) -> Vec<f64> {
    numbers.iter().map(|number| f64::from(*number)).collect()
}

/// The mean of all groups of `each` numbers.
fn mean(all: &[f64], each: usize) -> Vec<f64> {
    let mut out = vec![0.0; each];
    all.chunks_exact(each).for_each(|own| out.iter_mut().zip(own).for_each(|(out, own)| *out += own));
    let n = (all.len() / each.max(1)) as f64;
    out.iter_mut().for_each(|out| *out /= n);
    out
}

fn value_of(feature: &Feature, value: Option<&Value>) -> (f64, Option<Abstain>) {
    let unseen = |value: String| Abstain::UnseenKind {
        feature: feature.name.clone(),
        label: feature.label.clone(),
        value,
    };
    match (value, &feature.kind) {
        (None | Some(Value::Missing), _) => (f64::NAN, judge(feature, f64::NAN)),
        (Some(Value::Number(number)), Kind::Number { .. } | Kind::Boolean) if number.is_finite() => {
            (*number, judge(feature, *number))
        }
        (Some(Value::Number(number)), _) => (f64::NAN, Some(unseen(number.to_string()))),
        (Some(Value::Category(name)), Kind::Category { levels }) => {
            match levels.iter().position(|level| level.name == *name) {
                Some(index) => (index as f64, None),
                None => (f64::NAN, Some(unseen(name.clone()))),
            }
        }
        (Some(Value::Category(name)), Kind::Number { .. } | Kind::Boolean) => {
            (f64::NAN, Some(unseen(name.clone())))
        }
    }
}
