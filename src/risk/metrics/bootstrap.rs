//! Intervals: the figures again on patients drawn with replacement.

use crate::rng::Rng;

/// Share left out at each end of an interval.
const TAIL: f64 = 0.025;

/// Row numbers of `rounds` resamples; a patient is drawn with all its rows.
pub fn resamples(ids: &[usize], rounds: usize, seed: u64) -> Vec<Vec<usize>> {
    let groups = ids.iter().max().map_or(0, |m| m + 1);
    let mut rows: Vec<Vec<usize>> = vec![Vec::new(); groups];
    for (row, id) in ids.iter().enumerate() {
        rows[*id].push(row);
    }
    rows.retain(|rows| !rows.is_empty());
    let mut rng = Rng::new(seed, "bootstrap");
    (0..rounds).map(|_| (0..rows.len()).flat_map(|_| rows[rng.below(rows.len())].clone()).collect()).collect()
}

/// The 95 % interval of a figure by percentiles; rounds that gave no number are left out.
pub fn interval(mut values: Vec<f64>) -> (f64, f64) {
    values.retain(|v| v.is_finite());
    values.sort_by(f64::total_cmp);
    let at = |share: f64| {
        let place = share * (values.len().saturating_sub(1)) as f64;
        let (low, high) = (place.floor() as usize, place.ceil() as usize);
        match (values.get(low), values.get(high)) {
            (Some(a), Some(b)) => a + (b - a) * (place - low as f64),
            _ => f64::NAN,
        }
    };
    (at(TAIL), at(1.0 - TAIL))
}

/// The same of a figure that cannot be below 0 and that resampling makes larger: the rounds are moved so that their median is
/// the figure.
pub fn centred(value: f64, mut values: Vec<f64>) -> (f64, f64) {
    values.retain(|v| v.is_finite());
    values.sort_by(f64::total_cmp);
    let median = values.get(values.len() / 2).copied().unwrap_or(value);
    interval(values.iter().map(|v| (v - median + value).max(0.0)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patient_is_drawn_with_all_its_rows() {
        let ids = [0, 0, 1, 2, 2, 2];
        for rows in resamples(&ids, 20, 3) {
            let count = |id: usize| rows.iter().filter(|r| ids[**r] == id).count();
            assert_eq!(count(0) % 2, 0);
            assert_eq!(count(2) % 3, 0);
            assert_eq!(count(0) / 2 + count(1) + count(2) / 3, 3);
        }
    }

    #[test]
    fn percentiles_are_interpolated() {
        let values = (0..=100).map(f64::from).chain([f64::NAN]).collect();
        assert_eq!(interval(values), (2.5, 97.5));
    }

    #[test]
    fn an_interval_that_is_centred_holds_its_figure() {
        // Every round is larger than the figure itself.
        let values: Vec<f64> = (0..=100).map(|v| 0.05 + f64::from(v) / 1_000.0).collect();
        assert!(interval(values.clone()).0 > 0.03);
        let (low, high) = centred(0.03, values);
        assert_eq!(low, 0.0);
        assert!((high - 0.0775).abs() < 1e-9, "{high}");
    }
}
