//! Laws of the planner under random stories: over the shipped workflows and small synthetic ones.

mod broken;
mod checks;
mod late;
mod story;
mod versions;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, OnceLock},
};

use jiff::{SignedDuration, Timestamp};
use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};

use crate::{
    Decimal, EnrollmentId, Name, SiteId, Value,
    calendar::{day_of, plus_days},
    decide::flags,
    fact::{
        Answer, Author, Closing, Entry, Fact, HandoverResult, MessageKey, Mode, NewFact, Occurrence,
        OutcomeCode, Purpose, Reply, StopReason,
    },
    instrument::visible_items,
    model::{Channel, Does, FactKind, ItemKind, Questionnaire, Workflow},
    next::next_thing,
    planner::{Library, advance},
    rehearsal::{Carriers, Rehearsal},
    sample,
    site::SiteSettings,
    state::{MessageStanding, PatientState, Standing},
};

const ZONES: [&str; 5] =
    ["Europe/London", "Asia/Shanghai", "America/New_York", "Australia/Lord_Howe", "America/Santiago"];

use checks::*;
use story::*;

/// Workflows under test, the shipped ones first.
fn workflows() -> &'static [Workflow] {
    static WORKFLOWS: OnceLock<Vec<Workflow>> = OnceLock::new();
    WORKFLOWS.get_or_init(|| {
        let shipped = crate::case::tests::shipped().workflows.into_iter().map(|(_, workflow)| workflow);
        shipped.chain([sample::daily(), sample::yearly()]).collect()
    })
}

fn library() -> &'static Library {
    static LIBRARY: OnceLock<Library> = OnceLock::new();
    let both = |workflow: &Workflow| [workflow.clone(), versions::next_of(workflow)];
    let of = |workflow: Workflow| (workflow.version(), Arc::new(workflow));
    LIBRARY.get_or_init(|| workflows().iter().flat_map(both).map(of).collect())
}

/// A story being played, with the checks that hold at each advance.
struct Play {
    patient: Rehearsal<'static>,
    next_enrollment: u128,
    /// State after each sequence number at which a snapshot was taken.
    snapshots: Vec<String>,
    asleep: bool,
}

type Checked = Result<(), TestCaseError>;

impl Play {
    fn begin(site: &'static SiteSettings, story: &Story) -> Result<Self, TestCaseError> {
        let zone = ZONES[story.zone % ZONES.len()];
        let start = plus_days(sample::date("2026-01-01"), story.start_day);
        let now = sample::local(zone, &format!("{start}T10:00"));
        let mut play = Self {
            patient: Rehearsal::new(library(), site, now),
            next_enrollment: 1,
            snapshots: Vec::new(),
            asleep: false,
        };
        let new = |fact| NewFact { enrollment: None, occurred_at: now, author: Author::System, fact };
        let mut facts = vec![new(Fact::Preference {
            language: "en".into(),
            zone: zone.into(),
            preferred: Some(Channel::Sms),
        })];
        for channel in [Channel::Sms, Channel::Email] {
            facts.push(new(Fact::Reachable { channel, usable: true }));
            facts.push(new(Fact::ConsentGiven { channel, wording: "v1".into() }));
        }
        facts.push(new(Fact::DailyConsent { given: story.daily_consent }));
        play.record(facts)?;
        play.enrol(story.workflow)?;
        Ok(play)
    }

    fn record(&mut self, facts: Vec<NewFact>) -> Checked {
        let quiet = facts.is_empty();
        let wake = self.patient.wake_at;
        let before = self.patient.history.len();
        let count = facts.len();
        self.patient.record(facts).map_err(|error| TestCaseError::fail(error.to_string()))?;
        let decided = &self.patient.history[before + count..];
        // Nothing new before wake_at.
        if quiet && wake.is_none_or(|wake| self.patient.now < wake) && !decided.is_empty() {
            return Err(TestCaseError::fail(format!(
                "at {} something was decided before {wake:?}: {:?}",
                self.patient.now,
                decided.iter().map(|entry| &entry.fact).collect::<Vec<_>>()
            )));
        }
        late::one_message(&self.patient, before + count)?;
        self.nothing_left()?;
        self.next_thing()?;
        if self.patient.history.len().is_multiple_of(7) {
            self.snapshots.push(serde_json::to_string(&self.patient.state).unwrap_or_default());
        }
        Ok(())
    }

