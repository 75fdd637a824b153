//! Occurrences that come up: opened, left out, or passed over because their window is gone.

use jiff::tz::TimeZone;

use crate::{
    EnrollmentId, Name, expr,
    fact::{Closing, Fact, Occurrence, TaskPlan},
    keys,
    memo::Coming,
    model::{Does, LevelId, Schedule, Step, TaskKind, Workflow},
    planner::AdvanceError,
    schedule::{self, Planned},
    state::{EnrollmentState, StepState},
    turn::{Turn, env},
};

/// An occurrence opened later than this after it came up says so, in minutes.
const LATE_MINUTES: i64 = 60;

/// Opens every occurrence of a step that has come up.
pub(crate) fn due(
    turn: &mut Turn<'_>,
    id: EnrollmentId,
    workflow: &Workflow,
    (index, step): (usize, &Step),
) -> Result<(), AdvanceError> {
    while let Some(Coming { generation, planned, up, closes }) = coming(turn, id, workflow, (index, step)) {
        if !turn.has_come(up) {
            return Ok(());
        }
        if closes <= turn.now {
            pass_over(turn, id, workflow, step, generation, &planned)?;
            continue;
        }
        if sends(step) && !turn.is_active(id) {
            // Paused: it opens when sending goes on, if its window still is open then.
            turn.has_come(closes);
            return Ok(());
        }
        open(turn, id, workflow, step, generation, &planned)?;
    }
    Ok(())
}

fn sends(step: &Step) -> bool {
    match &step.does {
        Does::Ask { .. } | Does::Tell { .. } => true,
        Does::Task { .. } | Does::Score { .. } => false,
    }
}

/// What comes next of a step, as it was worked out before where nothing changed since.
pub(crate) fn coming(
    turn: &mut Turn<'_>,
    id: EnrollmentId,
    workflow: &Workflow,
    (index, step): (usize, &Step),
) -> Option<Coming> {
    let enrollment = turn.state.enrollments.get(&id)?;
    if let Some(known) = enrollment.memo.known(index) {
        return known;
    }
    let found = next_of(&turn.inputs(enrollment, workflow), enrollment, step);
    let coming = found.map(|(generation, planned)| {
        let (up, closes) = (planned.comes_up(step, &turn.zone), planned.closes(&turn.zone));
        Coming { generation, planned, up, closes }
    });
    if let Some(enrollment) = turn.state.enrollments.get_mut(&id) {
        enrollment.memo.keep(index, &step.id, coming);
    }
    coming
}

/// The next occurrence of a step that was neither opened nor passed over.
pub(crate) fn next_of(
    inputs: &schedule::Inputs<'_>,
    enrollment: &EnrollmentState,
    step: &Step,
) -> Option<(u32, Planned)> {
    let state = enrollment.steps.get(&step.id);
    if matches!(step.schedule, Schedule::Chain { .. }) {
        return super::chain::next_of(inputs, enrollment, step);
    }
    if schedule::waits_for_start(step) {
        let planned =
            |start| schedule::started(inputs, step, start).map(|planned| (start.generation, planned));
        return state?.starts.iter().filter_map(planned).min_by_key(|(_, planned)| planned.due);
    }
    let (generation, after) = state.map_or((1, 0), |state| (state.generation.max(1), state.ordinal));
    let from = state.and_then(|state| state.from).unwrap_or(enrollment.enrolled_at);
    let only_later = state.is_some_and(|state| state.only_later);
    let wanted = |planned: &Planned| {
        if only_later { planned.due > from } else { planned.due > from || planned.closes(inputs.zone) > from }
    };
    schedule::first_ordinal(inputs, step, after, wanted).map(|planned| (generation, planned))
}

/// Windows that closed before anything was opened: an outage or a pause of ours, never the patient's silence.
fn pass_over(
    turn: &mut Turn<'_>,
    id: EnrollmentId,
    workflow: &Workflow,
    step: &Step,
    generation: u32,
    first: &Planned,
) -> Result<(), AdvanceError> {
    let last = last_closed(turn, id, workflow, step, first);
    let how = match &step.does {
        Does::Task { .. } => Closing::Undone,
        Does::Ask { .. } | Does::Tell { .. } | Does::Score { .. } if turn.is_active(id) => {
            Closing::NotAskedLate
        }
        Does::Ask { .. } | Does::Tell { .. } | Does::Score { .. } => Closing::NotAskedSuppressed,
    };
    let is_task = matches!(step.does, Does::Task { .. });
    let end = if is_task { last.ordinal.saturating_sub(1) } else { last.ordinal };
    if end >= first.ordinal {
        let (step, first) = (step.id.clone(), first.ordinal);
        turn.record(Some(id), Fact::Skipped { step, generation, first, last: end, how })?;
    }
    if !is_task {
        super::chain::passed(turn, id, workflow, step, generation, first)?;
    }
    if is_task {
        // Work that is still owed is opened late, and its ladder of overdue work begins.
        open(turn, id, workflow, step, generation, &last)?;
    }
    Ok(())
}

