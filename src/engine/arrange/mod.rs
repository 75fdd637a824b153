//! What all of a patient's enrollments want, put into messages: one request a day, on an open channel, at a decent hour.

pub(crate) mod carriers;
pub(crate) mod replies;
pub(crate) mod slot;
pub(crate) mod sweep;
pub(crate) mod wants;

use crate::{
    EnrollmentId,
    calendar::day_of,
    fact::{Because, DropReason, Fact, MessagePlan, Occurrence, Purpose},
    keys,
    model::{Channel, LevelId, Role, TaskKind},
    planner::AdvanceError,
    state::PatientState,
    turn::Turn,
    words,
};

use slot::Slot;
use wants::Want;

/// Drops what may not go any more, fills up what waits, and plans what is wanted. Asks come before words, words
/// before reminders.
pub(crate) fn messages(turn: &mut Turn<'_>, enrollments: &[EnrollmentId]) -> Result<(), AdvanceError> {
    sweep::scheduled(turn)?;
    if turn.state.died.is_some() {
        return Ok(());
    }
    sweep::join(turn, enrollments)?;
    asks(turn, enrollments)?;
    for want in wants::tells(turn, enrollments)? {
        plan(turn, vec![want], Purpose::Tell)?;
    }
    wants::reminders(turn, enrollments)
}

/// All questionnaires that wait go into one message.
fn asks(turn: &mut Turn<'_>, enrollments: &[EnrollmentId]) -> Result<(), AdvanceError> {
    let wanted = wants::asks(turn, enrollments)?;
    if wanted.is_empty() {
        return Ok(());
    }
    let uncovered = wanted.iter().any(|want| want.only_covered)
        && !crate::cover::is_covered(turn.site, &turn.site_zone, turn.now);
    let (waiting, anytime): (Vec<Want>, Vec<Want>) =
        wanted.into_iter().partition(|want| want.only_covered && uncovered);
    // What waits for cover goes with the rest when both may go on the same day: one request a day.
    if !anytime.is_empty() && !waiting.is_empty() && covered_the_same_day(turn) {
        let all = anytime.iter().chain(&waiting).cloned().collect();
        if plan_asks(turn, enrollments, all)? {
            return Ok(());
        }
    }
    if !anytime.is_empty() && plan_asks(turn, enrollments, anytime)? {
        return Ok(());
    }
    if waiting.is_empty() { Ok(()) } else { plan_asks(turn, enrollments, waiting).map(|_| ()) }
}

/// Whether somebody is there to see the answer on the day on which a message may go next.
fn covered_the_same_day(turn: &Turn<'_>) -> bool {
    let ledger = turn.ledger();
    let day = |only_covered| day_of(ledger.zone, slot::decent(ledger, ledger.now, only_covered));
    day(false) == day(true)
}

fn plan_asks(
    turn: &mut Turn<'_>,
    enrollments: &[EnrollmentId],
    wanted: Vec<Want>,
) -> Result<bool, AdvanceError> {
    let planned = plan(turn, wanted, Purpose::Ask)?;
    if planned {
        sweep::join(turn, enrollments)?;
    }
    Ok(planned)
}

/// Plans one message for these wants on the best channel; whether one was formed.
pub(crate) fn plan(turn: &mut Turn<'_>, wanted: Vec<Want>, purpose: Purpose) -> Result<bool, AdvanceError> {
    let Some(channels) = wanted.first().map(|want| slot::candidates(turn.state, want)) else {
        return Ok(false);
    };
    if channels.is_empty() {
        return no_channel(turn, &wanted).map(|()| false);
    }
    let first_tried = wanted.first().map(|want| want.tried.clone()).unwrap_or_default();
    let together: Vec<Want> = wanted.into_iter().filter(|want| want.tried == first_tried).collect();
    let only_covered = together.iter().any(|want| want.only_covered);
    let Some(not_after) = together.iter().map(|want| want.closes).max() else { return Ok(false) };
    let mut capped = None;
    for channel in &channels {
        match slot::find(turn.ledger(), *channel, not_after, only_covered, None) {
            Slot::At { at, capped: None } => return form(turn, &together, purpose, *channel, at, not_after),
            // Another channel may have room today.
            Slot::At { at, capped: Some(_) } => capped = capped.or(Some((*channel, Some(at)))),
            Slot::Wait(until) => {
                turn.has_come(until);
                return Ok(false);
            }
            Slot::Full => capped = capped.or(Some((*channel, None))),
            Slot::Never => {}
        }
    }
    match capped {
        Some((channel, Some(at))) => form(turn, &together, purpose, channel, at, not_after),
        Some((channel, None)) => suppress(turn, &together, purpose, channel, not_after),
        None => Ok(false),
    }
}

fn message(
    turn: &Turn<'_>,
    wanted: &[Want],
    purpose: Purpose,
    channel: Channel,
    send_after: jiff::Timestamp,
    not_after: jiff::Timestamp,
) -> Option<MessagePlan> {
    let first = wanted.first()?;
    let rung = wants::rung(turn.state, &first.about, purpose);
    let link = |want: &Want| want.expires;
    Some(MessagePlan {
        key: keys::message(turn.state, &first.about, purpose, rung),
        purpose,
        members: wanted.iter().map(|want| want.about.clone()).collect(),
        channel,
        rung,
        send_after,
        not_after,
        link_expires: if purpose == Purpose::Tell { None } else { wanted.iter().map(link).max() },
        exempt: false,
        because: first
            .failed
            .clone()
            .map_or_else(|| Because::Step(first.about.step.clone()), Because::Fallback),
    })
}

fn form(
    turn: &mut Turn<'_>,
    wanted: &[Want],
    purpose: Purpose,
    channel: Channel,
    at: jiff::Timestamp,
    not_after: jiff::Timestamp,
) -> Result<bool, AdvanceError> {
    let Some(plan) = message(turn, wanted, purpose, channel, at, not_after) else { return Ok(false) };
    let enrollment = plan.members.first().map(|member| member.enrollment);
    turn.record(enrollment, Fact::Planned(plan))?;
    Ok(true)
}

/// A cap leaves no room inside the window: the message is written down and not sent.
fn suppress(
    turn: &mut Turn<'_>,
    wanted: &[Want],
    purpose: Purpose,
    channel: Channel,
    not_after: jiff::Timestamp,
) -> Result<bool, AdvanceError> {
    let Some(plan) = message(turn, wanted, purpose, channel, turn.now, not_after) else { return Ok(false) };
    let (enrollment, message) = (plan.members.first().map(|member| member.enrollment), plan.key.clone());
    turn.record(enrollment, Fact::Planned(plan))?;
    turn.record(enrollment, Fact::Dropped { message, why: DropReason::Cap })?;
    Ok(false)
}

/// Said once per enrollment. After a STOP there is a task to offer the phone already.
fn no_channel(turn: &mut Turn<'_>, wanted: &[Want]) -> Result<(), AdvanceError> {
    if turn.state.channels.values().any(|channel| channel.stopped) {
        return Ok(());
    }
    for Want { about: Occurrence { enrollment, .. }, .. } in wanted {
        let id = *enrollment;
        let key = keys::notice(turn.state, Some(id), "no-channel");
        let noted = |state: &PatientState| state.enrollments.get(&id).is_some_and(|e| e.noted.contains(&key));
        if !noted(turn.state) {
            let title = words::no_channel();
            crate::decide::notice(
                turn,
                Some(id),
                key,
                TaskKind::Admin,
                Role::Clerk,
                LevelId::Grey,
                title,
                None,
            )?;
        }
    }
    Ok(())
}
