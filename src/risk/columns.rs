//! From text cells to typed features and numbers.
//!
//! A row of values is a slice of `f64` in feature order: NaN is missing, a category is the index of its level.

use std::collections::{BTreeMap, BTreeSet};

use crate::error::{DataError, FitError};
use crate::schema::{Feature, Kind, Level, SchemaFile, Source, Words};
use crate::score::Abstain;
use crate::table::{RawTable, number};

/// Texts with more different values than this share of the rows are identifiers, not categories.
const IDENTIFIER_SHARE: f64 = 0.5;
/// ... when there are also more than this many.
const IDENTIFIER_LEVELS: usize = 50;
/// From this share of numbers on a column is numeric, and the rest of it are errors; numbers that are not written as such
/// (1,5 or <5 or inf) count.
const NUMERIC_SHARE: f64 = 0.9;
/// From this share on a column of names is worth a look.
const MOSTLY: f64 = 0.5;
/// From this share of dates on a column holds dates.
const DATES_SHARE: f64 = 0.9;

/// Values of many rows, row by row.
#[derive(Debug, Clone, Default)]
pub struct Frame {
    /// Features per row.
    pub width: usize,
    /// `rows * width` values.
    pub values: Vec<f64>,
    /// Per row why it would not be scored, if so.
    pub abstain: Vec<Option<Abstain>>,
}

impl Frame {
    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.abstain.len()
    }

    /// The values of one row.
    pub fn row(&self, row: usize) -> &[f64] {
        &self.values[row * self.width..(row + 1) * self.width]
    }

    /// The rows named, in that order.
    pub fn select(&self, rows: &[usize]) -> Self {
        Self {
            width: self.width,
            values: rows.iter().flat_map(|r| self.row(*r)).copied().collect(),
            abstain: rows.iter().map(|r| self.abstain[*r].clone()).collect(),
        }
    }
}

/// What was recognised in the columns.
#[derive(Debug, Clone)]
pub struct Recognised {
    /// The features, in file order.
    pub features: Vec<Feature>,
    /// Columns left out, each with the reason.
    pub left_out: Vec<String>,
    /// Columns that are worth a look, each with the reason.
    pub warnings: Vec<String>,
}

/// Recognises the type, range and levels of every input column of the training rows.
pub fn recognise(
    table: &RawTable,
    inputs: &[usize],
    categorical: &BTreeSet<String>,
    schema: &SchemaFile,
) -> Result<Recognised, FitError> {
    let mut found = Recognised { features: Vec::new(), left_out: Vec::new(), warnings: Vec::new() };
    for &column in inputs {
        let name = &table.header()[column];
        match kind_of(table, column, categorical.contains(name))? {
            Ok(kind) => {
                let forced = categorical.contains(name);
                found.warnings.extend(mostly_numbers(table, column, &kind).filter(|_| !forced));
                found.features.push(feature(name, kind, schema)?);
            }
            Err(why) => found.left_out.push(format!("{name}: {why}")),
        }
    }
    if let Some(words) = schema.feature.iter().find(|w| table.find(&w.name).is_none()) {
        return Err(FitError::Schema(format!(
            "the schema file describes column \"{}\", which the data does not have; correct the name or remove the entry",
            words.name
        )));
    }
    if found.features.is_empty() {
        return Err(DataError::NoInputs.into());
    }
    let any_required = schema.feature.iter().any(|words| words.required);
    for feature in &mut found.features {
        let column = table.column(&feature.name)?;
        let complete = (0..table.rows()).all(|row| !table.cell(row, column).is_empty());
        feature.required = match schema.words(&feature.name) {
            Some(words) => words.required,
            // Nobody said otherwise: the model has never seen this column empty.
            None => complete && !any_required,
        };
    }
    Ok(found)
}

