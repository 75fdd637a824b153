//! A lane hands over the messages of one channel: it claims no more than it can hand over within the deadline, and
//! each of its connections carries one message at a time.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use tokio::task::JoinSet;
use tracing::warn;

use crate::app::{Carrier, Connection, Handover, Refusal};

use super::{
    fault::{self, Point},
    scribe::Pen,
    stop::Stop,
    work::{Claim, Ticket, Work, WorkError},
};

/// How long a claim may wait for its first byte.
pub const CLAIM_SECONDS: u64 = 5;
/// A message is not begun so shortly before its claim runs out.
pub const MARGIN: Duration = Duration::from_millis(500);
/// A round tells its pace after so long.
const PACE_MIN: Duration = Duration::from_millis(20);
/// Most messages of one claim.
pub const CLAIM_MAX: usize = 256;
/// The shortest rest after a carrier could not be reached.
pub const REST_MIN: Duration = Duration::from_millis(500);
/// The longest rest after a carrier could not be reached.
pub const REST_MAX: Duration = Duration::from_secs(30);

/// One channel's way out.
pub struct Lane {
    work: Arc<dyn Work>,
    carrier: Arc<dyn Carrier>,
    connections: usize,
    /// Handed over per second, by the last round that could tell.
    pace: AtomicU32,
    rest: Mutex<Rest>,
    kept: Mutex<Vec<Box<dyn Connection>>>,
}

/// Whether the carrier is left alone for a while.
#[derive(Debug, Default)]
struct Rest {
    until: Option<Instant>,
    length: Duration,
}

/// What a round did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Round {
    /// Nothing may go now.
    Idle,
    /// The carrier cannot be reached: the lane rests.
    Resting,
    /// So many were claimed.
    Went(usize),
}

impl Lane {
    /// A lane with so many connections.
    #[must_use]
    pub fn new(work: Arc<dyn Work>, carrier: Arc<dyn Carrier>, connections: usize) -> Self {
        Self {
            work,
            carrier,
            connections: connections.max(1),
            pace: AtomicU32::new(0),
            rest: Mutex::default(),
            kept: Mutex::default(),
        }
    }

    /// How long there is nothing to do: until the next message may go, and while the carrier is left alone.
    pub async fn until_ready(&self) -> Option<Duration> {
        // The net catches what a moment's trouble hides.
        let ready = self.work.until_ready(self.carrier.channel()).await.ok().flatten();
        let rest = locked(&self.rest).until.map(|until| until.saturating_duration_since(Instant::now()));
        ready.map(|ready| ready.max(rest.unwrap_or_default()))
    }

    /// Hands over until nothing may go now, the carrier cannot be reached or the signal to stop comes.
    ///
    /// # Errors
    /// [`WorkError`] when messages cannot be claimed; what was in flight is finished.
    pub async fn drain(&self, stop: &Stop) -> Result<(), WorkError> {
        while !stop.is_set() {
            match self.round(stop).await? {
                Round::Went(_) => {}
                Round::Idle | Round::Resting => break,
            }
        }
        // A server does not wait for ever for the next mail.
        let mut kept = std::mem::take(&mut *locked(&self.kept));
        join_all(kept.iter_mut().map(|connection| connection.leave())).await;
        Ok(())
    }

    /// Claims once and hands over what it got. While the last of it is under way the next claim is prepared.
    async fn round(&self, stop: &Stop) -> Result<Round, WorkError> {
        if locked(&self.rest).until.is_some_and(|until| Instant::now() < until) {
            return Ok(Round::Resting);
        }
        let line = Arc::new(Line::new());
        let mut claimed = self.claim(&line).await?;
        if claimed == 0 {
            return Ok(Round::Idle);
        }
        let pen = Pen::new(self.work.clone());
        let mut senders = JoinSet::new();
        self.staff(&line, claimed, &pen, &mut senders, stop);
        let more = self.refill(&line, &pen, &mut senders, stop).await;
        drop(pen);
        line.close();
        while let Some(ended) = senders.join_next().await {
            match ended {
                Ok(connection) => {
                    locked(&self.kept).extend(connection.filter(|connection| connection.usable()));
                }
                Err(error) => warn!("a connection's task ended badly: {error}"),
            }
        }
        let left: Vec<Ticket> = line.rest().iter().map(|claim| claim.ticket).collect();
        self.work.release(&left).await?;
        claimed += more?;
        self.note(&line);
        Ok(if line.is_left_alone() { Round::Resting } else { Round::Went(claimed) })
    }

