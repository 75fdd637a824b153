//! What one enrollment wants now: occurrences opened and closed, rules looked at, tasks, the end.

pub(crate) mod alert;
pub(crate) mod chain;
pub(crate) mod close;
pub(crate) mod escalate;
pub(crate) mod judge;
pub(crate) mod numbers;
pub(crate) mod open;
pub(crate) mod replan;
pub(crate) mod version;

pub use judge::flags;

use jiff::{Timestamp, ToSpan};

use crate::{
    EnrollmentId,
    calendar::{day_of, start_of_day},
    expr,
    fact::{Closing, DropReason, Fact, Occurrence, StopReason, TaskKey, TaskPlan},
    keys,
    memo::Rest,
    model::{LevelId, Role, TaskKind, Workflow},
    planner::AdvanceError,
    schedule,
    state::{EnrollmentState, Standing},
    turn::{Turn, env},
    words,
};

/// So many days ahead a condition that ends a follow-up is looked at.
const ENDING_DAYS_AHEAD: i64 = 92;

/// Everything that one enrollment wants now.
pub(crate) fn enrollment(turn: &mut Turn<'_>, id: EnrollmentId) -> Result<(), AdvanceError> {
    let Some(state) = turn.state.enrollments.get(&id) else { return Ok(()) };
    if turn.is_over(id) && state.unjudged.is_empty() {
        return over(turn, id);
    }
    let Some(workflow) = turn.workflow_of(id)? else { return Ok(()) };
    if sleeps(turn, id, workflow) {
        return Ok(());
    }
    judge::entries(turn, id, workflow)?;
    if turn.is_over(id) {
        return over(turn, id);
    }
    let others = turn.wake_at.take();
    let before = turn.entries.len();
    course(turn, id, workflow)?;
    let (since, wake) = (turn.now, turn.wake_at);
    if turn.entries.len() == before
        && let Some(state) = turn.state.enrollments.get_mut(&id)
    {
        state.memo.course = Rest::from(since, wake);
    }
    turn.look_at(others);
    Ok(())
}

/// Whether a look that found nothing to decide still holds.
fn sleeps(turn: &mut Turn<'_>, id: EnrollmentId, workflow: &Workflow) -> bool {
    let Some(state) = turn.state.enrollments.get(&id) else { return true };
    // A condition that ends the follow-up may look at the day.
    if !state.unjudged.is_empty() || workflow.ending.when.is_some() {
        return false;
    }
    let Some(wake) = state.memo.course.holds(turn.now) else { return false };
    turn.look_at(wake);
    true
}

/// What an enrollment that is not over wants.
fn course(turn: &mut Turn<'_>, id: EnrollmentId, workflow: &Workflow) -> Result<(), AdvanceError> {
    pause(turn, id)?;
    if ended(turn, id, workflow) {
        turn.record(Some(id), Fact::Ended)?;
        return over(turn, id);
    }
    // What closes now has closed before it is asked whether a window is open, and what opens now has not opened: where
    // windows touch there is no other quiet instant.
    if version::waits_to_move(turn, id) && (closes(turn, id, workflow)? || version::moves_now(turn, id)?) {
        return Ok(());
    }
    let others = turn.wake_at.take();
    let followed = close::to_follow(turn, id);
    for (index, step) in workflow.steps.iter().enumerate() {
        let before = turn.entries.len();
        open::due(turn, id, workflow, (index, step))?;
        if turn.entries.len() > before || followed.contains(&step.id) {
            close::followed(turn, id, workflow, step)?;
        }
        chain::goes_on(turn, id, workflow, (index, step))?;
    }
    turn.look_at(others);
    let (ends, look_again) = ending_ahead(turn, id, workflow);
    turn.look_at(ends);
    // The end, or that of a pause, also is something that will happen.
    if turn.wake_at.is_none() {
        idle(turn, id)?;
    }
    turn.look_at(look_again);
    Ok(())
}

