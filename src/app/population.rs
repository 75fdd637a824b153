//! What moving a site's follow-ups of a workflow to another version would change, patient by patient. Nothing is written: the
//! database is read, and the engine plans on copies.

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
/// Patients that are read at a time.
const PAGE: usize = 200;

/// Everybody at a site who is followed up with a workflow, and what another version would change.
#[derive(Debug, Default)]
pub struct Population {
    /// The versions that follow-ups are on, with how many and what the new file leaves open about them.
    pub versions: Vec<OnVersion>,
    /// Every running follow-up that is on another version, in order of the patients.
    pub followups: Vec<Followup>,
    /// How many are on the new version already.
    pub there: usize,
    /// Those of them that a move brought there.
    pub moved: Vec<(PatientId, EnrollmentId)>,
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

impl Population {
    /// Whether the new file leaves anything open about a version that is in use.
    #[must_use]
    pub fn is_ambiguous(&self) -> bool {
        self.versions.iter().any(|on| !on.open.is_empty())
    }

    /// The follow-ups for which a move changes something.
    pub fn changing(&self) -> impl Iterator<Item = &Followup> {
        self.followups.iter().filter(|one| one.difference.as_ref().is_ok_and(|found| !found.is_empty()))
    }

    /// Messages that go out today: as things stand, and if everybody were moved now.
    #[must_use]
    pub fn messages_today(&self) -> (usize, usize) {
        let all = self.followups.iter().filter_map(|one| one.difference.as_ref().ok());
        all.fold((0, 0), |(now, then), one| (now + one.today.0.len(), then + one.today.1.len()))
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
    /// Looks at every running follow-up of the workflow at a site. The version need not be published.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn population(&self, site: SiteId, workflow: &Workflow) -> Result<Population, StoreError> {
        let to = workflow.version();
        let mut library = self.live().library.clone();
        library.entry(to.clone()).or_insert_with(|| Arc::new(workflow.clone()));
        let library = Arc::new(library);
        let settings = Arc::new(self.site(site));
        let now = self.clock.now();
        let mut population = Population::default();
        let mut ways: BTreeMap<VersionHash, Result<Migration, Vec<Ambiguous>>> = BTreeMap::new();
        let patients = self.store.followed_with(site, &workflow.id).await?;
        for page in patients.chunks(PAGE) {
            let mut states = self.store.states(page).await?;
            states.sort_by_key(|(patient, _)| *patient);
            for (patient, state) in &states {
                note_versions(&mut population, &mut ways, &library, workflow, (*patient, state));
            }
            let look = Look {
                library: library.clone(),
                settings: settings.clone(),
                workflow: workflow.id.clone(),
                to: to.clone(),
                ways: ways.clone(),
                now,
            };
            // Planning ahead takes a while, and others wait for this thread.
            let looked = tokio::task::spawn_blocking(move || look.at_all(&states)).await;
            let looked = looked.map_err(|error| StoreError::unreadable("plan of a patient", error))?;
            population.followups.extend(looked);
        }
        for on in &mut population.versions {
            if let Some(Err(open)) = ways.get(&on.version) {
                on.open.clone_from(open);
            }
        }
        Ok(population)
    }
}

fn note_versions(
    population: &mut Population,
    ways: &mut BTreeMap<VersionHash, Result<Migration, Vec<Ambiguous>>>,
    library: &Library,
    workflow: &Workflow,
    (patient, state): (PatientId, &PatientState),
) {
    let to = workflow.version();
    for (id, of) in state.enrollments.iter().filter(|(_, of)| of.workflow == workflow.id) {
        if matches!(of.standing, Standing::Over { .. }) {
            continue;
        }
        if of.version == to {
            population.there += 1;
            population.moved.extend(of.moved_from.is_some().then_some((patient, *id)));
            continue;
        }
        match population.versions.iter_mut().find(|on| on.version == of.version) {
            Some(on) => on.count += 1,
            None => {
                population.versions.push(OnVersion {
                    version: of.version.clone(),
                    count: 1,
                    open: Vec::new(),
                });
                if let Some(old) = library.get(&of.version) {
                    ways.insert(of.version.clone(), Migration::between(old, workflow));
                }
            }
        }
    }
}

/// What is needed to look at patients on another thread.
struct Look {
    library: Arc<Library>,
    settings: Arc<SiteSettings>,
    workflow: tend_engine::Name,
    to: VersionHash,
    ways: BTreeMap<VersionHash, Result<Migration, Vec<Ambiguous>>>,
    now: Timestamp,
}

impl Look {
    fn at_all(&self, states: &[(PatientId, PatientState)]) -> Vec<Followup> {
        let mut found = Vec::new();
        for (patient, state) in states {
            for (enrollment, of) in &state.enrollments {
                let elsewhere = of.workflow == self.workflow && of.version != self.to;
                if !elsewhere || matches!(of.standing, Standing::Over { .. }) {
                    continue;
                }
                found.push(Followup {
                    patient: *patient,
                    enrollment: *enrollment,
                    from: of.version.clone(),
                    chosen: chosen_for(of, &self.to),
                    difference: self.at(state, *enrollment, &of.version),
                });
            }
        }
        found
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
