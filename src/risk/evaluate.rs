//! Scores a table and compares with what happened: every row counts, also those that would abstain.

use serde::{Deserialize, Serialize};

use crate::error::DataError;
use crate::hazard::Observed;
use crate::history;
use crate::inner::group;
use crate::metrics::{binary, bootstrap, survival};
use crate::model::{Metric, Model};
use crate::outcome::{OutcomeColumns, observed};
use crate::predict::Estimate;
use crate::score::Abstain;
use crate::table::RawTable;

/// Resamples behind an interval.
pub const ROUNDS: usize = 200;
/// Fewer rows are not compared.
const LEAST_ROWS: usize = 10;
/// Thresholds of the decision curve.
const THRESHOLDS: [f64; 8] = [0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5];

/// What to evaluate.
#[derive(Debug, Clone)]
pub struct Question<'a> {
    /// Column with the patient.
    pub id: &'a str,
    /// Outcome columns.
    pub outcome: &'a OutcomeColumns,
    /// Rows to score.
    pub test: &'a [usize],
    /// Rows that tell how follow-up ends (for G).
    pub censoring: &'a [usize],
    /// Horizons, rising: the grid of the risk score, of Uno's C and of the integrated Brier score.
    pub horizons: &'a [f64],
    /// Seed of the bootstrap.
    pub seed: u64,
}

/// The answer.
#[derive(Debug, Clone, Serialize)]
pub struct Evaluation {
    /// Version of the model.
    pub model_version: String,
    /// Rows scored.
    pub rows: usize,
    /// Patients among them.
    pub patients: usize,
    /// Rows with the event.
    pub events: usize,
    /// Share of rows that a clinician would not be shown a score for.
    pub abstain_share: f64,
    /// Horizons used.
    pub horizons: Vec<f64>,
    /// Figures with 95 % bootstrap intervals by patient.
    pub metrics: Vec<Metric>,
    /// Net benefit.
    pub decision_curve: Vec<NetBenefit>,
}

/// One point of a decision curve.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NetBenefit {
    /// Horizon, for survival.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub horizon: Option<f64>,
    /// Risk from which somebody acts.
    pub threshold: f64,
    /// Acting by the model.
    pub model: f64,
    /// Acting on everybody.
    pub everybody: f64,
}

/// One scored row.
#[derive(Debug, Clone)]
pub struct Scored {
    /// Why a clinician would not be shown the number.
    pub abstain: Option<Abstain>,
    /// Values in feature order.
    pub values: Vec<f64>,
    /// One estimate per horizon (one for a label).
    pub estimates: Vec<Estimate>,
}

