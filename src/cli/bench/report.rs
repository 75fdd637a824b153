//! Figures, each beside a limit that was measured in the same run.

use serde::Serialize;

/// One figure.
#[derive(Debug, Clone, Serialize)]
pub struct Figure {
    /// What.
    pub name: String,
    /// As measured.
    pub figure: f64,
    /// Unit.
    pub unit: &'static str,
    /// `higher` or `lower`.
    pub better: &'static str,
    /// What it is compared with.
    pub limit_name: String,
    /// The limit, measured in the same run.
    pub limit: f64,
    /// Figure over limit.
    pub ratio: f64,
}

impl Figure {
    /// A figure that should be high.
    pub fn higher(name: &str, unit: &'static str, figure: f64, limit_name: &str, limit: f64) -> Self {
        Self::new(name, unit, "higher", figure, limit_name, limit)
    }

    /// A figure that should be low.
    pub fn lower(name: &str, unit: &'static str, figure: f64, limit_name: &str, limit: f64) -> Self {
        Self::new(name, unit, "lower", figure, limit_name, limit)
    }

    fn new(
        name: &str,
        unit: &'static str,
        better: &'static str,
        figure: f64,
        limit_name: &str,
        limit: f64,
    ) -> Self {
        let ratio = if limit == 0.0 { 0.0 } else { figure / limit };
        let name = name.to_owned();
        Self { name, figure, unit, better, limit_name: limit_name.to_owned(), limit, ratio }
    }
}

/// All figures of a run.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    /// In the order in which they were measured.
    pub results: Vec<Figure>,
}

impl Report {
    /// Prints one JSON document, or a line per figure.
    pub fn print(&self, json: bool) {
        if json {
            // Plain structs of numbers and texts cannot fail.
            println!("{}", serde_json::to_string_pretty(self).unwrap_or_default());
            return;
        }
        for one in &self.results {
            println!(
                "{:<28} {:>12.2} {:<10} {:<44} {:>12.2}   ratio {:.2} ({} is better)",
                one.name, one.figure, one.unit, one.limit_name, one.limit, one.ratio, one.better
            );
        }
    }
}

/// The middle of some measurements.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}
