//! How the system does: what is due, what waits, and that nobody is lost.

use jiff::Timestamp;
use sea_orm::{FromQueryResult, prelude::Uuid};
use tend_engine::{PatientId, SiteId, model::Channel};

use super::sql::Sql;
use crate::store::{Store, StoreError, words};

/// Rows that are counted at most: a health page must not cost what is enrolled.
pub const COUNTED_MAX: i64 = 10_000;

/// The setting that says when the last sweep went by.
const LAST_SWEEP: &str = "last_sweep";

/// A channel's messages.
#[derive(Debug, Clone, Copy)]
pub struct LaneHealth {
    /// Which.
    pub channel: Channel,
    /// Ready to go, at most [`COUNTED_MAX`].
    pub ready: u64,
    /// In flight.
    pub in_flight: u64,
    /// In doubt.
    pub uncertain: u64,
}

/// How the system does.
#[derive(Debug, Clone)]
pub struct Health {
    /// Patients whose time has come, at most [`COUNTED_MAX`].
    pub due: u64,
    /// Since when the oldest of them waits.
    pub oldest_due: Option<Timestamp>,
    /// Patients set aside.
    pub quarantined: u64,
    /// Per channel.
    pub lanes: Vec<LaneHealth>,
}

#[derive(FromQueryResult)]
struct Count {
    n: i64,
}

#[derive(FromQueryResult)]
struct Oldest {
    at: Option<i64>,
}

#[derive(FromQueryResult)]
struct Id {
    id: Uuid,
}

impl Store {
    /// What is due, what waits in the lanes, who was set aside.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn health(&self, now: Timestamp) -> Result<Health, StoreError> {
        let db = self.reader();
        let oldest: Option<Oldest> = Sql::new(
            db,
            "select min(wake_at) as at from patient where wake_at is not null and quarantined is null and wake_at <= ",
        )
        .bind(words::micros(now))
        .first(db)
        .await?;
        let due = self
            .counted(
                Sql::new(db, "select count(*) as n from (select 1 from patient where wake_at is not null and quarantined is null and wake_at <= ")
                    .bind(words::micros(now)),
            )
            .await?;
        let quarantined = self
            .counted(Sql::new(
                db,
                "select count(*) as n from (select 1 from patient where quarantined is not null",
            ))
            .await?;
        let mut lanes = Vec::new();
        for channel in [Channel::Sms, Channel::Email] {
            lanes.push(self.lane(channel, now).await?);
        }
        Ok(Health { due, oldest_due: words::instant_opt(oldest.and_then(|row| row.at))?, quarantined, lanes })
    }

    async fn lane(&self, channel: Channel, now: Timestamp) -> Result<LaneHealth, StoreError> {
        let db = self.reader();
        let of = |state: &str| {
            Sql::new(db, "select count(*) as n from (select 1 from message where state = '")
                .text(state)
                .text("' and channel = ")
                .bind(words::channel(channel))
        };
        let ready = of("scheduled").text(" and next_attempt_at <= ").bind(words::micros(now));
        Ok(LaneHealth {
            channel,
            ready: self.counted(ready).await?,
            in_flight: self.counted(of("claimed")).await?,
            uncertain: self.counted(of("uncertain")).await?,
        })
    }

    async fn counted(&self, sql: Sql) -> Result<u64, StoreError> {
        let row: Option<Count> =
            sql.text(" limit ").bind(COUNTED_MAX).text(") as few").first(self.reader()).await?;
        Ok(row.map_or(0, |row| u64::try_from(row.n).unwrap_or(0)))
    }

    /// When the last sweep that was written down went by.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn last_sweep(&self) -> Result<Option<Timestamp>, StoreError> {
        let found = self.setting(LAST_SWEEP).await?.and_then(|micros| micros.parse().ok());
        words::instant_opt(found)
    }

    /// Writes down that a sweep went by. Nobody is woken by it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn note_sweep(&self, at: Timestamp) -> Result<(), StoreError> {
        let mut tx = self.begin();
        tx.set_quietly(LAST_SWEEP, &words::micros(at).to_string()).await?;
        tx.commit().await
    }

    /// Patients of a site who are never looked at again, with a running follow-up that has no open task of its own: there must
    /// be none. At most `limit`. What this cannot see without deciding, the doctor and the night find.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn lost_patients(&self, site: SiteId, limit: i64) -> Result<Vec<PatientId>, StoreError> {
        let db = self.reader();
        let rows: Vec<Id> = Sql::new(
            db,
            "select p.id from patient p where p.wake_at is null and p.quarantined is null and p.site = ",
        )
        .bind(words::uuid(site.0))
        .text(
            " and exists (select 1 from enrollment e where e.patient = p.id and e.standing <> 'over' \
             and not exists (select 1 from task t where t.patient = p.id and t.enrollment = e.id and t.open = ",
        )
        .yes()
        .text(")) limit ")
        .bind(limit)
        .all(db)
        .await?;
        Ok(rows.into_iter().map(|row| PatientId(row.id.as_u128())).collect())
    }
}
