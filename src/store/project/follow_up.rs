//! The row of a follow-up, and what asks for a score of it.

use tend_engine::{
    fact::{Closing, Entry, Fact},
    planner::Library,
    state::{EnrollmentState, PatientState, Standing},
};

use super::{
    super::{
        order,
        words::{self, micros},
    },
    Changes, EnrollmentRow,
};

pub(super) fn enrollment(changes: &mut Changes, library: &Library, entry: &Entry, after: &PatientState) {
    let Some((id, state)) = entry.enrollment.and_then(|id| Some((id, after.enrollments.get(&id)?))) else {
        return;
    };
    let change = changes.enrollments.entry(id).or_default();
    change.row = enrollment_row(library, state, micros(entry.recorded_at));
    if matches!(entry.fact, Fact::Enrolled { .. }) {
        change.enrolled = true;
    }
    if matches!(entry.fact, Fact::Answered { .. }) {
        change.last_answer_at = Some(micros(entry.occurred_at));
    }
    if let Fact::Scored { probability_ppm, .. } = &entry.fact {
        change.scored = Some(*probability_ppm);
        change.score_wanted = Some(None);
    }
    if asks_for_score(&entry.fact) {
        change.score_wanted = Some(Some(micros(entry.recorded_at)));
    }
}

/// What became known of a follow-up that is not over asks for a score of it.
pub(super) fn running(changes: &mut Changes, library: &Library, entry: &Entry, after: &PatientState) {
    let its = entry.enrollment.and_then(|id| after.enrollments.get(&id));
    if its.is_some_and(|state| !matches!(state.standing, Standing::Over { .. })) {
        enrollment(changes, library, entry, after);
    }
}

/// What is new about the patient: a fact, an answer, a silence, what became of a visit or a task. What the engine and the
/// senders do on their own (steps, claims, hand-overs) says nothing new.
fn asks_for_score(fact: &Fact) -> bool {
    matches!(
        fact,
        Fact::Enrolled { .. }
            | Fact::FactSet { .. }
            | Fact::ScoreWanted { .. }
            | Fact::Answered { .. }
            | Fact::Closed { how: Closing::Silent, .. }
            | Fact::Outcome { .. }
    )
}

pub(super) fn enrollment_row(library: &Library, state: &EnrollmentState, at: i64) -> EnrollmentRow {
    let workflow = library.get(&state.version);
    let main = workflow.and_then(|workflow| workflow.main_anchor());
    let over = matches!(state.standing, Standing::Over { .. });
    EnrollmentRow {
        site: state.site.0,
        workflow: state.workflow.to_string(),
        version: state.version.0.clone(),
        standing: match state.standing {
            Standing::Active => "active",
            Standing::Paused { .. } => "paused",
            Standing::Over { .. } => "over",
        },
        anchor: main.and_then(|anchor| state.anchors.get(&anchor.id)).map(|anchor| anchor.date),
        enrolled_at: micros(state.enrolled_at),
        ended_at: over.then_some(at),
        risk_moved: state.risk_moved.map(order::moved),
        risk_rank: order::risk_rank(state),
        moved_from: state.moved_from.as_ref().map(|(before, _)| before.0.clone()),
        chosen: state.chosen.as_ref().map(|(to, choice)| words::chosen(to, choice)),
    }
}
