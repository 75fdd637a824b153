//! What a training run says of itself: figures on the rows that its inner folds held out.

use serde::{Deserialize, Serialize};

use crate::evaluate::{NetBenefit, binary_curve, binary_metrics, survival_curve, survival_metrics};
use crate::fit::Fitted;
use crate::hazard::Observed;
use crate::inner::group;
use crate::metrics::{binary, bootstrap, survival};
use crate::model::Metric;
use crate::schema::Kind;

/// Resamples behind a subgroup's interval.
const ROUNDS: usize = 200;
/// Bands that the values of a numeric subgroup are cut into, by equal count.
const BANDS: usize = 4;
/// Groups of a calibration plot.
const TENTHS: usize = 10;
/// Smaller subgroups are not reported.
const LEAST_EVENTS: usize = 20;

/// A figure of probabilities and outcomes.
type Figure = fn(&[f64], &[bool]) -> f64;

/// A figure in each inner fold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FoldMetric {
    /// Name.
    pub name: String,
    /// Mean over the folds.
    pub mean: f64,
    /// Standard deviation over the folds (n - 1).
    pub sd: f64,
    /// In the order of the folds.
    pub folds: Vec<f64>,
}

/// Figures of a part of the patients.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Subgroup {
    /// Feature.
    pub feature: String,
    /// Level or band.
    pub name: String,
    /// Rows.
    pub rows: usize,
    /// Rows with the event.
    pub events: usize,
    /// Figures with intervals.
    pub metric: Vec<Metric>,
}

/// A tenth of the rows by risk: what was predicted and what was seen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Tenth {
    /// Horizon, for survival.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub horizon: Option<f64>,
    /// Rows.
    pub rows: usize,
    /// Mean risk.
    pub predicted: f64,
    /// Share with the event; with follow-up that ends early by Kaplan and Meier.
    pub observed: f64,
    /// Lower end of its 95 % interval, by patient.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// All of it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Figures {
    /// By tenths of risk; of a time to an event at each horizon.
    pub tenths: Vec<Tenth>,
    /// Net benefit; of a time to an event at each horizon.
    pub decision_curve: Vec<NetBenefit>,
    /// Over all held-out rows.
    pub overall: Vec<Metric>,
    /// Fold by fold, for a label.
    pub by_fold: Vec<FoldMetric>,
    /// By the features that the schema names.
    pub subgroups: Vec<Subgroup>,
}

impl Fitted {
    /// Figures on held-out rows; `subgroups` names features.
    pub fn figures(&self, subgroups: &[String], seed: u64) -> Figures {
        let file = self.model.file();
        let label = file.intervals.is_label();
        let risk = |h: f64| -> Vec<f64> { self.held_out.iter().map(|z| file.intervals.risk(z, h)).collect() };
        if !label {
            let risks: Vec<Vec<f64>> = file.horizons.iter().map(|h| risk(*h)).collect();
            let g = survival::Curve::of_censoring(&self.observed);
            let overall = survival_metrics(&self.observed, &self.ids, &risks, &g, &file.horizons, seed);
            let at = file.horizons.iter().zip(&risks);
            return Figures {
                overall,
                by_fold: Vec::new(),
                tenths: at.flat_map(|(h, risk)| self.tenths(risk, Some(*h), seed)).collect(),
                decision_curve: survival_curve(&self.observed, &risks, &file.horizons),
                subgroups: subgroups.iter().flat_map(|name| self.parts_of(name, &risks, seed)).collect(),
            };
        }
        let risk = risk(0.0);
        Figures {
            overall: binary_metrics(&self.observed, &self.ids, &risk, seed),
            by_fold: self.by_fold(&risk),
            tenths: self.tenths(&risk, None, seed),
            decision_curve: binary_curve(&self.observed, &risk),
            subgroups: {
                let risks = [risk];
                subgroups.iter().flat_map(|name| self.parts_of(name, &risks, seed)).collect()
            },
        }
    }

