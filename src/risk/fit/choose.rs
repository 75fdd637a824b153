//! What a fit settles by held-out loss before trees and networks learn: how far the line is shrunk, and whether the
//! inputs of earlier records are worth having.

use super::{Material, Options, Side, Tell};
use crate::error::FitError;
use crate::hazard::loss;
use crate::history::Lookback;
use crate::linear::Linear;
use crate::outcome::OutcomeColumns;
use crate::schema::{Feature, Source};
use crate::table::RawTable;

/// Shrinkages that are tried, in the unit of events, strongest first.
const RIDGES: [f64; 7] = [300.0, 100.0, 30.0, 10.0, 3.0, 1.0, 0.3];
/// What is tried when the strongest of those is the best.
const STRONGER: [f64; 2] = [1_000.0, 3_000.0];
/// With so many rows inputs that say nothing do no harm.
const ENOUGH_ROWS: usize = 20_000;

/// Which features look back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Earlier {
    /// How many records there are, when, and what came of them; each input before and its change.
    All,
    /// Without the inputs.
    Visits,
}

impl Earlier {
    pub(super) fn holds(self, feature: &Feature, back: &Lookback) -> bool {
        self == Self::All || !of_an_input(&feature.source, back.label.as_deref())
    }
}

fn of_an_input(source: &Source, label: Option<&str>) -> bool {
    match source {
        Source::Column | Source::EarlierRows | Source::Gap | Source::EarlierShare(_) => false,
        Source::Previous(name) => label != Some(name),
        Source::Change(_) | Source::Same(_) => true,
    }
}

/// The linear path of every inner fold, at the shrinkage with the least held-out loss.
pub(super) struct Line {
    pub(super) ridge: f64,
    pub(super) linears: Vec<Linear>,
    held_out: f64,
}

impl Material {
    /// The material with all that looks back, or without the inputs of earlier records: many weak inputs mislead
    /// small data, and the line, which is quickly fitted, says whether they do.
    pub(super) fn chosen(table: &RawTable, options: &Options, tell: Tell) -> Result<(Self, Line), FitError> {
        let all = Self::prepare(table, options, Earlier::All)?;
        let line = all.line(tell)?;
        let label = match &options.roles.outcome {
            OutcomeColumns::Label(label) => Some(label.as_str()),
            OutcomeColumns::Survival { .. } => None,
        };
        let looks_back = all.features.iter().any(|feature| of_an_input(&feature.source, label));
        if !looks_back || all.targets.len() >= ENOUGH_ROWS {
            return Ok((all, line));
        }
        let mut visits = Self::prepare(table, options, Earlier::Visits)?;
        let shorter = visits.line(tell)?;
        if line.held_out <= shorter.held_out {
            return Ok((all, line));
        }
        visits.left_out.push(format!(
            "{} inputs of earlier records: rows held out are predicted better without them",
            all.features.len() - visits.features.len()
        ));
        Ok((visits, shorter))
    }

    fn line(&self, tell: Tell) -> Result<Line, FitError> {
        let sides: Vec<Side> = self.splits.iter().enumerate().map(|(i, s)| self.side(&s.train, i)).collect();
        let mut current = vec![Linear::default(); self.splits.len()];
        let mut best = self.shrunk(&sides, RIDGES[0], &mut current)?;
        let mut worse = 0;
        for (step, ridge) in RIDGES.into_iter().enumerate().skip(1) {
            if worse == 2 || !tell("linear path", step as f64 / RIDGES.len() as f64) {
                break;
            }
            let line = self.shrunk(&sides, ridge, &mut current)?;
            worse = if line.held_out < best.held_out { 0 } else { worse + 1 };
            if worse == 0 {
                best = line;
            }
        }
        for ridge in STRONGER {
            // Only when the strongest so far was the best.
            if best.ridge * 4.0 < ridge {
                break;
            }
            current.clone_from(&best.linears);
            let line = self.shrunk(&sides, ridge, &mut current)?;
            if line.held_out < best.held_out {
                best = line;
            }
        }
        Ok(best)
    }

    fn shrunk(&self, sides: &[Side], ridge: f64, current: &mut [Linear]) -> Result<Line, FitError> {
        let label = self.intervals.is_label();
        let mut held_out = 0.0;
        for ((linear, side), split) in current.iter_mut().zip(sides).zip(&self.splits) {
            *linear = side.problem(self).fit(ridge, linear);
            for &row in &split.valid {
                let part = linear.part(self.encoded(row));
                let z: Vec<f64> = linear.intercepts.iter().map(|a| a + part).collect();
                held_out += loss(label, &self.targets[row], &z);
            }
        }
        if !held_out.is_finite() {
            return Err(FitError::Diverged("the linear path"));
        }
        Ok(Line { ridge, linears: current.to_vec(), held_out })
    }
}

#[cfg(test)]
mod tests {
    use crate::rng::Rng;
    use crate::{Options, OutcomeColumns, RawTable, Roles, fit};

    /// Three visits a patient; the rate of the event follows `now` and, if so wished, `now` of the visit before.
    fn visits(by_earlier: f64) -> RawTable {
        let names = ["pid", "visit", "now", "other", "time", "event"].map(str::to_owned).to_vec();
        let mut out = RawTable::new(names).expect("names differ");
        let mut rng = Rng::new(11, "visits");
        for patient in 0..200 {
            let mut before = 0.0;
            for visit in 0..3 {
                let (now, other) = (rng.normal(), rng.normal());
                let time = rng.exponential() * 100.0 * (-0.8 * now - by_earlier * before).exp();
                let cells = [
                    patient.to_string(),
                    visit.to_string(),
                    format!("{now:.3}"),
                    format!("{other:.3}"),
                    format!("{:.2}", time.clamp(0.5, 200.0)),
                    usize::from(time < 200.0).to_string(),
                ];
                out.push_row(cells.iter().map(String::as_str)).expect("fits");
                before = now;
            }
        }
        out
    }

    fn learned(table: &RawTable) -> (Vec<String>, Vec<String>) {
        let outcome = OutcomeColumns::Survival { time: "time".to_owned(), event: "event".to_owned() };
        let roles = Roles {
            id: "pid".to_owned(),
            outcome,
            order: Some("visit".to_owned()),
            drop: vec!["visit".to_owned()],
            categorical: Vec::new(),
        };
        let options = Options { roles, seed: 1, ..Options::default() };
        let model = fit(table, &options, &mut |_, _| true).expect("trains").model;
        let names = model.features().iter().map(|feature| feature.name.clone()).collect();
        (names, model.file().training.left_out.clone())
    }

    #[test]
    fn inputs_of_earlier_records_stay_where_rows_held_out_gain() {
        let (names, left_out) = learned(&visits(0.8));
        assert!(names.contains(&"now@previous".to_owned()) && left_out.is_empty(), "{names:?} {left_out:?}");
        let (names, left_out) = learned(&visits(0.0));
        assert_eq!(names, ["now", "other", "@earlier_rows", "@gap"]);
        assert_eq!(
            left_out,
            ["4 inputs of earlier records: rows held out are predicted better without them"]
        );
    }
}
