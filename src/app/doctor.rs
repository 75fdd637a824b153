//! Proofs over the whole database: nobody is lost, and every row that lists need is what the history says.

use super::{App, lost::Lost};
use crate::store::StoreError;

/// What a system needs before anybody can work with it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Missing {
    /// No site.
    #[error("no site yet: tend site add NAME --country CODE --ward-phone NUMBER")]
    Site,
    /// Nobody can sign in there.
    #[error("no account yet at {0}: tend staff add NAME --login LOGIN --role nurse --duty nurse")]
    Account(String),
    /// Nobody can be enrolled there.
    #[error("nothing is published yet at {0}: tend publish WORKFLOW")]
    Version(String),
}

/// What the doctor found.
#[derive(Debug, Clone, Default)]
pub struct Findings {
    /// Follow-ups that nobody and nothing will look at in time; at most [`DIFFERENCES_MAX`].
    pub lost: Vec<Lost>,
    /// Patients with running follow-ups that were looked at for it.
    pub followed: u64,
    /// Patients set aside.
    pub quarantined: u64,
    /// Sentences about rows that differ from what the history says; at most [`DIFFERENCES_MAX`].
    pub differences: Vec<String>,
    /// Patients whose rows were rebuilt and compared.
    pub compared: u64,
    /// What nobody has set up yet.
    pub missing: Vec<Missing>,
}

/// Differences that are told.
pub const DIFFERENCES_MAX: usize = 50;
/// Patients that are compared at a time.
const PAGE: u64 = 200;
/// Patients that are looked at for lost follow-ups at a time.
const FOLLOWED_PAGE: i64 = 200;

impl Findings {
    /// Whether all is well.
    #[must_use]
    pub fn healthy(&self) -> bool {
        self.lost.is_empty() && self.differences.is_empty()
    }
}

impl App {
    /// What is missing before anybody can work: a site, and at each an account and a workflow in use.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn missing(&self) -> Result<Vec<Missing>, StoreError> {
        let live = self.live();
        if live.sites.is_empty() {
            return Ok(vec![Missing::Site]);
        }
        let mut missing = Vec::new();
        for (id, site) in &live.sites {
            if self.store.active_staff(*id).await?.is_empty() {
                missing.push(Missing::Account(site.name.clone()));
            }
            if self.store.active_versions(*id).await?.is_empty() {
                missing.push(Missing::Version(site.name.clone()));
            }
        }
        Ok(missing)
    }

    async fn lost_of_all(&self) -> Result<(Vec<Lost>, u64), StoreError> {
        let (mut lost, mut followed, mut after) = (Vec::new(), 0, None);
        loop {
            let page = self.store.running_patients(None, after, FOLLOWED_PAGE).await?;
            let Some(last) = page.last() else { return Ok((lost, followed)) };
            after = Some(*last);
            followed += page.len() as u64;
            lost.extend(self.lost_among(&page).await?);
            lost.truncate(DIFFERENCES_MAX);
        }
    }

    /// Looks for lost follow-ups; with `rebuild` also folds every history again and compares the rows.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn doctor(&self, rebuild: bool) -> Result<Findings, StoreError> {
        let (lost, followed) = self.lost_of_all().await?;
        let mut findings = Findings {
            lost,
            followed,
            quarantined: self.store.quarantined().await?,
            differences: self.store.wrong_counts().await?,
            compared: 0,
            missing: self.missing().await?,
        };
        if !rebuild {
            return Ok(findings);
        }
        let live = self.live();
        let mut after = None;
        loop {
            let page = self.store.rebuild(&live.library, after, PAGE).await?;
            findings.compared += page.compared;
            findings.differences.extend(page.differences);
            findings.differences.truncate(DIFFERENCES_MAX);
            match page.last {
                Some(last) => after = Some(last),
                None => return Ok(findings),
            }
        }
    }
}
