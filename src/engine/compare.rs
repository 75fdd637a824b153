//! What moving one follow-up to another version would change, from the functions that would change it. Nothing is written and
//! nothing is sent: the planner runs on copies, and what would be handed over today is handed to an imagined carrier.

use std::collections::BTreeMap;

use jiff::{Timestamp, civil::Date};

use crate::{
    EnrollmentId, Name, VersionHash,
    calendar::{day_of, plus_days, start_of_day},
    fact::{Author, Fact, NewFact, Purpose},
    migration::Migration,
    planner::{AdvanceError, Library},
    preview,
    rehearsal::Rehearsal,
    schedule::{self, Inputs},
    site::SiteSettings,
    state::{PatientState, Standing},
};

/// Most lines of a step that are compared.
const LINES_PER_STEP_MAX: usize = 3_000;

/// Something that is open now or comes up.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Line {
    /// Due.
    pub due: Timestamp,
    /// The civil day.
    pub day: Date,
    /// The step, by the name that it has in the version that the follow-up is or would be on.
    pub step: Name,
}

/// A message that goes out before the day is over if nothing happens in between.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sent {
    /// When.
    pub at: Timestamp,
    /// About these steps.
    pub steps: Vec<Name>,
    /// What for.
    pub purpose: Purpose,
}

/// What a move would change for one follow-up.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Difference {
    /// What it would get that it does not get now, soonest first.
    pub gets: Vec<Line>,
    /// What it would get no longer.
    pub loses: Vec<Line>,
    /// The day after its last one: now, and after the move. `None` is for life.
    pub ends: (Option<Date>, Option<Date>),
    /// Messages of today from now on: without the move, and with it.
    pub today: (Vec<Sent>, Vec<Sent>),
    /// Something waits for an answer or for a task to be done: to move when no window is open is to move later.
    pub waits: bool,
}

impl Difference {
    /// Whether the follow-up goes on as it did.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.gets.is_empty()
            && self.loses.is_empty()
            && self.ends.0 == self.ends.1
            && self.today.0 == self.today.1
    }
}

/// A move that is looked at.
#[derive(Debug, Clone, Copy)]
pub struct Move<'a> {
    /// Who.
    pub enrollment: EnrollmentId,
    /// To which version; it is in the library.
    pub to: &'a VersionHash,
    /// What becomes of the steps.
    pub migration: &'a Migration,
    /// The way back of an earlier move.
    pub undone: bool,
}

/// Compares what comes up until `until` without and with a move at `now`.
///
/// # Errors
/// [`AdvanceError`] when the engine cannot go on with this patient.
pub fn compare(
    library: &Library,
    site: &SiteSettings,
    state: &PatientState,
    what: &Move<'_>,
    now: Timestamp,
    until: Timestamp,
) -> Result<Difference, AdvanceError> {
    let stays = Course::of(library, site, state, what.enrollment, now, until, None)?;
    let Some(of) = state.enrollments.get(&what.enrollment) else { return Ok(Difference::default()) };
    let fact = Fact::VersionChanged {
        from: of.version.clone(),
        to: what.to.clone(),
        migration: what.migration.clone(),
        undone: what.undone,
    };
    let moves = Course::of(library, site, state, what.enrollment, now, until, Some(fact))?;
    let now_called = |step: &Name| what.migration.renamed.get(step).unwrap_or(step).clone();
    let named = |line: &Line| Line { step: now_called(&line.step), ..line.clone() };
    let before: Vec<Line> = stays.lines.iter().map(named).collect();
    let mut today = stays.today;
    today.iter_mut().flat_map(|sent| &mut sent.steps).for_each(|step| *step = now_called(step));
    Ok(Difference {
        gets: without(&moves.lines, &before),
        loses: without(&before, &moves.lines),
        ends: (stays.ends, moves.ends),
        today: (today, moves.today),
        waits: of.has_open_windows(),
    })
}

/// What is in `these` and not in `those`, counted.
fn without(these: &[Line], those: &[Line]) -> Vec<Line> {
    let mut left: BTreeMap<&Line, usize> = BTreeMap::new();
    for line in those {
        *left.entry(line).or_default() += 1;
    }
    let mut found: Vec<Line> = Vec::new();
    for line in these {
        match left.get_mut(line) {
            Some(count) if *count > 0 => *count -= 1,
            _ => found.push(line.clone()),
        }
    }
    found.sort();
    found
}

/// What lies ahead of a follow-up.
struct Course {
    lines: Vec<Line>,
    ends: Option<Date>,
    today: Vec<Sent>,
}

impl Course {
    fn of(
        library: &Library,
        site: &SiteSettings,
        state: &PatientState,
        id: EnrollmentId,
        now: Timestamp,
        until: Timestamp,
        moved: Option<Fact>,
    ) -> Result<Self, AdvanceError> {
        let mut patient = Rehearsal::new(library, site, now.max(state.recorded_at.unwrap_or(now)));
        patient.state = state.clone();
        let new =
            |fact| NewFact { enrollment: Some(id), occurred_at: patient.now, author: Author::System, fact };
        let facts = moved.into_iter().map(new).collect();
        patient.record(facts)?;
        let lines = lines(library, site, &patient.state, id, until)?;
        let (_, zone) = state.known_zones(site)?;
        let ends = patient.state.enrollments.get(&id).and_then(|of| {
            let workflow = library.get(&of.version)?;
            let (facts, anchors) = (&of.facts, &of.anchors);
            let inputs = Inputs { workflow, facts, anchors, calendar: &site.calendar, zone: &zone };
            match of.standing {
                Standing::Over { .. } => Some(day_of(&zone, patient.now)),
                Standing::Active | Standing::Paused { .. } => {
                    schedule::ends_at(&inputs).map(|end| day_of(&zone, end))
                }
            }
        });
        let midnight = start_of_day(&zone, plus_days(day_of(&zone, patient.now), 1));
        patient.hand_over()?;
        patient.run_until(midnight - jiff::SignedDuration::from_micros(1))?;
        Ok(Self { lines, ends, today: sent(&patient, id) })
    }
}

fn lines(
    library: &Library,
    site: &SiteSettings,
    state: &PatientState,
    id: EnrollmentId,
    until: Timestamp,
) -> Result<Vec<Line>, AdvanceError> {
    let mut lines = Vec::new();
    for (step, state) in state.enrollments.get(&id).into_iter().flat_map(|of| &of.steps) {
        for open in state.open.iter().filter(|open| open.closed.is_none()) {
            lines.push(Line { due: open.due, day: open.day, step: step.clone() });
        }
    }
    for next in preview::lines(library, site, state, id, until, LINES_PER_STEP_MAX)? {
        lines.push(Line { due: next.due, day: next.day, step: next.step });
    }
    Ok(lines)
}

/// What was handed over, by the names that the steps have at the end.
fn sent(patient: &Rehearsal<'_>, id: EnrollmentId) -> Vec<Sent> {
    let mut sent = Vec::new();
    for entry in &patient.history {
        let Fact::HandedOver { message, .. } = &entry.fact else { continue };
        let Some(message) = patient.state.messages.get(message) else { continue };
        let own = message.members.iter().filter(|member| member.enrollment == id);
        let steps: Vec<Name> = own.map(|member| member.step.clone()).collect();
        if !steps.is_empty() {
            sent.push(Sent { at: entry.occurred_at, steps, purpose: message.purpose });
        }
    }
    sent
}
