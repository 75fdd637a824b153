//! What moving a site's follow-ups of a workflow to another version would change. How many stand where is counted by the
//! database; patient by patient the engine plans on copies, a page at a time and off the async threads. Nothing is written.

use std::{collections::BTreeMap, sync::Arc};

use jiff::{SignedDuration, Timestamp};
use tend_engine::{
    EnrollmentId, PatientId, SiteId, VersionHash,
    compare::{Difference, Move, compare},
    fact::VersionChoice,
    migration::{Ambiguous, Migration},
    model::Workflow,
    planner::Library,
    site::SiteSettings,
    state::{PatientState, Standing},
};

use super::App;
use crate::store::StoreError;

/// How far ahead is compared.
pub const DAYS_AHEAD: i64 = 400;
/// Follow-ups whose states are read at a time.
const READ_MAX: usize = 200;

/// How a site's running follow-ups of a workflow stand beside a version of it.
#[derive(Debug, Default)]
pub struct Population {
    /// The other versions that follow-ups are on, by hash, with how many and what the new file leaves open about them.
    pub versions: Vec<OnVersion>,
    /// How many are on the new version already.
    pub there: usize,
    /// How many of them a move brought there.
    pub moved: usize,
    /// For how many it was chosen that they stay.
    pub stay: usize,
    /// For how many it was chosen that they move when no window is open.
    pub wait: usize,
    ways: BTreeMap<VersionHash, Result<Migration, Vec<Ambiguous>>>,
}

/// A version that follow-ups are on.
#[derive(Debug)]
pub struct OnVersion {
    /// Which.
    pub version: VersionHash,
    /// How many.
    pub count: usize,
    /// Why none of them can be moved.
    pub open: Vec<Ambiguous>,
}

/// Where a page of follow-ups ends: they are in order of version, patient and enrollment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The version that the last one is on.
    pub version: VersionHash,
    /// Whose it is.
    pub patient: PatientId,
    /// Which it is.
    pub enrollment: EnrollmentId,
}

/// A page of follow-ups that were looked at.
#[derive(Debug, Default)]
pub struct Ahead {
    /// In order.
    pub followups: Vec<Followup>,
    /// Where the page ends, if there are more.
    pub next: Option<Place>,
}

/// One follow-up on another version.
#[derive(Debug)]
pub struct Followup {
    /// Whose.
    pub patient: PatientId,
    /// Which.
    pub enrollment: EnrollmentId,
    /// The version that it is on.
    pub from: VersionHash,
    /// What was chosen for the new version.
    pub chosen: Option<Chosen>,
    /// What a move would change; without it, why it cannot be moved.
    pub difference: Result<Difference, String>,
}

/// What was chosen for a follow-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chosen {
    /// It stays.
    Stays,
    /// It moves as soon as no window is open.
    Waits,
}

impl Followup {
    /// Where it stands in the order.
    #[must_use]
    pub fn place(&self) -> Place {
        Place { version: self.from.clone(), patient: self.patient, enrollment: self.enrollment }
    }
}

impl Population {
    /// Whether the new file leaves anything open about a version that is in use.
    #[must_use]
    pub fn is_ambiguous(&self) -> bool {
        self.versions.iter().any(|on| !on.open.is_empty())
    }

    /// How many running follow-ups are on another version.
    #[must_use]
    pub fn elsewhere(&self) -> usize {
        self.versions.iter().map(|on| on.count).sum()
    }
}

/// What looking ahead found, counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Follow-ups that were looked at.
    pub looked: usize,
    /// Those for which a move changes something.
    pub changing: usize,
    /// Those with something that waits for an answer or for a task to be done.
    pub waiting: usize,
    /// Messages that go out today: as things stand, and if these were moved now.
    pub today: (usize, usize),
    /// Those that cannot be moved.
    pub broken: usize,
}

impl Tally {
    /// Counts one more.
    pub fn add(&mut self, one: &Followup) {
        self.looked += 1;
        match &one.difference {
            Err(_) => self.broken += 1,
            Ok(found) => {
                self.changing += usize::from(!found.is_empty());
                self.waiting += usize::from(found.waits);
                self.today.0 += found.today.0.len();
                self.today.1 += found.today.1.len();
            }
        }
    }
}

impl<'a> FromIterator<&'a Followup> for Tally {
    fn from_iter<I: IntoIterator<Item = &'a Followup>>(all: I) -> Self {
        let mut tally = Self::default();
        all.into_iter().for_each(|one| tally.add(one));
        tally
    }
}

/// What was chosen for that version.
#[must_use]
pub fn chosen_for(of: &tend_engine::state::EnrollmentState, to: &VersionHash) -> Option<Chosen> {
    let (_, choice) = of.chosen.as_ref().filter(|(version, _)| version == to)?;
    Some(match choice {
        VersionChoice::Stay => Chosen::Stays,
        VersionChoice::MoveWhenQuiet(_) => Chosen::Waits,
    })
}

