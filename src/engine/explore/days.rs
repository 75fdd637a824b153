//! Days that rules or the schedule can tell from the days around them.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use crate::{
    EnrollmentId, Name, Value,
    calendar::plus_days,
    model::{Expr, Workflow},
    preview::preview,
    state::PatientState,
};

use super::{ENROLLED_ON, world::Ground};

/// Occurrences at the beginning of a stretch of equal days that are of interest.
const FIRST: usize = 2;

/// The days of interest of one imagined patient.
#[derive(Debug, Clone, Default)]
pub(super) struct Days(BTreeSet<Date>);

impl Days {
    pub fn is_of_interest(&self, day: Date) -> bool {
        self.0.contains(&day)
    }

    /// The first days of each stretch on which the same steps come due, the last one, and those around a day that a
    /// condition names.
    pub fn of(ground: &Ground<'_>, state: &PatientState, enrollment: EnrollmentId, days_max: i32) -> Self {
        let until = crate::calendar::start_of_day(&ground.zone, plus_days(ENROLLED_ON, i64::from(days_max)));
        let coming = preview(&ground.library, ground.site, state, enrollment, until).unwrap_or_default();
        let mut due: BTreeMap<Date, BTreeSet<Name>> = BTreeMap::new();
        for line in coming {
            due.entry(line.day).or_default().insert(line.step);
        }
        let mut found = BTreeSet::from([ENROLLED_ON]);
        let mut stretch: Vec<Date> = Vec::new();
        let mut before: Option<&BTreeSet<Name>> = None;
        for (day, steps) in &due {
            if before != Some(steps) {
                found.extend(stretch.last());
                stretch.clear();
            }
            stretch.push(*day);
            if stretch.len() <= FIRST {
                found.insert(*day);
            }
            before = Some(steps);
        }
        found.extend(stretch.last());
        for days in named(ground.workflow) {
            found.extend((-1..=1).map(|n| plus_days(ENROLLED_ON, days + n)));
        }
        Self(found)
    }
}

/// Numbers of days that conditions compare the days since an anchor with.
fn named(workflow: &Workflow) -> BTreeSet<i64> {
    let mut found = BTreeSet::new();
    super::look::every_condition(workflow, &mut |expr| {
        let Expr::Compare(_, left, right) = expr else { return };
        for (side, other) in [(left, right), (right, left)] {
            if let (Expr::DaysSince(_), Expr::Literal(Value::Number(number))) = (&**side, &**other) {
                found.insert(number.rounded());
            }
        }
    });
    found
}
