//! One synthetic patient: the real planner, and chance where people and carriers are.

use std::collections::BTreeMap;

use jiff::{Timestamp, civil::Date};

use crate::{
    Decimal, EnrollmentId, Name, SiteId, Value,
    calendar::{at, day_of, days_between, plus_days, plus_minutes, start_of_day},
    cover,
    expr::{Env, holds},
    fact::{
        Answer, Author, Closing, Entry, Fact, HandoverResult, MessageKey, Mode, NewFact, Occurrence, Purpose,
        Reply, TaskKey,
    },
    guard::handed_over,
    model::{Channel, Does, FactDef, FactKind, Item, ItemKind, Role, TaskKind},
    planner::{AdvanceError, advance},
    state::{MessageStanding, PatientState},
};

use super::{
    Ground, Totals,
    behaviour::Chance,
    luck::{any, carrier, outcome},
};

const ENROLLMENT: EnrollmentId = EnrollmentId(1);
/// Patients who were silent so often in a row count as silent.
const SILENT: u8 = 3;

enum Todo {
    Answer(Occurrence, bool),
    Finish(TaskKey, u32, Role),
    Bounce(MessageKey),
    Stop,
}

struct Patient<'g, 't> {
    ground: &'g Ground<'g>,
    totals: &'t mut Totals,
    state: PatientState,
    chance: Chance,
    now: Timestamp,
    wake_at: Option<Timestamp>,
    todo: Vec<(Timestamp, Todo)>,
    /// How often this patient answers, in a thousand.
    answers: u32,
    dead_number: bool,
    silent: bool,
    sent_on: (Date, u64),
}

/// Walks one patient to the end and adds up what happened.
pub(super) fn walk(ground: &Ground<'_>, number: u64, totals: &mut Totals) -> Result<(), AdvanceError> {
    let mut chance = Chance::of(ground.plan.seed, number);
    let behaviour = &ground.plan.behaviour;
    let kind = chance.below(1_000);
    let answers = if kind < behaviour.keen.0 {
        behaviour.keen.1
    } else if kind < behaviour.keen.0 + behaviour.often.0 {
        behaviour.often.1
    } else {
        behaviour.seldom
    };
    let dead_number = chance.happens(behaviour.dead_numbers);
    let mut patient = Patient {
        ground,
        totals,
        state: PatientState::default(),
        chance,
        now: at(ground.zone, ground.start, jiff::civil::time(10, 0, 0, 0)),
        wake_at: None,
        todo: Vec::new(),
        answers,
        dead_number,
        silent: false,
        sent_on: (Date::ZERO, 0),
    };
    patient.totals.patients += 1;
    patient.enrol()?;
    let days = i64::from(ground.plan.days);
    let end = start_of_day(ground.zone, plus_days(ground.start, days + 1));
    while patient.goes_on(end)? {}
    if patient.silent {
        patient.totals.silent_patients += 1;
    }
    Ok(())
}

impl Patient<'_, '_> {
    fn enrol(&mut self) -> Result<(), AdvanceError> {
        let workflow = self.ground.plan.workflow;
        let new =
            |enrollment, fact| NewFact { enrollment, occurred_at: self.now, author: Author::System, fact };
        let language = workflow.languages.first().map(ToString::to_string).unwrap_or_default();
        let zone = self.ground.plan.site.zone.clone();
        let mut facts = vec![new(None, Fact::Preference { language, zone, preferred: Some(Channel::Sms) })];
        for channel in [Channel::Sms, Channel::Email] {
            facts.push(new(None, Fact::Reachable { channel, usable: true }));
            facts.push(new(None, Fact::ConsentGiven { channel, wording: "simulated".into() }));
        }
        facts.push(new(None, Fact::DailyConsent { given: true }));
        let mut chance = self.chance;
        let required = workflow.facts.iter().filter(|def| def.required);
        let given = required.map(|def| (def.id.clone(), any(&def.kind, self.ground.start, &mut chance)));
        let enrolled = Fact::Enrolled {
            site: SiteId(1),
            workflow: workflow.id.clone(),
            version: self.ground.version.clone(),
            facts: given.collect(),
            anchors: workflow
                .anchors
                .first()
                .map(|main| (main.id.clone(), self.ground.start))
                .into_iter()
                .collect(),
        };
        facts.push(new(Some(ENROLLMENT), enrolled));
        self.chance = chance;
        self.record(facts)
    }

