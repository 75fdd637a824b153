//! Putting patients on a version of a workflow.

use std::collections::{BTreeMap, BTreeSet, btree_map::Entry};

use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};
use tend_engine::{
    EnrollmentId, Name, PatientId, SiteId, Value, VersionHash,
    fact::{Fact, NewFact},
    model::{Channel, FactDef, FactKind, Workflow},
    planner,
    state::PatientState,
};

use super::{Actor, App, RecordError, record::just_now};
use crate::store::{
    AuditLine, Batch, Consent, ContactPoint, Demographics, FreeText, Identifier, NewPatient, StoreError, Tx,
};

/// The purpose of a consent that messages of a follow-up rest on.
pub const FOLLOW_UP: &str = "follow_up";
/// The purpose of a consent to several messages a day.
pub const DAILY: &str = "daily_messages";
/// Most patients that are enrolled in one commit.
pub const ENROLL_MAX: usize = 100;

/// What a patient is put on.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Course {
    /// The workflow; its version at the site is taken.
    pub workflow: Name,
    /// Facts by name.
    pub facts: BTreeMap<Name, Value>,
    /// Dates by anchor.
    pub anchors: BTreeMap<Name, Date>,
}

/// A patient who is not in the database yet.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Newcomer {
    /// Where.
    pub site: SiteId,
    /// In which team.
    pub team: Option<u128>,
    /// Who.
    pub demographics: Demographics,
    /// Numbers in other systems.
    pub identifiers: Vec<Identifier>,
    /// Addresses.
    pub contact_points: Vec<ContactPoint>,
    /// Consents.
    pub consents: Vec<Consent>,
    /// Language of messages and pages.
    pub language: String,
    /// IANA zone.
    pub zone: String,
    /// The channel the patient prefers.
    pub preferred: Option<Channel>,
    /// Up to three messages a day were agreed to.
    pub daily_consent: bool,
    /// On what.
    pub course: Course,
}

/// Who is now on what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Enrolled {
    /// The patient.
    pub patient: PatientId,
    /// The enrollment.
    pub enrollment: EnrollmentId,
}

/// Why somebody could not be enrolled.
#[derive(Debug, thiserror::Error)]
pub enum EnrollError {
    /// No version is published there.
    #[error("\"{0}\" is not published at this site: publish it first")]
    NotPublished(Name),
    /// The workflow has no words in that language.
    #[error("the workflow has no words in \"{0}\": choose a language that it declares")]
    Language(String),
    /// The zone is not known.
    #[error("\"{0}\" is not a time zone: write it like Europe/London")]
    Zone(String),
    /// A required fact is missing.
    #[error("\"{0}\" is required for this workflow")]
    MissingFact(Name),
    /// A fact has a value that its definition does not allow.
    #[error("\"{0}\" has a value that this workflow does not allow")]
    WrongFact(Name),
    /// The date that everything counts from is missing.
    #[error("the date of \"{0}\" is required")]
    MissingAnchor(Name),
    /// The workflow has no such date.
    #[error("this workflow has no date \"{0}\"")]
    UnknownAnchor(Name),
    /// More than fit in one commit.
    #[error("at most {ENROLL_MAX} patients are enrolled at a time")]
    TooMany,
    /// It could not be recorded.
    #[error(transparent)]
    Record(#[from] RecordError),
}

impl From<StoreError> for EnrollError {
    fn from(error: StoreError) -> Self {
        Self::Record(error.into())
    }
}

impl App {
    /// Enrols patients who are new here, all in one commit: all of them or none.
    ///
    /// # Errors
    /// [`EnrollError`].
    pub async fn enroll(&self, actor: Actor, newcomers: &[Newcomer]) -> Result<Vec<Enrolled>, EnrollError> {
        let mut tx = self.store.begin();
        let enrolled = self.enroll_in(&mut tx, actor, newcomers, &BTreeMap::new()).await?;
        tx.commit().await?;
        Ok(enrolled)
    }

