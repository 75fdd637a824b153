//! What was worked out and holds until something that it depends on changes. No part of the state: it is neither stored
//! nor compared, and forgetting it changes nothing but the time that the next decision takes.

use std::{fmt, sync::Arc};

use jiff::{Timestamp, tz::TimeZone};

use crate::{
    Name, decide::numbers::LooksBack, fact::Fact, planner::AdvanceError, schedule::Planned,
    site::SiteSettings, state::PatientState, turn::zone_of,
};

/// Of a patient: the zones by their names, and for which settings the rest was worked out.
#[derive(Clone, Default)]
pub struct PatientMemo {
    site: Option<(u64, usize)>,
    site_zone: Option<TimeZone>,
    zone: Option<TimeZone>,
    /// Of the ladders of tasks.
    pub(crate) ladders: Rest,
    /// Of the messages.
    pub(crate) messages: Rest,
}

/// A look that found nothing to decide: it holds from its time until something will be, unless something is folded in.
#[derive(Clone, Copy, Default)]
pub(crate) struct Rest(Option<(Timestamp, Option<Timestamp>)>);

impl Rest {
    pub fn from(since: Timestamp, until: Option<Timestamp>) -> Self {
        Self(Some((since, until)))
    }

    /// When something will be decided, if the look still holds at `now`.
    pub fn holds(self, now: Timestamp) -> Option<Option<Timestamp>> {
        let (since, until) = self.0?;
        (since <= now && until.is_none_or(|until| now < until)).then_some(until)
    }
}

/// Of an enrollment.
#[derive(Clone, Default)]
pub struct Memo {
    /// Of its course.
    pub(crate) course: Rest,
    /// What comes next of each step, in the order of the file.
    pub(crate) next: Vec<Option<(Name, Option<Coming>)>>,
    /// When it ends, if it does.
    pub(crate) ends: Option<Option<Timestamp>>,
    /// Which numbers of answers are kept.
    pub(crate) looks_back: Option<Arc<LooksBack>>,
}

/// An occurrence that comes up.
#[derive(Clone, Copy)]
pub(crate) struct Coming {
    pub generation: u32,
    pub planned: Planned,
    pub up: Timestamp,
    pub closes: Timestamp,
}

impl Memo {
    /// What comes next of a step, if that was worked out.
    pub(crate) fn known(&self, index: usize) -> Option<Option<Coming>> {
        self.next.get(index)?.as_ref().map(|(_, coming)| *coming)
    }

    pub(crate) fn keep(&mut self, index: usize, step: &Name, coming: Option<Coming>) {
        if self.next.len() <= index {
            self.next.resize(index + 1, None);
        }
        if let Some(place) = self.next.get_mut(index) {
            *place = Some((step.clone(), coming));
        }
    }

    /// The step went on.
    fn went_on(&mut self, step: &Name) {
        let of_step = |next: &&mut Option<(Name, Option<Coming>)>| {
            next.as_ref().is_some_and(|(known, _)| known == step)
        };
        if let Some(next) = self.next.iter_mut().find(of_step) {
            *next = None;
        }
    }
}

impl PatientState {
    /// Forgets what was worked out for other settings.
    pub(crate) fn remember_for(&mut self, site: &SiteSettings) {
        let of = Some((site.version, site.calendar.holidays.len() + site.calendar.working.len()));
        if self.memo.site != of {
            self.forget();
            self.memo.site = of;
        }
    }

    /// Forgets everything that was worked out but the zones.
    pub fn forget(&mut self) {
        (self.memo.ladders, self.memo.messages) = (Rest::default(), Rest::default());
        for enrollment in self.enrollments.values_mut() {
            enrollment.memo = Memo::default();
        }
    }

    /// What a fact touches is looked at again.
    pub(crate) fn look_again(&mut self, fact: &Fact) {
        let touches = touches(fact);
        if touches.schedule {
            return self.forget();
        }
        if touches.ladders {
            self.memo.ladders = Rest::default();
        }
        if touches.messages {
            self.memo.messages = Rest::default();
        }
        if touches.course {
            for enrollment in self.enrollments.values_mut() {
                enrollment.memo.course = Rest::default();
                if let Some(step) = goes_on(fact) {
                    enrollment.memo.went_on(step);
                }
            }
        }
    }

