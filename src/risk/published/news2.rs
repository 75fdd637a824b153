//! NEWS2: acute deterioration in hospital (Royal College of Physicians, National Early Warning Score (NEWS) 2, London
//! 2017). Made for observations by staff: with any of the seven missing there is no score.

use super::{Item, Tally, item, plausible};
use crate::schema::Words;

/// Which oxygen scale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SpO2Scale {
    /// Everybody else.
    #[default]
    One,
    /// Confirmed hypercapnic respiratory failure, target 88 to 92 %.
    Two,
}

/// Consciousness.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consciousness {
    /// Alert.
    Alert,
    /// New confusion, or responds to voice or pain only, or not at all.
    Impaired,
}

/// Inputs; what is not known is none.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct News2 {
    /// Breaths a minute.
    pub respirations: Option<f64>,
    /// Oxygen saturation, %.
    pub spo2: Option<f64>,
    /// Which scale.
    pub scale: SpO2Scale,
    /// On supplemental oxygen.
    pub oxygen: Option<bool>,
    /// Systolic pressure, mmHg.
    pub systolic: Option<f64>,
    /// Beats a minute.
    pub pulse: Option<f64>,
    /// Consciousness.
    pub consciousness: Option<Consciousness>,
    /// Degrees Celsius.
    pub temperature: Option<f64>,
}

/// 0 to 20; any single item of 3 asks for the review of a total of 5 to 6.
pub fn news2(inputs: &News2) -> Tally {
    let items = vec![
        banded(
            "respirations",
            plausible(inputs.respirations, 0.0, 120.0).map(f64::round),
            &[(9.0, 3), (12.0, 1), (21.0, 0), (25.0, 2)],
            3,
        ),
        spo2(inputs),
        item("oxygen", inputs.oxygen.map(|oxygen| if oxygen { 2 } else { 0 }), 2),
        banded(
            "systolic",
            plausible(inputs.systolic, 0.0, 400.0).map(f64::round),
            &[(91.0, 3), (101.0, 2), (111.0, 1), (220.0, 0)],
            3,
        ),
        banded(
            "pulse",
            plausible(inputs.pulse, 0.0, 400.0).map(f64::round),
            &[(41.0, 3), (51.0, 1), (91.0, 0), (111.0, 1), (131.0, 2)],
            3,
        ),
        item(
            "consciousness",
            inputs.consciousness.map(|c| match c {
                Consciousness::Alert => 0,
                Consciousness::Impaired => 3,
            }),
            3,
        ),
        banded(
            "temperature",
            plausible(inputs.temperature, 20.0, 46.0).map(|t| (t * 10.0).round() / 10.0),
            &[(35.05, 3), (36.05, 1), (38.05, 0), (39.05, 1)],
            2,
        ),
    ];
    let bands = [(0, "low", "低"), (5, "urgent review", "紧急评估"), (7, "emergency", "急救评估")];
    let mut tally = Tally::new("NEWS2 2017", items, &bands);
    let single = tally.items.iter().any(|item| item.points == Some(3));
    if single && tally.value.is_some_and(|total| total < 5) {
        tally.band = Some(Words { en: "urgent review".to_owned(), zh: "紧急评估".to_owned() });
    }
    tally
}

/// Points of the first band that ends above the value, else `beyond`.
fn banded(input: &'static str, value: Option<f64>, bands: &[(f64, u32)], beyond: u32) -> Item {
    let points = value.map(|v| bands.iter().find(|(end, _)| v < *end).map_or(beyond, |(_, points)| *points));
    item(input, points, 3)
}

fn spo2(inputs: &News2) -> Item {
    let saturation = plausible(inputs.spo2, 0.0, 100.0).map(f64::round);
    let points = match inputs.scale {
        SpO2Scale::One => saturation.map(|s| match s {
            s if s <= 91.0 => 3,
            s if s <= 93.0 => 2,
            s if s <= 95.0 => 1,
            _ => 0,
        }),
        SpO2Scale::Two => match (saturation, inputs.oxygen) {
            (Some(s), _) if s <= 83.0 => Some(3),
            (Some(s), _) if s <= 85.0 => Some(2),
            (Some(s), _) if s <= 87.0 => Some(1),
            (Some(s), _) if s <= 92.0 => Some(0),
            (Some(_), Some(false)) => Some(0),
            (Some(s), Some(true)) if s <= 94.0 => Some(1),
            (Some(s), Some(true)) if s <= 96.0 => Some(2),
            (Some(_), Some(true)) => Some(3),
            (Some(_), None) | (None, _) => None,
        },
    };
    item("spo2", points, 3)
}
