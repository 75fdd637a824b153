//! The demo's world: the planner, the lanes and the mailbox are the real ones; only the people are invented.
//!
//! Time goes on from event to event: patients who are due are advanced, messages are handed over, invented patients
//! answer, invented staff close tasks.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::{Duration, Instant},
};

use jiff::{SignedDuration, Timestamp};
use tend_engine::{
    EnrollmentId, PatientId, StaffId,
    fact::{Fact, Mode, NewFact, Occurrence, OutcomeCode, TaskKey},
    model::{Channel, Does, TaskKind},
    state::{EnrollmentState, PatientState, TaskState},
};

use super::{behaviour, people::Person};
use crate::{
    app::{
        Actor, App,
        receive::Arrived,
        record::just_now,
        relay::{Claim, Writing},
        zone_named,
    },
    cli::clock::MovedClock,
    ports::{Carrier, Clock, DemoMove},
    store::FreeText,
};

/// Most patients advanced and most messages claimed at once.
const GROUP: usize = 100;
/// Hours after a task came up at which invented staff deal with it.
const STAFF_AFTER_HOURS: i64 = 5;
/// Most steps of one run: a week of the demo has some thousands.
const STEPS_MAX: usize = 200_000;

/// What goes wrong while time is moved.
pub type WorldError = Box<dyn std::error::Error + Send + Sync>;

/// What somebody invented will do.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Deed {
    Answer(PatientId, Occurrence),
    Stop(PatientId),
    Close(PatientId, TaskKey),
}

/// The people of the demo and what they are about to do.
pub struct World {
    app: Arc<App>,
    clock: Arc<MovedClock>,
    carriers: Vec<Arc<dyn Carrier>>,
    people: BTreeMap<PatientId, Person>,
    /// Who closes tasks, while a past is made; nobody when the clock is moved by hand.
    staff: Option<StaffId>,
    agenda: BTreeSet<(Timestamp, Deed)>,
    known: BTreeSet<Deed>,
}

impl World {
    /// A world with these people.
    #[must_use]
    pub fn new(app: Arc<App>, clock: Arc<MovedClock>, carriers: Vec<Arc<dyn Carrier>>) -> Self {
        let (people, agenda, known) = (BTreeMap::new(), BTreeSet::new(), BTreeSet::new());
        Self { app, clock, carriers, people, staff: None, agenda, known }
    }

    /// From here on that member of staff closes tasks; `None` leaves them open.
    pub fn staffed_by(&mut self, staff: Option<StaffId>) {
        self.staff = staff;
        if self.staff.is_none() {
            self.agenda.retain(|(_, deed)| !matches!(deed, Deed::Close(..)));
        }
    }

    /// Adds a person who was just enrolled.
    pub fn add(&mut self, patient: PatientId, person: Person) {
        self.people.insert(patient, person);
    }

    /// Lets time pass until `end`.
    ///
    /// # Errors
    /// Whatever the application could not do.
    pub async fn run_until(&mut self, end: Timestamp) -> Result<DemoMove, WorldError> {
        let mut done = DemoMove::default();
        self.look_at(&self.people.keys().copied().collect::<Vec<_>>()).await?;
        for _ in 0..STEPS_MAX {
            let touched = self.settle(&mut done).await?;
            self.look_at(&touched).await?;
            let Some(next) = self.next().await?.filter(|next| *next <= end) else { break };
            self.clock.stand_at(next.max(self.clock.now()));
            self.act(&mut done).await?;
        }
        self.clock.stand_at(end);
        self.settle(&mut done).await?;
        Ok(done)
    }

    /// Advances who is due and hands over what may go, until nothing is left at this instant.
    async fn settle(&mut self, done: &mut DemoMove) -> Result<Vec<PatientId>, WorldError> {
        let mut touched = BTreeSet::new();
        loop {
            let due = self.app.store.due(self.clock.now(), GROUP as u64).await?;
            if !due.is_empty() {
                self.app.advance(&due).await?;
                touched.extend(due.iter().copied());
            }
            let handed_over = self.hand_over(&mut touched).await?;
            done.messages += handed_over;
            if due.is_empty() && handed_over == 0 {
                return Ok(touched.into_iter().collect());
            }
        }
    }

