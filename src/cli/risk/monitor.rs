//! `tend risk monitor`

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use tend_risk::{DRIFTED, LOOK, Model, OutcomeColumns, Scored, Signal, control, observed};

use super::{ColumnArgs, RiskError, data, evaluate};

/// Arguments of `tend risk monitor`.
#[derive(Debug, Args)]
pub(super) struct MonitorArgs {
    /// Folder of the model.
    dir: PathBuf,
    /// CSV file with newer patients and what became of them.
    data: PathBuf,
    #[command(flatten)]
    columns: ColumnArgs,
    /// Column with the period (a month, a quarter); periods are taken in the order of their names.
    #[arg(long, value_name = "COL")]
    period: String,
}

pub(super) fn run(args: &MonitorArgs) -> Result<ExitCode, RiskError> {
    let model = data::model(&args.dir)?;
    let table = data::read(&args.data)?.table;
    let outcome = evaluate::outcome(&args.columns, &model)?;
    if !matches!(outcome, OutcomeColumns::Label(_)) {
        return Err(RiskError::Flags(
            "the control chart needs a yes-or-no outcome; a time to an event is compared with tend risk evaluate"
                .to_owned(),
        ));
    }
    let column = table.column(&args.period)?;
    let rows = observed(&table, &outcome)?;
    let scored = model.score_table(&table, &[])?;
    drift(&model, &scored);
    let mut periods: BTreeMap<&str, (Vec<f64>, Vec<bool>)> = BTreeMap::new();
    for (row, scored) in scored.iter().enumerate() {
        let slot = periods.entry(table.cell(row, column)).or_default();
        slot.0.extend(scored.estimates.first().map(|e| e.risk));
        slot.1.push(rows[row].event);
    }
    let charted: Vec<(Vec<f64>, Vec<bool>)> = periods.values().cloned().collect();
    say!("{:<12} {:>8} {:>8} {:>10} {:>8}", args.period, "rows", "seen", "expected", "errors");
    let mut alarm = false;
    for ((name, (risks, _)), period) in periods.iter().zip(control(&charted)) {
        let word = match period.signal {
            Signal::Quiet => "",
            Signal::Look => "look: beyond the limit; recalibrate if it is true",
            Signal::StepBack => {
                "step back: again beyond the limit; show the published score until somebody decided"
            }
        };
        alarm |= period.signal == Signal::StepBack;
        say!(
            "{name:<12} {:>8} {:>8} {:>10.1} {:>+8.2} {word}",
            risks.len(),
            period.observed,
            period.expected,
            period.z
        );
    }
    Ok(if alarm { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Inputs whose values are spread otherwise than in training.
fn drift(model: &Model, scored: &[Scored]) {
    say!("inputs by population stability index (from {LOOK} look, from {DRIFTED} drifted):");
    let inputs = model.file().input.iter().enumerate().filter(|(_, input)| !input.spread.shares.is_empty());
    for (i, input) in inputs {
        let (index, missing) = input.spread.drift(scored.iter().map(|row| row.values[i]));
        let word = match index {
            index if index >= DRIFTED => "drifted",
            index if index >= LOOK => "look",
            _ => "",
        };
        let before = input.spread.shares.first().copied().unwrap_or(0.0);
        say!(
            "  {:<28} {index:>7.3}  missing {:>5.1} % (training {:.1} %) {word}",
            input.feature.name,
            100.0 * missing,
            100.0 * before
        );
    }
}
