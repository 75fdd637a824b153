//! Alerts and tasks of rules climb the ladder of their level until somebody records an outcome.

use jiff::Timestamp;

use crate::{
    EnrollmentId,
    calendar::plus_minutes,
    cover,
    fact::{Fact, TaskKey},
    memo::Rest,
    model::{LevelId, Rung, TaskKind},
    planner::AdvanceError,
    turn::Turn,
    words,
};

/// A task that somebody took is theirs for this long before the next rung hears of it.
pub const TAKEN_HOLDS_MINUTES: i64 = 30;

/// Climbs every ladder that has come to its next rung.
pub(crate) fn tasks(turn: &mut Turn<'_>) -> Result<(), AdvanceError> {
    if let Some(wake) = turn.state.memo.ladders.holds(turn.now) {
        turn.look_at(wake);
        return Ok(());
    }
    let others = turn.wake_at.take();
    let before = turn.entries.len();
    climb_all(turn)?;
    if turn.entries.len() == before {
        turn.state.memo.ladders = Rest::from(turn.now, turn.wake_at);
    }
    turn.look_at(others);
    Ok(())
}

fn climb_all(turn: &mut Turn<'_>) -> Result<(), AdvanceError> {
    let mut climbing = Vec::new();
    for (key, task) in &turn.state.tasks {
        let laddered = task.kind == TaskKind::Alert || !task.rules.is_empty();
        let Some(id) = task.enrollment.filter(|_| laddered) else { continue };
        let Some(level) = turn.workflow_of(id)?.and_then(|workflow| workflow.level(task.level)) else {
            continue;
        };
        if (task.rung as usize) < level.ladder.len() {
            climbing.push((key.clone(), id, task.level, level.ladder.as_slice()));
        }
    }
    for (key, id, level, ladder) in climbing {
        if let Some((number, rung)) = last_reached(turn, &key, ladder) {
            climb(turn, id, key, level, number, rung)?;
        }
    }
    Ok(())
}

fn last_reached(turn: &mut Turn<'_>, key: &TaskKey, ladder: &[Rung]) -> Option<(u32, Rung)> {
    let state = turn.state.tasks.get(key)?;
    let (climbed, opened_at, taken_at) = (state.rung as usize, state.opened_at, state.taken_at);
    let mut reached = None;
    for (number, rung) in (1_u32..).zip(ladder).skip(climbed) {
        let at = reaches_at(turn, opened_at, taken_at, rung);
        if !turn.has_come(at) {
            break;
        }
        reached = Some((number, *rung));
    }
    reached
}

fn reaches_at(turn: &Turn<'_>, opened_at: Timestamp, taken_at: Option<Timestamp>, rung: &Rung) -> Timestamp {
    let at = cover::after(turn.site, &turn.site_zone, opened_at, rung.minutes, rung.counting);
    taken_at.map_or(at, |taken| at.max(plus_minutes(taken, TAKEN_HOLDS_MINUTES)))
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
