//! Alerts and tasks of rules climb the ladder of their level until somebody records an outcome.

use jiff::Timestamp;

use crate::{
    EnrollmentId, Name,
    calendar::plus_minutes,
    cover,
    fact::{Fact, TaskKey},
    memo::Rest,
    model::{Action, LevelId, Respond, Rung, TaskKind, Workflow},
    planner::AdvanceError,
    state::TaskState,
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
        let Some(workflow) = turn.workflow_of(id)? else { continue };
        let Some(level) = workflow.level(task.level) else { continue };
        if (task.rung as usize) < level.ladder.len() {
            let own = own_time(workflow, task);
            climbing.push((key.clone(), id, task.level, level.ladder.as_slice(), own));
        }
    }
    for (key, id, level, ladder, own) in climbing {
        if let Some((number, rung)) = last_reached(turn, &key, ladder, own) {
            climb(turn, id, key, level, number, rung)?;
        }
    }
    Ok(())
}

/// The time to respond that the rules of an alert give it, if all of them do at its level: its ladder begins then.
fn own_time(workflow: &Workflow, task: &TaskState) -> Option<Respond> {
    let rule = |name: &Name| workflow.rules.iter().find(|rule| rule.id == *name);
    let own = |name: &Name| {
        rule(name)?.then.iter().find_map(|action| match action {
            Action::AlertWithin { level, respond } if *level == task.level => Some(*respond),
            Action::AlertWithin { .. }
            | Action::Alert(_)
            | Action::Task { .. }
            | Action::Start(_)
            | Action::Set(..)
            | Action::Pause { .. }
            | Action::Stop { .. } => None,
        })
    };
    if task.kind != TaskKind::Alert {
        return None;
    }
    let mut all = task.rules.iter().map(own);
    let first = all.next()??;
    all.all(|one| one.is_some()).then_some(first)
}

fn last_reached(
    turn: &mut Turn<'_>,
    key: &TaskKey,
    ladder: &[Rung],
    own: Option<Respond>,
) -> Option<(u32, Rung)> {
    let state = turn.state.tasks.get(key)?;
    let (climbed, opened_at, taken_at) = (state.rung as usize, state.opened_at, state.taken_at);
    let own = own.and_then(|own| cover::respond_by(turn.site, &turn.site_zone, opened_at, own));
    // With a time of its own the first rung is climbed when that is over, the others as far after it as they stand apart.
    let (from, less) = own.map_or((opened_at, 0), |own| (own, ladder.first().map_or(0, |rung| rung.minutes)));
    let mut reached = None;
    for (number, rung) in (1_u32..).zip(ladder).skip(climbed) {
        let minutes = rung.minutes.saturating_sub(less);
        let at = reaches_at(turn, from, taken_at, Rung { minutes, ..*rung });
        if !turn.has_come(at) {
            break;
        }
        reached = Some((number, *rung));
    }
    reached
}

fn reaches_at(turn: &Turn<'_>, from: Timestamp, taken_at: Option<Timestamp>, rung: Rung) -> Timestamp {
    let at = cover::after(turn.site, &turn.site_zone, from, rung.minutes, rung.counting);
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
