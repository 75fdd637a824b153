//! Rules are looked at exactly once for each entry that can make them fire.

use std::{collections::BTreeMap, sync::Arc};

use jiff::SignedDuration;

use crate::{
    EnrollmentId, Name, Value,
    calendar::day_of,
    expr,
    expr::{AnswerAtHand, Env},
    fact::{Answer, Closing, DropReason, Fact, MessageKey, Mode, Occurrence, StopReason, TaskKey, TaskPlan},
    keys,
    model::{Action, Level, LevelId, Role, Rule, Schedule, Span, TaskKind, Text, Trigger, Workflow},
    planner::AdvanceError,
    state::{EnrollmentState, MessageStanding, PatientState, Unjudged},
    text::{Piece, pieces},
    turn::{Turn, env},
    words,
};

use super::{
    alert, notice,
    numbers::{self, LooksBack},
    replan,
};

/// Rules still run for an answer that came less than this long after its window closed.
pub const RULES_RUN_FOR: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Looks at every entry that no rule has been looked at for.
pub(crate) fn entries(
    turn: &mut Turn<'_>,
    id: EnrollmentId,
    workflow: &Workflow,
) -> Result<(), AdvanceError> {
    while let Some(enrollment) = turn.state.enrollments.get_mut(&id).filter(|e| !e.unjudged.is_empty()) {
        let entry = enrollment.unjudged.remove(0);
        judge(turn, id, workflow, &entry)?;
    }
    Ok(())
}

fn judge(
    turn: &mut Turn<'_>,
    id: EnrollmentId,
    workflow: &Workflow,
    entry: &Unjudged,
) -> Result<(), AdvanceError> {
    replan::after(turn, id, workflow, entry)?;
    start_dependents(turn, id, workflow, entry)?;
    withdraw_calls(turn, id, workflow, entry)?;
    doubts_end(turn, id, &entry.what)?;
    let mut fired = Vec::new();
    let about = about(turn.state, id, &entry.what);
    let workflow = super::version::asked_by(turn, id, workflow, entry, about.as_ref())?;
    if too_late(turn.state, entry) {
        let key = keys::notice(turn.state, Some(id), &format!("late-answer/{}", entry.seq));
        let (kind, words) = (TaskKind::Review, words::late_answer());
        notice(turn, Some(id), key, kind, Role::Nurse, LevelId::Grey, words, Some(entry.seq))?;
    } else {
        let day = day_of(&turn.zone, entry.at);
        let answer = at_hand(workflow, &entry.what);
        let flagged = about.as_ref().and_then(|about| turn.state.occurrence(about));
        let flagged = flagged.map(|open| open.flagged.clone()).unwrap_or_default();
        for rule in &workflow.rules {
            if !triggers(rule, &entry.what, about.as_ref(), &flagged) {
                continue;
            }
            let Some(reasons) = looked_at(turn, (id, workflow), rule, &entry.what, (answer, day)) else {
                continue;
            };
            fired.push(rule.id.clone());
            act(turn, id, workflow, rule, &reasons, entry, about.as_ref())?;
        }
    }
    let seq = entry.seq;
    let judged = match &entry.what {
        Fact::Answered { questionnaire, answers, .. } => {
            let day = day_of(&turn.zone, entry.at);
            let looks_back = looks_back(turn, id, workflow);
            numbers::judged(workflow, &looks_back, questionnaire, answers, (seq, fired, day))
        }
        _ => Fact::Judged { seq, fired, day: None, numbers: BTreeMap::new(), back_days: None },
    };
    turn.record(Some(id), judged)
}

/// Who answered by a link has its message: no doubt is left about it.
fn doubts_end(turn: &mut Turn<'_>, id: EnrollmentId, what: &Fact) -> Result<(), AdvanceError> {
    let Fact::Answered { about, mode: Mode::Own | Mode::Proxy, .. } = what else { return Ok(()) };
    let doubtful = turn.state.messages.iter().filter(|(_, message)| {
        matches!(message.standing, MessageStanding::Uncertain(_)) && message.members.contains(about)
    });
    let doubtful: Vec<MessageKey> = doubtful.map(|(key, _)| key.clone()).collect();
    for message in doubtful {
        turn.record(Some(id), Fact::Receipt { message, delivered: true })?;
    }
    Ok(())
}

