//! What somebody does on a line of a case, as facts.

use std::collections::BTreeMap;

use crate::{
    Name, StaffId, Value,
    calendar::day_of,
    case::{Act, Answers},
    decide::flags,
    fact::{Answer, Author, Fact, Mode, Occurrence, TaskKey},
    instrument::visible_items,
    model::{Channel, Does, Item, ItemKind, Questionnaire},
    reply,
};

use super::run::{ENROLLMENT, Stage};

/// Most items that a calm patient fills in.
const ITEMS_MAX: usize = 500;
/// The member of staff of every case.
const NURSE: StaffId = StaffId(1);

/// Does it.
pub(super) fn perform(stage: &mut Stage<'_>, act: &Act) -> Result<(), String> {
    let staff = Author::Staff(NURSE);
    match act {
        Act::Answer { step, mode, answers } => answer(stage, step, *mode, answers),
        Act::Draft { step, answers } => draft(stage, step, answers),
        Act::Reply(text) => {
            let reply = reply::meaning(text, &stage.patient.site.danger_words);
            happens(stage, false, Author::Patient, Fact::Replied { channel: Channel::Sms, reply })
        }
        Act::Outcome { task, code } => {
            let task = open_task(stage, task)?;
            happens(stage, true, staff, Fact::Outcome { task, code: *code })
        }
        Act::Take(task) => {
            let task = open_task(stage, task)?;
            happens(stage, true, staff, Fact::Taken { task, by: Some(NURSE) })
        }
        Act::Set(name, value) => {
            happens(stage, true, staff, Fact::FactSet { name: name.clone(), value: value.clone() })
        }
        Act::Event(anchor, date) => {
            happens(stage, true, staff, Fact::AnchorEvent { anchor: anchor.clone(), date: *date })
        }
        Act::Correct(anchor, date) => {
            let (anchor, date, reason) = (anchor.clone(), *date, "mistyped".to_owned());
            happens(stage, true, staff, Fact::AnchorCorrected { anchor, date, reason })
        }
        Act::Died(date) => happens(stage, false, staff, Fact::Died { date: *date }),
        Act::Stop(reason) => happens(stage, true, staff, Fact::Stopped { reason: *reason }),
        Act::Pause(day) => {
            happens(stage, true, staff, Fact::Paused { until: Some(*day), reason: "case".to_owned() })
        }
        Act::Resume => happens(stage, true, staff, Fact::Resumed),
        Act::Refuse(channel) => {
            stage.patient.carriers.refuse.insert(*channel);
            Ok(())
        }
        Act::Outage(outage) => {
            stage.patient.carriers.outage = *outage;
            Ok(())
        }
    }
}

fn happens(stage: &mut Stage<'_>, of_enrollment: bool, author: Author, fact: Fact) -> Result<(), String> {
    let enrollment = of_enrollment.then_some(ENROLLMENT);
    stage.patient.happens(enrollment, author, fact).map_err(|error| error.to_string())
}

/// The latest open task of a step or rule.
fn open_task(stage: &Stage<'_>, of: &Name) -> Result<TaskKey, String> {
    let tasks = stage.patient.state.tasks.iter();
    let own = |about: &Option<Occurrence>| about.as_ref().is_some_and(|about| about.step == *of);
    let matching =
        tasks.filter(|(_, task)| task.rules.contains(of) || (task.rules.is_empty() && own(&task.about)));
    let latest = matching.max_by_key(|(_, task)| task.opened_at);
    latest.map(|(key, _)| key.clone()).ok_or_else(|| format!("no task of \"{of}\" is open at that moment"))
}

/// The occurrence of a step that is open, or else the one that closed last.
fn to_answer(stage: &Stage<'_>, step: &Name) -> Result<Occurrence, String> {
    let missing = || format!("step \"{step}\" was not asked before that moment, or its link is dead");
    let enrollment = stage.patient.state.enrollments.get(&ENROLLMENT).ok_or_else(missing)?;
    let state = enrollment.steps.get(step).ok_or_else(missing)?;
    let now = stage.patient.now;
    let alive = state.open.iter().filter(|open| now < open.expires);
    let best = alive.max_by_key(|open| (open.closed.is_none(), open.due)).ok_or_else(missing)?;
    Ok(Occurrence {
        enrollment: ENROLLMENT,
        step: step.clone(),
        generation: best.generation,
        ordinal: best.ordinal,
    })
}

fn questionnaire<'a>(stage: &Stage<'a>, step: &Name) -> Result<&'a Questionnaire, String> {
    let asked = stage.workflow.step(step).and_then(|step| match &step.does {
        Does::Ask { questionnaire, .. } => Some(questionnaire),
        Does::Tell { .. } | Does::Task { .. } | Does::Score { .. } => None,
    });
    asked
        .and_then(|id| stage.workflow.questionnaires.get(id))
        .ok_or_else(|| format!("step \"{step}\" does not ask a questionnaire"))
}

