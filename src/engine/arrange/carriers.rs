//! What carriers said: not now, never, it did not arrive.

use jiff::{SignedDuration, Timestamp};

use crate::{
    fact::{DropReason, Fact, MessageKey, MoveReason},
    keys,
    model::{LevelId, Role, TaskKind},
    planner::AdvanceError,
    turn::Turn,
    words,
};

/// Attempts at one message before its channel counts as failed for it.
pub const ATTEMPTS_MAX: u32 = 100;
/// Attempts at one message before it goes to the patient's other channel, if that is open: about half an hour.
pub const ATTEMPTS_BEFORE_OTHER: u32 = 7;
/// The first wait after a temporary refusal, in seconds.
const BACKOFF_SECONDS: i64 = 30;
/// The longest wait between two attempts, in seconds.
const BACKOFF_SECONDS_MAX: i64 = 60 * 60;

/// When a message is tried again after that many attempts: exponential, plus up to half of it by `jitter`.
#[must_use]
pub fn retry_at(attempts: u32, jitter: u32, now: Timestamp) -> Timestamp {
    let doublings = attempts.saturating_sub(1).min(16);
    let wait = (BACKOFF_SECONDS << doublings).min(BACKOFF_SECONDS_MAX);
    let extra = wait * i64::from(jitter % 1024) / 2048;
    now.saturating_add(SignedDuration::from_secs(wait + extra)).unwrap_or(Timestamp::MAX)
}

/// Spreads retries without randomness: the same key and attempt always wait the same.
fn jitter(key: &MessageKey, attempts: u32) -> u32 {
    let mix = |hash: u32, byte: u8| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
    key.0.bytes().chain(attempts.to_le_bytes()).fold(0x811c_9dc5, mix) >> 7
}

/// Gives refused messages another time, and tells a clerk of addresses that failed.
pub(crate) fn settle(turn: &mut Turn<'_>) -> Result<(), AdvanceError> {
    retries(turn)?;
    failures(turn)
}

fn retries(turn: &mut Turn<'_>) -> Result<(), AdvanceError> {
    let refused: Vec<MessageKey> =
        turn.state.messages.iter().filter(|(_, message)| message.retry).map(|(key, _)| key.clone()).collect();
    for message in refused {
        let Some(state) = turn.state.messages.get(&message) else { continue };
        let enrollment = state.members.first().map(|member| member.enrollment);
        let backoff = retry_at(state.attempts, jitter(&message, state.attempts), turn.now);
        let send_after = backoff.max(state.not_before.unwrap_or(backoff));
        let other =
            || turn.state.channels.iter().any(|(other, known)| *other != state.channel && known.open());
        let falls_back =
            state.rung == 0 && state.attempts >= ATTEMPTS_BEFORE_OTHER && !state.exempt && other();
        let over = state.attempts >= ATTEMPTS_MAX || send_after >= state.not_after;
        let fact = if over || falls_back {
            Fact::Dropped { message, why: DropReason::Undeliverable }
        } else {
            Fact::Moved { message, send_after, why: MoveReason::Retry }
        };
        turn.record(enrollment, fact)?;
    }
    Ok(())
}

fn failures(turn: &mut Turn<'_>) -> Result<(), AdvanceError> {
    while let Some((key, channel)) = turn.state.failures.first().cloned() {
        let members = turn.state.messages.get(&key).map(|message| message.members.as_slice());
        let enrollment = members.and_then(|members| members.first()).map(|member| member.enrollment);
        let usable = turn.state.channels.get(&channel).is_some_and(|channel| channel.usable);
        if usable && turn.state.died.is_none() {
            let task = keys::notice(turn.state, None, &format!("undeliverable/{}", key.0));
            let title = words::undeliverable();
            crate::decide::notice(
                turn,
                enrollment,
                task,
                TaskKind::Admin,
                Role::Clerk,
                LevelId::Grey,
                title,
                None,
            )?;
        }
        turn.record(None, Fact::Reachable { channel, usable: false })?;
    }
    Ok(())
}
