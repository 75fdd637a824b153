//! What happened to one enrollment.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use crate::{
    fact::{Closing, Entry, Fact, Occurrence, OutcomeCode, RiskMove, StopReason},
    state::{
        ANSWERS_MAX, AnchorState, EnrollmentState, Memo, PatientState, RiskState, Standing, TaskState, Was,
    },
};

use super::mark_done;

impl PatientState {
    pub(super) fn fold_enrollment(&mut self, entry: &Entry, fact: &Fact) {
        match fact {
            Fact::Enrolled { .. } => self.fold_enrolled(entry, fact),
            Fact::FactSet { name, value } => {
                let Some(enrollment) = self.of(entry) else { return };
                let before = enrollment.facts.insert(name.clone(), value.clone());
                self.remember(entry, Was::Fact { name: name.clone(), value: before });
                self.keep_for_rules(entry, fact);
            }
            Fact::AnchorEvent { anchor, date } | Fact::AnchorCorrected { anchor, date, .. } => {
                let known = AnchorState { date: *date, known_since: entry.recorded_at };
                let Some(enrollment) = self.of(entry) else { return };
                let before = enrollment.anchors.insert(anchor.clone(), known);
                self.remember(entry, Was::Anchor { name: anchor.clone(), anchor: before });
                self.keep_for_rules(entry, fact);
            }
            Fact::Flagged { about, rule, .. } => {
                let fact = &self.as_named_now(fact, about);
                if let Some(open) = self.occurrence_mut(about) {
                    if open.flagged.contains(rule) {
                        return;
                    }
                    open.flagged.push(rule.clone());
                }
                self.keep_for_rules(entry, fact);
            }
            Fact::Answered { about, .. } => self.fold_answered(entry, about, fact),
            Fact::Outcome { task, code } => {
                let Some(done) = self.tasks.remove(task) else { return };
                self.fold_outcome(entry, &done, *code);
                self.keep_for_rules(entry, fact);
            }
            Fact::Taken { task, by } => {
                if let Some(state) = self.tasks.get_mut(task) {
                    state.taken_at = by.map(|_| entry.occurred_at);
                }
            }
            Fact::Paused { until, .. } => {
                if let Some(enrollment) =
                    self.of(entry).filter(|e| !matches!(e.standing, Standing::Over { .. }))
                {
                    enrollment.standing = Standing::Paused { until: *until, seq: entry.seq };
                }
            }
            Fact::Resumed => {
                let died = Standing::Over { because: Some(StopReason::Died) };
                let resumes =
                    |standing: &Standing| matches!(standing, Standing::Paused { .. }) || *standing == died;
                if let Some(enrollment) = self.of(entry).filter(|enrollment| resumes(&enrollment.standing)) {
                    enrollment.standing = Standing::Active;
                }
            }
            Fact::Scored { model_version, probability_ppm, .. } => {
                if let Some(enrollment) = self.of(entry) {
                    let model_version = model_version.clone();
                    enrollment.risk = Some(RiskState { model_version, ppm: *probability_ppm });
                }
            }
            Fact::RiskMoved { to } => {
                if let Some(enrollment) = self.of(entry) {
                    enrollment.risk_moved = Some(*to).filter(|to| *to != RiskMove::Back);
                }
            }
            Fact::Stopped { reason } => {
                if let Some(enrollment) =
                    self.of(entry).filter(|e| !matches!(e.standing, Standing::Over { .. }))
                {
                    enrollment.standing = Standing::Over { because: Some(*reason) };
                }
            }
            _ => {}
        }
    }

    pub(super) fn fold_enrolled(&mut self, entry: &Entry, fact: &Fact) {
        let (Fact::Enrolled { site, workflow, version, facts, anchors }, Some(id)) = (fact, entry.enrollment)
        else {
            return;
        };
        let known = |date: &Date| AnchorState { date: *date, known_since: entry.recorded_at };
        let state = EnrollmentState {
            site: *site,
            workflow: workflow.clone(),
            version: version.clone(),
            enrolled_at: entry.recorded_at,
            standing: Standing::Active,
            facts: facts.clone(),
            anchors: anchors.iter().map(|(name, date)| (name.clone(), known(date))).collect(),
            steps: BTreeMap::new(),
            series: BTreeMap::new(),
            unjudged: Vec::new(),
            noted: BTreeSet::new(),
            risk: None,
            risk_moved: None,
            chosen: None,
            moved_from: None,
            former: BTreeMap::new(),
            memo: Memo::default(),
        };
        self.enrollments.insert(id, state);
        self.keep_for_rules(entry, fact);
    }

    pub(super) fn fold_answered(&mut self, entry: &Entry, about: &Occurrence, fact: &Fact) {
        if let Some(step) = self.step_mut(about) {
            let in_a_row = step.silent_in_a_row;
            step.answers = step.answers.saturating_add(1).min(ANSWERS_MAX);
            step.silent_in_a_row = 0;
            let open = step
                .open
                .iter_mut()
                .find(|open| open.generation == about.generation && open.ordinal == about.ordinal);
            if let Some(open) = open {
                let closed = open.closed.replace(Closing::Done);
                if closed == Some(Closing::Silent) {
                    let day = open.day;
                    step.silent_days.retain(|silent| *silent != day);
                }
                mark_done(step, about, entry.occurred_at);
                let was = Was::Unanswered {
                    about: about.clone(),
                    closed,
                    silent_in_a_row: in_a_row,
                    numbers: Vec::new(),
                };
                self.remember(entry, was);
            }
        }
        let fact = self.as_named_now(fact, about);
        self.keep_for_rules(entry, &fact);
    }

    pub(super) fn fold_outcome(&mut self, entry: &Entry, done: &TaskState, code: OutcomeCode) {
        let Some(about) = done.about.as_ref().filter(|_| done.rules.is_empty()) else { return };
        let took_place = code.took_place();
        if let Some(step) = self.step_mut(about) {
            step.outcome = Some(code);
            if took_place {
                step.answers = step.answers.saturating_add(1).min(ANSWERS_MAX);
                mark_done(step, about, entry.occurred_at);
            }
        }
        if let Some(open) = self.occurrence_mut(about) {
            open.task = None;
            open.closed = Some(if took_place { Closing::Done } else { Closing::Undone });
        }
    }
}