    fn record(&mut self, facts: Vec<NewFact>) -> Result<(), AdvanceError> {
        let plan = self.ground.plan;
        let advanced = advance(self.ground.library, plan.site, &mut self.state, facts, self.now)?;
        self.totals.advances += 1;
        self.wake_at = advanced.wake_at;
        for entry in &advanced.entries {
            self.count(entry);
        }
        Ok(())
    }

    fn happens(&mut self, of_enrollment: bool, author: Author, facts: Vec<Fact>) -> Result<(), AdvanceError> {
        let enrollment = of_enrollment.then_some(ENROLLMENT);
        let occurred_at = self.now;
        let new = |fact| NewFact { enrollment, occurred_at, author, fact };
        self.record(facts.into_iter().map(new).collect())
    }

    /// The next thing that happens before the end; whether there was one.
    fn goes_on(&mut self, end: Timestamp) -> Result<bool, AdvanceError> {
        let scheduled = self.state.messages.iter().filter(|(_, m)| m.standing == MessageStanding::Scheduled);
        let message = scheduled.min_by_key(|(_, message)| message.send_after);
        let send_at = message.map(|(_, message)| message.send_after);
        let (index, todo_at) = match self.todo.iter().enumerate().min_by_key(|(_, (at, _))| *at) {
            Some((index, (at, _))) => (index, Some(*at)),
            None => (0, None),
        };
        let Some(next) = [self.wake_at, send_at, todo_at].into_iter().flatten().min() else {
            return Ok(false);
        };
        if next >= end {
            return Ok(false);
        }
        self.now = self.now.max(next);
        if self.wake_at.is_some_and(|wake| wake <= next) {
            self.record(Vec::new())?;
        } else if todo_at.is_some_and(|at| at <= next) {
            let (_, todo) = self.todo.swap_remove(index);
            self.does(todo)?;
        } else if let Some((key, _)) = message {
            let key = key.clone();
            self.hand_over(key)?;
        }
        Ok(true)
    }

    fn hand_over(&mut self, message: MessageKey) -> Result<(), AdvanceError> {
        let (library, plan) = (self.ground.library, self.ground.plan);
        let (chance, dead_number) = (&mut self.chance, self.dead_number);
        let mut bounces = false;
        let carrier = |channel| {
            let (result, comes_back) = carrier(&plan.behaviour, dead_number, channel, chance);
            bounces = comes_back;
            result
        };
        let facts = handed_over(library, plan.site, &self.state, &message, self.now, carrier)?;
        if bounces {
            self.todo.push((plus_minutes(self.now, 10), Todo::Bounce(message)));
        }
        self.happens(false, Author::Carrier, facts)
    }

    fn does(&mut self, todo: Todo) -> Result<(), AdvanceError> {
        match todo {
            Todo::Answer(about, first) => self.answer(about, first),
            Todo::Finish(task, minutes, role) => {
                let Some(state) = self.state.tasks.get(&task) else { return Ok(()) };
                let code = outcome(state.kind, &self.ground.plan.behaviour, &mut self.chance);
                let day = self.day();
                let nurse = matches!(role, Role::Nurse | Role::NurseLead);
                let of_day = self.totals.day(day);
                of_day.staff_minutes += u64::from(minutes);
                if nurse {
                    of_day.nurse_minutes += u64::from(minutes);
                    self.totals.nurse_minutes += u64::from(minutes);
                }
                self.happens(true, Author::System, vec![Fact::Outcome { task, code }])
            }
            Todo::Bounce(message) => {
                self.happens(false, Author::Carrier, vec![Fact::Receipt { message, delivered: false }])
            }
            Todo::Stop => {
                self.totals.stopped += 1;
                let fact = Fact::Replied { channel: Channel::Sms, reply: Reply::Stop };
                self.happens(false, Author::Patient, vec![fact])
            }
        }
    }

    fn day(&self) -> usize {
        let day = days_between(self.ground.start, day_of(self.ground.zone, self.now));
        usize::try_from(day).unwrap_or(0)
    }

