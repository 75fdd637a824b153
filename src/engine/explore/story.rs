//! A course told so that a nurse can read it: played again from enrolment, with day and hour.

use jiff::Timestamp;

use crate::{
    Value,
    calendar::days_between,
    fact::{Answer, Closing, DropReason, Entry, Fact, HandoverResult, Purpose},
    model::{Channel, Text},
    state::PatientState,
};

use super::{
    ENROLLED_ON,
    answers::Answers,
    moves::{self, Carrier, Move},
    walk::{Course, Root, Walk},
    world::{Ground, World},
};

/// Most lines of a story; the usual ones go first.
const LINES_MAX: usize = 40;

/// A course, played again.
#[derive(Debug, Clone, Default)]
pub(super) struct Told {
    pub lines: Vec<String>,
    /// Every move with its time and what a case calls the task or step.
    pub acts: Vec<(Timestamp, Move, String)>,
    pub ends: Option<Timestamp>,
    pub root: Root,
}

struct Line {
    at: Timestamp,
    text: String,
    usual: bool,
}

/// Plays a course again.
pub(super) fn tell(walk: &Walk<'_>, course: &Course) -> Told {
    let ground = &walk.ground;
    let root = walk.roots.get(course.root).cloned().unwrap_or_default();
    let enrolment = World::enrolment(ground, &root);
    let Ok((mut world, _)) = World::enrolled(ground, enrolment) else { return Told::default() };
    let mut deviations = Vec::new();
    let mut node = course.node;
    while let Some(known) = walk.nodes.get(node).filter(|_| node > 0) {
        deviations.push((known.passed, known.made.clone()));
        node = known.before;
    }
    let mut lines = Vec::new();
    let facts = root.facts.iter().map(|(name, value)| format!("{name} {}", word(value)));
    let dates = root.anchors.iter().skip(1).map(|anchor| format!("{anchor} {ENROLLED_ON}"));
    let given: Vec<String> = facts.chain(dates).collect();
    if !given.is_empty() {
        let text = format!("enrolled with {}", given.join(", "));
        lines.push(Line { at: world.now, text, usual: false });
    }
    let mut told = Told { root, ..Told::default() };
    while world.passed < course.passed {
        let Some((at, point)) = world.next() else { break };
        world.now = at;
        let deviation = deviations.last().filter(|(passed, _)| *passed == world.passed).cloned();
        let usual = deviation.is_none();
        let made = match deviation {
            Some((_, made)) => {
                deviations.pop();
                // As in the walk, the calm form is kept from here on.
                world.choices = Some(0);
                made
            }
            None => {
                world.left = 0;
                match moves::choices(&world, ground, &walk.seen, &point).into_iter().next() {
                    Some((made, _)) => made,
                    None => break,
                }
            }
        };
        let about = of(&world.state, &made);
        lines.extend(of_move(&world, &made, &about, usual).map(|text| Line { at, text, usual }));
        told.acts.push((at, made.clone(), about));
        let Ok(entries) = world.take(ground, &made) else { break };
        for entry in &entries {
            let text = of_entry(&world.state, entry);
            lines.extend(text.map(|(text, usual)| Line { at, text: format!("  -> {text}"), usual }));
        }
    }
    told.ends = Some(world.now);
    told.lines = shortened(ground, lines);
    told
}

/// Lines that say that all is as usual give way.
fn shortened(ground: &Ground<'_>, lines: Vec<Line>) -> Vec<String> {
    let last = lines.last().map(|line| line.at);
    let unusual: Vec<Timestamp> = lines.iter().filter(|line| !line.usual).map(|line| line.at).collect();
    let near = |line: &Line| {
        let hours = |at: &Timestamp| line.at.duration_since(*at).as_hours().abs();
        !line.usual || unusual.iter().chain(&last).any(|at| hours(at) <= 6)
    };
    let mut told: Vec<String> = Vec::new();
    let mut quiet = false;
    for line in &lines {
        if !near(line) {
            quiet = true;
            continue;
        }
        if quiet && !told.is_empty() {
            told.push("… all as usual".to_owned());
        }
        quiet = false;
        told.push(format!("{}  {}", moment(ground, line.at), line.text));
    }
    if told.len() > LINES_MAX {
        let cut = told.len() - LINES_MAX;
        told.drain(1..=cut);
        told.insert(1, format!("… {cut} lines"));
    }
    told
}

/// Day and hour, counted from enrolment.
pub(super) fn moment(ground: &Ground<'_>, at: Timestamp) -> String {
    let local = ground.zone.to_datetime(at);
    format!("day {} {}", days_between(ENROLLED_ON, local.date()), local.strftime("%H:%M"))
}

/// The step or rule that a move is about.
fn of(state: &PatientState, made: &Move) -> String {
    match made {
        Move::Answer { about, .. }
        | Move::Flag { about, .. }
        | Move::Always { about, .. }
        | Move::Later(about, _)
        | Move::Never(about)
        | Move::Silent(about) => about.step.to_string(),
        Move::Outcome(key, _) | Move::Ignore(key) | Move::Idle(key) => {
            let task = state.tasks.get(key);
            let rule = task.and_then(|task| task.rules.first()).map(ToString::to_string);
            let step = || task.and_then(|task| task.about.as_ref()).map(|about| about.step.to_string());
            rule.or_else(step).unwrap_or_else(|| key.0.rsplit('/').next().unwrap_or_default().to_owned())
        }
        Move::Send(key, _) | Move::Receipt(key) => {
            let members = state.messages.get(key).map_or(&[] as &[_], |message| message.members.as_slice());
            let steps: Vec<String> = members.iter().map(|about| about.step.to_string()).collect();
            steps.join(" + ")
        }
        Move::Wake
        | Move::StopReply
        | Move::Withdraws
        | Move::Dies
        | Move::Event(..)
        | Move::Corrects(..)
        | Move::Sets(..) => String::new(),
    }
}