/// Closes every window whose time has come; says whether there was one.
fn closes(turn: &mut Turn<'_>, id: EnrollmentId, workflow: &Workflow) -> Result<bool, AdvanceError> {
    let (before, wake_at) = (turn.entries.len(), turn.wake_at);
    let followed = close::to_follow(turn, id);
    for step in workflow.steps.iter().filter(|step| followed.contains(&step.id)) {
        close::followed(turn, id, workflow, step)?;
    }
    turn.wake_at = wake_at;
    Ok(turn.entries.len() > before)
}

/// Death ends everything at once.
pub(crate) fn death(turn: &mut Turn<'_>) -> Result<(), AdvanceError> {
    if turn.state.died.is_none() {
        return undone_death(turn);
    }
    let alive = |e: &EnrollmentState| !matches!(e.standing, Standing::Over { .. });
    let active: Vec<EnrollmentId> =
        turn.state.enrollments.iter().filter(|(_, e)| alive(e)).map(|(id, _)| *id).collect();
    for id in active {
        turn.record(Some(id), Fact::Stopped { reason: StopReason::Died })?;
    }
    let tasks: Vec<(TaskKey, Option<EnrollmentId>)> =
        turn.state.tasks.iter().map(|(key, task)| (key.clone(), task.enrollment)).collect();
    for (task, enrollment) in tasks {
        turn.record(enrollment, Fact::TaskWithdrawn { task, why: DropReason::Died })?;
    }
    Ok(())
}

/// A death entered by mistake: what ended with it goes on.
fn undone_death(turn: &mut Turn<'_>) -> Result<(), AdvanceError> {
    let died = |e: &EnrollmentState| e.standing == Standing::Over { because: Some(StopReason::Died) };
    let ended: Vec<EnrollmentId> =
        turn.state.enrollments.iter().filter(|(_, e)| died(e)).map(|(id, _)| *id).collect();
    for id in ended {
        turn.record(Some(id), Fact::Resumed)?;
    }
    Ok(())
}

/// Nothing is asked any more. A stop also withdraws planned work; at a natural end, and for alerts, a person finishes.
fn over(turn: &mut Turn<'_>, id: EnrollmentId) -> Result<(), AdvanceError> {
    let Some(state) = turn.state.enrollments.get(&id) else { return Ok(()) };
    let Standing::Over { because } = state.standing else { return Ok(()) };
    let mut unclosed = Vec::new();
    for (step, state) in &state.steps {
        for open in state.open.iter().filter(|open| open.closed.is_none() && open.task.is_none()) {
            unclosed.push(Occurrence {
                enrollment: id,
                step: step.clone(),
                generation: open.generation,
                ordinal: open.ordinal,
            });
        }
    }
    for about in unclosed {
        turn.record(Some(id), Fact::Closed { about, how: Closing::Withdrawn })?;
    }
    let Some(reason) = because else { return Ok(()) };
    let falls = |task: &crate::state::TaskState| {
        task.enrollment == Some(id)
            && task.kind != TaskKind::Alert
            && task.about.is_some()
            && (task.rules.is_empty() || reason != StopReason::Rule)
    };
    let tasks: Vec<TaskKey> =
        turn.state.tasks.iter().filter(|(_, task)| falls(task)).map(|(key, _)| key.clone()).collect();
    for task in tasks {
        turn.record(Some(id), Fact::TaskWithdrawn { task, why: DropReason::EnrollmentOver })?;
    }
    Ok(())
}

/// A pause ends on its day, or has a review task.
fn pause(turn: &mut Turn<'_>, id: EnrollmentId) -> Result<(), AdvanceError> {
    let Some(Standing::Paused { until, seq }) = turn.state.enrollments.get(&id).map(|e| e.standing.clone())
    else {
        return Ok(());
    };
    if let Some(day) = until {
        let end = start_of_day(&turn.zone, day);
        if turn.has_come(end) {
            turn.record(Some(id), Fact::Resumed)?;
        }
        return Ok(());
    }
    let reviewed = turn.state.tasks.values().any(|task| {
        let of_rule = !task.rules.is_empty() || task.cause.is_some_and(|cause| cause >= seq);
        task.enrollment == Some(id) && task.kind == TaskKind::Review && of_rule
    });
    let key = keys::notice(turn.state, Some(id), &format!("pause/{seq}"));
    if reviewed || turn.state.enrollments.get(&id).is_some_and(|e| e.noted.contains(&key)) {
        return Ok(());
    }
    notice(
        turn,
        Some(id),
        key,
        TaskKind::Review,
        Role::Nurse,
        LevelId::Grey,
        words::pause_review(),
        Some(seq),
    )
}