    async fn hand_over(&self, touched: &mut BTreeSet<PatientId>) -> Result<u64, WorldError> {
        let mut count = 0;
        for carrier in &self.carriers {
            let deadline = Instant::now() + Duration::from_secs(30);
            let claims: Vec<Claim> = self.app.claim(carrier.channel(), GROUP, deadline).await?;
            if claims.is_empty() {
                continue;
            }
            let begin = claims.iter().map(|claim| claim.ticket).collect();
            self.app.write(&Writing { begin, finish: Vec::new() }).await?;
            let mut connection = carrier.connect().await.map_err(|refusal| refusal.reason)?;
            let mut finish = Vec::new();
            for claim in &claims {
                finish.push((claim.ticket, connection.hand_over(&claim.outgoing).await));
                touched.insert(claim.ticket.patient);
                count += 1;
            }
            self.app.write(&Writing { begin: Vec::new(), finish }).await?;
        }
        Ok(count)
    }

    /// The next instant at which anything happens.
    async fn next(&self) -> Result<Option<Timestamp>, WorldError> {
        let mut next = [self.app.store.next_wake().await?, self.agenda.first().map(|(at, _)| *at)];
        let mut earliest = next.iter_mut().filter_map(|at| at.take()).min();
        for channel in [Channel::Sms, Channel::Email] {
            if let Some(at) = self.app.store.next_ready(channel).await? {
                earliest = Some(earliest.map_or(at, |known| known.min(at)));
            }
        }
        Ok(earliest)
    }

    /// Puts on the agenda what these patients, and the staff because of them, will do.
    async fn look_at(&mut self, patients: &[PatientId]) -> Result<(), WorldError> {
        for patient in patients {
            let Some(person) = self.people.get(patient).cloned() else { continue };
            let Some(row) = self.app.store.patient(*patient).await? else { continue };
            for (at, deed) in self.plans(*patient, &person, &row.state) {
                if self.known.insert(deed.clone()) {
                    self.agenda.insert((at, deed));
                }
            }
        }
        Ok(())
    }

    fn plans(&self, patient: PatientId, person: &Person, state: &PatientState) -> Vec<(Timestamp, Deed)> {
        let mut plans = Vec::new();
        for (id, enrollment) in &state.enrollments {
            for (about, asked_at) in asked(*id, enrollment) {
                let day = days_since(person, enrollment, asked_at);
                if behaviour::writes_stop(person, day) {
                    plans.push((after(asked_at, 1), Deed::Stop(patient)));
                } else if let Some(hours) = behaviour::hours_to_answer(person, day) {
                    plans.push((after(asked_at, i64::from(hours)), Deed::Answer(patient, about)));
                }
            }
        }
        if self.staff.is_some() {
            plans.extend(state.tasks.iter().map(|(key, task)| {
                (after(task.opened_at, STAFF_AFTER_HOURS), Deed::Close(patient, key.clone()))
            }));
        }
        plans
    }

    /// Does what is on the agenda for now.
    async fn act(&mut self, done: &mut DemoMove) -> Result<(), WorldError> {
        let now = self.clock.now();
        while let Some((at, deed)) = self.agenda.pop_first() {
            if at > now {
                self.agenda.insert((at, deed));
                break;
            }
            let patient = match &deed {
                Deed::Answer(patient, _) | Deed::Stop(patient) | Deed::Close(patient, _) => *patient,
            };
            match &deed {
                Deed::Answer(_, about) => done.answers += u64::from(self.answer(patient, about).await?),
                Deed::Stop(_) => self.stop(patient).await?,
                Deed::Close(_, key) => self.close(patient, key).await?,
            }
            self.look_at(&[patient]).await?;
        }
        Ok(())
    }