    /// Ten groups of equal count; patients are drawn with all their rows for the intervals.
    fn tenths(&self, risk: &[f64], horizon: Option<f64>, seed: u64) -> Vec<Tenth> {
        let mut order: Vec<usize> = (0..risk.len()).collect();
        order.sort_by(|a, b| risk[*a].total_cmp(&risk[*b]));
        let mut tenth = vec![0; risk.len()];
        for (place, row) in order.iter().enumerate() {
            tenth[*row] = place * TENTHS / order.len();
        }
        let shares = |rows: &mut dyn Iterator<Item = usize>| {
            let mut sums = [(0.0, 0.0, 0.0); TENTHS];
            let mut groups: Vec<Vec<Observed>> = vec![Vec::new(); TENTHS];
            for row in rows {
                let slot = &mut sums[tenth[row]];
                slot.0 += 1.0;
                slot.1 += risk[row];
                slot.2 += f64::from(u8::from(self.observed[row].event));
                groups[tenth[row]].push(self.observed[row]);
            }
            if let Some(horizon) = horizon {
                for (slot, group) in sums.iter_mut().zip(&groups) {
                    slot.2 = slot.0 * (1.0 - survival::Curve::of_events(group).at(horizon));
                }
            }
            sums
        };
        let all = shares(&mut (0..risk.len()));
        let draws = bootstrap::resamples(&self.ids, ROUNDS, seed);
        let drawn: Vec<_> = draws.iter().map(|rows| shares(&mut rows.iter().copied())).collect();
        let each = all.iter().enumerate().map(|(i, (n, predicted, events))| {
            let (low, high) = bootstrap::interval(drawn.iter().map(|d| d[i].2 / d[i].0).collect());
            Tenth { horizon, rows: *n as usize, predicted: predicted / n, observed: events / n, low, high }
        });
        each.collect()
    }

    fn by_fold(&self, risk: &[f64]) -> Vec<FoldMetric> {
        let figures: [(&str, Figure); 8] = [
            ("auroc", binary::auroc),
            ("auprc", binary::auprc),
            ("brier", binary::brier),
            ("log_loss", binary::log_loss),
            ("ece", binary::ece),
            ("calibration_slope", binary::calibration_slope),
            ("calibration_intercept", binary::calibration_intercept),
            ("sensitivity_at_10_percent", binary::sensitivity_at_tenth),
        ];
        let parts: Vec<(Vec<f64>, Vec<bool>)> = self
            .splits
            .iter()
            .map(|split| split.valid.iter().map(|row| (risk[*row], self.observed[*row].event)).unzip())
            .collect();
        figures
            .iter()
            .map(|(name, figure)| {
                let folds: Vec<f64> = parts.iter().map(|(p, y)| figure(p, y)).collect();
                let n = folds.len() as f64;
                let mean = folds.iter().sum::<f64>() / n;
                let squares: f64 = folds.iter().map(|v| (v - mean).powi(2)).sum();
                FoldMetric { name: (*name).to_owned(), mean, sd: (squares / (n - 1.0)).sqrt(), folds }
            })
            .collect()
    }

    /// `risks` at each horizon, or those of a label.
    fn parts_of(&self, feature: &str, risks: &[Vec<f64>], seed: u64) -> Vec<Subgroup> {
        let features = self.model.features();
        let Some(at) = features.iter().position(|f| f.name == feature) else {
            return Vec::new();
        };
        let values: Vec<f64> = (0..self.frame.rows()).map(|row| self.frame.row(row)[at]).collect();
        let parts = match &features[at].kind {
            Kind::Category { levels } => {
                let of = |i: usize| (0..values.len()).filter(|r| values[*r] == i as f64).collect();
                levels.iter().enumerate().map(|(i, l)| (l.name.clone(), of(i))).collect()
            }
            Kind::Boolean => vec![
                ("0".to_owned(), (0..values.len()).filter(|r| values[*r] == 0.0).collect()),
                ("1".to_owned(), (0..values.len()).filter(|r| values[*r] == 1.0).collect()),
            ],
            Kind::Number { .. } => bands(&values),
        };
        parts
            .into_iter()
            .filter_map(|(name, rows): (String, Vec<usize>)| self.part(feature, name, &rows, risks, seed))
            .collect()
    }