pub(crate) fn about(state: &PatientState, id: EnrollmentId, what: &Fact) -> Option<Occurrence> {
    match what {
        Fact::Flagged { about, .. } | Fact::Answered { about, .. } | Fact::Closed { about, .. } => {
            Some(about.clone())
        }
        Fact::Outcome { task, .. } => outcome_of(state, id, task),
        _ => None,
    }
}

/// The occurrence of a step's own task, from the key: the task itself is gone with its outcome.
fn outcome_of(state: &PatientState, id: EnrollmentId, task: &TaskKey) -> Option<Occurrence> {
    let enrollment = state.enrollments.get(&id)?;
    // A key keeps the name that the step had when the task was opened.
    let names = enrollment.steps.keys().chain(enrollment.former.keys());
    names.filter(|name| task.0.contains(name.as_str())).find_map(|name| {
        let now = enrollment.name_now(name);
        let opens = enrollment.steps.get(now)?.open.iter().rev();
        let occurrence = |step: &Name, open: &crate::state::OpenOccurrence| Occurrence {
            enrollment: id,
            step: step.clone(),
            generation: open.generation,
            ordinal: open.ordinal,
        };
        opens
            .filter(|open| keys::step_task(&occurrence(name, open)) == *task)
            .map(|open| occurrence(now, open))
            .next()
    })
}

/// An answer so late that what it says may have passed.
fn too_late(state: &PatientState, entry: &Unjudged) -> bool {
    let Fact::Answered { about, .. } = &entry.what else { return false };
    let Some(open) = state.occurrence(about) else { return true };
    entry.at.duration_since(open.closes) >= RULES_RUN_FOR
}

/// What the workflow looks back on, worked out once.
fn looks_back(turn: &mut Turn<'_>, id: EnrollmentId, workflow: &Workflow) -> Arc<LooksBack> {
    let of = || Arc::new(LooksBack::of(workflow));
    let Some(enrollment) = turn.state.enrollments.get_mut(&id) else { return of() };
    Arc::clone(enrollment.memo.looks_back.get_or_insert_with(of))
}

/// The reasons if the rule fires for the entry.
fn looked_at(
    turn: &Turn<'_>,
    (id, workflow): (EnrollmentId, &Workflow),
    rule: &Rule,
    what: &Fact,
    (answer, day): (Option<AnswerAtHand<'_>>, jiff::civil::Date),
) -> Option<Vec<Text>> {
    let enrollment = turn.state.enrollments.get(&id)?;
    let env = Env { answer, ..env(&turn.zone, enrollment, workflow, day) };
    let holding = rule.alternatives.iter().filter(|alternative| expr::holds(&alternative.when, &env));
    let reasons: Vec<Text> = holding.map(|alternative| filled(&alternative.because, &env)).collect();
    if !reasons.is_empty() {
        return Some(reasons);
    }
    // A flag was raised on a draft; it stands although the draft may have changed since.
    let flagged = matches!(what, Fact::Flagged { rule: name, .. } if *name == rule.id);
    flagged.then(|| rule.alternatives.iter().take(1).map(|first| filled(&first.because, &env)).collect())
}

pub(crate) fn triggers(rule: &Rule, what: &Fact, about: Option<&Occurrence>, flagged: &[Name]) -> bool {
    let of = |step: &Name| about.is_some_and(|about| about.step == *step);
    match (&rule.on, what) {
        (Trigger::Answer(_), Fact::Flagged { rule: name, .. }) => *name == rule.id,
        (Trigger::Answer(wanted), Fact::Answered { questionnaire, .. }) => {
            wanted == questionnaire && !(rule.at_once && flagged.contains(&rule.id))
        }
        (Trigger::Silent(step), Fact::Closed { how: Closing::Silent, .. })
        | (Trigger::Undone(step), Fact::Closed { how: Closing::Undone, .. })
        | (Trigger::Outcome(step), Fact::Outcome { .. }) => of(step),
        (
            Trigger::Fact,
            Fact::Enrolled { .. }
            | Fact::FactSet { .. }
            | Fact::AnchorEvent { .. }
            | Fact::AnchorCorrected { .. },
        ) => true,
        _ => false,
    }
}

pub(crate) fn at_hand<'a>(workflow: &'a Workflow, what: &'a Fact) -> Option<AnswerAtHand<'a>> {
    let (Fact::Flagged { questionnaire, answers, .. } | Fact::Answered { questionnaire, answers, .. }) = what
    else {
        return None;
    };
    let questionnaire = workflow.questionnaires.get(questionnaire)?;
    Some(AnswerAtHand { questionnaire, answers })
}

/// The red flags among the rules of a questionnaire that a draft raises, in file order: looked at before submission.
#[must_use]
pub fn flags(
    workflow: &Workflow,
    enrollment: &EnrollmentState,
    questionnaire: &Name,
    answers: &BTreeMap<Name, Answer>,
    today: jiff::civil::Date,
) -> Vec<Name> {
    let Some(questionnaire) = workflow.questionnaires.get(questionnaire) else { return Vec::new() };
    let answer = Some(AnswerAtHand { questionnaire, answers });
    let env = Env { answer, ..env(&expr::eval::UTC, enrollment, workflow, today) };
    let raised = |rule: &&Rule| {
        rule.at_once
            && rule.on == Trigger::Answer(questionnaire.id.clone())
            && rule.alternatives.iter().any(|alternative| expr::holds(&alternative.when, &env))
    };
    workflow.rules.iter().filter(raised).map(|rule| rule.id.clone()).collect()
}

/// Words with the values of what they name filled in.
fn filled(words: &Text, env: &Env<'_>) -> Text {
    let fill = |(language, words): (&String, &String)| {
        let piece = |piece: Piece<'_>| match piece {
            Piece::Plain(plain) => plain.to_owned(),
            Piece::Placeholder(name) => value_of(name, env).unwrap_or_else(|| "?".to_owned()),
        };
        (language.clone(), pieces(words).into_iter().map(piece).collect())
    };
    Text(words.0.iter().map(fill).collect())
}

