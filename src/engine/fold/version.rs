//! Moved to another version: names of steps change, what went out or was done stays.

use std::borrow::Cow;

use crate::{
    fact::{Entry, Fact, Occurrence},
    migration::Migration,
    state::{Former, PatientState, Standing, Was},
};

impl PatientState {
    pub(super) fn fold_version(&mut self, entry: &Entry, fact: &Fact) {
        let Some(enrollment) = self.of(entry).filter(|e| !matches!(e.standing, Standing::Over { .. })) else {
            return;
        };
        match fact {
            Fact::VersionChosen { to, choice } => {
                // To choose the version that it is on takes back what was chosen before.
                let other = enrollment.version != *to;
                enrollment.chosen = other.then(|| (to.clone(), choice.clone()));
            }
            // A move from a version that it is not on (any more) changes nothing.
            Fact::VersionChanged { from, to, migration, undone } if enrollment.version == *from => {
                enrollment.version.clone_from(to);
                enrollment.chosen = None;
                enrollment.moved_from = (!undone).then(|| (from.clone(), migration.clone()));
                self.name_anew(entry, migration);
                let Some(enrollment) = self.of(entry) else { return };
                for step in &migration.removed {
                    enrollment.former.insert(step.clone(), Former::Removed(from.clone()));
                }
                // What had been started of a step that comes anew is past; a move that is taken back brings it back.
                for step in migration.added.iter().filter(|_| !undone) {
                    if let Some(state) = enrollment.steps.get_mut(step) {
                        state.starts.clear();
                    }
                }
                self.keep_for_rules(entry, fact);
            }
            _ => {}
        }
    }

    /// Steps, and what waits about them, get their new names.
    fn name_anew(&mut self, entry: &Entry, migration: &Migration) {
        let Some(enrollment) = self.of(entry) else { return };
        let begun: Vec<_> = migration
            .renamed
            .iter()
            .filter_map(|(old, new)| Some((new.clone(), enrollment.steps.remove(old)?)))
            .collect();
        enrollment.steps.extend(begun);
        for (old, new) in &migration.renamed {
            enrollment.former.insert(old.clone(), Former::Renamed(new.clone()));
        }
        // A name that is that of a step now is no former one.
        for now in migration.renamed.values().chain(&migration.added) {
            enrollment.former.remove(now);
        }
        for waiting in &mut enrollment.unjudged {
            if let Fact::Answered { about, .. } | Fact::Flagged { about, .. } | Fact::Closed { about, .. } =
                &mut waiting.what
                && let Some(new) = migration.renamed.get(&about.step)
            {
                about.step = new.clone();
            }
        }
        let renamed = |about: &mut Occurrence| {
            let new =
                migration.renamed.get(&about.step).filter(|_| Some(about.enrollment) == entry.enrollment);
            if let Some(new) = new {
                about.step = new.clone();
            }
        };
        self.messages.values_mut().flat_map(|message| &mut message.members).for_each(renamed);
        self.tasks.values_mut().filter_map(|task| task.about.as_mut()).for_each(renamed);
        for undoable in &mut self.undo {
            if let Was::Unanswered { about, .. } = &mut undoable.was {
                renamed(about);
            }
        }
    }

    /// What a patient says about a step by its former name, by the name that it has now.
    pub(super) fn as_named_now<'f>(&self, fact: &'f Fact, about: &Occurrence) -> Cow<'f, Fact> {
        let now = self.enrollments.get(&about.enrollment).map(|of| of.name_now(&about.step));
        let Some(now) = now.filter(|now| **now != about.step) else { return Cow::Borrowed(fact) };
        let mut fact = fact.clone();
        if let Fact::Answered { about, .. } | Fact::Flagged { about, .. } = &mut fact {
            about.step = now.clone();
        }
        Cow::Owned(fact)
    }
}
