//! What comes next for an enrollment, from the functions that will plan it.

use jiff::{Timestamp, civil::Date};

use crate::{
    EnrollmentId, Name,
    decide::open::{next_of, satisfied},
    expr,
    model::Does,
    planner::{AdvanceError, Library},
    schedule::{self, Inputs},
    site::SiteSettings,
    state::{PatientState, Standing},
    turn::env,
};

/// Most lines of a preview per step.
const LINES_PER_STEP_MAX: usize = 50;

/// Something that will come up if nothing changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upcoming {
    /// The step.
    pub step: Name,
    /// Its generation.
    pub generation: u32,
    /// Its ordinal.
    pub ordinal: u32,
    /// The civil day it is due on.
    pub day: Date,
    /// Due.
    pub due: Timestamp,
    /// The window opens.
    pub opens: Timestamp,
    /// The window closes.
    pub closes: Timestamp,
}

/// What comes up by `until`, in order of time. What an earlier
/// generation did already, and a step whose condition does not hold as things stand, is left out.
///
/// # Errors
/// [`AdvanceError`] when the version or a zone is not known.
pub fn preview(
    library: &Library,
    site: &SiteSettings,
    state: &PatientState,
    enrollment: EnrollmentId,
    until: Timestamp,
) -> Result<Vec<Upcoming>, AdvanceError> {
    lines(library, site, state, enrollment, until, LINES_PER_STEP_MAX)
}

/// The same with at most so many lines of each step.
pub(crate) fn lines(
    library: &Library,
    site: &SiteSettings,
    state: &PatientState,
    enrollment: EnrollmentId,
    until: Timestamp,
    most: usize,
) -> Result<Vec<Upcoming>, AdvanceError> {
    let Some(of) = state.enrollments.get(&enrollment) else { return Ok(Vec::new()) };
    if matches!(of.standing, Standing::Over { .. }) {
        return Ok(Vec::new());
    }
    let workflow =
        library.get(&of.version).ok_or_else(|| AdvanceError::UnknownVersion(of.version.clone()))?;
    let (_, zone) = state.known_zones(site)?;
    let inputs =
        Inputs { workflow, facts: &of.facts, anchors: &of.anchors, calendar: &site.calendar, zone: &zone };
    let end = schedule::ends_at(&inputs).map_or(until, |end| end.min(until));
    let mut found = Vec::new();
    for step in workflow.steps.iter().filter(|step| !matches!(step.does, Does::Score { .. })) {
        let Some((generation, first)) = next_of(&inputs, of, step) else { continue };
        let mut next = Some(first);
        for _ in 0..most {
            let Some(planned) = next.filter(|planned| planned.due < end) else { break };
            let applies = |only_if| expr::holds(only_if, &env(&zone, of, workflow, planned.day));
            let done = satisfied(&zone, of.steps.get(&step.id), generation, &planned);
            if !done && step.timing.only_if.as_ref().is_none_or(applies) {
                found.push(Upcoming {
                    step: step.id.clone(),
                    generation,
                    ordinal: planned.ordinal,
                    day: planned.day,
                    due: planned.due,
                    opens: planned.opens(&zone),
                    closes: planned.closes(&zone),
                });
            }
            next = schedule::following(&inputs, step, &planned);
        }
    }
    found.sort_by(|a, b| (a.due, &a.step, a.ordinal).cmp(&(b.due, &b.step, b.ordinal)));
    Ok(found)
}
