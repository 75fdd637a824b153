//! What can happen at a choice, the usual way first.

use jiff::{Timestamp, civil::Date};

use crate::{
    Name, StaffId, Value,
    calendar::plus_span,
    fact::{
        Author, DropReason, Entry, Fact, HandoverResult, MessageKey, Mode, MoveReason, Occurrence,
        OutcomeCode, Purpose, Reply, StopReason, TaskKey,
    },
    model::{Channel, Does, FactKind, TaskKind},
    planner::AdvanceError,
    state::Standing,
};

use super::{
    answers::{self, Answers},
    later,
    look::Seen,
    world::{ENROLLMENT, Ground, Point, Todo, World},
};

/// The member of staff of every course.
const NURSE: StaffId = StaffId(1);
/// A carrier that is late hands over after so many minutes.
const LATE_MINUTES: i64 = 6 * 60;
/// A bounce comes so many minutes after the hand-over.
const BOUNCE_MINUTES: i64 = 10;

/// What a carrier does with a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Carrier {
    Takes,
    IsLate,
    Refuses,
    NotNow,
    LosesItsAnswer,
    Bounces,
    OtherWorkflowToday,
    OtherWorkflowForGood,
}

/// What happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Move {
    Wake,
    Send(MessageKey, Carrier),
    Receipt(MessageKey),
    Answer {
        about: Occurrence,
        answers: Answers,
    },
    /// Answered so, and every later form of that kind the same.
    Always {
        about: Occurrence,
        answers: Answers,
    },
    Flag {
        about: Occurrence,
        rule: Name,
        answers: Answers,
    },
    Later(Occurrence, Timestamp),
    Never(Occurrence),
    Silent(Occurrence),
    Outcome(TaskKey, OutcomeCode),
    Ignore(TaskKey),
    Idle(TaskKey),
    StopReply,
    Withdraws,
    Dies,
    Event(Name, Date),
    Corrects(Name, Date),
    Sets(Name, Value),
}

/// A move and how many deviations it counts for.
pub(super) type Choice = (Move, u8);

/// Every way on from a point; the first is the usual one. Without deviations left there is only that.
pub(super) fn choices(world: &World, ground: &Ground<'_>, seen: &Seen, point: &Point) -> Vec<Choice> {
    match point {
        Point::Wake => vec![(Move::Wake, 0)],
        Point::Message(key) => messages(world, ground, key),
        Point::Todo(index) => match world.agenda.get(*index) {
            Some((_, Todo::Answer(about))) => answering(world, ground, seen, about),
            Some((_, Todo::Task(key))) => tasks(world, ground, seen, key),
            Some((_, Todo::Receipt(key))) => vec![(Move::Receipt(key.clone()), 0)],
            None => vec![(Move::Wake, 0)],
        },
    }
}

fn messages(world: &World, ground: &Ground<'_>, key: &MessageKey) -> Vec<Choice> {
    let send = |carrier| Move::Send(key.clone(), carrier);
    let mut all = vec![(send(Carrier::Takes), 0)];
    let reply = world.state.messages.get(key).is_some_and(|message| message.purpose.is_reply());
    if world.left == 0 || reply || !world.may_go(ground, key) {
        return all;
    }
    let others = [
        Carrier::IsLate,
        Carrier::Refuses,
        Carrier::NotNow,
        Carrier::LosesItsAnswer,
        Carrier::Bounces,
        Carrier::OtherWorkflowToday,
        Carrier::OtherWorkflowForGood,
    ];
    all.extend(others.map(|carrier| (send(carrier), 1)));
    let asks = world.state.messages.get(key).is_some_and(|message| message.purpose == Purpose::Ask);
    if asks {
        all.extend([Move::StopReply, Move::Withdraws, Move::Dies].map(|life| (life, 1)));
    }
    all
}