    fn answer(&mut self, about: Occurrence, first: bool) -> Result<(), AdvanceError> {
        let Some(open) = self.state.occurrence(&about) else { return Ok(()) };
        if open.closed == Some(Closing::Done) {
            return Ok(());
        }
        let late = self.now >= open.closes;
        let workflow = self.ground.plan.workflow;
        let Some(Does::Ask { questionnaire, .. }) = workflow.step(&about.step).map(|step| &step.does) else {
            return Ok(());
        };
        let Some(questionnaire) = workflow.questionnaires.get(questionnaire) else { return Ok(()) };
        self.totals.answered += 1;
        self.totals.answered_first += u64::from(first);
        self.totals.answered_late += u64::from(late);
        let day = self.day();
        self.totals.day(day).answered += 1;
        let bad = self.chance.happens(self.ground.plan.behaviour.bad_days);
        let fact = Fact::Answered {
            about,
            questionnaire: questionnaire.id.clone(),
            questionnaire_version: questionnaire.version.clone(),
            language: String::new(),
            mode: Mode::Own,
            answers: self.filled_in(questionnaire, bad),
        };
        let before: u64 = self.totals.alerts.values().sum();
        let added = self.added();
        self.happens(true, Author::Patient, vec![fact])?;
        let alerts = self.totals.alerts.values().sum::<u64>() > before || self.added() > added;
        self.totals.answers_that_alert += u64::from(alerts);
        Ok(())
    }

    /// Rules that open alerts stand on: grows when an answer adds to one.
    fn added(&self) -> usize {
        self.state
            .tasks
            .values()
            .filter(|task| task.kind == TaskKind::Alert)
            .map(|task| task.rules.len())
            .sum()
    }

    fn filled_in(
        &mut self,
        questionnaire: &crate::model::Questionnaire,
        bad: bool,
    ) -> BTreeMap<Name, Answer> {
        let mut answers = BTreeMap::new();
        for item in &questionnaire.items {
            let env = || Env::of_answers(questionnaire, &answers);
            let shown = item.only_if.as_ref().is_none_or(|when| holds(when, &env()));
            if shown && let Some(answer) = self.item(&questionnaire.id, item, bad) {
                answers.insert(item.id.clone(), answer);
            }
        }
        answers
    }

    fn item(&mut self, questionnaire: &Name, item: &Item, bad: bool) -> Option<Answer> {
        let behaviour = &self.ground.plan.behaviour;
        if item.optional && self.chance.happens(behaviour.left_out) {
            return None;
        }
        let worse = behaviour.worse * if bad { 5 } else { 1 };
        let given = |value| Some(Answer::Given { value, doubtful: false });
        match &item.kind {
            ItemKind::Choice(options) => {
                let mut chosen = options.iter().min_by_key(|option| option.points.unwrap_or(0))?;
                if self.chance.happens(worse) {
                    // The next worse, seldom the worst.
                    let luck = self.chance.below(10);
                    let steps = if luck < 7 {
                        1
                    } else if luck < 9 {
                        2
                    } else {
                        3
                    };
                    let mut ranked: Vec<_> = options.iter().collect();
                    ranked.sort_by_key(|option| option.points.unwrap_or(0));
                    chosen = ranked.get(steps.min(ranked.len() - 1))?;
                }
                given(Value::Choice(chosen.id.clone()))
            }
            ItemKind::YesNo => given(Value::Bool(self.chance.happens(worse))),
            ItemKind::Whole { min, max } => {
                let span = u32::try_from(max - min).unwrap_or(u32::MAX - 1);
                let most = if self.chance.happens(worse) { span } else { span / 4 };
                given(Value::Number(Decimal::whole(min + i64::from(self.chance.below(most + 1)))))
            }
            ItemKind::Quantity { unit, min, max, .. } => {
                let usual = self.ground.usual.number(questionnaire, &item.id);
                given(Value::Number(self.measured(item, unit, usual, worse).clamp(*min, *max)))
            }
            ItemKind::Text { .. } => (!item.optional).then_some(Answer::Text),
        }
    }

