//! Figures for yes-or-no outcomes.

/// Groups of the expected calibration error.
const ECE_GROUPS: usize = 10;
/// Probabilities are kept this far from 0 and 1 before their log-odds are taken.
const CLIP: f64 = 1e-6;
/// Newton steps of the calibration fits.
const STEPS: usize = 50;

/// Area under the ROC curve (Mann and Whitney), ties count one half. NaN when one class is absent.
pub fn auroc(p: &[f64], y: &[bool]) -> f64 {
    let order = ascending(p);
    let (mut rank_sum, mut at) = (0.0, 0);
    while at < order.len() {
        let mut end = at;
        while end < order.len() && p[order[end]] == p[order[at]] {
            end += 1;
        }
        let rank = (at + end + 1) as f64 / 2.0;
        rank_sum += rank * order[at..end].iter().filter(|i| y[**i]).count() as f64;
        at = end;
    }
    let ones = y.iter().filter(|y| **y).count() as f64;
    let zeros = y.len() as f64 - ones;
    (rank_sum - ones * (ones + 1.0) / 2.0) / (ones * zeros)
}

/// Average precision: sum over distinct thresholds of (recall step) * precision.
pub fn auprc(p: &[f64], y: &[bool]) -> f64 {
    let mut order = ascending(p);
    order.reverse();
    let ones = y.iter().filter(|y| **y).count() as f64;
    let (mut area, mut hits, mut at) = (0.0, 0.0, 0);
    while at < order.len() {
        let mut end = at;
        let mut more = 0.0;
        while end < order.len() && p[order[end]] == p[order[at]] {
            more += f64::from(u8::from(y[order[end]]));
            end += 1;
        }
        hits += more;
        area += more / ones * (hits / end as f64);
        at = end;
    }
    area
}

/// Mean squared difference.
pub fn brier(p: &[f64], y: &[bool]) -> f64 {
    mean(p.iter().zip(y).map(|(p, y)| (p - one(*y)).powi(2)))
}

/// Mean negative log-likelihood.
pub fn log_loss(p: &[f64], y: &[bool]) -> f64 {
    mean(p.iter().zip(y).map(|(p, y)| {
        let p = p.clamp(1e-15, 1.0 - 1e-15);
        -if *y { p.ln() } else { (1.0 - p).ln() }
    }))
}

/// Expected calibration error over ten groups of equal count, by rising probability.
pub fn ece(p: &[f64], y: &[bool]) -> f64 {
    let order = ascending(p);
    let n = order.len();
    let mut start = 0;
    let mut total = 0.0;
    for group in 0..ECE_GROUPS {
        let size = n / ECE_GROUPS + usize::from(group < n % ECE_GROUPS);
        let rows = &order[start..start + size];
        start += size;
        let gap: f64 = rows.iter().map(|i| p[*i] - one(y[*i])).sum();
        total += gap.abs();
    }
    total / n as f64
}

/// Slope b of the logistic fit y ~ a + b logit(p); ideal 1.
pub fn calibration_slope(p: &[f64], y: &[bool]) -> f64 {
    let x: Vec<f64> = p.iter().map(|p| logit(*p)).collect();
    let (mut a, mut b) = (0.0, 1.0);
    for _ in 0..STEPS {
        let (mut ga, mut gb, mut haa, mut hab, mut hbb) = (0.0, 0.0, 0.0, 0.0, 0.0);
        for (x, y) in x.iter().zip(y) {
            let q = crate::hazard::logistic(a + b * x);
            let (r, w) = (q - one(*y), q * (1.0 - q));
            ga += r;
            gb += r * x;
            haa += w;
            hab += w * x;
            hbb += w * x * x;
        }
        let det = haa * hbb - hab * hab;
        if det <= 1e-12 {
            return f64::NAN;
        }
        let (da, db) = ((hbb * ga - hab * gb) / det, (haa * gb - hab * ga) / det);
        a -= da;
        b -= db;
        if da.abs() + db.abs() < 1e-10 {
            break;
        }
    }
    b
}

/// Intercept a of the logistic fit y ~ a + offset logit(p); ideal 0.
pub fn calibration_intercept(p: &[f64], y: &[bool]) -> f64 {
    let x: Vec<f64> = p.iter().map(|p| logit(*p)).collect();
    let mut a = 0.0;
    for _ in 0..STEPS {
        let (mut g, mut h) = (0.0, 0.0);
        for (x, y) in x.iter().zip(y) {
            let q = crate::hazard::logistic(a + x);
            g += q - one(*y);
            h += q * (1.0 - q);
        }
        let step = g / f64::max(h, 1e-300);
        a -= step;
        if step.abs() < 1e-12 {
            break;
        }
    }
    a
}