    /// Nothing left to decide after deciding.
    fn nothing_left(&self) -> Checked {
        let mut state = self.patient.state.clone();
        let again = advance(library(), self.patient.site, &mut state, Vec::new(), self.patient.now)
            .map_err(|error| TestCaseError::fail(error.to_string()))?;
        let facts: Vec<&Fact> = again.entries.iter().map(|entry| &entry.fact).collect();
        prop_assert!(facts.is_empty(), "left to decide: {facts:?}");
        prop_assert_eq!(again.wake_at, self.patient.wake_at);
        // The same without anything that was worked out before.
        let mut state = self.patient.state.clone();
        state.forget();
        let afresh = advance(library(), self.patient.site, &mut state, Vec::new(), self.patient.now)
            .map_err(|error| TestCaseError::fail(error.to_string()))?;
        prop_assert_eq!(&afresh, &again, "what was worked out before does not hold any more");
        prop_assert!(again.wake_at.is_none_or(|wake| wake > self.patient.now));
        Ok(())
    }

    /// Every enrollment that is not over has a next thing of its own that will happen, and is looked at by then, or an open
    /// task of its own.
    fn next_thing(&self) -> Checked {
        for id in self.patient.state.enrollments.keys() {
            let next = next_thing(library(), self.patient.site, &self.patient.state, *id, self.patient.now)
                .map_err(|error| TestCaseError::fail(error.to_string()))?;
            let wake = self.patient.wake_at;
            prop_assert!(next.comes(wake), "{id} is lost: {next:?}, looked at at {wake:?}");
        }
        Ok(())
    }

    fn happens(&mut self, enrollment: Option<EnrollmentId>, author: Author, fact: Fact) -> Checked {
        let now = self.patient.now;
        self.record(vec![NewFact { enrollment, occurred_at: now, author, fact }])?;
        self.hand_over()
    }

    fn hand_over(&mut self) -> Checked {
        if self.asleep {
            return Ok(());
        }
        self.patient.hand_over().map_err(|error| TestCaseError::fail(error.to_string()))?;
        self.record(Vec::new())
    }

    fn wait(&mut self, minutes: i64) -> Checked {
        let until = self.patient.now + SignedDuration::from_mins(minutes);
        // A look before it is time must find nothing.
        if let Some(wake) = self.patient.wake_at.filter(|wake| *wake > self.patient.now) {
            let early = self.patient.now + (wake.duration_since(self.patient.now) / 2);
            let early = early.min(until).min(wake - SignedDuration::from_micros(1));
            let next_send = self.next_send();
            if early > self.patient.now && next_send.is_none_or(|send| early < send) {
                self.patient.now = early;
                self.record(Vec::new())?;
            }
        }
        self.patient.run_until(until).map_err(|error| TestCaseError::fail(error.to_string()))?;
        self.record(Vec::new())
    }

    fn next_send(&self) -> Option<Timestamp> {
        let waiting =
            self.patient.state.messages.values().filter(|m| m.standing == MessageStanding::Scheduled);
        waiting.map(|message| message.send_after).min()
    }

    fn asleep(&mut self, minutes: i64) -> Checked {
        self.patient.now += SignedDuration::from_mins(minutes);
        self.record(Vec::new())?;
        self.hand_over()
    }

    fn enrol(&mut self, pick: usize) -> Checked {
        if self.patient.state.enrollments.len() >= 3 || self.patient.state.died.is_some() {
            return Ok(());
        }
        let workflow = &workflows()[pick % workflows().len()];
        let id = EnrollmentId(self.next_enrollment);
        self.next_enrollment += 1;
        let mut seed = pick as u64;
        let facts = workflow.facts.iter().filter(|def| def.required);
        let facts = facts.map(|def| (def.id.clone(), any_value(&def.kind, &mut seed))).collect();
        let zone = jiff::tz::TimeZone::get(&self.patient.state.zone).expect("a zone of the list");
        let today = day_of(&zone, self.patient.now);
        let main = workflow.anchors.first().map(|anchor| (anchor.id.clone(), today));
        let fact = Fact::Enrolled {
            site: SiteId(1),
            workflow: workflow.id.clone(),
            version: workflow.version(),
            facts,
            anchors: main.into_iter().collect(),
        };
        self.happens(Some(id), Author::System, fact)
    }

    fn enrollment(&self, pick: usize) -> Option<(EnrollmentId, &'static Workflow)> {
        let count = self.patient.state.enrollments.len();
        let (id, enrollment) = self.patient.state.enrollments.iter().nth(pick.checked_rem(count)?)?;
        Some((*id, library().get(&enrollment.version)?))
    }

