//! Messages on their way out: claim, guard, render, mark as begun, write down how it ended. No network call in here.

use std::collections::BTreeMap;

use jiff::Timestamp;
use tend_engine::{
    MessageId, PatientId,
    fact::{Author, DropReason, Fact, HandoverResult, NewFact, Occurrence, Purpose},
    guard::{self, Guard},
    model::Channel,
    planner::AdvanceError,
};
use tracing::warn;

use super::{
    App, Live,
    record::{TRIES_MAX, decide},
    render::{Rendered, render},
};
use crate::{
    ports::{Handover, Outgoing, Refusal},
    store::{
        AuditLine, Batch, Busy, Ended, Expired, Held, Lease, Locked, Sent, StoreError, Tx, Waiting,
        vault::PatientKey,
    },
};

/// Names one attempt at one message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ticket {
    /// The message.
    pub message: MessageId,
    /// Whose.
    pub patient: PatientId,
    /// Grows with each claim: who holds an older one has lost it.
    pub fence: i64,
}

/// A message that was claimed for this process.
#[derive(Debug, Clone)]
pub struct Claim {
    /// Which attempt at which message.
    pub ticket: Ticket,
    /// What to hand over.
    pub outgoing: Outgoing,
}

/// What several connections want written at one moment, in one commit.
#[derive(Debug, Default)]
pub struct Writing {
    /// To be marked as begun, before their first byte.
    pub begin: Vec<Ticket>,
    /// How these ended.
    pub finish: Vec<(Ticket, Handover)>,
}

/// A message that may go, with all that its attempt needs.
struct Going<'a> {
    waiting: &'a Waiting,
    attempt: u32,
    sent: Sent,
    rendered: Rendered,
    token: Option<String>,
    key: &'a PatientKey,
}

/// What a claim looks at.
struct Desk<'a> {
    live: &'a Live,
    now: Timestamp,
    channel: Channel,
    keys: &'a BTreeMap<PatientId, PatientKey>,
    addresses: &'a BTreeMap<PatientId, String>,
}

