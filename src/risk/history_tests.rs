//! Looking back: right, and never ahead.

use crate::history::{Lookback, Past, derive, label_goes_on, look_back, read};
use crate::metrics::binary::auroc;
use crate::rng::Rng;
use crate::schema::{Feature, Kind, Source, Words};
use crate::table::RawTable;
use crate::{Options, OutcomeColumns, Roles, fit};

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

/// Five days of each of 200 follow-ups: what became of it stands in every row, and nothing else says anything of it.
fn landmarks() -> RawTable {
    let names = ["patient", "day", "pain", "silences", "readmit30"].map(str::to_owned).to_vec();
    let mut table = RawTable::new(names).expect("names differ");
    let mut rng = Rng::new(5, "landmarks");
    for patient in 0..200 {
        let label = usize::from(rng.uniform() < 0.3);
        for day in 1..=5 {
            let cells = [patient, day, rng.below(11), rng.below(3), label].map(|n| n.to_string());
            table.push_row(cells.iter().map(String::as_str)).expect("fits");
        }
    }
    table
}

#[test]
fn what_became_of_a_follow_up_is_not_told_by_its_earlier_rows() {
    let roles = Roles {
        id: "patient".to_owned(),
        outcome: OutcomeColumns::Label("readmit30".to_owned()),
        order: Some("day".to_owned()),
        drop: Vec::new(),
        categorical: Vec::new(),
    };
    let fitted = fit(&landmarks(), &Options { roles, seed: 1, ..Options::default() }, &mut |_, _| true)
        .expect("trains");
    let names: Vec<&str> = fitted.model.features().iter().map(|f| f.name.as_str()).collect();
    assert!(
        names.contains(&"@earlier_rows") && !names.iter().any(|n| n.starts_with("readmit30@")),
        "{names:?}"
    );
    let left_out = &fitted.model.file().training.left_out;
    assert!(left_out.iter().any(|line| line.contains("goes on from row to row")), "{left_out:?}");
    let risk: Vec<f64> = fitted.held_out.iter().map(|z| z[0]).collect();
    let label: Vec<bool> = fitted.observed.iter().map(|row| row.event).collect();
    let auroc = auroc(&risk, &label);
    assert!((0.4..0.6).contains(&auroc), "nothing is known: {auroc}");
}

#[test]
fn a_label_of_its_own_row_is_looked_back_at() {
    let mut table = table(&ROWS);
    assert_eq!(label_goes_on(&table, &back()).expect("reads"), None);
    // Rare and the same for nearly everybody: chance, not one outcome in several rows.
    for patient in 0..300 {
        for (order, label) in [("1", patient % 50 == 0), ("2", patient % 47 == 0)] {
            let patient = format!("p{patient}");
            let cells = [patient.as_str(), order, "3", "x", if label { "1" } else { "0" }];
            table.push_row(cells.into_iter()).expect("fits");
        }
    }
    assert_eq!(label_goes_on(&table, &back()).expect("reads"), None);
}
