//! The product as it is shipped: `tend migrate` and `tend serve` in processes of their own, on the real clock.

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use tend::app::App;
use tend::cli::clock::{FreshIds, SystemClock};
use tend::ports::Clock as _;
use tend::store::{Open, Store, Vault};
use tend_engine::model::Workflow;
use tend_engine::{SiteId, site::SiteSettings};

use super::process::{Kept, wait_until};
use super::workflows;

/// The site of all tests.
pub const SITE: SiteId = SiteId(1);
/// Whom mails come from.
pub const FROM: &str = "Follow-up <care@hospital.example>";
/// What the gateway's addresses carry.
pub const GATEWAY_SECRET: &str = "0123456789abcdef0123456789abcdef";

const SITE_KEY: [u8; 32] = [7; 32];
const READY: Duration = Duration::from_secs(30);

/// How one is started.
#[derive(Debug, Clone)]
pub struct Product {
    /// The database's URL.
    pub database: String,
    /// Where it listens, `host:port`; port 0 is any.
    pub listen: String,
    /// The mail server's URL.
    pub smtp: Option<String>,
    /// The SMS gateway's URL.
    pub sms: Option<String>,
    /// The number that texts come from.
    pub sms_from: String,
}

impl Product {
    /// Without carriers, anywhere.
    pub fn on(database: &str) -> Product {
        Product {
            database: database.to_owned(),
            listen: "127.0.0.1:0".into(),
            smtp: None,
            sms: None,
            sms_from: "Tend".into(),
        }
    }

    /// Where patients and the gateway reach it.
    pub fn base(&self) -> String {
        format!("http://{}", self.listen)
    }

    /// Brings the database up to date, by the command.
    pub fn migrate(&self) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tend"));
        let said = command.args(["migrate", "--database-url", &self.database]).output().expect("it starts");
        assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    }

    /// The command line of `tend serve`; its site key is written to `folder`.
    pub fn command(&self, folder: &Path) -> Vec<OsString> {
        let key = folder.join("site.key");
        let hex: String = SITE_KEY.iter().map(|byte| format!("{byte:02x}")).collect();
        std::fs::write(&key, hex).expect("a key file");
        let base = self.base();
        let mut words = vec![env!("CARGO_BIN_EXE_tend"), "serve"];
        words.extend(["--database-url", &self.database, "--listen", &self.listen, "--public-url", &base]);
        words.extend(["--mail-from", FROM, "--sms-from", &self.sms_from, "--gateway-secret", GATEWAY_SECRET]);
        if let Some(url) = &self.smtp {
            words.extend(["--smtp-url", url]);
        }
        if let Some(url) = &self.sms {
            words.extend(["--sms-url", url]);
        }
        let words = words.into_iter().map(OsString::from);
        words.chain(["--site-key-file".into(), key.into_os_string()]).collect()
    }

    /// Starts it and waits until it listens; its log is `folder/serve.log`.
    pub fn serve(&self, folder: &Path) -> Kept {
        let log = folder.join("serve.log");
        let kept = Kept::start(self.command(folder), &log, "TERM", None);
        wait_until("tend serve listens", READY, Some(&log), || {
            std::fs::read_to_string(&log).is_ok_and(|said| said.contains("listening on "))
        });
        kept
    }

    /// A look at the same database from this process, which may serve nothing.
    pub async fn beside(&self) -> App {
        let store = Store::open(&self.database, vault(), Open::Beside).await.expect("the database opens");
        let clock = Arc::new(SystemClock);
        App::new(store, clock.clone(), clock, Arc::new(FreshIds))
    }
}

/// The keys that a served product has.
pub fn vault() -> Vault {
    Vault::new(&SITE_KEY)
}

/// Opens the site where it is about noon, covered every day, with the shipped workflows; gives its zone.
pub async fn open_site(app: &App) -> String {
    let zone = where_it_is_noon();
    let mut settings = SiteSettings { zone: zone.clone(), ..SiteSettings::default() };
    settings.cover.days =
        (0..7).filter_map(|day| jiff::civil::Weekday::from_monday_zero_offset(day).ok()).collect();
    settings.cover.on_holidays = true;
    publish(app, &settings, &workflows::shipped()).await;
    zone
}

async fn publish(app: &App, settings: &SiteSettings, workflows: &[Workflow]) {
    let now = SystemClock.now();
    let mut tx = app.store.begin();
    tx.add_site(SITE, settings, now).await.expect("a site");
    for workflow in workflows {
        tx.publish(SITE, workflow, None, now).await.expect("a version");
    }
    tx.commit().await.expect("a commit");
    app.refresh().await.expect("live settings");
}

/// A zone in which no message must wait for the morning, at whatever hour the tests run.
fn where_it_is_noon() -> String {
    let hour = TimeZone::UTC.to_datetime(SystemClock.now()).hour();
    // POSIX: the sign says how far Greenwich is ahead.
    let behind = hour - 12;
    if behind == 0 { "Etc/GMT".into() } else { format!("Etc/GMT{behind:+}") }
}
