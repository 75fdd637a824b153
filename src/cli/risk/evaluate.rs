//! `tend risk evaluate`

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use tend_risk::{Evaluation, Model, OutcomeColumns, Question};

use super::{ColumnArgs, RiskError, data, folds, train::print_metrics};

/// Seed of the bootstrap.
const SEED: u64 = 20_261_123;

/// Arguments of `tend risk evaluate`.
#[derive(Debug, Args)]
pub(super) struct EvaluateArgs {
    /// Folder of the model.
    dir: PathBuf,
    /// CSV file with a header, plain or gzip (.gz).
    data: PathBuf,
    #[command(flatten)]
    columns: ColumnArgs,
    /// Times at which risk is compared, in the unit of the time column; also the grid of Uno's C and the Brier score.
    #[arg(long, value_name = "H,…", value_delimiter = ',')]
    horizons: Vec<String>,
    /// Print one JSON document.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &EvaluateArgs) -> Result<ExitCode, RiskError> {
    let model = data::model(&args.dir)?;
    let table = data::read(&args.data)?.table;
    let id = args.columns.id.clone().unwrap_or_else(|| model.file().columns.id.clone());
    let outcome = outcome(&args.columns, &model)?;
    let all: Vec<usize> = (0..table.rows()).collect();
    let (censoring, test) = match (&args.columns.folds, args.columns.fold) {
        (Some(path), Some(k)) => folds::split(&folds::read(path, &table, &id)?, k)?,
        _ => (all.clone(), all),
    };
    if args.columns.folds.is_some() && args.columns.fold.is_none() {
        return Err(RiskError::Flags("say which fold to score: --fold K".to_owned()));
    }
    let mut horizons: Vec<f64> = data::horizons(&args.horizons)?.into_iter().map(|(_, h)| h).collect();
    if horizons.is_empty() {
        horizons.clone_from(&model.file().horizons);
    }
    horizons.sort_by(f64::total_cmp);
    horizons.dedup();
    let question = Question {
        id: &id,
        outcome: &outcome,
        test: &test,
        censoring: &censoring,
        horizons: &horizons,
        seed: SEED,
    };
    let evaluation = model.evaluate(&table, &question).map_err(|e| RiskError::from(e).in_file(&table))?;
    if args.json {
        let text = serde_json::to_string_pretty(&evaluation)
            .map_err(|e| RiskError::Flags(format!("the figures cannot be written as JSON: {e}")))?;
        say!("{text}");
    } else {
        print(&evaluation);
    }
    Ok(ExitCode::SUCCESS)
}

/// The outcome columns named, else those of the training file.
pub(super) fn outcome(columns: &ColumnArgs, model: &Model) -> Result<OutcomeColumns, RiskError> {
    columns.outcome().or_else(|| own_outcome(model)).ok_or_else(|| {
        RiskError::Flags("name the outcome: --label COL, or --time COL and --event COL".to_owned())
    })
}

fn own_outcome(model: &Model) -> Option<OutcomeColumns> {
    let columns = &model.file().columns;
    if let Some(label) = &columns.label {
        return Some(OutcomeColumns::Label(label.clone()));
    }
    Some(OutcomeColumns::Survival { time: columns.time.clone()?, event: columns.event.clone()? })
}

fn print(evaluation: &Evaluation) {
    say!(
        "model {}: {} rows, {} patients, {} events; {:.1} % of rows would not be scored",
        evaluation.model_version,
        evaluation.rows,
        evaluation.patients,
        evaluation.events,
        100.0 * evaluation.abstain_share
    );
    say!("figures with 95 % intervals by patient:");
    print_metrics(&evaluation.metrics);
    say!("net benefit (acting from this risk on, by the model or on everybody):");
    for point in &evaluation.decision_curve {
        let at = point.horizon.map_or_else(String::new, |h| format!(" at {h}"));
        say!("  {:>4.2}{at}  {:>8.4}  {:>8.4}", point.threshold, point.model, point.everybody);
    }
}
