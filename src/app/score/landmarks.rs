//! Training rows from the site's own histories: one row a decision day, with what was known then, and what came after.
//!
//! A row stands for the end of a day on which something became known: the enrolment, an answer, a silence, a visit that took
//! place or was missed. It knows the facts as they stood, the latest answers and how they changed, the silence, how fast
//! answers came, and the alerts. Entries that were voided are left out: they were about somebody else or wrong.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use tend_engine::{
    EnrollmentId, Name, SiteId, Value,
    fact::{Answer, Closing, Entry, Fact, Occurrence, OutcomeCode},
    model::LevelId,
};

use super::HORIZON_DAYS;
use crate::{
    app::App,
    store::{StoreError, read::life::OutcomeRow},
};

/// The columns that every row has.
const FIXED: [&str; 12] = [
    "patient",
    "enrollment",
    "day",
    "answers",
    "silences",
    "silences_in_a_row",
    "days_since_answer",
    "hours_to_answer",
    "visits_missed",
    "alerts",
    "alerts_red",
    "reached_by_phone",
];
/// What came after.
pub const LABEL: &str = "readmit30";

/// A table of texts.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Landmarks {
    /// Column names: fixed ones, facts, answers, outcome.
    pub header: Vec<String>,
    /// Rows, as long as the header; empty is missing.
    pub rows: Vec<Vec<String>>,
    /// Follow-ups that have rows.
    pub follow_ups: usize,
}

/// What is known of a follow-up at a moment.
#[derive(Debug, Default, Clone)]
struct Known {
    fixed: BTreeMap<&'static str, f64>,
    facts: BTreeMap<String, String>,
    answers: BTreeMap<String, f64>,
    changes: BTreeMap<String, f64>,
    answered_on: Option<Date>,
    opened: BTreeMap<(Name, u32, u32), Timestamp>,
}

struct Row {
    follow_up: (String, String),
    day: i32,
    known: Known,
    time: i32,
    event: bool,
}

impl App {
    /// The rows of every follow-up of a site whose outcome is known.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn landmarks(&self, site: SiteId) -> Result<Landmarks, StoreError> {
        let outcomes = self.store.outcomes_at(site).await?;
        let mut by_patient: BTreeMap<_, Vec<&OutcomeRow>> = BTreeMap::new();
        outcomes.values().for_each(|row| by_patient.entry(row.patient).or_default().push(row));
        let zone = self.zone(site);
        let mut rows = Vec::new();
        for (patient, outcomes) in by_patient {
            let days: BTreeMap<EnrollmentId, Option<Date>> =
                self.store.follow_ups_of(site, patient).await?.into_iter().collect();
            let entries = self.store.whole_history(patient).await?;
            for outcome in outcomes {
                let discharge = days.get(&outcome.enrollment).copied().flatten();
                rows.extend(follow(&entries, outcome, discharge, &zone));
            }
        }
        Ok(table(&rows))
    }
}

/// The rows of one follow-up.
fn follow(entries: &[Entry], outcome: &OutcomeRow, discharge: Option<Date>, zone: &TimeZone) -> Vec<Row> {
    let voided: BTreeSet<u64> = entries
        .iter()
        .filter_map(|entry| match entry.fact {
            Fact::Voided { seq, .. } => Some(seq),
            _ => None,
        })
        .collect();
    let horizon = i32::try_from(HORIZON_DAYS).unwrap_or(i32::MAX);
    let mut known = Known::default();
    let mut rows: BTreeMap<i32, Known> = BTreeMap::new();
    let mut start = discharge;
    let mine = entries.iter().filter(|entry| entry.enrollment == Some(outcome.enrollment));
    for entry in mine.filter(|entry| !voided.contains(&entry.seq)) {
        // A row holds what was written down by its day, whenever it had happened.
        let on = entry.recorded_at.to_zoned_datetime(zone.clone()).date();
        let from = *start.get_or_insert(on);
        if known.learn(entry, on) {
            rows.insert((on - from).get_days().max(0), known.clone());
        }
    }
    let Some(from) = start else { return Vec::new() };
    let happened = outcome.became.day().map(|day| (day - from).get_days());
    let end = happened.unwrap_or(horizon);
    let follow_up = (outcome.patient.to_string(), outcome.enrollment.to_string());
    rows.into_iter()
        .filter(|(day, _)| *day < end)
        .map(|(day, mut known)| {
            let since = known.answered_on.map(|on| f64::from(day - (on - from).get_days()));
            known.fixed.extend(since.map(|days| ("days_since_answer", days)));
            Row { follow_up: follow_up.clone(), day, known, time: end - day, event: happened.is_some() }
        })
        .collect()
}

