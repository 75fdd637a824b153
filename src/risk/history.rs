//! Features that look back over the earlier rows of the same id, and never ahead.
//!
//! Without an order column nothing looks back: the order of rows in a file proves nothing.
//! Earlier labels are used only with a yes-or-no label, and only where it says something of its row alone. Where it goes on
//! from row to row, as with several rows of one follow-up that share what became of it, the label of the row before is not
//! known on the day of the next one: it is the answer. The time to an event is not known then either, so a survival model
//! looks back over inputs only.

use std::collections::BTreeMap;

use crate::columns::{Frame, read_columns};
use crate::error::DataError;
use crate::schema::{Feature, Kind, Source, Words};
use crate::table::{RawTable, number};

/// A column that changes between less than this share of successive rows is not looked back at.
const CHANGING_SHARE: f64 = 0.02;

/// Agreement of a label with that of the row before, beyond chance (Cohen's kappa), from which it is not looked back at.
const LABEL_GOES_ON: f64 = 0.5;

/// The columns that looking back needs.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Lookback {
    /// Column with the patient's id.
    pub id: String,
    /// Column that orders the rows of an id; ties keep file order.
    pub order: String,
    /// Label column, when the outcome is a label.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
}

/// For each row the row before it and how many there are before it.
#[derive(Debug, Clone, Copy, Default)]
struct Before {
    previous: Option<usize>,
    earlier: usize,
}

/// The derived features that are worth having for these base features on these rows.
pub fn derive(table: &RawTable, base: &[Feature], back: &Lookback) -> Result<Vec<Feature>, DataError> {
    let before = befores(table, back)?;
    let frame = read_columns(table, base);
    let pairs: Vec<(usize, usize)> =
        before.iter().enumerate().filter_map(|(row, b)| Some((row, b.previous?))).collect();
    let mut out = Vec::new();
    if pairs.is_empty() {
        return Ok(out);
    }
    let any = Kind::Number { min: 0.0, max: f64::MAX, whole: true };
    let signed = Kind::Number { min: f64::MIN, max: f64::MAX, whole: false };
    out.push(derived("@earlier_rows", "earlier records", "既往记录数", Source::EarlierRows, any));
    if order_is_numeric(table, &back.order)? {
        out.push(derived(
            "@gap",
            "time since the record before",
            "距上次记录的间隔",
            Source::Gap,
            signed.clone(),
        ));
    }
    if let Some(label) = &back.label {
        let previous = Source::Previous(label.clone());
        let share = Source::EarlierShare(label.clone());
        out.push(derived(
            &format!("{label}@previous"),
            "outcome after the record before",
            "上次记录后的结局",
            previous,
            Kind::Boolean,
        ));
        out.push(derived(
            &format!("{label}@earlier_share"),
            "share of earlier records with the event",
            "既往记录中发生事件的比例",
            share,
            signed.clone(),
        ));
    }
    for (i, feature) in base.iter().enumerate() {
        let changed = pairs.iter().filter(|(now, then)| {
            let (now, then) = (frame.row(*now)[i], frame.row(*then)[i]);
            now != then && !(now.is_nan() && then.is_nan())
        });
        if (changed.count() as f64) < CHANGING_SHARE * pairs.len() as f64 {
            continue;
        }
        out.extend(of_feature(feature, &signed));
    }
    Ok(out)
}

fn of_feature(feature: &Feature, signed: &Kind) -> Vec<Feature> {
    let name = &feature.name;
    let make = |suffix: &str, en: &str, zh: &str, source: Source, kind: Kind| Feature {
        name: format!("{name}@{suffix}"),
        label: Words {
            en: format!("{} {en}", feature.label.en),
            zh: format!("{}（{zh}）", feature.label.zh),
        },
        unit: feature.unit.clone(),
        required: false,
        source,
        kind,
    };
    match &feature.kind {
        Kind::Number { .. } => vec![
            make("previous", "in the record before", "上次", Source::Previous(name.clone()), signed.clone()),
            make(
                "change",
                "since the record before",
                "较上次变化",
                Source::Change(name.clone()),
                signed.clone(),
            ),
        ],
        Kind::Boolean => {
            vec![make(
                "previous",
                "in the record before",
                "上次",
                Source::Previous(name.clone()),
                Kind::Boolean,
            )]
        }
        Kind::Category { .. } => {
            vec![make(
                "same",
                "as in the record before",
                "与上次相同",
                Source::Same(name.clone()),
                Kind::Boolean,
            )]
        }
    }
}

