//! Raising alerts: one per rule and patient while it is open, and one per answer; two ambers within three days make one red.

use jiff::{SignedDuration, Timestamp};

use crate::{
    EnrollmentId, Name, cover,
    fact::{Fact, Occurrence, TaskKey, TaskPlan},
    keys,
    model::{LevelId, Respond, Role, Rule, TaskKind, Text, Workflow},
    planner::AdvanceError,
    state::TaskState,
    turn::Turn,
};

/// Two open ambers of one patient within this time make one red.
pub const TWO_AMBERS: SignedDuration = SignedDuration::from_hours(72);
/// Planned minutes of an alert until a site's own figures are known.
const ALERT_MINUTES: u32 = 10;

/// What a rule found.
pub(crate) struct Finding<'a> {
    pub enrollment: EnrollmentId,
    pub workflow: &'a Workflow,
    pub rule: &'a Rule,
    pub reasons: &'a [Text],
    pub about: Option<Occurrence>,
    pub seq: u64,
    pub action: usize,
}

/// Raises an alert, or adds to one that is open.
pub(crate) fn raise(
    turn: &mut Turn<'_>,
    finding: &Finding<'_>,
    level: LevelId,
    respond: Option<Respond>,
) -> Result<(), AdvanceError> {
    let same = open_alert(turn, |task| {
        task.rules.contains(&finding.rule.id)
            || (task.enrollment == Some(finding.enrollment)
                && task.rules.iter().any(|rule| is_of_thread(finding, rule)))
    });
    if let Some((key, open)) = same {
        return add(turn, finding, key, &open, level.min(open.level));
    }
    let recent = turn.now.saturating_sub(TWO_AMBERS).unwrap_or(Timestamp::MIN);
    let other = (level == LevelId::Amber)
        .then(|| open_alert(turn, |task| task.level == LevelId::Amber && task.opened_at >= recent))
        .flatten();
    if let Some((key, open)) = other {
        return add(turn, finding, key, &open, LevelId::Red);
    }
    // What one answer says is one alert: the highest level carries all its reasons.
    let same_answer = |task: &TaskState| finding.about.is_some() && task.about == finding.about;
    if let Some((key, open)) = open_alert(turn, same_answer) {
        return add(turn, finding, key, &open, level.min(open.level));
    }
    let plan = TaskPlan {
        key: keys::rule_task(finding.enrollment, &finding.rule.id, finding.seq, finding.action),
        kind: TaskKind::Alert,
        role: owner(finding.workflow, level),
        level,
        title: finding.reasons.first().cloned().unwrap_or_default(),
        because: finding.reasons.to_vec(),
        about: finding.about.clone(),
        rule: Some(finding.rule.id.clone()),
        cause: Some(finding.seq),
        minutes: ALERT_MINUTES,
        opened_at: turn.now,
        respond_by: match respond {
            Some(own) => cover::respond_by(turn.site, &turn.site_zone, turn.now, own),
            None => respond_by(turn, finding.workflow, level),
        },
        window_closes: None,
    };
    turn.record(Some(finding.enrollment), Fact::TaskOpened(plan))
}

/// Whether another rule belongs to the thread of the one that found something.
fn is_of_thread(finding: &Finding<'_>, rule: &Name) -> bool {
    let thread = |rule: &Rule| rule.thread.clone();
    let other = finding.workflow.rules.iter().find(|known| known.id == *rule).and_then(thread);
    other.is_some() && other == finding.rule.thread
}

fn open_alert(turn: &Turn<'_>, wanted: impl Fn(&TaskState) -> bool) -> Option<(TaskKey, TaskState)> {
    let mut alerts = turn.state.tasks.iter().filter(|(_, task)| task.kind == TaskKind::Alert);
    alerts.find(|(_, task)| wanted(task)).map(|(key, task)| (key.clone(), task.clone()))
}

/// One more reason; a higher level starts its own ladder.
fn add(
    turn: &mut Turn<'_>,
    finding: &Finding<'_>,
    task: TaskKey,
    open: &TaskState,
    level: LevelId,
) -> Result<(), AdvanceError> {
    let raised = level < open.level;
    let changed = Fact::TaskChanged {
        task,
        level,
        role: if raised { owner(finding.workflow, level) } else { open.role },
        respond_by: if raised { respond_by(turn, finding.workflow, level) } else { None },
        rung: if raised { 0 } else { open.rung },
        because: joined(finding.reasons),
        rule: Some(finding.rule.id.clone()),
    };
    turn.record(open.enrollment, changed)
}

/// Reasons as one text per language.
pub(crate) fn joined(reasons: &[Text]) -> Text {
    let mut all = Text::default();
    for (language, words) in reasons.iter().flat_map(|reason| &reason.0) {
        let line = all.0.entry(language.clone()).or_default();
        if !line.is_empty() {
            line.push_str("; ");
        }
        line.push_str(words);
    }
    all
}

pub(crate) fn owner(workflow: &Workflow, level: LevelId) -> Role {
    workflow.level(level).map_or(Role::Nurse, |level| level.owner)
}

pub(crate) fn respond_by(turn: &Turn<'_>, workflow: &Workflow, level: LevelId) -> Option<Timestamp> {
    let respond = workflow.level(level)?.respond;
    cover::respond_by(turn.site, &turn.site_zone, turn.now, respond)
}
