//! What a fit settles before and after the numbers: whether there is enough to learn from, whom reasons refer to,
//! which times are reported.

use crate::columns::Frame;
use crate::error::DataError;
use crate::hazard::{Intervals, Observed};
use crate::history::{self, Lookback};
use crate::outcome::{OutcomeColumns, Roles};
use crate::schema::Kind;
use crate::table::RawTable;

/// Fewer rows are refused.
pub const MIN_ROWS: usize = 30;
/// Fewer ids are refused: there would be nobody to hold out.
pub const MIN_IDS: usize = 20;
/// Fewer events (or rows without one) are refused.
pub const MIN_EVENTS: usize = 10;

/// Whether there is enough to learn from.
pub fn enough(observed: &[Observed], ids: &[usize], outcome: &OutcomeColumns) -> Result<(), DataError> {
    let at_least = |found, what, least| {
        if found < least { Err(DataError::TooFew { found, what, least }) } else { Ok(()) }
    };
    at_least(observed.len(), "rows", MIN_ROWS)?;
    at_least(ids.iter().max().map_or(0, |m| m + 1), "different ids", MIN_IDS)?;
    let events = observed.iter().filter(|row| row.event).count();
    let column = match outcome {
        OutcomeColumns::Label(label) => label,
        OutcomeColumns::Survival { event, .. } => event,
    };
    let label = matches!(outcome, OutcomeColumns::Label(_));
    if events == 0 || (label && events == observed.len()) {
        return Err(DataError::OneOutcome { column: column.clone(), value: u8::from(events > 0) });
    }
    if !label {
        // An event at time 0 says nothing about any interval.
        let events = observed.iter().filter(|row| row.event && row.time > 0.0).count();
        return at_least(events, "events after time 0", MIN_EVENTS);
    }
    at_least(events, "events", MIN_EVENTS)?;
    at_least(observed.len() - events, "rows without the event", MIN_EVENTS)
}

/// The columns that looking back needs, with an order; and why earlier labels are not looked back at, if so.
pub fn lookback(table: &RawTable, roles: &Roles) -> Result<(Option<Lookback>, Option<String>), DataError> {
    let Some(order) = roles.order.clone() else { return Ok((None, None)) };
    let label = match &roles.outcome {
        OutcomeColumns::Label(label) => Some(label.clone()),
        OutcomeColumns::Survival { .. } => None,
    };
    let mut back = Lookback { id: roles.id.clone(), order, label };
    let Some(kappa) = history::label_goes_on(table, &back)? else { return Ok((Some(back), None)) };
    let why = back.label.take().map(|label| {
        format!(
            "{label}@previous, {label}@earlier_share: the label goes on from row to row of a patient (kappa {kappa:.2}), so it was not known at the next row"
        )
    });
    Ok((Some(back), why))
}

/// Median of a number, most frequent level of a category, none when most are missing.
pub fn reference(frame: &Frame, feature: usize, kind: &Kind) -> Option<f64> {
    let mut values: Vec<f64> =
        (0..frame.rows()).map(|row| frame.row(row)[feature]).filter(|v| !v.is_nan()).collect();
    if values.len() * 2 < frame.rows() {
        return None;
    }
    values.sort_by(f64::total_cmp);
    match kind {
        Kind::Number { .. } => values.get(values.len() / 2).copied(),
        Kind::Boolean | Kind::Category { .. } => {
            values.chunk_by(|a, b| a == b).max_by_key(|run| run.len()).map(|run| run[0])
        }
    }
}

/// The horizons asked for, or three of the intervals' ends.
pub fn horizons(asked: &[f64], intervals: &Intervals) -> Vec<f64> {
    if !asked.is_empty() || intervals.is_label() {
        return if intervals.is_label() { Vec::new() } else { asked.to_vec() };
    }
    let n = intervals.ends.len();
    let mut out: Vec<f64> = [n / 4, n / 2, 3 * n / 4].iter().map(|j| intervals.ends[*j]).collect();
    out.dedup();
    out
}
