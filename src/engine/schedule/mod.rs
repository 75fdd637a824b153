//! When occurrences of a step happen: opens, due, closes, expires. One place for the planner, the timeline and previews.

pub mod dates;

use jiff::{Timestamp, civil::Date, tz::TimeZone};

use std::collections::BTreeMap;

use crate::{
    Name, Value,
    calendar::{
        at, day_of, elapsed, plus_civil, plus_days, plus_minutes, plus_months_and_days, shifted, start_of_day,
    },
    model::{Does, Schedule, Segment, Span, Step, Window, Workflow},
    site::Calendar,
    state::{AnchorState, Start},
};

pub use dates::{ORDINALS_MAX, first_index};

/// Steps may be placed around steps that are placed around steps, up to this depth.
const AROUND_DEPTH_MAX: u8 = 4;

/// What the schedule of an enrollment depends on.
#[derive(Debug, Clone, Copy)]
pub struct Inputs<'a> {
    /// The version.
    pub workflow: &'a Workflow,
    /// Facts by name.
    pub facts: &'a BTreeMap<Name, Value>,
    /// Anchors by name.
    pub anchors: &'a BTreeMap<Name, AnchorState>,
    /// Working days.
    pub calendar: &'a Calendar,
    /// The patient's zone.
    pub zone: &'a TimeZone,
}

/// An occurrence by its civil day; instants are computed when they are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Planned {
    /// From 1.
    pub ordinal: u32,
    /// The civil day it is due on, after a shift to a working day that the step itself asks for.
    pub day: Date,
    /// The due instant, before quiet hours, caps and the like.
    pub due: Timestamp,
    /// The day its window is counted from.
    pub centre: Date,
    /// Its window.
    pub window: Window,
}

impl Planned {
    /// The first instant of its window.
    #[must_use]
    pub fn opens(&self, zone: &TimeZone) -> Timestamp {
        start_of_day(zone, plus_days(self.centre, -i64::from(self.window.before_days))).min(self.due)
    }

    /// The first instant after its window.
    #[must_use]
    pub fn closes(&self, zone: &TimeZone) -> Timestamp {
        start_of_day(zone, plus_days(self.centre, i64::from(self.window.after_days) + 1))
    }

    /// From here on its link is dead.
    #[must_use]
    pub fn expires(&self, zone: &TimeZone) -> Timestamp {
        let days = i64::from(self.window.after_days) + 1 + i64::from(self.window.expires_days);
        start_of_day(zone, plus_days(self.centre, days))
    }

    /// The instant at which it comes up: a task with its window, everything else when it is due.
    #[must_use]
    pub fn comes_up(&self, step: &Step, zone: &TimeZone) -> Timestamp {
        match &step.does {
            Does::Task { .. } => self.opens(zone),
            Does::Ask { .. } | Does::Tell { .. } | Does::Score { .. } => self.due,
        }
    }
}

/// The `ordinal`-th occurrence of a step that is planned by dates; `None` when there is none, its anchor or fact is
/// unknown, or it waits for a start.
#[must_use]
pub fn occurrence(inputs: &Inputs<'_>, step: &Step, ordinal: u32) -> Option<Planned> {
    occurrence_at(inputs, step, ordinal, 0)
}

