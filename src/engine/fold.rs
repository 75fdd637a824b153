//! Folding a history into what decisions look at. Needs no workflow and decides nothing: replay is nothing but this.

mod delivery;
mod enrollment;
mod plan;
mod task;
mod version;
mod void;

use jiff::Timestamp;

use crate::{
    fact::{Author, Entry, Fact, Occurrence, Reply, TaskKey},
    model::Channel,
    state::{
        ChannelState, DONE_MAX, Done, EnrollmentState, OpenOccurrence, PatientState, StepState, TaskState,
        Unjudged, Was,
    },
};

impl PatientState {
    /// Folds the next entry in. Total: an entry that refers to nothing known changes nothing.
    pub fn fold(&mut self, entry: &Entry) {
        self.seq = entry.seq;
        self.recorded_at = self.recorded_at.max(Some(entry.recorded_at));
        self.look_again(&entry.fact);
        self.fold_fact(entry, &entry.fact);
    }

    /// An open occurrence, or one whose link is not dead yet.
    #[must_use]
    pub fn occurrence(&self, about: &Occurrence) -> Option<&OpenOccurrence> {
        let enrollment = self.enrollments.get(&about.enrollment)?;
        let step = enrollment.steps.get(enrollment.name_now(&about.step))?;
        step.open.iter().find(|open| open.generation == about.generation && open.ordinal == about.ordinal)
    }

    fn occurrence_mut(&mut self, about: &Occurrence) -> Option<&mut OpenOccurrence> {
        let step = self.step_mut(about)?;
        step.open.iter_mut().find(|open| open.generation == about.generation && open.ordinal == about.ordinal)
    }

    fn step_mut(&mut self, about: &Occurrence) -> Option<&mut StepState> {
        let enrollment = self.enrollments.get_mut(&about.enrollment)?;
        let name = enrollment.name_now(&about.step).clone();
        enrollment.steps.get_mut(&name)
    }

    fn fold_fact(&mut self, entry: &Entry, fact: &Fact) {
        match fact {
            Fact::Preference { .. }
            | Fact::Reachable { .. }
            | Fact::ConsentGiven { .. }
            | Fact::ConsentWithdrawn { .. }
            | Fact::DailyConsent { .. }
            | Fact::ChannelStopped { .. }
            | Fact::ChannelRestarted { .. }
            | Fact::Replied { .. }
            | Fact::Died { .. } => self.fold_patient(entry, fact),
            Fact::Voided { seq, .. } => self.fold_voided(entry, *seq),
            Fact::Corrected { seq, instead, .. } => {
                if !matches!(**instead, Fact::Voided { .. } | Fact::Corrected { .. }) {
                    self.fold_voided(entry, *seq);
                    self.fold_fact(entry, instead);
                }
            }
            Fact::Enrolled { .. }
            | Fact::FactSet { .. }
            | Fact::AnchorEvent { .. }
            | Fact::AnchorCorrected { .. }
            | Fact::Flagged { .. }
            | Fact::Answered { .. }
            | Fact::Outcome { .. }
            | Fact::Taken { .. }
            | Fact::Paused { .. }
            | Fact::Resumed
            | Fact::Stopped { .. }
            | Fact::RiskMoved { .. }
            | Fact::Scored { .. } => self.fold_enrollment(entry, fact),
            Fact::VersionChosen { .. } | Fact::VersionChanged { .. } => self.fold_version(entry, fact),
            Fact::Claimed { .. } | Fact::Released { .. } | Fact::HandedOver { .. } | Fact::Receipt { .. } => {
                self.fold_carrier(entry, fact)
            }
            Fact::Opened { .. }
            | Fact::Closed { .. }
            | Fact::Skipped { .. }
            | Fact::Replanned { .. }
            | Fact::StepStarted { .. }
            | Fact::ScoreWanted { .. }
            | Fact::Judged { .. }
            | Fact::Ended => self.fold_plan(entry, fact),
            Fact::Planned(_) | Fact::Joined { .. } | Fact::Moved { .. } | Fact::Dropped { .. } => {
                self.fold_message(entry, fact);
            }
            Fact::TaskOpened(_) | Fact::TaskChanged { .. } | Fact::TaskWithdrawn { .. } => {
                self.fold_task(entry, fact)
            }
        }
    }

    fn channel(&mut self, channel: Channel) -> &mut ChannelState {
        self.channels.entry(channel).or_default()
    }

    fn fold_patient(&mut self, entry: &Entry, fact: &Fact) {
        match fact {
            Fact::Preference { language, zone, preferred } => {
                self.language.clone_from(language);
                self.zone.clone_from(zone);
                self.preferred = *preferred;
            }
            Fact::Reachable { channel, usable } => {
                self.channel(*channel).usable = *usable;
                self.failures.retain(|(_, failed)| failed != channel);
            }
            Fact::ConsentGiven { channel, .. } => self.channel(*channel).consented = true,
            Fact::ConsentWithdrawn { channel } => self.channel(*channel).consented = false,
            Fact::DailyConsent { given } => self.daily_consent = *given,
            Fact::ChannelStopped { channel } => self.channel(*channel).stopped = true,
            Fact::ChannelRestarted { channel } => {
                let state = self.channel(*channel);
                state.stopped = false;
                state.stop_confirmed = false;
            }
            Fact::Replied { channel, reply } => {
                self.unanswered_replies.push((entry.seq, *channel, *reply));
                if *reply == Reply::Stop {
                    self.channel(*channel).stopped = true;
                }
            }
            Fact::Died { date } => {
                self.remember(entry, Was::Alive);
                self.died = Some(*date);
            }
            _ => {}
        }
    }

    fn of(&mut self, entry: &Entry) -> Option<&mut EnrollmentState> {
        self.enrollments.get_mut(&entry.enrollment?)
    }

    fn keep_for_rules(&mut self, entry: &Entry, fact: &Fact) {
        let (seq, at) = (entry.seq, entry.occurred_at);
        if let Some(enrollment) = self.of(entry) {
            enrollment.unjudged.push(Unjudged { seq, at, what: fact.clone(), restored: None });
        }
    }

    /// Whether a decision was made by the engine; for readers of histories.
    #[must_use]
    pub fn is_decision(entry: &Entry) -> bool {
        entry.author == Author::Engine
    }

    /// The open task of that key.
    #[must_use]
    pub fn task(&self, key: &TaskKey) -> Option<&TaskState> {
        self.tasks.get(key)
    }
}

fn mark_done(step: &mut StepState, about: &Occurrence, at: Timestamp) {
    let same = |done: &&mut Done| done.generation == about.generation && done.ordinal == about.ordinal;
    if let Some(done) = step.done.iter_mut().find(same) {
        done.at = at;
        return;
    }
    if step.done.len() >= DONE_MAX {
        step.done.remove(0);
    }
    step.done.push(Done { generation: about.generation, ordinal: about.ordinal, at });
}
