//! Running a case: the story is played to the real planner, and what it decided is compared with what was expected.

use std::{collections::BTreeMap, sync::Arc};

use jiff::{Timestamp, civil::Date, tz::TimeZone};

use crate::{
    EnrollmentId, Name, SiteId,
    calendar::{at, instant, plus_civil, plus_days},
    case::{Case, Enrol, Line, Moment},
    diagnostic::{Diagnostic, Log, Place},
    fact::{Author, Entry, Fact, NewFact},
    model::{Span, Workflow},
    parse::Compiled,
    planner::Library,
    preview::preview,
    rehearsal::Rehearsal,
    site::SiteSettings,
};

use super::{act, expect};

/// The one enrollment of a case.
pub(super) const ENROLLMENT: EnrollmentId = EnrollmentId(1);
/// Years looked ahead for `plan`.
const PLAN_YEARS: i32 = 30;

/// A line of a case that did not come true.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Line in the file, from 1.
    pub line: usize,
    /// Column in the file, from 1.
    pub column: usize,
    /// What was expected.
    pub message: String,
    /// What happened instead.
    pub help: String,
}

/// Runs every case of a compiled library. A case that does not come true is a problem of its file.
#[must_use]
pub fn all(compiled: &Compiled) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    // Naming a version takes as long as many stories: once per workflow.
    let mut versions: BTreeMap<&Name, Library> = BTreeMap::new();
    for (path, case) in &compiled.cases {
        let Some(workflow) = compiled.workflow(case.workflow.as_str()) else { continue };
        let library = versions.entry(&case.workflow).or_insert_with(|| library_of(workflow));
        let mut log = Log::new(path);
        for failure in watched(case, workflow, library, |_, _| {}).1 {
            let place = Place { line: failure.line, column: failure.column };
            log.error("E190", place, failure.message, failure.help);
        }
        found.extend(log.finish());
    }
    found
}

/// Plays one case; what did not come true, in order of the story.
#[must_use]
pub fn run(case: &Case, workflow: &Workflow) -> Vec<Failure> {
    to_the_end(case, workflow).1
}

/// What a line of a story led to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// As phrases of `expect`, in order.
    pub phrases: Vec<String>,
    /// Something expected did not come, or something excluded did.
    pub failed: bool,
}

/// What each line of a story led to, up to one that cannot be played.
#[must_use]
pub fn outcomes(case: &Case, workflow: &Workflow) -> Vec<Outcome> {
    let mut outcomes = Vec::new();
    watched(case, workflow, &library_of(workflow), |stage, failures| {
        outcomes.push(Outcome { phrases: expect::as_phrases(stage), failed: !failures.is_empty() });
    });
    outcomes
}

/// The history that a case leads to.
#[cfg(test)]
pub(crate) fn play(case: &Case, workflow: &Workflow) -> Vec<Entry> {
    to_the_end(case, workflow).0
}

fn to_the_end(case: &Case, workflow: &Workflow) -> (Vec<Entry>, Vec<Failure>) {
    watched(case, workflow, &library_of(workflow), |_, _| {})
}

fn library_of(workflow: &Workflow) -> Library {
    Library::from([(workflow.version(), Arc::new(workflow.clone()))])
}

fn watched(
    case: &Case,
    workflow: &Workflow,
    library: &Library,
    mut watch: impl FnMut(&Stage<'_>, &[Failure]),
) -> (Vec<Entry>, Vec<Failure>) {
    let first = case.story.first().map_or((1, 1), |line| (line.line, line.column));
    let broken = |message: String| {
        let help = "correct the case or the workflow".to_owned();
        (Vec::new(), vec![Failure { line: first.0, column: first.1, message, help }])
    };
    let Ok(zone) = TimeZone::get(&case.zone) else {
        return broken(format!("time zone \"{}\" is not known", case.zone));
    };
    let (zone_name, calendar) = (case.zone.clone(), case.calendar.clone());
    let site = SiteSettings { zone: zone_name, calendar, ..SiteSettings::default() };
    let patient = Rehearsal::new(library, &site, instant(&zone, case.enrol.on));
    let mut stage = Stage { case, workflow, zone, patient, seen: 0, doubts: Vec::new() };
    if let Err(error) = stage.enrol(&case.enrol) {
        return broken(error.to_string());
    }
    // What enrolment itself led to is looked at with the first line.
    stage.seen = stage.after_enrolment();
    let mut failures = Vec::new();
    for line in &case.story {
        if let Err(message) = stage.play(line) {
            let help = "correct the line, or the lines before it".to_owned();
            failures.push(Failure { line: line.line, column: line.column, message, help });
            break;
        }
        let wrong = stage.compare(line);
        watch(&stage, &wrong);
        failures.extend(wrong);
        stage.seen = stage.patient.history.len();
        stage.doubts.clear();
    }
    (stage.patient.history, failures)
}

/// A case being played.
pub(super) struct Stage<'a> {
    pub case: &'a Case,
    pub workflow: &'a Workflow,
    pub zone: TimeZone,
    pub patient: Rehearsal<'a>,
    /// Entries before this one were looked at with an earlier line.
    pub seen: usize,
    /// Items that must be confirmed before they count.
    pub doubts: Vec<Name>,
}

