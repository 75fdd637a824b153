//! What is counted.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::model::LevelId;

/// One day after enrolment, over all patients.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Day {
    /// Messages that carriers took.
    pub contacts: u64,
    /// Questionnaires handed over for the first time.
    pub asked: u64,
    /// Questionnaires answered.
    pub answered: u64,
    /// Alerts raised.
    pub alerts: u64,
    /// Minutes of tasks that nurses and lead nurses finished.
    pub nurse_minutes: u64,
    /// Minutes of tasks that anybody finished.
    pub staff_minutes: u64,
}

/// The whole run.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Totals {
    /// By day after enrolment.
    pub days: Vec<Day>,
    /// Patients.
    pub patients: u64,
    /// Messages that carriers took.
    pub contacts: u64,
    /// Reminders among them.
    pub reminders: u64,
    /// Questionnaires handed over.
    pub asked: u64,
    /// Answered before a reminder went.
    pub answered_first: u64,
    /// Answered.
    pub answered: u64,
    /// Of these after their window.
    pub answered_late: u64,
    /// Answered questionnaires that raised or added to an alert.
    pub answers_that_alert: u64,
    /// Asks that closed as the patient's silence.
    pub silences: u64,
    /// Patients who were silent three times in a row at least once.
    pub silent_patients: u64,
    /// Patients who stopped text messages.
    pub stopped: u64,
    /// Alerts raised, by level.
    pub alerts: BTreeMap<LevelId, u64>,
    /// Tasks opened that are no alerts.
    pub tasks: u64,
    /// Minutes of finished tasks of nurses and lead nurses.
    pub nurse_minutes: u64,
    /// Advances of the planner.
    pub advances: u64,
    /// Most messages that one patient got on one civil day.
    pub most_contacts_a_day: u64,
}

impl Totals {
    pub(super) fn new(days: u32) -> Self {
        Self { days: vec![Day::default(); days as usize + 1], ..Self::default() }
    }

    pub(super) fn day(&mut self, day: usize) -> &mut Day {
        if self.days.is_empty() {
            self.days.push(Day::default());
        }
        let last = self.days.len() - 1;
        &mut self.days[day.min(last)]
    }

    /// Of first messages, the share that was answered before a reminder went.
    #[must_use]
    pub fn first_answer_share(&self) -> f64 {
        share(self.answered_first, self.asked)
    }

    /// Of answers, the share that raised or added to an alert.
    #[must_use]
    pub fn alert_share(&self) -> f64 {
        share(self.answers_that_alert, self.answered)
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of a simulation stay far below 2^52")]
fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}
