//! A schedule input changed: what is planned is withdrawn and planned afresh in the same turn; what is done stays done.

use crate::{
    EnrollmentId, Name,
    fact::{Closing, DropReason, Fact, Occurrence},
    model::{Does, Step, Workflow},
    planner::AdvanceError,
    schedule::{depends_on_anchor, depends_on_fact},
    state::{AnchorState, OpenOccurrence, StepState, Unjudged, Was},
    turn::Turn,
};

use super::close::was_sent;

/// How a change treats what was due before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    /// A new event: only what is due from now on.
    Event,
    /// The date or fact became known for the first time: also what may still be done.
    First,
    /// A mistake put right: what is unsent is re-timed, what went out keeps its number.
    Correction,
}

/// Plans afresh what the entry changes, if it changes any schedule input.
pub(crate) fn after(
    turn: &mut Turn<'_>,
    id: EnrollmentId,
    workflow: &Workflow,
    entry: &Unjudged,
) -> Result<(), AdvanceError> {
    match &entry.what {
        Fact::AnchorEvent { anchor, date } => {
            restart(turn, id, workflow, anchor, *date)?;
            let before = replaced_anchor(turn, entry.seq).flatten();
            let change = if before.is_some() { Change::Event } else { Change::First };
            steps(turn, id, workflow, change, |step| depends_on_anchor(workflow, step, anchor))
        }
        Fact::AnchorCorrected { anchor, date, reason } => {
            correct_restarted(turn, id, workflow, entry.seq, anchor, *date, reason)?;
            steps(turn, id, workflow, Change::Correction, |step| depends_on_anchor(workflow, step, anchor))
        }
        Fact::FactSet { name, value } => {
            let default =
                || workflow.facts.iter().find(|def| def.id == *name).and_then(|def| def.default.clone());
            let before =
                replaced_fact(turn, entry.seq).unwrap_or_else(|| Some(value.clone())).or_else(default);
            let change = match before {
                Some(before) if before == *value => return Ok(()),
                Some(_) => Change::Event,
                None => Change::First,
            };
            steps(turn, id, workflow, change, |step| depends_on_fact(workflow, step, name))
        }
        Fact::VersionChanged { from, migration, undone, .. } => {
            super::version::moved(turn, id, workflow, from, migration, *undone)
        }
        Fact::Voided { seq, .. } => voided(turn, id, workflow, *seq, entry.restored.as_ref()),
        _ => Ok(()),
    }
}

fn replaced_anchor(turn: &Turn<'_>, seq: u64) -> Option<Option<AnchorState>> {
    turn.state.undo.iter().find(|undoable| undoable.seq == seq).and_then(|undoable| match &undoable.was {
        Was::Anchor { anchor, .. } => Some(*anchor),
        Was::Alive | Was::Fact { .. } | Was::Unanswered { .. } => None,
    })
}

fn replaced_fact(turn: &Turn<'_>, seq: u64) -> Option<Option<crate::Value>> {
    turn.state.undo.iter().find(|undoable| undoable.seq == seq).and_then(|undoable| match &undoable.was {
        Was::Fact { value, .. } => Some(value.clone()),
        Was::Alive | Was::Anchor { .. } | Was::Unanswered { .. } => None,
    })
}

fn restarted<'a>(workflow: &'a Workflow, anchor: &Name) -> Option<&'a Name> {
    workflow.anchors.iter().find(|def| def.id == *anchor)?.restarts.as_ref()
}

/// A recurrence becomes the date of the clock that it restarts.
fn restart(
    turn: &mut Turn<'_>,
    id: EnrollmentId,
    workflow: &Workflow,
    anchor: &Name,
    date: jiff::civil::Date,
) -> Result<(), AdvanceError> {
    let Some(clock) = restarted(workflow, anchor).filter(|clock| *clock != anchor) else { return Ok(()) };
    turn.record(Some(id), Fact::AnchorEvent { anchor: clock.clone(), date })
}

fn correct_restarted(
    turn: &mut Turn<'_>,
    id: EnrollmentId,
    workflow: &Workflow,
    seq: u64,
    anchor: &Name,
    date: jiff::civil::Date,
    reason: &str,
) -> Result<(), AdvanceError> {
    let Some(clock) = restarted(workflow, anchor).filter(|clock| *clock != anchor) else { return Ok(()) };
    let wrong = replaced_anchor(turn, seq).flatten().map(|before| before.date);
    let runs_from =
        turn.state.enrollments.get(&id).and_then(|e| e.anchors.get(clock)).map(|known| known.date);
    if wrong.is_none() || wrong != runs_from {
        return Ok(());
    }
    turn.record(Some(id), Fact::AnchorCorrected { anchor: clock.clone(), date, reason: reason.to_owned() })
}

