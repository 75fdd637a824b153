//! The published score beside the model: LACE from what is known of a follow-up. What is not known is never no points: then
//! the least and the most that it can be are said.

use tend_engine::{Name, Value, state::EnrollmentState};
use tend_risk::published::{Lace, lace};

/// What the score is of, among a follow-up's facts. A workflow that wants all of LACE asks for the last two.
const FACTS: [&str; 4] = ["los_days", "adm_type", "lace_comorbidity", "n_emergency_6m"];
/// Words of an unplanned admission.
const ACUTE: [&str; 2] = ["emergency", "urgent"];

/// A total of points.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Points {
    /// The total, when all of it is known.
    pub value: Option<u32>,
    /// The least that it can be.
    pub least: u32,
    /// The most that it can be.
    pub most: u32,
}

/// LACE of a follow-up.
#[must_use]
pub fn of(state: &EnrollmentState) -> Points {
    let fact = |at: usize| Name::parse(FACTS[at]).ok().and_then(|name| state.facts.get(&name));
    let number = |at: usize| match fact(at) {
        Some(Value::Number(number)) => Some(number.to_f64()),
        _ => None,
    };
    let count = |at: usize| number(at).filter(|n| (0.0..1_000.0).contains(n)).map(|n| n.round() as u32);
    let acute = match fact(1) {
        Some(Value::Choice(level)) => Some(ACUTE.contains(&level.as_str())),
        Some(Value::Bool(acute)) => Some(*acute),
        _ => None,
    };
    let asked = Lace { stay_days: number(0), acute, comorbidity: count(2), emergency_visits_6m: count(3) };
    let tally = lace(&asked);
    Points { value: tally.value, least: tally.least, most: tally.most }
}
