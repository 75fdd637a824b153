//! `tend serve`: pages and workers in one process.

use std::{future::Future, net::TcpListener, process::ExitCode, sync::Arc, time::Duration};

use actix_web::web::Data;
use tracing::{debug, info, warn};

use super::{
    carriers::carriers,
    clock::{FreshIds, SystemClock},
};
use crate::{
    app::App,
    config::Config,
    jobs::{self, Roles, work::Work},
    ports::{Carrier, Pending},
    store::{Open, Store, Vault},
    web::{Probe, Settings, Web, server},
};

/// Threads that answer requests.
pub const WEB_THREADS: usize = 2;
/// How often it is looked whether another process has published or set anything.
const LIVE_LOOK: Duration = Duration::from_secs(1);

/// Serves pages and runs the background work.
#[derive(Debug, clap::Args)]
pub struct ServeArgs {
    #[command(flatten)]
    config: Config,
    /// What this process does.
    #[arg(long, value_delimiter = ',', default_value = "web,worker,ticker")]
    role: Vec<ProcessRole>,
}

/// What a process does. On SQLite one process does everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum ProcessRole {
    /// Answers requests.
    Web,
    /// Hands messages over.
    Worker,
    /// Advances patients who are due.
    Ticker,
}

/// What goes wrong while a server starts.
pub type ServeError = Box<dyn std::error::Error + Send + Sync>;

/// Runs until the process is told to stop.
#[must_use]
pub fn run(args: &ServeArgs) -> ExitCode {
    on_runtime(start(args))
}

/// Runs a future to its end on a runtime of its own, and says what went wrong.
pub fn on_runtime(work: impl Future<Output = Result<(), ServeError>>) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("cannot start: {error}");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(work) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn start(args: &ServeArgs) -> Result<(), ServeError> {
    let config = &args.config;
    let does = |role| args.role.contains(&role);
    let whole = does(ProcessRole::Web) && does(ProcessRole::Worker) && does(ProcessRole::Ticker);
    if !whole && config.database_url.starts_with("sqlite") {
        return Err("--role splits a process on PostgreSQL only: one process serves a SQLite file".into());
    }
    let key = config.site_key_file.as_deref().ok_or(
        "no site key: write 64 hexadecimal digits to a file and name it with --site-key-file or TEND_SITE_KEY_FILE",
    )?;
    let store = Store::open(&config.database_url, Vault::from_file(key, false)?, Open::Serve).await?;
    let (clock, ids) = (Arc::new(SystemClock), Arc::new(FreshIds));
    let app = App::new(store, clock.clone(), clock, ids).reached_at(&config.public_url);
    let app = Arc::new(app.written_in(config.workflows.clone()));
    app.refresh().await?;
    for missing in app.missing().await? {
        warn!("{missing}");
    }
    tokio::spawn(keep_live(app.clone()));
    let carriers = carriers(config)?;
    for carrier in &carriers {
        eprintln!("messages leave by: {}", carrier.1);
    }
    let carriers = carriers.into_iter().map(|(carrier, _)| carrier).collect();
    let roles = Roles {
        ticker: does(ProcessRole::Ticker),
        lanes: does(ProcessRole::Worker),
        connections: config.connections,
    };
    if !does(ProcessRole::Web) {
        println!("working");
        jobs::run(app, carriers, roles, told_to_stop()).await;
        return Ok(());
    }
    let settings =
        Settings { behind_tls_proxy: config.behind_tls_proxy, gateway_secret: config.gateway_secret.clone() };
    let web = Web::new(settings, app.clone(), Arc::new(Alive(app.clone())));
    let listener = server::listen(&config.listen, config.behind_tls_proxy)?;
    let address = format!("http://{}", listener.local_addr()?);
    serve(listener, web, app, carriers, roles, &address).await
}

/// Serves pages and works until the process is told to stop.
///
/// # Errors
/// When the port cannot be used.
pub async fn until_stopped(
    listener: TcpListener,
    web: Web,
    work: Arc<dyn Work>,
    carriers: Vec<Arc<dyn Carrier>>,
    address: &str,
) -> Result<(), ServeError> {
    serve(listener, web, work, carriers, Roles::default(), address).await
}

async fn serve(
    listener: TcpListener,
    web: Web,
    work: Arc<dyn Work>,
    carriers: Vec<Arc<dyn Carrier>>,
    roles: Roles,
    address: &str,
) -> Result<(), ServeError> {
    let server = server::serve(listener, Data::new(web), WEB_THREADS)?;
    let handle = server.handle();
    let serving = tokio::spawn(server);
    println!("listening on {address}");
    jobs::run(work, carriers, roles, told_to_stop()).await;
    handle.stop(true).await;
    serving.await??;
    Ok(())
}

/// Sees what other processes publish and set: commands beside a SQLite file, other nodes on PostgreSQL.
pub async fn keep_live(app: Arc<App>) {
    let mut looks = tokio::time::interval(LIVE_LOOK);
    looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        looks.tick().await;
        match app.refresh_if_changed().await {
            Ok(true) => info!("versions and site settings were read again"),
            Ok(false) => {}
            Err(error) => debug!("versions and site settings cannot be read: {error}"),
        }
    }
}

/// Waits for Ctrl-C or SIGTERM.
async fn told_to_stop() {
    let interrupted = tokio::signal::ctrl_c();
    match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
        Ok(mut terminated) => {
            tokio::select! { _ = interrupted => {}, _ = terminated.recv() => {} }
        }
        Err(_) => {
            let _ = interrupted.await;
        }
    }
}

/// Ready while the database answers.
pub struct Alive(pub Arc<App>);

impl Probe for Alive {
    fn ready(&self) -> Pending<'_, Result<(), String>> {
        Box::pin(async { self.0.store.next_wake().await.map(|_| ()).map_err(|error| error.to_string()) })
    }
}
