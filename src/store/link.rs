//! Writes of a patient's link: wrong dates of birth, drafts.

use jiff::Timestamp;
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, EntityTrait, QueryFilter,
    sea_query::{Expr, ExprTrait, OnConflict, Query},
};
use tend_engine::{MessageId, PatientId};

use super::{
    StoreError, Tx,
    entity::{draft, link, message},
    identity::sealed,
    project::json,
    words::{micros, uuid},
};

impl Tx {
    /// Counts a wrong date of birth and gives the count; `None` when the link is locked already.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn link_tried(&mut self, token_hash: &[u8]) -> Result<Option<u32>, StoreError> {
        let tx = self.conn().await?;
        let counted = link::Entity::update_many()
            .col_expr(link::Column::Tries, Expr::col(link::Column::Tries).add(1))
            .filter(link::Column::TokenHash.eq(token_hash))
            .filter(link::Column::LockedAt.is_null())
            .exec(tx)
            .await?;
        if counted.rows_affected == 0 {
            return Ok(None);
        }
        let row = link::Entity::find_by_id(token_hash.to_vec()).one(tx).await?;
        Ok(row.map(|row| u32::try_from(row.tries).unwrap_or(u32::MAX)))
    }

    /// Locks a link for good.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn lock_link(&mut self, token_hash: &[u8], now: Timestamp) -> Result<(), StoreError> {
        link::Entity::update_many()
            .col_expr(link::Column::LockedAt, Expr::value(micros(now)))
            .filter(link::Column::TokenHash.eq(token_hash))
            .exec(self.conn().await?)
            .await?;
        Ok(())
    }

    /// The right date of birth was given: the count begins anew.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn link_opened(&mut self, token_hash: &[u8], now: Timestamp) -> Result<(), StoreError> {
        link::Entity::update_many()
            .col_expr(link::Column::OpenedAt, Expr::value(micros(now)))
            .col_expr(link::Column::Tries, Expr::value(0))
            .filter(link::Column::TokenHash.eq(token_hash))
            .exec(self.conn().await?)
            .await?;
        Ok(())
    }

    /// Keeps a draft under the patient's key; an erased patient has none.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn save_draft<T: serde::Serialize>(
        &mut self,
        patient: PatientId,
        message: MessageId,
        occurrence: &str,
        draft: &T,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let Some(key) = self.key(patient).await? else { return Ok(()) };
        let row = draft::ActiveModel {
            message: Set(uuid(message.0)),
            occurrence: Set(occurrence.to_owned()),
            sealed: Set(key.seal(sealed::DRAFT, json(draft).as_bytes())),
            updated_at: Set(micros(now)),
        };
        draft::Entity::insert(row)
            .on_conflict(
                OnConflict::columns([draft::Column::Message, draft::Column::Occurrence])
                    .update_columns([draft::Column::Sealed, draft::Column::UpdatedAt])
                    .to_owned(),
            )
            .exec_without_returning(self.conn().await?)
            .await?;
        Ok(())
    }

    /// Forgets the drafts of an occurrence, whichever of the patient's links they were typed behind.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn delete_drafts(&mut self, patient: PatientId, occurrence: &str) -> Result<(), StoreError> {
        let messages = Query::select()
            .column(message::Column::Id)
            .from(message::Entity)
            .and_where(Expr::col(message::Column::Patient).eq(uuid(patient.0)))
            .to_owned();
        draft::Entity::delete_many()
            .filter(draft::Column::Message.in_subquery(messages))
            .filter(draft::Column::Occurrence.eq(occurrence))
            .exec(self.conn().await?)
            .await?;
        Ok(())
    }
}