fn occurrence_at(inputs: &Inputs<'_>, step: &Step, ordinal: u32, depth: u8) -> Option<Planned> {
    match &step.schedule {
        Schedule::Plan { anchor, segments } => {
            let date = inputs.anchors.get(anchor)?.date;
            let (day, window) = dates::nth(segments, date, ordinal)?;
            Some(on_day(inputs, step, ordinal, day, window))
        }
        Schedule::ByFact { anchor, .. } => {
            let date = inputs.anchors.get(anchor)?.date;
            let (day, window) = dates::nth(segments_by_fact(inputs, step)?, date, ordinal)?;
            Some(on_day(inputs, step, ordinal, day, window))
        }
        Schedule::Around { step: parent, offset, window } => {
            if depth >= AROUND_DEPTH_MAX {
                return None;
            }
            let parent = inputs.workflow.step(parent)?;
            let base = occurrence_at(inputs, parent, ordinal, depth + 1)?;
            Some(displaced(inputs, step, ordinal, base.due, base.day, *offset, *window))
        }
        // By the book: as if no condition ever held.
        Schedule::Chain { anchor, first, then, window } => {
            let date = inputs.anchors.get(anchor)?.date;
            let every = then.last()?.after;
            let index = ordinal.checked_sub(1).filter(|index| *index < ORDINALS_MAX)?;
            Some(on_day(inputs, step, ordinal, dates::multiple(every, *first, date, index), *window))
        }
        Schedule::AfterOutcome { .. } | Schedule::Started { .. } => None,
    }
}

/// The occurrence after one, as far as it can be foreseen.
#[must_use]
pub fn following(inputs: &Inputs<'_>, step: &Step, planned: &Planned) -> Option<Planned> {
    match &step.schedule {
        Schedule::Chain { then, window, .. } => {
            let day = plus_civil(planned.centre, then.last()?.after);
            Some(on_day(inputs, step, planned.ordinal + 1, day, *window))
        }
        Schedule::Plan { .. }
        | Schedule::ByFact { .. }
        | Schedule::Around { .. }
        | Schedule::AfterOutcome { .. }
        | Schedule::Started { .. } => occurrence(inputs, step, planned.ordinal + 1),
    }
}

/// The first fact whose value has a case decides.
fn segments_by_fact<'a>(inputs: &Inputs<'a>, step: &'a Step) -> Option<&'a [Segment]> {
    let Schedule::ByFact { facts, cases, .. } = &step.schedule else { return None };
    let chosen = |fact: &Name| {
        let default = || inputs.workflow.facts.iter().find(|def| def.id == *fact)?.default.as_ref();
        match inputs.facts.get(fact).or_else(default)? {
            Value::Choice(chosen) => cases.iter().find(|(choices, _)| choices.contains(chosen)),
            Value::Bool(_) | Value::Number(_) | Value::Date(_) => None,
        }
    };
    facts.iter().find_map(chosen).map(|(_, segments)| segments.as_slice())
}

/// The occurrence that a start leads to.
#[must_use]
pub fn started(inputs: &Inputs<'_>, step: &Step, start: &Start) -> Option<Planned> {
    let day = day_of(inputs.zone, start.at);
    match &step.schedule {
        Schedule::Started { window, offset: None } => {
            Some(Planned { ordinal: start.ordinal, day, due: start.at, centre: day, window: *window })
        }
        Schedule::Started { window, offset: Some(offset) } => {
            Some(displaced(inputs, step, start.ordinal, start.at, day, *offset, *window))
        }
        Schedule::Chain { window, .. } => Some(on_day(inputs, step, start.ordinal, day, *window)),
        Schedule::AfterOutcome { offset, window, .. } => {
            Some(displaced(inputs, step, start.ordinal, start.at, day, *offset, *window))
        }
        Schedule::Plan { .. } | Schedule::ByFact { .. } | Schedule::Around { .. } => None,
    }
}

/// Elapsed offsets count from the instant, civil ones from the day.
fn displaced(
    inputs: &Inputs<'_>,
    step: &Step,
    ordinal: u32,
    from: Timestamp,
    day: Date,
    offset: Span,
    window: Window,
) -> Planned {
    match elapsed(offset) {
        Some(minutes) => {
            let due = plus_minutes(from, minutes);
            let day = day_of(inputs.zone, due);
            Planned { ordinal, day, due, centre: day, window }
        }
        None => on_day(inputs, step, ordinal, plus_civil(day, offset), window),
    }
}