impl App {
    /// Claims up to `limit` messages of a channel that may go now. Each is guarded again in the transaction that claims
    /// it: a stop, an answer or a visit that committed before wins. No first byte may leave after `deadline`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn claim(
        &self,
        channel: Channel,
        limit: usize,
        deadline: std::time::Instant,
    ) -> Result<Vec<Claim>, StoreError> {
        let now = self.clock.now();
        let ready = self.store.ready(channel, now, limit as u64).await?;
        if ready.is_empty() {
            return Ok(Vec::new());
        }
        for _ in 1..TRIES_MAX {
            match self.claim_ready(channel, &ready, deadline, now).await {
                Err(StoreError::Conflict) => {}
                other => return other,
            }
        }
        self.claim_ready(channel, &ready, deadline, now).await
    }

    async fn claim_ready(
        &self,
        channel: Channel,
        ready: &[(MessageId, PatientId)],
        deadline: std::time::Instant,
        now: Timestamp,
    ) -> Result<Vec<Claim>, StoreError> {
        let live = self.live();
        let mut tx = self.store.begin();
        let patients: Vec<PatientId> = ready.iter().map(|(_, patient)| *patient).collect();
        let locked = tx.lock(&patients, Busy::Skip).await?;
        let held: Vec<PatientId> = locked.iter().map(|patient| patient.id).collect();
        let ids: Vec<MessageId> =
            ready.iter().filter(|(_, patient)| held.contains(patient)).map(|(id, _)| *id).collect();
        let waiting = tx.waiting(&ids).await?;
        let keys = tx.keys(&held).await?;
        let addresses = tx.addresses(&held, channel, &keys).await?;
        let desk = Desk { live: &live, now, channel, keys: &keys, addresses: &addresses };
        let mut batch = Batch::default();
        let (mut going, mut aside) = (Vec::new(), Vec::new());
        for mut patient in locked {
            let mut facts = Vec::new();
            let before = going.len();
            for message in waiting.iter().filter(|message| message.patient == patient.id) {
                match self.may_go(&desk, &patient, message, &mut going) {
                    Ok(fact) => facts.push(fact),
                    Err(error) => aside.push((patient.id, error.to_string())),
                }
            }
            if facts.is_empty() {
                continue;
            }
            match decide(&live, &mut patient, facts, now) {
                Ok(advanced) => batch.advance(&live.library, &*self.ids, &patient, &advanced),
                Err(failure) => {
                    going.truncate(before);
                    aside.push((patient.id, failure.to_string()));
                }
            }
        }
        for one in &going {
            batch.audit(&*self.ids, now, line("send", one.waiting.patient, one.waiting.id));
        }
        let held = self.commit_claims(tx, batch, &going, aside, now).await?;
        Ok(going.into_iter().zip(held).map(|(one, held)| one.claim(held, channel, deadline)).collect())
    }

    /// Asks the guard. A message that may go is added to `going`; what happened is a fact either way.
    fn may_go<'a>(
        &self,
        desk: &Desk<'a>,
        patient: &Locked,
        message: &'a Waiting,
        going: &mut Vec<Going<'a>>,
    ) -> Result<NewFact, AdvanceError> {
        let site = desk.live.sites.get(&patient.site).cloned().unwrap_or_default();
        let verdict = guard::guard(&desk.live.library, &site, &patient.state, &message.key, desk.now)?;
        let fact = match verdict {
            Guard::Move { until, why } => {
                Fact::Moved { message: message.key.clone(), send_after: until, why }
            }
            Guard::Drop(why) => Fact::Dropped { message: message.key.clone(), why },
            Guard::Go { channel: _, members, purpose } => {
                let found = (desk.keys.get(&patient.id), desk.addresses.get(&patient.id));
                let (Some(key), Some(address)) = found else {
                    return Ok(decision(
                        message,
                        desk.now,
                        Fact::Dropped { message: message.key.clone(), why: DropReason::NoAddress },
                    ));
                };
                let attempt = message.attempt.saturating_add(1);
                match self.put(desk, patient, message, (purpose, &members), address) {
                    Ok((sent, rendered, token)) => {
                        going.push(Going { waiting: message, attempt, sent, rendered, token, key });
                        Fact::Claimed { message: message.key.clone(), attempt }
                    }
                    Err(error) => {
                        // A version that passed its check renders; another must not go out half written.
                        warn!(message.id = %message.id, "message {} cannot be rendered: {error}", message.id);
                        Fact::Dropped { message: message.key.clone(), why: DropReason::Undeliverable }
                    }
                }
            }
        };
        Ok(decision(message, desk.now, fact))
    }

    fn put(
        &self,
        desk: &Desk<'_>,
        patient: &Locked,
        message: &Waiting,
        (purpose, members): (Purpose, &[Occurrence]),
        address: &str,
    ) -> Result<(Sent, Rendered, Option<String>), super::render::RenderError> {
        let site = desk.live.sites.get(&patient.site).cloned().unwrap_or_default();
        let token = message.plan.link_expires.map(|_| self.store.vault().link_token(message.id.0));
        let link = token.as_ref().map(|token| format!("{}/c/{token}", self.public_url));
        let what = (purpose, desk.channel);
        let rendered = render(&desk.live.library, &site, &patient.state, what, members, link.as_deref())?;
        let sent = Sent {
            to: address.to_owned(),
            subject: rendered.subject.clone(),
            text: rendered.text.clone(),
            language: rendered.language.clone(),
        };
        Ok((sent, rendered, token))
    }

    async fn commit_claims(
        &self,
        mut tx: Tx,
        batch: Batch,
        going: &[Going<'_>],
        aside: Vec<(PatientId, String)>,
        now: Timestamp,
    ) -> Result<Vec<Held>, StoreError> {
        let leases: Vec<Lease<'_>> = going
            .iter()
            .map(|one| Lease {
                waiting: one.waiting,
                attempt: one.attempt,
                sent: &one.sent,
                version: one.rendered.version.clone(),
                token: one.token.as_deref(),
                key: one.key,
            })
            .collect();
        let held = if leases.is_empty() { Vec::new() } else { tx.lease(&leases, now).await? };
        if !batch.is_empty() {
            tx.append(batch).await?;
        }
        for (patient, reason) in aside {
            tx.quarantine(&*self.ids, patient, &reason, now).await?;
        }
        tx.commit().await?;
        Ok(held)
    }

    /// Writes in one commit what several connections want written. Gives the tickets that are now marked as begun; who is
    /// not among them has lost its claim and must not send.
    ///
    /// # Errors
    /// [`StoreError`]; then nothing of it was written and nothing may be sent.
    pub async fn write(&self, writing: &Writing) -> Result<Vec<Ticket>, StoreError> {
        for _ in 1..TRIES_MAX {
            match self.write_once(writing).await {
                Err(StoreError::Conflict) => {}
                other => return other,
            }
        }
        self.write_once(writing).await
    }

    async fn write_once(&self, writing: &Writing) -> Result<Vec<Ticket>, StoreError> {
        let mut tx = self.store.begin();
        self.finish(&mut tx, &writing.finish).await?;
        let wanted: Vec<(MessageId, i64)> =
            writing.begin.iter().map(|ticket| (ticket.message, ticket.fence)).collect();
        let begun = if wanted.is_empty() { Vec::new() } else { tx.mark_begun(&wanted).await? };
        tx.commit().await?;
        Ok(writing.begin.iter().filter(|ticket| begun.contains(&ticket.message)).copied().collect())
    }

    async fn finish(&self, tx: &mut Tx, finish: &[(Ticket, Handover)]) -> Result<(), StoreError> {
        if finish.is_empty() {
            return Ok(());
        }
        let (live, now) = (self.live(), self.clock.now());
        let patients: Vec<PatientId> = finish.iter().map(|(ticket, _)| ticket.patient).collect();
        let locked = tx.lock_any(&patients).await?;
        let ids: Vec<MessageId> = finish.iter().map(|(ticket, _)| ticket.message).collect();
        let claimed = tx.in_doubt(&ids).await?;
        let early = tx.early_receipts(&references(finish, &claimed)).await?;
        let mut batch = Batch::default();
        let mut ended = Vec::with_capacity(finish.len());
        for mut patient in locked {
            let mut facts = Vec::new();
            for (ticket, handover) in finish.iter().filter(|(ticket, _)| ticket.patient == patient.id) {
                let held =
                    claimed.iter().find(|held| held.id == ticket.message && held.fence == ticket.fence);
                let Some(held) = held else { continue };
                let (result, word, provider_ref) = outcome(handover);
                let fact = Fact::HandedOver { message: held.key.clone(), attempt: held.attempt, result };
                facts.push(carrier(held.enrollment, now, fact));
                facts.extend(early_facts(&early, held, now));
                ended.push(Ended { id: held.id, attempt: held.attempt, result: word, provider_ref });
            }
            self.settle(&live, &mut batch, &mut patient, facts, now);
        }
        if !batch.is_empty() {
            tx.append(batch).await?;
        }
        tx.ended(&ended, now).await
    }

    /// What a carrier did is written down even where the engine cannot go on: such a patient is only folded forward.
    pub(super) fn settle(
        &self,
        live: &Live,
        batch: &mut Batch,
        patient: &mut Locked,
        facts: Vec<NewFact>,
        now: Timestamp,
    ) {
        if facts.is_empty() {
            return;
        }
        let before = patient.state.clone();
        let decided = if patient.quarantined { None } else { decide(live, patient, facts.clone(), now).ok() };
        let advanced = decided.unwrap_or_else(|| {
            patient.state = before;
            patient.fold_only(facts, now)
        });
        batch.advance(&live.library, &*self.ids, patient, &advanced);
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
        for mut patient in locked {
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
            self.settle(&live, &mut batch, &mut patient, facts, now);
        }
        if !batch.is_empty() {
            tx.append(batch).await?;
        }
        tx.ended(&ended, now).await?;
        Ok((begun, ended.len() - begun))
    }
}

