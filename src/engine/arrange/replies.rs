//! Answers to the patient's own texts: exempt from quiet hours and caps, and at most one to each.

use std::collections::BTreeMap;

use jiff::SignedDuration;

use crate::{
    EnrollmentId, decide,
    fact::{Because, Fact, MessagePlan, Purpose, Reply},
    keys,
    model::{Channel, LevelId, Role, TaskKind},
    planner::AdvanceError,
    turn::Turn,
    words,
};

/// An answer that could not leave within this time is of no use any more.
const GOOD_FOR: SignedDuration = SignedDuration::from_hours(24);
/// "Nobody watches this number" is said at most once in this time, so that two machines cannot talk for ever.
const NOT_MONITORED_EVERY: SignedDuration = SignedDuration::from_mins(10);

/// Answers every reply that nothing was decided about.
pub(crate) fn answer(turn: &mut Turn<'_>) -> Result<(), AdvanceError> {
    while let Some((seq, channel, reply)) = turn.state.unanswered_replies.first().copied() {
        match reply {
            Reply::Stop => stop(turn, seq, channel)?,
            Reply::Start => start(turn, seq, channel)?,
            Reply::Help => send(turn, seq, channel, Purpose::Help)?,
            Reply::Danger => {
                alert(turn, seq)?;
                not_monitored(turn, seq, channel)?;
            }
            Reply::Other => {
                let title = words::wrote();
                inform(turn, seq, "wrote", TaskKind::Admin, Role::Clerk, LevelId::Grey, title)?;
                not_monitored(turn, seq, channel)?;
            }
        }
        let judged =
            Fact::Judged { seq, fired: Vec::new(), day: None, numbers: BTreeMap::new(), back_days: None };
        turn.record(None, judged)?;
    }
    Ok(())
}

/// The channel ended with the reply; exactly one confirmation, and somebody offers the phone.
fn stop(turn: &mut Turn<'_>, seq: u64, channel: Channel) -> Result<(), AdvanceError> {
    let confirmed = turn.state.channels.get(&channel).is_some_and(|known| known.stop_confirmed);
    if confirmed {
        return Ok(());
    }
    turn.record(None, Fact::ChannelStopped { channel })?;
    let plan = plan(turn, seq, channel, Purpose::StopConfirmation);
    if turn.state.died.is_none() {
        turn.record(None, Fact::Planned(plan))?;
        inform(turn, seq, "stopped", TaskKind::Call, Role::Clerk, LevelId::Grey, words::stopped())?;
    }
    Ok(())
}

fn start(turn: &mut Turn<'_>, seq: u64, channel: Channel) -> Result<(), AdvanceError> {
    let stopped = turn.state.channels.get(&channel).is_some_and(|known| known.stopped);
    if !stopped || turn.state.died.is_some() {
        return Ok(());
    }
    turn.record(None, Fact::ChannelRestarted { channel })?;
    turn.record(None, Fact::ConsentGiven { channel, wording: "START".to_owned() })?;
    send(turn, seq, channel, Purpose::StartConfirmation)
}

fn not_monitored(turn: &mut Turn<'_>, seq: u64, channel: Channel) -> Result<(), AdvanceError> {
    let just_said =
        turn.state.not_monitored_at.is_some_and(|said| turn.now.duration_since(said) < NOT_MONITORED_EVERY);
    if just_said { Ok(()) } else { send(turn, seq, channel, Purpose::NotMonitored) }
}

/// Nothing goes out on a stopped channel, not even an answer.
fn send(turn: &mut Turn<'_>, seq: u64, channel: Channel, purpose: Purpose) -> Result<(), AdvanceError> {
    let stopped = turn.state.channels.get(&channel).is_some_and(|known| known.stopped);
    if stopped || turn.state.died.is_some() {
        return Ok(());
    }
    let plan = plan(turn, seq, channel, purpose);
    turn.record(None, Fact::Planned(plan))
}

fn plan(turn: &Turn<'_>, seq: u64, channel: Channel, purpose: Purpose) -> MessagePlan {
    MessagePlan {
        key: keys::reply(turn.state, seq, purpose),
        purpose,
        members: Vec::new(),
        channel,
        rung: 0,
        send_after: turn.now,
        not_after: turn.now.saturating_add(GOOD_FOR).unwrap_or(jiff::Timestamp::MAX),
        link_expires: None,
        exempt: true,
        because: Because::Reply(seq),
    }
}

fn alert(turn: &mut Turn<'_>, seq: u64) -> Result<(), AdvanceError> {
    inform(turn, seq, "danger", TaskKind::Alert, Role::Nurse, LevelId::RedNow, words::wrote_danger())
}

/// A task about a text, for the first enrollment that still runs.
fn inform(
    turn: &mut Turn<'_>,
    seq: u64,
    what: &str,
    kind: TaskKind,
    role: Role,
    level: LevelId,
    title: crate::model::Text,
) -> Result<(), AdvanceError> {
    let active: Option<EnrollmentId> = turn.state.enrollments.keys().copied().find(|id| !turn.is_over(*id));
    let key = keys::notice(turn.state, active, &format!("{what}/{seq}"));
    decide::notice(turn, active, key, kind, role, level, title, Some(seq))
}
