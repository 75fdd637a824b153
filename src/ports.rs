//! What the application needs from outside, as small traits: time, ids, carriers.

use std::{future::Future, pin::Pin, time::Instant};

use jiff::Timestamp;
use tend_engine::{MessageId, model::Channel};

/// A future that a trait object returns.
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The clock of the clinical world. The demo may move it; leases, sessions and limits never use it.
pub trait Clock: Send + Sync {
    /// Now, in whole microseconds.
    fn now(&self) -> Timestamp;
}

/// Makes ids: UUIDv7, as 128 bits.
pub trait Ids: Send + Sync {
    /// A fresh id.
    fn fresh(&self) -> u128;
}

/// A message, rendered for its hand-over: today's address and language.
#[derive(Debug, Clone)]
pub struct Outgoing {
    /// The row's id. Message-ID and gateway references are derived from it, so they are the same at every attempt.
    pub id: MessageId,
    /// How it travels.
    pub channel: Channel,
    /// Telephone number in E.164 form, or e-mail address.
    pub to: String,
    /// Subject of an e-mail; empty for SMS.
    pub subject: String,
    /// Plain words.
    pub text: String,
    /// HTML part of an e-mail.
    pub html: Option<String>,
    /// Language tag.
    pub language: String,
    /// No first byte may leave after this instant.
    pub deadline: Instant,
}

/// How handing a message to a carrier ended. The third is the honest one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Handover {
    /// The carrier took it and gave this reference.
    Accepted(ProviderRef),
    /// A clear no.
    Refused(Refusal),
    /// Once the request may have been taken, no clear answer.
    Unknown(Cause),
}

/// The carrier's reference of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderRef(pub String);

/// A clear no.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// A permanent refusal goes down the channel ladder; another is tried again under the same key.
    pub permanent: bool,
    /// The carrier asked to wait at least this long.
    pub retry_after_seconds: Option<u32>,
    /// The carrier's words, without addresses.
    pub reason: String,
}

/// Why there is no clear answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// No answer in time.
    TimedOut,
    /// The connection was cut.
    Cut,
    /// An answer that says neither yes nor no.
    Unclear,
}

/// What a carrier can do about doubt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doubts {
    /// It takes our key and drops a repeat.
    TakesOurKey,
    /// It can be asked later by our reference.
    CanBeAsked,
    /// Neither: a doubtful message is never sent again.
    Neither,
}

/// A way to hand messages over.
pub trait Carrier: Send + Sync {
    /// Which channel it serves.
    fn channel(&self) -> Channel;
    /// What it can do about doubt.
    fn doubts(&self) -> Doubts;
    /// Opens a connection for a group of messages.
    fn connect(&self) -> Pending<'_, Result<Box<dyn Connection>, Refusal>>;
}

/// A connection to a carrier: one message at a time.
pub trait Connection: Send {
    /// Hands one message over. Never panics, always ends.
    fn hand_over<'a>(&'a mut self, message: &'a Outgoing) -> Pending<'a, Handover>;
    /// Whether another message may go over it.
    fn usable(&self) -> bool;
    /// Says goodbye; nothing is handed over after it. Ends soon, whatever the other side does.
    fn leave(&mut self) -> Pending<'_, ()> {
        Box::pin(std::future::ready(()))
    }
}

/// What the demo's own pages can do: look into the mailbox of its invented patients and move the clock.
pub trait Demo: Send + Sync {
    /// The newest messages that were handed over, newest first, at most `limit`.
    fn mailbox(&self, limit: usize) -> Pending<'_, Result<Vec<MailboxEntry>, String>>;
    /// Moves the clinical clock on by that many hours, step by step, as if the time had passed.
    fn move_clock(&self, hours: u32) -> Pending<'_, Result<DemoMove, String>>;
    /// The patient who got that message writes back.
    fn reply<'a>(&'a self, to: &'a str, text: &'a str) -> Pending<'a, Result<(), String>>;
}

/// A message in the demo's mailbox.
#[derive(Debug, Clone)]
pub struct MailboxEntry {
    /// How it came.
    pub channel: Channel,
    /// Whose telephone or mailbox.
    pub to: String,
    /// The patient's name.
    pub name: String,
    /// Subject of an e-mail.
    pub subject: String,
    /// Words.
    pub text: String,
    /// The link in it, as a path on this server.
    pub link: Option<String>,
    /// When it was handed over.
    pub at: Timestamp,
}

/// What happened while the demo's clock was moved.
#[derive(Debug, Clone, Copy, Default)]
pub struct DemoMove {
    /// Messages handed over.
    pub messages: u64,
    /// Questionnaires that the invented patients answered.
    pub answers: u64,
    /// Alerts and tasks that came up.
    pub tasks: u64,
}
