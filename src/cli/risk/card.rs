//! `tend risk card`: the words of a model anew, its weights untouched.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use tend_risk::{Model, ModelBytes, SchemaFile};

use super::{RiskError, data, train};

/// Arguments of `tend risk card`.
#[derive(Debug, Args)]
pub(super) struct CardArgs {
    /// Folder of the model.
    dir: PathBuf,
    /// TOML file whose `about` says purpose, limits and source attributes.
    #[arg(long, value_name = "FILE")]
    schema: PathBuf,
    /// Folder to write; the model's own, to replace its card.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

pub(super) fn run(args: &CardArgs) -> Result<ExitCode, RiskError> {
    train::check_out(&args.out)?;
    let model = data::model(&args.dir)?;
    let text = fs::read_to_string(&args.schema).map_err(|e| RiskError::file(&args.schema, e))?;
    let schema = SchemaFile::parse(&text).map_err(|problem| RiskError::file(&args.schema, problem))?;
    let weights = args.dir.join("model.safetensors");
    let safetensors = fs::read(&weights).map_err(|e| RiskError::file(&weights, e))?;
    let mut file = model.file().clone();
    file.about = schema.about;
    let refused = |problem| RiskError::Model { path: args.out.clone(), problem };
    let bytes = ModelBytes { toml: String::new(), safetensors }.with_file(&file).map_err(refused)?;
    let same = Model::from_bytes(&bytes.toml, &bytes.safetensors).map_err(refused)?;
    train::write(&args.out, &bytes, &tend_risk::card(&same), &tend_risk::page(&same))?;
    say!(
        "model {} in {}: the weights are the same, the words those of {}",
        same.version(),
        args.out.display(),
        args.schema.display()
    );
    Ok(ExitCode::SUCCESS)
}
