//! What becomes of claimed messages: marked as begun, handed over, refused, in doubt, or given back. No network call in here.

use std::collections::BTreeMap;

use jiff::Timestamp;
use tend_engine::{
    MessageId, PatientId,
    fact::{Author, Fact, HandoverResult, NewFact},
    model::Channel,
    state::{MessageStanding, PatientState},
};

use super::{
    App, Live,
    record::{TRIES_MAX, decide},
    relay::{Ticket, Writing},
};
use crate::{
    ports::{Handover, Refusal},
    store::{Batch, Ended, Flight, Locked, StoreError, Tx},
};

/// Receipts that came before their hand-overs were written down: whether each tells of a delivery.
type Early = BTreeMap<MessageId, Vec<bool>>;

impl App {
    /// Writes in one commit what several connections want written. Gives the tickets that are now marked as begun; who is
    /// not among them has lost its claim and must not send.
    ///
    /// # Errors
    /// [`StoreError`]; then nothing of it was written and nothing may be sent.
    pub async fn write(&self, writing: &Writing) -> Result<Vec<Ticket>, StoreError> {
        let mut early = Early::new();
        for _ in 1..TRIES_MAX {
            match self.write_once(writing, &mut early).await {
                Err(StoreError::Conflict) => {}
                other => return other,
            }
        }
        self.write_once(writing, &mut early).await
    }

    async fn write_once(&self, writing: &Writing, early: &mut Early) -> Result<Vec<Ticket>, StoreError> {
        let mut tx = self.store.begin();
        self.finish(&mut tx, &writing.finish, early).await?;
        let wanted: Vec<(MessageId, i64)> =
            writing.begin.iter().map(|ticket| (ticket.message, ticket.fence)).collect();
        let begun = if wanted.is_empty() { Vec::new() } else { tx.mark_begun(&wanted).await? };
        tx.commit().await?;
        self.flights.forget(writing.finish.iter().map(|(ticket, _)| &ticket.message));
        Ok(writing.begin.iter().filter(|ticket| begun.contains(&ticket.message)).copied().collect())
    }

    /// Decides what follows from endings before the database's writer is taken, with the early receipts that are known of;
    /// finding others means to decide again.
    async fn finish(
        &self,
        tx: &mut Tx,
        finish: &[(Ticket, Handover)],
        early: &mut Early,
    ) -> Result<(), StoreError> {
        if finish.is_empty() {
            return Ok(());
        }
        let (live, now) = (self.live(), self.clock.now());
        let patients: Vec<PatientId> = finish.iter().map(|(ticket, _)| ticket.patient).collect();
        let locked = tx.lock_any(&patients).await?;
        let claimed = self.in_flight(tx, finish, &locked).await?;
        let mut batch = Batch::default();
        let mut ended = Vec::with_capacity(finish.len());
        for patient in locked {
            let mut facts = Vec::new();
            for (ticket, handover) in finish.iter().filter(|(ticket, _)| ticket.patient == patient.id) {
                let held =
                    claimed.iter().find(|held| held.id == ticket.message && held.fence == ticket.fence);
                let Some(held) = held else { continue };
                let (result, word, provider_ref) = outcome(handover);
                let fact = Fact::HandedOver { message: held.key.clone(), attempt: held.attempt, result };
                facts.push(carrier(held.enrollment, now, fact));
                facts.extend(early_facts(early, held, now));
                ended.push(Ended { id: held.id, attempt: held.attempt, result: word, provider_ref });
            }
            self.settle(&live, &mut batch, patient, facts, now).await?;
        }
        let found = tx.early_receipts(&references(finish, &claimed)).await?;
        if found != *early {
            *early = found;
            return Err(StoreError::Conflict);
        }
        if !batch.is_empty() {
            tx.append(batch).await?;
        }
        tx.ended(&ended, now).await
    }

    /// Those of the tickets' messages that may still be told of. This process knows what it claimed; whether the claim still
    /// stands is in the patient's state.
    async fn in_flight(
        &self,
        tx: &mut Tx,
        finish: &[(Ticket, Handover)],
        locked: &[Locked],
    ) -> Result<Vec<Flight>, StoreError> {
        let (mut claimed, mut unknown) = (Vec::with_capacity(finish.len()), Vec::new());
        for (ticket, _) in finish {
            match self.flights.of(ticket) {
                Some(flight) => claimed.push(flight),
                None => unknown.push(ticket.message),
            }
        }
        claimed.retain(|flight| {
            locked.iter().any(|patient| patient.id == flight.patient && is_in_flight(&patient.state, flight))
        });
        if !unknown.is_empty() {
            claimed.extend(tx.in_doubt(&unknown).await?);
        }
        Ok(claimed)
    }