fn answer(stage: &mut Stage<'_>, step: &Name, mode: Mode, typed: &Answers) -> Result<(), String> {
    let about = to_answer(stage, step)?;
    let questionnaire = questionnaire(stage, step)?;
    let answers = filled_in(questionnaire, typed);
    note_doubts(stage, questionnaire, &answers);
    if !stage.doubts.is_empty() {
        // The page asks again before anything counts.
        return Ok(());
    }
    let author = match mode {
        Mode::Own => Author::Patient,
        Mode::Proxy => Author::Carer,
        Mode::NursePhone => Author::Staff(NURSE),
    };
    let fact = Fact::Answered {
        about,
        questionnaire: questionnaire.id.clone(),
        questionnaire_version: questionnaire.version.clone(),
        language: stage.patient.state.language.clone(),
        mode,
        answers,
    };
    happens(stage, true, author, fact)
}

fn draft(stage: &mut Stage<'_>, step: &Name, typed: &Answers) -> Result<(), String> {
    let about = to_answer(stage, step)?;
    let questionnaire = questionnaire(stage, step)?;
    let answers = filled_in(questionnaire, typed);
    note_doubts(stage, questionnaire, &answers);
    let Some(enrollment) = stage.patient.state.enrollments.get(&ENROLLMENT) else { return Ok(()) };
    let today = day_of(&stage.zone, stage.patient.now);
    let known = stage.patient.state.occurrence(&about).map(|open| open.flagged.clone()).unwrap_or_default();
    let raised = flags(stage.workflow, enrollment, &questionnaire.id, &answers, today);
    for rule in raised.into_iter().filter(|rule| !known.contains(rule)) {
        let questionnaire = questionnaire.id.clone();
        let fact = Fact::Flagged { about: about.clone(), questionnaire, rule, answers: answers.clone() };
        happens(stage, true, Author::Patient, fact)?;
    }
    Ok(())
}

/// Numbers that differ from the last ones by more than their item lets pass, and were not confirmed.
fn note_doubts(stage: &mut Stage<'_>, questionnaire: &Questionnaire, answers: &BTreeMap<Name, Answer>) {
    let series = stage.patient.state.enrollments.get(&ENROLLMENT).map(|enrollment| &enrollment.series);
    let doubtful = |item: &&Item| {
        let ItemKind::Quantity { doubt: Some(doubt), .. } = &item.kind else { return false };
        let Some(Answer::Given { value: Value::Number(number), doubtful: false }) = answers.get(&item.id)
        else {
            return false;
        };
        let last = series.and_then(|series| series.get(&item.id)).and_then(|numbers| numbers.last());
        last.is_some_and(|(_, last)| {
            let difference = if *last > *number { *last - *number } else { *number - *last };
            difference > doubt.differs_by
        })
    };
    stage.doubts = questionnaire.items.iter().filter(doubtful).map(|item| item.id.clone()).collect();
}

/// The answers as typed; a calm patient gives every other visible item its calmest answer.
fn filled_in(questionnaire: &Questionnaire, typed: &Answers) -> BTreeMap<Name, Answer> {
    let given = |(item, value): (&Name, &Value)| {
        let doubtful = typed.doubtful.contains(item);
        (item.clone(), Answer::Given { value: value.clone(), doubtful })
    };
    let mut answers: BTreeMap<Name, Answer> = typed.with.iter().map(given).collect();
    answers.extend(typed.declined.iter().map(|item| (item.clone(), Answer::Declined)));
    for _ in 0..ITEMS_MAX {
        let open = visible_items(questionnaire, &answers);
        let open = open.into_iter().filter(|item| !answers.contains_key(&item.id));
        let next =
            open.filter(|_| typed.calm).find_map(|item| calmest(item).map(|value| (item.id.clone(), value)));
        let Some((item, value)) = next else { break };
        answers.insert(item, Answer::Given { value, doubtful: false });
    }
    answers
}

fn calmest(item: &Item) -> Option<Value> {
    match &item.kind {
        ItemKind::Choice(options) => options
            .iter()
            .min_by_key(|option| option.points.unwrap_or(0))
            .map(|option| Value::Choice(option.id.clone())),
        ItemKind::YesNo => Some(Value::Bool(false)),
        ItemKind::Whole { min, .. } => Some(Value::Number(crate::Decimal::whole(*min))),
        ItemKind::Quantity { min, .. } => (!item.optional).then_some(Value::Number(*min)),
        ItemKind::Text { .. } => None,
    }
}
