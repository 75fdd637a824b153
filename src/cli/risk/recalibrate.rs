//! `tend risk recalibrate`

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use tend_risk::ModelBytes;

use super::{ColumnArgs, RiskError, data, evaluate, train};

/// Arguments of `tend risk recalibrate`.
#[derive(Debug, Args)]
pub(super) struct RecalibrateArgs {
    /// Folder of the model, as it was trained.
    dir: PathBuf,
    /// CSV file with the site's own patients and what became of them.
    data: PathBuf,
    #[command(flatten)]
    columns: ColumnArgs,
    /// Folder for the recalibrated model.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

pub(super) fn run(args: &RecalibrateArgs) -> Result<ExitCode, RiskError> {
    train::check_out(&args.out)?;
    let model = data::model(&args.dir)?;
    let table = data::read(&args.data)?.table;
    let outcome = evaluate::outcome(&args.columns, &model)?;
    let local = model.localise(&table, &outcome).map_err(|e| RiskError::from(e).in_file(&table))?;
    say!("{} rows, {} events", local.rows, local.events);
    say!("intercept {:+.4}, slope {:.4}; {}", local.intercept, local.slope, local.rule);
    let weights = args.dir.join("model.safetensors");
    let safetensors = std::fs::read(&weights).map_err(|e| RiskError::file(&weights, e))?;
    let refused = |problem| RiskError::Model { path: args.out.clone(), problem };
    let file = model.localised(local);
    let bytes = ModelBytes { toml: String::new(), safetensors }.with_file(&file).map_err(refused)?;
    let moved = tend_risk::Model::from_bytes(&bytes.toml, &bytes.safetensors).map_err(refused)?;
    train::write(&args.out, &bytes, &tend_risk::card(&moved), &tend_risk::page(&moved))?;
    say!("model {} in {}", moved.version(), args.out.display());
    Ok(ExitCode::SUCCESS)
}