fn kind_of(table: &RawTable, column: usize, forced: bool) -> Result<Result<Kind, &'static str>, DataError> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for row in 0..table.rows() {
        *counts.entry(table.cell(row, column)).or_default() += 1;
    }
    counts.remove("");
    let filled: usize = counts.values().sum();
    if filled == 0 {
        return Ok(Err("it is empty in every training row"));
    }
    let numeric: usize = counts.iter().filter(|(cell, _)| number(cell).is_ok()).map(|(_, count)| count).sum();
    if counts.len() < 2 && filled == table.rows() {
        return Ok(Err("it has the same value in every row"));
    }
    let share_of = |is: fn(&str) -> bool| {
        let found: usize = counts.iter().filter(|(cell, _)| is(cell)).map(|(_, count)| count).sum();
        found as f64 / filled as f64
    };
    let numbers = numeric as f64 / filled as f64;
    let almost = numbers + share_of(is_almost_number);
    let comma = share_of(|cell| number(cell).is_err() && number(&cell.replace(',', ".")).is_ok());
    if !forced && almost >= NUMERIC_SHARE && numbers + comma >= MOSTLY {
        return number_kind(table, column).map(Ok);
    }
    if !forced && share_of(is_date) >= DATES_SHARE {
        return Ok(Err("it holds dates; give the days between two of them as a number"));
    }
    let share = counts.len() as f64 / filled as f64;
    if !forced && counts.len() > IDENTIFIER_LEVELS && share > IDENTIFIER_SHARE {
        return Ok(Err("it looks like an identifier or free text (force it with --categorical)"));
    }
    let levels = counts.keys().map(|name| Level { name: (*name).to_owned(), label: Words::same(name) });
    Ok(Ok(Kind::Category { levels: levels.collect() }))
}

/// A number that is not written as one: a decimal comma, a limit, infinity.
fn is_almost_number(cell: &str) -> bool {
    let bare = cell.trim_start_matches(['<', '>', '≤', '≥', '=', '~', ' ']).replace(',', ".");
    number(cell).is_err() && bare.parse::<f64>().is_ok()
}

/// 2026-03-31, 31.03.2026 or 3/31/2026, with or without a time.
fn is_date(cell: &str) -> bool {
    let day = cell.split([' ', 'T']).next().unwrap_or_default();
    ['-', '/', '.'].into_iter().any(|between| {
        let parts: Vec<&str> = day.split(between).collect();
        let digits = parts.iter().all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()));
        let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
        digits && matches!(lengths.as_slice(), [4, 1..=2, 1..=2] | [1..=2, 1..=2, 4])
    })
}

/// That a category is mostly of numbers, with the first cell that is none.
fn mostly_numbers(table: &RawTable, column: usize, kind: &Kind) -> Option<String> {
    let Kind::Category { .. } = kind else { return None };
    let filled = || (0..table.rows()).filter(|row| !table.cell(*row, column).is_empty());
    let numbers = filled().filter(|row| number(table.cell(*row, column)).is_ok()).count();
    let odd = filled().find(|row| number(table.cell(*row, column)).is_err())?;
    let share = numbers as f64 / filled().count() as f64;
    (share > MOSTLY).then(|| {
        format!(
            "{}: it is read as names of categories, but {:.0} % of it are numbers; line {} says \"{}\"",
            table.header()[column],
            100.0 * share,
            table.place(odd).1,
            table.cell(odd, column).chars().take(60).collect::<String>()
        )
    })
}

fn number_kind(table: &RawTable, column: usize) -> Result<Kind, DataError> {
    let (mut min, mut max) = (f64::INFINITY, f64::NEG_INFINITY);
    let mut whole = true;
    let mut zero_one = true;
    for row in 0..table.rows() {
        let cell = table.cell(row, column);
        let value = number(cell).map_err(|()| DataError::NotANumber {
            row,
            column: table.header()[column].clone(),
            value: cell.to_owned(),
        })?;
        let Some(value) = value else { continue };
        min = min.min(value);
        max = max.max(value);
        whole &= value.fract() == 0.0;
        zero_one &= value == 0.0 || value == 1.0;
    }
    Ok(if zero_one { Kind::Boolean } else { Kind::Number { min, max, whole } })
}

