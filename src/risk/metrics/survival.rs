//! Figures for times to an event with censoring. G is the Kaplan-Meier curve of the *censoring* time.

use crate::hazard::Observed;
use crate::metrics::binary::ascending;

/// Risks nearer than this are tied.
const TIE: f64 = 1e-8;
/// G is never taken to be smaller.
const LEAST_G: f64 = 1e-3;

/// A step function that starts at 1 and is right-continuous.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Curve {
    times: Vec<f64>,
    values: Vec<f64>,
}

impl Curve {
    /// Kaplan-Meier of the event time.
    pub fn of_events(rows: &[Observed]) -> Self {
        Self::kaplan_meier(rows, true)
    }

    /// Kaplan-Meier of the censoring time; at a tie events leave before censorings.
    pub fn of_censoring(rows: &[Observed]) -> Self {
        Self::kaplan_meier(rows, false)
    }

    fn kaplan_meier(rows: &[Observed], of_events: bool) -> Self {
        let times: Vec<f64> = rows.iter().map(|row| row.time).collect();
        let order = ascending(&times);
        let mut curve = Self::default();
        let (mut value, mut at) = (1.0, 0);
        while at < order.len() {
            let time = times[order[at]];
            let same = order[at..].iter().take_while(|i| times[**i] == time);
            let (mut events, mut all) = (0, 0);
            for i in same {
                all += 1;
                events += usize::from(rows[*i].event);
            }
            let at_risk = order.len() - at;
            let (leaving, at_risk) =
                if of_events { (events, at_risk) } else { (all - events, at_risk - events) };
            if leaving > 0 {
                value *= 1.0 - leaving as f64 / at_risk as f64;
                curve.times.push(time);
                curve.values.push(value);
            }
            at += all;
        }
        curve
    }

    /// The value at `time`.
    pub fn at(&self, time: f64) -> f64 {
        match self.times.partition_point(|t| *t <= time) {
            0 => 1.0,
            n => self.values[n - 1],
        }
    }

    fn floored(&self, time: f64) -> f64 {
        self.at(time).max(LEAST_G)
    }
}

/// Harrell's C of a risk score.
pub fn harrell_c(rows: &[Observed], risk: &[f64]) -> f64 {
    concordance(rows, risk, |_| 1.0)
}

/// Uno's C: pairs whose earlier time lies before `tau`, weighted by 1 / G².
pub fn uno_c(rows: &[Observed], risk: &[f64], g: &Curve, tau: f64) -> f64 {
    concordance(rows, risk, |time| if time < tau { g.floored(time).powi(-2) } else { 0.0 })
}

/// Counts pairs by going back in time, with the later rows' risks in a Fenwick tree.
fn concordance(rows: &[Observed], risk: &[f64], weight: impl Fn(f64) -> f64) -> f64 {
    let times: Vec<f64> = rows.iter().map(|row| row.time).collect();
    let order = ascending(&times);
    let mut sorted = risk.to_vec();
    sorted.sort_by(f64::total_cmp);
    let mut later = Counts::new(sorted.len());
    let (mut concordant, mut pairs) = (0.0, 0.0);
    let mut end = order.len();
    while end > 0 {
        let time = times[order[end - 1]];
        let start = order[..end].partition_point(|i| times[*i] < time);
        let group = &order[start..end];
        let position = |i: usize| sorted.partition_point(|r| *r < risk[i]);
        // A censored row of the same time is later than an event.
        group.iter().filter(|i| !rows[**i].event).for_each(|i| later.add(position(*i)));
        for &i in group.iter().filter(|i| rows[**i].event) {
            let w = weight(time);
            let lower = later.below(sorted.partition_point(|r| *r < risk[i] - TIE));
            let tied = later.below(sorted.partition_point(|r| *r <= risk[i] + TIE)) - lower;
            concordant += w * (lower as f64 + 0.5 * tied as f64);
            pairs += w * later.total as f64;
        }
        group.iter().filter(|i| rows[**i].event).for_each(|i| later.add(position(*i)));
        end = start;
    }
    concordant / pairs
}

/// Counts by position, with prefix sums.
struct Counts {
    tree: Vec<u64>,
    total: u64,
}

impl Counts {
    fn new(len: usize) -> Self {
        Self { tree: vec![0; len + 1], total: 0 }
    }

    fn add(&mut self, position: usize) {
        let mut i = position + 1;
        while i < self.tree.len() {
            self.tree[i] += 1;
            i += i & i.wrapping_neg();
        }
        self.total += 1;
    }

    /// How many lie at positions smaller than `position`.
    fn below(&self, position: usize) -> u64 {
        let mut i = position;
        let mut sum = 0;
        while i > 0 {
            sum += self.tree[i];
            i -= i & i.wrapping_neg();
        }
        sum
    }
}

/// Brier score at `time` of predicted risks by then, weighted for censoring.
pub fn brier(rows: &[Observed], risk: &[f64], g: &Curve, time: f64) -> f64 {
    let at_time = g.floored(time);
    let each = rows.iter().zip(risk).map(|(row, risk)| {
        if row.time > time {
            risk * risk / at_time
        } else if row.event {
            (1.0 - risk).powi(2) / g.floored(row.time)
        } else {
            0.0
        }
    });
    each.sum::<f64>() / rows.len() as f64
}