impl App {
    /// How the running follow-ups of the workflow at a site stand beside this version of it. The version need not be
    /// published.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn population(&self, site: SiteId, workflow: &Workflow) -> Result<Population, StoreError> {
        let to = workflow.version();
        let mut counts = self.store.followed_by_version(site, &workflow.id).await?;
        let chosen = self.store.chosen_for(site, &workflow.id, &to).await?;
        let live = self.live();
        let there = counts.remove(&to).unwrap_or(0);
        let mut population = Population {
            there,
            moved: if there == 0 { 0 } else { self.store.moved_count(site, &workflow.id, &to).await? },
            stay: chosen.stay,
            wait: chosen.wait,
            ..Population::default()
        };
        for (version, count) in counts {
            let way = live.library.get(&version).map(|old| Migration::between(old, workflow));
            let open = match &way {
                Some(Err(open)) => open.clone(),
                Some(Ok(_)) | None => Vec::new(),
            };
            population.ways.extend(way.map(|way| (version.clone(), way)));
            population.versions.push(OnVersion { version, count, open });
        }
        Ok(population)
    }

    /// Looks at the follow-ups on other versions that come after that place, at most so many: what would a move change for
    /// each?
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn look_ahead(
        &self,
        site: SiteId,
        workflow: &Workflow,
        population: &Population,
        after: Option<&Place>,
        most: usize,
    ) -> Result<Ahead, StoreError> {
        let mut listed = Vec::new();
        for on in &population.versions {
            let left = (most + 1).saturating_sub(listed.len());
            let begun = after.filter(|place| on.version <= place.version);
            if left == 0 || begun.is_some_and(|place| on.version < place.version) {
                continue;
            }
            let after = begun.map(|place| (place.patient, place.enrollment));
            let page = self.store.followed_on(site, &workflow.id, &on.version, after, left).await?;
            listed.extend(page.into_iter().map(|(patient, enrollment)| Place {
                version: on.version.clone(),
                patient,
                enrollment,
            }));
        }
        let more = listed.len() > most;
        listed.truncate(most);
        let next = listed.last().filter(|_| more).cloned();
        let followups = self.looked_at(site, workflow, population, listed).await?;
        Ok(Ahead { followups, next })
    }

    async fn looked_at(
        &self,
        site: SiteId,
        workflow: &Workflow,
        population: &Population,
        listed: Vec<Place>,
    ) -> Result<Vec<Followup>, StoreError> {
        let to = workflow.version();
        let mut library = self.live().library.clone();
        library.entry(to.clone()).or_insert_with(|| Arc::new(workflow.clone()));
        let look = Arc::new(Look {
            library: Arc::new(library),
            settings: self.site(site),
            to,
            ways: population.ways.clone(),
            now: self.clock.now(),
        });
        let mut followups = Vec::new();
        for places in listed.chunks(READ_MAX) {
            let patients: Vec<PatientId> = places.iter().map(|place| place.patient).collect();
            let states: BTreeMap<PatientId, PatientState> =
                self.store.states(&patients).await?.into_iter().collect();
            let (places, look) = (places.to_vec(), look.clone());
            // Planning ahead takes a while, and others wait for this thread.
            let looked = tokio::task::spawn_blocking(move || look.at_all(&places, &states)).await;
            followups.extend(looked.map_err(|error| StoreError::unreadable("plan of a patient", error))?);
        }
        Ok(followups)
    }
}

/// What is needed to look at patients on another thread.
struct Look {
    library: Arc<Library>,
    settings: SiteSettings,
    to: VersionHash,
    ways: BTreeMap<VersionHash, Result<Migration, Vec<Ambiguous>>>,
    now: Timestamp,
}

impl Look {
    /// Whoever was moved or is over by now is left out.
    fn at_all(&self, places: &[Place], states: &BTreeMap<PatientId, PatientState>) -> Vec<Followup> {
        let one = |place: &Place| {
            let state = states.get(&place.patient)?;
            let of = state.enrollments.get(&place.enrollment)?;
            if of.version == self.to || matches!(of.standing, Standing::Over { .. }) {
                return None;
            }
            Some(Followup {
                patient: place.patient,
                enrollment: place.enrollment,
                from: of.version.clone(),
                chosen: chosen_for(of, &self.to),
                difference: self.at(state, place.enrollment, &of.version),
            })
        };
        places.iter().filter_map(one).collect()
    }

    fn at(
        &self,
        state: &PatientState,
        enrollment: EnrollmentId,
        from: &VersionHash,
    ) -> Result<Difference, String> {
        let migration = match self.ways.get(from) {
            Some(Ok(migration)) => migration,
            Some(Err(open)) => {
                return Err(open.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "));
            }
            None => return Err(format!("version {} is not known here", from.short())),
        };
        let what = Move { enrollment, to: &self.to, migration, undone: false };
        let until =
            self.now.checked_add(SignedDuration::from_hours(DAYS_AHEAD * 24)).unwrap_or(Timestamp::MAX);
        compare(&self.library, &self.settings, state, &what, self.now, until)
            .map_err(|error| error.to_string())
    }
}