fn derived(name: &str, en: &str, zh: &str, source: Source, kind: Kind) -> Feature {
    Feature {
        name: name.to_owned(),
        label: Words { en: en.to_owned(), zh: zh.to_owned() },
        unit: None,
        required: false,
        source,
        kind,
    }
}

/// Reads all features, derived ones included.
pub fn read(table: &RawTable, features: &[Feature], back: Option<&Lookback>) -> Result<Frame, DataError> {
    let mut frame = read_columns(table, features);
    let derived: Vec<usize> = (0..features.len()).filter(|i| features[*i].source != Source::Column).collect();
    let Some(back) = back.filter(|_| !derived.is_empty()) else {
        return Ok(frame);
    };
    let before = befores(table, back)?;
    let order = table.column(&back.order)?;
    let position: BTreeMap<&str, usize> =
        features.iter().enumerate().map(|(i, f)| (f.name.as_str(), i)).collect();
    let labels = labels(table, back);
    let shares = shares(&before, &labels);
    for row in 0..table.rows() {
        for &i in &derived {
            let value = match &features[i].source {
                Source::Column => continue,
                Source::EarlierRows => before[row].earlier as f64,
                Source::Gap => before[row].previous.map_or(f64::NAN, |then| {
                    let at = |r| number(table.cell(r, order)).ok().flatten().unwrap_or(f64::NAN);
                    at(row) - at(then)
                }),
                Source::EarlierShare(_) => shares[row],
                Source::Previous(name) => before[row].previous.map_or(f64::NAN, |then| {
                    position.get(name.as_str()).map_or(labels[then], |p| frame.row(then)[*p])
                }),
                Source::Change(name) => {
                    pair(&frame, &position, name, row, before[row], |now, then| now - then)
                }
                Source::Same(name) => pair(&frame, &position, name, row, before[row], |now, then| {
                    f64::from(u8::from(now == then))
                }),
            };
            let at = row * frame.width + i;
            frame.values[at] = value;
        }
    }
    Ok(frame)
}

/// An earlier record of the same patient: its values in feature order, and what came of it if that is known.
#[derive(Debug, Clone, PartialEq)]
pub struct Past {
    /// Values; missing is NaN.
    pub values: Vec<f64>,
    /// Whether the event followed.
    pub label: Option<bool>,
}

/// Fills in what looks back over `past`, oldest first. The order's own unit is not known here, so a gap stays missing.
pub fn look_back(features: &[Feature], past: &[Past], values: &mut [f64]) {
    let at = |name: &str| features.iter().position(|f| f.source == Source::Column && f.name == name);
    let label = |past: &Past| past.label.map_or(f64::NAN, |event| f64::from(u8::from(event)));
    let last = past.last();
    let pair = |name: &str, values: &[f64], combine: fn(f64, f64) -> f64| {
        let found = at(name).zip(last).map(|(p, last)| (values[p], last.values[p]));
        found.filter(|(now, then)| !now.is_nan() && !then.is_nan()).map_or(f64::NAN, |(a, b)| combine(a, b))
    };
    for (i, feature) in features.iter().enumerate() {
        values[i] = match &feature.source {
            Source::Column => continue,
            Source::EarlierRows => past.len() as f64,
            Source::Gap => f64::NAN,
            Source::EarlierShare(_) => {
                let known: Vec<f64> = past.iter().map(label).filter(|label| !label.is_nan()).collect();
                if known.is_empty() { f64::NAN } else { known.iter().sum::<f64>() / known.len() as f64 }
            }
            Source::Previous(name) => {
                last.map_or(f64::NAN, |last| at(name).map_or(label(last), |p| last.values[p]))
            }
            Source::Change(name) => pair(name, values, |now, then| now - then),
            Source::Same(name) => pair(name, values, |now, then| f64::from(u8::from(now == then))),
        };
    }
}