fn value_of(name: &str, env: &Env<'_>) -> Option<String> {
    use crate::model::Expr;
    let name = Name::parse(name).ok()?;
    let ways = [
        Expr::Defined(name.clone()),
        Expr::Item(name.clone()),
        Expr::Score(name.clone()),
        Expr::Fact(name.clone()),
        Expr::SilentInARow(name),
    ];
    let value = ways.iter().find_map(|way| expr::eval(way, env))?;
    Some(match value {
        Value::Bool(yes) => yes.to_string(),
        Value::Number(number) => number.to_string(),
        Value::Choice(choice) => choice.to_string(),
        Value::Date(date) => date.to_string(),
    })
}

/// Steps that wait for the outcome at hand.
fn start_dependents(
    turn: &mut Turn<'_>,
    id: EnrollmentId,
    workflow: &Workflow,
    entry: &Unjudged,
) -> Result<(), AdvanceError> {
    let Fact::Outcome { task, code } = &entry.what else { return Ok(()) };
    let Some(about) = outcome_of(turn.state, id, task) else { return Ok(()) };
    let name = expr::eval::outcome_name(*code);
    for step in &workflow.steps {
        let Schedule::AfterOutcome { step: parent, outcomes, .. } = &step.schedule else { continue };
        if *parent == about.step && outcomes.contains(&name) && !turn.is_over(id) {
            let started = Fact::StepStarted {
                step: step.id.clone(),
                generation: about.generation,
                ordinal: about.ordinal,
                at: entry.at,
                by: entry.seq,
            };
            turn.record(Some(id), started)?;
        }
    }
    Ok(())
}

/// An answer makes calls about silence of its step needless, unless somebody is on the phone already.
fn withdraw_calls(
    turn: &mut Turn<'_>,
    id: EnrollmentId,
    workflow: &Workflow,
    entry: &Unjudged,
) -> Result<(), AdvanceError> {
    let Fact::Answered { about, .. } = &entry.what else { return Ok(()) };
    let silence = |name: &Name| {
        workflow.rules.iter().any(|rule| rule.id == *name && rule.on == Trigger::Silent(about.step.clone()))
    };
    let needless = |task: &crate::state::TaskState| {
        task.enrollment == Some(id)
            && task.kind == TaskKind::Call
            && task.taken_at.is_none()
            && !task.rules.is_empty()
            && task.rules.iter().all(silence)
    };
    let tasks: Vec<TaskKey> =
        turn.state.tasks.iter().filter(|(_, task)| needless(task)).map(|(key, _)| key.clone()).collect();
    for task in tasks {
        turn.record(Some(id), Fact::TaskWithdrawn { task, why: DropReason::Answered })?;
    }
    Ok(())
}

