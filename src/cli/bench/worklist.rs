//! The nurse's first page: fifty rows, filters and counts, over eight connections to `tend serve` in a process of its own.
//! Beside it a route without session, store or middleware that returns constant bytes from a server of the same kind.

use std::{
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::PathBuf,
    process::{Child, Command, ExitCode, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use actix_web::{HttpResponse, HttpServer, dev::ServerHandle, web};
use clap::Args;
use jiff::SignedDuration;
use tend_engine::{StaffId, model::Role};

use super::{
    BenchError,
    browsers::{Seen, browse},
    ground::{self, Ground, KEY, SITE},
    report::{Figure, Report},
    seed, tasks,
};
use crate::{
    app::{
        App,
        sign_in::{SignIn, hash_password},
    },
    cli::{
        clock::{FreshIds, SystemClock},
        serve::WEB_THREADS,
    },
    ports::Clock,
    store::{NewStaff, Open, SQLITE_CACHE_KIB, Store, Vault},
    web::{server, staff::session::COOKIE},
};

/// The patients were enrolled so long ago, so that their next step is due now.
const AGO: SignedDuration = SignedDuration::from_hours(72);
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
    let mut ground = Ground::prepare(url, AGO).await?;
    let cookie = sign_in(&ground).await?;
    let bare = Bare::open()?;
    // A tenth first: what grows with the tables shows in the difference.
    let (small, large) = ((1, args.patients / 10 + 1), (args.patients / 10 + 1, args.patients + 1));
    fill(&ground, args.tasks / 10, small).await?;
    let (store, served) = Served::start(ground.app, url).await?;
    let first = served.page(&cookie).await?;
    served.stop();
    ground.app = store;
    fill(&ground, args.tasks - args.tasks / 10, large).await?;
    let constant = bare.constant(&cookie).await?;
    let (store, served) = Served::start(ground.app, url).await?;
    ground.app = store;
    let page = served.page(&cookie).await?;
    let (busy, steps) = while_steps_run(&ground, &served, &cookie, large).await?;
    let memory = served.memory_mb()?;
    served.stop();
    bare.handle.stop(false).await;
    Ok(report(&Measured { first, page, constant, busy, steps, memory }))
}

/// What was measured.
struct Measured {
    first: Seen,
    page: Seen,
    constant: Seen,
    busy: Seen,
    steps: f64,
    memory: f64,
}

fn report(measured: &Measured) -> Report {
    let Measured { first, page, constant, busy, steps, memory } = measured;
    let mut report = Report::default();
    let mut lower = |name: &str, unit, figure, limit_name: &str, limit| {
        report.results.push(Figure::lower(name, unit, figure, limit_name, limit));
    };
    let p99 = page.quantile(0.99);
    lower(
        "worklist, p99",
        "ms",
        p99,
        "3 x constant 20 kB, or 3 ms",
        (3.0 * constant.quantile(0.99)).max(3.0),
    );
    let name = "1.3 x p50 at a tenth of the patients";
    lower("worklist, p50", "ms", page.quantile(0.5), name, first.quantile(0.5) * 1.3);
    let name = "3 x its idle p99 + 4 ms";
    lower("while steps run, p99", "ms", busy.quantile(0.99), name, p99 * 3.0 + 4.0);
    lower("worklist", "bytes", page.bytes as f64, "allowed", PAGE_BYTES_MAX);
    let cache = f64::from(SQLITE_CACHE_KIB) * 1.024 / 1_000.0;
    let name = format!("120 MB + page cache of {cache:.0} MB");
    lower("memory of tend serve", "MB", *memory, &name, MEMORY_MB_MAX + cache);
    let rate = |seen: &Seen| seen.count() as f64 / LENGTH.as_secs_f64();
    report.results.push(Figure::higher("steps meanwhile", "per s", *steps, "itself", *steps));
    report.results.push(Figure::higher("worklist", "pages/s", rate(page), "constant 20 kB", rate(constant)));
    report
}

/// Enrols the patients numbered so and opens tasks for some of them.
async fn fill(ground: &Ground, tasks: u64, range: (u64, u64)) -> Result<(), BenchError> {
    let store = &ground.app.store;
    seed::copy(store, ground.original, range.0, range.1).await?;
    tasks::open(store, SITE, ground.clock.now(), tasks, range).await?;
    seed::settle(store).await
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

/// The page while the server advances due patients as fast as it can, and how many a second it did.
async fn while_steps_run(
    ground: &Ground,
    served: &Served,
    cookie: &str,
    range: (u64, u64),
) -> Result<(Seen, f64), BenchError> {
    let store = &ground.app.store;
    let every = ((range.1 - range.0) / DUE).max(1);
    seed::wake(store, ground.original.due, range, every, 0).await?;
    let still_due = async || store.due(SystemClock.now(), 2 * DUE).await.map_err(BenchError::of);
    let all = still_due().await?.len();
    while still_due().await?.len() == all {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let (begin, before) = (Instant::now(), still_due().await?.len());
    let seen = browse(served.address, &paths(), cookie, LENGTH).await?;
    let (length, after) = (begin.elapsed(), still_due().await?.len());
    if after == 0 {
        return Err(BenchError(
            "the steps were done before the pages were measured: give more --patients".into(),
        ));
    }
    Ok((seen, (before - after) as f64 / length.as_secs_f64()))
}

/// The first page, as it opens and with each of its filters.
fn paths() -> Vec<String> {
    ["", "?level=amber", "?level=red", "?role=all", "?workflow=hf-discharge-90d", "?taken=me"]
        .iter()
        .map(|filter| format!("/worklist{filter}"))
        .collect()
}

/// `tend serve` in a process of its own.
struct Served {
    process: Child,
    address: SocketAddr,
    key: PathBuf,
}

impl Served {
    /// Gives the database over to a server: this process then stands beside it.
    async fn start(app: Arc<App>, url: &str) -> Result<(Arc<App>, Self), BenchError> {
        let (clock, ids) = (Arc::new(SystemClock), Arc::new(FreshIds));
        let own = Arc::into_inner(app).ok_or_else(|| BenchError("the database is still in use".into()))?;
        own.store.close().await.map_err(BenchError::of)?;
        let key = std::env::temp_dir().join(format!("tend-bench-{}.key", std::process::id()));
        std::fs::write(&key, KEY.iter().map(|byte| format!("{byte:02x}")).collect::<String>())
            .map_err(BenchError::of)?;
        let mut process = Command::new(std::env::current_exe().map_err(BenchError::of)?)
            .arg("serve")
            .env("DATABASE_URL", url)
            .env("TEND_SITE_KEY_FILE", &key)
            .env("TEND_LISTEN", "127.0.0.1:0")
            .stdout(Stdio::piped())
            .spawn()
            .map_err(BenchError::of)?;
        let out = process.stdout.take().ok_or_else(|| BenchError("the server has no output".into()))?;
        let address = BufReader::new(out).lines().map_while(Result::ok).find_map(|line| {
            line.strip_prefix("listening on http://").and_then(|address| address.parse().ok())
        });
        let address = address.ok_or_else(|| BenchError("the server did not start".into()))?;
        let store = Store::open(url, Vault::new(&KEY), Open::Beside).await.map_err(BenchError::of)?;
        Ok((Arc::new(App::new(store, clock.clone(), clock, ids)), Self { process, address, key }))
    }

    async fn page(&self, cookie: &str) -> Result<Seen, BenchError> {
        browse(self.address, &paths(), cookie, WARM_UP).await?;
        browse(self.address, &paths(), cookie, LENGTH).await
    }

    /// What the process holds of its own, in MB: its page cache among it, files that it maps not.
    fn memory_mb(&self) -> Result<f64, BenchError> {
        let file = format!("/proc/{}/status", self.process.id());
        let status = std::fs::read_to_string(&file).map_err(BenchError::of)?;
        let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"));
        let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse::<f64>().ok());
        kilobytes.map(|kb| kb * 1.024 / 1_000.0).ok_or_else(|| BenchError(format!("{file} names no RssAnon")))
    }

    fn stop(mut self) {
        // One that ended already has said why.
        let _ = self.process.kill();
        let _ = self.process.wait();
        // What is not there needs no removing.
        let _ = std::fs::remove_file(&self.key);
    }
}

/// A server of the same kind with a route that returns constant bytes.
struct Bare {
    address: SocketAddr,
    handle: ServerHandle,
}

impl Bare {
    fn open() -> Result<Self, BenchError> {
        let listener = server::listen("127.0.0.1:0", false).map_err(BenchError::of)?;
        let address = listener.local_addr().map_err(BenchError::of)?;
        let constant = || async { HttpResponse::Ok().body(vec![b'x'; CONSTANT]) };
        let server = HttpServer::new(move || actix_web::App::new().route("/", web::get().to(constant)))
            .workers(WEB_THREADS)
            .disable_signals()
            .listen(listener)
            .map_err(BenchError::of)?
            .run();
        let handle = server.handle();
        tokio::spawn(server);
        Ok(Self { address, handle })
    }

    async fn constant(&self, cookie: &str) -> Result<Seen, BenchError> {
        browse(self.address, &["/".to_owned()], cookie, WARM_UP).await?;
        browse(self.address, &["/".to_owned()], cookie, LENGTH).await
    }
}