fn answering(world: &World, ground: &Ground<'_>, seen: &Seen, about: &Occurrence) -> Vec<Choice> {
    let answer = |answers| Move::Answer { about: about.clone(), answers };
    let Some(questionnaire) = asked(ground, &about.step) else {
        return vec![(Move::Never(about.clone()), 0)];
    };
    let at_hand = answers::AtHand {
        ground,
        looked_at: &seen.horizon.items,
        state: &world.state,
        questionnaire,
        today: world.today(ground),
    };
    let calm = match world.always.get(&questionnaire.id) {
        Some(form) => at_hand.again(form),
        None => at_hand.calm(world.calm.get(&questionnaire.id)),
    };
    if world.left == 0 {
        return vec![(answer(calm), 0)];
    }
    let mut all = vec![(answer(Answers::clone(&calm)), 0)];
    let coarse = world.choices.is_some();
    let regions = if seen.regions {
        at_hand.regions(&calm, seen, coarse, world.left)
    } else {
        at_hand.every_form().into_iter().map(|form| (form, 1)).collect()
    };
    if !coarse && about.ordinal == 1 {
        let bad = regions.iter().filter(|(answers, cost)| *cost == 1 && at_hand.fires(answers));
        let always =
            |answers: &Answers| Move::Always { about: about.clone(), answers: Answers::clone(answers) };
        all.extend(bad.map(|(answers, cost)| (always(answers), *cost)));
    }
    all.extend(regions.into_iter().map(|(answers, cost)| (answer(answers), cost)));
    let flags = if coarse { Vec::new() } else { at_hand.flags(&calm) };
    let flag = |(rule, answers)| (Move::Flag { about: about.clone(), rule, answers }, 1);
    all.extend(flags.into_iter().map(flag));
    all.extend(later_than(world, ground, about).into_iter().map(|at| (Move::Later(about.clone(), at), 1)));
    all.push((Move::Never(about.clone()), 1));
    all.push((Move::Silent(about.clone()), 1));
    all.extend([Move::StopReply, Move::Withdraws, Move::Dies].map(|life| (life, 1)));
    if seen.days.is_of_interest(world.today(ground)) {
        all.extend(life(world, ground).into_iter().map(|life| (life, 1)));
    }
    all
}

fn asked<'a>(ground: &Ground<'a>, step: &Name) -> Option<&'a crate::model::Questionnaire> {
    let Does::Ask { questionnaire, .. } = &ground.workflow.step(step)?.does else { return None };
    ground.workflow.questionnaires.get(questionnaire)
}

/// After each reminder, and after the window.
fn later_than(world: &World, ground: &Ground<'_>, about: &Occurrence) -> Vec<Timestamp> {
    let Some(open) = world.state.occurrence(about).filter(|open| open.closed.is_none()) else {
        return Vec::new();
    };
    let remind = match ground.workflow.step(&about.step).map(|step| &step.does) {
        Some(Does::Ask { remind, .. }) => remind.as_slice(),
        _ => &[],
    };
    let reminders = remind.iter().map(|reminder| plus_span(&ground.zone, open.due, reminder.after));
    let reminders = reminders.filter(|at| *at > world.now && *at < open.closes);
    reminders.map(|at| later(at, 45)).chain([later(open.closes, 60)]).collect()
}

/// What can change in a patient's life: dates that come or were mistyped, facts.
fn life(world: &World, ground: &Ground<'_>) -> Vec<Move> {
    let Some(enrollment) = world.state.enrollments.get(&ENROLLMENT) else { return Vec::new() };
    if matches!(enrollment.standing, Standing::Over { .. }) {
        return Vec::new();
    }
    let today = world.today(ground);
    let mut all: Vec<Move> =
        ground.workflow.anchors.iter().map(|anchor| Move::Event(anchor.id.clone(), today)).collect();
    let correct = |(name, known): (&Name, &crate::state::AnchorState)| {
        Move::Corrects(name.clone(), crate::calendar::plus_days(known.date, 2))
    };
    all.extend(enrollment.anchors.iter().map(correct));
    for def in &ground.workflow.facts {
        let now = enrollment.facts.get(&def.id).or(def.default.as_ref());
        let others: Vec<Value> = match &def.kind {
            FactKind::Boolean => vec![Value::Bool(false), Value::Bool(true)],
            FactKind::Choice(options) => {
                options.iter().map(|(name, _)| Value::Choice(name.clone())).collect()
            }
            FactKind::Whole { .. } | FactKind::Quantity { .. } | FactKind::Date => Vec::new(),
        };
        let others = others.into_iter().filter(|value| Some(value) != now);
        all.extend(others.map(|value| Move::Sets(def.id.clone(), value)));
    }
    all
}