/// Trapezoidal mean of Brier scores over the grid that they were computed on.
pub fn integrated(grid: &[f64], scores: &[f64]) -> f64 {
    let area: f64 =
        grid.windows(2).zip(scores.windows(2)).map(|(t, b)| (t[1] - t[0]) * (b[0] + b[1]) / 2.0).sum();
    match (grid.first(), grid.last()) {
        (Some(first), Some(last)) if last > first => area / (last - first),
        _ => scores.first().copied().unwrap_or(f64::NAN),
    }
}

/// Cumulative and dynamic AUC: events up to `time`, weighted by 1 / G, against rows followed beyond it.
pub fn auc(rows: &[Observed], risk: &[f64], g: &Curve, time: f64) -> f64 {
    let controls = rows.iter().zip(risk).filter(|(row, _)| row.time > time);
    let mut controls: Vec<f64> = controls.map(|(_, risk)| *risk).collect();
    controls.sort_by(f64::total_cmp);
    let (mut sum, mut weight) = (0.0, 0.0);
    for (row, risk) in rows.iter().zip(risk).filter(|(row, _)| row.event && row.time <= time) {
        let w = 1.0 / g.floored(row.time);
        let below = controls.partition_point(|c| c < risk) as f64;
        let tied = controls.partition_point(|c| c <= risk) as f64 - below;
        sum += w * (below + 0.5 * tied);
        weight += w * controls.len() as f64;
    }
    sum / weight
}

/// Kaplan-Meier risk by `time` for each predicted; ideal 1.
pub fn observed_to_expected(rows: &[Observed], risk: &[f64], time: f64) -> f64 {
    let expected = risk.iter().sum::<f64>() / risk.len() as f64;
    (1.0 - Curve::of_events(rows).at(time)) / expected
}

/// Net benefit at `time` of acting on everybody with a risk of at least `threshold`, with Kaplan-Meier risks.
pub fn net_benefit(rows: &[Observed], risk: &[f64], time: f64, threshold: f64) -> f64 {
    let chosen = rows.iter().zip(risk).filter(|(_, risk)| **risk >= threshold);
    let chosen: Vec<Observed> = chosen.map(|(row, _)| *row).collect();
    if chosen.is_empty() {
        return 0.0;
    }
    let share = chosen.len() as f64 / rows.len() as f64;
    let free = Curve::of_events(&chosen).at(time);
    share * (1.0 - free) - share * free * threshold / (1.0 - threshold)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(of: &[(f64, bool)]) -> Vec<Observed> {
        of.iter().map(|(time, event)| Observed { time: *time, event: *event }).collect()
    }

    fn near(a: f64, b: f64) {
        assert!((a - b).abs() < 1e-12, "{a} is not {b}");
    }

    #[test]
    fn at_a_tie_events_leave_before_censorings() {
        let rows = rows(&[(1.0, true), (2.0, true), (2.0, false), (3.0, false), (4.0, true)]);
        let g = Curve::of_censoring(&rows);
        near(g.at(1.9), 1.0);
        // At 2 one event leaves first, so 3 are at risk of censoring.
        near(g.at(2.0), 2.0 / 3.0);
        near(g.at(3.5), 1.0 / 3.0);
        let s = Curve::of_events(&rows);
        near(s.at(2.0), 0.8 * 0.75);
    }

    #[test]
    fn concordance_by_hand() {
        let rows = rows(&[(1.0, true), (2.0, false), (3.0, true), (3.0, false)]);
        let risk = [0.9, 0.1, 0.4, 0.4];
        // Pairs: (0,1) (0,2) (0,3) concordant; (2,3) same time, event against censored, tied.
        near(harrell_c(&rows, &risk), 3.5 / 4.0);
        let g = Curve::of_censoring(&rows);
        // G is 1 before 2 and 2/3 from 2 to 3; the pair at 3 lies not before tau = 3.
        near(uno_c(&rows, &risk, &g, 3.0), 1.0);
        // With a later tau it has weight 1 / G(3)², where G(3) = 0 is floored.
        let w = LEAST_G.powi(-2);
        near(uno_c(&rows, &risk, &g, 4.0), (3.0 + 0.5 * w) / (3.0 + w));
    }

    #[test]
    fn brier_and_auc_by_hand() {
        let rows = rows(&[(1.0, true), (2.0, false), (4.0, true), (5.0, false)]);
        let risk = [0.8, 0.5, 0.3, 0.2];
        let g = Curve::of_censoring(&rows);
        near(g.at(3.0), 2.0 / 3.0);
        let expected = (0.2f64.powi(2) + 0.3f64.powi(2) * 1.5 + 0.2f64.powi(2) * 1.5) / 4.0;
        near(brier(&rows, &risk, &g, 3.0), expected);
        near(auc(&rows, &risk, &g, 3.0), 1.0);
        near(auc(&rows, &[0.3, 0.5, 0.3, 0.2], &g, 3.0), 0.75);
        near(integrated(&[1.0, 2.0, 4.0], &[0.1, 0.3, 0.1]), (0.2 + 0.4) / 3.0);
    }
}