    /// Near the last number, or what was known at enrolment in that unit; seldom further away.
    fn measured(&mut self, item: &Item, unit: &str, usual: Decimal, worse: u32) -> Decimal {
        let enrollment = self.state.enrollments.get(&ENROLLMENT);
        let last = enrollment.and_then(|e| e.series.get(&item.id)).and_then(|series| series.last());
        let in_unit = |def: &&FactDef| matches!(&def.kind, FactKind::Quantity { unit: known, .. } if def.required && known == unit);
        let fact = || {
            let def = self.ground.plan.workflow.facts.iter().find(in_unit)?;
            match enrollment?.facts.get(&def.id)? {
                Value::Number(number) => Some(*number),
                _ => None,
            }
        };
        let around = last.map(|(_, last)| *last).or_else(fact).unwrap_or(usual);
        let tenths = if self.chance.happens(worse) { 30 } else { 5 };
        let step = i64::from(self.chance.below(2 * tenths + 1)) - i64::from(tenths);
        around + Decimal::whole(step).over(Decimal::whole(10)).unwrap_or_default()
    }

    fn count(&mut self, entry: &Entry) {
        match &entry.fact {
            Fact::HandedOver { message, result: HandoverResult::Accepted, .. } => self.went(message),
            Fact::Closed { about, how: Closing::Silent } => {
                self.totals.silences += 1;
                let steps = self.state.enrollments.get(&ENROLLMENT).map(|enrollment| &enrollment.steps);
                let step = steps.and_then(|steps| steps.get(&about.step));
                self.silent |= step.is_some_and(|step| step.silent_in_a_row >= SILENT);
            }
            Fact::TaskOpened(plan) => {
                if plan.kind == TaskKind::Alert {
                    *self.totals.alerts.entry(plan.level).or_default() += 1;
                    let day = self.day();
                    self.totals.day(day).alerts += 1;
                } else {
                    self.totals.tasks += 1;
                }
                let behaviour = &self.ground.plan.behaviour;
                let wait = if self.chance.happens(behaviour.slow_staff) {
                    2 * 24 * 60
                } else {
                    10 + i64::from(self.chance.below(120))
                };
                let due = plan.about.as_ref().filter(|_| plan.rule.is_none());
                let due = due.and_then(|about| self.state.occurrence(about)).map(|open| open.due);
                let from = plus_minutes(self.now, wait).max(due.unwrap_or(Timestamp::MIN));
                let when = cover::next_covered(self.ground.plan.site, self.ground.zone, from);
                self.todo.push((when, Todo::Finish(plan.key.clone(), plan.minutes, plan.role)));
            }
            _ => {}
        }
    }

    fn went(&mut self, key: &MessageKey) {
        let Some(message) = self.state.messages.get(key) else { return };
        let (purpose, members) = (message.purpose, message.members.clone());
        let today = day_of(self.ground.zone, self.now);
        let day = self.day();
        self.sent_on = if self.sent_on.0 == today { (today, self.sent_on.1 + 1) } else { (today, 1) };
        self.totals.most_contacts_a_day = self.totals.most_contacts_a_day.max(self.sent_on.1);
        self.totals.contacts += 1;
        self.totals.day(day).contacts += 1;
        let behaviour = self.ground.plan.behaviour;
        if !purpose.is_reply() && self.chance.below(100_000) < behaviour.stops {
            self.todo.push((plus_minutes(self.now, 5), Todo::Stop));
        }
        let first = match purpose {
            Purpose::Ask => true,
            Purpose::Remind(_) => {
                self.totals.reminders += 1;
                false
            }
            Purpose::Tell
            | Purpose::StopConfirmation
            | Purpose::StartConfirmation
            | Purpose::Help
            | Purpose::NotMonitored => return,
        };
        if first {
            self.totals.asked += members.len() as u64;
            self.totals.day(day).asked += members.len() as u64;
        }
        let willing = if first { self.answers } else { behaviour.reminded };
        if !self.chance.happens(willing) {
            return;
        }
        let minutes = if self.chance.happens(behaviour.at_night) {
            300 + self.chance.below(420)
        } else {
            3 + self.chance.below(177)
        };
        let when = plus_minutes(self.now, i64::from(minutes));
        self.todo.extend(members.into_iter().map(|about| (when, Todo::Answer(about, first))));
    }
}
