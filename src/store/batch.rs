//! Everything that a group of patients writes in one commit, gathered table by table.

use std::collections::BTreeMap;

use jiff::Timestamp;
use sea_orm::{Value, prelude::Uuid};
use tend_engine::{
    PatientId,
    fact::{Entry, MessageKey, SCHEMA, TaskKey},
    planner::{Advanced, Library, Made},
    state::STATE_VERSION,
};

use super::{
    Locked,
    enrolling::NewRows,
    identity::sealed,
    order,
    project::{self, Changes, EnrollmentChange, MessageChange, Queue, TaskRow, TaskStep, Whose, json},
    sql::Rows,
    topic::{Topic, Topics},
    vault::PatientKey,
    words::{self, chrono_date, micros, uuid},
};
use crate::ports::Ids;

/// Free text that came with a fact: by item, or under `reason`.
pub type FreeText = BTreeMap<String, String>;

/// A line of the audit log.
#[derive(Debug, Clone)]
pub struct AuditLine {
    /// `staff:<id>`, `patient`, `system` …
    pub actor: String,
    /// What was done, a verb: `enroll`, `view`, `advance` …
    pub action: &'static str,
    /// About whom.
    pub patient: Option<PatientId>,
    /// What it was done to, for example `task <id>`.
    pub subject: String,
    /// What more there is to say, as JSON or in a few words; holds no patient's name or address and no answer.
    pub detail: String,
}

/// The rows of one commit.
#[derive(Debug, Default)]
pub struct Batch {
    pub(super) new: NewRows,
    /// What may have moved.
    pub(super) topics: Topics,
    pub(super) patients: Rows,
    pub(super) patient_count: u64,
    pub(super) events: Rows,
    pub(super) audits: Rows,
    pub(super) messages: Rows,
    pub(super) messages_changed: Rows,
    pub(super) tasks: Rows,
    pub(super) enrollments: Rows,
    pub(super) enrollments_changed: Rows,
    /// Existing messages that another occurrence joined.
    pub(super) joined: Vec<(PatientId, MessageKey, MessageChange)>,
    /// Existing tasks that changed: their rows are read, folded and written.
    pub(super) tasks_changed: Vec<(PatientId, TaskKey, Vec<TaskStep>)>,
    pub(super) counts: BTreeMap<Queue, i64>,
    pub(super) scores: Rows,
    pub(super) scores_looked_at: Rows,
    /// Patients as they stand after the commit.
    pub(super) kept: Vec<Locked>,
}