    /// Sets connections to work until there is one for each claim, or no more are allowed.
    fn staff(
        &self,
        line: &Arc<Line>,
        claimed: usize,
        pen: &Pen,
        senders: &mut JoinSet<Option<Box<dyn Connection>>>,
        stop: &Stop,
    ) {
        let room = self.connections.saturating_sub(senders.len());
        for _ in 0..room.min(claimed) {
            line.senders.fetch_add(1, Ordering::SeqCst);
            let sender = Sender {
                line: line.clone(),
                carrier: self.carrier.clone(),
                pen: pen.clone(),
                connection: locked(&self.kept).pop(),
                stop: stop.clone(),
            };
            senders.spawn(sender.run());
        }
    }

    /// Claims again whenever half of what was claimed is gone, until nothing more may go.
    async fn refill(
        &self,
        line: &Arc<Line>,
        pen: &Pen,
        senders: &mut JoinSet<Option<Box<dyn Connection>>>,
        stop: &Stop,
    ) -> Result<usize, WorkError> {
        let mut more = 0;
        loop {
            line.half_gone(self.limit(line) / 2).await;
            if stop.is_set() || line.is_closed() {
                return Ok(more);
            }
            match self.claim(line).await? {
                0 => return Ok(more),
                claimed => {
                    self.staff(line, claimed, pen, senders, stop);
                    more += claimed;
                }
            }
        }
    }

    async fn claim(&self, line: &Line) -> Result<usize, WorkError> {
        let deadline = Instant::now() + Duration::from_secs(CLAIM_SECONDS);
        let claims = self.work.claim(self.carrier.channel(), self.limit(line), deadline).await?;
        let claimed = claims.len();
        if claimed > 0 {
            fault::here(Point::AfterClaim);
        }
        line.add(claims);
        Ok(claimed)
    }

    /// Half of what the pace allows within the deadline: the line holds up to twice as much.
    fn limit(&self, line: &Line) -> usize {
        let pace = line.pace().unwrap_or_else(|| self.pace.load(Ordering::Relaxed));
        let pace = usize::try_from(pace).unwrap_or(CLAIM_MAX);
        let seconds = usize::try_from(CLAIM_SECONDS).unwrap_or(1);
        (pace * seconds / 4).clamp(2 * self.connections, CLAIM_MAX)
    }

    fn note(&self, line: &Line) {
        if let Some(pace) = line.pace() {
            self.pace.store(pace, Ordering::Relaxed);
        }
        let asked = Duration::from_secs(line.wait_seconds.load(Ordering::SeqCst).into());
        let mut rest = locked(&self.rest);
        rest.length = match line.refusal() {
            Some(refusal) => {
                let length = (rest.length * 2).clamp(REST_MIN, REST_MAX).max(asked);
                warn!("the carrier cannot be reached and is left alone for {length:?}: {}", refusal.reason);
                length
            }
            None if !asked.is_zero() => {
                warn!("the carrier asks to be left alone for {asked:?}");
                asked
            }
            None => Duration::ZERO,
        };
        rest.until = (!rest.length.is_zero()).then(|| Instant::now() + rest.length);
    }
}

/// Claims that wait for a connection.
struct Line {
    claims: Mutex<VecDeque<Claim>>,
    /// Told when claims came, or the line was closed: to connections that wait.
    more: tokio::sync::Notify,
    /// Told when a claim was taken, or the line was closed: to whoever claims.
    fewer: tokio::sync::Notify,
    closed: AtomicBool,
    /// The carrier asked to be left alone for so many seconds.
    wait_seconds: AtomicU32,
    /// Connections at work; when the last one is gone, nobody takes any more.
    senders: AtomicU32,
    begin: Instant,
    handed_over: AtomicU32,
    refusal: Mutex<Option<Refusal>>,
}

impl Line {
    fn new() -> Self {
        Self {
            claims: Mutex::default(),
            more: tokio::sync::Notify::new(),
            fewer: tokio::sync::Notify::new(),
            closed: AtomicBool::new(false),
            wait_seconds: AtomicU32::new(0),
            senders: AtomicU32::new(0),
            begin: Instant::now(),
            handed_over: AtomicU32::new(0),
            refusal: Mutex::default(),
        }
    }

    /// Handed over per second in this round, once it is long enough to tell.
    fn pace(&self) -> Option<u32> {
        let (handed_over, took) = (self.handed_over.load(Ordering::Relaxed), self.begin.elapsed());
        if handed_over == 0 || took < PACE_MIN {
            return None;
        }
        // A count below 2^32 per second, so the conversion only drops the fraction.
        Some((f64::from(handed_over) / took.as_secs_f64()).min(1e6) as u32)
    }

    fn add(&self, claims: Vec<Claim>) {
        locked(&self.claims).extend(claims);
        self.more.notify_waiters();
    }

    fn take(&self) -> Option<Claim> {
        let claim = locked(&self.claims).pop_front();
        // A look at an empty line wakes nobody: else those who wait would keep each other awake.
        if claim.is_some() {
            self.fewer.notify_one();
        }
        claim
    }