/// Share of the positives among the tenth of the rows with the highest p; inside a tie the mean over random orders.
pub fn sensitivity_at_tenth(p: &[f64], y: &[bool]) -> f64 {
    let mut order = ascending(p);
    order.reverse();
    let mut left = (p.len() / 10) as f64;
    let ones = y.iter().filter(|y| **y).count() as f64;
    let (mut caught, mut at) = (0.0, 0);
    while at < order.len() && left > 0.0 {
        let mut end = at;
        while end < order.len() && p[order[end]] == p[order[at]] {
            end += 1;
        }
        let size = (end - at) as f64;
        let hits = order[at..end].iter().filter(|i| y[**i]).count() as f64;
        let share = (left / size).min(1.0);
        caught += hits * share;
        left -= size.min(left);
        at = end;
    }
    caught / ones
}

/// Events observed for each event expected; ideal 1.
pub fn observed_to_expected(p: &[f64], y: &[bool]) -> f64 {
    y.iter().filter(|y| **y).count() as f64 / p.iter().sum::<f64>()
}

/// Net benefit of acting on everybody with a risk of at least `threshold`.
pub fn net_benefit(p: &[f64], y: &[bool], threshold: f64) -> f64 {
    let (mut hits, mut misses) = (0.0, 0.0);
    for (p, y) in p.iter().zip(y) {
        if *p >= threshold {
            if *y { hits += 1.0 } else { misses += 1.0 }
        }
    }
    let n = p.len() as f64;
    hits / n - misses / n * threshold / (1.0 - threshold)
}

/// Row numbers by rising value; equal values keep their order.
pub(crate) fn ascending(p: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|a, b| p[*a].total_cmp(&p[*b]));
    order
}

fn logit(p: f64) -> f64 {
    let p = p.clamp(CLIP, 1.0 - CLIP);
    (p / (1.0 - p)).ln()
}

fn one(y: bool) -> f64 {
    f64::from(u8::from(y))
}

fn mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let n = values.len() as f64;
    values.sum::<f64>() / n
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(a: f64, b: f64) {
        assert!((a - b).abs() < 1e-9, "{a} is not {b}");
    }

    #[test]
    fn by_hand() {
        let p = [0.1, 0.4, 0.4, 0.8];
        let y = [false, true, false, true];
        // Pairs (positive, negative): 0.4>0.1, 0.4=0.4, 0.8>0.1, 0.8>0.4: 3.5 of 4.
        near(auroc(&p, &y), 0.875);
        // Threshold 0.8: recall 1/2, precision 1; threshold 0.4: recall 1, precision 2/3.
        near(auprc(&p, &y), 0.5 + 0.5 * 2.0 / 3.0);
        near(brier(&p, &y), (0.01 + 0.36 + 0.16 + 0.04) / 4.0);
        near(net_benefit(&p, &y, 0.4), 2.0 / 4.0 - 1.0 / 4.0 * 0.4 / 0.6);
        near(observed_to_expected(&p, &y), 2.0 / 1.7);
        near(log_loss(&p, &y), -(0.9f64.ln() + 0.4f64.ln() + 0.6f64.ln() + 0.8f64.ln()) / 4.0);
    }

    #[test]
    fn groups_of_the_calibration_error_are_as_equal_as_can_be() {
        // 12 rows: two groups of 2, eight of 1.
        let p: Vec<f64> = (0..12).map(|i| f64::from(i) / 20.0).collect();
        let y: Vec<bool> = (0..12).map(|i| i == 1).collect();
        let first: f64 = (0.0 + 0.05 - 1.0f64).abs();
        let rest: f64 = (2..12).map(|i| f64::from(i) / 20.0).sum();
        near(ece(&p, &y), (first + rest) / 12.0);
    }

    #[test]
    fn a_tie_at_the_tenth_counts_with_its_expectation() {
        // 20 rows, so 2 are taken: one sure hit, one of two tied rows of which one is a hit.
        let mut p = vec![0.1; 20];
        (p[0], p[1], p[2]) = (0.9, 0.5, 0.5);
        let mut y = vec![false; 20];
        (y[0], y[1], y[10]) = (true, true, true);
        near(sensitivity_at_tenth(&p, &y), 1.5 / 3.0);
    }

    #[test]
    fn calibration_is_perfect_when_observed_as_predicted() {
        let mut p = Vec::new();
        let mut y = Vec::new();
        for (q, ones) in [(0.2, 20), (0.5, 50), (0.7, 70)] {
            for i in 0..100 {
                p.push(q);
                y.push(i < ones);
            }
        }
        near(calibration_slope(&p, &y), 1.0);
        near(calibration_intercept(&p, &y), 0.0);
        // Twice the log-odds: the slope must halve.
        let bold: Vec<f64> = p.iter().map(|p| p * p / (p * p + (1.0 - p) * (1.0 - p))).collect();
        near(calibration_slope(&bold, &y), 0.5);
    }
}
