//! A synthetic population walked through the real planner in imagined time. Nothing is sent, nothing is stored: patients,
//! carriers and staff are models, stated in [`behaviour`], and the seed is an argument.

pub mod behaviour;
mod count;
mod luck;
mod patient;
mod plain;
#[cfg(test)]
mod tests;
mod usual;

use std::sync::Arc;

use jiff::civil::Date;

pub use behaviour::Behaviour;
pub use count::{Day, Totals};
pub use plain::walk_the_dates;

use crate::{
    calendar::plus_days,
    model::Workflow,
    planner::{AdvanceError, Library},
    site::SiteSettings,
};

/// What is simulated.
#[derive(Debug, Clone)]
pub struct Plan<'a> {
    /// The follow-up.
    pub workflow: &'a Workflow,
    /// The site.
    pub site: &'a SiteSettings,
    /// How people and carriers behave.
    pub behaviour: Behaviour,
    /// Patients.
    pub patients: u32,
    /// Days after enrolment.
    pub days: u32,
    /// Where chance begins.
    pub seed: u64,
}

/// What every patient is walked with.
struct Ground<'a> {
    plan: &'a Plan<'a>,
    library: &'a Library,
    zone: &'a jiff::tz::TimeZone,
    version: &'a crate::VersionHash,
    start: Date,
    usual: &'a usual::Usual,
}

/// The Monday on which the first patients are enrolled; the others follow over a week.
const FIRST_DAY: Date = Date::constant(2026, 3, 2);

/// Walks the whole population.
///
/// # Errors
/// [`AdvanceError`] of a patient: a zone that is not known, or a rule that feeds itself.
pub fn simulate(plan: &Plan<'_>) -> Result<Totals, AdvanceError> {
    let library = Library::from([(plan.workflow.version(), Arc::new(plan.workflow.clone()))]);
    let zone = crate::turn::zone_of(&plan.site.zone)?;
    let version = plan.workflow.version();
    let usual = usual::Usual::of(plan.workflow);
    let mut totals = Totals::new(plan.days);
    for number in 0..plan.patients {
        let start = plus_days(FIRST_DAY, i64::from(number % 7));
        let ground = Ground { plan, library: &library, zone: &zone, version: &version, start, usual: &usual };
        patient::walk(&ground, u64::from(number), &mut totals)?;
    }
    Ok(totals)
}
