//! A plain loop over the same dates, to compare with: it decides nothing.

use std::collections::BTreeMap;

use crate::{
    calendar::plus_days,
    planner::AdvanceError,
    schedule::{Inputs, occurrence},
    state::AnchorState,
};

use super::{FIRST_DAY, Plan};

/// Finds every due day of every step for every patient; returns how many there are.
///
/// # Errors
/// [`AdvanceError`] when the zone is not known.
pub fn walk_the_dates(plan: &Plan<'_>) -> Result<u64, AdvanceError> {
    let zone = crate::turn::zone_of(&plan.site.zone)?;
    let mut found = 0;
    for number in 0..plan.patients {
        let start = plus_days(FIRST_DAY, i64::from(number % 7));
        let last = plus_days(start, i64::from(plan.days));
        let known = AnchorState { date: start, known_since: jiff::Timestamp::MIN };
        let anchors: BTreeMap<_, _> =
            plan.workflow.anchors.first().map(|main| (main.id.clone(), known)).into_iter().collect();
        let facts = BTreeMap::new();
        let calendar = &plan.site.calendar;
        let inputs =
            Inputs { workflow: plan.workflow, facts: &facts, anchors: &anchors, calendar, zone: &zone };
        for step in &plan.workflow.steps {
            let mut ordinal = 1;
            while let Some(planned) = occurrence(&inputs, step, ordinal).filter(|planned| planned.day <= last)
            {
                found += u64::from(planned.closes(&zone) > planned.due);
                ordinal += 1;
            }
        }
    }
    Ok(found)
}
