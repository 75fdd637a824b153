//! Against scikit-learn and scikit-survival; `tests/risk/metrics_reference.py` makes the numbers.

use crate::hazard::Observed;
use crate::metrics::{binary, survival};

const ROWS: usize = 240;
const GRID: [f64; 4] = [5.0, 10.0, 20.0, 30.0];

fn numbers() -> Vec<[f64; 4]> {
    let mut state: u64 = 12345;
    let mut next = || {
        state = (state * 1_103_515_245 + 12345) % 2_147_483_648;
        ((state >> 8) % 10_007) as f64 / 10_007.0
    };
    (0..ROWS).map(|_| [next(), next(), next(), next()]).collect()
}

fn probability(u: &[f64; 4]) -> f64 {
    ((0.02 + 0.9 * u[0]) * 100.0).round() / 100.0
}

fn near(name: &str, found: f64, reference: f64) {
    assert!((found - reference).abs() < 1e-6, "{name}: {found} is not {reference}");
}

#[test]
fn binary_figures_equal_scikit_learn() {
    let u = numbers();
    let p: Vec<f64> = u.iter().map(probability).collect();
    let y: Vec<bool> = u.iter().zip(&p).map(|(u, p)| u[1] < p * 0.8).collect();
    near("auroc", binary::auroc(&p, &y), 0.740_158_636_897_767_3);
    near("auprc", binary::auprc(&p, &y), 0.559_886_183_065_139_2);
    near("brier", binary::brier(&p, &y), 0.211_975);
    near("log loss", binary::log_loss(&p, &y), 0.614_267_975_245_744_5);
    near("slope", binary::calibration_slope(&p, &y), 0.737_280_843_841_214_4);
}

#[test]
fn survival_figures_equal_scikit_survival() {
    let u = numbers();
    let rows: Vec<Observed> = u
        .iter()
        .map(|u| Observed { time: 1.0 + (60.0 * u[2] * (1.4 - probability(u))).floor(), event: u[3] < 0.6 })
        .collect();
    let risk = |t: f64| -> Vec<f64> {
        u.iter().map(|u| 1.0 - (1.0 - 0.9 * probability(u)).powf(t / 30.0)).collect()
    };
    let at: Vec<Vec<f64>> = GRID.iter().map(|t| risk(*t)).collect();
    let mean: Vec<f64> = (0..ROWS).map(|i| at.iter().map(|r| r[i]).sum::<f64>() / 4.0).collect();
    let g = survival::Curve::of_censoring(&rows);
    near("harrell", survival::harrell_c(&rows, &mean), 0.683_689_503_456_945_3);
    near("uno", survival::uno_c(&rows, &mean, &g, 30.0), 0.685_634_836_316_599_6);
    let briers = [
        0.059_286_721_918_976_756,
        0.103_218_889_985_146_68,
        0.159_666_964_933_655_43,
        0.190_679_101_591_963_44,
    ];
    let aucs =
        [0.639_197_557_979_601_8, 0.668_037_720_671_828_9, 0.725_772_037_710_116_7, 0.755_465_864_994_683_8];
    let found: Vec<f64> = GRID.iter().zip(&at).map(|(t, r)| survival::brier(&rows, r, &g, *t)).collect();
    for (i, t) in GRID.iter().enumerate() {
        near("brier", found[i], briers[i]);
        near("auc", survival::auc(&rows, &at[i], &g, *t), aucs[i]);
    }
    near("ibs", survival::integrated(&GRID, &found), 0.138_896_945_479_296_54);
}

#[test]
fn counting_pairs_fast_equals_counting_them_one_by_one() {
    let u = numbers();
    let rows: Vec<Observed> =
        u.iter().map(|u| Observed { time: (u[2] * 20.0).floor(), event: u[3] < 0.5 }).collect();
    let risk: Vec<f64> = u.iter().map(|u| (u[0] * 12.0).floor() / 12.0 + u[1] * 2e-9).collect();
    let (mut concordant, mut pairs) = (0.0, 0.0);
    for (i, a) in rows.iter().enumerate().filter(|(_, a)| a.event) {
        for (j, b) in rows.iter().enumerate() {
            if i != j && (a.time < b.time || (a.time == b.time && !b.event)) {
                pairs += 1.0;
                let gap = risk[i] - risk[j];
                concordant += if gap.abs() <= 1e-8 { 0.5 } else { f64::from(u8::from(gap > 0.0)) };
            }
        }
    }
    assert!((survival::harrell_c(&rows, &risk) - concordant / pairs).abs() < 1e-12);
}
