//! The leak guard: columns that know what they cannot know on the day of the score.
//!
//! Each finding names the column and the figure behind it. What nearly gives the outcome away is refused unless the
//! caller allows it by name; what only looks odd is a warning.

use std::collections::{BTreeMap, BTreeSet};

use crate::hazard::Observed;
use crate::metrics::binary::auroc;
use crate::outcome::OutcomeColumns;
use crate::table::{RawTable, number};

/// A column that alone ranks the outcome this well is refused.
const SEPARATES: f64 = 0.95;
/// ... or ranks it this well merely by being empty.
const SEPARATES_EMPTY: f64 = 0.9;
/// ... or says whether the patient comes again.
const SEPARATES_LATER: f64 = 0.95;
/// A level whose every row has the event is refused when chance makes it rarer than ten to this power.
const PURE_LOG10: f64 = -12.0;
/// ... and warned of from here on, or when no row has it.
const ODD_LOG10: f64 = -9.0;
/// Share of all events that such a level must hold to be refused: some signs do come only with the worst.
const PURE_SHARE: f64 = 0.2;
/// Fewest patients behind a level that is judged.
const LEAST_IDS: usize = 20;
/// Share of different values from which whole numbers are an id.
const ID_SHARE: f64 = 0.98;
/// Fewest ids for that.
const ID_ROWS: usize = 100;
/// Rows that may equal the time by chance.
const EQUAL_ROWS: f64 = 10.0;
/// ... and how many times more than in rows put beside another row's time.
const EQUAL_TIMES: f64 = 5.0;
/// Bins that a number is cut into.
const BINS: usize = 20;
/// Share of a column that agrees with the next row from which it is read from there.
const AGREES: f64 = 0.95;

/// ... while the same row agrees less than this.
const DIFFERS: f64 = 0.85;

/// What is wrong with a column.
#[derive(Debug, Clone, PartialEq)]
pub struct Leak {
    /// The column.
    pub column: String,
    /// Refused unless allowed; else a warning.
    pub refused: bool,
    /// What was seen, with the figure.
    pub why: String,
}

/// Looks at every input column.
pub fn leaks(
    table: &RawTable,
    inputs: &[usize],
    observed: &[Observed],
    ids: &[usize],
    outcome: &OutcomeColumns,
) -> Vec<Leak> {
    let patients = ids.iter().max().map_or(0, |m| m + 1);
    let survival = matches!(outcome, OutcomeColumns::Survival { .. });
    let look = Look { table, observed, ids, patients, later: later(ids, patients), survival };
    inputs.iter().flat_map(|column| look.at(*column)).collect()
}

struct Look<'a> {
    table: &'a RawTable,
    observed: &'a [Observed],
    ids: &'a [usize],
    patients: usize,
    /// The next row of the same patient; none at all when every patient has as many rows as the next one.
    later: Option<Vec<Option<usize>>>,
    survival: bool,
}

/// A column cut into parts: levels, or bins of a number; empty cells are a part of their own.
struct Parts {
    of: Vec<usize>,
    names: Vec<String>,
    empty: Option<usize>,
}

