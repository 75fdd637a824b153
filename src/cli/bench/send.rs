//! One send = durable step, the carrier's yes, durable receipt. Beside it the same writes and a bare client with eight
//! connections, and for mails `smtp-source` into the same sink.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    process::{Command, ExitCode, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use clap::Args;
use jiff::{SignedDuration, Timestamp};
use tend_engine::{Decimal, Name, PatientId, Value, model::Channel, site::SiteSettings};

use super::{
    BenchError,
    bare::Bare,
    bare_client::BareClients,
    ground::{self, SITE, workflow},
    report::{Figure, Report},
    sinks::{Sink, program},
    written::Written,
};
use crate::{
    app::{
        Actor, App,
        enroll::{Course, FOLLOW_UP, Newcomer},
    },
    cli::clock::{FreshIds, MovedClock, SystemClock},
    config::connections,
    deliver::{
        kannel::{Kannel, KannelSettings},
        smtp::{Smtp, SmtpSettings},
    },
    jobs::{self, CONNECTIONS, Roles},
    ports::{Carrier, Clock},
    store::{Consent, ContactPoint, Demographics, GROUP_MAX, JobPool, Open, Owner, Store, Vault},
};

const FROM: &str = "Follow-up <care@hospital.example>";
/// What the best job queue that was measured sends; it writes no patient record.
const BEST_QUEUE: f64 = 1_971.0;
/// How often the bench looks whether all is sent, which costs the database a little.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// How long a run may take before it is given up.
const PATIENCE: Duration = Duration::from_secs(600);

/// `tend bench send`
#[derive(Debug, Args)]
pub struct SendArgs {
    /// A database of its own, `sqlite://FILE` or `postgres://…`, empty; by default a file in the temporary folder.
    #[arg(long)]
    db: Option<String>,
    /// Messages per measurement.
    #[arg(long, default_value_t = 5_000, value_parser = clap::value_parser!(u32).range(200..=100_000))]
    messages: u32,
    /// Connections of each lane.
    #[arg(long, default_value_t = CONNECTIONS, value_parser = connections())]
    connections: u16,
    /// postfix's `smtp-sink`; by default where it is found.
    #[arg(long, env = "TEND_SMTP_SINK")]
    smtp_sink: Option<PathBuf>,
    /// postfix's `smtp-source`; by default where it is found.
    #[arg(long, env = "TEND_SMTP_SOURCE")]
    smtp_source: Option<PathBuf>,
    /// Print one JSON document.
    #[arg(long)]
    json: bool,
}

/// Runs it.
///
/// # Errors
/// [`BenchError`].
pub async fn run(args: SendArgs) -> Result<ExitCode, BenchError> {
    let (url, file) = ground::database(args.db.as_deref(), "send");
    let measured = measure(&args, &url).await;
    if let Some(file) = file {
        ground::remove(&file);
    }
    measured?.print(args.json);
    Ok(ExitCode::SUCCESS)
}

async fn measure(args: &SendArgs, url: &str) -> Result<Report, BenchError> {
    let mut bench = Bench::start(url, usize::try_from(args.messages).map_err(BenchError::of)?).await?;
    let mut report = Report::default();
    let sink = Sink::smtp(args.smtp_sink.as_deref())?;
    if let Some(source) = args.smtp_source.clone().or_else(|| program("smtp-source")) {
        let alone = smtp_source(&source, &sink, args.messages)?;
        report.results.push(Figure::higher("smtp-source", "mails/s", alone, sink.name, alone));
    }
    let content = bench.mail(&sink)?;
    let pipeline = bench.pipeline(Channel::Email, &sink, &content).await?;
    let settings = SmtpSettings::parse(&format!("smtp+plain://{}", sink.address)).map_err(BenchError::of)?;
    let carrier: Arc<dyn Carrier> = Arc::new(Smtp::new(settings, FROM).map_err(BenchError::of)?);
    let mails = bench.tend(carrier, args.connections).await?;
    report.results.push(Figure::higher(
        "mails",
        "per s",
        mails,
        "bare pipeline, same writes, 8 connections",
        pipeline,
    ));
    report.results.push(Figure::higher("mails", "per s", mails, "best job queue measured", BEST_QUEUE));

    let sink = Sink::gateway()?;
    let url = format!("http://{}/cgi-bin/sendsms?username=tend&password=bench", sink.address);
    let target = format!(
        "/cgi-bin/sendsms?username=tend&password=bench&from=Tend&to=%2B447700900001&coding=0&charset=UTF-8&text={}",
        "How+are+you+today%3F+".repeat(7)
    );
    let pipeline = bench.pipeline(Channel::Sms, &sink, &target).await?;
    let report_url = Some("http://127.0.0.1:9/gateway/bench/receipt".to_owned());
    let carrier: Arc<dyn Carrier> =
        Arc::new(Kannel::new(KannelSettings::new(&url, "Tend", report_url)).map_err(BenchError::of)?);
    let texts = bench.tend(carrier, args.connections).await?;
    report.results.push(Figure::higher(
        "texts",
        "per s",
        texts,
        "bare pipeline, same writes, 8 connections",
        pipeline,
    ));
    Ok(report)
}

