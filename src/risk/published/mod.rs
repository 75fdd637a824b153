//! Published scores, as pure functions: LACE, HOSPITAL and its simplified form, Charlson, NEWS2, CKD-EPI 2021.
//!
//! A missing input is never read as no points: the total is then unknown, what is missing is named, and the least
//! and the most that the total can be are given. Each score carries the version of its table, so that what was
//! recorded can be repeated.

mod charlson;
mod egfr;
mod hospital;
mod lace;
mod news2;
#[cfg(test)]
mod tests;

pub use charlson::{Charlson, Condition, charlson};
pub use egfr::{Egfr, GCategory, ckd_epi_2021};
pub use hospital::{AdmissionBands, Hospital, hospital, hospital_simplified};
pub use lace::{Lace, LaceCondition, lace, lace_comorbidity};
pub use news2::{Consciousness, News2, SpO2Scale, news2};

use crate::schema::Words;

/// One item of a score.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Item {
    /// Name of the input.
    pub input: &'static str,
    /// Points; none when the input is not known.
    pub points: Option<u32>,
    /// Most points that the item can give.
    pub most: u32,
}

/// A score with what is known of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tally {
    /// Name and version of the table.
    pub score: &'static str,
    /// The total; none when an input is missing.
    pub value: Option<u32>,
    /// Least total that is possible.
    pub least: u32,
    /// Most total that is possible.
    pub most: u32,
    /// Items, in the order of the table.
    pub items: Vec<Item>,
    /// The band of the total.
    pub band: Option<Words>,
}

impl Tally {
    /// Adds up; `bands` are (from this total on, English, Chinese), rising.
    fn new(score: &'static str, items: Vec<Item>, bands: &[(u32, &str, &str)]) -> Self {
        let least = items.iter().map(|item| item.points.unwrap_or(0)).sum();
        let most = items.iter().map(|item| item.points.unwrap_or(item.most)).sum();
        let value = items.iter().all(|item| item.points.is_some()).then_some(least);
        let band = value.and_then(|total| bands.iter().rev().find(|(from, ..)| total >= *from));
        let band = band.map(|(_, en, zh)| Words { en: (*en).to_owned(), zh: (*zh).to_owned() });
        Self { score, value, least, most, items, band }
    }

    /// Inputs that are not known.
    pub fn missing(&self) -> Vec<&'static str> {
        self.items.iter().filter(|item| item.points.is_none()).map(|item| item.input).collect()
    }
}

fn item(input: &'static str, points: Option<u32>, most: u32) -> Item {
    Item { input, points, most }
}

/// `points` when the answer is yes.
fn yes(input: &'static str, answer: Option<bool>, points: u32) -> Item {
    item(input, answer.map(|yes| if yes { points } else { 0 }), points)
}

/// A number that is finite and within what can be measured; anything else is not known.
fn plausible(value: Option<f64>, from: f64, to: f64) -> Option<f64> {
    value.filter(|value| (from..=to).contains(value))
}
