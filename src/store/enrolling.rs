//! New patients: identity sealed into its own tables, and the first rows of the history.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tend_engine::{
    PatientId, SiteId,
    planner::{Advanced, Library},
    state::{PatientState, STATE_VERSION},
};

use super::{
    Batch, ContactPoint, Demographics, Identifier, Owner, Store,
    batch::signed,
    identity::{name_words, sealed},
    project::{self, Whose, json},
    sql::Rows,
    words::{self, micros, uuid},
};
use crate::ports::Ids;

/// A consent as it was given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    /// What for, for example `follow_up`.
    pub purpose: String,
    /// On which channel.
    pub channel: tend_engine::model::Channel,
    /// Version of the wording that was read.
    pub wording: String,
    /// On paper, by word of mouth, on a page.
    pub how: String,
    /// Who recorded it.
    pub given_by: String,
    /// When.
    pub given_at: Timestamp,
}

/// A patient that is not in the database yet.
#[derive(Debug, Clone)]
pub struct NewPatient {
    /// Fresh.
    pub id: PatientId,
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
    /// Consents. Nothing is sent without one.
    pub consents: Vec<Consent>,
}

/// Rows of new patients.
#[derive(Debug, Default)]
pub(super) struct NewRows {
    pub patients: Rows,
    pub keys: Rows,
    pub demographics: Rows,
    pub name_words: Rows,
    pub identifiers: Rows,
    pub contact_points: Rows,
    pub consents: Rows,
}

impl Batch {
    /// Adds a new patient with the history that `advanced` begins; `state` stands after it.
    #[expect(clippy::too_many_arguments, reason = "one call writes all rows of a patient who was not there")]
    pub fn new_patient(
        &mut self,
        store: &Store,
        library: &Library,
        ids: &dyn Ids,
        patient: &NewPatient,
        state: &PatientState,
        advanced: &Advanced,
        now: Timestamp,
    ) {
        let (key, wrapped) = store.vault().fresh_key(patient.id.0);
        let (id, at) = (uuid(patient.id.0), micros(now));
        let rows = &mut self.new;
        rows.patients.push([
            id.into(),
            uuid(patient.site.0).into(),
            patient.team.map(uuid).into(),
            signed(state.seq).into(),
            advanced.wake_at.map(micros).into(),
            serde_json::to_vec(state).unwrap_or_default().into(),
            i32::from(STATE_VERSION).into(),
            at.into(),
        ]);
        rows.keys.push([id.into(), wrapped.into(), at.into()]);
        let who = key.seal(sealed::DEMOGRAPHICS, json(&patient.demographics).as_bytes());
        rows.demographics.push([id.into(), who.into(), at.into()]);
        for word in name_words(&patient.demographics.name) {
            rows.name_words.push([store.vault().lookup_hash("name", &word).into(), id.into()]);
        }
        for number in &patient.identifiers {
            rows.identifiers.push([
                uuid(ids.fresh()).into(),
                id.into(),
                number.system.clone().into(),
                store.vault().lookup_hash("identifier", &number.value).into(),
                key.seal(sealed::IDENTIFIER, number.value.as_bytes()).into(),
                at.into(),
            ]);
        }
        for point in &patient.contact_points {
            rows.contact_points.push(contact_point(store, ids, patient.id, &key, point, at));
        }
        for consent in &patient.consents {
            rows.consents.push(self::consent(ids, patient.id, consent));
        }
        for (index, entry) in advanced.entries.iter().enumerate() {
            self.event(patient.id, entry, advanced.made(index), None);
        }
        let whose = Whose { patient: patient.id, site: patient.site, team: patient.team };
        let before = std::collections::BTreeMap::new();
        let changes = project::project(library, whose, &before, &advanced.entries, state);
        self.changes(ids, whose, changes);
        self.topics.due(advanced.wake_at, state.recorded_at);
    }
}

/// A row of a consent.
pub(super) fn consent(ids: &dyn Ids, patient: PatientId, consent: &Consent) -> [sea_orm::Value; 8] {
    [
        uuid(ids.fresh()).into(),
        uuid(patient.0).into(),
        consent.purpose.clone().into(),
        words::channel(consent.channel).into(),
        consent.wording.clone().into(),
        consent.how.clone().into(),
        consent.given_by.clone().into(),
        micros(consent.given_at).into(),
    ]
}

/// A row of an address.
pub(super) fn contact_point(
    store: &Store,
    ids: &dyn Ids,
    patient: PatientId,
    key: &super::vault::PatientKey,
    point: &ContactPoint,
    at: i64,
) -> [sea_orm::Value; 9] {
    [
        uuid(ids.fresh()).into(),
        uuid(patient.0).into(),
        words::channel(point.channel).into(),
        store.address_hash(&point.address).into(),
        key.seal(sealed::ADDRESS, point.address.as_bytes()).into(),
        match point.owner {
            Owner::Own => "own",
            Owner::Carer => "carer",
        }
        .into(),
        true.into(),
        false.into(),
        at.into(),
    ]
}

impl Store {
    /// The hash by which an address is looked up; mail addresses are compared without regard to case.
    pub(super) fn address_hash(&self, address: &str) -> Vec<u8> {
        self.vault().lookup_hash("address", &address.trim().to_lowercase())
    }
}
