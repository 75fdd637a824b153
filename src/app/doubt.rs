//! What a person decides about a message whose hand-over is in doubt. The system never sends one again by itself.

use tend_engine::{
    StaffId,
    fact::{Fact, MessageKey, MessagePlan},
};

use super::{Actor, App, RecordError, record::just_now};
use crate::store::{FreeText, read::message_log::MessageRow};

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
    #[error("the message is not in doubt any more: it is {0}")]
    Settled(String),
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
        if row.state != "uncertain" {
            return Err(DoubtError::Settled(row.state.clone()));
        }
        let now = self.clock.now();
        let enrollment = row.plan.members.first().map(|member| member.enrollment);
        let actor = Actor::Staff(by);
        let new = |fact| just_now(actor, now, enrollment, fact);
        let delivered = decided == Decided::Arrived;
        let mut facts = vec![new(Fact::Receipt { message: row.key.clone(), delivered })];
        if decided == Decided::SendAgain && row.plan.not_after > now {
            let plan = MessagePlan { key: next_key(&row.key), send_after: now, ..row.plan.clone() };
            facts.push(new(Fact::Planned(plan)));
        }
        self.record(actor, "decide doubt", row.patient, facts, &FreeText::new()).await?;
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