impl Going<'_> {
    fn claim(self, held: Held, channel: Channel, deadline: std::time::Instant) -> Claim {
        let ticket = Ticket { message: held.id, patient: self.waiting.patient, fence: held.fence };
        let outgoing = Outgoing {
            id: held.id,
            channel,
            to: self.sent.to,
            subject: self.sent.subject,
            text: self.sent.text,
            html: None,
            language: self.sent.language,
            deadline,
        };
        Claim { ticket, outgoing }
    }
}

fn decision(message: &Waiting, now: Timestamp, fact: Fact) -> NewFact {
    let enrollment = message.plan.members.first().map(|member| member.enrollment).or(message.enrollment);
    NewFact { enrollment, occurred_at: now, author: Author::Engine, fact }
}

fn carrier(enrollment: Option<tend_engine::EnrollmentId>, now: Timestamp, fact: Fact) -> NewFact {
    NewFact { enrollment, occurred_at: now, author: Author::Carrier, fact }
}

/// The references by which receipts may have come already: the carriers' own, or ours where the answer was lost.
fn references(finish: &[(Ticket, Handover)], held: &[Expired]) -> BTreeMap<String, MessageId> {
    let is_held =
        |ticket: &Ticket| held.iter().any(|one| one.id == ticket.message && one.fence == ticket.fence);
    let reference = |(ticket, handover): &(Ticket, Handover)| match handover {
        Handover::Accepted(reference) => Some((reference.0.clone(), ticket.message)),
        Handover::Unknown(_) => Some((ticket.message.to_string(), ticket.message)),
        Handover::Refused(_) => None,
    };
    finish.iter().filter(|(ticket, _)| is_held(ticket)).filter_map(reference).collect()
}

/// What early receipts say of a message.
fn early_facts(early: &BTreeMap<MessageId, Vec<bool>>, held: &Expired, now: Timestamp) -> Vec<NewFact> {
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

fn line(action: &'static str, patient: PatientId, message: MessageId) -> AuditLine {
    AuditLine {
        actor: "system".into(),
        action,
        patient: Some(patient),
        subject: format!("message {message}"),
        detail: "{}".into(),
    }
}
