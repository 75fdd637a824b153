//! Leaks of every kind are named and refused; clean columns are not.

use crate::rng::Rng;
use crate::{FitError, Leak, Options, OutcomeColumns, RawTable, Roles, fit};

const ROWS: usize = 1_200;

/// One to four rows per patient; `more` adds one column from (row, patient, time, event, later row).
type Column = fn(&Row) -> String;

struct Row {
    number: usize,
    patient: usize,
    time: f64,
    event: bool,
    later: bool,
    stay: f64,
    next_stay: Option<f64>,
}

fn rows() -> Vec<Row> {
    let mut rng = Rng::new(3, "leak tests");
    let mut out: Vec<Row> = Vec::new();
    let mut patient = 0;
    while out.len() < ROWS {
        let count = 1 + rng.below(4);
        for visit in 0..count {
            let stay = (1 + rng.below(14)) as f64;
            let time = (rng.exponential() * 200.0).ceil();
            let event = rng.uniform() < 0.4;
            let number = out.len();
            out.push(Row { number, patient, time, event, later: visit + 1 < count, stay, next_stay: None });
        }
        patient += 1;
    }
    for i in 1..out.len() {
        if out[i - 1].later {
            out[i - 1].next_stay = Some(out[i].stay);
        }
    }
    out
}

fn table(more: Option<Column>) -> RawTable {
    let names = ["pid", "age", "stay", "ward", "time", "event", "more"];
    let mut table = RawTable::new(names.map(str::to_owned).to_vec()).expect("names differ");
    let mut rng = Rng::new(4, "leak tests");
    for row in rows() {
        let age = 40.0 + (rng.uniform() * 50.0).floor();
        let cells = [
            row.patient.to_string(),
            age.to_string(),
            row.stay.to_string(),
            ["x", "y", "z"][rng.below(3)].to_owned(),
            row.time.to_string(),
            usize::from(row.event).to_string(),
            more.map_or_else(|| rng.below(5).to_string(), |more| more(&row)),
        ];
        table.push_row(cells.iter().map(String::as_str)).expect("fits");
    }
    table
}

fn leaks(table: &RawTable, survival: bool, allow: &[&str]) -> Vec<Leak> {
    let (outcome, drop) = if survival {
        let (time, event) = ("time".to_owned(), "event".to_owned());
        (OutcomeColumns::Survival { time, event }, Vec::new())
    } else {
        (OutcomeColumns::Label("event".to_owned()), vec!["time".to_owned()])
    };
    let roles = Roles { id: "pid".to_owned(), outcome, order: None, drop, categorical: Vec::new() };
    let allow_leak = allow.iter().map(|name| (*name).to_owned()).collect();
    // Ended at the first word of progress: the guard comes before anything is learned.
    match fit(table, &Options { roles, allow_leak, seed: 1, ..Options::default() }, &mut |_, _| false) {
        Err(FitError::Leaks(leaks)) => leaks,
        Err(other) => panic!("{other}"),
        Ok(_) => Vec::new(),
    }
}

fn refused(survival: bool, more: Column, says: &str) {
    let table = table(Some(more));
    let found = leaks(&table, survival, &[]);
    assert_eq!(found.iter().map(|leak| leak.column.as_str()).collect::<Vec<_>>(), ["more"]);
    assert!(found[0].why.contains(says), "{}", found[0].why);
    let sentence = FitError::Leaks(found).to_string();
    assert!(sentence.contains("--drop more") && sentence.contains("--allow-leak more"), "{sentence}");
}

#[test]
fn clean_columns_are_not_refused() {
    assert_eq!(leaks(&table(None), true, &[]), []);
    assert_eq!(leaks(&table(None), false, &[]), []);
}

#[test]
fn the_outcome_in_other_words() {
    let finer: Column = |row| if row.event { "soon" } else { ["late", "none"][row.number % 2] }.to_owned();
    refused(false, finer, "alone it tells who has the event (AUROC 1.000)");
    // Only a part of the events, but that part for certain.
    let level: Column =
        |row| if row.event && row.time < 60.0 { "gone" } else { ["a", "b"][row.number % 2] }.to_owned();
    refused(true, level, "every one of the");
}

#[test]
fn a_time_that_ended_with_the_event() {
    let stay: Column = |row| if row.number.is_multiple_of(10) { row.time } else { row.stay }.to_string();
    refused(true, stay, "it equals the time in");
}

#[test]
fn ids_of_rows_and_of_patients() {
    refused(false, |row| (row.number * 7 + 100).to_string(), "as an id has");
    refused(true, |row| (5_000 - row.patient * 3).to_string(), "one for each, as an id has");
}

#[test]
fn the_time_in_another_unit() {
    refused(true, |row| (row.time / 365.25).to_string(), "it goes with the time (rank correlation 1.000)");
    refused(true, |row| (row.time + 1.0).to_string(), "known only afterwards");
    // Of those without the event nothing is told.
    let event: Column = |row| if row.event { 1000.0 - row.time } else { 0.0 }.to_string();
    assert_eq!(leaks(&table(Some(event)), true, &[]).len(), 1);
}

#[test]
fn a_fine_measurement_is_no_id() {
    // A weight in grams, and a value that spreads over decades: hardly two rows share one.
    let grams: Column = |row| (45_000 + (row.number * 7_919) % 70_001).to_string();
    let decades: Column = |row| (10.0_f64.powf(3.0 + 2.5 * fraction(row.number)).floor()).to_string();
    for column in [grams, decades] {
        assert_eq!(leaks(&table(Some(column)), false, &[]), []);
        assert_eq!(leaks(&table(Some(column)), true, &[]), []);
    }
    // In no order, but without gaps: counted up and shuffled.
    let shuffled: Column = |row| ((row.number * 7) % 1_201).to_string();
    refused(false, shuffled, "as an id has");
}

/// A number from 0 to 1 that follows no order.
fn fraction(row: usize) -> f64 {
    (row as f64 * 0.618_033_988_749_895).fract()
}

#[test]
fn a_column_that_is_not_there_cannot_be_allowed() {
    let roles = Roles {
        id: "pid".to_owned(),
        outcome: OutcomeColumns::Label("event".to_owned()),
        order: None,
        drop: vec!["time".to_owned()],
        categorical: Vec::new(),
    };
    let options = Options { roles, allow_leak: vec!["zzz".to_owned()], seed: 1, ..Options::default() };
    let error = fit(&table(None), &options, &mut |_, _| false).expect_err("there is no such column");
    assert!(error.to_string().starts_with("there is no column \"zzz\""), "{error}");
}

#[test]
fn empty_by_outcome() {
    let dated: Column = |row| if row.event { (row.number % 9).to_string() } else { String::new() };
    refused(true, dated, "who has the event");
}

#[test]
fn a_later_row() {
    let comes: Column = |row| usize::from(row.later).to_string();
    refused(false, comes, "whether the patient has a later row");
    let next: Column = |row| row.next_stay.map_or_else(|| row.stay.to_string(), |stay| stay.to_string());
    refused(false, next, "what column \"stay\" says in the patient's next row");
}

#[test]
fn what_is_allowed_by_name_is_a_warning() {
    let finer: Column = |row| if row.event { "soon" } else { ["late", "none"][row.number % 2] }.to_owned();
    assert_eq!(leaks(&table(Some(finer)), false, &["more"]), []);
}