fn pair(
    frame: &Frame,
    position: &BTreeMap<&str, usize>,
    name: &str,
    row: usize,
    before: Before,
    combine: impl Fn(f64, f64) -> f64,
) -> f64 {
    let (Some(then), Some(p)) = (before.previous, position.get(name)) else {
        return f64::NAN;
    };
    let (now, then) = (frame.row(row)[*p], frame.row(then)[*p]);
    if now.is_nan() || then.is_nan() { f64::NAN } else { combine(now, then) }
}

fn labels(table: &RawTable, back: &Lookback) -> Vec<f64> {
    let column = back.label.as_deref().and_then(|name| table.find(name));
    (0..table.rows())
        .map(|row| {
            column.and_then(|column| number(table.cell(row, column)).ok().flatten()).unwrap_or(f64::NAN)
        })
        .collect()
}

/// Mean label of all earlier rows of the id, by following the chain of rows before.
fn shares(before: &[Before], labels: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..before.len()).collect();
    order.sort_by_key(|row| before[*row].earlier);
    let mut sums = vec![(0.0, 0.0); before.len()];
    for row in order {
        if let Some(then) = before[row].previous {
            let (sum, count) = sums[then];
            let known = !labels[then].is_nan();
            sums[row] = if known { (sum + labels[then], count + 1.0) } else { (sum, count) };
        }
    }
    sums.iter().map(|(sum, count)| if *count > 0.0 { sum / count } else { f64::NAN }).collect()
}

/// How far the labels of successive rows agree beyond chance, when so much that the earlier one cannot have been known:
/// an event of its own comes and goes.
pub fn label_goes_on(table: &RawTable, back: &Lookback) -> Result<Option<f64>, DataError> {
    let (before, labels) = (befores(table, back)?, labels(table, back));
    let mut counts = [[0.0_f64; 2]; 2];
    for (row, before) in before.iter().enumerate() {
        let Some(then) = before.previous else { continue };
        if !labels[row].is_nan() && !labels[then].is_nan() {
            counts[usize::from(labels[then] > 0.5)][usize::from(labels[row] > 0.5)] += 1.0;
        }
    }
    let all: f64 = counts.iter().flatten().sum();
    if all == 0.0 {
        return Ok(None);
    }
    let same = (counts[0][0] + counts[1][1]) / all;
    let (then, now) = ((counts[1][0] + counts[1][1]) / all, (counts[0][1] + counts[1][1]) / all);
    let chance = then * now + (1.0 - then) * (1.0 - now);
    let kappa = if chance < 1.0 { (same - chance) / (1.0 - chance) } else { 0.0 };
    Ok((kappa >= LABEL_GOES_ON).then_some(kappa))
}

fn order_is_numeric(table: &RawTable, order: &str) -> Result<bool, DataError> {
    let column = table.column(order)?;
    Ok((0..table.rows()).all(|row| number(table.cell(row, column)).is_ok()))
}

fn befores(table: &RawTable, back: &Lookback) -> Result<Vec<Before>, DataError> {
    let id = table.column(&back.id)?;
    let order = table.column(&back.order)?;
    if let Some(row) = (0..table.rows()).find(|row| table.cell(*row, order).is_empty()) {
        return Err(DataError::Empty {
            row,
            column: back.order.clone(),
            mend: "fill it in, or train without --order",
        });
    }
    let numeric = order_is_numeric(table, &back.order)?;
    let mut groups: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for row in 0..table.rows() {
        groups.entry(table.cell(row, id)).or_default().push(row);
    }
    let mut before = vec![Before::default(); table.rows()];
    for rows in groups.values_mut() {
        if numeric {
            let at = |r: usize| number(table.cell(r, order)).ok().flatten().unwrap_or(0.0);
            rows.sort_by(|a, b| at(*a).total_cmp(&at(*b)));
        } else {
            rows.sort_by_key(|r| table.cell(*r, order));
        }
        for (earlier, pair) in rows.windows(2).enumerate() {
            before[pair[1]] = Before { previous: Some(pair[0]), earlier: earlier + 1 };
        }
    }
    Ok(before)
}
