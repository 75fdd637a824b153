//! What a bench stands on: a site, the built-in heart-failure workflow and one patient in the middle of it.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use jiff::{SignedDuration, Timestamp};
use tend_engine::{Decimal, Name, SiteId, Value, parse, site::SiteSettings};

use super::{
    BenchError,
    seed::{FOLLOWED, Original},
};
use crate::{
    app::{
        Actor, App,
        enroll::{Course, FOLLOW_UP, Newcomer},
    },
    cli::clock::{FreshIds, MovedClock, SystemClock},
    ports::Clock,
    store::{Consent, ContactPoint, Demographics, Open, Owner, Store, Vault},
};

/// The site of a bench.
pub const SITE: SiteId = SiteId(1);

/// The site key of a bench.
pub const KEY: [u8; 32] = [9; 32];

/// A database with the patient that all others are copies of.
pub struct Ground {
    /// What can be done.
    pub app: Arc<App>,
    /// Stands still unless it is moved.
    pub clock: Arc<MovedClock>,
    /// Whose rows are copied.
    pub original: Original,
}

impl Ground {
    /// Makes it in an empty database. The patient was enrolled so long ago.
    ///
    /// # Errors
    /// [`BenchError`].
    pub async fn prepare(url: &str, ago: SignedDuration) -> Result<Self, BenchError> {
        Store::migrate(url).await.map_err(BenchError::of)?;
        let store = Store::open(url, Vault::new(&KEY), Open::Serve).await.map_err(BenchError::of)?;
        let clock = Arc::new(MovedClock::default());
        let now = SystemClock.now() - ago;
        clock.stand_at(now);
        let app = App::new(store, clock.clone(), Arc::new(SystemClock), Arc::new(FreshIds));
        let mut tx = app.store.begin();
        tx.add_site(SITE, &SiteSettings::default(), now).await.map_err(BenchError::of)?;
        tx.publish(SITE, &workflow()?, None, now).await.map_err(BenchError::of)?;
        tx.commit().await.map_err(BenchError::of)?;
        app.refresh().await.map_err(BenchError::of)?;
        let who = app.enroll(Actor::System, &[newcomer(now)?]).await.map_err(BenchError::of)?;
        let enrollment = who.first().ok_or_else(|| BenchError("nobody was enrolled".into()))?.enrollment;
        let due = follow(&app, &clock, now + FOLLOWED).await?;
        Ok(Self { app: Arc::new(app), clock, original: Original { enrollment, due } })
    }
}

/// The database to use, and the file to remove afterwards when none was named.
pub fn database(named: Option<&str>, bench: &str) -> (String, Option<PathBuf>) {
    if let Some(url) = named {
        return (url.to_owned(), None);
    }
    let file = std::env::temp_dir().join(format!("tend-bench-{bench}-{}.db", std::process::id()));
    (format!("sqlite://{}", file.display()), Some(file))
}

/// Removes a file of SQLite with all that lies beside it.
pub fn remove(file: &std::path::Path) {
    for ending in ["", "-wal", "-shm", ".lock"] {
        let mut path = file.as_os_str().to_owned();
        path.push(ending);
        // What is not there needs no removing.
        let _ = std::fs::remove_file(PathBuf::from(path));
    }
}

/// Lets the original's follow-up go on, and gives the instant of its next step.
async fn follow(app: &App, clock: &MovedClock, until: Timestamp) -> Result<Timestamp, BenchError> {
    loop {
        let next = app.store.next_wake().await.map_err(BenchError::of)?;
        let next =
            next.ok_or_else(|| BenchError("nothing is ever due for the patient of the bench".into()))?;
        if next > until {
            return Ok(next);
        }
        clock.stand_at(next);
        app.tick().await.map_err(BenchError::of)?;
    }
}

/// The built-in heart-failure workflow.
///
/// # Errors
/// [`BenchError`] when it does not compile.
pub fn workflow() -> Result<tend_engine::model::Workflow, BenchError> {
    static FILES: include_dir::Dir<'_> = include_dir::include_dir!("$CARGO_MANIFEST_DIR/workflows");
    let mut files = BTreeMap::new();
    let mut folders = vec![&FILES];
    while let Some(folder) = folders.pop() {
        folders.extend(folder.dirs());
        for file in folder.files() {
            files.insert(format!("workflows/{}", file.path().display()), file.contents().to_vec());
        }
    }
    let compiled = parse::compile(&files);
    let found = compiled.workflow("hf-discharge-90d").cloned();
    found.ok_or_else(|| BenchError("the built-in heart-failure workflow does not compile".into()))
}

fn newcomer(now: Timestamp) -> Result<Newcomer, BenchError> {
    let name = |text: &str| Name::parse(text).map_err(BenchError::of);
    let today = jiff::tz::TimeZone::UTC.to_datetime(now).date();
    let course = Course {
        workflow: name("hf-discharge-90d")?,
        facts: BTreeMap::from([(name("dry_weight")?, Value::Number(Decimal::whole(80)))]),
        anchors: BTreeMap::from([(name("discharge")?, today)]),
    };
    Ok(Newcomer {
        site: SITE,
        team: None,
        demographics: Demographics {
            name: "Bench Patient".into(),
            birth_date: jiff::civil::date(1950, 1, 1),
            sex: None,
        },
        identifiers: Vec::new(),
        contact_points: vec![ContactPoint {
            channel: tend_engine::model::Channel::Email,
            address: "bench@example.invalid".into(),
            owner: Owner::Own,
        }],
        consents: vec![Consent {
            purpose: FOLLOW_UP.into(),
            channel: tend_engine::model::Channel::Email,
            wording: "1".into(),
            how: "bench".into(),
            given_by: "bench".into(),
            given_at: now,
        }],
        language: "en".into(),
        zone: "UTC".into(),
        preferred: None,
        daily_consent: true,
        course,
    })
}