impl Known {
    /// Learns from an entry; whether it is one after which a person or a rule would decide.
    fn learn(&mut self, entry: &Entry, on: Date) -> bool {
        match &entry.fact {
            Fact::Enrolled { facts, .. } => {
                for name in ["answers", "silences", "silences_in_a_row", "visits_missed", "alerts"] {
                    self.fixed.insert(name, 0.0);
                }
                self.fixed.insert("alerts_red", 0.0);
                self.facts.extend(facts.iter().map(|(name, value)| (name.to_string(), text(value))));
                true
            }
            Fact::FactSet { name, value } => {
                self.facts.insert(name.to_string(), text(value));
                true
            }
            Fact::Opened { about, due, .. } => {
                self.opened.insert(key(about), *due);
                false
            }
            Fact::Answered { about, answers, .. } => {
                self.add("answers");
                self.fixed.insert("silences_in_a_row", 0.0);
                self.answered_on = Some(on);
                if let Some(due) = self.opened.get(&key(about)) {
                    let hours = entry.occurred_at.duration_since(*due).as_secs_f64() / 3_600.0;
                    self.fixed.insert("hours_to_answer", (hours * 10.0).round() / 10.0);
                }
                for (item, answer) in answers {
                    if let Answer::Given { value, .. } = answer {
                        self.answer(&about.step, item, value);
                    }
                }
                true
            }
            Fact::Closed { how: Closing::Silent, .. } => {
                self.add("silences");
                self.add("silences_in_a_row");
                true
            }
            Fact::Outcome { code, .. } => {
                match code {
                    OutcomeCode::DidNotCome => self.add("visits_missed"),
                    OutcomeCode::CalledAdvice => {
                        self.fixed.insert("reached_by_phone", 1.0);
                    }
                    OutcomeCode::CouldNotReach => {
                        self.fixed.insert("reached_by_phone", 0.0);
                    }
                    _ => {}
                }
                true
            }
            Fact::TaskOpened(plan) if plan.rule.is_some() => {
                self.add("alerts");
                if plan.level <= LevelId::Red {
                    self.add("alerts_red");
                }
                true
            }
            _ => false,
        }
    }

    fn add(&mut self, name: &'static str) {
        *self.fixed.entry(name).or_default() += 1.0;
    }

    fn answer(&mut self, step: &Name, item: &Name, value: &Value) {
        let name = format!("{step}.{item}");
        match value {
            Value::Number(number) => {
                let now = number.to_f64();
                if let Some(before) = self.answers.insert(name.clone(), now) {
                    self.changes.insert(name, now - before);
                }
            }
            Value::Bool(yes) => {
                self.answers.insert(name, f64::from(u8::from(*yes)));
            }
            Value::Choice(level) => {
                self.facts.insert(name, level.to_string());
            }
            Value::Date(_) => {}
        }
    }
}

fn key(about: &Occurrence) -> (Name, u32, u32) {
    (about.step.clone(), about.generation, about.ordinal)
}

fn text(value: &Value) -> String {
    match value {
        Value::Bool(yes) => u8::from(*yes).to_string(),
        Value::Number(number) => number.to_string(),
        Value::Choice(level) => level.to_string(),
        Value::Date(date) => date.to_string(),
    }
}

fn table(rows: &[Row]) -> Landmarks {
    let names =
        |of: fn(&Row) -> Vec<&String>| -> BTreeSet<String> { rows.iter().flat_map(of).cloned().collect() };
    let facts = names(|row| row.known.facts.keys().collect());
    let answers = names(|row| row.known.answers.keys().collect());
    let changes = names(|row| row.known.changes.keys().collect());
    let mut header: Vec<String> = FIXED.iter().map(|name| (*name).to_owned()).collect();
    header.extend(facts.iter().cloned());
    header.extend(answers.iter().cloned());
    header.extend(changes.iter().map(|name| format!("{name}.change")));
    header.extend(["time", "event", LABEL].map(str::to_owned));
    let number = |value: Option<&f64>| value.map_or_else(String::new, ToString::to_string);
    let one = |row: &Row| {
        let known = &row.known;
        let mut cells = vec![row.follow_up.0.clone(), row.follow_up.1.clone(), row.day.to_string()];
        cells.extend(FIXED[3..].iter().map(|name| number(known.fixed.get(name))));
        cells.extend(facts.iter().map(|name| known.facts.get(name).cloned().unwrap_or_default()));
        cells.extend(answers.iter().map(|name| number(known.answers.get(name))));
        cells.extend(changes.iter().map(|name| number(known.changes.get(name))));
        let event = u8::from(row.event).to_string();
        cells.extend([row.time.to_string(), event.clone(), event]);
        cells
    };
    let follow_ups: BTreeSet<&str> = rows.iter().map(|row| row.follow_up.1.as_str()).collect();
    Landmarks { header, rows: rows.iter().map(one).collect(), follow_ups: follow_ups.len() }
}
