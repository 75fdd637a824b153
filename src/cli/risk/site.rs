//! `tend risk landmarks` and `tend risk outcomes`: a site's histories out as training rows, and what became of patients in.

use std::fmt::Display;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use jiff::civil::Date;
use tend_engine::SiteId;

use super::RiskError;
use crate::{
    app::{
        App,
        score::outcome::{Became, LINES_MAX, OutcomeLine},
    },
    cli::clock::{FreshIds, SystemClock},
    store::{Open, Store, Vault},
};

/// Where the histories are.
#[derive(Debug, Args)]
struct Place {
    /// `sqlite://path` or `postgres://user@host/name`.
    #[arg(long, env = "DATABASE_URL", default_value = "sqlite://tend.db", hide_env_values = true)]
    database_url: String,
    /// Site, by id; needed only where there are several.
    #[arg(long)]
    site: Option<String>,
}

/// Arguments of `tend risk landmarks`.
#[derive(Debug, Args)]
pub(super) struct LandmarksArgs {
    #[command(flatten)]
    place: Place,
    /// CSV file to write; an older one is replaced.
    #[arg(long, value_name = "FILE.csv")]
    out: PathBuf,
}

/// Arguments of `tend risk outcomes`.
#[derive(Debug, Args)]
pub(super) struct OutcomesArgs {
    /// CSV file with the columns system, number, discharge, readmitted (0 or 1) and day (of the admission).
    data: PathBuf,
    #[command(flatten)]
    place: Place,
}

/// Writes a row for every decision day of every follow-up whose outcome is known.
pub(super) fn landmarks(args: &LandmarksArgs) -> Result<ExitCode, RiskError> {
    let table = run(async {
        let (app, site) = open(&args.place).await?;
        app.landmarks(site).await.map_err(said)
    })?;
    let written = |e: csv::Error| RiskError::file(&args.out, e);
    let beside = args.out.with_extension("new");
    let mut writer = csv::Writer::from_path(&beside).map_err(written)?;
    writer.write_record(&table.header).map_err(written)?;
    table.rows.iter().try_for_each(|row| writer.write_record(row)).map_err(written)?;
    writer.flush().map_err(|e| RiskError::file(&args.out, e))?;
    std::fs::rename(&beside, &args.out).map_err(|e| RiskError::file(&args.out, e))?;
    say!("{} rows of {} follow-ups in {}", table.rows.len(), table.follow_ups, args.out.display());
    say!(
        // Without --order: the rows hold their past already, and those of two follow-ups of a patient may lie in between.
        "train on them with: tend risk train {} --id patient --drop enrollment,time,event --label readmit30 --out DIR",
        args.out.display()
    );
    Ok(ExitCode::SUCCESS)
}

/// Reads what became of patients.
pub(super) fn outcomes(args: &OutcomesArgs) -> Result<ExitCode, RiskError> {
    let lines = lines(&args.data)?;
    let listed = run(async {
        let (app, site) = open(&args.place).await?;
        app.import_outcomes(site, &lines).await.map_err(said)
    })?;
    say!("{} outcomes written", listed.written);
    for (line, why) in &listed.refused {
        eprintln!("line {}: {why}", line + 1);
    }
    Ok(if listed.refused.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn lines(path: &std::path::Path) -> Result<Vec<OutcomeLine>, RiskError> {
    let mut reader = csv::Reader::from_path(path).map_err(|e| RiskError::file(path, e))?;
    let header = reader.headers().map_err(|e| RiskError::file(path, e))?.clone();
    let column = |name: &str| {
        header.iter().position(|other| other.trim() == name).ok_or_else(|| {
            RiskError::file(
                path,
                format!("has no column \"{name}\": it needs system, number, discharge, readmitted, day"),
            )
        })
    };
    let at =
        [column("system")?, column("number")?, column("discharge")?, column("readmitted")?, column("day")?];
    let mut lines = Vec::new();
    for (row, record) in reader.records().enumerate() {
        let record = record.map_err(|e| RiskError::file(path, e))?;
        let cell = |i: usize| record.get(at[i]).unwrap_or_default().trim();
        let wrong = |what: &str| RiskError::file(path, format!("line {}: {what}", row + 2));
        let date = |text: &str| {
            text.parse::<Date>().map_err(|_| wrong(&format!("\"{text}\" is no date: write 2026-03-31")))
        };
        let became = match (cell(3), cell(4)) {
            ("1", "") => {
                return Err(wrong("readmitted is 1 and day is empty: write the day of the admission"));
            }
            ("1", day) => Became::Admitted(date(day)?),
            ("0", "") => Became::NotAdmitted,
            ("0", day) => {
                return Err(wrong(&format!(
                    "readmitted is 0 and day is {day}: leave the day empty, or write 1"
                )));
            }
            (other, _) => return Err(wrong(&format!("\"{other}\" in readmitted is neither 1 nor 0"))),
        };
        lines.push(OutcomeLine {
            system: cell(0).to_owned(),
            value: cell(1).to_owned(),
            discharge: date(cell(2))?,
            became,
        });
        if lines.len() > LINES_MAX {
            return Err(RiskError::file(path, format!("has more than {LINES_MAX} lines: split it")));
        }
    }
    Ok(lines)
}

fn run<T>(work: impl Future<Output = Result<T, RiskError>>) -> Result<T, RiskError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(said)?;
    runtime.block_on(work)
}

fn said(error: impl Display) -> RiskError {
    RiskError::Flags(error.to_string())
}

async fn open(place: &Place) -> Result<(App, SiteId), RiskError> {
    // Nothing that is sealed is opened.
    let store = Store::open(&place.database_url, Vault::new(&[0; 32]), Open::Beside).await.map_err(said)?;
    let app = App::new(store, Arc::new(SystemClock), Arc::new(SystemClock), Arc::new(FreshIds));
    app.refresh().await.map_err(said)?;
    let known: Vec<SiteId> = app.live().sites.keys().copied().collect();
    let site = match (&place.site, known.as_slice()) {
        (Some(id), _) => {
            let id = SiteId::parse(id)
                .map_err(|_| RiskError::Flags(format!("\"{id}\" is not the id of a site")))?;
            known
                .contains(&id)
                .then_some(id)
                .ok_or_else(|| RiskError::Flags(format!("there is no site {id}")))?
        }
        (None, [one]) => *one,
        (None, []) => return Err(RiskError::Flags("there is no site in this database".to_owned())),
        (None, _) => {
            let ids: Vec<String> = known.iter().map(ToString::to_string).collect();
            return Err(RiskError::Flags(format!(
                "there are several sites: name one with --site: {}",
                ids.join(", ")
            )));
        }
    };
    Ok((app, site))
}