fn feature(name: &str, mut kind: Kind, schema: &SchemaFile) -> Result<Feature, FitError> {
    let words = schema.words(name);
    match (&mut kind, words) {
        (Kind::Number { min, max, .. }, Some(words)) => {
            if let Some([low, high]) = words.range {
                if low > *min || high < *max {
                    return Err(FitError::Schema(format!(
                        "the schema file gives column \"{name}\" the range {low} to {high}, but the data reaches from {min} to {max}; widen the range or correct the data"
                    )));
                }
                (*min, *max) = (low, high);
            }
        }
        (Kind::Category { levels }, Some(words)) => {
            for level in levels.iter_mut() {
                if let Some(known) = words.levels.iter().find(|l| l.name == level.name) {
                    level.label = known.label.clone();
                }
            }
        }
        (Kind::Boolean, Some(_)) | (_, None) => {}
    }
    Ok(Feature {
        name: name.to_owned(),
        label: words.map_or_else(|| Words::same(name), |w| w.label.clone()),
        unit: words.and_then(|w| w.unit.clone()),
        required: false,
        source: Source::Column,
        kind,
    })
}

/// One cell as a value, with the reason to abstain when it is not one that the model knows.
pub fn read_cell(feature: &Feature, cell: &str) -> (f64, Option<Abstain>) {
    let unseen = || Abstain::UnseenKind {
        feature: feature.name.clone(),
        label: feature.label.clone(),
        value: cell.chars().take(60).collect(),
    };
    match &feature.kind {
        Kind::Number { .. } | Kind::Boolean => match number(cell) {
            Ok(Some(value)) => (value, judge(feature, value)),
            Ok(None) => (f64::NAN, judge(feature, f64::NAN)),
            Err(()) => (f64::NAN, Some(unseen())),
        },
        Kind::Category { levels } => {
            if cell.is_empty() {
                return (f64::NAN, judge(feature, f64::NAN));
            }
            match levels.binary_search_by(|level| level.name.as_str().cmp(cell)) {
                Ok(index) => (index as f64, None),
                Err(_) => (f64::NAN, Some(unseen())),
            }
        }
    }
}

/// Why a value that was read cannot be scored, if so.
pub fn judge(feature: &Feature, value: f64) -> Option<Abstain> {
    if value.is_nan() {
        return feature.required.then(|| Abstain::RequiredMissing {
            feature: feature.name.clone(),
            label: feature.label.clone(),
        });
    }
    let (min, max) = match &feature.kind {
        Kind::Number { min, max, .. } => (*min, *max),
        Kind::Boolean if value != 0.0 && value != 1.0 => (0.0, 1.0),
        Kind::Boolean | Kind::Category { .. } => return None,
    };
    let outside = value < min || value > max || matches!(feature.kind, Kind::Boolean);
    outside.then(|| Abstain::OutOfRange {
        feature: feature.name.clone(),
        label: feature.label.clone(),
        value,
        min,
        max,
    })
}

/// Reads the columns of `features` whose source is a column; a column that the table lacks is missing.
pub fn read_columns(table: &RawTable, features: &[Feature]) -> Frame {
    let columns: Vec<Option<usize>> = features.iter().map(|f| table.find(&f.name)).collect();
    let mut frame = Frame {
        width: features.len(),
        values: Vec::with_capacity(features.len() * table.rows()),
        abstain: Vec::with_capacity(table.rows()),
    };
    for row in 0..table.rows() {
        let mut why = None;
        for (feature, column) in features.iter().zip(&columns) {
            let cell = column.map_or("", |column| table.cell(row, column));
            let (value, problem) = read_cell(feature, cell);
            frame.values.push(value);
            why = why.or(problem);
        }
        frame.abstain.push(why);
    }
    frame
}
