//! Looking back: right, and never ahead.

use crate::history::{Lookback, Past, derive, look_back, read};
use crate::schema::{Feature, Kind, Source, Words};
use crate::table::RawTable;

const ROWS: [[&str; 5]; 6] = [
    // id, order, stay, ward, readmitted
    ["a", "10", "3", "x", "1"],
    ["b", "5", "7", "y", "0"],
    ["a", "30", "9", "x", "0"],
    ["a", "20", "4", "z", "0"],
    ["b", "5", "8", "y", "1"],
    ["c", "1", "2", "x", "0"],
];

fn table(rows: &[[&str; 5]]) -> RawTable {
    let names = ["id", "order", "stay", "ward", "readmitted"].map(str::to_owned).to_vec();
    let mut table = RawTable::new(names).expect("names differ");
    for row in rows {
        table.push_row(row.iter().copied()).expect("fits");
    }
    table
}

fn base() -> Vec<Feature> {
    let feature = |name: &str, kind: Kind| Feature {
        name: name.to_owned(),
        label: Words::same(name),
        unit: None,
        required: false,
        source: Source::Column,
        kind,
    };
    let levels = ["x", "y", "z"].map(|name| crate::Level { name: name.to_owned(), label: Words::same(name) });
    vec![
        feature("stay", Kind::Number { min: 0.0, max: 99.0, whole: true }),
        feature("ward", Kind::Category { levels: levels.to_vec() }),
    ]
}

fn back() -> Lookback {
    Lookback { id: "id".to_owned(), order: "order".to_owned(), label: Some("readmitted".to_owned()) }
}

fn value(rows: &[[&str; 5]], name: &str) -> Vec<f64> {
    let table = table(rows);
    let mut features = base();
    features.extend(derive(&table, &base(), &back()).expect("derives"));
    let frame = read(&table, &features, Some(&back())).expect("reads");
    let at = features.iter().position(|f| f.name == name).expect("is derived");
    (0..frame.rows()).map(|row| frame.row(row)[at]).collect()
}

fn same(found: &[f64], expected: &[f64]) {
    let equal = |(a, b): (&f64, &f64)| a == b || (a.is_nan() && b.is_nan());
    assert!(found.len() == expected.len() && found.iter().zip(expected).all(equal), "{found:?} {expected:?}");
}

#[test]
fn earlier_rows_are_those_of_the_same_id_before_in_order() {
    let nan = f64::NAN;
    same(&value(&ROWS, "@earlier_rows"), &[0.0, 0.0, 2.0, 1.0, 1.0, 0.0]);
    same(&value(&ROWS, "@gap"), &[nan, nan, 10.0, 10.0, 0.0, nan]);
    same(&value(&ROWS, "stay@previous"), &[nan, nan, 4.0, 3.0, 7.0, nan]);
    same(&value(&ROWS, "stay@change"), &[nan, nan, 5.0, 1.0, 1.0, nan]);
    same(&value(&ROWS, "ward@same"), &[nan, nan, 0.0, 0.0, 1.0, nan]);
    same(&value(&ROWS, "readmitted@previous"), &[nan, nan, 0.0, 1.0, 0.0, nan]);
    same(&value(&ROWS, "readmitted@earlier_share"), &[nan, nan, 0.5, 1.0, 0.0, nan]);
}

#[test]
fn a_later_row_changes_nothing_in_an_earlier_one() {
    let names = [
        "@earlier_rows",
        "@gap",
        "stay@previous",
        "stay@change",
        "ward@same",
        "readmitted@previous",
        "readmitted@earlier_share",
    ];
    let mut more = ROWS.to_vec();
    more.push(["a", "40", "1", "y", "1"]);
    more.push(["c", "2", "1", "y", "1"]);
    more[2] = ["a", "30", "99", "y", "1"];
    for name in names {
        let (before, after) = (value(&ROWS, name), value(&more, name));
        for row in [0, 1, 3, 4, 5] {
            same(&after[row..=row], &before[row..=row]);
        }
    }
    // Its own label says nothing of a row.
    same(&value(&more, "readmitted@previous")[2..=2], &value(&ROWS, "readmitted@previous")[2..=2]);
}

#[test]
fn a_survival_model_looks_back_over_no_outcome() {
    let without = Lookback { label: None, ..back() };
    let names: Vec<String> =
        derive(&table(&ROWS), &base(), &without).expect("derives").into_iter().map(|f| f.name).collect();
    assert_eq!(names, ["@earlier_rows", "@gap", "stay@previous", "stay@change", "ward@same"]);
}

#[test]
fn an_empty_order_is_refused_with_its_row() {
    let mut rows = ROWS;
    rows[3][1] = "";
    let error = derive(&table(&rows), &base(), &back()).expect_err("has no order");
    assert!(error.to_string().starts_with("row 3, column \"order\" is empty"), "{error}");
}

#[test]
fn one_patient_at_a_time_looks_back_over_the_same_as_a_file() {
    let table = table(&ROWS);
    let mut features = base();
    features.extend(derive(&table, &base(), &back()).expect("derives"));
    let frame = read(&table, &features, Some(&back())).expect("reads");
    // Patient a in order: rows 0, 3, 2.
    let past: Vec<Past> = [(0, true), (3, false)]
        .map(|(row, event): (usize, bool)| Past { values: frame.row(row).to_vec(), label: Some(event) })
        .to_vec();
    let mut values = frame.row(2).to_vec();
    values[base().len()..].fill(-7.0);
    look_back(&features, &past, &mut values);
    let gap = features.iter().position(|f| f.source == Source::Gap).expect("is derived");
    assert!(values[gap].is_nan(), "its unit is not known here");
    values[gap] = frame.row(2)[gap];
    same(&values, frame.row(2));
}
