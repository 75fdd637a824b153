//! The nurse's first page: fifty rows, filters and counts, over eight connections. Beside it a route without session, store
//! or middleware that returns constant bytes from a server of the same kind in the same process.

use std::{
    net::{SocketAddr, TcpListener},
    process::ExitCode,
    sync::Arc,
    time::{Duration, Instant},
};

use actix_web::{HttpResponse, HttpServer, dev::ServerHandle, web as routes, web::Data};
use clap::Args;
use tend_engine::{StaffId, model::Role};

use super::{
    BenchError,
    bare_sqlite::page_cache_mb,
    browsers::{Seen, browse},
    ground::{self, Ground, SITE},
    report::{Figure, Report},
    seed, tasks,
};
use crate::{
    app::sign_in::{SignIn, hash_password},
    cli::serve::{Alive, WEB_THREADS},
    jobs::{self, Roles},
    ports::Clock,
    store::NewStaff,
    web::{Settings, Web, server, staff::session::COOKIE},
};

/// How long each figure is measured.
const LENGTH: Duration = Duration::from_secs(6);
/// How long before it the same is asked for without measuring.
const WARM_UP: Duration = Duration::from_secs(2);
/// Bytes of the constant answer.
const CONSTANT: usize = 20_000;
/// Steps that are due while pages are asked for.
const DUE: u64 = 60_000;
/// What the page may weigh before compression, in bytes.
const PAGE_BYTES_MAX: f64 = 20_000.0;

/// What pages and workers in one process may hold beside the database's page cache, in MB.
const MEMORY_MB_MAX: f64 = 120.0;

/// `tend bench worklist`
#[derive(Debug, Args)]
pub struct WorklistArgs {
    /// A database of its own, `sqlite://FILE` or `postgres://…`, empty; by default a file in the temporary folder.
    #[arg(long)]
    db: Option<String>,
    /// Enrolled patients.
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(20_000..=10_000_000))]
    patients: u64,
    /// Open tasks among them.
    #[arg(long, default_value_t = 20_000, value_parser = clap::value_parser!(u64).range(1_000..=1_000_000))]
    tasks: u64,
    /// Print one JSON document.
    #[arg(long)]
    json: bool,
}

/// Runs it.
///
/// # Errors
/// [`BenchError`].
pub async fn run(args: WorklistArgs) -> Result<ExitCode, BenchError> {
    if args.tasks > args.patients {
        return Err(BenchError("--tasks: at most one a patient, so no more than --patients".into()));
    }
    let (url, file) = ground::database(args.db.as_deref(), "worklist");
    let report = measure(&url, &args).await;
    if let Some(file) = file {
        ground::remove(&file);
    }
    report?.print(args.json);
    Ok(ExitCode::SUCCESS)
}

async fn measure(url: &str, args: &WorklistArgs) -> Result<Report, BenchError> {
    let ground = Ground::prepare(url).await?;
    let cookie = sign_in(&ground).await?;
    let desk = Desk::open(&ground)?;
    let measured = figures(&ground, &desk, &cookie, args).await;
    desk.close().await;
    measured
}

async fn figures(
    ground: &Ground,
    desk: &Desk,
    cookie: &str,
    args: &WorklistArgs,
) -> Result<Report, BenchError> {
    let (store, now) = (&ground.app.store, ground.clock.now());
    // A tenth first: what grows with the tables shows in the difference.
    let (small, large) = ((1, args.patients / 10 + 1), (args.patients / 10 + 1, args.patients + 1));
    seed::copy(store, ground.original, small.0, small.1).await?;
    tasks::open(store, SITE, now, args.tasks / 10, small).await?;
    seed::settle(store).await?;
    let first = desk.page(cookie).await?;
    seed::copy(store, ground.original, large.0, large.1).await?;
    tasks::open(store, SITE, now, args.tasks - args.tasks / 10, large).await?;
    seed::settle(store).await?;
    let constant = desk.constant(cookie).await?;
    let page = desk.page(cookie).await?;
    let (busy, steps) = while_steps_run(ground, desk, cookie, large).await?;
    let allowed = (3.0 * constant.quantile(0.99)).max(3.0);
    let mut report = Report::default();
    let limit = "3 x constant 20 kB, or 3 ms";
    report.results.push(Figure::lower("worklist, p99", "ms", page.quantile(0.99), limit, allowed));
    let tenth = first.quantile(0.5);
    let name = "p50 at a tenth of the patients, x 1.3";
    report.results.push(Figure::lower("worklist, p50", "ms", page.quantile(0.5), name, tenth * 1.3));
    let allowed = page.quantile(0.99) * 3.0 + 4.0;
    let name = "3 x its idle p99 + 4 ms";
    report.results.push(Figure::lower(
        "worklist while steps run, p99",
        "ms",
        busy.quantile(0.99),
        name,
        allowed,
    ));
    report.results.push(Figure::higher("steps meanwhile", "per s", steps, "itself", steps));
    let rate = |seen: &Seen| seen.count() as f64 / LENGTH.as_secs_f64();
    report.results.push(Figure::higher(
        "worklist",
        "pages/s",
        rate(&page),
        "constant 20 kB",
        rate(&constant),
    ));
    report.results.push(Figure::lower("worklist", "bytes", page.bytes as f64, "allowed", PAGE_BYTES_MAX));
    let memory = memory_mb()? - page_cache_mb();
    report.results.push(Figure::lower("memory without page cache", "MB", memory, "allowed", MEMORY_MB_MAX));
    report.results.push(Figure::lower(
        "page cache of SQLite",
        "MB",
        page_cache_mb(),
        "itself",
        page_cache_mb(),
    ));
    Ok(report)
}

