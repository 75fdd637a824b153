//! What a person decides about a message whose hand-over is in doubt. The system never sends one again by itself.

use tend_engine::{
    StaffId,
    fact::{Fact, MessageKey, MessagePlan},
    state::MessageStanding,
};

use super::{
    Actor, App, RecordError,
    record::{TRIES_MAX, just_now},
};
use crate::store::{FreeText, StoreError, read::message_log::MessageRow};

/// What was found out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decided {
    /// The patient has it.
    Arrived,
    /// The patient does not have it.
    DidNotArrive,
    /// The patient does not have it and shall get it once more.
    SendAgain,
}

/// Why nothing was decided.
#[derive(Debug, thiserror::Error)]
pub enum DoubtError {
    /// It is not in doubt any more.
    #[error("the message is not in doubt any more")]
    Settled,
    /// The facts were not recorded.
    #[error(transparent)]
    Record(#[from] RecordError),
}

impl App {
    /// Records what a person found out; sent again it is another message, with the next resend number in its key.
    ///
    /// # Errors
    /// [`DoubtError`].
    pub async fn decide_doubt(
        &self,
        row: &MessageRow,
        decided: Decided,
        by: StaffId,
    ) -> Result<(), DoubtError> {
        for _ in 1..TRIES_MAX {
            match self.decide_doubt_once(row, decided, by).await {
                Err(DoubtError::Record(RecordError::Store(StoreError::Conflict))) => {}
                other => return other,
            }
        }
        self.decide_doubt_once(row, decided, by).await
    }

    async fn decide_doubt_once(
        &self,
        row: &MessageRow,
        decided: Decided,
        by: StaffId,
    ) -> Result<(), DoubtError> {
        let now = self.clock.now();
        let mut tx = self.store.begin();
        let mut locked = self.lock_one(&mut tx, row.patient).await?;
        // A receipt, an answer or a colleague may have been faster.
        let standing = locked.state.messages.get(&row.key).map(|message| message.standing);
        if !matches!(standing, Some(MessageStanding::Uncertain(_))) || !row.is_doubtful(now) {
            return Err(DoubtError::Settled);
        }
        let enrollment = row.plan.members.first().map(|member| member.enrollment);
        let actor = Actor::Staff(by);
        let new = |fact| just_now(actor, now, enrollment, fact);
        let delivered = decided == Decided::Arrived;
        let mut facts = vec![new(Fact::Receipt { message: row.key.clone(), delivered })];
        if decided == Decided::SendAgain {
            let plan = MessagePlan { key: next_key(&row.key), send_after: now, ..row.plan.clone() };
            facts.push(new(Fact::Planned(plan)));
        }
        self.append(&mut tx, actor, "decide doubt", &mut locked, facts, &FreeText::new()).await?;
        tx.commit().await.map_err(RecordError::from)?;
        Ok(())
    }
}

/// The key of the next resend: its last part counts them.
fn next_key(key: &MessageKey) -> MessageKey {
    match key.0.rsplit_once('/') {
        Some((stem, n)) => {
            MessageKey(format!("{stem}/{}", n.parse::<u32>().map_or(1, |n| n.saturating_add(1))))
        }
        None => MessageKey(format!("{}/1", key.0)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resend_counts_on() {
        assert_eq!(next_key(&MessageKey("e/s/1.1/ask/0/own/0".into())).0, "e/s/1.1/ask/0/own/1");
        assert_eq!(next_key(&MessageKey("odd".into())).0, "odd/1");
    }
}
