//! Messages: planned, moved, dropped, and what carriers did with them.

use jiff::{SignedDuration, Timestamp};

use crate::{
    fact::{Author, Entry, Fact, HandoverResult, MessageKey, MessagePlan, Occurrence, Purpose},
    state::{MessageStanding, MessageState, PatientState},
};

use super::mark_done;

/// Settled messages are remembered this long for caps over seven civil days in any zone.
const MESSAGES_KEPT: SignedDuration = SignedDuration::from_hours(9 * 24);

impl PatientState {
    pub(super) fn fold_carrier(&mut self, entry: &Entry, fact: &Fact) {
        let at = entry.occurred_at;
        match fact {
            Fact::Claimed { message, attempt } => {
                if let Some(state) = self.messages.get_mut(message) {
                    state.standing = MessageStanding::Claimed(at);
                    state.attempts = state.attempts.max(*attempt);
                    state.retry = false;
                }
            }
            Fact::Released { message, .. } => {
                if let Some(state) = self.messages.get_mut(message)
                    && matches!(state.standing, MessageStanding::Claimed(_))
                {
                    state.standing = MessageStanding::Scheduled;
                }
            }
            Fact::HandedOver { message, attempt, result } => {
                self.fold_handed_over(message, *attempt, result, at)
            }
            Fact::Receipt { message, delivered } => self.fold_receipt(message, *delivered, entry.author),
            _ => {}
        }
    }

    pub(super) fn fold_handed_over(
        &mut self,
        key: &MessageKey,
        attempt: u32,
        result: &HandoverResult,
        at: Timestamp,
    ) {
        let Some(message) = self.messages.get_mut(key) else { return };
        message.attempts = message.attempts.max(attempt);
        match result {
            HandoverResult::Accepted => match message.standing {
                MessageStanding::Bounced(_) => {}
                _ => {
                    message.standing = MessageStanding::HandedOver(at);
                    self.mark_asked(key, at);
                }
            },
            HandoverResult::Unknown => match message.standing {
                // A receipt came first: it knows better.
                MessageStanding::HandedOver(_) | MessageStanding::Bounced(_) => {}
                _ => message.standing = MessageStanding::Uncertain(at),
            },
            HandoverResult::Refused { permanent: false, retry_after_seconds } => {
                message.standing = MessageStanding::Scheduled;
                message.retry = true;
                let asked = retry_after_seconds.map(|seconds| SignedDuration::from_secs(seconds.into()));
                message.not_before = asked.and_then(|wait| at.checked_add(wait).ok());
            }
            HandoverResult::Refused { permanent: true, .. } => {
                message.standing = MessageStanding::Refused;
                self.failures.push((key.clone(), message.channel));
            }
        }
    }

    pub(super) fn fold_receipt(&mut self, key: &MessageKey, delivered: bool, author: Author) {
        let Some(message) = self.messages.get_mut(key) else { return };
        let sent = match message.standing {
            MessageStanding::HandedOver(sent)
            | MessageStanding::Uncertain(sent)
            | MessageStanding::Claimed(sent) => sent,
            MessageStanding::Scheduled
            | MessageStanding::Refused
            | MessageStanding::Dropped(_)
            | MessageStanding::Bounced(_) => return,
        };
        if delivered {
            message.standing = MessageStanding::HandedOver(sent);
            self.mark_asked(key, sent);
        } else {
            message.standing = MessageStanding::Bounced(sent);
            // A person who found out that it got lost says nothing about the address.
            if !matches!(author, Author::Staff(_)) {
                self.failures.push((key.clone(), message.channel));
            }
            self.unmark_asked(key);
        }
    }

    /// Its members were put to the patient.
    pub(super) fn mark_asked(&mut self, key: &MessageKey, at: Timestamp) {
        let Some(message) = self.messages.get(key) else { return };
        if message.purpose.is_reply() {
            return;
        }
        for member in message.members.clone() {
            let Some(open) = self.occurrence_mut(&member).filter(|open| open.closed.is_none()) else {
                continue;
            };
            open.asked_at = open.asked_at.or(Some(at));
            if let Some(step) = self.step_mut(&member) {
                mark_done(step, &member, at);
            }
        }
    }

    /// What came back was not put to the patient, unless by another message.
    fn unmark_asked(&mut self, key: &MessageKey) {
        let Some(message) = self.messages.get(key) else { return };
        for member in message.members.clone() {
            let asked = self.messages.values().any(|message| {
                matches!(message.standing, MessageStanding::HandedOver(_))
                    && message.members.contains(&member)
            });
            let Some(open) = self.occurrence_mut(&member).filter(|open| !asked && open.closed.is_none())
            else {
                continue;
            };
            open.asked_at = None;
            if let Some(step) = self.step_mut(&member) {
                step.done
                    .retain(|done| (done.generation, done.ordinal) != (member.generation, member.ordinal));
            }
        }
    }

    pub(super) fn fold_message(&mut self, entry: &Entry, fact: &Fact) {
        match fact {
            Fact::Planned(plan) => self.fold_planned(entry, plan),
            Fact::Joined { message, member } => {
                if let Some(state) =
                    self.messages.get_mut(message).filter(|state| !state.members.contains(member))
                {
                    state.members.push(member.clone());
                }
            }
            Fact::Moved { message, send_after, .. } => {
                if let Some(state) = self.messages.get_mut(message) {
                    state.send_after = *send_after;
                    state.retry = false;
                }
            }
            Fact::Dropped { message, why } => {
                if let Some(state) = self.messages.get_mut(message) {
                    state.standing = MessageStanding::Dropped(*why);
                    state.retry = false;
                }
            }
            _ => {}
        }
    }

    pub(super) fn fold_planned(&mut self, entry: &Entry, plan: &MessagePlan) {
        self.forget_messages(entry.recorded_at);
        match plan.purpose {
            Purpose::StopConfirmation => self.channel(plan.channel).stop_confirmed = true,
            Purpose::NotMonitored => self.not_monitored_at = Some(entry.recorded_at),
            Purpose::Remind(_) => {
                for member in &plan.members {
                    if let Some(open) = self.occurrence_mut(member) {
                        open.reminded_at = Some(entry.recorded_at);
                    }
                }
            }
            Purpose::Ask | Purpose::Tell | Purpose::StartConfirmation | Purpose::Help => {}
        }
        let state = MessageState {
            purpose: plan.purpose,
            members: plan.members.clone(),
            channel: plan.channel,
            rung: plan.rung,
            standing: MessageStanding::Scheduled,
            send_after: plan.send_after,
            not_after: plan.not_after,
            exempt: plan.exempt,
            attempts: 0,
            retry: false,
            not_before: None,
        };
        self.messages.insert(plan.key.clone(), state);
    }

    /// Forgets settled messages that neither caps nor an open occurrence need.
    pub(super) fn forget_messages(&mut self, now: Timestamp) {
        let oldest = now.saturating_sub(MESSAGES_KEPT).unwrap_or(Timestamp::MIN);
        let needed = |state: &Self, message: &MessageState| {
            let settled =
                !matches!(message.standing, MessageStanding::Scheduled | MessageStanding::Claimed(_));
            let open =
                |member: &Occurrence| state.occurrence(member).is_some_and(|open| open.closed.is_none());
            !settled || message.send_after > oldest || message.members.iter().any(open)
        };
        let gone = self.messages.iter().filter(|(_, message)| !needed(self, message));
        let gone: Vec<MessageKey> = gone.map(|(key, _)| key.clone()).collect();
        for key in gone {
            self.messages.remove(&key);
        }
    }
}
