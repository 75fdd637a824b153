//! What became of patients, entered by a person or read from a list: what models are watched by and learn from.

use jiff::{Timestamp, civil::Date};
use tend_engine::{EnrollmentId, PatientId, SiteId, StaffId};

use super::HORIZON_DAYS;
pub use crate::store::Became;
use crate::{
    app::{Actor, App},
    store::{AuditLine, NewOutcome, StoreError},
};

/// Lines of a list at most.
pub const LINES_MAX: usize = 50_000;

/// Why it was not written down.
#[derive(Debug, thiserror::Error)]
pub enum OutcomeError {
    /// The day lies outside the time that the outcome is about.
    #[error("the day {day} is not within {HORIZON_DAYS} days after the discharge")]
    NotWithin {
        /// The day.
        day: Date,
    },
    /// The time that it is about has not passed yet.
    #[error("the {HORIZON_DAYS} days are not over: that nothing happened is not known before {known_from}")]
    TooEarly {
        /// When it will be.
        known_from: Date,
    },
    /// Nobody here, or no discharge of theirs.
    #[error("no patient here has that number and was discharged on {0}")]
    Unknown(Date),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A line of a list.
#[derive(Debug, Clone)]
pub struct OutcomeLine {
    /// Kind of number, as at enrolment.
    pub system: String,
    /// The number.
    pub value: String,
    /// The discharge that it is about.
    pub discharge: Date,
    /// What became.
    pub became: Became,
}

/// What came of a list.
#[derive(Debug, Default)]
pub struct Listed {
    /// Lines that were written.
    pub written: usize,
    /// Position of the line from 1, and why it was not.
    pub refused: Vec<(usize, String)>,
}

impl App {
    /// Writes down what became of a patient after that discharge.
    ///
    /// # Errors
    /// [`OutcomeError`].
    pub async fn record_outcome(
        &self,
        site: SiteId,
        patient: PatientId,
        enrollment: EnrollmentId,
        discharge: Option<Date>,
        became: Became,
        by: StaffId,
    ) -> Result<(), OutcomeError> {
        let now = self.clock.now();
        let new = self.judged(site, patient, enrollment, discharge, became, now)?;
        let new = NewOutcome { source: "staff", by: Some(by), ..new };
        let line = AuditLine {
            actor: Actor::Staff(by).name(),
            action: "record outcome",
            patient: Some(patient),
            subject: format!("enrollment {enrollment}"),
            detail: "{}".into(),
        };
        let mut tx = self.store.begin();
        tx.write_outcomes(&[new]).await?;
        self.note_in(&mut tx, line, now).await?;
        Ok(tx.commit().await?)
    }

    /// Reads a list. Lines about nobody here, or about no discharge here, are refused one by one; the others are written, and
    /// the model is looked at again soon. All of it is of one moment: of two lines about one discharge the later holds.
    ///
    /// # Errors
    /// [`StoreError`]; nothing is written then.
    pub async fn import_outcomes(&self, site: SiteId, lines: &[OutcomeLine]) -> Result<Listed, StoreError> {
        let now = self.clock.now();
        let mut listed = Listed::default();
        let mut new = Vec::new();
        for (at, line) in lines.iter().enumerate() {
            match self.listed(site, line, now).await {
                Ok(one) => new.push(one),
                Err(OutcomeError::Store(error)) if !error.is_about_rows() => return Err(error),
                Err(why) => listed.refused.push((at + 1, why.to_string())),
            }
        }
        listed.written = new.len();
        let line = AuditLine {
            actor: Actor::System.name(),
            action: "import outcomes",
            patient: None,
            subject: format!("site {site}"),
            detail: format!("{{\"written\":{}}}", listed.written),
        };
        let mut tx = self.store.begin();
        tx.write_outcomes(&new).await?;
        self.note_in(&mut tx, line, now).await?;
        if !new.is_empty() {
            self.look_again(&mut tx, site, now).await?;
        }
        tx.commit().await?;
        Ok(listed)
    }

    async fn listed(
        &self,
        site: SiteId,
        line: &OutcomeLine,
        now: Timestamp,
    ) -> Result<NewOutcome, OutcomeError> {
        let unknown = || OutcomeError::Unknown(line.discharge);
        let patient = self.store.patient_identified(&line.system, &line.value).await?.ok_or_else(unknown)?;
        let follow_ups = self.store.follow_ups_of(site, patient).await?;
        let of_day = follow_ups.into_iter().find(|(_, day)| *day == Some(line.discharge));
        let (enrollment, discharge) = of_day.ok_or_else(unknown)?;
        self.judged(site, patient, enrollment, discharge, line.became, now)
    }

    fn judged(
        &self,
        site: SiteId,
        patient: PatientId,
        enrollment: EnrollmentId,
        discharge: Option<Date>,
        became: Became,
        at: Timestamp,
    ) -> Result<NewOutcome, OutcomeError> {
        let horizon = i32::try_from(HORIZON_DAYS).unwrap_or(i32::MAX);
        let today = self.day_at(site, at);
        match (became, discharge) {
            (Became::Admitted(day), Some(from)) if !(0..=horizon).contains(&(day - from).get_days()) => {
                return Err(OutcomeError::NotWithin { day });
            }
            (Became::Admitted(day), _) if day > today => return Err(OutcomeError::NotWithin { day }),
            (Became::NotAdmitted, Some(from)) if (today - from).get_days() < horizon => {
                let known_from = from.saturating_add(jiff::Span::new().days(i64::from(HORIZON_DAYS)));
                return Err(OutcomeError::TooEarly { known_from });
            }
            (Became::Admitted(_) | Became::NotAdmitted, _) => {}
        }
        Ok(NewOutcome {
            id: self.ids.fresh(),
            site,
            patient,
            enrollment,
            became,
            source: "import",
            by: None,
            at,
        })
    }

    /// The day, where the site is.
    pub(super) fn day_at(&self, site: SiteId, at: Timestamp) -> Date {
        at.to_zoned_datetime(self.zone(site)).date()
    }
}
