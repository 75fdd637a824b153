//! Occurrences: opened, closed, passed over; rules looked at.

use std::collections::BTreeMap;

use jiff::{Timestamp, civil::Date};

use crate::{
    Decimal, Name,
    calendar::plus_days,
    fact::{Closing, Entry, Fact, Occurrence},
    model::condition::LOOK_BACK_DAYS_MAX,
    state::{EnrollmentState, OpenOccurrence, PatientState, SILENT_MAX, Standing, Start, StepState, Was},
};

/// Most numbers kept per series: three a day within the longest look-back.
const SERIES_MAX: usize = 3 * LOOK_BACK_DAYS_MAX as usize;

impl PatientState {
    pub(super) fn fold_plan(&mut self, entry: &Entry, fact: &Fact) {
        match fact {
            Fact::Opened { about, day, due, closes, expires, .. } => {
                let Some(enrollment) = self.enrollments.get_mut(&about.enrollment) else { return };
                let step = enrollment.steps.entry(about.step.clone()).or_default();
                passed_over(step, about.generation, about.ordinal, about.ordinal);
                step.open.retain(|open| !is_past(open, entry.recorded_at));
                step.open.push(OpenOccurrence {
                    generation: about.generation,
                    ordinal: about.ordinal,
                    day: *day,
                    due: *due,
                    closes: *closes,
                    expires: *expires,
                    asked_at: None,
                    reminded_at: None,
                    flagged: Vec::new(),
                    rung: 0,
                    closed: None,
                    task: None,
                });
            }
            Fact::Closed { about, how } => self.fold_closed(entry, about, *how, fact),
            Fact::Skipped { step, generation, first, last, .. } => {
                if let Some(enrollment) = self.of(entry) {
                    passed_over(
                        enrollment.steps.entry(step.clone()).or_default(),
                        *generation,
                        *first,
                        *last,
                    );
                }
            }
            Fact::ScoreWanted { about, .. } => {
                if let Some(enrollment) = self.of(entry) {
                    let step = enrollment.steps.entry(about.step.clone()).or_default();
                    passed_over(step, about.generation, about.ordinal, about.ordinal);
                }
            }
            Fact::Replanned { step, generation, from, open_windows, after } => {
                if let Some(enrollment) = self.of(entry) {
                    let step = enrollment.steps.entry(step.clone()).or_default();
                    step.generation = *generation;
                    step.from = Some(*from);
                    step.only_later = !open_windows;
                    step.after = *after;
                    step.ordinal = *after;
                    step.starts.clear();
                }
            }
            Fact::StepStarted { step, generation, ordinal, at, .. } => {
                if let Some(enrollment) = self.of(entry) {
                    let start = Start { generation: *generation, ordinal: *ordinal, at: *at };
                    enrollment.steps.entry(step.clone()).or_default().starts.push(start);
                }
            }
            Fact::Judged { seq, day, numbers, back_days, .. } => {
                let back = back_days.map_or(LOOK_BACK_DAYS_MAX, |days| days.min(LOOK_BACK_DAYS_MAX));
                self.fold_judged(entry, *seq, day.map(|day| (day, back)), numbers);
            }
            Fact::Ended => {
                if let Some(enrollment) = self.of(entry) {
                    enrollment.standing = Standing::Over { because: None };
                }
            }
            _ => {}
        }
    }

    pub(super) fn fold_judged(
        &mut self,
        entry: &Entry,
        seq: u64,
        day: Option<(Date, u32)>,
        numbers: &BTreeMap<Name, Decimal>,
    ) {
        self.unanswered_replies.retain(|(reply, _, _)| *reply != seq);
        let Some(enrollment) = self.of(entry) else { return };
        if let Some(first) = enrollment.unjudged.iter().position(|unjudged| unjudged.seq == seq) {
            enrollment.unjudged.remove(first);
        }
        let Some((day, back)) = day else { return };
        for (name, number) in numbers {
            add_number(enrollment, name, (day, *number), back);
        }
        let undoable = self.undo.iter_mut().find(|undoable| undoable.seq == seq);
        if let Some(Was::Unanswered { numbers: added, .. }) = undoable.map(|undoable| &mut undoable.was) {
            *added = numbers.iter().map(|(name, number)| (name.clone(), day, *number)).collect();
        }
    }

    pub(super) fn fold_closed(&mut self, entry: &Entry, about: &Occurrence, how: Closing, fact: &Fact) {
        let Some(enrollment) = self.enrollments.get_mut(&about.enrollment) else { return };
        let step = enrollment.steps.entry(about.step.clone()).or_default();
        let open = step
            .open
            .iter_mut()
            .find(|open| open.generation == about.generation && open.ordinal == about.ordinal);
        let Some(open) = open else {
            passed_over(step, about.generation, about.ordinal, about.ordinal);
            return;
        };
        let (day, before) = (open.day, open.closed.replace(how));
        if how == Closing::Silent {
            step.silent_in_a_row = step.silent_in_a_row.saturating_add(1).min(SILENT_MAX);
            let oldest = plus_days(day, -i64::from(LOOK_BACK_DAYS_MAX));
            step.silent_days.retain(|silent| *silent >= oldest);
            step.silent_days.push(day);
        } else if before == Some(Closing::Silent) {
            // The message turned out not to have arrived.
            step.silent_in_a_row = step.silent_in_a_row.saturating_sub(1);
            step.silent_days.retain(|silent| *silent != day);
        }
        if matches!(how, Closing::Silent | Closing::Undone) {
            self.keep_for_rules(entry, fact);
        }
    }
}

/// Closed and its link dead: nothing can refer to it any more.
fn is_past(open: &OpenOccurrence, now: Timestamp) -> bool {
    open.closed.is_some() && open.task.is_none() && open.expires <= now
}

fn passed_over(step: &mut StepState, generation: u32, first: u32, last: u32) {
    let started = step.starts.iter().any(|start| start.generation == generation && start.ordinal == first);
    step.starts.retain(|s| !(s.generation == generation && (first..=last).contains(&s.ordinal)));
    if step.generation == 0 || (started && generation > step.generation) {
        step.generation = generation;
    }
    if generation == step.generation {
        step.ordinal = step.ordinal.max(last);
    }
}

/// Numbers stay in order of their days and within the look-back.
fn add_number(enrollment: &mut EnrollmentState, name: &Name, (day, number): (Date, Decimal), back: u32) {
    if !enrollment.series.contains_key(name) {
        enrollment.series.insert(name.clone(), Vec::new());
    }
    let Some(series) = enrollment.series.get_mut(name) else { return };
    let at = series.partition_point(|(earlier, _)| *earlier <= day);
    series.insert(at, (day, number));
    let latest = series.last().map_or(day, |(latest, _)| *latest);
    let oldest = plus_days(latest, -i64::from(back));
    let gone = series.partition_point(|(kept, _)| *kept < oldest);
    series.drain(..gone);
    if series.len() > SERIES_MAX {
        series.remove(0);
    }
}
