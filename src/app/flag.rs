//! The red flags of what a patient is about to send, or has sent: what to do comes before every other word on the page.

use std::collections::BTreeMap;

use jiff::civil::Date;
use tend_engine::{
    Name,
    decide::flags,
    fact::{Answer, Fact, Occurrence},
    model::Text,
    state::PatientState,
};

use super::{
    App, Live,
    link::{Closed, LinkError, Visit},
    zone_named,
};

/// The latest answers among which those of a link are looked for.
const ANSWERS_MAX: u64 = 60;

/// A red flag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flag {
    /// The rule that it is.
    pub rule: Name,
    /// What its workflow says to do now, if it says anything of its own.
    pub advice: Option<Text>,
}

impl App {
    /// The red flags of a form as its answers stand.
    #[must_use]
    pub fn flags_of_draft(&self, visit: &Visit) -> Vec<Flag> {
        let live = self.live();
        let today = self.day_of(&visit.state, &visit.site.zone);
        let mut found = Vec::new();
        for (at, part) in visit.form.parts.iter().enumerate() {
            let (answers, _) = visit.form.submission(at);
            found.extend(flags_in(&live, &visit.state, &part.about, &part.questionnaire, &answers, today));
        }
        found
    }

    /// The red flags of the answers that were sent through a link.
    ///
    /// # Errors
    /// [`LinkError`].
    pub async fn flags_of_answers(&self, closed: &Closed) -> Result<Vec<Flag>, LinkError> {
        let live = self.live();
        let today = self.day_of(&closed.state, &closed.site.zone);
        let mut found = Vec::new();
        for line in self.store.answers_of(closed.link.patient, ANSWERS_MAX).await? {
            let Fact::Answered { about, questionnaire, answers, .. } = &line.entry.fact else { continue };
            if closed.link.plan.members.contains(about) {
                found.extend(flags_in(&live, &closed.state, about, questionnaire, answers, today));
            }
        }
        Ok(found)
    }

    fn day_of(&self, state: &PatientState, site_zone: &str) -> Date {
        let zone = if state.zone.is_empty() { site_zone } else { &state.zone };
        zone_named(zone).to_datetime(self.clock.now()).date()
    }
}

fn flags_in(
    live: &Live,
    state: &PatientState,
    about: &Occurrence,
    questionnaire: &Name,
    answers: &BTreeMap<Name, Answer>,
    today: Date,
) -> Vec<Flag> {
    let Some(enrollment) = state.enrollments.get(&about.enrollment) else { return Vec::new() };
    let Some(workflow) = live.library.get(&enrollment.version) else { return Vec::new() };
    let advice = |rule: &Name| workflow.rules.iter().find(|one| one.id == *rule)?.advice.clone();
    let raised = flags(workflow, enrollment, questionnaire, answers, today);
    raised.into_iter().map(|rule| Flag { advice: advice(&rule), rule }).collect()
}
