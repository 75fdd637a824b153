//! Entries that were wrong: what they replaced is put back.

use std::collections::BTreeMap;

use jiff::civil::Date;

use crate::{
    Decimal, Name,
    fact::{Closing, Entry, Fact, Occurrence},
    state::{PatientState, UNDO_ANSWERS_MAX, UNDO_MAX, Undoable, Unjudged, Was},
};

impl PatientState {
    pub(super) fn remember(&mut self, entry: &Entry, was: Was) {
        let is_answer = |undoable: &Undoable| matches!(undoable.was, Was::Unanswered { .. });
        // Daily answers do not push out what is rarer and matters longer.
        if self.undo.iter().filter(|undoable| is_answer(undoable)).count() >= UNDO_ANSWERS_MAX
            && let Some(oldest) = self.undo.iter().position(is_answer)
        {
            self.undo.remove(oldest);
        }
        if self.undo.len() >= UNDO_MAX {
            self.undo.pop_front();
        }
        self.undo.push_back(Undoable { seq: entry.seq, enrollment: entry.enrollment, was });
    }

    /// Whether the entry with that sequence number can still be voided or corrected.
    #[must_use]
    pub fn can_undo(&self, seq: u64) -> bool {
        self.undo.iter().any(|undoable| undoable.seq == seq)
    }

    /// Puts back what the entry replaced, and lets the next decision know.
    pub(super) fn fold_voided(&mut self, entry: &Entry, seq: u64) {
        let Some(index) = self.undo.iter().position(|undoable| undoable.seq == seq) else { return };
        let Some(Undoable { enrollment, was, .. }) = self.undo.remove(index) else { return };
        let mut restored = None;
        match was {
            Was::Alive => self.died = None,
            Was::Unanswered { about, closed, silent_in_a_row, numbers } => {
                self.undo_answer(&about, closed, silent_in_a_row);
                self.undo_numbers(&about, &numbers);
            }
            Was::Fact { name, value } => {
                restored = Some(name.clone());
                if let Some(enrollment) = enrollment.and_then(|id| self.enrollments.get_mut(&id)) {
                    put_back(&mut enrollment.facts, name, value);
                }
            }
            Was::Anchor { name, anchor } => {
                restored = Some(name.clone());
                if let Some(enrollment) = enrollment.and_then(|id| self.enrollments.get_mut(&id)) {
                    put_back(&mut enrollment.anchors, name, anchor);
                }
            }
        }
        if let Some(enrollment) = enrollment.and_then(|id| self.enrollments.get_mut(&id)) {
            enrollment.unjudged.retain(|unjudged| unjudged.seq != seq);
            let what = Fact::Voided { seq, reason: String::new() };
            enrollment.unjudged.push(Unjudged { seq: entry.seq, at: entry.occurred_at, what, restored });
        }
    }

    pub(super) fn undo_answer(&mut self, about: &Occurrence, closed: Option<Closing>, silent_in_a_row: u8) {
        if let Some(open) = self.occurrence_mut(about) {
            open.closed = closed;
        }
        if let Some(step) = self.step_mut(about) {
            step.answers = step.answers.saturating_sub(1);
            step.silent_in_a_row = silent_in_a_row;
        }
    }

    pub(super) fn undo_numbers(&mut self, about: &Occurrence, numbers: &[(Name, Date, Decimal)]) {
        let Some(enrollment) = self.enrollments.get_mut(&about.enrollment) else { return };
        for (name, day, number) in numbers {
            let Some(series) = enrollment.series.get_mut(name) else { continue };
            if let Some(at) = series.iter().position(|kept| *kept == (*day, *number)) {
                series.remove(at);
            }
        }
    }
}

fn put_back<T>(map: &mut BTreeMap<Name, T>, name: Name, value: Option<T>) {
    match value {
        Some(value) => map.insert(name, value),
        None => map.remove(&name),
    };
}
