//! Reasons: what each input adds to the log-odds, against the reference patient.
//!
//! Inputs are moved one after the other from the reference patient's value to this patient's, once in feature order and
//! once in the reverse; a reason is the mean of its two steps. The steps telescope, so the reasons sum exactly to the
//! difference, and for a model whose inputs interact at most in pairs the result is the Shapley value. What a clinician
//! names with one word moves together: an input with what it was before and how it changed. Nothing is drawn at
//! random: the same patient gets the same reasons.

use crate::model::Model;
use crate::schema::Words;
use crate::score::{Reason, in_words};

impl Model {
    /// The reasons for values in feature order, largest first, and the reference patient's risk.
    pub fn explain(&self, values: &[f64], horizon: f64) -> Result<(Vec<Reason>, f64), candle_core::Error> {
        let groups = self.differing(values);
        let mut rows = self.reference.clone();
        let mut walk = |order: &mut dyn Iterator<Item = &Vec<usize>>| {
            let mut row = self.reference.clone();
            for group in order {
                group.iter().for_each(|i| row[*i] = values[*i]);
                rows.extend_from_slice(&row);
            }
        };
        walk(&mut groups.iter());
        // Both ways end at the patient, who is scored once.
        walk(&mut groups.iter().rev().take(groups.len().saturating_sub(1)));
        let intervals = &self.file.intervals;
        let odds: Vec<f64> =
            self.log_hazards(&rows)?.iter().map(|z| intervals.log_odds(z, horizon)).collect();
        let n = groups.len();
        let (there, back) = odds[1..].split_at(n);
        let back = [back, &there[n.saturating_sub(1)..]].concat();
        let step = |path: &[f64], k: usize| path[k] - if k == 0 { odds[0] } else { path[k - 1] };
        let mut reasons: Vec<Reason> = groups
            .iter()
            .enumerate()
            .map(|(k, group)| self.reason(group, values, 0.5 * (step(there, k) + step(&back, n - 1 - k))))
            .collect();
        reasons.sort_by(|a, b| b.log_odds.abs().total_cmp(&a.log_odds.abs()));
        Ok((reasons, crate::hazard::logistic(odds[0])))
    }

    /// Positions of the inputs that differ from the reference patient, those of one word together.
    fn differing(&self, values: &[f64]) -> Vec<Vec<usize>> {
        let mut groups: Vec<(&str, Vec<usize>)> = Vec::new();
        for (i, feature) in self.features.iter().enumerate() {
            if same(values[i], self.reference[i]) {
                continue;
            }
            let word = feature.name.split_once('@').map_or(feature.name.as_str(), |(base, _)| base);
            match groups.iter_mut().find(|(other, _)| *other == word) {
                Some((_, group)) => group.push(i),
                None => groups.push((word, vec![i])),
            }
        }
        groups.into_iter().map(|(_, group)| group).collect()
    }

    fn reason(&self, group: &[usize], values: &[f64], log_odds: f64) -> Reason {
        let feature = &self.features[group[0]];
        let listed = |values: &[f64]| -> Words {
            let each: Vec<Words> = group.iter().map(|i| in_words(&self.features[*i], values[*i])).collect();
            let mut out = each[0].clone();
            for (i, words) in group.iter().zip(&each).skip(1) {
                let label = &self.features[*i].label;
                out.en.push_str(&format!(", {} {}", label.en, words.en));
                out.zh.push_str(&format!("，{} {}", label.zh, words.zh));
            }
            out
        };
        Reason {
            feature: feature.name.clone(),
            label: feature.label.clone(),
            value: listed(values),
            reference: listed(&self.reference),
            log_odds,
        }
    }
}

fn same(a: f64, b: f64) -> bool {
    a == b || (a.is_nan() && b.is_nan())
}
