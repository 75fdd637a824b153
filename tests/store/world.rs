//! A database of its own with a site and a published workflow, and short words for what stories do.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use tempfile::TempDir;
use tend::app::App;
use tend::app::enroll::{Course, Enrolled, FOLLOW_UP, Newcomer};
use tend::app::relay::{Claim, Ticket, Writing};
use tend::app::{Actor, receive::Arrived};
use tend::ports::{Clock, Handover, ProviderRef};
use tend::store::{Consent, ContactPoint, Demographics, Identifier, JobPool, Open, Owner, Store, Vault};
use tend_engine::model::{Channel, Workflow};
use tend_engine::{Decimal, Name, SiteId, Value, parse, site::SiteSettings};

use crate::support::{
    postgres,
    time::{CountingIds, ManualClock},
};

/// The site of all stories.
pub const SITE: SiteId = SiteId(1);

/// Makes one test per database of a story.
macro_rules! on_both {
    ($($story:ident),+ $(,)?) => {
        mod on_sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $story() { super::$story(crate::store::world::World::on_sqlite().await).await; })+
        }
        mod on_postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $story() { super::$story(crate::store::world::World::on_postgres().await).await; })+
        }
    };
}
pub(crate) use on_both;

/// The application on a database of its own.
pub struct World {
    pub app: Arc<App>,
    pub clock: Arc<ManualClock>,
    pub ids: Arc<CountingIds>,
    pub url: String,
    folder: TempDir,
}

impl World {
    pub async fn on_sqlite() -> World {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let url = format!("sqlite://{}/tend.db", folder.path().display());
        World::on(url, folder).await
    }

    pub async fn on_postgres() -> World {
        let url = tokio::task::spawn_blocking(postgres::fresh_database).await.expect("a database");
        World::on(url, tempfile::tempdir().expect("a temporary folder")).await
    }

    async fn on(url: String, folder: TempDir) -> World {
        Store::migrate(&url).await.expect("a fresh database can be migrated");
        let store = open(&url).await;
        let clock = Arc::new(ManualClock::default());
        let ids = Arc::new(CountingIds::default());
        let app = App::new(store, clock.clone(), clock.clone(), ids.clone()).reached_at("https://t.example/");
        let mut tx = app.store.begin();
        tx.add_site(SITE, &SiteSettings::default(), clock.now()).await.expect("a site");
        for workflow in workflows() {
            tx.publish(SITE, &workflow, None, clock.now()).await.expect("a version");
        }
        tx.commit().await.expect("a commit");
        app.refresh().await.expect("live settings");
        World { app: Arc::new(app), clock, ids, url, folder }
    }

    /// Another process on the same database, with the same clock.
    pub async fn another_node(&self) -> App {
        let store = Store::open(&self.url, vault(), Open::Beside).await.expect("a second node");
        let app = App::new(store, self.clock.clone(), self.clock.clone(), self.ids.clone());
        app.refresh().await.expect("live settings");
        app
    }

