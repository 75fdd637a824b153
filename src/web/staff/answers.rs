//! What a patient answered: each number over time as a chart with a table behind it, and each form as it was filled in.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use tend_engine::{
    Decimal, Name, Value,
    fact::{Answer, Entry, Fact},
    instrument,
    model::{ItemKind, Questionnaire},
    planner::Library,
};

use super::{
    Signed,
    answer::worded,
    chart,
    chart::{Bounds, Point},
    vocabulary as v,
};
use crate::{
    store::read::patient::{HistoryLine, PatientRow},
    web::words::{Chart, Staff},
};

/// Forms that are shown item by item.
const FORMS_SHOWN: usize = 5;
/// Rows of a table behind a chart.
const TABLE_ROWS: usize = 60;

/// A number over time.
#[derive(Debug)]
pub struct Series {
    /// What it is.
    pub title: String,
    /// The picture.
    pub svg: String,
    /// Day, value and remark, latest first.
    pub rows: Vec<(String, String, &'static str)>,
}

/// A form as it was filled in.
#[derive(Debug)]
pub struct Filled {
    /// Which and when.
    pub title: String,
    /// Question and answer.
    pub rows: Vec<(String, String)>,
    /// Totals with their bands.
    pub totals: Vec<String>,
}

/// An answer after corrections.
struct Given<'a> {
    entry: &'a Entry,
    questionnaire: Name,
    answers: &'a BTreeMap<Name, Answer>,
    words: &'a BTreeMap<String, String>,
    workflow: std::sync::Arc<tend_engine::model::Workflow>,
}

impl Given<'_> {
    fn asked(&self) -> Option<&Questionnaire> {
        self.workflow.questionnaires.get(&self.questionnaire)
    }
}

/// Charts and forms out of the latest answers: instants in the site's zone, days as the patient lived them.
pub fn of(
    signed: &Signed,
    row: &PatientRow,
    library: &Library,
    lines: &[HistoryLine],
    (zone, own): (&TimeZone, &TimeZone),
) -> (Vec<Series>, Vec<Filled>) {
    let given = given(row, library, lines);
    (series(signed, &given, own), given.iter().take(FORMS_SHOWN).map(|g| filled(signed, g, zone)).collect())
}

/// The answers that hold: without the voided ones, and as they were corrected. Latest first.
fn given<'a>(row: &PatientRow, library: &Library, lines: &'a [HistoryLine]) -> Vec<Given<'a>> {
    let mut instead: BTreeMap<u64, Option<&Fact>> = BTreeMap::new();
    for line in lines.iter().rev() {
        match &line.entry.fact {
            Fact::Voided { seq, .. } => _ = instead.insert(*seq, None),
            Fact::Corrected { seq, instead: fact, .. } => _ = instead.insert(*seq, Some(fact)),
            _ => {}
        }
    }
    lines
        .iter()
        .filter_map(|line| {
            let fact = match instead.get(&line.entry.seq) {
                Some(None) => return None,
                Some(Some(fact)) => *fact,
                None => &line.entry.fact,
            };
            let Fact::Answered { questionnaire, answers, .. } = fact else { return None };
            let enrollment = row.state.enrollments.get(&line.entry.enrollment?)?;
            Some(Given {
                entry: &line.entry,
                questionnaire: questionnaire.clone(),
                answers,
                words: &line.words,
                workflow: library.get(&enrollment.version)?.clone(),
            })
        })
        .collect()
}

fn series(signed: &Signed, given: &[Given<'_>], zone: &TimeZone) -> Vec<Series> {
    let mut points: BTreeMap<String, (Bounds, Vec<Point>)> = BTreeMap::new();
    for answer in given.iter().rev() {
        let Some(asked) = answer.asked() else { continue };
        let day = answer.entry.occurred_at.to_zoned_datetime(zone.clone()).date();
        for item in &asked.items {
            let (unit, bounds) = match &item.kind {
                ItemKind::Whole { min, max } => ("", Bounds::whole(*min, *max)),
                ItemKind::Quantity { unit, min, max, .. } => (unit.as_str(), Bounds::of(*min, *max)),
                ItemKind::Choice(_) | ItemKind::YesNo | ItemKind::Text { .. } => continue,
            };
            if let Some(Answer::Given { value: Value::Number(value), doubtful }) =
                answer.answers.get(&item.id)
            {
                let title = titled(v::text(signed.lang, &item.ask), unit);
                let (_, of) = points.entry(title).or_insert_with(|| (bounds, Vec::new()));
                of.push(Point { day, value: *value, doubtful: *doubtful });
            }
        }
        for total in &asked.scores {
            if let Some(value) = instrument::score(total, asked, answer.answers).total {
                let title = v::text(signed.lang, &total.label).to_owned();
                let (_, of) = points.entry(title).or_insert_with(|| (Bounds::points(), Vec::new()));
                of.push(Point { day, value, doubtful: false });
            }
        }
    }
    points.into_iter().map(|(title, (bounds, points))| drawn(signed, title, &bounds, &points)).collect()
}

fn titled(text: &str, unit: &str) -> String {
    if unit.is_empty() { text.to_owned() } else { format!("{text} ({unit})") }
}

fn drawn(signed: &Signed, title: String, bounds: &Bounds, points: &[Point]) -> Series {
    let c = Chart(signed.lang);
    let row = |point: &Point| {
        let remark = if point.doubtful { c.doubtful() } else { "" };
        (point.day.to_string(), point.value.to_string(), remark)
    };
    Series {
        // One value is no course.
        svg: match points {
            [one] => format!("<p>{}</p>", chart::escape(&c.one_value(one.day, one.value))),
            points => chart::svg(&c.chart_of(&title, points.len()), points, bounds),
        },
        rows: points.iter().rev().take(TABLE_ROWS).map(row).collect(),
        title,
    }
}

fn filled(signed: &Signed, given: &Given<'_>, zone: &TimeZone) -> Filled {
    let asked = given.asked();
    let when = v::instant(zone, given.entry.occurred_at);
    let title =
        asked.map_or_else(|| given.questionnaire.to_string(), |a| v::text(signed.lang, &a.title).to_owned());
    let rows = given
        .answers
        .iter()
        .map(|(id, answer)| {
            let item = asked.and_then(|asked| asked.items.iter().find(|item| item.id == *id));
            let label =
                item.map_or_else(|| id.to_string(), |item| v::text(signed.lang, &item.ask).to_owned());
            let text = given.words.get(id.as_str()).map(String::as_str);
            (label, worded(signed, item, answer, text))
        })
        .collect();
    Filled { title: format!("{title} · {when}"), rows, totals: totals(signed, asked, given.answers) }
}

fn totals(signed: &Signed, asked: Option<&Questionnaire>, answers: &BTreeMap<Name, Answer>) -> Vec<String> {
    let w = Staff(signed.lang);
    let Some(asked) = asked else { return Vec::new() };
    let one = |def: &tend_engine::model::ScoreDef| {
        let result = instrument::score(def, asked, answers);
        let label = v::text(signed.lang, &def.label);
        let shown = |total: Decimal| match instrument::band(def, total) {
            Some(band) => format!("{label}: {total} ({})", v::text(signed.lang, &band.label)),
            None => format!("{label}: {total}"),
        };
        result.total.map_or_else(|| format!("{label}: {}", w.unknown()), shown)
    };
    asked.scores.iter().map(one).collect()
}