    async fn answer(&self, patient: PatientId, about: &Occurrence) -> Result<bool, WorldError> {
        let Some(person) = self.people.get(&patient) else { return Ok(false) };
        let Some(row) = self.app.store.patient(patient).await? else { return Ok(false) };
        let Some(enrollment) = row.state.enrollments.get(&about.enrollment) else { return Ok(false) };
        if !asked(about.enrollment, enrollment).iter().any(|(open, _)| open == about) {
            return Ok(false);
        }
        let live = self.app.live();
        let workflow = live.library.get(&enrollment.version).ok_or("the demo's workflow is not published")?;
        let Some(Does::Ask { questionnaire, .. }) = workflow.step(&about.step).map(|step| &step.does) else {
            return Ok(false);
        };
        let instrument = workflow.questionnaires.get(questionnaire).ok_or("no such questionnaire")?;
        let day = days_since(person, enrollment, self.clock.now());
        let fact = Fact::Answered {
            about: about.clone(),
            questionnaire: questionnaire.clone(),
            questionnaire_version: instrument.version.clone(),
            language: row.state.language.clone(),
            mode: Mode::Own,
            answers: behaviour::answers(person, instrument, day),
        };
        let facts = vec![self.fact(Actor::Patient, Some(about.enrollment), fact)];
        self.app.record(Actor::Patient, "answer", patient, facts, &FreeText::default()).await?;
        Ok(true)
    }

    async fn stop(&self, patient: PatientId) -> Result<(), WorldError> {
        let Some(person) = self.people.get(&patient) else { return Ok(()) };
        self.receive(&person.phone, " Stop. ").await
    }

    /// A text from that number arrives.
    ///
    /// # Errors
    /// Whatever the application could not do.
    pub async fn receive(&self, address: &str, text: &str) -> Result<(), WorldError> {
        let arrived = Arrived {
            provider_id: format!("demo-{}", self.app.ids.fresh()),
            channel: Channel::Sms,
            address: address.to_owned(),
            text: text.to_owned(),
        };
        self.app.receive(&arrived).await?;
        Ok(())
    }

    async fn close(&self, patient: PatientId, key: &TaskKey) -> Result<(), WorldError> {
        let (Some(staff), Some(row)) = (self.staff, self.app.store.patient(patient).await?) else {
            return Ok(());
        };
        let Some(task) = row.state.tasks.get(key) else { return Ok(()) };
        let actor = Actor::Staff(staff);
        let fact = Fact::Outcome { task: key.clone(), code: outcome(task) };
        let facts = vec![self.fact(actor, task.enrollment, fact)];
        self.app.record(actor, "outcome", patient, facts, &FreeText::default()).await?;
        Ok(())
    }

    fn fact(&self, actor: Actor, enrollment: Option<EnrollmentId>, fact: Fact) -> NewFact {
        just_now(actor, self.clock.now(), enrollment, fact)
    }
}

/// Asks that were handed over and are not closed.
fn asked(id: EnrollmentId, enrollment: &EnrollmentState) -> Vec<(Occurrence, Timestamp)> {
    let mut found = Vec::new();
    for (step, state) in &enrollment.steps {
        for open in state.open.iter().filter(|open| open.closed.is_none()) {
            if let Some(asked_at) = open.asked_at {
                let (generation, ordinal) = (open.generation, open.ordinal);
                found
                    .push((Occurrence { enrollment: id, step: step.clone(), generation, ordinal }, asked_at));
            }
        }
    }
    found
}

fn outcome(task: &TaskState) -> OutcomeCode {
    match task.kind {
        TaskKind::Alert => OutcomeCode::CalledAdvice,
        TaskKind::Call => OutcomeCode::CalledAdvice,
        TaskKind::Visit | TaskKind::Examination | TaskKind::Review | TaskKind::Admin => OutcomeCode::Done,
    }
}

/// Civil days since the main anchor, for the person's behaviour.
fn days_since(person: &Person, enrollment: &EnrollmentState, at: Timestamp) -> i32 {
    let zone = zone_named(person.zone);
    let today = zone.to_datetime(at).date();
    let first = enrollment.anchors.values().map(|anchor| anchor.date).min();
    first.and_then(|first| first.until(today).ok()).map_or(0, |span| span.get_days())
}

fn after(at: Timestamp, hours: i64) -> Timestamp {
    at.checked_add(SignedDuration::from_hours(hours)).unwrap_or(at)
}
