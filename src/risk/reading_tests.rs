//! Reading cells: what counts as missing, what is a number, and where it stands.

use std::collections::BTreeSet;

use crate::columns::{Recognised, recognise};
use crate::{FitError, Kind, RawTable, SchemaFile};

/// A column beside one that is always a number.
fn read(cells: &[&str]) -> Result<Recognised, FitError> {
    let mut table = RawTable::new(["age", "x"].map(str::to_owned).to_vec()).expect("names differ");
    for (row, cell) in cells.iter().enumerate() {
        table.push_row([(row % 7).to_string().as_str(), *cell].into_iter()).expect("fits");
    }
    recognise(&table, &[0, 1], &BTreeSet::new(), &SchemaFile::default())
}

fn repeated(cells: &[&'static str], times: usize) -> Vec<&'static str> {
    cells.iter().copied().cycle().take(cells.len() * times).collect()
}

fn refused(cells: &[&str]) -> String {
    read(cells).expect_err("is refused").to_string()
}

#[test]
fn what_says_that_nothing_is_known_is_missing_everywhere() {
    for word in ["NA", "N/A", "NaN", "nan", "null", "NULL", " NA "] {
        let found = read(&repeated(&["1", "2.5", word, word, word], 10)).expect("reads");
        assert!(matches!(found.features[1].kind, Kind::Number { .. }), "{word}");
        assert!(!found.features[1].required, "{word}: it is not always there");
        let found = read(&repeated(&["a", "b", word], 10)).expect("reads");
        let Kind::Category { levels } = &found.features[1].kind else { panic!("{word}: names") };
        assert_eq!(levels.len(), 2, "{word} is not a level");
    }
    let found = read(&repeated(&["NA"], 30)).expect("reads");
    assert_eq!(found.left_out, ["x: it is empty in every training row"]);
}

#[test]
fn a_number_that_is_not_written_as_one_is_refused_with_its_row() {
    for word in ["1,5", "inf", "<5", "-Infinity"] {
        let said = refused(&repeated(&["1", "2", "3", word], 10));
        assert!(said.starts_with("row 3, column \"x\""), "{said}");
        assert!(said.contains(word) && said.contains("--categorical x"), "{said}");
    }
    assert!(refused(&repeated(&["1,5", "2,25", "3"], 10)).contains("\"1,5\" is not a finite number"));
    // Bands are names.
    assert!(read(&repeated(&["<5", ">65", "other"], 10)).is_ok());
}

#[test]
fn names_among_numbers_are_never_taken_silently() {
    let found = read(&repeated(&["250", "428", "V57"], 10)).expect("reads");
    assert!(matches!(found.features[1].kind, Kind::Category { .. }));
    assert_eq!(found.warnings.len(), 1);
    assert!(
        found.warnings[0].contains("67 % of it are numbers; line 4 says \"V57\""),
        "{:?}",
        found.warnings
    );
    assert!(read(&repeated(&["a", "b", "1"], 10)).expect("reads").warnings.is_empty());
}

#[test]
fn dates_are_left_out_with_a_line() {
    for dates in
        [["2026-03-31", "2026-04-01"], ["31.03.2026", "1.4.2026"], ["2026-03-31 10:00", "2026-04-01T11:00"]]
    {
        let found = read(&repeated(&dates, 10)).expect("reads");
        assert_eq!(found.left_out, ["x: it holds dates; give the days between two of them as a number"]);
    }
}

#[test]
fn a_row_keeps_its_place_in_the_file() {
    let mut table = RawTable::new(vec!["a".to_owned()]).expect("names differ");
    for (line, cell) in [(2, "x"), (3, "two\nlines"), (5, "y")] {
        table.push_line(line, [cell].into_iter()).expect("fits");
    }
    assert_eq!(table.place(2), (2, 5));
    assert_eq!(table.select(&[2, 0]).place(0), (2, 5));
    assert_eq!(table.select(&[2, 0]).select(&[1]).place(0), (0, 2));
}