    fn part(
        &self,
        feature: &str,
        name: String,
        rows: &[usize],
        risks: &[Vec<f64>],
        seed: u64,
    ) -> Option<Subgroup> {
        let observed: Vec<Observed> = rows.iter().map(|row| self.observed[*row]).collect();
        let events = observed.iter().filter(|row| row.event).count();
        if events < LEAST_EVENTS || rows.len() - events < LEAST_EVENTS {
            return None;
        }
        let names: Vec<String> = rows.iter().map(|row| self.ids[*row].to_string()).collect();
        let ids = group(names.iter().map(String::as_str));
        if !self.model.file().intervals.is_label() {
            let metric = self.of_times(&observed, &ids, rows, risks, seed)?;
            return Some(Subgroup { feature: feature.to_owned(), name, rows: rows.len(), events, metric });
        }
        let p: Vec<f64> = rows.iter().map(|row| risks[0][*row]).collect();
        let y: Vec<bool> = observed.iter().map(|row| row.event).collect();
        let draws = bootstrap::resamples(&ids, ROUNDS, seed);
        let metric = |name: &str, figure: Figure| {
            let again = draws.iter().map(|chosen| {
                let (p, y): (Vec<f64>, Vec<bool>) = chosen.iter().map(|i| (p[*i], y[*i])).unzip();
                figure(&p, &y)
            });
            let (low, high) = bootstrap::interval(again.collect());
            Metric { name: name.to_owned(), horizon: None, value: figure(&p, &y), low, high }
        };
        let metric = vec![
            metric("auroc", binary::auroc),
            metric("observed_to_expected", binary::observed_to_expected),
        ];
        Some(Subgroup { feature: feature.to_owned(), name, rows: rows.len(), events, metric })
    }
}

impl Fitted {
    /// Concordance over all horizons, and seen over expected at the last one.
    fn of_times(
        &self,
        observed: &[Observed],
        ids: &[usize],
        rows: &[usize],
        risks: &[Vec<f64>],
        seed: u64,
    ) -> Option<Vec<Metric>> {
        let last = self.model.file().horizons.last().copied()?;
        let n = risks.len() as f64;
        let mean: Vec<f64> =
            rows.iter().map(|row| risks.iter().map(|risk| risk[*row]).sum::<f64>() / n).collect();
        let by_last: Vec<f64> =
            rows.iter().map(|row| risks.last().map_or(f64::NAN, |risk| risk[*row])).collect();
        let draws = bootstrap::resamples(ids, ROUNDS, seed);
        let metric = |name: &str, horizon, risk: &[f64], figure: &dyn Fn(&[Observed], &[f64]) -> f64| {
            let again = draws.iter().map(|chosen| {
                let (rows, risk): (Vec<Observed>, Vec<f64>) =
                    chosen.iter().map(|i| (observed[*i], risk[*i])).unzip();
                figure(&rows, &risk)
            });
            let (low, high) = bootstrap::interval(again.collect());
            Metric { name: name.to_owned(), horizon, value: figure(observed, risk), low, high }
        };
        Some(vec![
            metric("harrell_c", None, &mean, &survival::harrell_c),
            metric("observed_to_expected", Some(last), &by_last, &|rows, risk| {
                survival::observed_to_expected(rows, risk, last)
            }),
        ])
    }
}

/// Rows by bands of about equal count, each named by its ends.
fn bands(values: &[f64]) -> Vec<(String, Vec<usize>)> {
    let mut sorted: Vec<f64> = values.iter().copied().filter(|v| !v.is_nan()).collect();
    sorted.sort_by(f64::total_cmp);
    if sorted.is_empty() {
        return Vec::new();
    }
    let mut cuts: Vec<f64> =
        (1..BANDS).map(|b| sorted[b * sorted.len() / BANDS]).chain([f64::INFINITY]).collect();
    cuts.dedup();
    let mut low = f64::NEG_INFINITY;
    let mut out = Vec::new();
    for cut in cuts {
        let rows: Vec<usize> = (0..values.len()).filter(|r| values[*r] > low && values[*r] <= cut).collect();
        let ends = rows
            .iter()
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), r| (a.min(values[*r]), b.max(values[*r])));
        if !rows.is_empty() {
            let name = format!("{} to {}", crate::score::plain(ends.0), crate::score::plain(ends.1));
            out.push((name, rows));
        }
        low = cut;
    }
    out
}