    /// The same in an open unit of work. `features` is what a model wants to know of each of them.
    ///
    /// # Errors
    /// [`EnrollError`]; the unit of work must not be committed then.
    pub(super) async fn enroll_in(
        &self,
        tx: &mut Tx,
        actor: Actor,
        newcomers: &[Newcomer],
        features: &BTreeMap<Name, Value>,
    ) -> Result<Vec<Enrolled>, EnrollError> {
        if newcomers.len() > ENROLL_MAX {
            return Err(EnrollError::TooMany);
        }
        let mut live = self.live();
        let now = self.clock.now();
        let mut batch = Batch::default();
        let mut enrolled = Vec::with_capacity(newcomers.len());
        let mut versions: BTreeMap<SiteId, BTreeMap<String, VersionHash>> = BTreeMap::new();
        for newcomer in newcomers {
            let active = match versions.entry(newcomer.site) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(free) => free.insert(self.store.active_versions(newcomer.site).await?),
            };
            let version = active
                .get(newcomer.course.workflow.as_str())
                .ok_or_else(|| EnrollError::NotPublished(newcomer.course.workflow.clone()))?;
            // Another process may have published it a moment ago.
            if !live.library.contains_key(version) && self.refresh_if_changed().await? {
                live = self.live();
            }
            let workflow = live
                .library
                .get(version)
                .ok_or_else(|| EnrollError::NotPublished(newcomer.course.workflow.clone()))?;
            check_newcomer(workflow, newcomer)?;
            let who =
                Enrolled { patient: PatientId(self.ids.fresh()), enrollment: EnrollmentId(self.ids.fresh()) };
            let mut facts = facts(actor, now, newcomer, who.enrollment, version);
            facts.extend(features.iter().map(|(name, value)| {
                let fact = Fact::FactSet { name: name.clone(), value: value.clone() };
                just_now(actor, now, Some(who.enrollment), fact)
            }));
            let mut state = PatientState::default();
            let site = self.site(newcomer.site);
            let advanced = planner::advance(&live.library, &site, &mut state, facts, now)
                .map_err(|error| RecordError::Engine(error.into()))?;
            let row = NewPatient {
                id: who.patient,
                site: newcomer.site,
                team: newcomer.team,
                demographics: newcomer.demographics.clone(),
                identifiers: newcomer.identifiers.clone(),
                contact_points: newcomer.contact_points.clone(),
                consents: newcomer.consents.clone(),
            };
            batch.new_patient(&self.store, &live.library, &*self.ids, &row, &state, &advanced, now);
            batch.audit(&*self.ids, now, line(actor, who));
            enrolled.push(who);
        }
        tx.append(batch).await?;
        Ok(enrolled)
    }

    /// Enrols a patient who is here already in another workflow.
    ///
    /// # Errors
    /// [`EnrollError`].
    pub async fn enroll_known(
        &self,
        actor: Actor,
        patient: PatientId,
        site: SiteId,
        course: &Course,
    ) -> Result<Enrolled, EnrollError> {
        let active = self.store.active_versions(site).await?;
        let unpublished = || EnrollError::NotPublished(course.workflow.clone());
        let version = active.get(course.workflow.as_str()).ok_or_else(unpublished)?;
        if !self.live().library.contains_key(version) {
            self.refresh_if_changed().await?;
        }
        check_course(self.live().library.get(version).ok_or_else(unpublished)?, course)?;
        let who = Enrolled { patient, enrollment: EnrollmentId(self.ids.fresh()) };
        let fact = just_now(actor, self.clock.now(), Some(who.enrollment), put_on(site, version, course));
        self.record(actor, "enroll", patient, vec![fact], &FreeText::new()).await?;
        Ok(who)
    }
}

fn put_on(site: SiteId, version: &VersionHash, course: &Course) -> Fact {
    Fact::Enrolled {
        site,
        workflow: course.workflow.clone(),
        version: version.clone(),
        facts: course.facts.clone(),
        anchors: course.anchors.clone(),
    }
}

