//! Proofs over the whole database: nobody is lost, and every row that lists need is what the history says.

use tend_engine::PatientId;

use super::App;
use crate::store::StoreError;

/// What the doctor found.
#[derive(Debug, Clone, Default)]
pub struct Findings {
    /// Patients with an active enrollment, without a next wake-up and without an open task.
    pub lost: Vec<PatientId>,
    /// Patients set aside.
    pub quarantined: u64,
    /// Sentences about rows that differ from what the history says; at most [`DIFFERENCES_MAX`].
    pub differences: Vec<String>,
    /// Patients whose rows were rebuilt and compared.
    pub compared: u64,
}

/// Differences that are told.
pub const DIFFERENCES_MAX: usize = 50;
/// Patients that are compared at a time.
const PAGE: u64 = 200;

impl Findings {
    /// Whether all is well.
    #[must_use]
    pub fn healthy(&self) -> bool {
        self.lost.is_empty() && self.differences.is_empty()
    }
}

impl App {
    /// Looks for lost patients; with `rebuild` also folds every history again and compares the rows.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn doctor(&self, rebuild: bool) -> Result<Findings, StoreError> {
        let mut findings = Findings {
            lost: self.store.lost(DIFFERENCES_MAX as u64).await?,
            quarantined: self.store.quarantined().await?,
            differences: self.store.wrong_counts().await?,
            compared: 0,
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
