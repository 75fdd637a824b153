//! Messages that wait: dropped when they may not go any more, filled up with what comes due on their day.

use crate::{
    EnrollmentId,
    calendar::{day_of, plus_days, start_of_day},
    decide,
    fact::{Closing, DropReason, Fact, MessageKey, Occurrence, Purpose},
    memo::Coming,
    model::{Does, Step, Workflow},
    planner::AdvanceError,
    schedule::Planned,
    state::{MessageStanding, MessageState, PatientState, Standing},
    turn::Turn,
};

use super::wants::{self, needs_cover};

/// Drops every waiting message that may not go any more.
pub(crate) fn scheduled(turn: &mut Turn<'_>) -> Result<(), AdvanceError> {
    let waiting = |message: &MessageState| message.standing == MessageStanding::Scheduled;
    let keys: Vec<MessageKey> =
        turn.state.messages.iter().filter(|(_, m)| waiting(m)).map(|(key, _)| key.clone()).collect();
    for key in keys {
        let Some(message) = turn.state.messages.get(&key) else { continue };
        let why = unwanted(turn.state, message);
        let (not_after, enrollment) =
            (message.not_after, message.members.first().map(|member| member.enrollment));
        let why = match why {
            Some(why) => why,
            None if turn.has_come(not_after) => DropReason::Expired,
            None => continue,
        };
        turn.record(enrollment, Fact::Dropped { message: key, why })?;
    }
    Ok(())
}

/// Why a waiting message may not go any more, whatever the hour.
pub(crate) fn unwanted(state: &PatientState, message: &MessageState) -> Option<DropReason> {
    if state.died.is_some() {
        return Some(DropReason::Died);
    }
    let channel = state.channels.get(&message.channel).copied().unwrap_or_default();
    if channel.stopped && message.purpose != Purpose::StopConfirmation {
        return Some(DropReason::ChannelStopped);
    }
    if message.purpose.is_reply() {
        return None;
    }
    if !channel.consented {
        return Some(DropReason::NoConsent);
    }
    if !channel.usable {
        return Some(DropReason::NoAddress);
    }
    let mut reasons = Vec::new();
    for member in &message.members {
        reasons.push(fallen_away(state, member)?);
    }
    reasons.sort();
    reasons.dedup();
    match reasons.as_slice() {
        [why] => Some(*why),
        _ => Some(DropReason::Empty),
    }
}

/// Why a member is left out; `None` while it is wanted.
pub(crate) fn fallen_away(state: &PatientState, member: &Occurrence) -> Option<DropReason> {
    let standing = state.enrollments.get(&member.enrollment).map(|enrollment| &enrollment.standing);
    match standing {
        None | Some(Standing::Over { .. }) => return Some(DropReason::EnrollmentOver),
        Some(Standing::Paused { .. }) => return Some(DropReason::Paused),
        Some(Standing::Active) => {}
    }
    match state.occurrence(member)?.closed? {
        Closing::Done => Some(DropReason::Answered),
        Closing::Withdrawn => Some(DropReason::Replanned),
        Closing::NotNeeded | Closing::Satisfied => Some(DropReason::Visited),
        Closing::Silent
        | Closing::Undone
        | Closing::NotAskedLate
        | Closing::NotAskedCapped
        | Closing::NotAskedSuppressed
        | Closing::NotAskedUndelivered => Some(DropReason::Expired),
    }
}

/// Questionnaires due on the day of a message that has not left go with it, if their window is open by then.
pub(crate) fn join(turn: &mut Turn<'_>, enrollments: &[EnrollmentId]) -> Result<(), AdvanceError> {
    let waiting = turn.state.messages.iter().filter(|(_, message)| {
        message.purpose == Purpose::Ask && message.standing == MessageStanding::Scheduled && !message.retry
    });
    let waiting: Vec<(MessageKey, jiff::Timestamp)> =
        waiting.map(|(key, message)| (key.clone(), message.send_after)).collect();
    if waiting.is_empty() {
        return Ok(());
    }
    let today = day_of(&turn.zone, turn.now);
    for (key, send_after) in waiting {
        let day = day_of(&turn.zone, send_after);
        if day <= today {
            fill_up(turn, enrollments, &key, today)?;
        }
        // Looked at again when its day begins, or the next one while it still waits.
        let start = start_of_day(&turn.zone, day.max(plus_days(today, 1)));
        turn.has_come(start);
    }
    Ok(())
}

fn fill_up(
    turn: &mut Turn<'_>,
    enrollments: &[EnrollmentId],
    key: &MessageKey,
    today: jiff::civil::Date,
) -> Result<(), AdvanceError> {
    let Some(message) = turn.state.messages.get(key) else { return Ok(()) };
    let (channel, leaves) = (message.channel, message.send_after.max(turn.now));
    let covered = |turn: &Turn<'_>| crate::cover::is_covered(turn.site, &turn.site_zone, leaves);
    open_early(turn, enrollments, today, covered)?;
    for want in wants::asks(turn, enrollments)? {
        let fits =
            !want.tried.contains(&channel) && want.closes > leaves && (!want.only_covered || covered(turn));
        if fits {
            let (enrollment, member) = (want.about.enrollment, want.about);
            turn.record(Some(enrollment), Fact::Joined { message: key.clone(), member })?;
        }
    }
    Ok(())
}

/// Opens the asks that come due later today and whose window is open already.
fn open_early(
    turn: &mut Turn<'_>,
    enrollments: &[EnrollmentId],
    today: jiff::civil::Date,
    covered: impl Fn(&Turn<'_>) -> bool,
) -> Result<(), AdvanceError> {
    for id in enrollments.iter().copied() {
        if !turn.is_active(id) {
            continue;
        }
        let Some(workflow) = turn.workflow_of(id)? else { continue };
        let asks = |(_, step): &(usize, &Step)| matches!(step.does, Does::Ask { .. });
        for (index, step) in workflow.steps.iter().enumerate().filter(asks) {
            while let Some((generation, planned)) = later_today(turn, id, workflow, (index, step), today)
                .filter(|_| !needs_cover(workflow, step) || covered(turn))
            {
                decide::open::open(turn, id, workflow, step, generation, &planned)?;
            }
        }
    }
    Ok(())
}

fn later_today(
    turn: &mut Turn<'_>,
    id: EnrollmentId,
    workflow: &Workflow,
    step: (usize, &Step),
    today: jiff::civil::Date,
) -> Option<(u32, Planned)> {
    let Coming { generation, planned, .. } = decide::open::coming(turn, id, workflow, step)?;
    let fits = planned.day == today && planned.due > turn.now && planned.opens(&turn.zone) <= turn.now;
    fits.then_some((generation, planned))
}
