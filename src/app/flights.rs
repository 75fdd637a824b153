//! Messages that this process has claimed and not yet told the end of: what their endings need to know is not read again.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use tend_engine::MessageId;

use super::relay::Ticket;
use crate::store::Flight;

/// The claims of this process. What is not here is read from the database.
#[derive(Debug, Default)]
pub struct Flights(Mutex<HashMap<MessageId, Flight>>);

impl Flights {
    /// Notes claims that were committed.
    pub fn note(&self, claims: impl Iterator<Item = Flight>) {
        let mut flights = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        flights.extend(claims.map(|claim| (claim.id, claim)));
    }

    /// The claim that a ticket stands for.
    pub fn of(&self, ticket: &Ticket) -> Option<Flight> {
        let flights = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        flights.get(&ticket.message).filter(|flight| flight.fence == ticket.fence).cloned()
    }

    /// They have ended.
    pub fn forget<'a>(&self, ended: impl Iterator<Item = &'a MessageId>) {
        let mut flights = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for id in ended {
            flights.remove(id);
        }
    }
}
