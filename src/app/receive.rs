//! What comes in from carriers: texts of patients and receipts. Each is taken once, however often it is delivered.

use tend_engine::{
    PatientId,
    fact::{Fact, NewFact, Reply},
    model::Channel,
    reply,
};

use super::{
    Actor, App, RecordError,
    record::{TRIES_MAX, just_now},
};
use crate::{
    ports::ProviderRef,
    store::{FreeText, Inbound, StoreError},
};

/// An inbound text, as the gateway gives it.
#[derive(Debug, Clone)]
pub struct Arrived {
    /// The gateway's id of it.
    pub provider_id: String,
    /// How it came.
    pub channel: Channel,
    /// From where.
    pub address: String,
    /// The words.
    pub text: String,
}

/// Longest inbound text that is kept, in bytes.
pub const TEXT_BYTES_MAX: usize = 4_000;

impl App {
    /// Takes an inbound text: keeps the words sealed, and records what they mean for everybody with that address. A STOP
    /// ends the channel in the same commit. `false` when it was taken before.
    ///
    /// # Errors
    /// [`RecordError`].
    pub async fn receive(&self, arrived: &Arrived) -> Result<bool, RecordError> {
        let patients = self.store.patients_at(arrived.channel, &arrived.address).await?;
        let mut new = false;
        if patients.is_empty() {
            return Ok(self.keep(arrived, None).await?);
        }
        for patient in patients {
            let mut tries = 0;
            new |= loop {
                tries += 1;
                match self.receive_for(arrived, patient).await {
                    Err(RecordError::Store(StoreError::Conflict)) if tries < TRIES_MAX => {}
                    // Set aside or not: the words are kept, and somebody is to look at the record anyway.
                    Err(RecordError::NotThere | RecordError::Engine(_)) => {
                        break self.keep(arrived, Some(patient)).await?;
                    }
                    other => break other?,
                }
            };
        }
        Ok(new)
    }

    /// Keeps the words without deciding anything.
    async fn keep(&self, arrived: &Arrived, patient: Option<PatientId>) -> Result<bool, StoreError> {
        let mut tx = self.store.begin();
        let meaning = reply::meaning(&arrived.text, &[]);
        let inbound = inbound(arrived, patient, meaning);
        let new = tx.keep_reply(&*self.ids, &inbound, patient, self.clock.now()).await?;
        tx.commit().await?;
        Ok(new)
    }

    async fn receive_for(&self, arrived: &Arrived, patient: PatientId) -> Result<bool, RecordError> {
        let now = self.clock.now();
        let mut tx = self.store.begin();
        let mut locked = self.lock_one(&mut tx, patient).await?;
        let meaning = reply::meaning(&arrived.text, &self.site(locked.site).danger_words);
        let inbound = inbound(arrived, Some(patient), meaning);
        if !tx.keep_reply(&*self.ids, &inbound, Some(patient), now).await? {
            return Ok(false);
        }
        if meaning == Reply::Stop {
            tx.withdraw_consents(patient, arrived.channel, now).await?;
        }
        let fact = Fact::Replied { channel: arrived.channel, reply: meaning };
        let facts = vec![just_now(Actor::Patient, now, None, fact)];
        let text = FreeText::from([("reply".to_owned(), inbound.text.clone())]);
        self.append(&mut tx, Actor::Patient, "reply", &mut locked, facts, &text).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Takes a receipt. One that comes before the hand-over was written down waits for it. `false` when it changed nothing.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn receipt(&self, reference: &ProviderRef, delivered: bool) -> Result<bool, StoreError> {
        for _ in 1..TRIES_MAX {
            match self.receipt_once(reference, delivered).await {
                Err(StoreError::Conflict) => {}
                other => return other,
            }
        }
        self.receipt_once(reference, delivered).await
    }

    async fn receipt_once(&self, reference: &ProviderRef, delivered: bool) -> Result<bool, StoreError> {
        let now = self.clock.now();
        let whose = self.store.message_of(&reference.0).await?;
        let mut tx = self.store.begin();
        // The patient first: whoever writes the hand-over down holds it.
        let mut locked = match whose {
            Some(patient) => tx.lock_any(&[patient]).await?,
            None => Vec::new(),
        };
        let about = tx.keep_receipt(&reference.0, delivered, now).await?;
        let Some(about) = about else {
            tx.commit().await?;
            return Ok(false);
        };
        // The hand-over was written down between the two looks: once more, with the patient.
        let Some(patient) = locked.pop() else { return Err(StoreError::Conflict) };
        let enrollment = patient
            .state
            .messages
            .get(&about.key)
            .and_then(|message| message.members.first())
            .map(|member| member.enrollment);
        let fact = Fact::Receipt { message: about.key, delivered };
        let new = NewFact { enrollment, occurred_at: now, author: Actor::Carrier.author(), fact };
        let mut batch = crate::store::Batch::default();
        self.settle(&self.live(), &mut batch, patient, vec![new], now).await?;
        tx.append(batch).await?;
        tx.commit().await?;
        Ok(true)
    }
}

fn inbound(arrived: &Arrived, patient: Option<PatientId>, meaning: Reply) -> Inbound {
    let mut end = arrived.text.len().min(TEXT_BYTES_MAX);
    while !arrived.text.is_char_boundary(end) {
        end -= 1;
    }
    // A number may belong to several: the words are kept once for each.
    let whose = patient.map_or_else(|| "nobody".to_owned(), |id| id.to_string());
    Inbound {
        provider_id: format!("{}/{whose}", arrived.provider_id),
        channel: arrived.channel,
        address: arrived.address.clone(),
        text: arrived.text.get(..end).unwrap_or_default().to_owned(),
        meaning: match meaning {
            Reply::Stop => "stop",
            Reply::Start => "start",
            Reply::Help => "help",
            Reply::Danger => "danger",
            Reply::Other => "other",
        },
    }
}
