//! Rows as a fold of the history: which messages, tasks, enrollments and counts follow from entries. Pure, so that
//! rebuilding every row from the history and comparing is the same code.

use std::collections::BTreeMap;

use jiff::civil::Date;
use tend_engine::{
    EnrollmentId, PatientId, SiteId, StaffId,
    fact::{
        Author, Closing, Entry, Fact, HandoverResult, MessageKey, MessagePlan, Occurrence, OutcomeCode,
        TaskKey, TaskPlan,
    },
    model::{LevelId, Role, Text},
    planner::Library,
    state::{MessageStanding, MessageState, PatientState},
};

mod follow_up;

use super::{
    order,
    words::{self, micros},
};
use follow_up::{enrollment, enrollment_row, running};

/// Whose rows.
#[derive(Debug, Clone, Copy)]
pub struct Whose {
    pub patient: PatientId,
    pub site: SiteId,
    pub team: Option<u128>,
}

/// What follows from a stretch of entries of one patient.
#[derive(Debug, Default)]
pub struct Changes {
    pub messages: BTreeMap<MessageKey, MessageChange>,
    pub tasks: BTreeMap<TaskKey, TaskChange>,
    pub enrollments: BTreeMap<EnrollmentId, EnrollmentChange>,
    /// By how much queues grow.
    pub counts: BTreeMap<Queue, i64>,
}

/// A queue of open tasks.
pub type Queue = (SiteId, Role, LevelId);

/// A message that is new or changed.
#[derive(Debug, Default)]
pub struct MessageChange {
    pub planned: Option<Planned>,
    pub state: Option<&'static str>,
    pub send_after: Option<i64>,
    pub attempt: Option<u32>,
    pub joined: Vec<Occurrence>,
    pub at: i64,
}

/// A message as planned.
#[derive(Debug)]
pub struct Planned {
    pub plan: MessagePlan,
    pub enrollment: Option<EnrollmentId>,
    pub site: SiteId,
    pub at: i64,
}

/// A task that is new or changed, in order.
#[derive(Debug, Default)]
pub struct TaskChange {
    pub opened: Option<TaskRow>,
    pub steps: Vec<TaskStep>,
}

/// What happened to a task.
#[derive(Debug, Clone)]
pub enum TaskStep {
    Changed {
        level: LevelId,
        role: Role,
        respond_by: Option<i64>,
        rung: u32,
        because: Text,
    },
    Taken(Option<StaffId>),
    Outcome {
        code: OutcomeCode,
        by: Option<StaffId>,
        still_open: bool,
        at: i64,
    },
    Withdrawn {
        at: i64,
    },
    /// The risk of its follow-up is another one now.
    Risk(i32),
}

/// A task's row, but for its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskRow {
    pub enrollment: Option<u128>,
    pub workflow: Option<String>,
    pub site: u128,
    pub team: Option<u128>,
    pub kind: &'static str,
    pub level: LevelId,
    pub role: Role,
    pub title: String,
    pub because: Vec<Text>,
    pub plan: String,
    pub opened_at: i64,
    pub respond_by: Option<i64>,
    /// Its place among tasks that are equally urgent, least first.
    pub risk_sort: i32,
    pub minutes: u32,
    pub window_closes: Option<i64>,
    pub rung: u32,
    pub state: &'static str,
    pub taken_by: Option<u128>,
    pub outcome: Option<&'static str>,
    pub closed_at: Option<i64>,
    pub closed_by: Option<u128>,
}

impl TaskRow {
    /// Whether somebody still has to act.
    pub fn open(&self) -> bool {
        self.closed_at.is_none()
    }

    /// Folds one step in.
    pub fn step(&mut self, step: &TaskStep) {
        match step {
            TaskStep::Changed { level, role, respond_by, rung, because } => {
                let raised = *level < self.level;
                self.level = *level;
                self.role = *role;
                // No new deadline: the one it was opened with stands.
                self.respond_by = respond_by.or(self.respond_by);
                self.rung = *rung;
                if !self.because.contains(because) {
                    // What raised it is read first.
                    let at = if raised { 0 } else { self.because.len() };
                    self.because.insert(at, because.clone());
                }
            }
            TaskStep::Taken(by) => {
                self.taken_by = by.map(|id| id.0);
                self.state = if by.is_some() { "taken" } else { "open" };
            }
            TaskStep::Outcome { code, by, still_open, at } => {
                self.outcome = Some(words::outcome(*code));
                if *still_open {
                    self.taken_by = None;
                    self.state = "open";
                } else {
                    self.close("done", *at, *by);
                }
            }
            TaskStep::Withdrawn { at } => self.close("withdrawn", *at, None),
            TaskStep::Risk(risk_sort) => self.risk_sort = *risk_sort,
        }
    }

    fn close(&mut self, state: &'static str, at: i64, by: Option<StaffId>) {
        self.state = state;
        self.closed_at = Some(at);
        self.closed_by = by.map(|id| id.0);
    }
}

