//! A model and its site: recalibrated on the site's own outcomes it becomes the challenger, and a clinician lets it take over.

use jiff::civil::Date;
use tend_engine::{SiteId, StaffId};
use tend_risk::{EvaluateError, Local, OutcomeColumns, RawTable, Value};

use super::{MODEL, SHIPPED, WITH_HISTORY, compute::read, landmarks::LABEL};
use crate::{
    app::{Actor, App},
    store::{AuditLine, NewLocal, StoreError},
};

/// Why a model was not moved.
#[derive(Debug, thiserror::Error)]
pub enum LifeError {
    /// There is no model.
    #[error("the shipped model cannot be loaded")]
    NoModel,
    /// There is no challenger.
    #[error("there is no challenger")]
    NoChallenger,
    /// The outcomes are too few, or do not fit.
    #[error(transparent)]
    Evaluate(#[from] EvaluateError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl App {
    /// Fits the shipped model's level, and with enough events its spread, to the outcomes of everybody first scored since
    /// that day. The result is the challenger: computed beside the model in use and shown to nobody.
    ///
    /// # Errors
    /// [`LifeError`].
    pub async fn recalibrate(&self, site: SiteId, since: Date, by: StaffId) -> Result<Local, LifeError> {
        let shipped = SHIPPED.clone().ok_or(LifeError::NoModel)?;
        let zone = self.zone(site);
        let mut header: Vec<String> = shipped.features().iter().map(|feature| feature.name.clone()).collect();
        header.push(LABEL.to_owned());
        let mut table = RawTable::new(header.clone()).map_err(EvaluateError::from)?;
        let mut seen = std::collections::BTreeSet::new();
        for row in self.store.followed(site, MODEL).await? {
            let is_first = seen.insert(row.enrollment);
            let is_recent = row.at.to_zoned_datetime(zone.clone()).date() >= since;
            let Some(happened) = row.happened.filter(|_| is_first && is_recent) else { continue };
            let inputs = read(&row.inputs);
            let mut cells: Vec<String> = shipped
                .features()
                .iter()
                .map(|feature| match inputs.get(&feature.name) {
                    Some(Value::Number(number)) => number.to_string(),
                    Some(Value::Category(level)) => level.clone(),
                    Some(Value::Missing) | None => String::new(),
                })
                .collect();
            cells.push(u8::from(happened).to_string());
            table.push_row(cells.iter().map(String::as_str)).map_err(EvaluateError::from)?;
        }
        let fitted = shipped.clone();
        // Fitting takes seconds, and others wait for this thread.
        let local = tokio::task::spawn_blocking(move || {
            fitted.localise(&table, &OutcomeColumns::Label(LABEL.to_owned()))
        });
        let local = local.await.map_err(|error| StoreError::unreadable("outcomes", error))??;
        let version = shipped.moved_by(local.clone()).version().to_owned();
        let body = serde_json::to_string(&local).unwrap_or_default();
        self.write_local(site, "challenger", version, body, by).await?;
        Ok(local)
    }

    /// The shipped model that looks back over a patient's earlier stays becomes the challenger.
    ///
    /// # Errors
    /// [`LifeError`].
    pub async fn try_with_history(&self, site: SiteId, by: StaffId) -> Result<(), LifeError> {
        let version = WITH_HISTORY.as_ref().ok_or(LifeError::NoModel)?.version().to_owned();
        self.write_local(site, "challenger", version, "{}".into(), by).await
    }

    /// The challenger takes over.
    ///
    /// # Errors
    /// [`LifeError`].
    pub async fn adopt_challenger(&self, site: SiteId, by: StaffId) -> Result<(), LifeError> {
        let locals = self.store.model_locals(site, MODEL).await?;
        let challenger = locals.into_iter().find(|local| local.state == "challenger");
        let challenger = challenger.ok_or(LifeError::NoChallenger)?;
        self.write_local(site, "champion", challenger.model_version, challenger.body, by).await
    }

    /// The challenger is given up.
    ///
    /// # Errors
    /// [`LifeError`].
    pub async fn drop_challenger(&self, site: SiteId, by: StaffId) -> Result<(), LifeError> {
        self.write_local(site, "challenger", String::new(), "{}".into(), by).await
    }

    /// The site goes back to the model as it was shipped.
    ///
    /// # Errors
    /// [`LifeError`].
    pub async fn use_shipped(&self, site: SiteId, by: StaffId) -> Result<(), LifeError> {
        self.write_local(site, "champion", String::new(), "{}".into(), by).await
    }

    async fn write_local(
        &self,
        site: SiteId,
        state: &'static str,
        model_version: String,
        body: String,
        by: StaffId,
    ) -> Result<(), LifeError> {
        let detail = if model_version.is_empty() { "taken back".to_owned() } else { model_version.clone() };
        let id = self.ids.fresh();
        let at = self.clock.now();
        let new = NewLocal { id, site, model: MODEL, model_version, state, body, by: Some(by), at };
        let line = AuditLine {
            actor: Actor::Staff(by).name(),
            action: "move model",
            patient: None,
            subject: format!("{MODEL} {state}"),
            detail,
        };
        let mut tx = self.store.begin();
        tx.write_local(&new).await?;
        self.note_in(&mut tx, line, at).await?;
        self.score_site_again(&mut tx, site, Some(by), at).await?;
        Ok(tx.commit().await?)
    }
}