/// Mails a second of `smtp-source` over eight connections that it keeps.
fn smtp_source(program: &std::path::Path, sink: &Sink, messages: u32) -> Result<f64, BenchError> {
    let begin = Instant::now();
    let status = Command::new(program)
        .args(["-d", "-s", "8", "-l", "1200", "-m", &messages.to_string()])
        .args(["-f", "care@hospital.example", "-t", "p@patients.example"])
        .arg(sink.address.to_string())
        .stdout(Stdio::null())
        .status()
        .map_err(BenchError::of)?;
    if status.success() {
        Ok(f64::from(messages) / begin.elapsed().as_secs_f64())
    } else {
        Err(BenchError(format!("smtp-source ended with {status}")))
    }
}

struct Bench {
    app: Arc<App>,
    clock: Arc<MovedClock>,
    bare: Bare,
    messages: usize,
    enrolled: usize,
}

impl Bench {
    async fn start(url: &str, messages: usize) -> Result<Self, BenchError> {
        Store::migrate(url).await.map_err(BenchError::of)?;
        let store = Store::open(url, Vault::new(&[9; 32]), Open::Serve).await.map_err(BenchError::of)?;
        let clock = Arc::new(MovedClock::default());
        clock.stand_at(first_morning());
        let app = App::new(store, clock.clone(), Arc::new(SystemClock), Arc::new(FreshIds));
        let mut tx = app.store.begin();
        tx.add_site(SITE, &SiteSettings::default(), clock.now()).await.map_err(BenchError::of)?;
        tx.publish(SITE, &workflow()?, None, clock.now()).await.map_err(BenchError::of)?;
        tx.commit().await.map_err(BenchError::of)?;
        app.refresh().await.map_err(BenchError::of)?;
        let bare = Bare::open(&app.store, url).await?;
        Ok(Self { app: Arc::new(app), clock, bare, messages, enrolled: 0 })
    }

    /// Patients who will be asked on the next day at noon, by one channel. Everybody before them has been asked.
    async fn enroll(&mut self, channel: Channel) -> Result<(), BenchError> {
        let now = self.clock.now();
        let numbers: Vec<usize> = (self.enrolled..self.enrolled + self.messages).collect();
        self.enrolled += self.messages;
        for group in numbers.chunks(GROUP_MAX) {
            let newcomers: Vec<Newcomer> =
                group.iter().map(|n| newcomer(*n, channel, now)).collect::<Result<_, _>>()?;
            self.app.enroll(Actor::System, &newcomers).await.map_err(BenchError::of)?;
        }
        // On the day after, they have their first scores.
        while self.app.score_wanted().await.map_err(BenchError::of)? > 0 {}
        self.clock.stand_at(now + SignedDuration::from_hours(26));
        self.night().await
    }

    /// The night between is over: everybody has been looked at, as in a hospital when the day's first messages go.
    async fn night(&self) -> Result<(), BenchError> {
        for job in self.app.long_jobs_due().await.map_err(BenchError::of)? {
            self.app.run_long_job(job, &|| false).await.map_err(BenchError::of)?;
        }
        Ok(())
    }

    /// Nobody enrolled so far is due again, and no message of theirs is to go.
    async fn retire(&self) -> Result<(), BenchError> {
        for statement in [
            "update patient set wake_at = null",
            "update message set state = 'withdrawn' where state = 'scheduled'",
        ] {
            match self.app.store.job_pool() {
                JobPool::Sqlite(pool) => sqlx::query(statement).execute(&pool).await.map(|_| ()),
                JobPool::Postgres(pool) => sqlx::query(statement).execute(&pool).await.map(|_| ()),
            }
            .map_err(BenchError::of)?;
        }
        self.clock.stand_at(self.clock.now() - SignedDuration::from_hours(2));
        Ok(())
    }

    /// A mail as Tend composes it.
    fn mail(&self, sink: &Sink) -> Result<String, BenchError> {
        let body = format!("How are you today? Open {}/a/{} and tell us.\r\n", sink.address, "x".repeat(22));
        Ok(format!(
            "Subject: Follow-up\r\nMessage-ID: <{}@hospital.example>\r\n\r\n{}",
            "0".repeat(36),
            body.repeat(12)
        ))
    }

