//! One turn of the planner over one patient: what it may look at, what it has decided, when to look again.

use jiff::{Timestamp, tz::TimeZone};

use crate::{
    EnrollmentId, VersionHash,
    arrange::slot::Ledger,
    expr::Env,
    fact::{Author, Entry, Fact},
    model::Workflow,
    planner::{AdvanceError, ENTRIES_PER_ADVANCE_MAX, Library},
    schedule::Inputs,
    site::SiteSettings,
    state::{EnrollmentState, PatientState, Standing},
};

/// A turn. Every decision is recorded and folded at once, so that the next one sees it.
pub(crate) struct Turn<'a> {
    library: &'a Library,
    pub site: &'a SiteSettings,
    pub state: &'a mut PatientState,
    pub zone: TimeZone,
    pub site_zone: TimeZone,
    pub now: Timestamp,
    pub entries: Vec<Entry>,
    pub wake_at: Option<Timestamp>,
    decided: usize,
}

impl<'a> Turn<'a> {
    pub fn new(
        library: &'a Library,
        site: &'a SiteSettings,
        state: &'a mut PatientState,
        now: Timestamp,
    ) -> Result<Self, AdvanceError> {
        state.remember_for(site);
        let (site_zone, _) = state.zones(site)?;
        let now = whole_microseconds(now).max(state.recorded_at.unwrap_or(Timestamp::MIN));
        let zone = site_zone.clone();
        Ok(Self {
            library,
            site,
            state,
            zone,
            site_zone,
            now,
            entries: Vec::new(),
            wake_at: None,
            decided: 0,
        })
    }

    /// Appends an entry and folds it in.
    pub fn append(
        &mut self,
        enrollment: Option<EnrollmentId>,
        occurred_at: Timestamp,
        author: Author,
        fact: Fact,
    ) {
        let seq = self.state.seq + 1;
        let entry = Entry { seq, enrollment, occurred_at, recorded_at: self.now, author, fact };
        self.state.fold(&entry);
        self.entries.push(entry);
    }

    /// Records a decision.
    pub fn record(&mut self, enrollment: Option<EnrollmentId>, fact: Fact) -> Result<(), AdvanceError> {
        if self.decided >= ENTRIES_PER_ADVANCE_MAX {
            return Err(AdvanceError::TooMany { limit: ENTRIES_PER_ADVANCE_MAX });
        }
        self.decided += 1;
        self.append(enrollment, self.now, Author::Engine, fact);
        Ok(())
    }

    /// Whether an instant has come; if not, the planner looks again then.
    pub fn has_come(&mut self, at: Timestamp) -> bool {
        if at <= self.now {
            return true;
        }
        self.look_at(Some(at));
        false
    }

    /// The planner looks again then, if ever.
    pub fn look_at(&mut self, at: Option<Timestamp>) {
        if let Some(at) = at {
            self.wake_at = Some(self.wake_at.map_or(at, |wake| wake.min(at)));
        }
    }

    pub fn workflow(&self, version: &VersionHash) -> Result<&'a Workflow, AdvanceError> {
        let found = self.library.get(version).map(std::convert::AsRef::as_ref);
        found.ok_or_else(|| AdvanceError::UnknownVersion(version.clone()))
    }

    pub fn workflow_of(&self, id: EnrollmentId) -> Result<Option<&'a Workflow>, AdvanceError> {
        self.state.enrollments.get(&id).map(|enrollment| self.workflow(&enrollment.version)).transpose()
    }

    pub fn is_active(&self, id: EnrollmentId) -> bool {
        self.state.enrollments.get(&id).is_some_and(|enrollment| enrollment.standing == Standing::Active)
    }

    pub fn is_over(&self, id: EnrollmentId) -> bool {
        let standing = self.state.enrollments.get(&id).map(|enrollment| &enrollment.standing);
        standing.is_none_or(|standing| matches!(standing, Standing::Over { .. }))
    }

    pub fn ledger(&self) -> Ledger<'_> {
        Ledger {
            site: self.site,
            state: self.state,
            zone: &self.zone,
            site_zone: &self.site_zone,
            now: self.now,
        }
    }

    pub fn inputs<'b>(&'b self, enrollment: &'b EnrollmentState, workflow: &'b Workflow) -> Inputs<'b> {
        Inputs {
            workflow,
            facts: &enrollment.facts,
            anchors: &enrollment.anchors,
            calendar: &self.site.calendar,
            zone: &self.zone,
        }
    }
}

/// What a condition of an enrollment may look at on a day.
pub(crate) fn env<'a>(
    zone: &'a TimeZone,
    enrollment: &'a EnrollmentState,
    workflow: &'a Workflow,
    today: jiff::civil::Date,
) -> Env<'a> {
    Env {
        facts: &enrollment.facts,
        series: &enrollment.series,
        steps: &enrollment.steps,
        former: &enrollment.former,
        anchors: &enrollment.anchors,
        zone,
        ..Env::of_workflow(workflow, today)
    }
}

/// The zone of that name.
pub(crate) fn zone_of(name: &str) -> Result<TimeZone, AdvanceError> {
    TimeZone::get(name).map_err(|_| AdvanceError::UnknownZone(name.to_owned()))
}

fn whole_microseconds(at: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(at.as_microsecond()).unwrap_or(at)
}