/// An enrollment that is new or changed.
#[derive(Debug, Default)]
pub struct EnrollmentChange {
    pub enrolled: bool,
    pub last_answer_at: Option<i64>,
    /// `Some(None)` when a model abstained.
    pub scored: Option<Option<u32>>,
    /// Since when a score is wanted; `Some(None)` once it is there.
    pub score_wanted: Option<Option<i64>>,
    pub row: EnrollmentRow,
}

/// What an enrollment's row takes from the state.
#[derive(Debug, Default, Clone)]
pub struct EnrollmentRow {
    pub site: u128,
    pub workflow: String,
    pub version: String,
    pub standing: &'static str,
    pub anchor: Option<Date>,
    pub enrolled_at: i64,
    pub ended_at: Option<i64>,
    pub risk_moved: Option<&'static str>,
    pub risk_rank: Option<i32>,
    /// The version before its last move, unless that was undone.
    pub moved_from: Option<String>,
    /// What was chosen for another version.
    pub chosen: Option<String>,
}

/// Open tasks by key, with their queue.
pub fn queues(state: &PatientState, whose: Whose) -> BTreeMap<TaskKey, Queue> {
    state
        .tasks
        .iter()
        .map(|(key, task)| (key.clone(), (site_of(state, task.enrollment, whose), task.role, task.level)))
        .collect()
}

/// What follows from `entries`, after which the patient stands at `after`; `before` are the open tasks before them.
pub fn project(
    library: &Library,
    whose: Whose,
    before: &BTreeMap<TaskKey, Queue>,
    entries: &[Entry],
    after: &PatientState,
) -> Changes {
    let mut changes = Changes::default();
    for entry in entries {
        fold(&mut changes, library, whose, entry, after);
    }
    let open = queues(after, whose);
    for queue in before.iter().filter(|(key, queue)| open.get(key) != Some(queue)).map(|(_, queue)| queue) {
        *changes.counts.entry(*queue).or_default() -= 1;
    }
    for queue in open.iter().filter(|(key, queue)| before.get(key) != Some(queue)).map(|(_, queue)| queue) {
        *changes.counts.entry(*queue).or_default() += 1;
    }
    changes.counts.retain(|_, n| *n != 0);
    changes
}

fn site_of(state: &PatientState, enrollment: Option<EnrollmentId>, whose: Whose) -> SiteId {
    enrollment.and_then(|id| state.enrollments.get(&id)).map_or(whose.site, |enrollment| enrollment.site)
}

/// One entry, one place: whichever rows it touches.
fn fold(changes: &mut Changes, library: &Library, whose: Whose, entry: &Entry, after: &PatientState) {
    let at = micros(entry.recorded_at);
    match &entry.fact {
        Fact::Planned(plan) => planned(changes, whose, entry, plan, after),
        Fact::Joined { message, member } => changes.message(message, at).joined.push(member.clone()),
        Fact::Moved { message, send_after, .. } => {
            let change = changes.message(message, at);
            change.state = Some("scheduled");
            change.send_after = Some(micros(*send_after));
        }
        Fact::Dropped { message, why } => changes.message(message, at).state = Some(words::dropped(*why)),
        Fact::Claimed { message, attempt } => {
            let change = changes.message(message, at);
            change.state = Some("claimed");
            change.attempt = Some(*attempt);
        }
        Fact::Released { message, .. } => changes.message(message, at).state = Some("scheduled"),
        Fact::HandedOver { message, result, .. } => {
            let change = changes.message(message, at);
            if !matches!(change.state, Some("delivered" | "refused")) {
                change.state = Some(handed_over(result));
            }
        }
        Fact::Receipt { message, .. } => {
            changes.message(message, at).state = receipt(after.messages.get(message));
        }
        Fact::TaskOpened(plan) => {
            let enrollment = entry.enrollment.or_else(|| plan.about.as_ref().map(|about| about.enrollment));
            let mut row = task_row(plan, enrollment, site_of(after, enrollment, whose), whose.team);
            let about = enrollment.and_then(|id| after.enrollments.get(&id));
            row.workflow = about.map(|about| about.workflow.to_string());
            row.risk_sort = order::risk_sort(about);
            changes.tasks.entry(plan.key.clone()).or_default().opened = Some(row);
        }
        Fact::TaskChanged { task, level, role, respond_by, rung, because, rule: _ } => changes.task(
            task,
            TaskStep::Changed {
                level: *level,
                role: *role,
                respond_by: respond_by.map(micros),
                rung: *rung,
                because: because.clone(),
            },
        ),
        Fact::TaskWithdrawn { task, .. } => changes.task(task, TaskStep::Withdrawn { at }),
        Fact::Taken { task, by } => changes.task(task, TaskStep::Taken(*by)),
        Fact::Outcome { task, code } => {
            let still_open = after.tasks.contains_key(task);
            changes.task(task, TaskStep::Outcome { code: *code, by: staff(entry.author), still_open, at });
            running(changes, library, entry, after);
        }
        Fact::Closed { how: Closing::Silent, .. } => running(changes, library, entry, after),
        Fact::Scored { .. } | Fact::RiskMoved { .. } => {
            enrollment(changes, library, entry, after);
            let risk_sort = order::risk_sort(entry.enrollment.and_then(|id| after.enrollments.get(&id)));
            let its = after.tasks.iter().filter(|(_, task)| task.enrollment == entry.enrollment);
            its.for_each(|(key, _)| changes.task(key, TaskStep::Risk(risk_sort)));
        }
        Fact::Enrolled { .. }
        | Fact::FactSet { .. }
        | Fact::ScoreWanted { .. }
        | Fact::Answered { .. }
        | Fact::Paused { .. }
        | Fact::Resumed
        | Fact::Stopped { .. }
        | Fact::Ended
        | Fact::AnchorEvent { .. }
        | Fact::VersionChanged { .. }
        | Fact::VersionChosen { .. }
        | Fact::AnchorCorrected { .. } => enrollment(changes, library, entry, after),
        Fact::Died { .. } | Fact::Voided { .. } | Fact::Corrected { .. } => {
            for (id, state) in &after.enrollments {
                let change = changes.enrollments.entry(*id).or_default();
                change.row = enrollment_row(library, state, at);
                // A fact that a score rests on may read otherwise now.
                change.score_wanted = Some(Some(at));
            }
        }
        Fact::Preference { .. }
        | Fact::Reachable { .. }
        | Fact::ConsentGiven { .. }
        | Fact::ConsentWithdrawn { .. }
        | Fact::DailyConsent { .. }
        | Fact::ChannelStopped { .. }
        | Fact::ChannelRestarted { .. }
        | Fact::Replied { .. }
        | Fact::Flagged { .. }
        | Fact::Opened { .. }
        | Fact::Closed { .. }
        | Fact::Skipped { .. }
        | Fact::Replanned { .. }
        | Fact::StepStarted { .. }
        | Fact::Judged { .. } => {}
    }
}

