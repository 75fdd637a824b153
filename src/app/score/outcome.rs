//! What became of patients, entered by a person or read from a list: what models are watched by and learn from.

use jiff::civil::Date;
use tend_engine::{EnrollmentId, PatientId, SiteId, StaffId};

use super::HORIZON_DAYS;
use crate::{
    app::{Actor, App},
    store::{AuditLine, NewOutcome, StoreError},
};

/// Lines of a list at most.
pub const LINES_MAX: usize = 50_000;

/// What became of a patient.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Became {
    /// Whether the patient was admitted within the horizon.
    pub happened: bool,
    /// The day, which must be known when it happened.
    pub day: Option<Date>,
}

/// Why it was not written down.
#[derive(Debug, thiserror::Error)]
pub enum OutcomeError {
    /// It happened, but nobody said when.
    #[error("the day of the admission is missing")]
    NoDay,
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
        let new = self.judged(site, patient, enrollment, discharge, became)?;
        let new = NewOutcome { source: "staff", by: Some(by), ..new };
        self.store.write_outcomes(&[new]).await?;
        let line = AuditLine {
            actor: Actor::Staff(by).name(),
            action: "record outcome",
            patient: Some(patient),
            subject: format!("enrollment {enrollment}"),
            detail: "{}".into(),
        };
        Ok(self.note(line).await?)
    }

    /// Reads a list. Lines about nobody here, or about no discharge here, are refused one by one; the others are written.
    ///
    /// # Errors
    /// [`StoreError`]; nothing is written then.
    pub async fn import_outcomes(&self, site: SiteId, lines: &[OutcomeLine]) -> Result<Listed, StoreError> {
        let mut listed = Listed::default();
        let mut new = Vec::new();
        for (at, line) in lines.iter().enumerate() {
            match self.listed(site, line).await {
                Ok(one) => new.push(one),
                Err(OutcomeError::Store(error)) if !error.is_about_rows() => return Err(error),
                Err(why) => listed.refused.push((at + 1, why.to_string())),
            }
        }
        self.store.write_outcomes(&new).await?;
        listed.written = new.len();
        let line = AuditLine {
            actor: Actor::System.name(),
            action: "import outcomes",
            patient: None,
            subject: format!("site {site}"),
            detail: format!("{{\"written\":{}}}", listed.written),
        };
        self.note(line).await?;
        Ok(listed)
    }

    async fn listed(&self, site: SiteId, line: &OutcomeLine) -> Result<NewOutcome, OutcomeError> {
        let unknown = || OutcomeError::Unknown(line.discharge);
        let patient = self.store.patient_identified(&line.system, &line.value).await?.ok_or_else(unknown)?;
        let follow_ups = self.store.follow_ups_of(site, patient).await?;
        let of_day = follow_ups.into_iter().find(|(_, day)| *day == Some(line.discharge));
        let (enrollment, discharge) = of_day.ok_or_else(unknown)?;
        self.judged(site, patient, enrollment, discharge, line.became)
    }

    fn judged(
        &self,
        site: SiteId,
        patient: PatientId,
        enrollment: EnrollmentId,
        discharge: Option<Date>,
        became: Became,
    ) -> Result<NewOutcome, OutcomeError> {
        let (at, horizon) = (self.clock.now(), i32::try_from(HORIZON_DAYS).unwrap_or(i32::MAX));
        let today = self.today(site);
        match (became.happened, became.day, discharge) {
            (true, None, _) => return Err(OutcomeError::NoDay),
            (true, Some(day), Some(from)) if !(0..=horizon).contains(&(day - from).get_days()) => {
                return Err(OutcomeError::NotWithin { day });
            }
            (true, Some(day), _) if day > today => return Err(OutcomeError::NotWithin { day }),
            (false, _, Some(from)) if (today - from).get_days() < horizon => {
                let known_from = from.saturating_add(jiff::Span::new().days(i64::from(HORIZON_DAYS)));
                return Err(OutcomeError::TooEarly { known_from });
            }
            _ => {}
        }
        Ok(NewOutcome {
            id: self.ids.fresh(),
            site,
            patient,
            enrollment,
            happened: became.happened,
            day: became.day.filter(|_| became.happened),
            source: "import",
            by: None,
            at,
        })
    }

    /// Today, where the site is.
    pub(super) fn today(&self, site: SiteId) -> Date {
        let zone = jiff::tz::TimeZone::get(&self.site(site).zone).unwrap_or(jiff::tz::TimeZone::UTC);
        self.clock.now().to_zoned_datetime(zone).date()
    }
}