impl Look<'_> {
    fn at(&self, column: usize) -> Option<Leak> {
        let name = &self.table.header()[column];
        let numbers = self.numbers(column);
        let parts = self.parts(column, numbers.as_deref());
        let refused = self
            .is_id(column, numbers.as_deref())
            .or_else(|| numbers.as_deref().and_then(|n| self.equals_time(n)))
            .or_else(|| self.separates(&parts))
            .or_else(|| self.empty_by_outcome(&parts))
            .or_else(|| self.pure(&parts, PURE_LOG10, true, PURE_SHARE))
            .or_else(|| self.knows_later(column, &parts));
        if let Some(why) = refused {
            return Some(Leak { column: name.clone(), refused: true, why });
        }
        let odd =
            self.pure(&parts, ODD_LOG10, true, 0.0).or_else(|| self.pure(&parts, ODD_LOG10, false, 0.0));
        odd.map(|why| Leak { column: name.clone(), refused: false, why })
    }

    /// The column as numbers, when all that is filled is one.
    fn numbers(&self, column: usize) -> Option<Vec<f64>> {
        (0..self.table.rows())
            .map(|row| Some(number(self.table.cell(row, column)).ok()?.unwrap_or(f64::NAN)))
            .collect()
    }

    fn parts(&self, column: usize, numbers: Option<&[f64]>) -> Parts {
        let mut names: BTreeMap<&str, usize> = BTreeMap::new();
        (0..self.table.rows()).for_each(|row| {
            names.entry(self.table.cell(row, column)).or_default();
        });
        if let Some(numbers) = numbers.filter(|_| names.len() > BINS + 1) {
            return binned(numbers);
        }
        names.values_mut().enumerate().for_each(|(i, at)| *at = i);
        Parts {
            of: (0..self.table.rows()).map(|row| names[self.table.cell(row, column)]).collect(),
            empty: names.get("").copied(),
            names: names.keys().map(|name| (*name).to_owned()).collect(),
        }
    }

    /// Whole numbers that hardly repeat, or that stand for the id one to one.
    fn is_id(&self, column: usize, numbers: Option<&[f64]>) -> Option<String> {
        let whole = numbers.is_some_and(|n| n.iter().all(|v| v.is_nan() || v.fract() == 0.0));
        if !whole || self.patients < ID_ROWS {
            return None;
        }
        let rows = self.table.rows();
        let distinct: BTreeSet<&str> = (0..rows).map(|row| self.table.cell(row, column)).collect();
        if distinct.len() as f64 >= ID_SHARE * rows as f64 {
            return Some(format!(
                "it has {} different whole numbers in {rows} rows, as an id has",
                distinct.len()
            ));
        }
        let pairs: BTreeSet<(usize, &str)> =
            (0..rows).map(|row| (self.ids[row], self.table.cell(row, column))).collect();
        (pairs.len() == self.patients && distinct.len() as f64 >= ID_SHARE * self.patients as f64).then(
            || {
                format!(
                    "it has {} values for {} patients, one for each, as an id has",
                    distinct.len(),
                    self.patients
                )
            },
        )
    }

    /// A stay that ended with the event is as long as the time.
    fn equals_time(&self, numbers: &[f64]) -> Option<String> {
        if !self.survival {
            return None;
        }
        let rows = numbers.len();
        let equal = |apart: usize| {
            (0..rows).filter(|row| numbers[*row] == self.observed[(row + apart) % rows].time).count() as f64
        };
        let own = equal(0);
        let chance = (1..=BINS).map(|k| equal(k * rows / (BINS + 1) + 1)).sum::<f64>() / BINS as f64;
        (own > EQUAL_ROWS && own > EQUAL_TIMES * (chance + 1.0)).then(|| {
            format!("it equals the time in {own} rows ({chance:.1} would by chance), so it is known only afterwards")
        })
    }

    fn rank(&self, score: &[f64], outcome: &[bool]) -> f64 {
        let a = auroc(score, outcome);
        if a.is_nan() { 0.5 } else { a.max(1.0 - a) }
    }

    fn events(&self) -> Vec<bool> {
        self.observed.iter().map(|row| row.event).collect()
    }

    /// Each row's share of outcomes in its part, drawn to the overall share when the part is small.
    fn by_part(&self, parts: &Parts, outcome: &[bool]) -> Vec<f64> {
        let overall = outcome.iter().filter(|y| **y).count() as f64 / outcome.len().max(1) as f64;
        let mut sums = vec![(0.0, 0.0); parts.names.len()];
        for (part, y) in parts.of.iter().zip(outcome) {
            sums[*part].0 += f64::from(u8::from(*y));
            sums[*part].1 += 1.0;
        }
        parts.of.iter().map(|part| (sums[*part].0 + 5.0 * overall) / (sums[*part].1 + 5.0)).collect()
    }

    fn separates(&self, parts: &Parts) -> Option<String> {
        let events = self.events();
        let a = self.rank(&self.by_part(parts, &events), &events);
        (a >= SEPARATES).then(|| format!("alone it tells who has the event (AUROC {a:.3})"))
    }

    fn empty_by_outcome(&self, parts: &Parts) -> Option<String> {
        let empty = parts.empty?;
        let score: Vec<f64> = parts.of.iter().map(|part| f64::from(u8::from(*part == empty))).collect();
        let a = self.rank(&score, &self.events());
        (a >= SEPARATES_EMPTY).then(|| format!("whether it is empty tells who has the event (AUROC {a:.3})"))
    }

    /// A part of which all rows (or none) have the event, against chance, counted by patient.
    fn pure(&self, parts: &Parts, log10: f64, all: bool, held: f64) -> Option<String> {
        let mut of: Vec<(usize, usize, BTreeSet<usize>)> = vec![Default::default(); parts.names.len()];
        for (row, part) in parts.of.iter().enumerate() {
            let slot = &mut of[*part];
            slot.0 += usize::from(self.observed[row].event);
            slot.1 += 1;
            slot.2.insert(self.ids[row]);
        }
        let events = self.observed.iter().filter(|row| row.event).count() as f64;
        let share = events / self.observed.len().max(1) as f64;
        let chance = if all { share } else { 1.0 - share };
        let found = of.iter().zip(&parts.names).find(|((own, rows, ids), _)| {
            let pure = if all { own == rows && *own as f64 >= held * events } else { *own == 0 };
            pure && ids.len() >= LEAST_IDS && ids.len() as f64 * chance.log10() <= log10
        });
        found.map(|((_, rows, ids), name)| {
            let what = if name.is_empty() { "it is empty".to_owned() } else { format!("it is \"{name}\"") };
            let who = if all { "every one" } else { "none" };
            format!(
                "where {what}, {who} of the {rows} rows ({} patients) has the event, against {:.1} % overall",
                ids.len(),
                100.0 * share
            )
        })
    }

    /// Says whether the patient comes again, or holds what the next row says.
    fn knows_later(&self, column: usize, parts: &Parts) -> Option<String> {
        let later = self.later.as_ref()?;
        let comes: Vec<bool> = later.iter().map(Option::is_some).collect();
        let a = self.rank(&self.by_part(parts, &comes), &comes);
        if a >= SEPARATES_LATER {
            return Some(format!("it tells whether the patient has a later row (AUROC {a:.3})"));
        }
        let cell = |row: usize, other: usize| self.table.cell(row, other);
        let pairs: Vec<(usize, usize)> = later
            .iter()
            .enumerate()
            .filter_map(|(row, next)| Some((row, (*next)?)))
            .filter(|(row, _)| !cell(*row, column).is_empty())
            .collect();
        if pairs.len() < ID_ROWS {
            return None;
        }
        let share = |other: usize, ahead: bool| {
            let equal = |(row, next): &&(usize, usize)| {
                cell(*row, column) == cell(if ahead { *next } else { *row }, other)
            };
            pairs.iter().filter(equal).count() as f64 / pairs.len() as f64
        };
        let from = (0..self.table.header().len())
            .filter(|other| *other != column)
            .find(|other| share(*other, true) >= AGREES && share(*other, false) < DIFFERS)?;
        let (from, share) = (&self.table.header()[from], share(from, true));
        Some(format!(
            "it is what column \"{from}\" says in the patient's next row (in {:.1} %)",
            100.0 * share
        ))
    }
}