impl Changes {
    fn message(&mut self, key: &MessageKey, at: i64) -> &mut MessageChange {
        let change = self.messages.entry(key.clone()).or_default();
        change.at = at;
        change
    }

    fn task(&mut self, key: &TaskKey, step: TaskStep) {
        let change = self.tasks.entry(key.clone()).or_default();
        match &mut change.opened {
            Some(row) => row.step(&step),
            None => change.steps.push(step),
        }
    }
}

fn planned(changes: &mut Changes, whose: Whose, entry: &Entry, plan: &MessagePlan, after: &PatientState) {
    let at = micros(entry.recorded_at);
    let enrollment = plan.members.first().map(|member| member.enrollment).or(entry.enrollment);
    let site = site_of(after, enrollment, whose);
    let change = changes.message(&plan.key, at);
    change.state = Some("scheduled");
    change.planned = Some(Planned { plan: plan.clone(), enrollment, site, at });
}

fn handed_over(result: &HandoverResult) -> &'static str {
    match result {
        HandoverResult::Accepted => "handed_over",
        HandoverResult::Refused { permanent: true, .. } => "refused",
        HandoverResult::Refused { permanent: false, .. } => "scheduled",
        HandoverResult::Unknown => "uncertain",
    }
}

/// What a receipt made of a message: one about a message that never left changes nothing.
fn receipt(message: Option<&MessageState>) -> Option<&'static str> {
    match message?.standing {
        MessageStanding::HandedOver(_) => Some("delivered"),
        MessageStanding::Bounced(_) => Some("refused"),
        MessageStanding::Scheduled
        | MessageStanding::Claimed(_)
        | MessageStanding::Uncertain(_)
        | MessageStanding::Refused
        | MessageStanding::Dropped(_) => None,
    }
}

fn staff(author: Author) -> Option<StaffId> {
    match author {
        Author::Staff(id) => Some(id),
        Author::Patient | Author::Carer | Author::Engine | Author::Carrier | Author::System => None,
    }
}

fn task_row(plan: &TaskPlan, enrollment: Option<EnrollmentId>, site: SiteId, team: Option<u128>) -> TaskRow {
    TaskRow {
        enrollment: enrollment.map(|id| id.0),
        workflow: None,
        site: site.0,
        team,
        kind: words::task_kind(plan.kind),
        level: plan.level,
        role: plan.role,
        title: json(&plan.title),
        because: plan.because.clone(),
        plan: json(plan),
        opened_at: micros(plan.opened_at),
        respond_by: plan.respond_by.map(micros),
        risk_sort: order::UNKNOWN,
        minutes: plan.minutes,
        window_closes: plan.window_closes.map(micros),
        rung: 0,
        state: "open",
        taken_by: None,
        outcome: None,
        closed_at: None,
        closed_by: None,
    }
}

/// JSON of an engine value. Maps with text keys and plain enums cannot fail.
pub fn json<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
