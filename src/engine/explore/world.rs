//! One imagined patient at one moment: the planner's state, what is still to happen, and the habits of everybody around.

use std::{collections::BTreeMap, sync::Arc};

use jiff::{Timestamp, tz::TimeZone};

use crate::{
    EnrollmentId, Name, SiteId,
    calendar::{at, day_of, plus_days},
    cover,
    fact::{Author, Entry, Fact, HandoverResult, MessageKey, NewFact, Occurrence, Purpose, TaskKey},
    guard::{Guard, guard, handed_over},
    model::{Channel, Workflow},
    planner::{AdvanceError, Library, advance},
    site::SiteSettings,
    state::{MessageStanding, PatientState},
};

use super::{ENROLLED_ON, answers::Answers, later, moves::Move, walk::Root, watch::Watch};

pub(super) const ENROLLMENT: EnrollmentId = EnrollmentId(1);
/// A prompt patient answers after so many minutes.
const PROMPT_MINUTES: i64 = 30;
/// Staff act after so many minutes, when somebody is there.
const STAFF_MINUTES: i64 = 10;

/// What everything is walked with.
pub(super) struct Ground<'a> {
    pub workflow: &'a Workflow,
    pub library: Library,
    pub site: &'a SiteSettings,
    pub zone: TimeZone,
}

impl<'a> Ground<'a> {
    pub fn new(workflow: &'a Workflow, site: &'a SiteSettings) -> Result<Self, AdvanceError> {
        let library = Library::from([(workflow.version(), Arc::new(workflow.clone()))]);
        let zone = crate::turn::zone_of(&site.zone)?;
        Ok(Self { workflow, library, site, zone })
    }
}

/// Something that somebody is going to do.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Todo {
    Answer(Occurrence),
    Task(TaskKey),
    Receipt(MessageKey),
}

/// What happens next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Point {
    Wake,
    Message(MessageKey),
    Todo(usize),
}

/// One imagined patient at one moment.
#[derive(Debug, Clone)]
pub(super) struct World {
    pub state: PatientState,
    pub now: Timestamp,
    pub wake_at: Option<Timestamp>,
    /// In no order; the earliest comes first.
    pub agenda: Vec<(Timestamp, Todo)>,
    /// Messages that a slow carrier holds back until then.
    pub held: Vec<(MessageKey, Timestamp)>,
    /// The patient answers nothing any more.
    pub silent: bool,
    /// Staff do nothing any more.
    pub idle: bool,
    /// Deviations left.
    pub left: u8,
    /// Choices at which they may still be used; without a limit before the first one.
    pub choices: Option<u8>,
    pub watch: Watch,
    /// The last form of each questionnaire that nothing was wrong with.
    pub calm: BTreeMap<Name, Answers>,
    /// Forms that the patient fills in the same from here on, whatever rules say to them.
    pub always: BTreeMap<Name, Answers>,
    /// The course is followed until then.
    pub until: Timestamp,
    /// Which facts the patient was enrolled with.
    pub root: usize,
    /// Points passed since enrolment.
    pub passed: u32,
    /// The last deviation, in the list of all.
    pub node: usize,
}

impl World {
    /// The patient right after enrolment.
    pub fn enrolled(ground: &Ground<'_>, enrolled: Fact) -> Result<(Self, Vec<Entry>), AdvanceError> {
        let now = at(&ground.zone, ENROLLED_ON, jiff::civil::time(9, 0, 0, 0));
        let new = |enrollment, fact| NewFact { enrollment, occurred_at: now, author: Author::System, fact };
        let language = ground.workflow.languages.first().map(ToString::to_string).unwrap_or_default();
        let zone = ground.site.zone.clone();
        let mut facts = vec![new(None, Fact::Preference { language, zone, preferred: Some(Channel::Sms) })];
        for channel in [Channel::Sms, Channel::Email] {
            facts.push(new(None, Fact::Reachable { channel, usable: true }));
            facts.push(new(None, Fact::ConsentGiven { channel, wording: "explore".into() }));
        }
        facts.push(new(None, Fact::DailyConsent { given: true }));
        facts.push(new(Some(ENROLLMENT), enrolled));
        let mut world = Self {
            state: PatientState::default(),
            now,
            wake_at: None,
            agenda: Vec::new(),
            held: Vec::new(),
            silent: false,
            idle: false,
            left: 0,
            choices: None,
            watch: Watch::default(),
            calm: BTreeMap::new(),
            always: BTreeMap::new(),
            until: Timestamp::MAX,
            root: 0,
            passed: 0,
            node: 0,
        };
        let entries = world.record(ground, facts)?;
        Ok((world, entries))
    }

    /// What such an enrolment records.
    pub fn enrolment(ground: &Ground<'_>, root: &Root) -> Fact {
        Fact::Enrolled {
            site: SiteId(1),
            workflow: ground.workflow.id.clone(),
            version: ground.workflow.version(),
            facts: root.facts.iter().cloned().collect(),
            anchors: root.anchors.iter().map(|anchor| (anchor.clone(), ENROLLED_ON)).collect(),
        }
    }

