//! `tend demo`: a complete system in one command, on a fresh SQLite file, with invented people in the middle of their courses.

mod behaviour;
mod desk;
mod people;
mod seed;
mod world;

use std::{fs, path::PathBuf, process::ExitCode, sync::Arc};

use tend_engine::model::Channel;

use super::{
    clock::{FreshIds, MovedClock, SystemClock},
    serve,
};
use crate::{
    app::App,
    deliver::mailbox::Mailbox,
    ports::{Carrier, Clock},
    store::{Open, Store, Vault},
    web::{Settings, Web},
};
use desk::{Desk, Gate};
use world::World;

/// The folder of the demo when none is named.
const FOLDER: &str = "demo-data";

/// Starts a complete demo.
#[derive(Debug, clap::Args)]
pub struct DemoArgs {
    /// Port on this machine; 0 takes a free one.
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// Folder for its database; made when it is not there.
    #[arg(long, default_value = FOLDER)]
    dir: PathBuf,
}

/// What goes wrong while the demo starts.
type DemoError = Box<dyn std::error::Error + Send + Sync>;

/// Runs it until it is told to stop.
#[must_use]
pub fn run(args: &DemoArgs) -> ExitCode {
    serve::on_runtime(start(args))
}

async fn start(args: &DemoArgs) -> Result<(), DemoError> {
    fs::create_dir_all(&args.dir).map_err(|error| format!("cannot make {}: {error}", args.dir.display()))?;
    let listener = crate::web::server::listen(&format!("127.0.0.1:{}", args.port), false)?;
    let address = format!("http://{}", listener.local_addr()?);
    let url = format!("sqlite://{}", args.dir.join("tend.db").display());
    Store::migrate(&url).await?;
    let store = Store::open(&url, Vault::from_file(&args.dir.join("site.key"), true)?, Open::Serve).await?;
    let clock = Arc::new(MovedClock::of(&store).await?);
    let (wall, ids) = (Arc::new(SystemClock), Arc::new(FreshIds));
    let app = Arc::new(App::new(store, clock.clone(), wall, ids).reached_at(&address));
    let carriers: Vec<Arc<dyn Carrier>> = [Channel::Sms, Channel::Email]
        .map(|channel| Arc::new(Mailbox::new(channel)) as Arc<dyn Carrier>)
        .to_vec();
    let mut world = World::new(app.clone(), clock.clone(), carriers.clone());
    if app.store.sites().await?.is_empty() {
        eprintln!("making invented patients and their past with the real engine …");
        seed::fill(&app, &clock, &mut world, &args.dir, SystemClock.now()).await?;
    } else {
        app.refresh().await?;
        seed::recall(&app, &mut world).await?;
    }
    let gate = Arc::new(Gate::default());
    let desk = Arc::new(Desk::new(app.clone(), clock, world, gate.clone()));
    let web = Web::new(Settings::default(), app.clone(), Arc::new(serve::Alive(app.clone()))).with_demo(desk);
    println!("{}", fs::read_to_string(args.dir.join(seed::LOGINS)).unwrap_or_default());
    println!("mailbox and clock: {address}/demo\nstaff:             {address}/sign-in");
    tokio::spawn(serve::keep_live(app.clone()));
    let work = Arc::new(desk::Gated::new(app, gate));
    serve::until_stopped(listener, web, work, carriers, &address).await
}