    fn rest(&self) -> VecDeque<Claim> {
        std::mem::take(&mut locked(&self.claims))
    }

    /// Nothing more will come.
    fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
        self.more.notify_waiters();
        self.fewer.notify_one();
    }

    fn is_closed(&self) -> bool {
        self.closed.load(Ordering::SeqCst)
    }

    /// The carrier cannot be reached: what is claimed is released. Says whether this was the first to find out.
    fn refuse(&self, refusal: Refusal) -> bool {
        let mut found = locked(&self.refusal);
        let first = found.is_none();
        found.get_or_insert(refusal);
        drop(found);
        self.close();
        first
    }

    /// A carrier that names a time to wait is left alone for as long: what is claimed is released.
    fn heed(&self, ending: &Handover) {
        let Handover::Refused(Refusal { retry_after_seconds: Some(seconds), .. }) = ending else { return };
        self.wait_seconds.fetch_max(*seconds, Ordering::SeqCst);
        self.close();
    }

    fn is_left_alone(&self) -> bool {
        self.wait_seconds.load(Ordering::SeqCst) > 0 || locked(&self.refusal).is_some()
    }

    fn refusal(&self) -> Option<Refusal> {
        locked(&self.refusal).clone()
    }

    /// The next claim; waits for one until the line is closed.
    async fn next(&self) -> Option<Claim> {
        loop {
            let told = self.more.notified();
            tokio::pin!(told);
            told.as_mut().enable();
            if self.is_left_alone() {
                return None;
            }
            if let Some(claim) = self.take() {
                return Some(claim);
            }
            if self.is_closed() {
                return None;
            }
            told.await;
        }
    }

    /// Waits until no more than `left` claims wait.
    async fn half_gone(&self, left: usize) {
        while !self.is_closed() && locked(&self.claims).len() > left {
            // One told before this is awaited is kept.
            self.fewer.notified().await;
        }
    }
}

/// One connection's work in a round.
struct Sender {
    line: Arc<Line>,
    carrier: Arc<dyn Carrier>,
    pen: Pen,
    connection: Option<Box<dyn Connection>>,
    stop: Stop,
}

impl Drop for Sender {
    fn drop(&mut self) {
        if self.line.senders.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.line.close();
        }
    }
}

impl Sender {
    /// Hands over until nothing is left; gives its connection back.
    async fn run(mut self) -> Option<Box<dyn Connection>> {
        let mut finished = None;
        loop {
            let next = match self.line.take() {
                Some(claim) => Some(claim),
                None => {
                    // Nobody waits behind us: what is known is written at once.
                    if finished.is_some() {
                        self.pen.write(finished.take(), None).await;
                    }
                    self.line.next().await
                }
            };
            let Some(claim) = next else { break };
            if self.stop.is_set() || self.line.is_left_alone() {
                self.line.add(vec![claim]);
                self.line.close();
                break;
            }
            if let Some(refusal) = self.connect().await {
                finished = self.unreachable(claim, finished, refusal).await;
                break;
            }
            if Instant::now() + MARGIN >= claim.outgoing.deadline {
                // Released with the rest at the end of the round, to be guarded anew.
                self.line.add(vec![claim]);
                self.line.close();
                break;
            }
            if !self.pen.write(finished.take(), Some(claim.ticket)).await {
                continue;
            }
            if let Some(connection) = &mut self.connection {
                fault::here(Point::AfterBegin);
                fault::here(Point::MidSend);
                let ending = connection.hand_over(&claim.outgoing).await;
                fault::here(Point::BeforeFinish);
                self.line.handed_over.fetch_add(1, Ordering::Relaxed);
                self.line.heed(&ending);
                finished = Some((claim.ticket, ending));
            }
        }
        if finished.is_some() {
            self.pen.write(finished, None).await;
        }
        self.connection.take()
    }

    /// Opens a connection where there is none that can be used.
    async fn connect(&mut self) -> Option<Refusal> {
        if self.connection.as_ref().is_some_and(|connection| connection.usable()) {
            return None;
        }
        match self.carrier.connect().await {
            Ok(connection) => {
                self.connection = Some(connection);
                None
            }
            Err(refusal) => Some(refusal),
        }
    }

    /// The first to find the door closed writes it down for its message; the others are released untouched.
    async fn unreachable(
        &mut self,
        claim: Claim,
        finished: Option<(Ticket, Handover)>,
        refusal: Refusal,
    ) -> Option<(Ticket, Handover)> {
        self.connection = None;
        if !self.line.refuse(refusal.clone()) {
            self.line.add(vec![claim]);
            return finished;
        }
        if self.pen.write(finished, Some(claim.ticket)).await {
            return Some((claim.ticket, Handover::Refused(refusal)));
        }
        None
    }
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
