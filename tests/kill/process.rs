//! The product in a process of its own, which can be killed.

use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};
use std::{fs::File, thread};

use tend::app::App;
use tend::cli::clock::{FreshIds, SystemClock};
use tend::deliver::smtp::{Smtp, SmtpSettings};
use tend::jobs::{self, Roles};
use tend::ports::Carrier;
use tend::store::{Open, Store};

use super::ward::{FROM, vault};

/// Names the test that is the process.
const ENTRY: &str = "kill::process::the_process";

/// A running process.
pub struct Process {
    child: Child,
}

impl Process {
    /// Starts workers on a database and a mail server. `kill_at` makes it die by itself, see `TEND_KILL_AT`.
    pub fn start(database: &str, smtp: &str, log: &Path, kill_at: Option<&str>) -> Process {
        let log = File::options().create(true).append(true).open(log).expect("a log can be written");
        let mut command = Command::new(std::env::current_exe().expect("a test knows itself"));
        command.args([ENTRY, "--exact", "--nocapture", "--test-threads=1"]);
        command.env("TEND_KILL_DATABASE", database).env("TEND_KILL_SMTP", smtp).env("RUST_BACKTRACE", "0");
        if let Some(at) = kill_at {
            command.env("TEND_KILL_AT", at);
        }
        let err = log.try_clone().expect("a handle can be doubled");
        let child = command.stdin(Stdio::null()).stdout(log).stderr(err).spawn().expect("a process starts");
        Process { child }
    }

    /// `kill -9`.
    pub fn kill(mut self) {
        self.child.kill().expect("it can be killed");
        let status = self.child.wait().expect("it is gone");
        assert_eq!(status.signal(), Some(9), "it was alive: {status}");
    }

    /// Waits until it died by itself; false when it did not, because it never came to the point.
    pub fn died(&mut self, limit: Duration) -> bool {
        let begin = Instant::now();
        while begin.elapsed() < limit {
            if let Some(status) = self.child.try_wait().expect("a child can be asked") {
                assert_eq!(status.signal(), Some(6), "it died otherwise: {status}");
                return true;
            }
            thread::sleep(Duration::from_millis(1));
        }
        false
    }

    /// SIGTERM, as a service manager does, and waits until it has finished what was in flight.
    pub fn stop(mut self) {
        let id = self.child.id().to_string();
        let told = Command::new("kill").args(["-TERM", &id]).status().expect("kill can be run");
        assert!(told.success());
        let status = self.child.wait().expect("it ends");
        // One that has only just started may not listen yet.
        assert!(status.success() || status.signal() == Some(15), "it ended in order: {status}");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Not a test but the process that is killed; without its settings it does nothing.
#[test]
fn the_process() {
    let (Ok(database), Ok(smtp)) = (std::env::var("TEND_KILL_DATABASE"), std::env::var("TEND_KILL_SMTP"))
    else {
        return;
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(work(&database, &smtp));
}

async fn work(database: &str, smtp: &str) {
    let mut terminated =
        tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()).expect("a signal");
    let store = Store::open(database, vault(), Open::Serve).await.expect("the database opens");
    let clock = Arc::new(SystemClock);
    let app = App::new(store, clock.clone(), clock, Arc::new(FreshIds));
    app.refresh().await.expect("live settings");
    let settings = SmtpSettings::parse(smtp).expect("an address");
    let carrier: Arc<dyn Carrier> = Arc::new(Smtp::new(settings, FROM).expect("a carrier"));
    jobs::run(Arc::new(app), vec![carrier], Roles::default(), async move {
        terminated.recv().await;
    })
    .await;
}