/// Signs a nurse in and gives the cookie.
async fn sign_in(ground: &Ground) -> Result<String, BenchError> {
    let app = &ground.app;
    let mut tx = app.store.begin();
    let nurse = NewStaff {
        id: StaffId(app.ids.fresh()),
        login: "nurse".into(),
        name: "Bench Nurse".into(),
        password_hash: hash_password("bench").map_err(BenchError)?,
        account_roles: vec!["nurse"],
        duty_roles: vec![Role::Nurse],
        site: SITE,
    };
    tx.add_staff(&nurse, ground.clock.now()).await.map_err(BenchError::of)?;
    tx.commit().await.map_err(BenchError::of)?;
    match app.sign_in("nurse", "bench", "127.0.0.1").await.map_err(BenchError::of)? {
        SignIn::Welcome { token, .. } => Ok(format!("{COOKIE}={token}")),
        SignIn::Wrong | SignIn::Limited { .. } => {
            Err(BenchError("the nurse of the bench cannot sign in".into()))
        }
    }
}

/// The page while due patients are advanced as fast as they can be, and how many a second were.
async fn while_steps_run(
    ground: &Ground,
    desk: &Desk,
    cookie: &str,
    range: (u64, u64),
) -> Result<(Seen, f64), BenchError> {
    let due = ground.original.due;
    ground.clock.stand_at(due);
    let every = ((range.1 - range.0) / DUE).max(1);
    seed::wake(&ground.app.store, due, range, every, 0).await?;
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let shutdown = async {
        // A dropped sender says the same.
        let _ = stopped.await;
    };
    // The product's own workers; there is no carrier, so that steps alone are the load.
    let working = tokio::spawn(jobs::run(ground.app.clone(), Vec::new(), Roles::default(), shutdown));
    let (begin, before) = (Instant::now(), still_due(ground).await?);
    let seen = browse(desk.pages, &paths(), cookie, LENGTH).await?;
    let (length, after) = (begin.elapsed(), still_due(ground).await?);
    drop(stop);
    working.await.map_err(BenchError::of)?;
    if after == 0 {
        return Err(BenchError(
            "the steps were done before the pages were measured: give more --patients".into(),
        ));
    }
    Ok((seen, (before - after) as f64 / length.as_secs_f64()))
}

async fn still_due(ground: &Ground) -> Result<usize, BenchError> {
    let due = ground.app.store.due(ground.clock.now(), DUE * 2).await.map_err(BenchError::of)?;
    Ok(due.len())
}

/// The first page, as it opens and with each of its filters.
fn paths() -> Vec<String> {
    ["", "?level=amber", "?level=red", "?role=all", "?workflow=hf-discharge-90d", "?taken=me"]
        .iter()
        .map(|filter| format!("/worklist{filter}"))
        .collect()
}

/// Both servers.
struct Desk {
    pages: SocketAddr,
    bare: SocketAddr,
    handles: [ServerHandle; 2],
}

impl Desk {
    fn open(ground: &Ground) -> Result<Self, BenchError> {
        let app = ground.app.clone();
        let web = Data::new(Web::new(Settings::default(), app.clone(), Arc::new(Alive(app))));
        let listener = free_port()?;
        let pages = listener.local_addr().map_err(BenchError::of)?;
        let serving = server::serve(listener, web, WEB_THREADS).map_err(BenchError::of)?;
        let bare_listener = free_port()?;
        let bare = bare_listener.local_addr().map_err(BenchError::of)?;
        let constant = HttpServer::new(|| {
            actix_web::App::new()
                .route("/", routes::get().to(async || HttpResponse::Ok().body(vec![b'x'; CONSTANT])))
        })
        .workers(WEB_THREADS)
        .disable_signals()
        .listen(bare_listener)
        .map_err(BenchError::of)?
        .run();
        let handles = [serving.handle(), constant.handle()];
        tokio::spawn(serving);
        tokio::spawn(constant);
        Ok(Self { pages, bare, handles })
    }

    async fn page(&self, cookie: &str) -> Result<Seen, BenchError> {
        browse(self.pages, &paths(), cookie, WARM_UP).await?;
        browse(self.pages, &paths(), cookie, LENGTH).await
    }

    async fn constant(&self, cookie: &str) -> Result<Seen, BenchError> {
        browse(self.bare, &["/".to_owned()], cookie, WARM_UP).await?;
        browse(self.bare, &["/".to_owned()], cookie, LENGTH).await
    }

    async fn close(self) {
        for handle in self.handles {
            handle.stop(false).await;
        }
    }
}

/// What this process holds in memory, in MB: pages, workers and the eight clients of the bench.
fn memory_mb() -> Result<f64, BenchError> {
    let status = std::fs::read_to_string("/proc/self/status").map_err(BenchError::of)?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse::<f64>().ok());
    kilobytes.map(|kb| kb / 1_000.0).ok_or_else(|| BenchError("/proc/self/status names no VmRSS".into()))
}

fn free_port() -> Result<TcpListener, BenchError> {
    server::listen("127.0.0.1:0", false).map_err(BenchError::of)
}