/// Carries out what a rule does.
fn act(
    turn: &mut Turn<'_>,
    id: EnrollmentId,
    workflow: &Workflow,
    rule: &Rule,
    reasons: &[Text],
    entry: &Unjudged,
    about: Option<&Occurrence>,
) -> Result<(), AdvanceError> {
    for (action, what) in rule.then.iter().enumerate() {
        let finding = alert::Finding {
            enrollment: id,
            workflow,
            rule,
            reasons,
            about: about.cloned(),
            seq: entry.seq,
            action,
        };
        match what {
            Action::Alert(level) => alert::raise(turn, &finding, *level, None)?,
            Action::AlertWithin { level, respond } => {
                alert::raise(turn, &finding, *level, Some(*respond))?;
            }
            Action::Task { .. } => task(turn, &finding, what)?,
            Action::Start(step) => start(turn, &finding, step)?,
            Action::Set(name, value) => set(turn, id, name, value)?,
            Action::Pause { role, review_within } => pause(turn, &finding, *role, *review_within)?,
            Action::Stop { .. } if turn.is_over(id) => {}
            Action::Stop { .. } => turn.record(Some(id), Fact::Stopped { reason: StopReason::Rule })?,
        }
    }
    Ok(())
}

/// Opens a task; while one of the same rule and patient is open it is added to.
fn task(turn: &mut Turn<'_>, finding: &alert::Finding<'_>, what: &Action) -> Result<(), AdvanceError> {
    let Action::Task { kind, role, minutes, within, title, level } = what else { return Ok(()) };
    let id = finding.enrollment;
    let same = |task: &crate::state::TaskState| {
        task.enrollment == Some(id) && task.kind == *kind && task.rules.contains(&finding.rule.id)
    };
    let open =
        turn.state.tasks.iter().find(|(_, task)| same(task)).map(|(key, task)| (key.clone(), task.clone()));
    if let Some((task, open)) = open {
        let changed = Fact::TaskChanged {
            task,
            level: open.level.min(*level),
            role: open.role,
            respond_by: None,
            rung: open.rung,
            because: alert::joined(finding.reasons),
            rule: None,
        };
        return turn.record(Some(id), changed);
    }
    let plan = TaskPlan {
        key: keys::rule_task(id, &finding.rule.id, finding.seq, finding.action),
        kind: *kind,
        role: *role,
        level: *level,
        title: title.clone(),
        because: finding.reasons.to_vec(),
        about: finding.about.clone(),
        rule: Some(finding.rule.id.clone()),
        cause: Some(finding.seq),
        minutes: *minutes,
        opened_at: turn.now,
        respond_by: Some(crate::calendar::plus_span(&turn.zone, turn.now, *within)),
        window_closes: None,
    };
    turn.record(Some(id), Fact::TaskOpened(plan))
}

/// Starts a step, unless an earlier start of it still is open.
fn start(turn: &mut Turn<'_>, finding: &alert::Finding<'_>, step: &Name) -> Result<(), AdvanceError> {
    let id = finding.enrollment;
    if turn.is_over(id) {
        return Ok(());
    }
    let Some(enrollment) = turn.state.enrollments.get(&id) else { return Ok(()) };
    // A rule of an earlier version calls the step by the name that it had then.
    let step = &enrollment.name_now(step).clone();
    let state = enrollment.steps.get(step);
    let runs = state.is_some_and(|s| !s.starts.is_empty() || s.open.iter().any(|open| open.closed.is_none()));
    if runs {
        return Ok(());
    }
    let ordinal = state.map_or(0, |state| state.ordinal) + 1;
    let (step, at, by) = (step.clone(), turn.now, finding.seq);
    turn.record(Some(id), Fact::StepStarted { step, generation: 1, ordinal, at, by })
}

fn set(turn: &mut Turn<'_>, id: EnrollmentId, name: &Name, value: &Value) -> Result<(), AdvanceError> {
    let known = turn.state.enrollments.get(&id).and_then(|e| e.facts.get(name));
    if known == Some(value) {
        return Ok(());
    }
    turn.record(Some(id), Fact::FactSet { name: name.clone(), value: value.clone() })
}

fn pause(
    turn: &mut Turn<'_>,
    finding: &alert::Finding<'_>,
    role: Role,
    within: Span,
) -> Result<(), AdvanceError> {
    let id = finding.enrollment;
    if !turn.is_active(id) {
        return Ok(());
    }
    turn.record(Some(id), Fact::Paused { until: None, reason: finding.rule.id.to_string() })?;
    let level = finding.workflow.level(LevelId::Grey).map_or(LevelId::Grey, |level: &Level| level.id);
    let review = Action::Task {
        kind: TaskKind::Review,
        role,
        minutes: 5,
        within,
        title: words::pause_review(),
        level,
    };
    task(turn, finding, &review)
}
