//! What the application knows without asking the database, and the audit of a view.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use tend_engine::{
    PatientId, SiteId, StaffId, VersionHash,
    model::{Role, Workflow},
};

use super::{Actor, App, sign_in::IDLE_MINUTES};
use crate::store::{AuditLine, StoreError};

impl App {
    /// A published version.
    #[must_use]
    pub fn version(&self, hash: &VersionHash) -> Option<Arc<Workflow>> {
        self.live().library.get(hash).cloned()
    }

    /// How many nurses of a site use the pages now.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn nurses_at_work(&self, site: SiteId) -> Result<u64, StoreError> {
        let now = self.wall.now();
        let since = now.checked_sub(SignedDuration::from_mins(IDLE_MINUTES)).unwrap_or(Timestamp::MIN);
        self.store.staff_at_work(site, Role::Nurse, since).await
    }

    /// Writes down who looked at whom.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn viewed(&self, by: StaffId, patient: PatientId, what: &str) -> Result<(), StoreError> {
        let line = AuditLine {
            actor: Actor::Staff(by).name(),
            action: "view",
            patient: Some(patient),
            subject: what.to_owned(),
            detail: "{}".to_owned(),
        };
        self.note(line).await
    }
}