impl Stage<'_> {
    fn enrol(&mut self, enrol: &Enrol) -> Result<(), crate::planner::AdvanceError> {
        let occurred_at = self.patient.now;
        let new = |enrollment, fact| NewFact { enrollment, occurred_at, author: Author::System, fact };
        let language = if enrol.language.is_empty() {
            self.workflow.languages.first().map(ToString::to_string).unwrap_or_default()
        } else {
            enrol.language.clone()
        };
        let preferred = enrol.channels.first().copied();
        let mut facts =
            vec![new(None, Fact::Preference { language, zone: self.case.zone.clone(), preferred })];
        for channel in enrol.channels.iter().copied() {
            facts.push(new(None, Fact::Reachable { channel, usable: true }));
            facts.push(new(None, Fact::ConsentGiven { channel, wording: "case".into() }));
        }
        facts.push(new(None, Fact::DailyConsent { given: enrol.daily_consent }));
        facts.push(new(
            Some(ENROLLMENT),
            Fact::Enrolled {
                site: SiteId(1),
                workflow: self.workflow.id.clone(),
                version: self
                    .patient
                    .library
                    .keys()
                    .next()
                    .cloned()
                    .unwrap_or_else(|| self.workflow.version()),
                facts: enrol.facts.clone(),
                anchors: enrol.anchors.clone(),
            },
        ));
        self.patient.record(facts)?;
        self.patient.hand_over()
    }

    /// The first entry after the one that enrolled the patient.
    fn after_enrolment(&self) -> usize {
        let enrolled =
            self.patient.history.iter().position(|entry| matches!(entry.fact, Fact::Enrolled { .. }));
        enrolled.map_or(0, |index| index + 1)
    }

    fn play(&mut self, line: &Line) -> Result<(), String> {
        let moment =
            self.moment(line.at).ok_or("the main anchor has no date yet: write a date and a time")?;
        if moment < self.patient.now {
            return Err("this line is earlier than the one before it".into());
        }
        self.patient.run_until(moment).map_err(|error| error.to_string())?;
        match &line.act {
            Some(what) => act::perform(self, what),
            None => Ok(()),
        }
    }

    fn moment(&self, when: Moment) -> Option<Timestamp> {
        match when {
            Moment::On(local) => Some(instant(&self.zone, local)),
            Moment::Day(days, time) => {
                let main = &self.workflow.anchors.first()?.id;
                let date = self.patient.state.enrollments.get(&ENROLLMENT)?.anchors.get(main)?.date;
                Some(at(&self.zone, plus_days(date, i64::from(days)), time))
            }
        }
    }

    /// Entries since the line before.
    pub fn since(&self) -> &[Entry] {
        self.patient.history.get(self.seen..).unwrap_or_default()
    }

    fn compare(&self, line: &Line) -> Vec<Failure> {
        let fail = |message| Failure {
            line: line.line,
            column: line.column,
            message,
            help: expect::what_happened(self),
        };
        let mut failures = Vec::new();
        for phrase in &line.expect {
            if !expect::came_true(self, phrase) {
                failures.push(fail(format!("expected {}, but it did not come", expect::in_words(phrase))));
            }
        }
        for phrase in &line.expect_not {
            if expect::came_true(self, phrase) {
                failures.push(fail(format!("{} was not to come, but it did", expect::in_words(phrase))));
            }
        }
        failures.extend(self.compare_plan(&line.plan).into_iter().map(fail));
        failures
    }

    fn compare_plan(&self, plan: &BTreeMap<Name, Vec<Date>>) -> Vec<String> {
        if plan.is_empty() {
            return Vec::new();
        }
        let (library, site, state) = (self.patient.library, self.patient.site, &self.patient.state);
        let today = crate::calendar::day_of(&self.zone, self.patient.now);
        let until = at(&self.zone, plus_civil(today, Span::Years(PLAN_YEARS)), jiff::civil::Time::MIN);
        let upcoming = preview(library, site, state, ENROLLMENT, until).unwrap_or_default();
        let mut wrong = Vec::new();
        for (step, dates) in plan {
            let next: Vec<Date> = upcoming
                .iter()
                .filter(|line| line.step == *step)
                .map(|line| line.day)
                .take(dates.len())
                .collect();
            if next != *dates {
                let list =
                    |dates: &[Date]| dates.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
                wrong.push(format!("step \"{step}\" is due next on {}, not on {}", list(&next), list(dates)));
            }
        }
        wrong
    }
}