fn facts(
    actor: Actor,
    now: Timestamp,
    newcomer: &Newcomer,
    enrollment: EnrollmentId,
    version: &VersionHash,
) -> Vec<NewFact> {
    let about_patient = |fact| just_now(actor, now, None, fact);
    let mut facts = vec![about_patient(Fact::Preference {
        language: newcomer.language.clone(),
        zone: newcomer.zone.clone(),
        preferred: newcomer.preferred,
    })];
    let reachable: BTreeSet<Channel> = newcomer.contact_points.iter().map(|point| point.channel).collect();
    facts.extend(
        reachable.into_iter().map(|channel| about_patient(Fact::Reachable { channel, usable: true })),
    );
    facts.extend(newcomer.consents.iter().filter(|consent| consent.purpose == FOLLOW_UP).map(|consent| {
        about_patient(Fact::ConsentGiven { channel: consent.channel, wording: consent.wording.clone() })
    }));
    if newcomer.daily_consent {
        facts.push(about_patient(Fact::DailyConsent { given: true }));
    }
    facts.push(just_now(actor, now, Some(enrollment), put_on(newcomer.site, version, &newcomer.course)));
    facts
}

fn line(actor: Actor, who: Enrolled) -> AuditLine {
    AuditLine {
        actor: actor.name(),
        action: "enroll",
        patient: Some(who.patient),
        subject: format!("enrollment {}", who.enrollment),
        detail: "{}".into(),
    }
}

fn check_newcomer(workflow: &Workflow, newcomer: &Newcomer) -> Result<(), EnrollError> {
    if !workflow.languages.iter().any(|known| known.0 == *newcomer.language.as_str()) {
        return Err(EnrollError::Language(newcomer.language.clone()));
    }
    if jiff::tz::TimeZone::get(&newcomer.zone).is_err() {
        return Err(EnrollError::Zone(newcomer.zone.clone()));
    }
    check_course(workflow, &newcomer.course)
}

/// Whether facts and dates are what the workflow asks for.
///
/// # Errors
/// [`EnrollError`] that names the first that is not.
pub fn check_course(workflow: &Workflow, course: &Course) -> Result<(), EnrollError> {
    for definition in &workflow.facts {
        match course.facts.get(&definition.id) {
            None if definition.required && definition.default.is_none() => {
                return Err(EnrollError::MissingFact(definition.id.clone()));
            }
            Some(value) if !allows(definition, value) => {
                return Err(EnrollError::WrongFact(definition.id.clone()));
            }
            _given_or_not_needed => {}
        }
    }
    let known = |name: &&Name| !workflow.facts.iter().any(|definition| definition.id == **name);
    if let Some(unknown) = course.facts.keys().find(known) {
        return Err(EnrollError::WrongFact(unknown.clone()));
    }
    if let Some(main) = workflow.main_anchor().filter(|main| !course.anchors.contains_key(&main.id)) {
        return Err(EnrollError::MissingAnchor(main.id.clone()));
    }
    let unknown = |name: &&Name| !workflow.anchors.iter().any(|anchor| anchor.id == **name);
    match course.anchors.keys().find(unknown) {
        Some(name) => Err(EnrollError::UnknownAnchor(name.clone())),
        None => Ok(()),
    }
}

/// Whether a fact may have that value.
#[must_use]
pub fn allows(definition: &FactDef, value: &Value) -> bool {
    match (&definition.kind, value) {
        (FactKind::Boolean, Value::Bool(_)) | (FactKind::Date, Value::Date(_)) => true,
        (FactKind::Choice(options), Value::Choice(chosen)) => options.iter().any(|(id, _)| id == chosen),
        (FactKind::Whole { min, max }, Value::Number(number)) => {
            (*min..=*max).contains(&number.rounded())
                && *number == tend_engine::Decimal::whole(number.rounded())
        }
        (FactKind::Quantity { min, max, .. }, Value::Number(number)) => (*min..=*max).contains(number),
        (
            FactKind::Boolean
            | FactKind::Date
            | FactKind::Choice(_)
            | FactKind::Whole { .. }
            | FactKind::Quantity { .. },
            _,
        ) => false,
    }
}