fn binned(numbers: &[f64]) -> Parts {
    let mut sorted: Vec<f64> = numbers.iter().copied().filter(|v| !v.is_nan()).collect();
    sorted.sort_by(f64::total_cmp);
    let mut cuts: Vec<f64> = (1..BINS).map(|b| sorted[b * (sorted.len() - 1) / BINS]).collect();
    cuts.dedup();
    let bin = |v: f64| if v.is_nan() { cuts.len() + 1 } else { cuts.partition_point(|cut| *cut < v) };
    let names = (0..=cuts.len()).map(|i| match (i.checked_sub(1).map(|i| cuts[i]), cuts.get(i)) {
        (None, Some(to)) => format!("up to {to}"),
        (Some(from), Some(to)) => format!("above {from} up to {to}"),
        (Some(from), None) => format!("above {from}"),
        (None, None) => "any".to_owned(),
    });
    Parts {
        of: numbers.iter().map(|v| bin(*v)).collect(),
        empty: Some(cuts.len() + 1),
        names: names.chain([String::new()]).collect(),
    }
}

/// The next row of each row's patient, in file order; none when all patients have equally many rows.
fn later(ids: &[usize], patients: usize) -> Option<Vec<Option<usize>>> {
    let mut next: Vec<Option<usize>> = vec![None; patients];
    let mut counts = vec![0usize; patients];
    let mut out = vec![None; ids.len()];
    for (row, id) in ids.iter().enumerate().rev() {
        out[row] = next[*id].replace(row);
        counts[*id] += 1;
    }
    let repeated = out.iter().flatten().count();
    (counts.iter().any(|n| *n != counts[0]) && repeated >= ID_ROWS).then_some(out)
}
