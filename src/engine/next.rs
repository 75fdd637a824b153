//! What comes next for one enrollment: the proof that nobody is lost. Asked for each enrollment by itself, so that what another
//! one waits for hides nothing.

use jiff::Timestamp;

use crate::{
    EnrollmentId, decide,
    planner::{AdvanceError, Library},
    site::SiteSettings,
    state::{PatientState, Standing},
    turn::Turn,
};

/// What comes next for an enrollment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NextThing {
    /// It is over, or not there: nothing has to come.
    Over,
    /// An open task of its own, which somebody owns.
    Task,
    /// It is looked at then: an occurrence, a window's end, the end of a pause or of the follow-up.
    At(Timestamp),
    /// Nothing ever. There must be none such.
    Nothing,
}

impl NextThing {
    /// Whether it will come when the patient is looked at next at `wake_at`.
    #[must_use]
    pub fn comes(self, wake_at: Option<Timestamp>) -> bool {
        match self {
            Self::Over | Self::Task => true,
            Self::At(at) => wake_at.is_some_and(|wake| wake <= at),
            Self::Nothing => false,
        }
    }
}

/// What comes next for an enrollment, from the state alone: nothing that was worked out before is believed, and nothing of the
/// patient's other enrollments counts.
///
/// # Errors
/// [`AdvanceError`].
pub fn next_thing(
    library: &Library,
    site: &SiteSettings,
    state: &PatientState,
    id: EnrollmentId,
    now: Timestamp,
) -> Result<NextThing, AdvanceError> {
    let over = |standing: &Standing| matches!(standing, Standing::Over { .. });
    if state.enrollments.get(&id).is_none_or(|enrollment| over(&enrollment.standing)) {
        return Ok(NextThing::Over);
    }
    if state.tasks.values().any(|task| task.enrollment == Some(id)) {
        return Ok(NextThing::Task);
    }
    let mut copy = state.clone();
    copy.forget();
    let mut turn = Turn::new(library, site, &mut copy, now)?;
    (_, turn.zone) = turn.state.zones(site)?;
    decide::enrollment(&mut turn, id)?;
    // What could be decided at once is due since now.
    let due = (!turn.entries.is_empty()).then_some(turn.now);
    Ok(due.or(turn.wake_at).map_or(NextThing::Nothing, NextThing::At))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        fact::{Author, Fact, OutcomeCode},
        rehearsal::Rehearsal,
        sample::{self, PATIENT_A, daily, library, story, yearly},
    };

    const PATIENT_B: EnrollmentId = EnrollmentId(0xb);

    /// Somebody who is asked every day, and once a year.
    fn both<'a>(library: &'a Library, site: &'a SiteSettings) -> Rehearsal<'a> {
        let mut story = story(library, site, &daily(), "2026-03-02T10:00", "2026-03-02");
        let facts = sample::enrolled(&yearly(), PATIENT_B, "Europe/London", "2026-03-02", story.now, true);
        let enrolled = facts.into_iter().find(|new| matches!(new.fact, Fact::Enrolled { .. }));
        story.record(enrolled.into_iter().collect()).expect("enrolled");
        story
    }

    fn next(story: &Rehearsal<'_>, id: EnrollmentId) -> NextThing {
        next_thing(story.library, story.site, &story.state, id, story.now).expect("decided")
    }

    #[test]
    fn what_comes_for_one_enrollment_hides_nothing_of_another() {
        let (library, site) = (library(), SiteSettings::default());
        let story = both(&library, &site);
        let (NextThing::At(a), NextThing::At(b)) = (next(&story, PATIENT_A), next(&story, PATIENT_B)) else {
            panic!("{:?}, {:?}", next(&story, PATIENT_A), next(&story, PATIENT_B));
        };
        assert!(a < b && story.wake_at.is_some_and(|wake| wake <= a), "{a} {b} {:?}", story.wake_at);
        // The patient has a wake-up all the same when the daily one is lost: that of the other.
        assert!(!next(&story, PATIENT_A).comes(Some(b)) && next(&story, PATIENT_B).comes(Some(b)));
        assert!(!next(&story, PATIENT_B).comes(None));
    }

    #[test]
    fn over_and_owned_need_no_wake_up() {
        let (library, site) = (library(), SiteSettings::default());
        let mut story = both(&library, &site);
        let stopped = Fact::Stopped { reason: crate::fact::StopReason::Withdrawn };
        story.happens(Some(PATIENT_A), Author::System, stopped).expect("stopped");
        assert_eq!(next(&story, PATIENT_A), NextThing::Over);
        assert_eq!(next(&story, EnrollmentId(0xc)), NextThing::Over);
        let paused = Fact::Paused { until: None, reason: "away".into() };
        story.happens(Some(PATIENT_B), Author::System, paused).expect("paused");
        assert_eq!(next(&story, PATIENT_B), NextThing::Task);
        assert!(next(&story, PATIENT_B).comes(None) && !NextThing::Nothing.comes(story.wake_at));
    }

    #[test]
    fn a_pause_whose_review_was_closed_is_reviewed_again() {
        let (library, site) = (library(), SiteSettings::default());
        let mut story = both(&library, &site);
        let paused = Fact::Paused { until: None, reason: "away".into() };
        story.happens(Some(PATIENT_B), Author::System, paused).expect("paused");
        let task = story.state.tasks.keys().next().cloned().expect("a review");
        let closed = Fact::Outcome { task, code: OutcomeCode::NoAction };
        story.happens(Some(PATIENT_B), Author::System, closed).expect("closed");
        let next = next(&story, PATIENT_B);
        assert!(next.comes(story.wake_at), "{next:?} {:?}", story.wake_at);
    }
}
