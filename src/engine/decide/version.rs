//! A follow-up that is moved to another version: what waits of removed and re-timed steps is withdrawn, and what is due from
//! now on is planned afresh. What is done stays done.

use crate::{
    EnrollmentId, VersionHash,
    fact::{Closing, DropReason, Fact, Occurrence, VersionChoice},
    keys,
    migration::Migration,
    model::{Does, LevelId, Role, Step, TaskKind, Workflow},
    planner::AdvanceError,
    schedule::waits_for_start,
    state::{StepState, Unjudged},
    turn::Turn,
    words,
};

use super::{
    notice,
    replan::{Change, plan_afresh, withdraw},
};

/// Whether a follow-up waits to be moved.
pub(crate) fn waits_to_move(turn: &Turn<'_>, id: EnrollmentId) -> bool {
    let chosen = turn.state.enrollments.get(&id).and_then(|enrollment| enrollment.chosen.as_ref());
    matches!(chosen, Some((_, VersionChoice::MoveWhenQuiet(_))))
}

/// Moves a follow-up that waits to be moved, once no window is open; says whether it did.
pub(crate) fn moves_now(turn: &mut Turn<'_>, id: EnrollmentId) -> Result<bool, AdvanceError> {
    let Some(enrollment) = turn.state.enrollments.get(&id) else { return Ok(false) };
    let Some((to, VersionChoice::MoveWhenQuiet(migration))) = &enrollment.chosen else { return Ok(false) };
    if enrollment.has_open_windows() {
        return Ok(false);
    }
    let moved = Fact::VersionChanged {
        from: enrollment.version.clone(),
        to: to.clone(),
        migration: migration.clone(),
        undone: false,
    };
    turn.record(Some(id), moved)?;
    Ok(true)
}

/// What follows from a move. `workflow` is the version that the follow-up is on now.
pub(super) fn moved(
    turn: &mut Turn<'_>,
    id: EnrollmentId,
    workflow: &Workflow,
    from: &VersionHash,
    migration: &Migration,
    undone: bool,
) -> Result<(), AdvanceError> {
    if turn.is_over(id) {
        return Ok(());
    }
    let before = turn.workflow(from)?;
    for step in before.steps.iter().filter(|step| migration.removed.contains(&step.id)) {
        let state = state_of(turn, id, &step.id);
        remove(turn, id, &step.id, &state)?;
    }
    // A move that is taken back brings back what may still be done; a move asks only what is due after it, but work whose
    // window is open is not lost by it.
    let change = |step: &Step| {
        let is_work = matches!(step.does, Does::Task { .. }) && migration.retimed.contains(&step.id);
        if undone || is_work { Change::First } else { Change::Event }
    };
    for step in workflow.steps.iter().filter(|step| !waits_for_start(step)) {
        let mut state = state_of(turn, id, &step.id);
        if migration.retimed.contains(&step.id) {
            // What is overdue is owed all the same.
            state.open.retain(|open| open.closed.is_none());
            withdraw(turn, id, step, &state)?;
        } else if !migration.added.contains(&step.id) {
            continue;
        }
        plan_afresh(turn, id, step, &state, change(step))?;
    }
    Ok(())
}

fn state_of(turn: &Turn<'_>, id: EnrollmentId, step: &crate::Name) -> StepState {
    let state = turn.state.enrollments.get(&id).and_then(|enrollment| enrollment.steps.get(step));
    state.cloned().unwrap_or_default()
}

/// Nothing of the step waits any more. The links of what went out still take an answer.
fn remove(
    turn: &mut Turn<'_>,
    id: EnrollmentId,
    step: &crate::Name,
    state: &StepState,
) -> Result<(), AdvanceError> {
    for open in &state.open {
        if let Some(task) = open.task.clone() {
            turn.record(Some(id), Fact::TaskWithdrawn { task, why: DropReason::Replanned })?;
        }
        if matches!(open.closed, None | Some(Closing::Undone)) {
            let (step, generation, ordinal) = (step.clone(), open.generation, open.ordinal);
            let about = Occurrence { enrollment: id, step, generation, ordinal };
            turn.record(Some(id), Fact::Closed { about, how: Closing::Withdrawn })?;
        }
    }
    Ok(())
}

/// The version whose rules judge an entry. An answer to a step that was removed is judged by the last version that asked it,
/// so that a red flag is never lost, and a person is told of it.
pub(super) fn asked_by<'a: 'w, 'w>(
    turn: &mut Turn<'a>,
    id: EnrollmentId,
    workflow: &'w Workflow,
    entry: &Unjudged,
    about: Option<&Occurrence>,
) -> Result<&'w Workflow, AdvanceError> {
    let Some(about) = about else { return Ok(workflow) };
    let Some(enrollment) = turn.state.enrollments.get(&id) else { return Ok(workflow) };
    let version = enrollment.version_of(&about.step);
    if *version == enrollment.version || !matches!(entry.what, Fact::Answered { .. } | Fact::Flagged { .. }) {
        return Ok(workflow);
    }
    let before = turn.workflow(version)?;
    if matches!(entry.what, Fact::Answered { .. }) {
        let key = keys::notice(turn.state, Some(id), &format!("withdrawn-answer/{}", entry.seq));
        let (kind, words) = (TaskKind::Review, words::withdrawn_answer());
        notice(turn, Some(id), key, kind, Role::Nurse, LevelId::Grey, words, Some(entry.seq))?;
    }
    Ok(before)
}
