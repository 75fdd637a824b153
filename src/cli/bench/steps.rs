//! One step = claim the due row, decide, arrange, write the facts, the message row, the audit row, the tasks and the next
//! wake-up, durably. Beside it a bare loop writes the same rows, a hundred steps a transaction, into the same tables.

use std::{
    process::ExitCode,
    sync::Arc,
    time::{Duration, Instant},
};

use clap::Args;
use jiff::SignedDuration;
use tend_engine::PatientId;

use super::{
    BenchError,
    bare::{Bare, Group},
    ground::{self, Ground},
    report::{Figure, Report, median},
    seed::{self, Original},
};
use crate::{
    app::{App, record::decide},
    cli::clock::{FreshIds, MovedClock},
    ports::Clock,
    store::{AuditLine, Batch, Busy, GROUP_MAX},
};

/// Patients that are due in each measurement.
const DUE: u64 = 10_000;
/// The two writers alternate in slices of so many steps.
const SLICE: usize = 1_000;
/// How often the selection of the due rows is timed.
const SELECTS: u32 = 9;
/// Where growth is counted from.
const SMALL: u64 = 20_000;
/// Single steps on an idle system.
const SINGLES: usize = 200;
/// What a quiet disk gives: below half of it the machine is busy.
const QUIET_SQLITE: f64 = 8_500.0;
const QUIET_POSTGRES: f64 = 14_600.0;

/// `tend bench steps`
#[derive(Debug, Args)]
pub struct StepsArgs {
    /// A database of its own, `sqlite://FILE` or `postgres://…`, empty; by default a file in the temporary folder.
    #[arg(long)]
    db: Option<String>,
    /// Enrolled patients.
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(20_000..=10_000_000))]
    patients: u64,
    /// Print one JSON document.
    #[arg(long)]
    json: bool,
}

/// One size of the tables.
#[derive(Debug, Clone, Copy)]
struct Measured {
    tend_seconds: f64,
    bare_seconds: f64,
    select_seconds: f64,
}

struct Bench {
    app: Arc<App>,
    clock: Arc<MovedClock>,
    bare: Bare,
    original: Original,
}

/// Runs it.
///
/// # Errors
/// [`BenchError`].
pub async fn run(args: StepsArgs) -> Result<ExitCode, BenchError> {
    let (url, file) = ground::database(args.db.as_deref(), "steps");
    let report = measure(&url, args.patients).await;
    if let Some(file) = file {
        ground::remove(&file);
    }
    report?.print(args.json);
    Ok(ExitCode::SUCCESS)
}

async fn measure(url: &str, patients: u64) -> Result<Report, BenchError> {
    let mut bench = Bench::start(url).await?;
    let mut report = Report::default();
    let flushes = bench.bare.flushes_per_second().await?;
    eprintln!("{flushes:.0} flushes a second on this disk");
    seed::copy(&bench.app.store, bench.original, 1, SMALL + 1).await?;
    let small = bench.size((1, SMALL + 1)).await?;
    let large = if patients > SMALL {
        seed::copy(&bench.app.store, bench.original, SMALL + 1, patients + 1).await?;
        bench.size((SMALL + 1, patients + 1)).await?
    } else {
        small
    };
    bench.warn(large);
    let rate = |seconds: f64| DUE as f64 / seconds;
    let (steps, bare) = (rate(large.tend_seconds), rate(large.bare_seconds));
    report.results.push(Figure::higher("flushes", "per s", flushes, "the disk itself", flushes));
    report.results.push(Figure::higher(
        "steps",
        "per s",
        steps,
        "bare loop, same rows, 100 a transaction",
        bare,
    ));
    let (one, bare_one) = bench.singles((1, SMALL + 1)).await?;
    let allowed = bare_one * 3.0 + 1.0;
    report.results.push(Figure::lower(
        "single step, median",
        "ms",
        one,
        "3 x bare transaction + 1 ms",
        allowed,
    ));
    report.results.push(Figure::lower("bare single step, median", "ms", bare_one, "itself", bare_one));
    let growth = large.tend_seconds / small.tend_seconds;
    let bare_growth = large.bare_seconds / small.bare_seconds;
    report.results.push(Figure::lower(
        "growth of the tick",
        "x",
        growth,
        "growth of the bare loop",
        bare_growth,
    ));
    let select = large.select_seconds / small.select_seconds;
    report.results.push(Figure::lower("growth of selecting", "x", select, "allowed", 1.3));
    Ok(report)
}

impl Bench {
    async fn start(url: &str) -> Result<Self, BenchError> {
        let Ground { app, clock, original } = Ground::prepare(url, SignedDuration::ZERO).await?;
        let bare = Bare::open(&app.store, url).await?;
        Ok(Self { app, clock, bare, original })
    }

