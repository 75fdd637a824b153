//! The schedule of one patient on paper: what a workflow plans for given facts and anchors if everything goes by the book.

use std::collections::BTreeMap;

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use serde::Serialize;

use crate::{
    Name, Value,
    calendar::{days_between, start_of_day},
    expr::{self, Env},
    model::{Condition, Does, Step, Workflow},
    schedule::{self, Inputs, Planned},
    site::Calendar,
    state::AnchorState,
};

/// Most lines of one step.
const LINES_PER_STEP_MAX: u32 = 20_000;

/// A date given for an anchor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// Which.
    pub anchor: Name,
    /// Its date.
    pub date: Date,
    /// Since when it is known.
    pub since: Date,
}

/// What to draw.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// The version.
    pub workflow: &'a Workflow,
    /// Working days.
    pub calendar: &'a Calendar,
    /// The patient's zone.
    pub zone: &'a TimeZone,
    /// The main anchor, and the first day drawn.
    pub from: Date,
    /// Days drawn after it.
    pub days: u32,
    /// Facts given; others are unknown or at their default.
    pub facts: BTreeMap<Name, Value>,
    /// Further anchors and events.
    pub anchors: Vec<Known>,
}

/// An occurrence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    /// The step.
    pub step: Name,
    /// From 1 since the last event of its clock.
    pub ordinal: u32,
    /// The window opens.
    pub opens: Timestamp,
    /// Due, before any shift that the step itself does not ask for.
    pub due: Timestamp,
    /// The window closes.
    pub closes: Timestamp,
    /// ask, tell, task or score.
    pub does: &'static str,
}

/// From when on which dates hold.
struct Epoch {
    from: Timestamp,
    anchors: BTreeMap<Name, AnchorState>,
}

/// The clock that a date given for an anchor restarts, if it is a new event of the main one.
#[must_use]
pub fn restarts_main<'a>(workflow: &'a Workflow, anchor: &Name) -> Option<&'a Name> {
    let main = &workflow.anchors.first()?.id;
    let def = workflow.anchors.iter().find(|def| def.id == *anchor)?;
    (def.id == *main || def.restarts.as_ref() == Some(main)).then_some(main)
}

/// The lines whose due day lies in `[from, from + days]`, by due, then step.
#[must_use]
pub fn timeline(request: &Request<'_>) -> Vec<Line> {
    let epochs = epochs(request);
    let mut lines = Vec::new();
    for step in &request.workflow.steps {
        for (index, epoch) in epochs.iter().enumerate() {
            let until = epochs[index + 1..].iter().find(|later| changes(request, step, epoch, later));
            let begins = index == 0 || changes(request, step, &epochs[index - 1], epoch);
            if begins {
                draw(request, step, epoch, index > 0, until.map(|later| later.from), &mut lines);
            }
        }
    }
    lines.sort_by(|a, b| (a.due, &a.step, a.ordinal).cmp(&(b.due, &b.step, b.ordinal)));
    lines
}

fn epochs(request: &Request<'_>) -> Vec<Epoch> {
    let start = start_of_day(request.zone, request.from);
    let known = |date| AnchorState { date, known_since: start };
    let mut anchors = BTreeMap::new();
    if let Some(main) = request.workflow.anchors.first() {
        anchors.insert(main.id.clone(), known(request.from));
    }
    let mut given: Vec<&Known> = request.anchors.iter().collect();
    given.sort_by_key(|known| known.since);
    let mut epochs = vec![Epoch { from: start, anchors: anchors.clone() }];
    for event in given {
        anchors.insert(event.anchor.clone(), known(event.date));
        if let Some(main) = restarts_main(request.workflow, &event.anchor) {
            anchors.insert(main.clone(), known(event.date));
        }
        let from = start_of_day(request.zone, event.since);
        match epochs.last_mut() {
            Some(last) if from <= last.from => last.anchors = anchors.clone(),
            _ => epochs.push(Epoch { from, anchors: anchors.clone() }),
        }
    }
    epochs
}

/// Whether a step's own clock differs between two epochs.
fn changes(request: &Request<'_>, step: &Step, before: &Epoch, after: &Epoch) -> bool {
    let moved = |anchor: &Name| {
        let date = |epoch: &Epoch| epoch.anchors.get(anchor).map(|known| known.date);
        date(before) != date(after)
    };
    let anchors = request.workflow.anchors.iter().map(|def| &def.id);
    anchors
        .into_iter()
        .any(|anchor| moved(anchor) && schedule::depends_on_anchor(request.workflow, step, anchor))
}

fn draw(
    request: &Request<'_>,
    step: &Step,
    epoch: &Epoch,
    only_later: bool,
    until: Option<Timestamp>,
    lines: &mut Vec<Line>,
) {
    let inputs = Inputs {
        workflow: request.workflow,
        facts: &request.facts,
        anchors: &epoch.anchors,
        calendar: request.calendar,
        zone: request.zone,
    };
    let end = schedule::ends_at(&inputs);
    let wanted = |planned: &Planned| {
        planned.due > epoch.from || (!only_later && planned.closes(request.zone) > epoch.from)
    };
    let mut next = schedule::first_ordinal(&inputs, step, 0, wanted);
    for _ in 0..LINES_PER_STEP_MAX {
        let Some(planned) = next else { return };
        let past =
            until.is_some_and(|until| planned.due >= until) || end.is_some_and(|end| planned.due >= end);
        let offset = days_between(request.from, planned.day);
        if past || offset > i64::from(request.days) {
            return;
        }
        if holds(request, step.timing.until.as_ref(), epoch, &planned) == Some(true) {
            return;
        }
        if offset >= 0 && applies(request, step, epoch, &planned) {
            lines.push(line(request.zone, step, &planned));
        }
        next = schedule::occurrence(&inputs, step, planned.ordinal + 1);
    }
}

fn applies(request: &Request<'_>, step: &Step, epoch: &Epoch, planned: &Planned) -> bool {
    holds(request, step.timing.only_if.as_ref(), epoch, planned) != Some(false)
}

fn holds(
    request: &Request<'_>,
    condition: Option<&Condition>,
    epoch: &Epoch,
    planned: &Planned,
) -> Option<bool> {
    let env = Env {
        facts: &request.facts,
        anchors: &epoch.anchors,
        zone: request.zone,
        ..Env::of_workflow(request.workflow, planned.day)
    };
    condition.map(|condition| expr::holds(condition, &env))
}

fn line(zone: &TimeZone, step: &Step, planned: &Planned) -> Line {
    Line {
        step: step.id.clone(),
        ordinal: planned.ordinal,
        opens: planned.opens(zone),
        due: planned.due,
        closes: planned.closes(zone),
        does: match &step.does {
            Does::Ask { .. } => "ask",
            Does::Tell { .. } => "tell",
            Does::Task { .. } => "task",
            Does::Score { .. } => "score",
        },
    }
}
