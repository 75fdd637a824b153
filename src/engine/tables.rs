//! The tables of the shipped protocols, written down once more by hand and laid out by date arithmetic of their own, and
//! compared with what the timeline draws. Nothing of the engine takes part in the expected side.

mod medicine;
mod surgery;

use std::collections::BTreeMap;

use jiff::tz::TimeZone;

use crate::{
    Name, Value,
    parse::{Compiled, span::parse_value},
    site::Calendar,
    timeline::{Known, Request, timeline},
};

/// Days since 0000-03-01, by the days of the months alone.
fn day_number((year, month, day): (i64, i64, i64)) -> i64 {
    let (y, m) = if month <= 2 { (year - 1, month + 9) } else { (year, month - 3) };
    365 * y + y.div_euclid(4) - y.div_euclid(100) + y.div_euclid(400) + (153 * m + 2) / 5 + day - 1
}

fn date_of(number: i64) -> (i64, i64, i64) {
    let mut year = number.div_euclid(365) + 1;
    while day_number((year, 1, 1)) > number {
        year -= 1;
    }
    let mut month = 12;
    while day_number((year, month, 1)) > number {
        month -= 1;
    }
    (year, month, number - day_number((year, month, 1)) + 1)
}

fn length_of_month(year: i64, month: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

/// A row of a table: an offset from the anchor.
#[derive(Clone, Copy)]
enum At {
    /// Days.
    D(i64),
    /// Months, clamped at the end of a month.
    M(i64),
}
use At::{D, M};

fn text_of((year, month, day): (i64, i64, i64)) -> String {
    format!("{year:04}-{month:02}-{day:02}")
}

fn parsed(text: &str) -> (i64, i64, i64) {
    let mut parts = text.split('-').map(|part| part.parse::<i64>().expect("a number"));
    let mut next = || parts.next().expect("three parts");
    (next(), next(), next())
}

fn laid_out(anchor: &str, at: At) -> String {
    let (year, month, day) = parsed(anchor);
    match at {
        D(days) => text_of(date_of(day_number((year, month, day)) + days)),
        M(months) => {
            let total = year * 12 + month - 1 + months;
            let (year, month) = (total.div_euclid(12), total.rem_euclid(12) + 1);
            text_of((year, month, day.min(length_of_month(year, month))))
        }
    }
}

fn d(days: &[i64]) -> Vec<At> {
    days.iter().map(|day| D(*day)).collect()
}

fn m(months: &[i64]) -> Vec<At> {
    months.iter().map(|month| M(*month)).collect()
}

fn days(from: i64, to: i64) -> Vec<At> {
    (from..=to).map(D).collect()
}

fn every(from: i64, to: i64, step: usize) -> Vec<At> {
    (from..=to).step_by(step).map(D).collect()
}

/// Weekdays (0 is Monday) between two days after the anchor. Day 0 of the count is a Wednesday.
fn weekdays(anchor: &str, wanted: &[i64], from: i64, to: i64) -> Vec<At> {
    let start = day_number(parsed(anchor));
    (from..=to).filter(|n| wanted.contains(&(start + n + 2).rem_euclid(7))).map(D).collect()
}

/// A patient of a workflow.
struct Patient {
    workflow: &'static str,
    main: &'static str,
    facts: &'static [(&'static str, &'static str)],
    anchors: &'static [(&'static str, &'static str)],
}

const fn patient(workflow: &'static str, main: &'static str) -> Patient {
    Patient { workflow, main, facts: &[], anchors: &[] }
}

fn drawn(compiled: &Compiled, patient: &Patient, step: &str, days: u32) -> Vec<String> {
    let workflow = compiled.workflow(patient.workflow).expect("shipped");
    let name = |text: &str| Name::parse(text).expect("a name");
    let fact = |(id, text): &(&str, &str)| {
        let def = workflow.facts.iter().find(|def| def.id == **id).expect("a fact of the workflow");
        (def.id.clone(), parse_value(text, &def.kind).expect("a value of the fact"))
    };
    let facts: BTreeMap<Name, Value> = patient.facts.iter().map(fact).collect();
    let from = patient.main.parse().expect("a date");
    let known = |(id, date): &(&str, &str)| Known {
        anchor: name(id),
        date: date.parse().expect("a date"),
        since: from,
    };
    let zone = TimeZone::get("Europe/London").expect("a zone");
    let request = Request {
        workflow,
        calendar: &Calendar::default(),
        zone: &zone,
        from,
        days,
        facts,
        anchors: patient.anchors.iter().map(known).collect(),
    };
    let lines = timeline(&request);
    lines
        .iter()
        .filter(|line| line.step == *step)
        .map(|line| zone.to_datetime(line.due).date().to_string())
        .collect()
}

#[track_caller]
fn check(compiled: &Compiled, patient: &Patient, until: u32, rows: &[(&str, Vec<At>)]) {
    check_from(compiled, patient, patient.main, until, rows);
}

/// The same for steps that count from another anchor.
#[track_caller]
fn check_from(compiled: &Compiled, patient: &Patient, anchor: &str, until: u32, rows: &[(&str, Vec<At>)]) {
    for (step, offsets) in rows {
        let expected: Vec<String> = offsets.iter().map(|at| laid_out(anchor, *at)).collect();
        assert_eq!(drawn(compiled, patient, step, until), expected, "{} {step}", patient.workflow);
    }
}

#[test]
fn own_arithmetic_is_right_where_it_is_known() {
    assert_eq!(laid_out("2026-01-31", M(3)), "2026-04-30");
    assert_eq!(laid_out("2026-01-31", M(6)), "2026-07-31");
    assert_eq!(laid_out("2027-11-30", M(3)), "2028-02-29");
    assert_eq!(laid_out("2026-02-28", D(1)), "2026-03-01");
    assert_eq!(laid_out("2028-02-28", D(1)), "2028-02-29");
    // 2 March 2026 is a Monday.
    assert_eq!(weekdays("2026-03-02", &[0], 0, 6).len(), 1);
    assert!(matches!(weekdays("2026-03-02", &[0], 0, 6)[0], D(0)));
}