    /// What a carrier did is written down even where the engine cannot go on: such a patient is only folded forward.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(super) async fn settle(
        &self,
        live: &Live,
        batch: &mut Batch,
        mut patient: Locked,
        facts: Vec<NewFact>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        if facts.is_empty() {
            return Ok(());
        }
        let decided =
            if patient.quarantined { None } else { decide(live, &mut patient, facts.clone(), now).ok() };
        let advanced = match decided {
            Some(advanced) => advanced,
            None => {
                // What stopped in the middle of a decision is of no use: the state before it is still in the database.
                for (_, before) in self.store.states(&[patient.id]).await? {
                    patient.state = before;
                }
                patient.fold_only(facts, now)
            }
        };
        batch.advance(&live.library, &*self.ids, &patient, &advanced);
        batch.keep(patient, advanced.wake_at);
        Ok(())
    }

    /// Gives back what was claimed and not begun: it waits again, under the same key, and is guarded anew.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn release(&self, tickets: &[Ticket]) -> Result<(), StoreError> {
        if tickets.is_empty() {
            return Ok(());
        }
        for _ in 0..TRIES_MAX {
            match self.release_once(tickets).await {
                Err(StoreError::Conflict) => {}
                other => return other,
            }
        }
        // The sweeper gives it back when the lease has run out.
        Ok(())
    }

    async fn release_once(&self, tickets: &[Ticket]) -> Result<(), StoreError> {
        let mut tx = self.store.begin();
        let held: Vec<(PatientId, MessageId, i64)> =
            tickets.iter().map(|ticket| (ticket.patient, ticket.message, ticket.fence)).collect();
        self.give_back(&mut tx, &held).await?;
        tx.commit().await
    }

    /// Claims that are over: what was begun is in doubt, what was not waits again.
    pub(super) async fn give_back(
        &self,
        tx: &mut Tx,
        held: &[(PatientId, MessageId, i64)],
    ) -> Result<(usize, usize), StoreError> {
        let (live, now) = (self.live(), self.clock.now());
        let patients: Vec<PatientId> = held.iter().map(|(patient, _, _)| *patient).collect();
        let locked = tx.lock_any(&patients).await?;
        let ids: Vec<MessageId> = held.iter().map(|(_, id, _)| *id).collect();
        let claimed = tx.claimed(&ids).await?;
        let begun_ones = claimed.iter().filter(|claim| claim.begun);
        let early =
            tx.early_receipts(&begun_ones.map(|claim| (claim.id.to_string(), claim.id)).collect()).await?;
        let mut batch = Batch::default();
        let (mut ended, mut begun) = (Vec::new(), 0);
        for patient in locked {
            let mut facts = Vec::new();
            for (_, id, fence) in held.iter().filter(|(owner, _, _)| *owner == patient.id) {
                let Some(claim) = claimed.iter().find(|one| one.id == *id && one.fence == *fence) else {
                    continue;
                };
                let (fact, result) = if claim.begun {
                    begun += 1;
                    let unknown = HandoverResult::Unknown;
                    (
                        Fact::HandedOver {
                            message: claim.key.clone(),
                            attempt: claim.attempt,
                            result: unknown,
                        },
                        "unknown",
                    )
                } else {
                    (Fact::Released { message: claim.key.clone(), attempt: claim.attempt }, "released")
                };
                facts.push(carrier(claim.enrollment, now, fact));
                facts.extend(early_facts(&early, claim, now));
                ended.push(Ended { id: *id, attempt: claim.attempt, result, provider_ref: None });
            }
            self.settle(&live, &mut batch, patient, facts, now).await?;
        }
        if !batch.is_empty() {
            tx.append(batch).await?;
        }
        tx.ended(&ended, now).await?;
        self.flights.forget(ids.iter());
        Ok((begun, ended.len() - begun))
    }
}

/// Whether the claim of an attempt still stands, or it is in doubt only because nobody told in time.
fn is_in_flight(state: &PatientState, flight: &Flight) -> bool {
    state.messages.get(&flight.key).is_some_and(|message| {
        message.attempts == flight.attempt
            && matches!(message.standing, MessageStanding::Claimed(_) | MessageStanding::Uncertain(_))
    })
}

fn carrier(enrollment: Option<tend_engine::EnrollmentId>, now: Timestamp, fact: Fact) -> NewFact {
    NewFact { enrollment, occurred_at: now, author: Author::Carrier, fact }
}

/// The references by which receipts may have come already: the carriers' own, or ours where the answer was lost.
fn references(finish: &[(Ticket, Handover)], held: &[Flight]) -> BTreeMap<String, MessageId> {
    let is_held = |ticket: &Ticket| {
        let mine = |one: &&Flight| one.id == ticket.message && one.fence == ticket.fence;
        // A mail server tells all it will ever tell while it takes the mail.
        held.iter().find(mine).is_some_and(|one| one.channel != Channel::Email)
    };
    let reference = |(ticket, handover): &(Ticket, Handover)| match handover {
        Handover::Accepted(reference) => Some((reference.0.clone(), ticket.message)),
        Handover::Unknown(_) => Some((ticket.message.to_string(), ticket.message)),
        Handover::Refused(_) => None,
    };
    finish.iter().filter(|(ticket, _)| is_held(ticket)).filter_map(reference).collect()
}

/// What early receipts say of a message.
fn early_facts(early: &Early, held: &Flight, now: Timestamp) -> Vec<NewFact> {
    let fact = |delivered: &bool| Fact::Receipt { message: held.key.clone(), delivered: *delivered };
    early.get(&held.id).into_iter().flatten().map(|one| carrier(held.enrollment, now, fact(one))).collect()
}

/// What a hand-over means for the history and for the attempt's row.
fn outcome(handover: &Handover) -> (HandoverResult, &'static str, Option<String>) {
    match handover {
        Handover::Accepted(reference) => (HandoverResult::Accepted, "accepted", Some(reference.0.clone())),
        Handover::Refused(refusal) => {
            let Refusal { permanent, retry_after_seconds, .. } = *refusal;
            (HandoverResult::Refused { permanent, retry_after_seconds }, "refused", None)
        }
        Handover::Unknown(_) => (HandoverResult::Unknown, "unknown", None),
    }
}
