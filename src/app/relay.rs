//! Messages on their way out: claim, guard, render. No network call in here.

use std::collections::BTreeMap;

use jiff::Timestamp;
use tend_engine::{
    MessageId, PatientId,
    fact::{Author, DropReason, Fact, NewFact, Occurrence, Purpose},
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
    ports::{Handover, Outgoing},
    store::{
        AuditLine, Batch, Busy, Flight, Held, Lease, Locked, Sent, StoreError, Tx, Waiting, vault::PatientKey,
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
        if ids.is_empty() {
            return Ok(Vec::new());
        }
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
            // Deciding about many takes long enough to keep connections waiting.
            tokio::task::yield_now().await;
            match decide(&live, &mut patient, facts, now) {
                Ok(advanced) => {
                    batch.advance(&live.library, &*self.ids, &patient, &advanced);
                    batch.keep(patient, advanced.wake_at);
                }
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
        self.flights.note(going.iter().zip(&held).map(|(one, held)| one.flight(*held, channel)));
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
}

impl Going<'_> {
    fn flight(&self, held: Held, channel: Channel) -> Flight {
        Flight {
            id: held.id,
            patient: self.waiting.patient,
            key: self.waiting.key.clone(),
            enrollment: self.waiting.enrollment,
            channel,
            attempt: held.attempt,
            fence: held.fence,
            begun: false,
        }
    }

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

fn line(action: &'static str, patient: PatientId, message: MessageId) -> AuditLine {
    AuditLine {
        actor: "system".into(),
        action,
        patient: Some(patient),
        subject: format!("message {message}"),
        detail: "{}".into(),
    }
}
