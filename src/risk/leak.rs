//! The leak guard: columns that know what they cannot know on the day of the score.
//!
//! Each finding names the column and the figure behind it. What nearly gives the outcome away is refused unless the
//! caller allows it by name; what only looks odd is a warning.

use std::collections::{BTreeMap, BTreeSet};

use crate::columns::Frame;
use crate::error::DataError;
use crate::hazard::Observed;
use crate::metrics::binary::auroc;
use crate::metrics::survival::harrell_c;
use crate::outcome::OutcomeColumns;
use crate::schema::{Feature, Source};
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
/// Possible values per row up to which whole numbers that hardly repeat are counted up: drawn at random, more would meet.
const ID_DENSE: f64 = 10.0;
/// Share of successive rows that go the same way from which a column counts up or down.
const ID_STEPS: f64 = 0.98;
/// A column that alone ranks the times this well, or goes with them this closely, is refused.
const TELLS_TIME: f64 = 0.95;
/// ... with at least so many rows and events behind it.
const TIME_ROWS: usize = 50;
const TIME_EVENTS: usize = 20;
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

/// Looks at what looking back made: whether it alone tells the outcome. That it counts up or stands for the next row is in
/// its nature.
pub fn derived_leaks(
    features: &[Feature],
    frame: &Frame,
    observed: &[Observed],
    ids: &[usize],
    outcome: &OutcomeColumns,
) -> Result<Vec<Leak>, DataError> {
    let derived: Vec<usize> = (0..features.len()).filter(|i| features[*i].source != Source::Column).collect();
    let mut table = RawTable::new(derived.iter().map(|i| features[*i].name.clone()).collect())?;
    let text = |value: f64| if value.is_nan() { String::new() } else { value.to_string() };
    for row in 0..if derived.is_empty() { 0 } else { frame.rows() } {
        let cells: Vec<String> = derived.iter().map(|i| text(frame.row(row)[*i])).collect();
        table.push_row(cells.iter().map(String::as_str))?;
    }
    let patients = ids.iter().max().map_or(0, |m| m + 1);
    let survival = matches!(outcome, OutcomeColumns::Survival { .. });
    let look = Look { table: &table, observed, ids, patients, later: None, survival };
    let one = |column: usize| {
        let numbers = look.numbers(column);
        let parts = look.parts(column, numbers.as_deref());
        let told = look.tells_time(numbers.as_deref()).or_else(|| look.separates(&parts));
        let why = told.or_else(|| look.pure(&parts, PURE_LOG10, true, PURE_SHARE))?;
        Some(Leak { column: features[derived[column]].name.clone(), refused: true, why })
    };
    Ok((0..derived.len()).filter_map(one).collect())
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
            .or_else(|| self.tells_time(numbers.as_deref()))
            .or_else(|| self.separates(&parts))
            .or_else(|| self.empty_by_outcome(&parts))
            .or_else(|| self.pure(&parts, PURE_LOG10, true, PURE_SHARE))
            .or_else(|| self.knows_later(column, &parts));
        if let Some(why) = refused {
            return Some(Leak { column: name.clone(), refused: true, why });
        }
        let odd = self
            .pure(&parts, ODD_LOG10, true, 0.0)
            .or_else(|| self.pure(&parts, ODD_LOG10, false, 0.0))
            .or_else(|| self.may_be_id(column, numbers.as_deref()));
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

    /// Whole numbers that hardly repeat and count up, or that stand for the id of several rows one to one.
    fn is_id(&self, column: usize, numbers: Option<&[f64]>) -> Option<String> {
        let distinct = self.hardly_repeats(column, numbers?)?;
        let rows = self.table.rows();
        if distinct as f64 >= ID_SHARE * rows as f64 {
            return counts_up(numbers?, distinct)
                .then(|| format!("it has {distinct} different whole numbers in {rows} rows, as an id has"));
        }
        let pairs: BTreeSet<(usize, &str)> =
            (0..rows).map(|row| (self.ids[row], self.table.cell(row, column))).collect();
        (pairs.len() == self.patients).then(|| {
            format!("it has {distinct} values for {} patients, one for each, as an id has", self.patients)
        })
    }

    /// How many different whole numbers there are, when hardly two rows or two patients share one.
    fn hardly_repeats(&self, column: usize, numbers: &[f64]) -> Option<usize> {
        let whole = numbers.iter().all(|v| v.is_nan() || v.fract() == 0.0);
        if !whole || self.patients < ID_ROWS {
            return None;
        }
        let distinct: BTreeSet<&str> = (0..numbers.len()).map(|row| self.table.cell(row, column)).collect();
        (distinct.len() as f64 >= ID_SHARE * self.patients as f64).then_some(distinct.len())
    }

    /// Different whole numbers in nearly every row, in no order: a fine measurement, or an id that was shuffled.
    fn may_be_id(&self, column: usize, numbers: Option<&[f64]>) -> Option<String> {
        let rows = self.table.rows();
        let distinct = self.hardly_repeats(column, numbers?)?;
        (distinct as f64 >= ID_SHARE * rows as f64).then(|| {
            format!("it has {distinct} different whole numbers in {rows} rows; drop it if it is an id and not a measurement")
        })
    }

    /// The time in another unit, or whatever goes with it as closely.
    fn tells_time(&self, numbers: Option<&[f64]>) -> Option<String> {
        let filled: Vec<usize> = self
            .survival
            .then(|| numbers.map(|n| (0..n.len()).filter(|row| !n[*row].is_nan()).collect()))
            .flatten()?;
        let rows: Vec<Observed> = filled.iter().map(|row| self.observed[*row]).collect();
        if rows.len() < TIME_ROWS || rows.iter().filter(|row| row.event).count() < TIME_EVENTS {
            return None;
        }
        let values: Vec<f64> = filled.iter().filter_map(|row| Some(numbers?[*row])).collect();
        let times: Vec<f64> = rows.iter().map(|row| row.time).collect();
        let together = correlation(&ranks(&values), &ranks(&times));
        if together.abs() >= TELLS_TIME {
            return Some(format!(
                "it goes with the time (rank correlation {together:.3}), so it is known only afterwards"
            ));
        }
        let c = harrell_c(&rows, &values);
        let c = if c.is_nan() { 0.5 } else { c.max(1.0 - c) };
        (c >= TELLS_TIME).then(|| format!("alone it tells when the event happens (concordance {c:.3})"))
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

/// Whether different whole numbers lie close together, or go up or down with the rows of the file.
fn counts_up(numbers: &[f64], distinct: usize) -> bool {
    let filled: Vec<f64> = numbers.iter().copied().filter(|v| !v.is_nan()).collect();
    let (low, high) = filled.iter().fold((f64::MAX, f64::MIN), |(l, h), v| (l.min(*v), h.max(*v)));
    let steps = filled.len().saturating_sub(1) as f64;
    let up = filled.windows(2).filter(|pair| pair[1] > pair[0]).count() as f64;
    let down = filled.windows(2).filter(|pair| pair[1] < pair[0]).count() as f64;
    high - low < ID_DENSE * distinct as f64 || up.max(down) >= ID_STEPS * steps
}

/// Ranks, the same for equal values.
fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
    let mut out = vec![0.0; values.len()];
    let mut at = 0;
    for same in order.chunk_by(|a, b| values[*a] == values[*b]) {
        same.iter().for_each(|row| out[*row] = at as f64 + same.len() as f64 / 2.0);
        at += same.len();
    }
    out
}

/// Pearson's correlation; 0 of a constant.
fn correlation(a: &[f64], b: &[f64]) -> f64 {
    let n = a.len() as f64;
    let (mean_a, mean_b) = (a.iter().sum::<f64>() / n, b.iter().sum::<f64>() / n);
    let (mut ab, mut aa, mut bb) = (0.0, 0.0, 0.0);
    for (a, b) in a.iter().zip(b) {
        let (a, b) = (a - mean_a, b - mean_b);
        ab += a * b;
        aa += a * a;
        bb += b * b;
    }
    if aa * bb > 0.0 { ab / (aa * bb).sqrt() } else { 0.0 }
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