fn ended(turn: &mut Turn<'_>, id: EnrollmentId, workflow: &Workflow) -> bool {
    let Some(state) = turn.state.enrollments.get(&id) else { return false };
    let holds = |when| expr::holds(when, &env(&turn.zone, state, workflow, day_of(&turn.zone, turn.now)));
    if workflow.ending.when.as_ref().is_some_and(holds) {
        return true;
    }
    let end = state.memo.ends.unwrap_or_else(|| schedule::ends_at(&turn.inputs(state, workflow)));
    if let Some(state) = turn.state.enrollments.get_mut(&id) {
        state.memo.ends = Some(end);
    }
    end.is_some_and(|end| turn.has_come(end))
}

/// When the condition that ends the follow-up will hold by the day alone; and when to look again, if that is further ahead
/// than is looked. Conditions know whole days only, so it is the start of a day.
fn ending_ahead(
    turn: &Turn<'_>,
    id: EnrollmentId,
    workflow: &Workflow,
) -> (Option<Timestamp>, Option<Timestamp>) {
    let (Some(when), Some(state)) = (&workflow.ending.when, turn.state.enrollments.get(&id)) else {
        return (None, None);
    };
    let last = schedule::ends_at(&turn.inputs(state, workflow));
    let today = day_of(&turn.zone, turn.now);
    let mut begin = None;
    for ahead in 1..=ENDING_DAYS_AHEAD {
        let Ok(day) = today.checked_add(ahead.days()) else { return (None, None) };
        let start = start_of_day(&turn.zone, day);
        if last.is_some_and(|last| start >= last) {
            return (None, None);
        }
        if expr::holds(when, &env(&turn.zone, state, workflow, day)) {
            return (Some(start), None);
        }
        begin = Some(start);
    }
    (None, begin)
}

/// An active enrollment for which nothing more will happen and nobody has a task is put before somebody.
fn idle(turn: &mut Turn<'_>, id: EnrollmentId) -> Result<(), AdvanceError> {
    let owned = turn.state.tasks.values().any(|task| task.enrollment == Some(id));
    if owned || !turn.is_active(id) {
        return Ok(());
    }
    let key = keys::notice(turn.state, Some(id), &format!("idle/{}", turn.state.seq));
    notice(turn, Some(id), key, TaskKind::Review, Role::Nurse, LevelId::Grey, words::nothing_planned(), None)
}

/// Opens a task in the engine's own words.
#[expect(
    clippy::too_many_arguments,
    reason = "each is a column of the task; a struct would only rename them"
)]
pub(crate) fn notice(
    turn: &mut Turn<'_>,
    enrollment: Option<EnrollmentId>,
    key: TaskKey,
    kind: TaskKind,
    role: Role,
    level: LevelId,
    title: crate::model::Text,
    cause: Option<u64>,
) -> Result<(), AdvanceError> {
    let end_of_today = crate::model::Respond::SameDay { raised_before_minute: 24 * 60 };
    let workflow = enrollment.map(|id| turn.workflow_of(id)).transpose()?.flatten();
    let by_level = workflow.filter(|_| kind == TaskKind::Alert);
    let by_level = by_level.and_then(|workflow| alert::respond_by(turn, workflow, level));
    let plan = TaskPlan {
        key,
        kind,
        role,
        level,
        because: vec![title.clone()],
        title,
        about: None,
        rule: None,
        cause,
        minutes: 5,
        opened_at: turn.now,
        respond_by: by_level
            .or_else(|| crate::cover::respond_by(turn.site, &turn.site_zone, turn.now, end_of_today)),
        window_closes: None,
    };
    turn.record(enrollment, Fact::TaskOpened(plan))
}
