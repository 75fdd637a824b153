//! What staff change about a patient: one fact each, with all that follows from it in the same commit.

use jiff::{Timestamp, civil::Date};
use tend_engine::{
    EnrollmentId, Name, PatientId, StaffId, Value,
    fact::{Fact, RiskMove, StopReason},
    model::Channel,
};

use super::{
    Actor, App, RecordError,
    enroll::{DAILY, FOLLOW_UP},
    record::{TRIES_MAX, just_now},
};
use crate::store::{Consent, ContactPoint, FreeText, StoreError, Tx};

/// A change.
#[derive(Debug, Clone)]
pub enum Change {
    /// Sending pauses.
    Pause {
        /// Which follow-up.
        enrollment: EnrollmentId,
        /// Until then, or until a review.
        until: Option<Date>,
        /// Why.
        reason: String,
    },
    /// Sending goes on.
    Resume {
        /// Which follow-up.
        enrollment: EnrollmentId,
    },
    /// A follow-up ends.
    Stop {
        /// Which.
        enrollment: EnrollmentId,
        /// Why.
        why: StopReason,
        /// In words; sealed.
        note: String,
    },
    /// The patient died.
    Died {
        /// When.
        date: Date,
    },
    /// A mistyped date.
    CorrectAnchor {
        /// Which follow-up.
        enrollment: EnrollmentId,
        /// Which date.
        anchor: Name,
        /// The right one.
        date: Date,
        /// Why.
        reason: String,
    },
    /// It happened again.
    AnchorEvent {
        /// Which follow-up.
        enrollment: EnrollmentId,
        /// What.
        anchor: Name,
        /// When.
        date: Date,
    },
    /// A fact got another value.
    SetFact {
        /// Which follow-up.
        enrollment: EnrollmentId,
        /// Which fact.
        name: Name,
        /// Its value.
        value: Value,
        /// Why; sealed.
        reason: String,
    },
    /// A clinician moves the patient on the risk queue, or back.
    MoveRisk {
        /// Which follow-up.
        enrollment: EnrollmentId,
        /// Where to.
        to: RiskMove,
        /// Why; sealed.
        reason: String,
    },
    /// An entry was wrong.
    Void {
        /// Its follow-up.
        enrollment: Option<EnrollmentId>,
        /// Its number.
        seq: u64,
        /// Why.
        reason: String,
    },
    /// An entry should have read otherwise.
    Correct {
        /// Its follow-up.
        enrollment: Option<EnrollmentId>,
        /// Its number.
        seq: u64,
        /// Why.
        reason: String,
        /// The right one.
        instead: Box<Fact>,
    },
    /// A new address.
    Contact {
        /// Which.
        contact: ContactPoint,
    },
    /// Language, zone, preferred channel.
    Preference {
        /// Language tag.
        language: String,
        /// IANA zone.
        zone: String,
        /// Channel.
        preferred: Option<Channel>,
    },
    /// Consent by phone.
    Consent {
        /// To which channel.
        channel: Channel,
        /// The version of what was read out.
        wording: String,
    },
    /// STOP by phone.
    StopChannel {
        /// Which channel.
        channel: Channel,
    },
    /// Consent to several messages a day.
    Daily {
        /// Given or withdrawn.
        given: bool,
        /// The version of what was read out.
        wording: String,
    },
}

/// Why a change was not made.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// The fact was not recorded.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl App {
    /// Makes a change: the fact, what follows from it, and the rows beside the history, in one commit.
    ///
    /// # Errors
    /// [`ChangeError`].
    pub async fn change_patient(
        &self,
        patient: PatientId,
        change: Change,
        by: StaffId,
    ) -> Result<(), ChangeError> {
        for _ in 1..TRIES_MAX {
            match self.change_once(patient, change.clone(), by).await {
                Err(ChangeError::Record(RecordError::Store(StoreError::Conflict))) => {}
                other => return other,
            }
        }
        self.change_once(patient, change, by).await
    }

    async fn change_once(&self, patient: PatientId, change: Change, by: StaffId) -> Result<(), ChangeError> {
        let actor = Actor::Staff(by);
        let mut tx = self.store.begin();
        let mut locked = self.lock_one(&mut tx, patient).await?;
        self.beside(&mut tx, patient, &change, actor).await?;
        let action = action(&change);
        let (enrollment, fact, words) = fact_of(change);
        let fact = just_now(actor, self.clock.now(), enrollment, fact);
        self.append(&mut tx, actor, action, &mut locked, vec![fact], &words).await?;
        Ok(tx.commit().await?)
    }

    /// Addresses and consents, which the history does not hold.
    async fn beside(
        &self,
        tx: &mut Tx,
        patient: PatientId,
        change: &Change,
        actor: Actor,
    ) -> Result<(), StoreError> {
        let now = self.clock.now();
        match change {
            Change::Contact { contact } => {
                tx.address_failed(patient, contact.channel).await?;
                tx.add_contact_point(&*self.ids, patient, contact, now).await
            }
            Change::Consent { channel, wording } => {
                let given = consent(actor, FOLLOW_UP, *channel, wording, now);
                tx.add_consent(&*self.ids, patient, &given).await
            }
            Change::StopChannel { channel } => tx.withdraw_consents(patient, *channel, now).await,
            Change::Daily { given: true, wording } => {
                for channel in tx.consented_channels(patient).await? {
                    let given = consent(actor, DAILY, channel, wording, now);
                    tx.add_consent(&*self.ids, patient, &given).await?;
                }
                Ok(())
            }
            Change::Daily { given: false, .. } => tx.withdraw_purpose(patient, DAILY, now).await,
            Change::Pause { .. }
            | Change::Resume { .. }
            | Change::Stop { .. }
            | Change::Died { .. }
            | Change::CorrectAnchor { .. }
            | Change::AnchorEvent { .. }
            | Change::SetFact { .. }
            | Change::MoveRisk { .. }
            | Change::Void { .. }
            | Change::Correct { .. }
            | Change::Preference { .. } => Ok(()),
        }
    }
}

