//! `tend bench score`: the shipped model, encoding included, beside the matrix products of its networks and nothing else.

use std::{process::ExitCode, time::Instant};

use clap::Args;
use tend_risk::{Inputs, Kind, Model, Outcome, Source, Value};

use super::{
    BenchError,
    report::{Figure, Report, median},
};
use crate::app::score::shipped;

/// Rows of a batch at a time, as the model itself takes them.
const BATCH: usize = 256;
/// A clinician waits no longer than this for one score with its reasons.
const REASONS_MICROS: f64 = 2_000.0;

/// `tend bench score`
#[derive(Debug, Args)]
pub struct ScoreArgs {
    /// Rows.
    #[arg(long, default_value_t = 20_000)]
    rows: usize,
    /// Single scores.
    #[arg(long, default_value_t = 2_000)]
    ones: usize,
    /// Print one JSON document.
    #[arg(long)]
    json: bool,
}

/// Measures.
///
/// # Errors
/// [`BenchError`].
pub fn run(args: &ScoreArgs) -> Result<ExitCode, BenchError> {
    let model = shipped().ok_or_else(|| BenchError("the shipped model cannot be loaded".to_owned()))?;
    let rows: Vec<Inputs> = (0..args.rows.max(BATCH)).map(|n| invented(model, n as u64)).collect();
    let mut report = Report::default();

    let (batch, bare) = (per_second(|| scored(model, &rows))?, bare_per_second(model, BATCH, rows.len())?);
    // The networks' floating-point work and nothing else; trees compare and add, which no product of matrices measures.
    let work = format!("products of its networks, {} trees apart", model.file().training.trees);
    report.results.push(Figure::higher("scores in batch", "rows/s", batch, &work, bare));

    let ones = &rows[..args.ones.clamp(1, rows.len())];
    let one = median(micros(ones, |inputs| scored(model, std::slice::from_ref(inputs)).map(|_| ()))?);
    let alone = 1e6 / bare_per_second(model, 1, ones.len())?;
    report.results.push(Figure::lower("one score", "µs", one, &work, alone));

    let reasoned = |inputs: &Inputs| match model.score(inputs, None) {
        Outcome::Score(_) => Ok(()),
        Outcome::Abstain(why) => Err(BenchError(format!("abstained: {}", why.sentence("en")))),
    };
    let reasons = median(micros(&ones[..ones.len().min(300)], reasoned)?);
    report.results.push(Figure::lower("one score with reasons", "µs", reasons, "goal", REASONS_MICROS));
    report.print(args.json);
    Ok(ExitCode::SUCCESS)
}

/// A patient with every input, different for each number.
fn invented(model: &Model, number: u64) -> Inputs {
    let mut state = number.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut uniform = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as f64 / (1u64 << 53) as f64
    };
    let asked = model.features().iter().filter(|feature| feature.source == Source::Column);
    asked
        .map(|feature| {
            let value = match &feature.kind {
                Kind::Number { min, max, whole } => {
                    let value = min + uniform() * (max - min);
                    Value::Number(if *whole { value.round() } else { value })
                }
                Kind::Boolean => Value::Number(uniform().round()),
                Kind::Category { levels } => {
                    let at = (uniform() * levels.len() as f64) as usize;
                    levels.get(at).map_or(Value::Missing, |level| Value::Category(level.name.clone()))
                }
            };
            (feature.name.clone(), value)
        })
        .collect()
}

/// Reads, encodes and scores; gives how many.
fn scored(model: &Model, rows: &[Inputs]) -> Result<usize, BenchError> {
    let mut done = 0;
    for chunk in rows.chunks(BATCH) {
        let values: Vec<f64> = chunk.iter().flat_map(|inputs| model.values(inputs).0).collect();
        let raw = model.raw(&values).map_err(BenchError::of)?;
        done += raw.iter().filter(|raw| model.estimate(raw, 0.0).risk.is_finite()).count();
    }
    Ok(done)
}

/// The best of three, after one that warms up.
fn per_second(mut work: impl FnMut() -> Result<usize, BenchError>) -> Result<f64, BenchError> {
    let mut best: f64 = 0.0;
    for round in 0..4 {
        let began = Instant::now();
        let done = work()?;
        if round > 0 {
            best = best.max(done as f64 / began.elapsed().as_secs_f64());
        }
    }
    Ok(best)
}

fn bare_per_second(model: &Model, batch: usize, rows: usize) -> Result<f64, BenchError> {
    let bare = model.bare(batch).map_err(BenchError::of)?;
    let times = rows.div_ceil(batch);
    per_second(|| {
        (0..times).try_for_each(|_| bare.run()).map_err(BenchError::of)?;
        Ok(times * batch)
    })
}

fn micros(
    rows: &[Inputs],
    mut work: impl FnMut(&Inputs) -> Result<(), BenchError>,
) -> Result<Vec<f64>, BenchError> {
    rows.iter()
        .map(|inputs| {
            let began = Instant::now();
            work(inputs)?;
            Ok(began.elapsed().as_secs_f64() * 1e6)
        })
        .collect()
}