    /// Measures with [`DUE`] steps of each writer among the patients numbered so, in slices that alternate, so that both
    /// meet the same noise.
    async fn size(&mut self, range: (u64, u64)) -> Result<Measured, BenchError> {
        let due = self.original.due;
        let every = (range.1 - range.0) / DUE;
        self.clock.stand_at(due);
        // The bare loop's rows are worked out beforehand and not timed; its patients are others, between the due ones.
        let beside: Vec<PatientId> = (0..DUE).map(|n| seed::id(range.0 + every / 2 + n * every)).collect();
        let groups = self.groups(&beside).await?;
        seed::wake(&self.app.store, due, range, every, 0).await?;
        seed::settle(&self.app.store).await?;
        let mut selects = Vec::new();
        for _ in 0..SELECTS {
            let begin = Instant::now();
            self.due(DUE).await?;
            selects.push(begin.elapsed().as_secs_f64());
        }
        let (mut tend_seconds, mut bare_seconds) = (0.0, 0.0);
        for slice in groups.chunks(SLICE / GROUP_MAX) {
            bare_seconds += seconds(&self.bare.write(slice, due.as_microsecond()).await?);
            let begin = Instant::now();
            let ids = self.due(SLICE as u64).await?;
            let ticked = self.app.advance(&ids).await.map_err(BenchError::of)?;
            tend_seconds += begin.elapsed().as_secs_f64();
            if ticked.advanced != SLICE || ticked.quarantined > 0 {
                return Err(BenchError(format!("{SLICE} were due, but {ticked:?}")));
            }
        }
        Ok(Measured { tend_seconds, bare_seconds, select_seconds: median(selects) })
    }

    async fn due(&self, limit: u64) -> Result<Vec<PatientId>, BenchError> {
        self.app.store.due(self.original.due, limit).await.map_err(BenchError::of)
    }

    /// The rows that steps of these patients would write, group by group.
    async fn groups(&self, patients: &[PatientId]) -> Result<Vec<Group>, BenchError> {
        let mut groups = Vec::new();
        for ids in patients.chunks(GROUP_MAX) {
            groups.push(Group { rows: self.rows(ids).await?.into_plain() });
        }
        Ok(groups)
    }

    async fn rows(&self, ids: &[PatientId]) -> Result<Batch, BenchError> {
        let live = self.app.live();
        let now = self.clock.now();
        let mut tx = self.app.store.begin();
        let mut batch = Batch::default();
        for mut patient in tx.lock(ids, Busy::Skip).await.map_err(BenchError::of)? {
            let advanced = decide(&live, &mut patient, Vec::new(), now).map_err(BenchError::of)?;
            batch.advance(&live.library, &FreshIds, &patient, &advanced);
            batch.audit(&FreshIds, now, audit(patient.id, advanced.entries.len()));
        }
        tx.rollback().await.map_err(BenchError::of)?;
        Ok(batch)
    }

    /// A step that comes due on an idle system, and a bare transaction of one step, in milliseconds.
    async fn singles(&mut self, range: (u64, u64)) -> Result<(f64, f64), BenchError> {
        // One more day, so that the same patients have something to do again.
        let due = self.original.due + SignedDuration::from_hours(24);
        self.original.due = due;
        self.clock.stand_at(due);
        seed::wake(&self.app.store, due, range, (range.1 - range.0) / (2 * SINGLES as u64), 0).await?;
        let all = self.due(DUE).await?;
        let (mut mine, mut theirs) = (Vec::new(), Vec::new());
        for pair in all.chunks_exact(2) {
            theirs.push(pair[0]);
            mine.push(Group { rows: self.rows(&pair[1..]).await?.into_plain() });
        }
        let (mut ours, mut bare) = (Vec::new(), Vec::new());
        for (patient, group) in theirs.iter().zip(&mine) {
            let begin = Instant::now();
            self.app.advance(&[*patient]).await.map_err(BenchError::of)?;
            ours.push(begin.elapsed().as_secs_f64() * 1_000.0);
            let took = self.bare.write(std::slice::from_ref(group), due.as_microsecond()).await?;
            bare.push(seconds(&took) * 1_000.0);
        }
        Ok((median(ours), median(bare)))
    }

    fn warn(&self, measured: Measured) {
        let quiet = if self.app.store.is_postgres() { QUIET_POSTGRES } else { QUIET_SQLITE };
        let bare = DUE as f64 / measured.bare_seconds;
        if bare < quiet / 2.0 {
            eprintln!(
                "warning: the bare loop writes {bare:.0} steps/s, far below the {quiet:.0} of a quiet machine: \
                 the disk or the processors are busy, and the figures say little"
            );
        }
    }
}

fn seconds(took: &[Duration]) -> f64 {
    took.iter().sum::<Duration>().as_secs_f64()
}

fn audit(patient: PatientId, entries: usize) -> AuditLine {
    AuditLine {
        actor: "system".into(),
        action: "advance",
        patient: Some(patient),
        subject: "patient".into(),
        detail: format!("{{\"entries\":{entries}}}"),
    }
}
