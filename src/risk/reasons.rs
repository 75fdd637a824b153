//! Reasons: what each input adds to the log-odds, against the reference patient.
//!
//! Inputs are moved one after the other from the reference patient's value to this patient's, once in feature order and
//! once in the reverse; a reason is the mean of its two steps. The steps telescope, so the reasons sum exactly to the
//! difference, and for a model whose inputs interact at most in pairs the result is the Shapley value. Nothing is
//! drawn at random: the same patient gets the same reasons.

use crate::model::Model;
use crate::score::{Reason, in_words};

impl Model {
    /// The reasons for values in feature order, largest first, and the reference patient's risk.
    pub fn explain(&self, values: &[f64], horizon: f64) -> Result<(Vec<Reason>, f64), candle_core::Error> {
        let differing: Vec<usize> =
            (0..values.len()).filter(|i| !same(values[*i], self.reference[*i])).collect();
        let mut rows = self.reference.clone();
        let mut walk = |order: &mut dyn Iterator<Item = &usize>| {
            let mut row = self.reference.clone();
            for &i in order {
                row[i] = values[i];
                rows.extend_from_slice(&row);
            }
        };
        walk(&mut differing.iter());
        walk(&mut differing.iter().rev());
        let intervals = &self.file.intervals;
        let odds: Vec<f64> = self.raw(&rows)?.iter().map(|raw| intervals.log_odds(&raw.z, horizon)).collect();
        let n = differing.len();
        let (there, back) = odds[1..].split_at(n);
        let step = |path: &[f64], k: usize| path[k] - if k == 0 { odds[0] } else { path[k - 1] };
        let mut reasons: Vec<Reason> = differing
            .iter()
            .enumerate()
            .map(|(k, &i)| {
                let feature = &self.features[i];
                Reason {
                    feature: feature.name.clone(),
                    label: feature.label.clone(),
                    value: in_words(feature, values[i]),
                    reference: in_words(feature, self.reference[i]),
                    log_odds: 0.5 * (step(there, k) + step(back, n - 1 - k)),
                }
            })
            .collect();
        reasons.sort_by(|a, b| b.log_odds.abs().total_cmp(&a.log_odds.abs()));
        Ok((reasons, crate::hazard::logistic(odds[0])))
    }
}

fn same(a: f64, b: f64) -> bool {
    a == b || (a.is_nan() && b.is_nan())
}
