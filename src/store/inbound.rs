//! What comes in: texts from patients and receipts from carriers. Each is taken once, however often it comes.

use std::collections::BTreeMap;

use jiff::Timestamp;
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect, Statement,
    sea_query::{Expr, OnConflict},
};
use tend_engine::{MessageId, PatientId, fact::MessageKey, model::Channel};

use super::{
    ContactPoint, Store, StoreError, Tx,
    entity::{consent, contact_point, message, receipt, reply},
    identity::sealed,
    sql, tables,
    words::{self, micros, uuid},
};
use crate::ports::Ids;

/// An inbound text.
#[derive(Debug, Clone)]
pub struct Inbound {
    /// The gateway's id of it; the same one is taken once.
    pub provider_id: String,
    /// How it came.
    pub channel: Channel,
    /// From where.
    pub address: String,
    /// The words.
    pub text: String,
    /// What they mean, one word.
    pub meaning: &'static str,
}

/// A message that a receipt is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipted {
    /// Which.
    pub id: MessageId,
    /// Whose.
    pub patient: PatientId,
    /// Its key.
    pub key: MessageKey,
    /// Whether it arrived.
    pub delivered: bool,
}

impl Store {
    /// Who has that address on that channel; a number may belong to several.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn patients_at(&self, channel: Channel, address: &str) -> Result<Vec<PatientId>, StoreError> {
        let mut ids: Vec<uuid::Uuid> = contact_point::Entity::find()
            .select_only()
            .column(contact_point::Column::Patient)
            .filter(contact_point::Column::AddressHash.eq(self.address_hash(address)))
            .filter(contact_point::Column::Channel.eq(words::channel(channel)))
            .into_tuple()
            .all(self.reader())
            .await?;
        ids.sort_unstable();
        ids.dedup();
        Ok(ids.into_iter().map(|id| PatientId(id.as_u128())).collect())
    }
}

impl Store {
    /// Whose message a reference belongs to: the carrier's, or ours, which is the message's id.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn message_of(&self, reference: &str) -> Result<Option<PatientId>, StoreError> {
        let ours = MessageId::parse(reference).ok().map(|id| message::Column::Id.eq(uuid(id.0)));
        let either = Condition::any().add(message::Column::ProviderRef.eq(reference)).add_option(ours);
        let row = message::Entity::find().filter(either).one(self.reader()).await?;
        Ok(row.map(|row| PatientId(row.patient.as_u128())))
    }
}