fn tasks(world: &World, ground: &Ground<'_>, seen: &Seen, key: &TaskKey) -> Vec<Choice> {
    let Some(task) = world.state.tasks.get(key) else { return vec![(Move::Ignore(key.clone()), 0)] };
    let (usual, others): (OutcomeCode, &[OutcomeCode]) = match task.kind {
        TaskKind::Alert => (OutcomeCode::CalledAdvice, &[OutcomeCode::CouldNotReach]),
        TaskKind::Call => (OutcomeCode::CalledAdvice, &[OutcomeCode::CouldNotReach]),
        TaskKind::Visit | TaskKind::Examination => {
            (OutcomeCode::Done, &[OutcomeCode::DidNotCome, OutcomeCode::Refused])
        }
        TaskKind::Review | TaskKind::Admin => (OutcomeCode::Done, &[OutcomeCode::NoAction]),
    };
    let outcome = |code: OutcomeCode| Move::Outcome(key.clone(), code);
    let mut all = vec![(outcome(usual), 0)];
    if world.left == 0 {
        return all;
    }
    let own = task.about.as_ref().filter(|_| task.rules.is_empty()).map(|about| &about.step);
    let told_apart = own.and_then(|step| seen.outcomes.get(step)).into_iter().flatten().copied();
    let mut codes: Vec<OutcomeCode> = others.iter().copied().chain(told_apart).collect();
    codes.sort();
    codes.dedup();
    all.extend(codes.into_iter().filter(|code| *code != usual).map(|code| (outcome(code), 1)));
    all.push((Move::Ignore(key.clone()), 1));
    all.push((Move::Idle(key.clone()), 1));
    if own.is_some() {
        all.push((Move::Withdraws, 1));
    }
    if own.is_some() && seen.days.is_of_interest(world.today(ground)) {
        all.extend(life(world, ground).into_iter().map(|life| (life, 1)));
    }
    all
}

impl Move {
    /// The kind of change of a date or fact that schedules are worked out from.
    pub fn changes(&self) -> Option<String> {
        match self {
            Self::Event(anchor, _) => Some(format!("event {anchor}")),
            Self::Corrects(anchor, _) => Some(format!("correct {anchor}")),
            Self::Sets(fact, value) => Some(format!("set {fact} {}", super::story::word(value))),
            Self::Wake
            | Self::Send(..)
            | Self::Receipt(_)
            | Self::Answer { .. }
            | Self::Always { .. }
            | Self::Flag { .. }
            | Self::Later(..)
            | Self::Never(_)
            | Self::Silent(_)
            | Self::Outcome(..)
            | Self::Ignore(_)
            | Self::Idle(_)
            | Self::StopReply
            | Self::Withdraws
            | Self::Dies => None,
        }
    }