/// Work that followed from the voided entry falls away; a date or fact that got its old value back is a correction.
fn voided(
    turn: &mut Turn<'_>,
    id: EnrollmentId,
    workflow: &Workflow,
    seq: u64,
    restored: Option<&Name>,
) -> Result<(), AdvanceError> {
    let follows = |task: &crate::state::TaskState| task.cause == Some(seq) && task.rules.len() <= 1;
    let tasks: Vec<_> =
        turn.state.tasks.iter().filter(|(_, task)| follows(task)).map(|(key, _)| key.clone()).collect();
    for task in tasks {
        turn.record(Some(id), Fact::TaskWithdrawn { task, why: DropReason::Voided })?;
    }
    let Some(name) = restored else { return Ok(()) };
    if let Some(clock) = restarted(workflow, name).filter(|clock| *clock != name) {
        let engines = turn.state.undo.iter().find(|undoable| {
            undoable.seq > seq
                && undoable.enrollment == Some(id)
                && matches!(&undoable.was, Was::Anchor { name, .. } if name == clock)
        });
        if let Some(undoable) = engines {
            let seq = undoable.seq;
            turn.record(Some(id), Fact::Voided { seq, reason: "follows from a voided entry".to_owned() })?;
        }
    }
    steps(turn, id, workflow, Change::Correction, |step| {
        depends_on_anchor(workflow, step, name) || depends_on_fact(workflow, step, name)
    })
}

fn steps(
    turn: &mut Turn<'_>,
    id: EnrollmentId,
    workflow: &Workflow,
    change: Change,
    affected: impl Fn(&Step) -> bool,
) -> Result<(), AdvanceError> {
    if turn.is_over(id) {
        return Ok(());
    }
    for step in workflow.steps.iter().filter(|step| affected(step)) {
        let state = turn.state.enrollments.get(&id).and_then(|e| e.steps.get(&step.id)).cloned();
        let state = state.unwrap_or_default();
        withdraw(turn, id, step, &state)?;
        plan_afresh(turn, id, step, &state, change)?;
    }
    Ok(())
}

/// Opens the next generation of a step.
pub(super) fn plan_afresh(
    turn: &mut Turn<'_>,
    id: EnrollmentId,
    step: &Step,
    state: &StepState,
    change: Change,
) -> Result<(), AdvanceError> {
    let begun = state.generation > 0;
    let (generation, open_windows, after) = match change {
        Change::Event => (state.generation.max(1) + 1, false, 0),
        Change::First => (if begun { state.generation + 1 } else { 1 }, true, 0),
        Change::Correction => (state.generation.max(1) + 1, true, last_sent(state)),
    };
    let (step, from) = (step.id.clone(), turn.now);
    turn.record(Some(id), Fact::Replanned { step, generation, from, open_windows, after })
}

fn last_sent(state: &StepState) -> u32 {
    let done = state.done.iter().filter(|done| done.generation == state.generation).map(|done| done.ordinal);
    done.max().unwrap_or(0).max(state.after)
}

/// What has not gone out falls away: unsent messages by the closing of their member, tasks by name.
pub(super) fn withdraw(
    turn: &mut Turn<'_>,
    id: EnrollmentId,
    step: &Step,
    state: &StepState,
) -> Result<(), AdvanceError> {
    for open in &state.open {
        let about = Occurrence {
            enrollment: id,
            step: step.id.clone(),
            generation: open.generation,
            ordinal: open.ordinal,
        };
        if let Some(task) = open.task.clone() {
            turn.record(Some(id), Fact::TaskWithdrawn { task, why: DropReason::Replanned })?;
        }
        if falls_away(turn, step, open, &about) {
            turn.record(Some(id), Fact::Closed { about, how: Closing::Withdrawn })?;
        }
    }
    Ok(())
}

fn falls_away(turn: &Turn<'_>, step: &Step, open: &OpenOccurrence, about: &Occurrence) -> bool {
    match &step.does {
        Does::Task { .. } => matches!(open.closed, None | Some(Closing::Undone)),
        Does::Ask { .. } | Does::Tell { .. } => open.closed.is_none() && !was_sent(turn.state, about),
        Does::Score { .. } => false,
    }
}