impl Batch {
    /// Whether nothing would be written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.patient_count == 0
            && self.new.patients.is_empty()
            && self.audits.is_empty()
            && self.scores.is_empty()
            && self.scores_looked_at.is_empty()
    }

    /// Adds what came of advancing a locked patient: `locked.state` stands after it.
    pub fn advance(&mut self, library: &Library, ids: &dyn Ids, locked: &Locked, advanced: &Advanced) {
        self.advance_with(library, ids, locked, advanced, None);
    }

    /// The same with free text, sealed under the patient's key, that belongs to the first entry.
    pub fn advance_with(
        &mut self,
        library: &Library,
        ids: &dyn Ids,
        locked: &Locked,
        advanced: &Advanced,
        text: Option<(&PatientKey, &FreeText)>,
    ) {
        let whose = Whose { patient: locked.id, site: locked.site, team: locked.team };
        let secret = text
            .filter(|(_, text)| !text.is_empty())
            .map(|(key, text)| key.seal(sealed::WORDS, json(text).as_bytes()));
        let mut secrets = std::iter::once(secret).chain(std::iter::repeat(None));
        for (index, entry) in advanced.entries.iter().enumerate() {
            self.event(locked.id, entry, advanced.made(index), secrets.next().flatten());
        }
        let changes = project::project(library, whose, &locked.open_tasks, &advanced.entries, &locked.state);
        self.changes(ids, whose, changes);
        self.patients.push([
            uuid(locked.id.0).into(),
            signed(locked.seq).into(),
            signed(locked.state.seq).into(),
            advanced.wake_at.map(micros).into(),
            serde_json::to_vec(&locked.state).unwrap_or_default().into(),
            i32::from(STATE_VERSION).into(),
        ]);
        self.patient_count += 1;
        self.topics.due(advanced.wake_at, locked.state.recorded_at);
    }

    /// The next decision about the patient begins with the state as it is now and not with the database's.
    pub fn keep(&mut self, mut locked: Locked, wake_at: Option<Timestamp>) {
        if locked.quarantined {
            return;
        }
        let whose = Whose { patient: locked.id, site: locked.site, team: locked.team };
        locked.seq = locked.state.seq;
        locked.wake_at = wake_at;
        locked.open_tasks = project::queues(&locked.state, whose);
        locked.state.forget();
        self.kept.push(locked);
    }

    /// Adds a line of the audit log.
    pub fn audit(&mut self, ids: &dyn Ids, at: Timestamp, line: AuditLine) {
        self.audits.push([
            uuid(ids.fresh()).into(),
            micros(at).into(),
            line.actor.into(),
            line.action.into(),
            line.patient.map(|id| uuid(id.0)).into(),
            line.subject.into(),
            line.detail.into(),
        ]);
    }

    pub(super) fn event(&mut self, patient: PatientId, entry: &Entry, made: Made, secret: Option<Vec<u8>>) {
        self.events.push([
            uuid(patient.0).into(),
            signed(entry.seq).into(),
            entry.enrollment.map(|id| uuid(id.0)).into(),
            words::fact(&entry.fact).into(),
            i32::from(SCHEMA).into(),
            micros(entry.occurred_at).into(),
            micros(entry.recorded_at).into(),
            words::author(entry.author).into(),
            json(&entry.fact).into(),
            secret.into(),
            words::made(made).into(),
        ]);
    }

    pub(super) fn changes(&mut self, ids: &dyn Ids, whose: Whose, changes: Changes) {
        for (key, change) in changes.messages {
            self.message(ids, whose.patient, key, change);
        }
        for (key, change) in changes.tasks {
            match change.opened {
                Some(row) => self.task(ids.fresh(), whose.patient, &key, &row),
                None => self.tasks_changed.push((whose.patient, key, change.steps)),
            }
        }
        for (id, change) in changes.enrollments {
            self.enrollment(id.0, whose, change);
        }
        for (queue, n) in changes.counts {
            *self.counts.entry(queue).or_default() += n;
        }
    }

    fn message(&mut self, ids: &dyn Ids, patient: PatientId, key: MessageKey, mut change: MessageChange) {
        let Some(planned) = change.planned.take() else {
            if change.joined.is_empty() {
                self.message_changed(patient, &key, &change, None);
            } else {
                self.joined.push((patient, key, change));
            }
            return;
        };
        self.topics.add(Topic::Messages);
        let mut plan = planned.plan;
        plan.members.append(&mut change.joined);
        let send_after = change.send_after.unwrap_or(micros(plan.send_after));
        self.messages.push([
            uuid(ids.fresh()).into(),
            uuid(patient.0).into(),
            key.0.into(),
            planned.enrollment.map(|id| uuid(id.0)).into(),
            uuid(planned.site.0).into(),
            words::purpose(plan.purpose).into(),
            words::channel(plan.channel).into(),
            small(plan.rung).into(),
            change.state.unwrap_or("scheduled").into(),
            json(&plan).into(),
            send_after.into(),
            micros(plan.not_after).into(),
            plan.link_expires.map(micros).into(),
            small(change.attempt.unwrap_or(0)).into(),
            send_after.into(),
            0_i64.into(),
            planned.at.into(),
            change.at.into(),
        ]);
    }

    pub(super) fn message_changed(
        &mut self,
        patient: PatientId,
        key: &MessageKey,
        change: &MessageChange,
        plan: Option<String>,
    ) {
        if change.state == Some("scheduled") || change.send_after.is_some() {
            self.topics.add(Topic::Messages);
        }
        self.messages_changed.push([
            uuid(patient.0).into(),
            key.0.clone().into(),
            change.state.map(str::to_owned).into(),
            change.send_after.into(),
            change.attempt.map(small).into(),
            plan.into(),
            change.at.into(),
        ]);
    }

    pub(super) fn task(&mut self, id: u128, patient: PatientId, key: &TaskKey, row: &TaskRow) {
        self.tasks.push([
            uuid(id).into(),
            uuid(patient.0).into(),
            key.0.clone().into(),
            row.enrollment.map(uuid).into(),
            row.workflow.clone().into(),
            uuid(row.site).into(),
            row.team.map(uuid).into(),
            row.kind.into(),
            words::level(row.level).into(),
            words::level_rank(row.level).into(),
            words::role(row.role).into(),
            row.title.clone().into(),
            json(&row.because).into(),
            row.plan.clone().into(),
            row.opened_at.into(),
            row.respond_by.into(),
            order::respond_sort(row).into(),
            row.risk_sort.into(),
            small(row.minutes).into(),
            row.window_closes.into(),
            small(row.rung).into(),
            row.state.into(),
            row.open().into(),
            row.taken_by.map(uuid).into(),
            row.outcome.map(str::to_owned).into(),
            row.closed_at.into(),
            row.closed_by.map(uuid).into(),
        ]);
    }

    fn enrollment(&mut self, id: u128, whose: Whose, change: EnrollmentChange) {
        let row = change.row;
        let risk: Option<i32> = change.scored.flatten().map(small);
        if change.score_wanted.flatten().is_some() {
            self.topics.add(Topic::Scores);
        }
        // Where the date has no place in the database's calendar the column stays empty; the history has it.
        let anchor: Option<String> = row.anchor.and_then(chrono_date).map(|date| date.to_string());
        if change.enrolled {
            self.enrollments.push([
                uuid(id).into(),
                uuid(whose.patient.0).into(),
                uuid(row.site).into(),
                whose.team.map(uuid).into(),
                row.workflow.into(),
                row.version.into(),
                row.standing.into(),
                anchor.into(),
                row.enrolled_at.into(),
                row.ended_at.into(),
                change.last_answer_at.into(),
                risk.into(),
                change.score_wanted.flatten().into(),
                row.risk_moved.map(str::to_owned).into(),
                row.risk_rank.into(),
                row.moved_from.into(),
                row.chosen.into(),
            ]);
        } else {
            self.enrollments_changed.push([
                uuid(id).into(),
                row.standing.into(),
                anchor.into(),
                row.ended_at.into(),
                change.last_answer_at.into(),
                i32::from(change.scored.is_some()).into(),
                risk.into(),
                i32::from(change.score_wanted.is_some()).into(),
                change.score_wanted.flatten().into(),
                row.risk_moved.map(str::to_owned).into(),
                row.risk_rank.into(),
                row.version.into(),
                row.moved_from.into(),
                row.chosen.into(),
            ]);
        }
    }
}

/// A sequence number as the database's type.
pub(super) fn signed(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

/// A small count as the database's type.
pub(super) fn small(n: u32) -> i32 {
    i32::try_from(n).unwrap_or(i32::MAX)
}

/// A task's new values for [`TASK_CHANGED`](super::tables::TASK_CHANGED).
pub(super) fn task_changed(patient: Uuid, key: String, row: &TaskRow) -> [Value; 16] {
    [
        patient.into(),
        key.into(),
        words::level(row.level).into(),
        words::level_rank(row.level).into(),
        words::role(row.role).into(),
        json(&row.because).into(),
        row.respond_by.into(),
        order::respond_sort(row).into(),
        row.risk_sort.into(),
        small(row.rung).into(),
        row.state.into(),
        row.open().into(),
        row.taken_by.map(uuid).into(),
        row.outcome.map(str::to_owned).into(),
        row.closed_at.into(),
        row.closed_by.map(uuid).into(),
    ]
}
