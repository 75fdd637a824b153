//! How fast one advance of a patient is: fold, decide, arrange and fold again, in memory, on one core.
//!
//! `cargo bench -p tend-engine`. The patient is in the heart-failure follow-up with its daily questionnaire going on for
//! ever, two alerts stay open, and a day has four advances: the check comes due, it is claimed, it was handed over, it
//! is answered. Two of them decide something. The figure is printed for the second month and after five years.

#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "a bench reads the clock and prints"
)]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    collections::BTreeMap,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use jiff::{SignedDuration, Timestamp};
use tend_engine::{
    Decimal, EnrollmentId, Name, SiteId, Value,
    fact::{Answer, Author, Fact, HandoverResult, MessageKey, Mode, NewFact, Occurrence},
    model::{Channel, Rhythm, Schedule, TaskKind, Workflow},
    parse::compile,
    planner::{Library, advance},
    rehearsal::Rehearsal,
    site::SiteSettings,
    state::{MessageStanding, PatientState},
};

/// Counts what is allocated.
struct Counting;

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

#[expect(unsafe_code, reason = "the trait is unsafe; both functions only pass on to the system's allocator")]
// SAFETY: every call goes to the system's allocator with the same arguments.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

const ENROLLMENT: EnrollmentId = EnrollmentId(0x0192_6b2f_7a10_7000_8000_0000_0000_0001);
const STEP: &str = "daily-check";
const ZONE: &str = "Europe/London";
/// Copies of the patient that take turns, so that no state stays in the innermost cache.
const PATIENTS: usize = 40;
/// Days that are measured.
const DAYS: i64 = 28;

fn main() {
    let workflow = for_ever();
    let library = Library::from([(workflow.version(), Arc::new(workflow.clone()))]);
    let site = SiteSettings { zone: ZONE.into(), ..SiteSettings::default() };
    let bench = Bench { library: &library, site: &site, workflow: &workflow };
    let mut patient = bench.enrolled();
    for (label, day) in [("day 40", 40), ("day 1866, five years of daily answers later", 1866)] {
        bench.lives_until(&mut patient, day);
        let bytes = serde_json::to_vec(&patient.state).map_or(0, |json| json.len());
        let alerts = patient.state.tasks.values().filter(|task| task.kind == TaskKind::Alert).count();
        println!("{label}: {bytes} bytes of state, {alerts} alerts open");
        let measured = (0..5).map(|_| bench.measure(&patient.state, patient.now)).min_by_key(Measured::took);
        if let Some(measured) = measured {
            measured.print();
        }
    }
}

/// The shipped workflow, with a daily check that never ends.
fn for_ever() -> Workflow {
    let mut files = BTreeMap::new();
    read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../workflows"), &mut files);
    let compiled = compile(&files);
    let mut workflow = compiled.workflow("hf-discharge-90d").expect("shipped").clone();
    workflow.ending.after = None;
    for step in workflow.steps.iter_mut().filter(|step| step.id == *STEP) {
        if let Schedule::Plan { segments, .. } = &mut step.schedule {
            segments.truncate(1);
            for segment in segments {
                if let Rhythm::Every { to, .. } = &mut segment.rhythm {
                    *to = None;
                }
            }
        }
    }
    workflow
}

fn read(folder: &Path, files: &mut BTreeMap<String, Vec<u8>>) {
    for entry in std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
        if entry.is_dir() {
            read(&entry, files);
        } else if entry.extension().is_some_and(|end| end == "yaml") {
            files.insert(entry.display().to_string(), std::fs::read(&entry).expect("a file"));
        }
    }
}

#[derive(Default)]
struct Measured {
    calls: u64,
    decided: u64,
    entries: u64,
    allocations: u64,
    by_kind: BTreeMap<&'static str, Vec<Duration>>,
}

impl Measured {
    fn print(&self) {
        let micros = |took: Duration, calls: u64| took.as_secs_f64() * 1e6 / calls as f64;
        println!(
            "  {:.0} advances/s, {:.2} µs each, {:.1} allocations, {:.2} entries, {:.0} % decide",
            self.calls as f64 / self.took().as_secs_f64(),
            micros(self.took(), self.calls),
            self.allocations as f64 / self.calls as f64,
            self.entries as f64 / self.calls as f64,
            100.0 * self.decided as f64 / self.calls as f64,
        );
        for (kind, batches) in &self.by_kind {
            println!("    {kind}: {:.2} µs", micros(median(batches), PATIENTS as u64));
        }
    }

