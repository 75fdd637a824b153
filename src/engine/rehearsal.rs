//! A patient followed through imagined time by the real planner: for case files, laws, simulation and the demo's past.
//!
//! It stands in for the ticker and the lanes: it wakes the planner when it asked to be woken, and hands over every
//! message whose time has come to a carrier that behaves as told.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::{
    EnrollmentId,
    fact::{Author, Entry, Fact, HandoverResult, MessageKey, NewFact},
    guard::handed_over,
    model::Channel,
    planner::{AdvanceError, Library, Made, advance},
    replay::Line,
    site::SiteSettings,
    state::{MessageStanding, PatientState},
};

/// Wake-ups in one run before it is taken for endless.
const WAKES_MAX: usize = 200_000;

/// How the imagined carriers behave.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Carriers {
    /// Channels that refuse for good.
    pub refuse: BTreeSet<Channel>,
    /// Nothing can be handed over: a temporary refusal each time.
    pub outage: bool,
    /// With an outage: how long they ask to be left alone.
    pub retry_after_seconds: Option<u32>,
    /// Answers get lost: nobody knows whether it was taken.
    pub unknown: bool,
    /// The lanes are down: nothing is claimed.
    pub idle: bool,
}

impl Carriers {
    /// How they end a hand-over.
    fn end(&self, channel: Channel) -> HandoverResult {
        if self.outage {
            let retry_after_seconds = self.retry_after_seconds;
            HandoverResult::Refused { permanent: false, retry_after_seconds }
        } else if self.refuse.contains(&channel) {
            HandoverResult::Refused { permanent: true, retry_after_seconds: None }
        } else if self.unknown {
            HandoverResult::Unknown
        } else {
            HandoverResult::Accepted
        }
    }
}

/// One patient in imagined time.
#[derive(Debug, Clone)]
pub struct Rehearsal<'a> {
    /// Versions.
    pub library: &'a Library,
    /// Settings.
    pub site: &'a SiteSettings,
    /// The patient.
    pub state: PatientState,
    /// Everything recorded so far.
    pub history: Vec<Entry>,
    /// How each entry of it came to be.
    pub made: Vec<Made>,
    /// The imagined time.
    pub now: Timestamp,
    /// When the planner asked to be woken.
    pub wake_at: Option<Timestamp>,
    /// How carriers behave from here on.
    pub carriers: Carriers,
}

impl<'a> Rehearsal<'a> {
    /// Nobody yet.
    #[must_use]
    pub fn new(library: &'a Library, site: &'a SiteSettings, now: Timestamp) -> Self {
        Self {
            library,
            site,
            state: PatientState::default(),
            history: Vec::new(),
            made: Vec::new(),
            now,
            wake_at: None,
            carriers: Carriers::default(),
        }
    }

    /// Advances with facts that happen now, without handing anything over.
    ///
    /// # Errors
    /// Those of [`advance`].
    pub fn record(&mut self, facts: Vec<NewFact>) -> Result<(), AdvanceError> {
        let advanced = advance(self.library, self.site, &mut self.state, facts, self.now)?;
        self.made.extend((0..advanced.entries.len()).map(|index| advanced.made(index)));
        self.history.extend(advanced.entries);
        self.wake_at = advanced.wake_at;
        Ok(())
    }

    /// The history as it would be stored.
    #[must_use]
    pub fn lines(&self) -> Vec<Line> {
        let both = self.history.iter().zip(&self.made);
        both.map(|(entry, made)| Line { entry: entry.clone(), made: *made }).collect()
    }

    /// A fact that happens now; then everything that can be handed over is.
    ///
    /// # Errors
    /// Those of [`advance`].
    pub fn happens(
        &mut self,
        enrollment: Option<EnrollmentId>,
        author: Author,
        fact: Fact,
    ) -> Result<(), AdvanceError> {
        self.record(vec![NewFact { enrollment, occurred_at: self.now, author, fact }])?;
        self.hand_over()
    }

    /// Lets time pass until `until`, waking whenever the planner or a message asks for it.
    ///
    /// # Errors
    /// Those of [`advance`].
    pub fn run_until(&mut self, until: Timestamp) -> Result<(), AdvanceError> {
        for _ in 0..WAKES_MAX {
            let next = [self.wake_at, self.next_message()].into_iter().flatten().min();
            let Some(next) = next.filter(|next| *next <= until) else {
                self.now = self.now.max(until);
                return Ok(());
            };
            self.now = self.now.max(next);
            self.record(Vec::new())?;
            self.hand_over()?;
        }
        Err(AdvanceError::TooMany { limit: WAKES_MAX })
    }

    fn next_message(&self) -> Option<Timestamp> {
        if self.carriers.idle {
            return None;
        }
        let scheduled = self.state.messages.values().filter(|m| m.standing == MessageStanding::Scheduled);
        scheduled.map(|message| message.send_after).min()
    }

    /// Hands over every message whose time has come.
    ///
    /// # Errors
    /// Those of [`advance`].
    pub fn hand_over(&mut self) -> Result<(), AdvanceError> {
        while let Some(key) = self.ready() {
            let carriers = |channel| self.carriers.end(channel);
            let facts = handed_over(self.library, self.site, &self.state, &key, self.now, carriers)?;
            for fact in facts {
                let new = NewFact { enrollment: None, occurred_at: self.now, author: Author::Carrier, fact };
                self.record(vec![new])?;
            }
        }
        Ok(())
    }

    fn ready(&self) -> Option<MessageKey> {
        if self.carriers.idle {
            return None;
        }
        let ready = self.state.messages.iter().find(|(_, message)| {
            message.standing == MessageStanding::Scheduled && message.send_after <= self.now
        });
        ready.map(|(key, _)| key.clone())
    }
}