/// Why an evaluation ended without an answer.
#[derive(Debug, thiserror::Error)]
pub enum EvaluateError {
    /// The data cannot be used.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The model and the columns do not belong together.
    #[error("{0}")]
    Mismatch(&'static str),
    /// Not enough to compare.
    #[error("{0}")]
    TooLittle(String),
    /// The numerical library refused.
    #[error("the numerical library failed: {0}")]
    Numeric(#[from] candle_core::Error),
}

/// Whether predictions can be compared with these outcomes at all; `horizons` are none for a label.
fn comparable(rows: &[Observed], horizons: &[f64]) -> Result<(), EvaluateError> {
    let little = |sentence: String| Err(EvaluateError::TooLittle(sentence));
    if rows.len() < LEAST_ROWS {
        return little(format!(
            "{} rows are not enough to compare; at least {LEAST_ROWS} are needed",
            rows.len()
        ));
    }
    let events = rows.iter().filter(|row| row.event).count();
    if events == 0 {
        return little(
            "no row has the event, so there is nothing to compare with; take rows that were followed longer"
                .to_owned(),
        );
    }
    let Some(last) = horizons.last() else {
        return if events < rows.len() {
            Ok(())
        } else {
            little(
                "every row has the event, so there is nobody to compare with; add rows without it".to_owned(),
            )
        };
    };
    let longest = rows.iter().fold(0.0f64, |longest, row| longest.max(row.time));
    if *last > longest {
        return little(format!(
            "horizon {last} lies beyond the follow-up of these rows, the longest of which is {longest}; give shorter ones with --horizons"
        ));
    }
    let first = horizons[0];
    if !rows.iter().any(|row| row.event && row.time <= first) {
        return little(format!("nobody has the event by horizon {first}; give longer ones with --horizons"));
    }
    Ok(())
}

impl Model {
    /// Scores every row of a table at each horizon; a label model has one estimate whatever the horizons.
    pub fn score_table(&self, table: &RawTable, horizons: &[f64]) -> Result<Vec<Scored>, EvaluateError> {
        let frame = history::read(table, &self.features, self.lookback().as_ref())?;
        let horizons = if self.file.intervals.is_label() { &[0.0] } else { horizons };
        let raw = self.raw(&frame.values)?;
        let rows = raw.iter().zip(&frame.abstain).enumerate();
        Ok(rows
            .map(|(row, (raw, abstain))| {
                let estimates: Vec<Estimate> = horizons.iter().map(|h| self.estimate(raw, *h)).collect();
                let finite = estimates.iter().all(|e| e.risk.is_finite());
                Scored {
                    abstain: abstain.clone().or((!finite).then_some(Abstain::NotFinite)),
                    values: frame.row(row).to_vec(),
                    estimates,
                }
            })
            .collect())
    }

    /// Scores the test rows and compares.
    pub fn evaluate(&self, table: &RawTable, question: &Question) -> Result<Evaluation, EvaluateError> {
        let label = self.file.intervals.is_label();
        if label != matches!(question.outcome, OutcomeColumns::Label(_)) {
            return Err(EvaluateError::Mismatch(if label {
                "the model predicts a yes-or-no label; give its column with --label"
            } else {
                "the model predicts a time to an event; give its columns with --time and --event"
            }));
        }
        let all = observed(table, question.outcome)?;
        let chosen: Vec<Observed> = question.test.iter().map(|row| all[*row]).collect();
        comparable(&chosen, if label { &[] } else { question.horizons })?;
        let scored = self.score_table(table, question.horizons)?;
        let id = table.column(question.id)?;
        let test = question.test;
        let rows = chosen;
        let ids = group(test.iter().map(|row| table.cell(*row, id)));
        let risks: Vec<Vec<f64>> = (0..if label { 1 } else { question.horizons.len() })
            .map(|h| test.iter().map(|row| scored[*row].estimates[h].risk).collect())
            .collect();
        let abstained = test.iter().filter(|row| scored[**row].abstain.is_some()).count();
        let censoring: Vec<Observed> = question.censoring.iter().map(|row| all[*row]).collect();
        let (metrics, decision_curve) = if label {
            (binary_metrics(&rows, &ids, &risks[0], question.seed), binary_curve(&rows, &risks[0]))
        } else {
            let g = survival::Curve::of_censoring(&censoring);
            let metrics = survival_metrics(&rows, &ids, &risks, &g, question.horizons, question.seed);
            (metrics, survival_curve(&rows, &risks, question.horizons))
        };
        Ok(Evaluation {
            model_version: self.file.version.clone(),
            rows: rows.len(),
            patients: ids.iter().max().map_or(0, |m| m + 1),
            events: rows.iter().filter(|row| row.event).count(),
            abstain_share: abstained as f64 / rows.len().max(1) as f64,
            horizons: if label { Vec::new() } else { question.horizons.to_vec() },
            metrics,
            decision_curve,
        })
    }
}

type Figure = (&'static str, Option<f64>, f64);

fn with_intervals(ids: &[usize], seed: u64, figures: &dyn Fn(&[usize]) -> Vec<Figure>) -> Vec<Metric> {
    let everybody: Vec<usize> = (0..ids.len()).collect();
    let point = figures(&everybody);
    let again: Vec<Vec<Figure>> =
        bootstrap::resamples(ids, ROUNDS, seed).iter().map(|rows| figures(rows)).collect();
    point
        .into_iter()
        .enumerate()
        .map(|(i, (name, horizon, value))| {
            let draws = again.iter().map(|figures| figures[i].2).collect();
            // Drawn again, calibration errors come out larger than they are; without that the interval may leave out its figure.
            let (low, high) =
                if name == "ece" { bootstrap::centred(value, draws) } else { bootstrap::interval(draws) };
            Metric { name: name.to_owned(), horizon, value, low, high }
        })
        .collect()
}

/// All figures of a label, with intervals.
pub fn binary_metrics(rows: &[Observed], ids: &[usize], risk: &[f64], seed: u64) -> Vec<Metric> {
    with_intervals(ids, seed, &|chosen| {
        let p: Vec<f64> = chosen.iter().map(|i| risk[*i]).collect();
        let y: Vec<bool> = chosen.iter().map(|i| rows[*i].event).collect();
        vec![
            ("auroc", None, binary::auroc(&p, &y)),
            ("auprc", None, binary::auprc(&p, &y)),
            ("brier", None, binary::brier(&p, &y)),
            ("log_loss", None, binary::log_loss(&p, &y)),
            ("ece", None, binary::ece(&p, &y)),
            ("calibration_slope", None, binary::calibration_slope(&p, &y)),
            ("calibration_intercept", None, binary::calibration_intercept(&p, &y)),
            ("sensitivity_at_10_percent", None, binary::sensitivity_at_tenth(&p, &y)),
            ("observed_to_expected", None, binary::observed_to_expected(&p, &y)),
        ]
    })
}

/// All figures of a time to an event, with intervals; `risks` has one row of risks per horizon.
pub fn survival_metrics(
    rows: &[Observed],
    ids: &[usize],
    risks: &[Vec<f64>],
    g: &survival::Curve,
    horizons: &[f64],
    seed: u64,
) -> Vec<Metric> {
    let tau = horizons.last().copied().unwrap_or(0.0);
    with_intervals(ids, seed, &|chosen| {
        let rows: Vec<Observed> = chosen.iter().map(|i| rows[*i]).collect();
        let at: Vec<Vec<f64>> = risks.iter().map(|risk| chosen.iter().map(|i| risk[*i]).collect()).collect();
        let mean: Vec<f64> =
            (0..rows.len()).map(|i| at.iter().map(|risk| risk[i]).sum::<f64>() / at.len() as f64).collect();
        let briers: Vec<f64> =
            horizons.iter().zip(&at).map(|(h, risk)| survival::brier(&rows, risk, g, *h)).collect();
        let mut out = vec![
            ("harrell_c", None, survival::harrell_c(&rows, &mean)),
            ("uno_c", None, survival::uno_c(&rows, &mean, g, tau)),
            ("ibs", None, survival::integrated(horizons, &briers)),
        ];
        for ((h, risk), brier) in horizons.iter().zip(&at).zip(&briers) {
            out.push(("auc", Some(*h), survival::auc(&rows, risk, g, *h)));
            out.push(("brier", Some(*h), *brier));
            out.push(("observed_to_expected", Some(*h), survival::observed_to_expected(&rows, risk, *h)));
        }
        out
    })
}

/// Net benefit of a label by threshold.
pub fn binary_curve(rows: &[Observed], risk: &[f64]) -> Vec<NetBenefit> {
    let y: Vec<bool> = rows.iter().map(|row| row.event).collect();
    let everybody = vec![1.0; risk.len()];
    THRESHOLDS
        .iter()
        .map(|&threshold| NetBenefit {
            horizon: None,
            threshold,
            model: binary::net_benefit(risk, &y, threshold),
            everybody: binary::net_benefit(&everybody, &y, threshold),
        })
        .collect()
}

/// Net benefit of a time to an event, by horizon and threshold.
pub fn survival_curve(rows: &[Observed], risks: &[Vec<f64>], horizons: &[f64]) -> Vec<NetBenefit> {
    let everybody = vec![1.0; rows.len()];
    let mut out = Vec::new();
    for (&horizon, risk) in horizons.iter().zip(risks) {
        out.extend(THRESHOLDS.iter().map(|&threshold| NetBenefit {
            horizon: Some(horizon),
            threshold,
            model: survival::net_benefit(rows, risk, horizon, threshold),
            everybody: survival::net_benefit(rows, &everybody, horizon, threshold),
        }));
    }
    out
}