fn last_closed(
    turn: &Turn<'_>,
    id: EnrollmentId,
    workflow: &Workflow,
    step: &Step,
    first: &Planned,
) -> Planned {
    let Some(enrollment) = turn.state.enrollments.get(&id) else { return *first };
    if schedule::waits_for_start(step) || matches!(step.schedule, Schedule::Chain { .. }) {
        return *first;
    }
    let inputs = turn.inputs(enrollment, workflow);
    let later = |ordinal| schedule::occurrence(&inputs, step, ordinal);
    let gone = |ordinal| later(ordinal).is_some_and(|planned| planned.closes(&turn.zone) <= turn.now);
    let room = schedule::ORDINALS_MAX - first.ordinal.min(schedule::ORDINALS_MAX);
    let index = schedule::first_index(room, |n| !gone(first.ordinal + n));
    later((first.ordinal + index).saturating_sub(1).max(first.ordinal)).unwrap_or(*first)
}

/// Opens one occurrence, unless it is left out.
pub(crate) fn open(
    turn: &mut Turn<'_>,
    id: EnrollmentId,
    workflow: &Workflow,
    step: &Step,
    generation: u32,
    planned: &Planned,
) -> Result<(), AdvanceError> {
    let about = Occurrence { enrollment: id, step: step.id.clone(), generation, ordinal: planned.ordinal };
    if over(turn, &about, workflow, step, planned) {
        let (step, first) = (step.id.clone(), planned.ordinal);
        let (last, how) = (schedule::ORDINALS_MAX, Closing::NotNeeded);
        return turn.record(Some(id), Fact::Skipped { step, generation, first, last, how });
    }
    if let Some(how) = left_out(turn, &about, workflow, step, planned) {
        turn.record(Some(id), Fact::Closed { about, how })?;
        return super::chain::passed(turn, id, workflow, step, generation, planned);
    }
    match &step.does {
        Does::Score { model } => turn.record(Some(id), Fact::ScoreWanted { about, model: model.clone() }),
        Does::Ask { .. } | Does::Tell { .. } => turn.record(Some(id), opened(turn, about, step, planned)),
        Does::Task { kind, role, minutes, .. } => {
            let closes = planned.closes(&turn.zone);
            turn.record(Some(id), opened(turn, about.clone(), step, planned))?;
            let plan = TaskPlan {
                key: keys::step_task(&about),
                kind: *kind,
                role: *role,
                level: if *kind == TaskKind::Admin { LevelId::Blue } else { LevelId::Green },
                title: step.title.clone(),
                because: Vec::new(),
                about: Some(about),
                rule: None,
                cause: None,
                minutes: *minutes,
                opened_at: turn.now,
                respond_by: Some(closes),
                window_closes: Some(closes),
            };
            turn.record(Some(id), Fact::TaskOpened(plan))
        }
    }
}

fn opened(turn: &Turn<'_>, about: Occurrence, step: &Step, planned: &Planned) -> Fact {
    let up = planned.comes_up(step, &turn.zone);
    Fact::Opened {
        about,
        day: planned.day,
        due: planned.due,
        closes: planned.closes(&turn.zone),
        expires: planned.expires(&turn.zone),
        late: crate::calendar::plus_minutes(up, LATE_MINUTES) < turn.now,
    }
}

/// Whether the step's repeat has come to its end.
fn over(turn: &Turn<'_>, about: &Occurrence, workflow: &Workflow, step: &Step, planned: &Planned) -> bool {
    let (Some(until), Some(enrollment)) = (&step.timing.until, turn.state.enrollments.get(&about.enrollment))
    else {
        return false;
    };
    expr::holds(until, &env(&turn.zone, enrollment, workflow, planned.day))
}

fn left_out(
    turn: &Turn<'_>,
    about: &Occurrence,
    workflow: &Workflow,
    step: &Step,
    planned: &Planned,
) -> Option<Closing> {
    let enrollment = turn.state.enrollments.get(&about.enrollment)?;
    if satisfied(&turn.zone, enrollment.steps.get(&step.id), about.generation, planned) {
        return Some(Closing::Satisfied);
    }
    if led_up_to(enrollment, step, about.ordinal) {
        return Some(Closing::NotNeeded);
    }
    let only_if = step.timing.only_if.as_ref()?;
    (!expr::holds(only_if, &env(&turn.zone, enrollment, workflow, planned.day))).then_some(Closing::NotNeeded)
}

/// Whether an occurrence of an older generation was done inside the window.
pub(crate) fn satisfied(
    zone: &TimeZone,
    state: Option<&StepState>,
    generation: u32,
    planned: &Planned,
) -> bool {
    let Some(state) = state.filter(|state| state.done.iter().any(|done| done.generation < generation)) else {
        return false;
    };
    let inside = planned.opens(zone)..planned.closes(zone);
    state.done.iter().any(|done| done.generation < generation && inside.contains(&done.at))
}

/// Whether the occurrence leads up to something that took place already.
pub(crate) fn led_up_to(enrollment: &EnrollmentState, step: &Step, ordinal: u32) -> bool {
    let Schedule::Around { step: parent, offset, .. } = &step.schedule else { return false };
    is_before(*offset) && took_place(enrollment, parent, ordinal)
}

fn took_place(enrollment: &EnrollmentState, step: &Name, ordinal: u32) -> bool {
    let Some(state) = enrollment.steps.get(step) else { return false };
    let generation = state.generation;
    state.done.iter().any(|done| done.generation == generation && done.ordinal == ordinal)
}

fn is_before(offset: crate::model::Span) -> bool {
    let (months, days) = crate::calendar::months_and_days(offset);
    months < 0 || days < 0 || crate::calendar::elapsed(offset).is_some_and(|minutes| minutes < 0)
}
