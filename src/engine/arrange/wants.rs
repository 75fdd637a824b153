//! What waits to be sent: open occurrences without a message, and reminders that have come.

use jiff::Timestamp;

use crate::{
    EnrollmentId,
    calendar::plus_span,
    fact::{DropReason, MessageKey, Occurrence, Purpose},
    model::{Channel, Does, Remind, Step, Workflow},
    planner::AdvanceError,
    state::{EnrollmentState, MessageStanding, OpenOccurrence, PatientState},
    turn::Turn,
};

/// Something that waits for a message.
#[derive(Debug, Clone)]
pub(crate) struct Want {
    pub about: Occurrence,
    pub due: Timestamp,
    pub closes: Timestamp,
    pub expires: Timestamp,
    /// It may only leave while somebody is on duty.
    pub only_covered: bool,
    /// Channels that failed for it.
    pub tried: Vec<Channel>,
    /// The last message that failed for it.
    pub failed: Option<MessageKey>,
    /// A channel asked for by the step.
    pub prefer: Option<Channel>,
}

/// Open asks without a message, in the order in which a merged form shows them.
pub(crate) fn asks(turn: &Turn<'_>, enrollments: &[EnrollmentId]) -> Result<Vec<Want>, AdvanceError> {
    let mut wants = unsent(turn, enrollments, |step| matches!(step.does, Does::Ask { .. }))?;
    wants.sort_by(|a, b| (a.only_covered, a.due, &a.about).cmp(&(b.only_covered, b.due, &b.about)));
    Ok(wants)
}

/// Open words without a message.
pub(crate) fn tells(turn: &Turn<'_>, enrollments: &[EnrollmentId]) -> Result<Vec<Want>, AdvanceError> {
    let mut wants = unsent(turn, enrollments, |step| matches!(step.does, Does::Tell { .. }))?;
    wants.sort_by(|a, b| (a.due, &a.about).cmp(&(b.due, &b.about)));
    Ok(wants)
}

fn unsent(
    turn: &Turn<'_>,
    enrollments: &[EnrollmentId],
    wanted: impl Fn(&Step) -> bool,
) -> Result<Vec<Want>, AdvanceError> {
    let mut wants = Vec::new();
    for id in enrollments.iter().filter(|id| turn.is_active(**id)) {
        let Some(enrollment) = turn.state.enrollments.get(id) else { continue };
        if !enrollment.steps.values().any(|step| step.open.iter().any(|open| open.closed.is_none())) {
            continue;
        }
        let workflow = turn.workflow(&enrollment.version)?;
        for (name, state) in &enrollment.steps {
            let unsent = |open: &&OpenOccurrence| open.closed.is_none() && open.asked_at.is_none();
            if !state.open.iter().any(|open| unsent(&open)) {
                continue;
            }
            let Some(step) = workflow.step(name).filter(|step| wanted(step)) else { continue };
            for open in state.open.iter().filter(unsent) {
                let about = Occurrence {
                    enrollment: *id,
                    step: name.clone(),
                    generation: open.generation,
                    ordinal: open.ordinal,
                };
                wants.extend(want(turn.state, about, open, needs_cover(workflow, step)));
            }
        }
    }
    Ok(wants)
}

/// Whether a step's questionnaire may only leave while somebody is on duty.
pub(crate) fn needs_cover(workflow: &Workflow, step: &Step) -> bool {
    let Does::Ask { questionnaire, .. } = &step.does else { return false };
    workflow
        .questionnaires
        .get(questionnaire)
        .is_some_and(|questionnaire| questionnaire.only_in_covered_hours)
}

/// Nothing while a message for it lives or arrived, or ended in a way that is final.
fn want(state: &PatientState, about: Occurrence, open: &OpenOccurrence, only_covered: bool) -> Option<Want> {
    let mut tried = Vec::new();
    let mut failed = None;
    for (key, message) in state.messages.iter().filter(|(_, message)| message.members.contains(&about)) {
        let fails = match message.standing {
            MessageStanding::Refused | MessageStanding::Bounced(_) => true,
            MessageStanding::Dropped(why) => may_go_again(why)?,
            MessageStanding::Scheduled
            | MessageStanding::Claimed(_)
            | MessageStanding::HandedOver(_)
            | MessageStanding::Uncertain(_) => return None,
        };
        if fails {
            tried.push(message.channel);
            failed = Some(key.clone());
        }
    }
    tried.sort();
    tried.dedup();
    let (due, closes, expires) = (open.due, open.closes, open.expires);
    Some(Want { about, due, closes, expires, only_covered, tried, failed, prefer: None })
}