fn on_day(inputs: &Inputs<'_>, step: &Step, ordinal: u32, centre: Date, window: Window) -> Planned {
    let bound =
        step.timing.not_before.as_ref().and_then(|(anchor, span)| {
            inputs.anchors.get(anchor).map(|anchor| plus_civil(anchor.date, *span))
        });
    let centre = bound.map_or(centre, |bound| centre.max(bound));
    let day = match step.timing.working_day {
        Some(way) => shifted(inputs.calendar, centre, way, window.before_days, window.after_days),
        None => centre,
    };
    Planned { ordinal, day, due: at(inputs.zone, day, step.timing.time), centre, window }
}

/// Whether the step waits for a rule or an outcome to start it.
#[must_use]
pub fn waits_for_start(step: &Step) -> bool {
    match &step.schedule {
        Schedule::Started { .. } | Schedule::AfterOutcome { .. } => true,
        Schedule::Plan { .. }
        | Schedule::ByFact { .. }
        | Schedule::Around { .. }
        | Schedule::Chain { .. } => false,
    }
}

/// The anchor that a step counts from in the end; `None` when it waits for a start.
#[must_use]
pub fn anchor_of<'a>(workflow: &'a Workflow, step: &'a Step) -> Option<&'a Name> {
    root(workflow, step).and_then(|root| match &root.schedule {
        Schedule::Plan { anchor, .. } | Schedule::ByFact { anchor, .. } | Schedule::Chain { anchor, .. } => {
            Some(anchor)
        }
        Schedule::Around { .. } | Schedule::AfterOutcome { .. } | Schedule::Started { .. } => None,
    })
}

/// Whether an event of that anchor changes when the step is due.
#[must_use]
pub fn depends_on_anchor(workflow: &Workflow, step: &Step, anchor: &Name) -> bool {
    anchor_of(workflow, step) == Some(anchor)
        || root(workflow, step).is_some_and(|root| {
            [root, step]
                .iter()
                .any(|step| step.timing.not_before.as_ref().is_some_and(|(bound, _)| bound == anchor))
        })
}

/// Whether that fact decides the step's schedule.
#[must_use]
pub fn depends_on_fact(workflow: &Workflow, step: &Step, fact: &Name) -> bool {
    root(workflow, step).is_some_and(|root| match &root.schedule {
        Schedule::ByFact { facts, .. } => facts.contains(fact),
        Schedule::Plan { .. }
        | Schedule::Around { .. }
        | Schedule::AfterOutcome { .. }
        | Schedule::Started { .. }
        | Schedule::Chain { .. } => false,
    })
}

fn root<'a>(workflow: &'a Workflow, step: &'a Step) -> Option<&'a Step> {
    let mut current = step;
    for _ in 0..=AROUND_DEPTH_MAX {
        let Schedule::Around { step: parent, .. } = &current.schedule else { return Some(current) };
        current = workflow.step(parent)?;
    }
    None
}

/// The start of the day on which the follow-up ends, if it does.
#[must_use]
pub fn ends_at(inputs: &Inputs<'_>) -> Option<Timestamp> {
    let after = inputs.workflow.ending.after?;
    let main = inputs.workflow.anchors.first()?;
    let date = inputs.anchors.get(&main.id)?.date;
    let (months, days) = crate::calendar::months_and_days(after);
    Some(start_of_day(inputs.zone, plus_months_and_days(date, months, days)))
}

/// The first ordinal after `after` for which `wanted` holds, given that it holds ever after.
#[must_use]
pub fn first_ordinal(
    inputs: &Inputs<'_>,
    step: &Step,
    after: u32,
    wanted: impl Fn(&Planned) -> bool,
) -> Option<Planned> {
    let next = occurrence(inputs, step, after + 1)?;
    if wanted(&next) {
        return Some(next);
    }
    let past =
        |index: u32| occurrence(inputs, step, after + 1 + index).is_none_or(|planned| wanted(&planned));
    let index = first_index(ORDINALS_MAX - after.min(ORDINALS_MAX), past);
    occurrence(inputs, step, after + 1 + index).filter(|planned| wanted(planned))
}
