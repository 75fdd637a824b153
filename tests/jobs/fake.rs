//! The application as workers see it, in memory: messages wait, are claimed, begun and end.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tend::app::{JobPool, Topic};
use tend::jobs::Stop;
use tend::jobs::work::{Claim, Later, Ticket, Work, WorkError, Writing};
use tend::ports::{Handover, Outgoing};
use tend_engine::{MessageId, PatientId, model::Channel};
use tokio::sync::watch;

/// Messages in memory. What a test looks at is public.
pub struct Fake {
    waiting: Mutex<VecDeque<MessageId>>,
    held: Mutex<BTreeMap<MessageId, i64>>,
    /// Marked as begun, in order.
    pub begun: Mutex<Vec<Ticket>>,
    /// How messages ended, in order.
    pub ended: Mutex<Vec<(Ticket, Handover)>>,
    /// Given back.
    pub released: Mutex<Vec<Ticket>>,
    /// Commits.
    pub commits: AtomicUsize,
    /// Ticks, and the sweeps.
    pub ticks: AtomicUsize,
    /// Every write fails while it is set.
    pub broken: AtomicBool,
    /// The next tick panics.
    pub panics: AtomicBool,
    /// How long a claim lasts.
    pub lasts: Mutex<Duration>,
    fence: AtomicU64,
    changed: watch::Sender<u64>,
}

impl Fake {
    pub fn with(messages: u128) -> Fake {
        Fake {
            waiting: Mutex::new((1..=messages).map(MessageId).collect()),
            held: Mutex::default(),
            begun: Mutex::default(),
            ended: Mutex::default(),
            released: Mutex::default(),
            commits: AtomicUsize::new(0),
            ticks: AtomicUsize::new(0),
            broken: AtomicBool::new(false),
            panics: AtomicBool::new(false),
            lasts: Mutex::new(Duration::from_secs(5)),
            fence: AtomicU64::new(1),
            changed: watch::Sender::new(0),
        }
    }

    pub fn add(&self, message: u128) {
        self.waiting.lock().unwrap().push_back(MessageId(message));
        self.changed.send_modify(|n| *n += 1);
    }

    pub fn count(&self, ending: &str) -> usize {
        let ended = self.ended.lock().unwrap();
        ended.iter().filter(|(_, how)| crate::deliver::word(how) == ending).count()
    }

    fn take(&self, channel: Channel, limit: usize) -> Vec<Claim> {
        let mut waiting = self.waiting.lock().unwrap();
        let many = limit.min(waiting.len());
        let lasts = *self.lasts.lock().unwrap();
        let claim = |id: MessageId| {
            let fence = i64::try_from(self.fence.fetch_add(1, Ordering::SeqCst)).unwrap();
            self.held.lock().unwrap().insert(id, fence);
            let ticket = Ticket { message: id, patient: PatientId(id.0), fence };
            let outgoing = Outgoing {
                id,
                channel,
                to: format!("p{}@patients.example", id.0),
                subject: "Follow-up".into(),
                text: "How are you today?".into(),
                html: None,
                language: "en".into(),
                deadline: Instant::now() + lasts,
            };
            Claim { ticket, outgoing }
        };
        waiting.drain(..many).map(claim).collect()
    }

    fn holds(&self, ticket: &Ticket) -> bool {
        self.held.lock().unwrap().get(&ticket.message) == Some(&ticket.fence)
    }
}

impl Work for Fake {
    fn changes(&self, _: Topic) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    fn tick(&self) -> Later<'_, usize> {
        self.ticks.fetch_add(1, Ordering::SeqCst);
        assert!(!self.panics.swap(false, Ordering::SeqCst), "a tick that panics on request");
        Box::pin(async { Ok(0) })
    }

    fn until_due(&self) -> Later<'_, Option<Duration>> {
        Box::pin(async { Ok(None) })
    }

    fn claim(&self, channel: Channel, limit: usize, _: Instant) -> Later<'_, Vec<Claim>> {
        Box::pin(async move { Ok(self.take(channel, limit)) })
    }

    fn write<'a>(&'a self, writing: &'a Writing) -> Later<'a, Vec<Ticket>> {
        Box::pin(async move {
            // As long as a commit to a disk takes.
            tokio::time::sleep(Duration::from_millis(1)).await;
            if self.broken.load(Ordering::SeqCst) {
                return Err(WorkError("broken on request".into()));
            }
            self.commits.fetch_add(1, Ordering::SeqCst);
            for (ticket, how) in &writing.finish {
                assert!(self.holds(ticket), "only who holds a message says how it ended");
                self.held.lock().unwrap().remove(&ticket.message);
                self.ended.lock().unwrap().push((*ticket, how.clone()));
            }
            let begun: Vec<Ticket> =
                writing.begin.iter().filter(|ticket| self.holds(ticket)).copied().collect();
            self.begun.lock().unwrap().extend(&begun);
            Ok(begun)
        })
    }

    fn release<'a>(&'a self, tickets: &'a [Ticket]) -> Later<'a, ()> {
        Box::pin(async move {
            for ticket in tickets {
                assert!(self.holds(ticket), "only who holds a message gives it back");
                assert!(!self.begun.lock().unwrap().contains(ticket), "what was begun is not given back");
                self.held.lock().unwrap().remove(&ticket.message);
                self.released.lock().unwrap().push(*ticket);
                self.waiting.lock().unwrap().push_back(ticket.message);
            }
            Ok(())
        })
    }

    fn until_ready(&self, _: Channel) -> Later<'_, Option<Duration>> {
        Box::pin(async { Ok((!self.waiting.lock().unwrap().is_empty()).then_some(Duration::ZERO)) })
    }

    fn sweep(&self) -> Later<'_, usize> {
        Box::pin(async { Ok(0) })
    }

    fn score(&self) -> Later<'_, usize> {
        Box::pin(async { Ok(0) })
    }

    fn job_pool(&self) -> Option<JobPool> {
        None
    }

    fn long_due(&self) -> Later<'_, Vec<String>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn long_run<'a>(&'a self, _: &'a str, _: &'a Stop) -> Later<'a, ()> {
        Box::pin(async { Ok(()) })
    }

    fn long_broke<'a>(&'a self, _: &'a str) -> Later<'a, ()> {
        Box::pin(async { Ok(()) })
    }
}
