//! A patient's link, and what was typed behind it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use sea_orm::{
    ColumnTrait, EntityTrait, QueryFilter, QueryOrder,
    sea_query::{Expr, ExprTrait, Query},
};
use tend_engine::{MessageId, PatientId, SiteId, fact::MessagePlan};

use super::patient::open_json;
use crate::store::{
    Store, StoreError,
    entity::{draft, link, message},
    identity::sealed,
    vault::token_hash,
    words::{instant, uuid},
};

/// A link with the message that it was sent in.
#[derive(Debug, Clone)]
pub struct LinkRow {
    /// All that is stored of the token.
    pub token_hash: Vec<u8>,
    /// The message.
    pub message: MessageId,
    /// Whose.
    pub patient: PatientId,
    /// Where.
    pub site: SiteId,
    /// What the message is about.
    pub plan: MessagePlan,
    /// Dead from here on.
    pub expires_at: Timestamp,
    /// Wrong dates of birth so far.
    pub tries: u32,
    /// Too many of them.
    pub locked: bool,
    /// Taken back by staff or by the system.
    pub revoked: bool,
}

impl Store {
    /// The link with that token.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn link(&self, token: &str) -> Result<Option<LinkRow>, StoreError> {
        let hash = token_hash(token);
        let Some(row) = link::Entity::find_by_id(hash).one(self.reader()).await? else { return Ok(None) };
        let Some(of) = message::Entity::find_by_id(row.message).one(self.reader()).await? else {
            return Ok(None);
        };
        Ok(Some(LinkRow {
            token_hash: row.token_hash,
            message: MessageId(of.id.as_u128()),
            patient: PatientId(row.patient.as_u128()),
            site: SiteId(of.site.as_u128()),
            plan: serde_json::from_str(&of.plan)
                .map_err(|error| StoreError::unreadable("message plan", error))?,
            expires_at: instant(row.expires_at)?,
            tries: u32::try_from(row.tries).unwrap_or(0),
            locked: row.locked_at.is_some(),
            revoked: row.revoked_at.is_some(),
        }))
    }

    /// Drafts of a patient by occurrence, whichever of the patient's links they were typed behind; the latest of each.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn drafts<T: serde::de::DeserializeOwned>(
        &self,
        patient: PatientId,
        occurrences: &[String],
    ) -> Result<BTreeMap<String, T>, StoreError> {
        let messages = Query::select()
            .column(message::Column::Id)
            .from(message::Entity)
            .and_where(Expr::col(message::Column::Patient).eq(uuid(patient.0)))
            .to_owned();
        let rows = draft::Entity::find()
            .filter(draft::Column::Message.in_subquery(messages))
            .filter(draft::Column::Occurrence.is_in(occurrences.iter().map(String::as_str)))
            .order_by_asc(draft::Column::UpdatedAt)
            .all(self.reader())
            .await?;
        let keys = self.keys_of(&[patient]).await?;
        let Some(key) = keys.get(&patient) else { return Ok(BTreeMap::new()) };
        rows.into_iter()
            .map(|row| Ok((row.occurrence, open_json(key, sealed::DRAFT, &row.sealed)?)))
            .collect()
    }
}
