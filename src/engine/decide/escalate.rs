//! Alerts and tasks of rules climb the ladder of their level until somebody records an outcome.

use crate::{
    EnrollmentId,
    calendar::plus_minutes,
    cover,
    fact::{Fact, TaskKey},
    model::{LevelId, Rung, TaskKind},
    planner::AdvanceError,
    state::TaskState,
    turn::Turn,
    words,
};

/// A task that somebody took is theirs for this long before the next rung hears of it.
pub const TAKEN_HOLDS_MINUTES: i64 = 30;

/// Climbs every ladder that has come to its next rung.
pub(crate) fn tasks(turn: &mut Turn<'_>) -> Result<(), AdvanceError> {
    let laddered: Vec<(TaskKey, EnrollmentId)> = turn
        .state
        .tasks
        .iter()
        .filter(|(_, task)| task.kind == TaskKind::Alert || !task.rules.is_empty())
        .filter_map(|(key, task)| task.enrollment.map(|id| (key.clone(), id)))
        .collect();
    for (key, id) in laddered {
        task(turn, key, id)?;
    }
    Ok(())
}

fn task(turn: &mut Turn<'_>, key: TaskKey, id: EnrollmentId) -> Result<(), AdvanceError> {
    let Some(workflow) = turn.workflow_of(id)? else { return Ok(()) };
    let Some(state) = turn.state.tasks.get(&key) else { return Ok(()) };
    let level = state.level;
    let Some(ladder) = workflow.level(level).map(|level| level.ladder.as_slice()) else { return Ok(()) };
    let Some((number, rung)) = last_reached(turn, &key, ladder) else { return Ok(()) };
    climb(turn, id, key, level, number, rung)
}

fn last_reached(turn: &mut Turn<'_>, key: &TaskKey, ladder: &[Rung]) -> Option<(u32, Rung)> {
    let state = turn.state.tasks.get(key)?.clone();
    let mut reached = None;
    for (number, rung) in (1_u32..).zip(ladder).skip(state.rung as usize) {
        let at = reaches_at(turn, &state, rung);
        if !turn.has_come(at) {
            break;
        }
        reached = Some((number, *rung));
    }
    reached
}

fn reaches_at(turn: &Turn<'_>, task: &TaskState, rung: &Rung) -> jiff::Timestamp {
    let at = cover::after(turn.site, &turn.site_zone, task.opened_at, rung.minutes, rung.counting);
    task.taken_at.map_or(at, |taken| at.max(plus_minutes(taken, TAKEN_HOLDS_MINUTES)))
}

fn climb(
    turn: &mut Turn<'_>,
    id: EnrollmentId,
    task: TaskKey,
    level: LevelId,
    rung: u32,
    to: Rung,
) -> Result<(), AdvanceError> {
    let because = words::nobody_responded();
    let changed =
        Fact::TaskChanged { task, level, role: to.role, respond_by: None, rung, because, rule: None };
    turn.record(Some(id), changed)
}
