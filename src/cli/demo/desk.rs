//! What the demo's pages can do, and how background work waits while time is moved.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use jiff::SignedDuration;
use tend_engine::model::Channel;
use tokio::sync::{Mutex, watch};

use super::{
    seed,
    world::{World, WorldError},
};
use crate::{
    app::{
        App, JobPool, Topic,
        relay::{Claim, Ticket, Writing},
    },
    cli::clock::MovedClock,
    jobs::{
        Stop,
        work::{Later, Work},
    },
    ports::{Clock, Demo, DemoMove, MailboxEntry, Pending},
};

/// Set while time is moved: then the world does the work itself, event by event.
#[derive(Debug, Default)]
pub struct Gate(AtomicBool);

/// The demo's mailbox and clock.
pub struct Desk {
    app: Arc<App>,
    clock: Arc<MovedClock>,
    world: Mutex<World>,
    gate: Arc<Gate>,
}

impl Desk {
    /// Brings the parts together.
    #[must_use]
    pub fn new(app: Arc<App>, clock: Arc<MovedClock>, world: World, gate: Arc<Gate>) -> Self {
        Self { app, clock, world: Mutex::new(world), gate }
    }

    async fn entries(&self, limit: usize) -> Result<Vec<MailboxEntry>, WorldError> {
        let rows = self.app.store.sent(limit as u64).await?;
        let ids: Vec<_> = rows.iter().map(|row| row.patient).collect();
        let who = self.app.store.demographics_of(&ids).await?;
        let entry = |row: crate::store::read::SentRow| MailboxEntry {
            channel: row.channel,
            name: who.get(&row.patient).map(|person| person.name.clone()).unwrap_or_default(),
            link: link(&row.sent.text, &self.app.public_url),
            to: row.sent.to,
            subject: row.sent.subject,
            text: row.sent.text,
            at: row.at,
        };
        Ok(rows.into_iter().map(entry).collect())
    }

    async fn moved(&self, hours: u32) -> Result<DemoMove, WorldError> {
        let mut world = self.world.lock().await;
        self.gate.0.store(true, Ordering::SeqCst);
        let end = self.clock.now().checked_add(SignedDuration::from_hours(hours.into()))?;
        let before = self.app.store.open_tasks().await?;
        let outcome = world.run_until(end).await;
        self.clock.run_from(self.clock.now());
        self.gate.0.store(false, Ordering::SeqCst);
        seed::keep_offset(&self.app, &self.clock).await?;
        let after = self.app.store.open_tasks().await?;
        Ok(DemoMove { tasks: after.saturating_sub(before), ..outcome? })
    }
}

/// The link in a message, as a path on this server.
fn link(text: &str, public_url: &str) -> Option<String> {
    let from = text.find(public_url)?;
    let rest = text.get(from + public_url.len()..)?;
    let path: String = rest.chars().take_while(|c| c.is_ascii_alphanumeric() || "/-_".contains(*c)).collect();
    (path.len() > 1).then_some(path)
}

fn in_words(error: &WorldError) -> String {
    tracing::warn!("demo: {error}");
    error.to_string()
}

impl Demo for Desk {
    fn mailbox(&self, limit: usize) -> Pending<'_, Result<Vec<MailboxEntry>, String>> {
        Box::pin(async move { self.entries(limit).await.map_err(|error| in_words(&error)) })
    }

    fn move_clock(&self, hours: u32) -> Pending<'_, Result<DemoMove, String>> {
        Box::pin(async move { self.moved(hours).await.map_err(|error| in_words(&error)) })
    }

    fn reply<'a>(&'a self, to: &'a str, text: &'a str) -> Pending<'a, Result<(), String>> {
        Box::pin(
            async move { self.world.lock().await.receive(to, text).await.map_err(|error| in_words(&error)) },
        )
    }
}

/// The application's background work, which rests while time is moved.
pub struct Gated {
    app: Arc<App>,
    gate: Arc<Gate>,
}

impl Gated {
    /// Work behind a gate.
    #[must_use]
    pub fn new(app: Arc<App>, gate: Arc<Gate>) -> Self {
        Self { app, gate }
    }

    fn moving(&self) -> bool {
        self.gate.0.load(Ordering::SeqCst)
    }
}

impl Work for Gated {
    fn changes(&self, topic: Topic) -> watch::Receiver<u64> {
        Work::changes(&*self.app, topic)
    }

    fn tick(&self) -> Later<'_, usize> {
        if self.moving() { Box::pin(async { Ok(0) }) } else { Work::tick(&*self.app) }
    }

    fn until_due(&self) -> Later<'_, Option<Duration>> {
        Work::until_due(&*self.app)
    }

    fn claim(&self, channel: Channel, limit: usize, deadline: Instant) -> Later<'_, Vec<Claim>> {
        if self.moving() {
            Box::pin(async { Ok(Vec::new()) })
        } else {
            Work::claim(&*self.app, channel, limit, deadline)
        }
    }

    fn write<'a>(&'a self, writing: &'a Writing) -> Later<'a, Vec<Ticket>> {
        Work::write(&*self.app, writing)
    }

    fn release<'a>(&'a self, tickets: &'a [Ticket]) -> Later<'a, ()> {
        Work::release(&*self.app, tickets)
    }

    fn until_ready(&self, channel: Channel) -> Later<'_, Option<Duration>> {
        Work::until_ready(&*self.app, channel)
    }

    fn sweep(&self) -> Later<'_, usize> {
        if self.moving() { Box::pin(async { Ok(0) }) } else { Work::sweep(&*self.app) }
    }

    fn score(&self) -> Later<'_, usize> {
        if self.moving() { Box::pin(async { Ok(0) }) } else { Work::score(&*self.app) }
    }

    fn job_pool(&self) -> Option<JobPool> {
        Work::job_pool(&*self.app)
    }

    fn long_due(&self) -> Later<'_, Vec<String>> {
        if self.moving() { Box::pin(async { Ok(Vec::new()) }) } else { Work::long_due(&*self.app) }
    }

    fn long_run<'a>(&'a self, job: &'a str, stop: &'a Stop) -> Later<'a, ()> {
        Work::long_run(&*self.app, job, stop)
    }

    fn long_broke<'a>(&'a self, job: &'a str) -> Later<'a, ()> {
        Work::long_broke(&*self.app, job)
    }
}