/// `None` when a dropped message is the end of it; else whether its channel failed.
fn may_go_again(why: DropReason) -> Option<bool> {
    match why {
        DropReason::ChannelStopped
        | DropReason::NoConsent
        | DropReason::NoAddress
        | DropReason::Undeliverable => Some(true),
        DropReason::Paused => Some(false),
        DropReason::Answered
        | DropReason::EnrollmentOver
        | DropReason::Died
        | DropReason::Cap
        | DropReason::Expired
        | DropReason::Replanned
        | DropReason::Visited
        | DropReason::Voided
        | DropReason::Empty => None,
    }
}

/// The rung of the next message about an occurrence: how many went down the ladder before it.
pub(crate) fn rung(state: &PatientState, about: &Occurrence, purpose: Purpose) -> u32 {
    let same = |a: Purpose| std::mem::discriminant(&a) == std::mem::discriminant(&purpose);
    let before = state.messages.values().filter(|message| {
        same(message.purpose)
            && message.members.contains(about)
            && message.standing != MessageStanding::Dropped(DropReason::Paused)
    });
    if matches!(purpose, Purpose::Remind(_)) { 0 } else { u32::try_from(before.count()).unwrap_or(u32::MAX) }
}

/// Plans one message for all reminders that have come: only the latest of each, none when it was never handed over.
pub(crate) fn reminders(turn: &mut Turn<'_>, enrollments: &[EnrollmentId]) -> Result<(), AdvanceError> {
    let mut come: Vec<(Want, u8)> = Vec::new();
    for id in enrollments {
        if !turn.is_active(*id) {
            continue;
        }
        let asked = |open: &OpenOccurrence| open.closed.is_none() && open.asked_at.is_some();
        let any =
            |enrollment: &EnrollmentState| enrollment.steps.values().any(|step| step.open.iter().any(asked));
        if !turn.state.enrollments.get(id).is_some_and(any) {
            continue;
        }
        let Some(workflow) = turn.workflow_of(*id)? else { continue };
        for step in &workflow.steps {
            let Does::Ask { remind, .. } = &step.does else { continue };
            if !remind.is_empty() {
                reminders_of(turn, *id, workflow, step, remind, &mut come);
            }
        }
    }
    come.sort_by(|(a, _), (b, _)| (a.only_covered, a.due, &a.about).cmp(&(b.only_covered, b.due, &b.about)));
    let Some((_, number)) = come.first() else { return Ok(()) };
    let purpose = Purpose::Remind(*number);
    super::plan(turn, come.into_iter().map(|(want, _)| want).collect(), purpose).map(|_| ())
}

fn reminders_of(
    turn: &mut Turn<'_>,
    id: EnrollmentId,
    workflow: &Workflow,
    step: &Step,
    remind: &[Remind],
    come: &mut Vec<(Want, u8)>,
) {
    let Some(state) = turn.state.enrollments.get(&id).and_then(|e| e.steps.get(&step.id)) else { return };
    let since = |open: &OpenOccurrence| {
        let asked_at = open.asked_at.filter(|_| open.closed.is_none())?;
        let since = asked_at.max(open.reminded_at.unwrap_or(asked_at));
        Some((open.generation, open.ordinal, since, (open.due, open.closes, open.expires)))
    };
    let waiting: Vec<_> = state.open.iter().filter_map(since).collect();
    for (generation, ordinal, since, (due, closes, expires)) in waiting {
        let Some((number, other)) = latest(turn, since, (due, closes), remind) else { continue };
        let about = Occurrence { enrollment: id, step: step.id.clone(), generation, ordinal };
        let Some(channel) = asked_on(turn.state, &about) else { continue };
        let prefer = Some(if other { other_than(channel) } else { channel });
        let only_covered = needs_cover(workflow, step);
        let want =
            Want { about, due, closes, expires, only_covered, tried: Vec::new(), failed: None, prefer };
        come.push((want, number));
    }
}

/// The latest reminder that has come since the ask was handed over and since the last one.
fn latest(
    turn: &mut Turn<'_>,
    since: Timestamp,
    (due, closes): (Timestamp, Timestamp),
    remind: &[Remind],
) -> Option<(u8, bool)> {
    let mut found = None;
    for (number, reminder) in (1_u8..).zip(remind) {
        let at = plus_span(&turn.zone, due, reminder.after);
        if at > since && at < closes && turn.has_come(at) {
            found = Some((number, reminder.other_channel));
        }
    }
    found
}

fn other_than(channel: Channel) -> Channel {
    match channel {
        Channel::Sms => Channel::Email,
        Channel::Email => Channel::Sms,
    }
}

/// The channel on which an ask was handed over and did not come back.
fn asked_on(state: &PatientState, about: &Occurrence) -> Option<Channel> {
    let arrived = state.messages.values().find(|message| {
        matches!(message.standing, MessageStanding::HandedOver(_)) && message.members.contains(about)
    });
    arrived.map(|message| message.channel)
}
