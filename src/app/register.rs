//! Registering: a patient is enrolled with what consent was given, what a model wants to know is recorded, and a first score
//! is made.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tend_engine::{
    Decimal, Name, PatientId, SiteId, StaffId, Value,
    model::{Channel, FactKind, Text},
};
use tend_risk::{Feature, Kind, Model};

use super::{
    Actor, App,
    enroll::{DAILY, EnrollError, Enrolled, FOLLOW_UP, Newcomer},
    score::{ScoreError, shipped},
};
use crate::store::{Consent, Demographics, Identifier, StoreError, Tx};

/// A patient to be registered.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Register {
    /// Who, and on what; its consents are filled in here.
    pub newcomer: Newcomer,
    /// Channels that were consented to.
    pub consented: Vec<Channel>,
    /// The version of what was read out.
    pub wording: String,
    /// What the model wants to know, by feature.
    pub features: BTreeMap<Name, Value>,
}

/// Why nobody was registered.
#[derive(Debug, thiserror::Error)]
pub enum RegisterError {
    /// A number belongs to somebody else.
    #[error("this number belongs to somebody else here")]
    SameNumber,
    /// Not enrolled.
    #[error(transparent)]
    Enroll(#[from] EnrollError),
    /// Enrolled, but not scored.
    #[error(transparent)]
    Score(#[from] ScoreError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A feature as a form asks for it.
#[derive(Debug, Clone)]
pub struct AskedFeature {
    /// Its name.
    pub name: String,
    /// Its words.
    pub label: String,
    /// Its type, as if it were a fact of a workflow.
    pub kind: FactKind,
    /// Without it there is no score.
    pub required: bool,
}

/// The features of the shipped model, required ones first.
#[must_use]
pub fn risk_features(language: &str) -> Vec<AskedFeature> {
    let all = shipped().map_or(&[][..], Model::features);
    let mut asked: Vec<AskedFeature> =
        all.iter().filter_map(|feature| asked_feature(feature, language)).collect();
    asked.sort_by_key(|feature| !feature.required);
    asked
}

fn asked_feature(feature: &Feature, language: &str) -> Option<AskedFeature> {
    let kind = match &feature.kind {
        Kind::Number { min, max, whole: true } => FactKind::Whole { min: whole(*min), max: whole(*max) },
        Kind::Number { min, max, whole: false } => FactKind::Quantity {
            unit: feature.unit.as_ref().map_or_else(String::new, |unit| unit.get(language).to_owned()),
            min: Decimal::parse(&format!("{min:.4}")).ok()?,
            max: Decimal::parse(&format!("{max:.4}")).ok()?,
        },
        Kind::Boolean => FactKind::Boolean,
        Kind::Category { levels } => FactKind::Choice(
            levels
                .iter()
                .filter_map(|level| {
                    let words = [("en", &level.label.en), ("zh", &level.label.zh)];
                    let text = Text(words.map(|(lang, words)| (lang.to_owned(), words.clone())).into());
                    Some((Name::parse(&level.name).ok()?, text))
                })
                .collect(),
        ),
    };
    let label = feature.label.get(language).to_owned();
    Some(AskedFeature { name: feature.name.clone(), label, kind, required: feature.required })
}

#[expect(clippy::cast_possible_truncation, reason = "ranges of counts in the model file are small")]
fn whole(value: f64) -> i64 {
    value.round() as i64
}

impl App {
    /// Patients of a site with the same name and birth date, or with one of these numbers.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn same_person(
        &self,
        site: SiteId,
        who: &Demographics,
        identifiers: &[Identifier],
    ) -> Result<Vec<PatientId>, StoreError> {
        let mut found = Vec::new();
        for number in identifiers {
            found.extend(self.store.patient_identified(&number.system, &number.value).await?);
        }
        let named = self.store.patients_named(&who.name).await?;
        let people = self.store.demographics_of(&named).await?;
        found.extend(people.into_iter().filter(|(_, p)| p.birth_date == who.birth_date).map(|(id, _)| id));
        found.sort();
        found.dedup();
        self.store.at_site(site, found).await
    }

    /// Enrols a new patient, records what the model wants to know, and makes a first score.
    ///
    /// # Errors
    /// [`RegisterError`].
    pub async fn register(&self, by: StaffId, register: Register) -> Result<Enrolled, RegisterError> {
        for number in &register.newcomer.identifiers {
            if self.store.patient_identified(&number.system, &number.value).await?.is_some() {
                return Err(RegisterError::SameNumber);
            }
        }
        let mut tx = self.store.begin();
        let enrolled = self.register_in(&mut tx, Actor::Staff(by), register).await?;
        tx.commit().await?;
        self.score_patients(&[enrolled.patient]).await?;
        Ok(enrolled)
    }

    /// The same in an open unit of work and without a score, which is wanted from the commit on.
    ///
    /// # Errors
    /// [`EnrollError`]; the unit of work must not be committed then.
    pub(super) async fn register_in(
        &self,
        tx: &mut Tx,
        actor: Actor,
        register: Register,
    ) -> Result<Enrolled, EnrollError> {
        let now = self.clock.now();
        let mut newcomer = register.newcomer;
        let consent = |purpose: &str, channel| Consent {
            purpose: purpose.to_owned(),
            channel,
            wording: register.wording.clone(),
            how: "in person".to_owned(),
            given_by: actor.name(),
            given_at: now,
        };
        let daily = if newcomer.daily_consent { register.consented.clone() } else { Vec::new() };
        let follow_up = register.consented.into_iter().map(|channel| consent(FOLLOW_UP, channel));
        newcomer.consents =
            follow_up.chain(daily.into_iter().map(|channel| consent(DAILY, channel))).collect();
        let enrolled = self.enroll_in(tx, actor, &[newcomer], &register.features).await?;
        enrolled.into_iter().next().ok_or(EnrollError::TooMany)
    }
}