/// A consent that was given by phone.
fn consent(actor: Actor, purpose: &str, channel: Channel, wording: &str, now: Timestamp) -> Consent {
    Consent {
        purpose: purpose.to_owned(),
        channel,
        wording: wording.to_owned(),
        how: "phone".to_owned(),
        given_by: actor.name(),
        given_at: now,
    }
}

/// The word of a change in the audit log.
fn action(change: &Change) -> &'static str {
    match change {
        Change::Pause { .. } => "pause",
        Change::Resume { .. } => "resume",
        Change::Stop { .. } => "stop",
        Change::Died { .. } => "record death",
        Change::CorrectAnchor { .. } => "correct anchor",
        Change::AnchorEvent { .. } => "anchor event",
        Change::SetFact { .. } => "set fact",
        Change::MoveRisk { .. } => "move on risk queue",
        Change::Void { .. } => "void entry",
        Change::Correct { .. } => "correct entry",
        Change::Contact { .. } => "change contact",
        Change::Preference { .. } => "change preference",
        Change::Consent { .. } => "record consent",
        Change::StopChannel { .. } => "stop channel",
        Change::Daily { .. } => "daily consent",
    }
}

fn reason(words: String) -> FreeText {
    if words.is_empty() { FreeText::new() } else { FreeText::from([("reason".to_owned(), words)]) }
}

/// The fact of a change. Reasons in free text are sealed: they may name people.
fn fact_of(change: Change) -> (Option<EnrollmentId>, Fact, FreeText) {
    let none = FreeText::new();
    let hidden = String::new;
    match change {
        Change::Pause { enrollment, until, reason: why } => {
            (Some(enrollment), Fact::Paused { until, reason: hidden() }, reason(why))
        }
        Change::Resume { enrollment } => (Some(enrollment), Fact::Resumed, none),
        Change::Stop { enrollment, why, note } => {
            (Some(enrollment), Fact::Stopped { reason: why }, reason(note))
        }
        Change::Died { date } => (None, Fact::Died { date }, none),
        Change::CorrectAnchor { enrollment, anchor, date, reason: why } => {
            (Some(enrollment), Fact::AnchorCorrected { anchor, date, reason: hidden() }, reason(why))
        }
        Change::AnchorEvent { enrollment, anchor, date } => {
            (Some(enrollment), Fact::AnchorEvent { anchor, date }, none)
        }
        Change::SetFact { enrollment, name, value, reason: why } => {
            (Some(enrollment), Fact::FactSet { name, value }, reason(why))
        }
        Change::MoveRisk { enrollment, to, reason: why } => {
            (Some(enrollment), Fact::RiskMoved { to }, reason(why))
        }
        Change::Void { enrollment, seq, reason: why } => {
            (enrollment, Fact::Voided { seq, reason: hidden() }, reason(why))
        }
        Change::Correct { enrollment, seq, reason: why, instead } => {
            (enrollment, Fact::Corrected { seq, reason: hidden(), instead }, reason(why))
        }
        Change::Contact { contact } => {
            (None, Fact::Reachable { channel: contact.channel, usable: true }, none)
        }
        Change::Preference { language, zone, preferred } => {
            (None, Fact::Preference { language, zone, preferred }, none)
        }
        Change::Consent { channel, wording } => (None, Fact::ConsentGiven { channel, wording }, none),
        Change::StopChannel { channel } => (None, Fact::ChannelStopped { channel }, none),
        Change::Daily { given, .. } => (None, Fact::DailyConsent { given }, none),
    }
}
