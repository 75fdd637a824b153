//! `tend risk predict`

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use tend_risk::{Model, RawTable, Reason, Scored, Source};

use super::{RiskError, data};

/// Arguments of `tend risk predict`.
#[derive(Debug, Args)]
pub(super) struct PredictArgs {
    /// Folder of the model.
    dir: PathBuf,
    /// CSV file with a header, plain or gzip (.gz).
    data: PathBuf,
    /// CSV file to write.
    #[arg(long, value_name = "OUT.csv")]
    out: PathBuf,
    /// Times for which risk is predicted, in the unit of the training data.
    #[arg(long, value_name = "H,…", value_delimiter = ',')]
    horizons: Vec<String>,
    /// Add the reasons: additive log-odds from the reference patient's risk (at the first horizon).
    #[arg(long)]
    explain: bool,
}

pub(super) fn run(args: &PredictArgs) -> Result<ExitCode, RiskError> {
    let model = data::model(&args.dir)?;
    apart(&args.out, &args.data, &args.dir)?;
    let table = data::read(&args.data)?.table;
    lacking(&model, &table);
    let label = model.file().intervals.is_label();
    let mut horizons = data::horizons(&args.horizons)?;
    if label && !horizons.is_empty() {
        eprintln!("the model predicts a yes-or-no label, so --horizons is not used");
    }
    if horizons.is_empty() && !label {
        horizons = data::own_horizons(&model);
    }
    let times: Vec<f64> = horizons.iter().map(|(_, h)| *h).collect();
    let scored = model.score_table(&table, &times)?;
    let names: Vec<String> = if label {
        vec![String::new()]
    } else {
        horizons.iter().map(|(text, _)| format!("_{text}")).collect()
    };
    let first = times.first().copied().unwrap_or(0.0);
    let text = text(&model, &scored, &names, args.explain.then_some(first))?;
    write(&args.out, &text)?;
    let abstained = scored.iter().filter(|row| row.abstain.is_some()).count();
    say!("{} rows in {}; {abstained} would not be scored", scored.len(), args.out.display());
    Ok(ExitCode::SUCCESS)
}

/// Neither the input nor the model is written over.
fn apart(out: &Path, data: &Path, dir: &Path) -> Result<(), RiskError> {
    // What cannot be found is not there to be written over.
    let place = |path: &Path| fs::canonicalize(path).ok();
    let folder = out.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if place(out).is_some_and(|out| place(data) == Some(out)) {
        return Err(RiskError::file(out, "is the file that is read; give --out another name"));
    }
    if place(folder).zip(place(dir)).is_some_and(|(folder, dir)| folder.starts_with(dir)) {
        return Err(RiskError::file(out, "is in the folder of the model; give --out another folder"));
    }
    Ok(())
}

/// Says which inputs the file does not have.
fn lacking(model: &Model, table: &RawTable) {
    let lacks = |required: bool| {
        let inputs = model.features().iter().filter(|f| f.source == Source::Column && f.required == required);
        let names: Vec<&str> =
            inputs.map(|f| f.name.as_str()).filter(|name| table.find(name).is_none()).collect();
        names.join(", ")
    };
    let (required, others) = (lacks(true), lacks(false));
    if !required.is_empty() {
        eprintln!(
            "the file lacks columns {required} that the model requires: no row would be scored; risk is filled all the same"
        );
    }
    if !others.is_empty() {
        eprintln!("the file lacks columns {others}: they count as missing in every row");
    }
}

fn text(
    model: &Model,
    scored: &[Scored],
    names: &[String],
    explain: Option<f64>,
) -> Result<Vec<u8>, RiskError> {
    let broken = |e: csv::Error| RiskError::Flags(format!("the predictions cannot be written as CSV: {e}"));
    let mut writer = csv::Writer::from_writer(Vec::new());
    let mut header = vec!["row".to_owned(), "abstain".to_owned()];
    for part in ["risk", "low", "high"] {
        header.extend(names.iter().map(|name| format!("{part}{name}")));
    }
    if explain.is_some() {
        header.extend(["reference".to_owned(), "reasons".to_owned()]);
    }
    writer.write_record(&header).map_err(broken)?;
    for (row, scored) in scored.iter().enumerate() {
        let mut record = vec![row.to_string()];
        record.push(scored.abstain.as_ref().map_or_else(String::new, |why| why.sentence("en")));
        record.extend(scored.estimates.iter().map(|e| e.risk.to_string()));
        record.extend(scored.estimates.iter().map(|e| e.low.to_string()));
        record.extend(scored.estimates.iter().map(|e| e.high.to_string()));
        if let Some(horizon) = explain {
            let (reasons, reference) =
                model.explain(&scored.values, horizon).map_err(tend_risk::EvaluateError::from)?;
            record.push(reference.to_string());
            record.push(sentence(&reasons));
        }
        writer.write_record(&record).map_err(broken)?;
    }
    writer
        .into_inner()
        .map_err(|e| RiskError::Flags(format!("the predictions cannot be written as CSV: {e}")))
}

/// "Age: 85 years (reference 65 years) +0.2113; …"
fn sentence(reasons: &[Reason]) -> String {
    let each = reasons
        .iter()
        .map(|r| format!("{}: {} (reference {}) {:+.6}", r.label.en, r.value.en, r.reference.en, r.log_odds));
    each.collect::<Vec<_>>().join("; ")
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), RiskError> {
    let failed = |e: std::io::Error| RiskError::file(path, format!("cannot be written: {e}"));
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    let beside = PathBuf::from(name);
    fs::write(&beside, bytes).map_err(failed)?;
    fs::rename(&beside, path).map_err(failed)
}