    pub fn file(&self) -> Option<PathBuf> {
        self.app.store.file().map(Path::to_owned)
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Enrols somebody on the heart-failure follow-up, discharged today.
    pub async fn enroll(&self, name: &str, phone: &str) -> Enrolled {
        let newcomer = newcomer(name, phone, self.clock.now());
        self.app.enroll(Actor::System, &[newcomer]).await.expect("an enrollment").remove(0)
    }

    /// Lets time pass, and everything that comes due happen on the way.
    pub async fn pass(&self, hours: i64) {
        let until = self.clock.now() + SignedDuration::from_hours(hours);
        while let Some(wake) = self.app.store.next_wake().await.expect("a look").filter(|at| *at <= until) {
            self.clock.set(wake.max(self.clock.now()));
            self.app.tick().await.expect("a tick");
        }
        self.clock.set(until);
    }

    pub async fn claim(&self, channel: Channel) -> Vec<Claim> {
        let deadline = Instant::now() + Duration::from_secs(5);
        self.app.claim(channel, 50, deadline).await.expect("a claim")
    }

    pub async fn begin(&self, tickets: &[Ticket]) -> Vec<Ticket> {
        let writing = Writing { begin: tickets.to_vec(), finish: Vec::new() };
        self.app.write(&writing).await.expect("a mark")
    }

    pub async fn finish(&self, ticket: Ticket, how: Handover) {
        let writing = Writing { begin: Vec::new(), finish: vec![(ticket, how)] };
        self.app.write(&writing).await.expect("an ending");
    }

    /// Hands everything over that may go, and gives the texts.
    pub async fn send_all(&self, channel: Channel) -> Vec<String> {
        let mut texts = Vec::new();
        for claim in self.claim(channel).await {
            assert_eq!(self.begin(&[claim.ticket]).await, [claim.ticket]);
            self.finish(claim.ticket, accepted(&format!("ref-{}", claim.ticket.message))).await;
            texts.push(claim.outgoing.text);
        }
        texts
    }

    pub async fn text_from(&self, phone: &str, provider_id: &str, text: &str) -> bool {
        let arrived = Arrived {
            provider_id: provider_id.into(),
            channel: Channel::Sms,
            address: phone.into(),
            text: text.into(),
        };
        self.app.receive(&arrived).await.expect("an inbound text")
    }

    /// Runs a statement past the store; once more where another one and it held each other up.
    pub async fn sql(&self, statement: &str) {
        let run = async || {
            let statement = sqlx::AssertSqlSafe(statement.to_owned());
            match self.app.store.job_pool() {
                JobPool::Sqlite(pool) => sqlx::query(statement).execute(&pool).await.map(|_| ()),
                JobPool::Postgres(pool) => sqlx::query(statement).execute(&pool).await.map(|_| ()),
            }
        };
        for _ in 0..5 {
            match run().await {
                Err(error) if error.to_string().contains("deadlock detected") => {}
                ended => return ended.expect("a statement"),
            }
        }
        run().await.expect("a statement");
    }

    /// The one number that a query gives.
    pub async fn number(&self, query: &str) -> i64 {
        let query = sqlx::AssertSqlSafe(query.to_owned());
        match self.app.store.job_pool() {
            JobPool::Sqlite(pool) => sqlx::query_scalar(query).fetch_one(&pool).await,
            JobPool::Postgres(pool) => sqlx::query_scalar(query).fetch_one(&pool).await,
        }
        .expect("a number")
    }

    /// The texts of one column.
    pub async fn texts(&self, query: &str) -> Vec<String> {
        let query = sqlx::AssertSqlSafe(query.to_owned());
        match self.app.store.job_pool() {
            JobPool::Sqlite(pool) => sqlx::query_scalar(query).fetch_all(&pool).await,
            JobPool::Postgres(pool) => sqlx::query_scalar(query).fetch_all(&pool).await,
        }
        .expect("texts")
    }

    /// Nobody is lost, and every row is what the histories say.
    pub async fn is_sound(&self) {
        let findings = self.app.doctor(true).await.expect("a check");
        assert_eq!(findings.differences, Vec::<String>::new());
        assert_eq!(findings.lost, []);
    }
}

pub async fn open(url: &str) -> Store {
    Store::open(url, vault(), Open::Serve).await.expect("a migrated database opens")
}

pub fn vault() -> Vault {
    Vault::new(&[7; 32])
}

pub fn accepted(reference: &str) -> Handover {
    Handover::Accepted(ProviderRef(reference.into()))
}

pub fn newcomer(name: &str, phone: &str, now: Timestamp) -> Newcomer {
    let anchor = jiff::tz::TimeZone::UTC.to_datetime(now).date();
    Newcomer {
        site: SITE,
        team: None,
        demographics: Demographics {
            name: name.into(),
            birth_date: jiff::civil::date(1950, 5, 17),
            sex: Some("female".into()),
        },
        identifiers: vec![Identifier { system: "hospital".into(), value: format!("no {name}") }],
        contact_points: vec![ContactPoint {
            channel: Channel::Sms,
            address: phone.into(),
            owner: Owner::Own,
        }],
        consents: vec![Consent {
            purpose: FOLLOW_UP.into(),
            channel: Channel::Sms,
            wording: "1".into(),
            how: "paper".into(),
            given_by: "ward".into(),
            given_at: now,
        }],
        language: "en".into(),
        zone: "UTC".into(),
        preferred: None,
        daily_consent: true,
        course: Course {
            workflow: word("hf-discharge-90d"),
            facts: BTreeMap::from([(word("dry_weight"), Value::Number(Decimal::whole(80)))]),
            anchors: BTreeMap::from([(word("discharge"), anchor)]),
        },
    }
}

pub fn word(text: &str) -> Name {
    Name::parse(text).expect("a name in a test")
}

/// The shipped workflows.
fn workflows() -> Vec<Workflow> {
    let mut files = BTreeMap::new();
    collect(Path::new(env!("CARGO_MANIFEST_DIR")), Path::new("workflows"), &mut files);
    let compiled = parse::compile(&files);
    compiled.workflows.into_iter().map(|(_, workflow)| workflow).collect()
}

fn collect(root: &Path, under: &Path, files: &mut BTreeMap<String, Vec<u8>>) {
    for entry in std::fs::read_dir(root.join(under)).expect("a folder") {
        let path = under.join(entry.expect("an entry").file_name());
        if root.join(&path).is_dir() {
            collect(root, &path, files);
        } else if path.extension().is_some_and(|ending| ending == "yaml") {
            let bytes = std::fs::read(root.join(&path)).expect("a file");
            files.insert(path.to_string_lossy().into_owned(), bytes);
        }
    }
}
