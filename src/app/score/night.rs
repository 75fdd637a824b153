//! The nightly round: one long job a night and site, which scores everybody and looks for lost follow-ups.

use jiff::{Timestamp, civil::Date};
use tend_engine::{SiteId, StaffId};

use super::{ScoreError, run::SLICE, watch::ScoredBy};
use crate::{
    app::{
        App,
        long_job::{RunEnd, Stopped},
        zone_named,
    },
    store::{HeldJob, LongJob, LongKind, NewLongJob, StoreError, Tx},
};

/// From this hour of the site's night on.
pub const NIGHT_HOUR: i8 = 2;
/// Patients that are read at a time.
const PAGE: i64 = 160;

impl App {
    /// Asks for tonight's scoring of every site whose night it is, once.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn plan_nights(&self) -> Result<(), StoreError> {
        let now = self.clock.now();
        for (site, settings) in &self.live().sites {
            let local = now.to_zoned_datetime(zone_named(&settings.zone));
            if local.hour() < NIGHT_HOUR || self.planned_night(*site) == Some(local.date()) {
                continue;
            }
            let name = format!("scoring {site} {}", local.date());
            if !self.store.long_job_named(&name).await? {
                let mut tx = self.store.begin();
                self.ask(&mut tx, LongKind::Scoring, *site, name, None, now).await?;
                tx.commit().await?;
            }
            self.note_night(*site, local.date());
        }
        Ok(())
    }

    /// Asks for everybody of a site to be scored soon: the model was switched or moved.
    pub(super) async fn score_site_again(
        &self,
        tx: &mut Tx,
        site: SiteId,
        by: Option<StaffId>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let name = format!("scoring {site} {}", self.ids.fresh());
        self.ask(tx, LongKind::Scoring, site, name, by, now).await
    }

    /// Asks for a look at the model of a site soon: many outcomes came in.
    pub(super) async fn look_again(
        &self,
        tx: &mut Tx,
        site: SiteId,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let name = format!("watching {site} {}", self.ids.fresh());
        self.ask(tx, LongKind::Watching, site, name, None, now).await
    }

    async fn ask(
        &self,
        tx: &mut Tx,
        kind: LongKind,
        site: SiteId,
        name: String,
        asked_by: Option<StaffId>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let job = NewLongJob { id: self.ids.fresh(), site, kind, name, asked_by, body: "{}".to_owned() };
        tx.add_long_job(&job, now).await.map(|_| ())
    }

    fn planned_night(&self, site: SiteId) -> Option<Date> {
        self.nights.lock().ok()?.get(&site).copied()
    }

    fn note_night(&self, site: SiteId, night: Date) {
        if let Ok(mut nights) = self.nights.lock() {
            nights.insert(site, night);
        }
    }

    /// Scores everybody of the job's site from where it stands; a night begins with a look at how the model does.
    pub(in crate::app) async fn run_scoring(
        &self,
        job: &LongJob,
        held: HeldJob,
        stop: &Stopped<'_>,
    ) -> Result<RunEnd, ScoreError> {
        if job.cursor.is_none() && job.asked_by.is_none() {
            self.watch_site(job.site, ScoredBy::ThisJob).await?;
        }
        let mut after = job.cursor;
        loop {
            let page = self.store.running_patients(Some(job.site), after, PAGE).await?;
            let Some(last) = page.last() else { return Ok(RunEnd::Done) };
            after = Some(*last);
            if job.asked_by.is_none() {
                self.find_lost(&page).await?;
            }
            for slice in page.chunks(SLICE) {
                if stop() {
                    return Ok(RunEnd::Stopped);
                }
                self.score_slice(slice, Some(held)).await?;
                tokio::task::yield_now().await;
            }
        }
    }

    /// Looks at the model of the job's site.
    pub(in crate::app) async fn run_watching(&self, job: &LongJob) -> Result<RunEnd, StoreError> {
        self.watch_site(job.site, ScoredBy::AnotherJob).await?;
        Ok(RunEnd::Done)
    }

    /// Scores everybody with a running follow-up, at every site, now.
    ///
    /// # Errors
    /// [`ScoreError`]; who was scored before it stays scored.
    pub async fn score_everybody(&self) -> Result<usize, ScoreError> {
        let (mut scored, mut after) = (0, None);
        loop {
            let page = self.store.running_patients(None, after, PAGE).await?;
            let Some(last) = page.last() else { return Ok(scored) };
            after = Some(*last);
            scored += self.score_patients(&page).await?.scored;
        }
    }
}
