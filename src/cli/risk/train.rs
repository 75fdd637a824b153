//! `tend risk train`

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};
use std::{fs, io};

use clap::Args;
use tend_risk::{Fitted, Metric, ModelBytes, Options, RawTable, SchemaFile};
use tokio::signal::unix::{SignalKind, signal};

use super::{ColumnArgs, RiskError, data, folds};

/// Seed when none is given.
const SEED: u64 = 20_261_123;

/// Exit code of a training that was stopped by a signal.
const STOPPED: u8 = 130;

/// Arguments of `tend risk train`.
#[derive(Debug, Args)]
pub(super) struct TrainArgs {
    /// CSV file with a header, plain or gzip (.gz).
    data: PathBuf,
    #[command(flatten)]
    columns: ColumnArgs,
    /// Folder of the model; an older model in it is replaced when training succeeds.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// TOML file with words, units, ranges and which inputs are required.
    #[arg(long, value_name = "FILE")]
    schema: Option<PathBuf>,
    /// Horizons that the model reports by default.
    #[arg(long, value_name = "H,…", value_delimiter = ',')]
    horizons: Vec<String>,
    /// Columns that are used although they look as if they knew the outcome.
    #[arg(long, value_name = "COL,…", value_delimiter = ',')]
    allow_leak: Vec<String>,
    /// Seed of everything random.
    #[arg(long, default_value_t = SEED)]
    seed: u64,
}

pub(super) fn run(args: &TrainArgs) -> Result<ExitCode, RiskError> {
    check_out(&args.out)?;
    let data = data::read(&args.data)?;
    let roles = args.columns.roles()?;
    let schema = match &args.schema {
        Some(path) => {
            let text = fs::read_to_string(path).map_err(|e| RiskError::file(path, e))?;
            SchemaFile::parse(&text).map_err(|problem| RiskError::file(path, problem))?
        }
        None => SchemaFile::default(),
    };
    let (table, inner) = match (&args.columns.folds, args.columns.fold) {
        (Some(path), Some(k)) => {
            let folds = folds::read(path, &data.table, &roles.id)?;
            let (train, _) = folds::split(&folds, k)?;
            let inner: Vec<usize> = train.iter().map(|row| folds[*row]).collect();
            (data.table.select(&train), Some(inner).filter(|inner| several(inner)))
        }
        (Some(path), None) => {
            let folds = folds::read(path, &data.table, &roles.id)?;
            (data.table, Some(folds).filter(|folds| several(folds)))
        }
        (None, _) => (data.table, None),
    };
    let horizons = data::horizons(&args.horizons)?.into_iter().map(|(_, h)| h).collect();
    let options = Options {
        roles,
        schema,
        folds: inner,
        horizons,
        allow_leak: args.allow_leak.clone(),
        data_sha256: data.sha256,
        seed: args.seed,
    };
    let stop = Stop::on_signal()?;
    let fitted = fit(&table, &options, &stop).map_err(|e| e.in_file(&table))?;
    let card = tend_risk::card(&fitted.model);
    write(&args.out, &fitted.bytes, &card, &tend_risk::page(&fitted.model))?;
    report(&args.out, &fitted);
    if fitted.model.file().training.stopped_early {
        say!(
            "the training was stopped early: the model is whole, and has not learned all that it would have"
        );
        return Ok(ExitCode::from(STOPPED));
    }
    Ok(ExitCode::SUCCESS)
}

/// Whether there is more than one fold left to hold out inside.
fn several(folds: &[usize]) -> bool {
    folds.iter().any(|fold| *fold != folds[0])
}

fn fit(table: &RawTable, options: &Options, stop: &Stop) -> Result<Fitted, RiskError> {
    let mut bar = Bar::new();
    let fitted = tend_risk::fit(table, options, &mut |stage, share| {
        bar.show(stage, share);
        !stop.is_set()
    })?;
    bar.show("figures", 1.0);
    bar.end();
    let figures = fitted.figures(&options.schema.about.subgroups, options.seed);
    Ok(fitted.with_figures(figures)?)
}

/// Set by Ctrl-C or a request to end: the best so far is kept. The second one ends at once.
struct Stop(Arc<AtomicBool>);

