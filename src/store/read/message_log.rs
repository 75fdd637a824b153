//! Messages with their states: of a patient, and of a site with what is in doubt.

use jiff::Timestamp;
use sea_orm::{FromQueryResult, prelude::Uuid};
use tend_engine::{
    MessageId, PatientId, SiteId,
    fact::{MessageKey, MessagePlan},
    model::Channel,
};

use super::{sql::Sql, worklist::read_json};
use crate::store::{Store, StoreError, words};

/// Rows of a page of the message log.
pub const MESSAGE_ROWS: usize = 50;

/// A message.
#[derive(Debug, Clone)]
pub struct MessageRow {
    /// Which.
    pub id: MessageId,
    /// Whose.
    pub patient: PatientId,
    /// The patient's name; empty when erased or not asked for.
    pub patient_name: String,
    /// Its key in the history.
    pub key: MessageKey,
    /// What for, as stored.
    pub purpose: String,
    /// How.
    pub channel: Channel,
    /// scheduled, claimed, handed_over, delivered, refused, uncertain, expired, suppressed, withdrawn.
    pub state: String,
    /// As it was planned.
    pub plan: MessagePlan,
    /// Not before.
    pub send_after: Timestamp,
    /// Attempts begun.
    pub attempt: u32,
    /// When the state last changed.
    pub updated_at: Timestamp,
}

impl MessageRow {
    /// Whether nobody knows if it arrived, and there is still something to be done about it: after its window there is not.
    #[must_use]
    pub fn is_doubtful(&self, now: Timestamp) -> bool {
        self.state == "uncertain" && now < self.plan.not_after
    }
}

/// What of the log is asked for.
#[derive(Debug, Clone, Default)]
pub struct MessageFilter {
    /// One state.
    pub state: Option<String>,
    /// One channel.
    pub channel: Option<Channel>,
    /// Only those whose window is still open then.
    pub open_at: Option<Timestamp>,
    /// The page starts after this row; the latest come first.
    pub before: Option<MessageId>,
}

#[derive(FromQueryResult)]
struct Raw {
    id: Uuid,
    patient: Uuid,
    key: String,
    purpose: String,
    channel: String,
    state: String,
    plan: String,
    send_after: i64,
    attempt: i32,
    updated_at: i64,
    sealed: Option<Vec<u8>>,
    wrapped: Option<Vec<u8>>,
}

const COLUMNS: &str = "select m.id, m.patient, m.key, m.purpose, m.channel, m.state, m.plan, m.send_after, m.attempt, \
    m.updated_at, d.sealed, k.wrapped from message m left join demographics d on d.patient = m.patient \
    left join patient_key k on k.patient = m.patient where ";

impl Store {
    /// The messages of a patient, latest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn messages_of(&self, patient: PatientId) -> Result<Vec<MessageRow>, StoreError> {
        let db = self.reader();
        let raw: Vec<Raw> = Sql::new(db, COLUMNS)
            .text("m.patient = ")
            .bind(words::uuid(patient.0))
            .text(" order by m.send_after desc, m.id desc limit ")
            .bind(200_i64)
            .all(db)
            .await?;
        raw.into_iter().map(|row| self.message_row(row)).collect()
    }

    /// One message.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn message(&self, id: MessageId) -> Result<Option<MessageRow>, StoreError> {
        let db = self.reader();
        let raw: Option<Raw> =
            Sql::new(db, COLUMNS).text("m.id = ").bind(words::uuid(id.0)).first(db).await?;
        raw.map(|row| self.message_row(row)).transpose()
    }

    /// A page of a site's messages, latest first, and whether there are more.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn message_log(
        &self,
        site: SiteId,
        filter: &MessageFilter,
    ) -> Result<(Vec<MessageRow>, bool), StoreError> {
        let db = self.reader();
        let mut sql = Sql::new(db, COLUMNS).text("m.site = ").bind(words::uuid(site.0));
        match filter.state.as_deref() {
            // Written as it stands in the partial index.
            Some("uncertain") => sql = sql.text(" and m.state = 'uncertain'"),
            Some(state) => sql = sql.text(" and m.state = ").bind(state),
            None => {}
        }
        if let Some(channel) = filter.channel {
            sql = sql.text(" and m.channel = ").bind(words::channel(channel));
        }
        if let Some(at) = filter.open_at {
            sql = sql.text(" and m.not_after > ").bind(words::micros(at));
        }
        if let Some(before) = filter.before {
            sql = sql.text(" and m.id < ").bind(words::uuid(before.0));
        }
        let limit = i64::try_from(MESSAGE_ROWS + 1).unwrap_or(i64::MAX);
        let mut raw: Vec<Raw> = sql.text(" order by m.id desc limit ").bind(limit).all(db).await?;
        let more = raw.len() > MESSAGE_ROWS;
        raw.truncate(MESSAGE_ROWS);
        let rows = raw.into_iter().map(|row| self.message_row(row)).collect::<Result<_, _>>()?;
        Ok((rows, more))
    }

    fn message_row(&self, raw: Raw) -> Result<MessageRow, StoreError> {
        let name = self.person_of(raw.patient, raw.wrapped.as_deref(), raw.sealed.as_deref())?;
        Ok(MessageRow {
            id: MessageId(raw.id.as_u128()),
            patient: PatientId(raw.patient.as_u128()),
            patient_name: name.map_or_else(String::new, |person| person.name),
            key: MessageKey(raw.key),
            purpose: raw.purpose,
            channel: words::channel_of(&raw.channel)?,
            state: raw.state,
            plan: read_json("the plan of a message", &raw.plan)?,
            send_after: words::instant(raw.send_after)?,
            attempt: u32::try_from(raw.attempt).unwrap_or(0),
            updated_at: words::instant(raw.updated_at)?,
        })
    }
}