impl Tx {
    /// Keeps an inbound text, sealed; `false` when it was taken before.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn keep_reply(
        &mut self,
        ids: &dyn Ids,
        inbound: &Inbound,
        patient: Option<PatientId>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let key = match patient {
            Some(patient) => self.key(patient).await?,
            None => None,
        };
        let key = key.unwrap_or_else(|| self.store().vault().site_key().clone());
        let row = reply::ActiveModel {
            id: Set(uuid(ids.fresh())),
            provider_id: Set(inbound.provider_id.clone()),
            channel: Set(words::channel(inbound.channel).to_owned()),
            address_hash: Set(self.store().address_hash(&inbound.address)),
            sealed: Set(key.seal(sealed::REPLY, inbound.text.as_bytes())),
            meaning: Set(inbound.meaning.to_owned()),
            patient: Set(patient.map(|id| uuid(id.0))),
            received_at: Set(micros(now)),
        };
        let taken = reply::Entity::insert(row)
            .on_conflict(OnConflict::column(reply::Column::ProviderId).do_nothing().to_owned())
            .exec_without_returning(self.conn().await?)
            .await?;
        Ok(taken == 1)
    }

    /// Keeps a receipt; gives the message it is about when that is known and the receipt is new. Until a hand-over was
    /// written down a receipt waits for it; one that is in doubt has no reference but ours.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn keep_receipt(
        &mut self,
        provider_ref: &str,
        delivered: bool,
        now: Timestamp,
    ) -> Result<Option<Receipted>, StoreError> {
        let tx = self.conn().await?;
        let in_doubt = |id: MessageId| {
            Condition::all()
                .add(message::Column::Id.eq(uuid(id.0)))
                .add(message::Column::State.eq("uncertain"))
        };
        let ours = MessageId::parse(provider_ref).ok().map(in_doubt);
        let either = Condition::any().add(message::Column::ProviderRef.eq(provider_ref)).add_option(ours);
        let about = message::Entity::find().filter(either).one(tx).await?;
        let row = receipt::ActiveModel {
            provider_ref: Set(provider_ref.to_owned()),
            delivered: Set(delivered),
            message: Set(about.as_ref().map(|row| row.id)),
            received_at: Set(micros(now)),
        };
        let taken = receipt::Entity::insert(row)
            .on_conflict(
                OnConflict::columns([receipt::Column::ProviderRef, receipt::Column::Delivered])
                    .do_nothing()
                    .to_owned(),
            )
            .exec_without_returning(tx)
            .await?;
        Ok(about.filter(|_| taken == 1).map(|row| Receipted {
            id: MessageId(row.id.as_u128()),
            patient: PatientId(row.patient.as_u128()),
            key: MessageKey(row.key),
            delivered,
        }))
    }

    /// Receipts that came before the hand-overs with these references were written down; they count from now on.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn early_receipts(
        &mut self,
        about: &BTreeMap<String, MessageId>,
    ) -> Result<BTreeMap<MessageId, Vec<bool>>, StoreError> {
        let mut found: BTreeMap<MessageId, Vec<bool>> = BTreeMap::new();
        if about.is_empty() {
            return Ok(found);
        }
        let tx = self.conn().await?;
        let rows = receipt::Entity::find()
            .filter(receipt::Column::ProviderRef.is_in(about.keys().map(String::as_str)))
            .filter(receipt::Column::Message.is_null())
            .all(tx)
            .await?;
        for row in rows {
            let Some(message) = about.get(&row.provider_ref) else { continue };
            receipt::Entity::update_many()
                .col_expr(receipt::Column::Message, Expr::value(uuid(message.0)))
                .filter(receipt::Column::ProviderRef.eq(row.provider_ref.as_str()))
                .filter(receipt::Column::Delivered.eq(row.delivered))
                .exec(tx)
                .await?;
            found.entry(*message).or_default().push(row.delivered);
        }
        Ok(found)
    }

    /// A channel was stopped: its consents end.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn withdraw_consents(
        &mut self,
        patient: PatientId,
        channel: Channel,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        consent::Entity::update_many()
            .col_expr(consent::Column::WithdrawnAt, Expr::value(micros(now)))
            .filter(consent::Column::Patient.eq(uuid(patient.0)))
            .filter(consent::Column::Channel.eq(words::channel(channel)))
            .filter(consent::Column::WithdrawnAt.is_null())
            .exec(self.conn().await?)
            .await?;
        Ok(())
    }

    /// The channels that a patient consents to follow-up on; text messages when there is none.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn consented_channels(&mut self, patient: PatientId) -> Result<Vec<Channel>, StoreError> {
        let rows = consent::Entity::find()
            .filter(consent::Column::Patient.eq(uuid(patient.0)))
            .filter(consent::Column::Purpose.eq("follow_up"))
            .filter(consent::Column::WithdrawnAt.is_null())
            .all(self.conn().await?)
            .await?;
        let mut channels =
            rows.iter().map(|row| words::channel_of(&row.channel)).collect::<Result<Vec<_>, _>>()?;
        channels.sort();
        channels.dedup();
        Ok(if channels.is_empty() { vec![Channel::Sms] } else { channels })
    }

    /// What was consented to for one purpose ends.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn withdraw_purpose(
        &mut self,
        patient: PatientId,
        purpose: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        consent::Entity::update_many()
            .col_expr(consent::Column::WithdrawnAt, Expr::value(micros(now)))
            .filter(consent::Column::Patient.eq(uuid(patient.0)))
            .filter(consent::Column::Purpose.eq(purpose))
            .filter(consent::Column::WithdrawnAt.is_null())
            .exec(self.conn().await?)
            .await?;
        Ok(())
    }

    /// Records a consent.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn add_consent(
        &mut self,
        ids: &dyn Ids,
        patient: PatientId,
        given: &super::Consent,
    ) -> Result<(), StoreError> {
        let mut rows = sql::Rows::default();
        rows.push(super::enrolling::consent(ids, patient, given));
        sql::insert(self.conn().await?, &tables::CONSENT, rows).await?;
        Ok(())
    }

    /// Adds an address to a patient; nothing happens once the patient was erased.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn add_contact_point(
        &mut self,
        ids: &dyn Ids,
        patient: PatientId,
        point: &ContactPoint,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let Some(key) = self.key(patient).await? else { return Ok(()) };
        let row =
            super::enrolling::contact_point(&self.store().clone(), ids, patient, &key, point, micros(now));
        let mut rows = sql::Rows::default();
        rows.push(row);
        sql::insert(self.conn().await?, &tables::CONTACT_POINT, rows).await?;
        Ok(())
    }

    /// An address failed for good: nothing is sent to it any more.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn address_failed(&mut self, patient: PatientId, channel: Channel) -> Result<(), StoreError> {
        contact_point::Entity::update_many()
            .col_expr(contact_point::Column::Usable, Expr::value(false))
            .filter(contact_point::Column::Patient.eq(uuid(patient.0)))
            .filter(contact_point::Column::Channel.eq(words::channel(channel)))
            .exec(self.conn().await?)
            .await?;
        Ok(())
    }

    /// Erases a patient's identity: the key, and with it everything sealed under it, in every copy of the database.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn erase(&mut self, patient: PatientId) -> Result<(), StoreError> {
        let tx = self.conn().await?;
        for table in ["patient_key", "demographics", "name_word", "identifier", "contact_point"] {
            let statement = Statement::from_sql_and_values(
                tx.get_database_backend(),
                format!("delete from {table} where patient = $1"),
                [uuid(patient.0).into()],
            );
            tx.execute_raw(statement).await?;
        }
        Ok(())
    }
}