impl Stop {
    #[expect(clippy::disallowed_methods, reason = "asked for twice: at once, and nothing is written yet")]
    fn on_signal() -> Result<Self, RiskError> {
        let failed = |e: io::Error| RiskError::Flags(format!("signals cannot be listened to: {e}"));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let (mut interrupt, mut terminate) = {
            let _guard = runtime.enter();
            (
                signal(SignalKind::interrupt()).map_err(failed)?,
                signal(SignalKind::terminate()).map_err(failed)?,
            )
        };
        let stop = Self(Arc::new(AtomicBool::new(false)));
        let flag = stop.0.clone();
        std::thread::spawn(move || {
            runtime.block_on(async move {
                loop {
                    tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} }
                    if flag.swap(true, Ordering::SeqCst) {
                        std::process::exit(i32::from(STOPPED));
                    }
                    eprintln!(
                        "\nstopping: what was learned so far becomes the model; once more ends without one"
                    );
                }
            });
        });
        Ok(stop)
    }

    fn is_set(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

fn report(out: &Path, fitted: &Fitted) {
    let file = fitted.model.file();
    let training = &file.training;
    say!("model {} in {}", file.version, out.display());
    say!("{} rows, {} patients, {} events", training.rows, training.ids, training.events);
    for line in &training.left_out {
        say!("left out {line}");
    }
    for line in &training.warnings {
        say!("look at {line}");
    }
    say!("figures on rows held out inside training, with 95 % intervals by patient:");
    print_metrics(&file.metric);
    for metric in &file.fold_metric {
        say!("  {:<34} {:>8.4}  ± {:.4} over the inner folds", metric.name, metric.mean, metric.sd);
    }
}

/// One line per figure.
pub(super) fn print_metrics(metrics: &[Metric]) {
    for metric in metrics {
        let name = match metric.horizon {
            Some(h) => format!("{} at {h}", metric.name),
            None => metric.name.clone(),
        };
        say!("  {name:<34} {:>8.4}  ({:.4} to {:.4})", metric.value, metric.low, metric.high);
    }
}

pub(super) fn check_out(out: &Path) -> Result<(), RiskError> {
    if out.is_dir() && !out.join("model.toml").exists() {
        let used = fs::read_dir(out).map_err(|e| RiskError::file(out, e))?.next().is_some();
        if used {
            return Err(RiskError::file(
                out,
                "is a folder with other files in it and no model; give a new folder",
            ));
        }
    }
    if out.is_file() {
        return Err(RiskError::file(out, "is a file; give a folder for the model"));
    }
    Ok(())
}

/// Writes the four files beside their places and then moves them in, so that a failure leaves the old model.
pub(super) fn write(out: &Path, bytes: &ModelBytes, card: &str, page: &str) -> Result<(), RiskError> {
    let failed = |path: &Path, e: io::Error| RiskError::file(path, format!("cannot be written: {e}"));
    fs::create_dir_all(out).map_err(|e| failed(out, e))?;
    let files: [(&str, &[u8]); 4] = [
        ("model.safetensors", &bytes.safetensors),
        ("card.md", card.as_bytes()),
        ("card.html", page.as_bytes()),
        ("model.toml", bytes.toml.as_bytes()),
    ];
    for (name, content) in files {
        let path = out.join(format!("{name}.new"));
        let mut file = fs::File::create(&path).map_err(|e| failed(&path, e))?;
        file.write_all(content).and_then(|()| file.sync_all()).map_err(|e| failed(&path, e))?;
    }
    for (name, _) in files {
        let path = out.join(name);
        fs::rename(out.join(format!("{name}.new")), &path).map_err(|e| failed(&path, e))?;
    }
    Ok(())
}

/// A progress bar on standard error: redrawn on a terminal, a line per stage elsewhere.
struct Bar {
    stage: String,
    percent: usize,
    terminal: bool,
}

impl Bar {
    fn new() -> Self {
        Self { stage: String::new(), percent: usize::MAX, terminal: io::stderr().is_terminal() }
    }

    fn show(&mut self, stage: &str, share: f64) {
        let percent = (share.clamp(0.0, 1.0) * 100.0) as usize;
        let new_stage = self.stage != stage;
        if !new_stage && self.percent == percent {
            return;
        }
        let old = self.percent;
        self.stage = stage.to_owned();
        self.percent = percent;
        if self.terminal {
            let filled = percent * 30 / 100;
            eprint!("\r{stage:<12} [{}{}] {percent:>3} %", "#".repeat(filled), " ".repeat(30 - filled));
        } else if new_stage || percent / 10 != old / 10 {
            eprintln!("{stage}: {percent} %");
        }
    }

    fn end(&self) {
        if self.terminal {
            eprintln!();
        }
    }
}