    pub fn perform(&self, world: &mut World, ground: &Ground<'_>) -> Result<Vec<Entry>, AdvanceError> {
        match self {
            Self::Wake => world.record(ground, Vec::new()),
            Self::Send(key, carrier) => send(world, ground, key, *carrier),
            Self::Receipt(message) => {
                let todo = Todo::Receipt(message.clone());
                world.agenda.retain(|(_, known)| *known != todo);
                let fact = Fact::Receipt { message: message.clone(), delivered: false };
                world.happens(ground, false, Author::Carrier, vec![fact])
            }
            Self::Always { about, answers } => {
                if let Some(questionnaire) = asked(ground, &about.step) {
                    world.always.insert(questionnaire.id.clone(), Answers::clone(answers));
                }
                Self::Answer { about: about.clone(), answers: Answers::clone(answers) }.perform(world, ground)
            }
            Self::Answer { about, answers } => {
                done(world, &Todo::Answer(about.clone()));
                let Some(questionnaire) = asked(ground, &about.step) else { return Ok(Vec::new()) };
                if world.choices.is_none() {
                    world.calm.insert(questionnaire.id.clone(), Answers::clone(answers));
                }
                let fact = Fact::Answered {
                    about: about.clone(),
                    questionnaire: questionnaire.id.clone(),
                    questionnaire_version: questionnaire.version.clone(),
                    language: String::new(),
                    mode: Mode::Own,
                    answers: (**answers).clone(),
                };
                world.happens(ground, true, Author::Patient, vec![fact])
            }
            Self::Flag { about, rule, answers } => {
                done(world, &Todo::Answer(about.clone()));
                let Some(questionnaire) = asked(ground, &about.step) else { return Ok(Vec::new()) };
                let (about, rule, answers) = (about.clone(), rule.clone(), (**answers).clone());
                let fact = Fact::Flagged { about, questionnaire: questionnaire.id.clone(), rule, answers };
                world.happens(ground, true, Author::Patient, vec![fact])
            }
            Self::Later(about, at) => {
                done(world, &Todo::Answer(about.clone()));
                world.agenda.push((*at, Todo::Answer(about.clone())));
                Ok(Vec::new())
            }
            Self::Never(about) => {
                done(world, &Todo::Answer(about.clone()));
                Ok(Vec::new())
            }
            Self::Silent(_) => {
                world.silent = true;
                world.agenda.retain(|(_, todo)| !matches!(todo, Todo::Answer(_)));
                Ok(Vec::new())
            }
            Self::Outcome(task, code) => {
                done(world, &Todo::Task(task.clone()));
                let fact = Fact::Outcome { task: task.clone(), code: *code };
                world.happens(ground, true, Author::Staff(NURSE), vec![fact])
            }
            Self::Ignore(task) => {
                done(world, &Todo::Task(task.clone()));
                Ok(Vec::new())
            }
            Self::Idle(_) => {
                world.idle = true;
                world.agenda.retain(|(_, todo)| !matches!(todo, Todo::Task(_)));
                Ok(Vec::new())
            }
            Self::StopReply => {
                let fact = Fact::Replied { channel: Channel::Sms, reply: Reply::Stop };
                world.happens(ground, false, Author::Patient, vec![fact])
            }
            Self::Withdraws => {
                let fact = Fact::Stopped { reason: StopReason::Withdrawn };
                world.happens(ground, true, Author::Staff(NURSE), vec![fact])
            }
            Self::Dies => {
                let fact = Fact::Died { date: world.today(ground) };
                world.happens(ground, false, Author::Staff(NURSE), vec![fact])
            }
            Self::Event(anchor, date) => {
                let fact = Fact::AnchorEvent { anchor: anchor.clone(), date: *date };
                world.happens(ground, true, Author::Staff(NURSE), vec![fact])
            }
            Self::Corrects(anchor, date) => {
                let (anchor, date, reason) = (anchor.clone(), *date, "mistyped".to_owned());
                let fact = Fact::AnchorCorrected { anchor, date, reason };
                world.happens(ground, true, Author::Staff(NURSE), vec![fact])
            }
            Self::Sets(name, value) => {
                let fact = Fact::FactSet { name: name.clone(), value: value.clone() };
                world.happens(ground, true, Author::Staff(NURSE), vec![fact])
            }
        }
    }
}

fn done(world: &mut World, todo: &Todo) {
    if let Some(index) = world.agenda.iter().position(|(_, known)| known == todo) {
        world.agenda.remove(index);
    }
}

fn send(
    world: &mut World,
    ground: &Ground<'_>,
    key: &MessageKey,
    carrier: Carrier,
) -> Result<Vec<Entry>, AdvanceError> {
    let message = key.clone();
    match carrier {
        Carrier::Takes => world.hand_over(ground, key, HandoverResult::Accepted),
        Carrier::Refuses => world.hand_over(
            ground,
            key,
            HandoverResult::Refused { permanent: true, retry_after_seconds: None },
        ),
        Carrier::NotNow => world.hand_over(
            ground,
            key,
            HandoverResult::Refused { permanent: false, retry_after_seconds: None },
        ),
        Carrier::LosesItsAnswer => world.hand_over(ground, key, HandoverResult::Unknown),
        Carrier::IsLate => {
            world.held.push((message, later(world.now, LATE_MINUTES)));
            Ok(Vec::new())
        }
        Carrier::Bounces => {
            let entries = world.hand_over(ground, key, HandoverResult::Accepted)?;
            let at = later(world.now, BOUNCE_MINUTES);
            world.agenda.push((at, Todo::Receipt(message)));
            Ok(entries)
        }
        Carrier::OtherWorkflowToday => {
            world.watch.cap_was_taken();
            let fact = Fact::Moved { message, send_after: world.tomorrow(ground), why: MoveReason::Cap };
            world.happens(ground, false, Author::System, vec![fact])
        }
        Carrier::OtherWorkflowForGood => {
            world.watch.cap_was_taken();
            let fact = Fact::Dropped { message, why: DropReason::Cap };
            world.happens(ground, false, Author::System, vec![fact])
        }
    }
}
