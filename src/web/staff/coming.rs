//! What comes next for a patient: what is open now, then what the planner plans if nothing happens in between.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use tend_engine::{Name, preview::preview};

use super::{Signed, vocabulary as v};
use crate::{app::App, store::read::PatientRow, web::words::Story};

/// Lines that are shown.
const LINES_MAX: usize = 14;
/// Of one step, so that a daily one does not hide the visits.
const PER_STEP_MAX: usize = 2;
/// How far the planner looks ahead.
const DAYS_AHEAD: i64 = 400;

/// The lines, soonest first. A follow-up that the planner cannot draw shows only what is open.
#[must_use]
pub fn of(signed: &Signed, app: &App, row: &PatientRow) -> Vec<(String, String)> {
    let s = Story(signed.lang);
    let zone = app.zone(row.site);
    let live = app.live();
    let site = app.site(row.site);
    let now = app.clock.now();
    let until = now.checked_add(SignedDuration::from_hours(DAYS_AHEAD * 24)).unwrap_or(Timestamp::MAX);
    let mut found: Vec<(Timestamp, String)> = Vec::new();
    for (id, enrollment) in &row.state.enrollments {
        let Some(workflow) = live.library.get(&enrollment.version) else { continue };
        let title = |name: &Name| {
            workflow
                .step(name)
                .map_or_else(|| name.to_string(), |step| v::text(signed.lang, &step.title).to_owned())
        };
        for (name, state) in &enrollment.steps {
            for open in state.open.iter().filter(|open| open.closed.is_none()) {
                found.push((open.due, s.opened(title(name), v::instant(&zone, open.closes))));
            }
        }
        let mut shown: BTreeMap<Name, usize> = BTreeMap::new();
        for next in preview(&live.library, &site, &row.state, *id, until).unwrap_or_default() {
            let n = shown.entry(next.step.clone()).or_default();
            *n += 1;
            if *n <= PER_STEP_MAX && next.due > now {
                found.push((next.due, format!("{} #{}", title(&next.step), next.ordinal)));
            }
        }
    }
    found.sort();
    found.truncate(LINES_MAX);
    found.into_iter().map(|(due, what)| (v::instant(&zone, due), what)).collect()
}