    /// How much may still differ from the usual course: more includes less.
    pub fn freedom(&self) -> u16 {
        u16::from(self.left) * 256 + u16::from(self.choices.filter(|_| self.left > 0).unwrap_or(u8::MAX))
    }

    /// What happens next, and when.
    pub fn next(&self) -> Option<(Timestamp, Point)> {
        let mut first: Option<(Timestamp, Point)> = self.wake_at.map(|at| (at, Point::Wake));
        let mut offer = |at: Timestamp, point: Point| {
            if first.as_ref().is_none_or(|(earliest, _)| at < *earliest) {
                first = Some((at, point));
            }
        };
        for (index, (at, _)) in self.agenda.iter().enumerate() {
            offer(*at, Point::Todo(index));
        }
        for (key, message) in &self.state.messages {
            if message.standing == MessageStanding::Scheduled {
                let held = self.held.iter().find(|(known, _)| known == key).map(|(_, until)| *until);
                offer(message.send_after.max(held.unwrap_or(Timestamp::MIN)), Point::Message(key.clone()));
            }
        }
        first.map(|(at, point)| (at.max(self.now), point))
    }

    /// Advances with facts that happen now.
    pub fn record(&mut self, ground: &Ground<'_>, facts: Vec<NewFact>) -> Result<Vec<Entry>, AdvanceError> {
        let advanced = advance(&ground.library, ground.site, &mut self.state, facts, self.now)?;
        self.wake_at = advanced.wake_at;
        // Nothing is voided on a course.
        self.state.undo.clear();
        for entry in &advanced.entries {
            self.plan(ground, entry);
        }
        let state = &self.state;
        self.agenda.retain(|(_, todo)| match todo {
            Todo::Answer(about) => state.occurrence(about).is_some(),
            Todo::Task(key) => state.tasks.contains_key(key),
            Todo::Receipt(key) => state.messages.contains_key(key),
        });
        self.held.retain(|(key, _)| state.messages.contains_key(key));
        Ok(advanced.entries)
    }

    /// What an entry makes somebody do in the usual course.
    fn plan(&mut self, ground: &Ground<'_>, entry: &Entry) {
        match &entry.fact {
            Fact::HandedOver { message, result: HandoverResult::Accepted, .. } if !self.silent => {
                let Some(message) = self.state.messages.get(message) else { return };
                if message.purpose != Purpose::Ask {
                    return;
                }
                let at = later(self.now, PROMPT_MINUTES);
                self.agenda.extend(message.members.iter().map(|about| (at, Todo::Answer(about.clone()))));
            }
            Fact::TaskOpened(plan) if !self.idle => {
                let due = plan.about.as_ref().filter(|_| plan.rule.is_none());
                let due = due.and_then(|about| self.state.occurrence(about)).map(|open| open.due);
                let soon = later(self.now, STAFF_MINUTES);
                let at = due.map_or(soon, |due| due.max(soon));
                let at = cover::next_covered(ground.site, &ground.zone, at);
                self.agenda.push((at, Todo::Task(plan.key.clone())));
            }
            _ => {}
        }
    }

    /// Something that happens to the patient now.
    pub fn happens(
        &mut self,
        ground: &Ground<'_>,
        of_enrollment: bool,
        author: Author,
        facts: Vec<Fact>,
    ) -> Result<Vec<Entry>, AdvanceError> {
        let enrollment = of_enrollment.then_some(ENROLLMENT);
        let occurred_at = self.now;
        let new = |fact| NewFact { enrollment, occurred_at, author, fact };
        self.record(ground, facts.into_iter().map(new).collect())
    }

    /// A message whose time has come, as the guard has it: handed over so, moved or dropped.
    pub fn hand_over(
        &mut self,
        ground: &Ground<'_>,
        key: &MessageKey,
        result: HandoverResult,
    ) -> Result<Vec<Entry>, AdvanceError> {
        let facts = handed_over(&ground.library, ground.site, &self.state, key, self.now, |_| result)?;
        self.happens(ground, false, Author::Carrier, facts)
    }

    /// Whether the guard lets a message go now.
    pub fn may_go(&self, ground: &Ground<'_>, key: &MessageKey) -> bool {
        let said = guard(&ground.library, ground.site, &self.state, key, self.now);
        matches!(said, Ok(Guard::Go { .. }))
    }

    pub fn today(&self, ground: &Ground<'_>) -> jiff::civil::Date {
        day_of(&ground.zone, self.now)
    }

    /// The morning after, when another workflow's message has taken today's place.
    pub fn tomorrow(&self, ground: &Ground<'_>) -> Timestamp {
        at(&ground.zone, plus_days(self.today(ground), 1), ground.site.quiet.open)
    }

    /// Does what a move says. A move about an agenda line takes it off the agenda.
    pub fn take(&mut self, ground: &Ground<'_>, made: &Move) -> Result<Vec<Entry>, AdvanceError> {
        self.passed += 1;
        made.perform(self, ground)
    }
}