    /// Step rows, claim rows, a bare client, receipt rows: a hundred messages a commit, and while a group is sent the receipts
    /// of the one before it are written.
    async fn pipeline(&mut self, channel: Channel, sink: &Sink, content: &str) -> Result<f64, BenchError> {
        self.enroll(channel).await?;
        let now = self.clock.now();
        let due = self.due().await?;
        let mut groups = Vec::new();
        for ids in due.chunks(GROUP_MAX) {
            groups.push(Written::of(&self.app, ids).await?);
        }
        let clients = BareClients::connect(channel, sink.address, content)?;
        let sizes: Vec<usize> = due.chunks(GROUP_MAX).map(<[PatientId]>::len).collect();
        let begin = Instant::now();
        for at in 0..=groups.len() {
            if let Some(group) = groups.get(at) {
                self.bare.write(std::slice::from_ref(&group.step), now.as_microsecond()).await?;
                self.bare.write(std::slice::from_ref(&group.claim), i64::MIN).await?;
                for _ in 0..sizes[at] {
                    clients.send(at)?;
                }
            }
            if let Some(last) = at.checked_sub(1) {
                for _ in 0..sizes[last] {
                    clients.taken()?;
                }
                self.bare.write(std::slice::from_ref(&groups[last].receipt), i64::MIN).await?;
            }
        }
        let rate = due.len() as f64 / begin.elapsed().as_secs_f64();
        clients.close();
        self.retire().await?;
        Ok(rate)
    }

    async fn due(&self) -> Result<Vec<PatientId>, BenchError> {
        let due = self.app.store.due(self.clock.now(), self.messages as u64).await.map_err(BenchError::of)?;
        if due.len() == self.messages {
            return Ok(due);
        }
        Err(BenchError(format!("{} patients were to be due, but {} are", self.messages, due.len())))
    }

    /// The product's own workers, from the first step to the last receipt.
    async fn tend(&mut self, carrier: Arc<dyn Carrier>, connections: u16) -> Result<f64, BenchError> {
        let channel = carrier.channel();
        self.enroll(channel).await?;
        self.due().await?;
        let before = self.handed_over().await?;
        let begin = Instant::now();
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let shutdown = async {
            // A dropped sender says the same.
            let _ = stopped.await;
        };
        let roles = Roles { connections, ..Roles::default() };
        let working = tokio::spawn(jobs::run(self.app.clone(), vec![carrier], roles, shutdown));
        while self.is_under_way(channel).await? {
            if begin.elapsed() > PATIENCE {
                return Err(BenchError(format!("the messages were not handed over within {PATIENCE:?}")));
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        let rate = self.messages as f64 / begin.elapsed().as_secs_f64();
        drop(stop);
        working.await.map_err(BenchError::of)?;
        let handed_over = self.handed_over().await? - before;
        if usize::try_from(handed_over) != Ok(self.messages) {
            return Err(BenchError(format!("{handed_over} of {} messages were handed over", self.messages)));
        }
        self.retire().await?;
        Ok(rate)
    }

    /// Whether somebody is due, or a message waits or is on its way: three looks at the ends of indexes.
    async fn is_under_way(&self, channel: Channel) -> Result<bool, BenchError> {
        let (store, now) = (&self.app.store, self.clock.now());
        let due = store.due(now, 1).await.map_err(BenchError::of)?;
        if !due.is_empty() || !store.ready(channel, now, 1).await.map_err(BenchError::of)?.is_empty() {
            return Ok(true);
        }
        let query = "select exists (select 1 from message where state = 'claimed')";
        match store.job_pool() {
            JobPool::Sqlite(pool) => sqlx::query_scalar(query).fetch_one(&pool).await,
            JobPool::Postgres(pool) => sqlx::query_scalar(query).fetch_one(&pool).await,
        }
        .map_err(BenchError::of)
    }

    async fn handed_over(&self) -> Result<i64, BenchError> {
        let query = "select count(*) from attempt where result = 'accepted'";
        match self.app.store.job_pool() {
            JobPool::Sqlite(pool) => sqlx::query_scalar(query).fetch_one(&pool).await,
            JobPool::Postgres(pool) => sqlx::query_scalar(query).fetch_one(&pool).await,
        }
        .map_err(BenchError::of)
    }
}

/// 2 March 2026, 10:00 UTC.
fn first_morning() -> Timestamp {
    Timestamp::constant(1_772_445_600, 0)
}

fn newcomer(n: usize, channel: Channel, now: Timestamp) -> Result<Newcomer, BenchError> {
    let name = |text: &str| Name::parse(text).map_err(BenchError::of);
    let address = match channel {
        Channel::Email => format!("p{n}@patients.example"),
        Channel::Sms => format!("+4477{:08}", 9_000_000 + n),
    };
    let today = jiff::tz::TimeZone::UTC.to_datetime(now).date();
    Ok(Newcomer {
        site: SITE,
        team: None,
        demographics: Demographics {
            name: format!("Bench Patient {n}"),
            birth_date: jiff::civil::date(1950, 1, 1),
            sex: None,
        },
        identifiers: Vec::new(),
        contact_points: vec![ContactPoint { channel, address, owner: Owner::Own }],
        consents: vec![Consent {
            purpose: FOLLOW_UP.into(),
            channel,
            wording: "1".into(),
            how: "bench".into(),
            given_by: "bench".into(),
            given_at: now,
        }],
        language: "en".into(),
        zone: "UTC".into(),
        preferred: Some(channel),
        daily_consent: true,
        course: Course {
            workflow: name("hf-discharge-90d")?,
            facts: BTreeMap::from([(name("dry_weight")?, Value::Number(Decimal::whole(80)))]),
            anchors: BTreeMap::from([(name("discharge")?, today)]),
        },
    })
}
