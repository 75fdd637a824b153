//! A database with patients who are due, a mail server that keeps its own log, and the process between them.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use jiff::{ToSpan, civil::Date, tz::TimeZone};
use tempfile::TempDir;
use tend::app::enroll::{Course, FOLLOW_UP, Newcomer};
use tend::app::{Actor, App};
use tend::cli::clock::SystemClock;
use tend::ports::Clock as _;
use tend::store::{Consent, ContactPoint, Demographics, JobPool, Owner};
use tend_engine::model::Channel;
use tend_engine::{Decimal, Name, Value};

use super::process::Process;
use crate::support::auditor::{Audit, audit};
use crate::support::postgres;
use crate::support::product::{Product, SITE, open_site};
use crate::support::smtp::SmtpServer;

/// The whole of it.
pub struct Ward {
    pub app: App,
    pub server: SmtpServer,
    product: Product,
    zone: String,
    enrolled: AtomicUsize,
    folder: TempDir,
}

impl Ward {
    pub async fn on_sqlite() -> Ward {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let url = format!("sqlite://{}/tend.db", folder.path().display());
        Ward::on(url, folder).await
    }

    pub async fn on_postgres() -> Ward {
        let url = tokio::task::spawn_blocking(postgres::fresh_database).await.expect("a database");
        Ward::on(url, tempfile::tempdir().expect("a temporary folder")).await
    }

    async fn on(url: String, folder: TempDir) -> Ward {
        let server = SmtpServer::start(&folder.path().join("smtp.log"));
        let mut product = Product::on(&url);
        product.smtp = Some(format!("smtp+plain://{}", server.address()));
        product.migrate();
        let app = product.beside().await;
        let zone = open_site(&app).await;
        Ward { app, server, product, zone, enrolled: AtomicUsize::new(0), folder }
    }

    /// Enrols patients who are asked at once: discharged yesterday, by e-mail, where it is about noon.
    pub async fn enroll_due(&self, count: usize) {
        let today = TimeZone::get(&self.zone).expect("a zone").to_datetime(SystemClock.now()).date();
        let yesterday = today.checked_sub(1.day()).expect("a day");
        let first = self.enrolled.fetch_add(count, Ordering::SeqCst);
        let newcomers: Vec<Newcomer> = (first..first + count).map(|n| self.newcomer(n, yesterday)).collect();
        for group in newcomers.chunks(100) {
            self.app.enroll(Actor::System, group).await.expect("they are enrolled");
        }
    }

    fn newcomer(&self, n: usize, discharge: Date) -> Newcomer {
        let consent = Consent {
            purpose: FOLLOW_UP.into(),
            channel: Channel::Email,
            wording: "1".into(),
            how: "paper".into(),
            given_by: "ward".into(),
            given_at: SystemClock.now(),
        };
        let address = format!("p{n}@patients.example");
        Newcomer {
            site: SITE,
            team: None,
            demographics: Demographics {
                name: format!("Patient {n}"),
                birth_date: jiff::civil::date(1950, 5, 17),
                sex: None,
            },
            identifiers: Vec::new(),
            contact_points: vec![ContactPoint { channel: Channel::Email, address, owner: Owner::Own }],
            consents: vec![consent],
            language: "en".into(),
            zone: self.zone.clone(),
            preferred: Some(Channel::Email),
            daily_consent: true,
            course: Course {
                workflow: word("hf-discharge-90d"),
                facts: BTreeMap::from([(word("dry_weight"), Value::Number(Decimal::whole(80)))]),
                anchors: BTreeMap::from([(word("discharge"), discharge)]),
            },
        }
    }

    /// Starts the product on it.
    pub fn start(&self, kill_at: Option<&str>) -> Process {
        Process::start(&self.product.command(self.folder.path()), &self.process_log(), kill_at)
    }

    fn process_log(&self) -> PathBuf {
        self.folder.path().join("process.log")
    }

    /// How many messages are still to go, or under way.
    pub async fn unsettled(&self) -> i64 {
        let query = "select count(*) from message where state = 'claimed' or (state = 'scheduled' and next_attempt_at <= ";
        let now = SystemClock.now().as_microsecond();
        let query = sqlx::AssertSqlSafe(format!("{query}{now})"));
        match self.app.store.job_pool() {
            JobPool::Sqlite(pool) => sqlx::query_scalar(query).fetch_one(&pool).await,
            JobPool::Postgres(pool) => sqlx::query_scalar(query).fetch_one(&pool).await,
        }
        .expect("a count")
    }

    async fn is_due(&self) -> bool {
        !self.app.store.due(SystemClock.now(), 1).await.expect("a look").is_empty()
    }

    /// Waits until nobody is due and nothing is to go.
    pub async fn wait_until_settled(&self, limit: Duration) {
        let begin = Instant::now();
        while self.unsettled().await > 0 || self.is_due().await {
            assert!(begin.elapsed() < limit, "not settled within {limit:?}:\n{}", self.last_words());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits until the server has taken so many since it was started.
    pub async fn wait_for_taken(&self, count: usize, limit: Duration) {
        let begin = Instant::now();
        while self.server.taken_count() < count {
            assert!(begin.elapsed() < limit, "{count} not taken within {limit:?}:\n{}", self.last_words());
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// All that the processes said.
    pub fn said(&self) -> String {
        std::fs::read_to_string(self.process_log()).unwrap_or_default()
    }

    /// The end of what the processes said.
    pub fn last_words(&self) -> String {
        let said = self.said();
        let lines: Vec<&str> = said.lines().rev().take(20).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join("\n")
    }

    pub async fn audit(&self) -> Audit {
        audit(&self.app, self.server.log()).await
    }
}

fn word(text: &str) -> Name {
    Name::parse(text).expect("a name in a test")
}