fn of_move(world: &World, made: &Move, about: &str, usual: bool) -> Option<String> {
    Some(match made {
        Move::Wake => return None,
        Move::Send(key, carrier) => {
            let channel = match world.state.messages.get(key).map(|message| message.channel) {
                Some(Channel::Email) => "e-mail",
                Some(Channel::Sms) | None => "text message",
            };
            let what = match carrier {
                Carrier::Takes => return None,
                Carrier::IsLate => "is handed over six hours late",
                Carrier::Refuses => "is refused for good",
                Carrier::NotNow => "is refused for now",
                Carrier::LosesItsAnswer => "may have gone or not: the carrier's answer is lost",
                Carrier::Bounces => "goes out, and comes back ten minutes later",
                Carrier::OtherWorkflowToday => "waits: another follow-up took today's place",
                Carrier::OtherWorkflowForGood => "is left out: another follow-up took its place",
            };
            format!("the {channel} about {about} {what}")
        }
        Move::Receipt(_) => format!("the message about {about} did not arrive"),
        Move::Answer { .. } if usual => format!("the patient answers {about}, all well"),
        Move::Answer { answers, .. } => format!("the patient answers {about}: {}", listed(answers)),
        Move::Always { answers, .. } => {
            format!("the patient answers {about} so from here on: {}", listed(answers))
        }
        Move::Flag { rule, .. } => format!("the patient types an answer of {about} that cannot wait: {rule}"),
        Move::Later(_, _) => format!("the patient leaves {about} for later"),
        Move::Never(_) => format!("the patient does not answer {about}"),
        Move::Silent(_) => "the patient answers nothing from here on".to_owned(),
        Move::Outcome(_, code) => {
            format!("staff record for {about}: {}", crate::expr::eval::outcome_name(*code))
        }
        Move::Ignore(_) => format!("nobody does the task of {about}"),
        Move::Idle(_) => "staff do nothing from here on".to_owned(),
        Move::StopReply => "the patient texts STOP".to_owned(),
        Move::Withdraws => "the patient withdraws, staff end the follow-up".to_owned(),
        Move::Dies => "the patient dies".to_owned(),
        Move::Event(anchor, date) => format!("a new {anchor} on {date}"),
        Move::Corrects(anchor, date) => format!("{anchor} is corrected to {date}"),
        Move::Sets(name, value) => format!("{name} becomes {}", word(value)),
    })
}

fn of_entry(state: &PatientState, entry: &Entry) -> Option<(String, bool)> {
    let words = |text: &Text| {
        text.get("en").or_else(|| text.0.values().next().map(String::as_str)).unwrap_or("").to_owned()
    };
    Some(match &entry.fact {
        Fact::HandedOver { message, result: HandoverResult::Accepted, .. } => {
            let message = state.messages.get(message)?;
            let steps: Vec<String> = message.members.iter().map(|about| about.step.to_string()).collect();
            let what = match message.purpose {
                Purpose::Ask => "asks",
                Purpose::Remind(_) => "reminds of",
                Purpose::Tell => "tells",
                Purpose::StopConfirmation
                | Purpose::StartConfirmation
                | Purpose::Help
                | Purpose::NotMonitored => "answers the patient's text",
            };
            (format!("a message {what} {}", steps.join(" + ")), true)
        }
        Fact::TaskOpened(plan) => {
            let because = plan.because.first().unwrap_or(&plan.title);
            let text = format!("{:?} {:?} for {:?}: {}", plan.kind, plan.level, plan.role, words(because));
            (text.to_lowercase(), plan.rule.is_none())
        }
        Fact::TaskChanged { level, role, because, .. } => {
            (format!("the task is now {level:?} for {role:?}: {}", words(because)).to_lowercase(), false)
        }
        Fact::Closed { about, how: Closing::Silent } => (format!("{} was not answered", about.step), false),
        Fact::Closed { about, how: Closing::Undone } => (format!("{} was not done", about.step), false),
        Fact::Closed { about, how: Closing::NotAskedCapped } => {
            (format!("{} was not asked: the caps left no place", about.step), false)
        }
        Fact::Dropped { why: DropReason::Cap, .. } => ("a message has no place under the caps".into(), false),
        Fact::Paused { .. } => ("sending pauses".into(), false),
        Fact::Stopped { .. } | Fact::Ended => ("the follow-up is over".into(), false),
        _ => return None,
    })
}

fn listed(answers: &Answers) -> String {
    let one = |(item, answer): (&crate::Name, &Answer)| match answer {
        Answer::Given { value, doubtful: false } => format!("{item} {}", word(value)),
        Answer::Given { value, doubtful: true } => format!("{item} {} (confirmed)", word(value)),
        Answer::Declined => format!("{item} declined"),
        Answer::Text => format!("{item} in words"),
    };
    answers.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// A value as files write it.
pub(super) fn word(value: &Value) -> String {
    match value {
        Value::Bool(yes) => yes.to_string(),
        Value::Number(number) => number.to_string(),
        Value::Choice(choice) => choice.to_string(),
        Value::Date(date) => date.to_string(),
    }
}