    /// The zones of the site and of the patient.
    pub(crate) fn zones(&mut self, site: &SiteSettings) -> Result<(TimeZone, TimeZone), AdvanceError> {
        let site_zone = named(self.memo.site_zone.take(), &site.zone)?;
        self.memo.site_zone = Some(site_zone.clone());
        if self.zone.is_empty() || self.zone == site.zone {
            return Ok((site_zone.clone(), site_zone));
        }
        let zone = named(self.memo.zone.take(), &self.zone)?;
        self.memo.zone = Some(zone.clone());
        Ok((site_zone, zone))
    }

    /// The same without keeping them.
    pub(crate) fn known_zones(&self, site: &SiteSettings) -> Result<(TimeZone, TimeZone), AdvanceError> {
        let site_zone = named(self.memo.site_zone.clone(), &site.zone)?;
        if self.zone.is_empty() || self.zone == site.zone {
            return Ok((site_zone.clone(), site_zone));
        }
        let zone = named(self.memo.zone.clone(), &self.zone)?;
        Ok((site_zone, zone))
    }
}

fn named(known: Option<TimeZone>, name: &str) -> Result<TimeZone, AdvanceError> {
    match known {
        Some(zone) if zone.iana_name() == Some(name) => Ok(zone),
        _ => zone_of(name),
    }
}

/// The step whose ordinals a fact counts on.
fn goes_on(fact: &Fact) -> Option<&Name> {
    match fact {
        Fact::Opened { about, .. } | Fact::Closed { about, .. } | Fact::ScoreWanted { about, .. } => {
            Some(&about.step)
        }
        Fact::Skipped { step, .. } | Fact::StepStarted { step, .. } => Some(step),
        _ => None,
    }
}

/// What a fact may change of what is decided next.
#[derive(Clone, Copy, Default)]
struct Touches {
    /// What schedules are worked out from, and with it everything.
    schedule: bool,
    /// Where steps and enrollments stand.
    course: bool,
    /// Which tasks are open, and who has them.
    ladders: bool,
    /// What is to be sent, and what was.
    messages: bool,
}

fn touches(fact: &Fact) -> Touches {
    let nothing = Touches::default();
    let messages = Touches { messages: true, ..nothing };
    let course = Touches { course: true, ..messages };
    match fact {
        Fact::Judged { .. } | Fact::Scored { .. } | Fact::RiskMoved { .. } => nothing,
        Fact::Claimed { .. }
        | Fact::Released { .. }
        | Fact::Planned(_)
        | Fact::Joined { .. }
        | Fact::Moved { .. }
        | Fact::Dropped { .. }
        | Fact::Reachable { .. }
        | Fact::ConsentGiven { .. }
        | Fact::ConsentWithdrawn { .. }
        | Fact::DailyConsent { .. }
        | Fact::ChannelStopped { .. }
        | Fact::ChannelRestarted { .. }
        | Fact::Replied { .. } => messages,
        Fact::HandedOver { .. }
        | Fact::Receipt { .. }
        | Fact::Flagged { .. }
        | Fact::Answered { .. }
        | Fact::Opened { .. }
        | Fact::Closed { .. }
        | Fact::Skipped { .. }
        | Fact::StepStarted { .. }
        | Fact::ScoreWanted { .. } => course,
        Fact::Taken { .. } => Touches { ladders: true, ..nothing },
        Fact::TaskOpened(_) | Fact::TaskChanged { .. } | Fact::TaskWithdrawn { .. } => {
            Touches { course: true, ladders: true, ..nothing }
        }
        Fact::Outcome { .. }
        | Fact::Paused { .. }
        | Fact::Resumed
        | Fact::Stopped { .. }
        | Fact::Died { .. }
        | Fact::Ended => Touches { ladders: true, ..course },
        Fact::Preference { .. }
        | Fact::Enrolled { .. }
        | Fact::VersionChosen { .. }
        | Fact::VersionChanged { .. }
        | Fact::FactSet { .. }
        | Fact::AnchorEvent { .. }
        | Fact::AnchorCorrected { .. }
        | Fact::Replanned { .. }
        | Fact::Voided { .. }
        | Fact::Corrected { .. } => Touches { schedule: true, ..nothing },
    }
}

macro_rules! no_part_of_the_state {
    ($name:ident) => {
        impl PartialEq for $name {
            fn eq(&self, _: &Self) -> bool {
                true
            }
        }
        impl Eq for $name {}
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("-")
            }
        }
    };
}

no_part_of_the_state!(PatientMemo);
no_part_of_the_state!(Memo);
