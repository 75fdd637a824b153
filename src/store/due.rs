//! Who is due: reads of one index, whose cost is what is due, not what is enrolled.

use jiff::Timestamp;
use sea_orm::{
    ColumnTrait, EntityTrait, ExprTrait, FromQueryResult, QueryFilter, QueryOrder, QuerySelect, Statement,
    prelude::Uuid,
};
use tend_engine::{MessageId, PatientId, model::Channel};

use super::{
    Store, StoreError,
    entity::{message, patient},
    words::{self, micros},
};

#[derive(Debug, FromQueryResult)]
struct IdRow {
    id: Uuid,
}

#[derive(Debug, FromQueryResult)]
struct ReadyRow {
    id: Uuid,
    patient: Uuid,
}

impl Store {
    /// Patients whose `wake_at` has come, the longest waiting first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn due(&self, now: Timestamp, limit: u64) -> Result<Vec<PatientId>, StoreError> {
        let statement = Statement::from_sql_and_values(
            self.reader().get_database_backend(),
            "select id from patient where wake_at <= $1 and wake_at is not null and quarantined is null
             order by wake_at, id limit $2",
            [micros(now).into(), i64::try_from(limit).unwrap_or(i64::MAX).into()],
        );
        let rows = IdRow::find_by_statement(statement).all(self.reader()).await?;
        Ok(rows.into_iter().map(|row| PatientId(row.id.as_u128())).collect())
    }

    /// When the next patient is due.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn next_wake(&self) -> Result<Option<Timestamp>, StoreError> {
        let first: Option<Option<i64>> = patient::Entity::find()
            .select_only()
            .column(patient::Column::WakeAt)
            .filter(patient::Column::WakeAt.is_not_null())
            .filter(patient::Column::Quarantined.is_null())
            .order_by_asc(patient::Column::WakeAt)
            .limit(1)
            .into_tuple()
            .one(self.reader())
            .await?;
        words::instant_opt(first.flatten())
    }

    /// Messages of a channel that may go now, the longest waiting first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn ready(
        &self,
        channel: Channel,
        now: Timestamp,
        limit: u64,
    ) -> Result<Vec<(MessageId, PatientId)>, StoreError> {
        let statement = Statement::from_sql_and_values(
            self.reader().get_database_backend(),
            "select id, patient from message where channel = $1 and state = 'scheduled' and next_attempt_at <= $2
             order by next_attempt_at limit $3",
            [
                words::channel(channel).into(),
                micros(now).into(),
                i64::try_from(limit).unwrap_or(i64::MAX).into(),
            ],
        );
        let rows = ReadyRow::find_by_statement(statement).all(self.reader()).await?;
        Ok(rows
            .into_iter()
            .map(|row| (MessageId(row.id.as_u128()), PatientId(row.patient.as_u128())))
            .collect())
    }

    /// When the next message of a channel may go.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn next_ready(&self, channel: Channel) -> Result<Option<Timestamp>, StoreError> {
        let first: Option<i64> = message::Entity::find()
            .select_only()
            .column(message::Column::NextAttemptAt)
            .filter(message::Column::Channel.eq(words::channel(channel)))
            .filter(
                sea_orm::sea_query::Expr::col(message::Column::State)
                    .eq(sea_orm::sea_query::Expr::cust("'scheduled'")),
            )
            .order_by_asc(message::Column::NextAttemptAt)
            .limit(1)
            .into_tuple()
            .one(self.reader())
            .await?;
        words::instant_opt(first)
    }
}
