//! Chains: each occurrence decides, when it has closed, how far away the next one is.

use jiff::civil::Date;

use crate::{
    EnrollmentId,
    calendar::{at, day_of, plus_civil, plus_days},
    expr,
    fact::{Closing, Fact},
    model::{Schedule, Span, Step, Workflow},
    planner::AdvanceError,
    schedule::{self, Planned},
    state::EnrollmentState,
    turn::{Turn, env},
};

/// The next occurrence of a chain: the one that was started, or the first. While one is open there is none.
pub(crate) fn next_of(
    inputs: &schedule::Inputs<'_>,
    enrollment: &EnrollmentState,
    step: &Step,
) -> Option<(u32, Planned)> {
    let state = enrollment.steps.get(&step.id);
    if let Some(start) = state.and_then(|state| state.starts.first()) {
        return schedule::started(inputs, step, start).map(|planned| (start.generation, planned));
    }
    let (generation, after, ordinal) =
        state.map_or((1, 0, 0), |state| (state.generation.max(1), state.after, state.ordinal));
    if ordinal > after {
        return None;
    }
    let from = state.and_then(|state| state.from).unwrap_or(enrollment.enrolled_at);
    let only_later = state.is_some_and(|state| state.only_later);
    let wanted =
        |planned: &Planned| planned.due > from || (!only_later && planned.closes(inputs.zone) > from);
    let first = schedule::first_ordinal(inputs, step, 0, wanted)?;
    Some((generation, Planned { ordinal: after + 1, ..first }))
}

/// Plans the next one once the last one has closed.
pub(crate) fn goes_on(
    turn: &mut Turn<'_>,
    id: EnrollmentId,
    workflow: &Workflow,
    (index, step): (usize, &Step),
) -> Result<(), AdvanceError> {
    let Schedule::Chain { window, .. } = &step.schedule else { return Ok(()) };
    let Some(state) = turn.state.enrollments.get(&id).and_then(|enrollment| enrollment.steps.get(&step.id))
    else {
        return Ok(());
    };
    if !state.starts.is_empty() || state.ordinal >= schedule::ORDINALS_MAX {
        return Ok(());
    }
    let last = state
        .open
        .iter()
        .find(|open| open.generation == state.generation && open.ordinal == state.ordinal)
        .filter(|open| open.closed.is_some());
    let Some(last) = last else { return Ok(()) };
    // The day that the window lies around, before any shift to a working day.
    let centre = plus_days(day_of(&turn.zone, last.closes), -i64::from(window.after_days) - 1);
    let (generation, ordinal) = (last.generation, last.ordinal);
    start(turn, id, workflow, step, generation, ordinal, centre)?;
    // It may have come up already.
    super::open::due(turn, id, workflow, (index, step))
}

/// An occurrence that was left out or passed over leads to the next one, too.
pub(crate) fn passed(
    turn: &mut Turn<'_>,
    id: EnrollmentId,
    workflow: &Workflow,
    step: &Step,
    generation: u32,
    planned: &Planned,
) -> Result<(), AdvanceError> {
    if !matches!(step.schedule, Schedule::Chain { .. }) {
        return Ok(());
    }
    start(turn, id, workflow, step, generation, planned.ordinal, planned.centre)
}

/// The next one whose window is not gone: a late tick starts one, and says how many it missed.
fn start(
    turn: &mut Turn<'_>,
    id: EnrollmentId,
    workflow: &Workflow,
    step: &Step,
    generation: u32,
    last: u32,
    centre: Date,
) -> Result<(), AdvanceError> {
    let Schedule::Chain { window, .. } = &step.schedule else { return Ok(()) };
    let Some(distance) = distance(turn, id, workflow, step) else { return Ok(()) };
    let today = day_of(&turn.zone, turn.now);
    let mut day = plus_civil(centre, distance);
    let mut ordinal = last.saturating_add(1);
    while plus_days(day, i64::from(window.after_days)) < today && plus_civil(day, distance) > day {
        day = plus_civil(day, distance);
        ordinal = ordinal.saturating_add(1);
    }
    if ordinal > last + 1 {
        let (step, how) = (step.id.clone(), Closing::NotAskedLate);
        let missed = Fact::Skipped { step, generation, first: last + 1, last: ordinal - 1, how };
        turn.record(Some(id), missed)?;
    }
    let started = Fact::StepStarted {
        step: step.id.clone(),
        generation,
        ordinal,
        at: at(&turn.zone, day, step.timing.time),
        by: turn.state.seq,
    };
    turn.record(Some(id), started)
}

fn distance(turn: &Turn<'_>, id: EnrollmentId, workflow: &Workflow, step: &Step) -> Option<Span> {
    let Schedule::Chain { then, .. } = &step.schedule else { return None };
    let enrollment = turn.state.enrollments.get(&id)?;
    let env = env(&turn.zone, enrollment, workflow, day_of(&turn.zone, turn.now));
    let holds = |next: &&crate::model::Next| next.when.as_ref().is_none_or(|when| expr::holds(when, &env));
    then.iter().find(holds).map(|next| next.after)
}
