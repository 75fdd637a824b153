//! Open occurrences: when their window closes, how, and what happens to work that nobody did.

use crate::{
    EnrollmentId, Name,
    calendar::{day_of, plus_span},
    expr,
    fact::{Closing, DropReason, Fact, Occurrence, TaskKey},
    model::{Does, Overdue, Step, Workflow},
    planner::AdvanceError,
    state::{MessageStanding, OpenOccurrence, PatientState},
    turn::{Turn, env},
};

/// The steps with an occurrence that is not closed, or whose work is still owed.
pub(crate) fn to_follow(turn: &Turn<'_>, id: EnrollmentId) -> Vec<Name> {
    let Some(enrollment) = turn.state.enrollments.get(&id) else { return Vec::new() };
    enrollment.steps.iter().filter(|(_, state)| state.is_owed()).map(|(step, _)| step.clone()).collect()
}

/// Looks at every open occurrence of a step.
pub(crate) fn followed(
    turn: &mut Turn<'_>,
    id: EnrollmentId,
    workflow: &Workflow,
    step: &Step,
) -> Result<(), AdvanceError> {
    let mut index = 0;
    loop {
        let state = turn.state.enrollments.get(&id).and_then(|enrollment| enrollment.steps.get(&step.id));
        let Some(open) = state.and_then(|state| state.open.get(index)) else { return Ok(()) };
        index += 1;
        match open.closed {
            None => {
                let open = open.clone();
                window(turn, id, step, &open)?;
            }
            Some(Closing::Undone) if open.task.is_some() => {
                let open = open.clone();
                overdue(turn, id, workflow, step, &open)?;
            }
            Some(_) => {}
        }
    }
}

fn window(
    turn: &mut Turn<'_>,
    id: EnrollmentId,
    step: &Step,
    open: &OpenOccurrence,
) -> Result<(), AdvanceError> {
    let about = || Occurrence {
        enrollment: id,
        step: step.id.clone(),
        generation: open.generation,
        ordinal: open.ordinal,
    };
    let close = |how| Fact::Closed { about: about(), how };
    let led_up = |turn: &Turn<'_>| {
        let enrollment = turn.state.enrollments.get(&id);
        enrollment.is_some_and(|enrollment| super::open::led_up_to(enrollment, step, open.ordinal))
    };
    match &step.does {
        Does::Score { .. } => Ok(()),
        Does::Ask { .. } | Does::Tell { .. } if led_up(turn) => {
            turn.record(Some(id), close(Closing::NotNeeded))
        }
        Does::Tell { .. } if open.asked_at.is_some() => turn.record(Some(id), close(Closing::Done)),
        Does::Ask { .. } | Does::Tell { .. } | Does::Task { .. } if !turn.has_come(open.closes) => Ok(()),
        Does::Ask { .. } | Does::Tell { .. } => {
            let how = missed(turn, &about());
            turn.record(Some(id), close(how))
        }
        Does::Task { .. } => turn.record(Some(id), close(Closing::Undone)),
    }
}

/// Why an ask closed without an answer. Only what was handed over and did not come back is the patient's silence.
fn missed(turn: &Turn<'_>, about: &Occurrence) -> Closing {
    let active = turn.is_active(about.enrollment);
    let worst = turn.state.messages.values().filter(|message| message.members.contains(about));
    let mut how = Closing::NotAskedSuppressed;
    for message in worst {
        match message.standing {
            MessageStanding::HandedOver(_) if active => return Closing::Silent,
            MessageStanding::HandedOver(_) => return Closing::NotAskedSuppressed,
            MessageStanding::Uncertain(_)
            | MessageStanding::Claimed(_)
            | MessageStanding::Refused
            | MessageStanding::Bounced(_)
            | MessageStanding::Scheduled => how = Closing::NotAskedUndelivered,
            MessageStanding::Dropped(why) => how = how_dropped(why, how),
        }
    }
    how
}

fn how_dropped(why: DropReason, before: Closing) -> Closing {
    match why {
        DropReason::Undeliverable | DropReason::Expired => Closing::NotAskedUndelivered,
        DropReason::Cap if before == Closing::NotAskedSuppressed => Closing::NotAskedCapped,
        DropReason::Cap
        | DropReason::Answered
        | DropReason::ChannelStopped
        | DropReason::NoConsent
        | DropReason::NoAddress
        | DropReason::EnrollmentOver
        | DropReason::Paused
        | DropReason::Died
        | DropReason::Replanned
        | DropReason::Visited
        | DropReason::Voided
        | DropReason::Empty => before,
    }
}

/// Climbs the ladder of an undone task to the last rung that has come.
fn overdue(
    turn: &mut Turn<'_>,
    id: EnrollmentId,
    workflow: &Workflow,
    step: &Step,
    open: &OpenOccurrence,
) -> Result<(), AdvanceError> {
    let (Does::Task { overdue, .. }, Some(task)) = (&step.does, &open.task) else { return Ok(()) };
    let mut reached: Option<(u32, &Overdue)> = None;
    for (number, rung) in (1_u32..).zip(overdue).skip(open.rung as usize) {
        let at = plus_span(&turn.zone, open.closes, rung.after);
        if !turn.has_come(at) {
            break;
        }
        let day = day_of(&turn.zone, at);
        let applies = rung.only_if.as_ref().is_none_or(|only_if| {
            let enrollment = turn.state.enrollments.get(&id);
            enrollment
                .is_some_and(|enrollment| expr::holds(only_if, &env(&turn.zone, enrollment, workflow, day)))
        });
        if applies {
            reached = Some((number, rung));
        }
    }
    let Some((number, rung)) = reached else { return Ok(()) };
    climb(turn, id, task.clone(), number, rung)
}

fn climb(
    turn: &mut Turn<'_>,
    id: EnrollmentId,
    task: TaskKey,
    number: u32,
    rung: &Overdue,
) -> Result<(), AdvanceError> {
    let changed = Fact::TaskChanged {
        task,
        level: rung.level,
        role: rung.role,
        respond_by: None,
        rung: number,
        because: rung.because.clone(),
        rule: None,
    };
    turn.record(Some(id), changed)
}

/// Whether a message about an occurrence was put to the patient and is not known to have failed.
#[must_use]
pub(crate) fn was_sent(state: &PatientState, about: &Occurrence) -> bool {
    state.messages.values().filter(|message| message.members.contains(about)).any(|message| {
        match message.standing {
            MessageStanding::Claimed(_) | MessageStanding::HandedOver(_) | MessageStanding::Uncertain(_) => {
                true
            }
            MessageStanding::Scheduled
            | MessageStanding::Refused
            | MessageStanding::Dropped(_)
            | MessageStanding::Bounced(_) => false,
        }
    })
}