    /// Each batch counts as the median of its kind, so that what else the machine does is left out.
    fn took(&self) -> Duration {
        self.by_kind.values().map(|batches| median(batches) * batches.len() as u32).sum()
    }
}

fn median(batches: &[Duration]) -> Duration {
    let mut sorted = batches.to_vec();
    sorted.sort();
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}

struct Bench<'a> {
    library: &'a Library,
    site: &'a SiteSettings,
    workflow: &'a Workflow,
}

fn name(text: &str) -> Name {
    Name::parse(text).expect("a name")
}

impl<'a> Bench<'a> {
    fn enrolled(&self) -> Rehearsal<'a> {
        let now: Timestamp = "2026-03-02T10:00:00Z".parse().expect("an instant");
        let mut patient = Rehearsal::new(self.library, self.site, now);
        let new = |enrollment, fact| NewFact { enrollment, occurred_at: now, author: Author::System, fact };
        let mut facts = vec![new(
            None,
            Fact::Preference { language: "en".into(), zone: ZONE.into(), preferred: Some(Channel::Sms) },
        )];
        for channel in [Channel::Sms, Channel::Email] {
            facts.push(new(None, Fact::Reachable { channel, usable: true }));
            facts.push(new(None, Fact::ConsentGiven { channel, wording: "v1".into() }));
        }
        facts.push(new(None, Fact::DailyConsent { given: true }));
        facts.push(new(
            Some(ENROLLMENT),
            Fact::Enrolled {
                site: SiteId(1),
                workflow: self.workflow.id.clone(),
                version: self.workflow.version(),
                facts: BTreeMap::from([(name("dry_weight"), Value::Number(Decimal::whole(78)))]),
                anchors: BTreeMap::from([(name("discharge"), "2026-03-02".parse().expect("a date"))]),
            },
        ));
        patient.record(facts).expect("enrolled");
        patient.hand_over().expect("handed over");
        patient
    }

    /// Day by day until the evening before that day.
    fn lives_until(&self, patient: &mut Rehearsal<'_>, day: i64) {
        let start: Timestamp = "2026-03-02T00:00:00Z".parse().expect("an instant");
        let end = start + SignedDuration::from_hours(24 * (day - 1) + 20);
        while patient.now < end {
            patient.run_until(patient.now + SignedDuration::from_hours(2)).expect("time passes");
            let day = patient.now.duration_since(start).as_hours() / 24;
            if let Some(about) = open(&patient.state) {
                let fact = self.answered(about, day);
                patient.happens(Some(ENROLLMENT), Author::Patient, fact).expect("answered");
            }
            let done: Vec<_> = patient
                .state
                .tasks
                .iter()
                .filter(|(_, task)| task.rules.is_empty())
                .map(|(key, _)| key.clone())
                .collect();
            for task in done {
                let fact = Fact::Outcome { task, code: tend_engine::fact::OutcomeCode::Done };
                patient.happens(Some(ENROLLMENT), Author::System, fact).expect("done");
            }
            patient.history.clear();
        }
    }

    /// On two early days something is wrong and stays so for the nurse; after that all is well, each Sunday but one.
    fn answered(&self, about: Occurrence, day: i64) -> Fact {
        let choice = |item: &str, option: &str| {
            (name(item), Answer::Given { value: Value::Choice(name(option)), doubtful: false })
        };
        let weight = Value::Number(Decimal::whole(78));
        let sleeping = if day == 20 { "sat_up" } else { "no" };
        let tablets = if day == 30 { "ran_out" } else { "yes" };
        let answers = BTreeMap::from([
            (name("weight"), Answer::Given { value: weight, doubtful: false }),
            choice("breathing", "same"),
            choice("sleeping", sleeping),
            choice("swelling", "none"),
            choice("dizzy", "no"),
            choice("chest", "no"),
            choice("tablets", tablets),
            choice("cough", "no"),
            (name("has_monitor"), Answer::Given { value: Value::Bool(false), doubtful: false }),
        ]);
        Fact::Answered {
            about,
            questionnaire: name("heart-failure-check"),
            questionnaire_version: "1".into(),
            language: "en".into(),
            mode: Mode::Own,
            answers,
        }
    }

    fn measure(&self, state: &PatientState, now: Timestamp) -> Measured {
        let mut patients = vec![state.clone(); PATIENTS];
        let mut measured = Measured::default();
        let mut now = now;
        for day in 0..DAYS {
            // The first thing each morning is the daily check.
            now = self.tick(&mut patients, now, &mut measured);
            let claimed =
                |state: &PatientState| waiting(state).map(|message| Fact::Claimed { message, attempt: 1 });
            self.facts(&mut patients, now, "claimed", claimed, None, &mut measured);
            let handed = |state: &PatientState| {
                let message = claimed_message(state)?;
                Some(Fact::HandedOver { message, attempt: 1, result: HandoverResult::Accepted })
            };
            self.facts(&mut patients, now, "handed over", handed, None, &mut measured);
            now += SignedDuration::from_mins(90);
            let answered = |state: &PatientState| open(state).map(|about| self.answered(about, 100 + day));
            self.facts(&mut patients, now, "answered", answered, Some(ENROLLMENT), &mut measured);
        }
        measured
    }

    fn tick(&self, patients: &mut [PatientState], now: Timestamp, measured: &mut Measured) -> Timestamp {
        let mut probe = patients[0].clone();
        let wake = advance(self.library, self.site, &mut probe, Vec::new(), now).expect("advanced").wake_at;
        let now = wake.expect("something comes next");
        let none = vec![Vec::new(); patients.len()];
        self.all(patients, none, now, "comes due", measured);
        now
    }

    fn facts(
        &self,
        patients: &mut [PatientState],
        now: Timestamp,
        kind: &'static str,
        fact: impl Fn(&PatientState) -> Option<Fact>,
        enrollment: Option<EnrollmentId>,
        measured: &mut Measured,
    ) {
        let new = |fact| NewFact { enrollment, occurred_at: now, author: Author::System, fact };
        let facts: Vec<Vec<NewFact>> =
            patients.iter().map(|state| fact(state).map(new).into_iter().collect()).collect();
        if facts.iter().all(Vec::is_empty) {
            return;
        }
        self.all(patients, facts, now, kind, measured);
    }

    fn all(
        &self,
        patients: &mut [PatientState],
        facts: Vec<Vec<NewFact>>,
        now: Timestamp,
        kind: &'static str,
        measured: &mut Measured,
    ) {
        let before = ALLOCATIONS.load(Ordering::Relaxed);
        let begin = Instant::now();
        for (state, facts) in patients.iter_mut().zip(facts) {
            let advanced = advance(self.library, self.site, state, facts, now).expect("advanced");
            measured.entries += advanced.entries.len() as u64;
            measured.decided += u64::from(advanced.entries.iter().any(PatientState::is_decision));
        }
        measured.by_kind.entry(kind).or_default().push(begin.elapsed());
        measured.allocations += ALLOCATIONS.load(Ordering::Relaxed) - before;
        measured.calls += patients.len() as u64;
    }
}

/// The daily check that waits for an answer.
fn open(state: &PatientState) -> Option<Occurrence> {
    let (name, step) = state.enrollments.get(&ENROLLMENT)?.steps.iter().find(|(name, _)| **name == *STEP)?;
    let open = step.open.iter().find(|open| open.closed.is_none() && open.asked_at.is_some())?;
    Some(Occurrence {
        enrollment: ENROLLMENT,
        step: name.clone(),
        generation: open.generation,
        ordinal: open.ordinal,
    })
}

fn waiting(state: &PatientState) -> Option<MessageKey> {
    let mut messages = state.messages.iter();
    messages.find(|(_, message)| message.standing == MessageStanding::Scheduled).map(|(key, _)| key.clone())
}

fn claimed_message(state: &PatientState) -> Option<MessageKey> {
    let mut messages = state.messages.iter();
    let claimed = |standing| matches!(standing, MessageStanding::Claimed(_));
    messages.find(|(_, message)| claimed(message.standing)).map(|(key, _)| key.clone())
}