    /// Any occurrence whose link still works.
    fn answerable(&self, pick: usize) -> Option<(Occurrence, &'static Questionnaire, &'static Workflow)> {
        let mut found = Vec::new();
        for (id, enrollment) in &self.patient.state.enrollments {
            for (name, state) in &enrollment.steps {
                let workflow: &Workflow = library().get(enrollment.version_of(name))?;
                let Some(Does::Ask { questionnaire, .. }) = workflow.step(name).map(|step| &step.does) else {
                    continue;
                };
                let Some(questionnaire) = workflow.questionnaires.get(questionnaire) else { continue };
                for open in &state.open {
                    let unanswered = open.closed != Some(Closing::Done) && open.asked_at.is_some();
                    if unanswered && self.patient.now < open.expires {
                        let about = Occurrence {
                            enrollment: *id,
                            step: versions::called(enrollment, name, pick).clone(),
                            generation: open.generation,
                            ordinal: open.ordinal,
                        };
                        found.push((about, questionnaire, workflow));
                    }
                }
            }
        }
        let index = pick.checked_rem(found.len())?;
        found.into_iter().nth(index)
    }

    fn play(&mut self, event: &Event) -> Checked {
        let today = {
            let zone = jiff::tz::TimeZone::get(&self.patient.state.zone).expect("a zone of the list");
            day_of(&zone, self.patient.now)
        };
        match event {
            Event::Minutes(minutes) => self.wait(*minutes),
            Event::Asleep(minutes) => self.asleep(*minutes),
            Event::Answer { pick, seed } => {
                let Some((about, questionnaire, _)) = self.answerable(*pick) else { return Ok(()) };
                let fact = Fact::Answered {
                    about: about.clone(),
                    questionnaire: questionnaire.id.clone(),
                    questionnaire_version: questionnaire.version.clone(),
                    language: "en".into(),
                    mode: Mode::Own,
                    answers: any_answers(questionnaire, *seed),
                };
                self.happens(Some(about.enrollment), Author::Patient, fact)
            }
            Event::Flag { pick, seed } => {
                let Some((about, questionnaire, workflow)) = self.answerable(*pick) else { return Ok(()) };
                let answers = any_answers(questionnaire, *seed);
                let Some(enrollment) = self.patient.state.enrollments.get(&about.enrollment) else {
                    return Ok(());
                };
                let raised = flags(workflow, enrollment, &questionnaire.id, &answers, today);
                let Some(rule) = raised.into_iter().next() else { return Ok(()) };
                let id = about.enrollment;
                let fact = Fact::Flagged { about, questionnaire: questionnaire.id.clone(), rule, answers };
                self.happens(Some(id), Author::Patient, fact)
            }
            Event::Outcome { pick, code } => {
                let tasks = &self.patient.state.tasks;
                let Some(index) = pick.checked_rem(tasks.len()) else { return Ok(()) };
                let Some((task, state)) = tasks.iter().nth(index) else { return Ok(()) };
                let (task, enrollment) = (task.clone(), state.enrollment);
                let code: OutcomeCode = crate::expr::eval::OUTCOME_CODES[*code];
                self.happens(enrollment, Author::System, Fact::Outcome { task, code })
            }
            Event::Take(pick) => {
                let tasks = &self.patient.state.tasks;
                let Some(index) = pick.checked_rem(tasks.len()) else { return Ok(()) };
                let Some((task, state)) = tasks.iter().nth(index) else { return Ok(()) };
                let (task, enrollment) = (task.clone(), state.enrollment);
                self.happens(enrollment, Author::System, Fact::Taken { task, by: Some(crate::StaffId(7)) })
            }
            Event::Reply(channel, reply) => {
                let reply = [Reply::Stop, Reply::Start, Reply::Help, Reply::Danger, Reply::Other][*reply];
                self.happens(None, Author::Patient, Fact::Replied { channel: *channel, reply })
            }
            Event::Restart(pick, days) => {
                let Some((id, workflow)) = self.enrollment(*pick) else { return Ok(()) };
                let anchor = workflow.anchors[pick % workflow.anchors.len()].id.clone();
                let date = plus_days(today, -*days);
                self.happens(Some(id), Author::System, Fact::AnchorEvent { anchor, date })
            }
            Event::AnchorCorrected(pick, days) => {
                let Some((id, _)) = self.enrollment(*pick) else { return Ok(()) };
                let anchors =
                    self.patient.state.enrollments.get(&id).map(|e| e.anchors.clone()).unwrap_or_default();
                let Some(index) = pick.checked_rem(anchors.len()) else { return Ok(()) };
                let Some((anchor, known)) = anchors.into_iter().nth(index) else { return Ok(()) };
                let date = plus_days(known.date, *days);
                self.happens(
                    Some(id),
                    Author::System,
                    Fact::AnchorCorrected { anchor, date, reason: "typo".into() },
                )
            }
            Event::SetFact(pick, seed) => {
                let Some((id, workflow)) = self.enrollment(*pick) else { return Ok(()) };
                let Some(index) = pick.checked_rem(workflow.facts.len()) else { return Ok(()) };
                let def = &workflow.facts[index];
                let value = any_value(&def.kind, &mut seed.clone());
                self.happens(Some(id), Author::System, Fact::FactSet { name: def.id.clone(), value })
            }
            Event::Pause(days) => {
                let Some((id, _)) = self.enrollment(0) else { return Ok(()) };
                let until = days.map(|days| plus_days(today, days));
                self.happens(Some(id), Author::System, Fact::Paused { until, reason: "away".into() })
            }
            Event::Resume => {
                let paused = |standing: &Standing| matches!(standing, Standing::Paused { .. });
                let mut enrollments = self.patient.state.enrollments.iter();
                let Some(id) = enrollments.find(|(_, e)| paused(&e.standing)).map(|(id, _)| *id) else {
                    return Ok(());
                };
                self.happens(Some(id), Author::System, Fact::Resumed)
            }
            Event::Stop => {
                let Some((id, _)) = self.enrollment(0) else { return Ok(()) };
                self.happens(Some(id), Author::System, Fact::Stopped { reason: StopReason::Withdrawn })
            }
            Event::Died => self.happens(None, Author::System, Fact::Died { date: today }),
            Event::Void(pick) => {
                let undo = &self.patient.state.undo;
                let Some(index) = pick.checked_rem(undo.len()) else { return Ok(()) };
                let (seq, enrollment) = (undo[index].seq, undo[index].enrollment);
                self.happens(enrollment, Author::System, Fact::Voided { seq, reason: "wrong".into() })
            }
            Event::Carriers(kind) => {
                self.patient.carriers = match kind {
                    0 => Carriers { outage: true, ..Carriers::default() },
                    1 => Carriers { unknown: true, ..Carriers::default() },
                    2 => Carriers { idle: true, ..Carriers::default() },
                    3 => Carriers { refuse: [Channel::Sms].into(), ..Carriers::default() },
                    4 => Carriers { outage: true, retry_after_seconds: Some(2_700), ..Carriers::default() },
                    _ => Carriers::default(),
                };
                self.hand_over()
            }
            Event::Bounce(pick) => {
                let messages = &self.patient.state.messages;
                let Some(index) = pick.checked_rem(messages.len()) else { return Ok(()) };
                let Some(message) = messages.keys().nth(index).cloned() else { return Ok(()) };
                self.happens(
                    None,
                    Author::Carrier,
                    Fact::Receipt { message, delivered: pick.is_multiple_of(3) },
                )
            }
            Event::Enrol(pick) => self.enrol(*pick),
            Event::Consent(channel, given) => {
                let channel = *channel;
                let fact = if *given {
                    Fact::ConsentGiven { channel, wording: "v2".into() }
                } else {
                    Fact::ConsentWithdrawn { channel }
                };
                self.happens(None, Author::System, fact)
            }
            Event::Version(pick, what) => self.version(*pick, *what),
            Event::Daily(given) => self.happens(None, Author::System, Fact::DailyConsent { given: *given }),
        }
    }
}

fn site() -> &'static SiteSettings {
    static SITE: OnceLock<SiteSettings> = OnceLock::new();
    SITE.get_or_init(SiteSettings::default)
}

#[test]
fn laws_hold_for_random_stories() {
    let config = Config { max_shrink_iters: 2000, failure_persistence: None, ..Config::default() };
    let ran = TestRunner::new(config).run(&story(), |story| hold(&story));
    #[expect(
        clippy::disallowed_macros,
        reason = "how often a named reason came up is for whoever runs the test"
    )]
    {
        println!("{}", late::counted());
    }
    ran.unwrap_or_else(|failed| panic!("{failed}"));
}

fn hold(story: &Story) -> Checked {
    let mut play = Play::begin(site(), story)?;
    for event in &story.events {
        play.play(event)?;
    }
    let history = &play.patient.history;
    patients_and_carriers_are_respected(history)?;
    manners(history, ZONES[story.zone % ZONES.len()], site())?;
    folding_equals_replay(history, &play.patient.state, &play.snapshots)?;
    deciding_again_equals_the_history(&play.patient)
}
