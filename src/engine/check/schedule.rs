//! Schedules as a whole: order, overlapping windows, steps that wait for each other.

use std::collections::BTreeMap;

use jiff::{ToSpan, civil::Date};

use crate::{
    Name,
    diagnostic::{Log, Place},
    model::{Rhythm, Schedule, Segment, Span, Step},
};

/// Occurrences that are laid out to look for overlaps.
const LAID_OUT_MAX: usize = 2000;
/// Days that are laid out of a stretch without end.
const ENDLESS_DAYS: i32 = 4000;
/// Dates to count from: one at a month's end, one in the middle of a week.
const FROM: [Date; 2] = [Date::constant(2026, 1, 31), Date::constant(2027, 3, 3)];

/// Checks all steps of a workflow; `places` are where their names stand.
pub fn check(steps: &[Step], places: &BTreeMap<&str, Place>, log: &mut Log) {
    for step in steps {
        let at = places.get(step.id.as_str()).copied().unwrap_or(Place::START);
        match &step.schedule {
            Schedule::Plan { segments, .. } => check_segments(step, segments, at, log),
            Schedule::ByFact { cases, .. } => {
                for (_, segments) in cases {
                    check_segments(step, segments, at, log);
                }
            }
            Schedule::Around { step: parent, .. } => check_parent(step, parent, steps, at, log),
            Schedule::AfterOutcome { .. } | Schedule::Started { .. } | Schedule::Chain { .. } => {}
        }
        check_cycle(step, steps, at, log);
    }
}

fn check_segments(step: &Step, segments: &[Segment], at: Place, log: &mut Log) {
    for from in FROM {
        let mut last: Option<(Date, Date)> = None;
        for segment in segments {
            for due in days(from, &segment.rhythm) {
                let (opens, closes) = (
                    due.saturating_sub(i64::from(segment.window.before_days).days()),
                    due.saturating_add((i64::from(segment.window.after_days) + 1).days()),
                );
                if let Some((last_due, last_closes)) = last {
                    if due <= last_due {
                        let message =
                            format!("the stretches of step \"{}\" do not follow each other", step.id);
                        log.error("E205", at, message, "let each begin after the one before has ended");
                        return;
                    }
                    if opens < last_closes {
                        let apart = match (due - last_due).get_days() {
                            1 => "a day".to_owned(),
                            days => format!("{days} days"),
                        };
                        let message = format!(
                            "the windows of step \"{}\" overlap: two occurrences {apart} apart are open at the same time",
                            step.id
                        );
                        log.error("E204", at, message, "make \"before\" and \"after\" smaller");
                        return;
                    }
                }
                last = Some((due, closes));
            }
        }
    }
}

/// The due days of a stretch, counted from a date.
fn days(from: Date, rhythm: &Rhythm) -> Vec<Date> {
    match rhythm {
        Rhythm::At(list) => list.iter().map(|span| plus(from, *span, 1)).collect(),
        Rhythm::Every { every, from: first, to } => {
            let start = plus(from, *first, 1);
            let end = to.map_or_else(|| start.saturating_add(ENDLESS_DAYS.days()), |to| plus(from, to, 1));
            (0..LAID_OUT_MAX)
                .map(|k| plus_two(from, *first, *every, i32::try_from(k).unwrap_or(i32::MAX)))
                .take_while(|due| *due <= end)
                .collect()
        }
        Rhythm::Weekdays { days, from: first, to } => {
            let start = plus(from, *first, 1);
            let end = to.map_or_else(|| start.saturating_add(ENDLESS_DAYS.days()), |to| plus(from, to, 1));
            let all = std::iter::successors(Some(start), |day| day.tomorrow().ok());
            let within = all.take_while(|day| *day <= end).filter(|day| days.contains(&day.weekday()));
            within.take(LAID_OUT_MAX).collect()
        }
    }
}

/// `from` plus `times` spans; months are counted from `from` and clamped.
fn plus(from: Date, span: Span, times: i32) -> Date {
    let n = |n: i32| i64::from(n) * i64::from(times);
    match span {
        Span::Minutes(_) | Span::Hours(_) => from,
        Span::Days(d) => from.saturating_add(n(d).days()),
        Span::Weeks(w) => from.saturating_add((n(w) * 7).days()),
        Span::Months(m) => from.saturating_add(n(m).months()),
        Span::Years(y) => from.saturating_add((n(y) * 12).months()),
    }
}

/// Months and years add up before they are counted, so that nothing is clamped twice.
fn plus_two(from: Date, first: Span, every: Span, k: i32) -> Date {
    match (months(first), months(every)) {
        (Some(a), Some(b)) => from.saturating_add((a + b * i64::from(k)).months()),
        _ => plus(plus(from, first, 1), every, k),
    }
}

fn months(span: Span) -> Option<i64> {
    match span {
        Span::Months(n) => Some(i64::from(n)),
        Span::Years(n) => Some(i64::from(n) * 12),
        Span::Minutes(_) | Span::Hours(_) | Span::Days(_) | Span::Weeks(_) => None,
    }
}

fn waits_for(step: &Step) -> Option<&Name> {
    match &step.schedule {
        Schedule::Around { step, .. } | Schedule::AfterOutcome { step, .. } => Some(step),
        Schedule::Plan { .. }
        | Schedule::ByFact { .. }
        | Schedule::Started { .. }
        | Schedule::Chain { .. } => None,
    }
}

/// Nothing can be planned before a day that is not known yet.
fn check_parent(step: &Step, parent: &Name, steps: &[Step], at: Place, log: &mut Log) {
    let unknown = |parent: &Step| match &parent.schedule {
        Schedule::Chain { .. } | Schedule::AfterOutcome { .. } | Schedule::Started { .. } => true,
        Schedule::Plan { .. } | Schedule::ByFact { .. } | Schedule::Around { .. } => false,
    };
    if steps.iter().any(|known| known.id == *parent && unknown(known)) {
        let message = format!(
            "step \"{}\" is placed around \"{parent}\", whose days are not known beforehand",
            step.id
        );
        log.error("E213", at, message, "write \"after: STEP is done\", or count from an anchor");
    }
}

/// Each step waits for at most one other, so a chain longer than the list of steps goes round.
fn check_cycle(step: &Step, steps: &[Step], at: Place, log: &mut Log) {
    let mut chain = vec![&step.id];
    let mut next = waits_for(step);
    while let Some(other) = next {
        if *other == step.id {
            let names: Vec<&str> = chain.iter().map(|id| id.as_str()).collect();
            let message = format!("these steps wait for each other: {}", names.join(", "));
            log.error("E206", at, message, "count one of them from an anchor");
            return;
        }
        if chain.len() > steps.len() || chain.contains(&other) {
            return;
        }
        chain.push(other);
        next = steps.iter().find(|known| known.id == *other).and_then(waits_for);
    }
}
