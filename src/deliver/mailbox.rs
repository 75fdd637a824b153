//! The demo's carrier for every channel: it takes each message at once.
//!
//! It keeps nothing: the mailbox page shows the attempts that the store keeps, so it survives a restart.

use tend_engine::model::Channel;

use crate::ports::{Carrier, Connection, Doubts, Handover, Outgoing, Pending, ProviderRef, Refusal};

use super::ran_out;

/// Takes everything on one channel.
#[derive(Debug, Clone, Copy)]
pub struct Mailbox {
    channel: Channel,
}

impl Mailbox {
    /// A mailbox for a channel.
    #[must_use]
    pub fn new(channel: Channel) -> Self {
        Self { channel }
    }
}

impl Carrier for Mailbox {
    fn channel(&self) -> Channel {
        self.channel
    }

    fn doubts(&self) -> Doubts {
        Doubts::TakesOurKey
    }

    fn connect(&self) -> Pending<'_, Result<Box<dyn Connection>, Refusal>> {
        let connection: Box<dyn Connection> = Box::new(*self);
        Box::pin(std::future::ready(Ok(connection)))
    }
}

impl Connection for Mailbox {
    fn hand_over<'a>(&'a mut self, message: &'a Outgoing) -> Pending<'a, Handover> {
        let taken = || Handover::Accepted(ProviderRef(format!("mailbox {}", message.id)));
        Box::pin(std::future::ready(ran_out(message).unwrap_or_else(taken)))
    }

    fn usable(&self) -> bool {
        true
    }
}
