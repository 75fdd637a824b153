//! Messages on their way out: leases, fences, what was sent. The truth of a hand-over is in these rows and in the history,
//! never in a job.

use std::collections::BTreeMap;

use jiff::Timestamp;
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter, QueryOrder, QuerySelect,
    Statement,
    prelude::Uuid,
    sea_query::{Expr, ExprTrait, LockType},
};
use serde::{Deserialize, Serialize};
use tend_engine::{
    EnrollmentId, MessageId, PatientId, SiteId, VersionHash,
    fact::{MessageKey, MessagePlan},
    model::Channel,
};

use super::{
    Store, StoreError, Tx,
    batch::small,
    entity::{contact_point, message},
    identity::sealed,
    project::json,
    sql::{self, Columns, Kind, Update, database_now},
    vault::{PatientKey, token_hash},
    words::{self, micros, uuid},
};

/// How long a lane may hold a message before it must have been begun, and a begun one before it counts as uncertain.
pub const LEASE_SECONDS: i64 = 30;
/// A claim that was not begun by then is released.
pub const BEGIN_WITHIN_SECONDS: i64 = 5;

/// A message that waits.
#[derive(Debug, Clone)]
pub struct Waiting {
    /// Which.
    pub id: MessageId,
    /// Whose.
    pub patient: PatientId,
    /// Its key.
    pub key: MessageKey,
    /// Its enrollment.
    pub enrollment: Option<EnrollmentId>,
    /// Its site.
    pub site: SiteId,
    /// As planned.
    pub plan: MessagePlan,
    /// Attempts begun so far.
    pub attempt: u32,
    /// Grows with every claim.
    pub fence: i64,
}

/// What was sent, kept per attempt under the patient's key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sent {
    /// Address.
    pub to: String,
    /// Subject of a mail.
    pub subject: String,
    /// Plain words.
    pub text: String,
    /// Language.
    pub language: String,
}

/// A claim to be written.
#[derive(Debug)]
pub struct Lease<'a> {
    /// Which message.
    pub waiting: &'a Waiting,
    /// The number of this attempt, from 1.
    pub attempt: u32,
    /// What will be sent.
    pub sent: &'a Sent,
    /// The version that its words come from.
    pub version: Option<VersionHash>,
    /// The token of its link, if it has one.
    pub token: Option<&'a str>,
    /// The patient's key.
    pub key: &'a PatientKey,
}

/// A claimed message, as its lane holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    /// Which.
    pub id: MessageId,
    /// The attempt.
    pub attempt: u32,
    /// The fence that the claim got.
    pub fence: i64,
}

/// A claim that has not ended: in flight, in doubt, or left over by a process that is gone.
#[derive(Debug, Clone)]
pub struct Flight {
    /// Which.
    pub id: MessageId,
    /// Whose.
    pub patient: PatientId,
    /// Its key.
    pub key: MessageKey,
    /// Its enrollment.
    pub enrollment: Option<EnrollmentId>,
    /// How it travels.
    pub channel: Channel,
    /// The attempt.
    pub attempt: u32,
    /// The fence.
    pub fence: i64,
    /// Whether the first byte may have left.
    pub begun: bool,
}

pub(super) const LEASED: Update = Update {
    rows: Columns {
        table: "message",
        columns: &[
            ("id", Kind::Id),
            ("fence", Kind::Big),
            ("state", Kind::Text),
            ("next_fence", Kind::Big),
            ("lease_owner", Kind::Id),
            ("lease_until", Kind::Big),
        ],
    },
    keys: 3,
    set: "fence = {next_fence}, lease_owner = {lease_owner}, lease_until = {lease_until}, begun_at = null",
};

pub(super) const BEGUN: Update = Update {
    rows: Columns {
        table: "message",
        columns: &[("id", Kind::Id), ("fence", Kind::Big), ("begun_at", Kind::Big)],
    },
    keys: 2,
    set: "begun_at = {begun_at}",
};

pub(super) const ATTEMPT: Columns = Columns {
    table: "attempt",
    columns: &[
        ("message", Kind::Id),
        ("n", Kind::Int),
        ("fence", Kind::Big),
        ("channel", Kind::Text),
        ("version", Kind::TextOpt),
        ("sealed", Kind::Bytes),
        ("claimed_at", Kind::Big),
    ],
};

pub(super) const LINK: Columns = Columns {
    table: "link",
    columns: &[
        ("token_hash", Kind::Bytes),
        ("message", Kind::Id),
        ("patient", Kind::Id),
        ("expires_at", Kind::Big),
        ("tries", Kind::Int),
    ],
};

pub(super) const ATTEMPT_ENDED: Update = Update {
    rows: Columns {
        table: "attempt",
        columns: &[
            ("message", Kind::Id),
            ("n", Kind::Int),
            ("ended_at", Kind::Big),
            ("result", Kind::Text),
            ("provider_ref", Kind::TextOpt),
        ],
    },
    keys: 2,
    set: "ended_at = {ended_at}, result = {result}, provider_ref = {provider_ref}, \
          begun_at = (select m.begun_at from message m where m.id = t.message)",
};

pub(super) const PROVIDER: Update = Update {
    rows: Columns { table: "message", columns: &[("id", Kind::Id), ("provider_ref", Kind::Text)] },
    keys: 1,
    set: "provider_ref = {provider_ref}",
};

#[derive(Debug, FromQueryResult)]
struct Now {
    now: i64,
}

#[derive(Debug, FromQueryResult)]
struct MessageId_ {
    id: Uuid,
}

/// How an attempt ended, for its row.
#[derive(Debug, Clone)]
pub struct Ended {
    /// Which.
    pub id: MessageId,
    /// The attempt.
    pub attempt: u32,
    /// `accepted`, `refused`, `unknown`, `released`.
    pub result: &'static str,
    /// The carrier's reference.
    pub provider_ref: Option<String>,
}

impl Tx {
    /// The database's clock.
    pub(super) async fn database_now(&mut self) -> Result<i64, StoreError> {
        let tx = self.conn().await?;
        let backend = tx.get_database_backend();
        let statement = Statement::from_string(backend, format!("select {} as now", database_now(backend)));
        let row = Now::find_by_statement(statement).one(tx).await?;
        Ok(row.map_or(0, |row| row.now))
    }

    /// Those of `ids` that still wait. Their patients must be locked, so that they go on waiting until the commit.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn waiting(&mut self, ids: &[MessageId]) -> Result<Vec<Waiting>, StoreError> {
        let query = message::Entity::find()
            .filter(message::Column::Id.is_in(sql::listed(ids.iter().map(|id| id.0))))
            .filter(state_is("'scheduled'"));
        let rows = self.rows_of_locked(query).await?;
        rows.into_iter().map(waiting).collect()
    }

    /// The addresses of patients on a channel: the patient's own first, and none that failed.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn addresses(
        &mut self,
        patients: &[PatientId],
        channel: Channel,
        keys: &BTreeMap<PatientId, PatientKey>,
    ) -> Result<BTreeMap<PatientId, String>, StoreError> {
        let query = contact_point::Entity::find()
            .filter(contact_point::Column::Patient.is_in(sql::listed(patients.iter().map(|id| id.0))))
            .filter(contact_point::Column::Channel.eq(words::channel(channel)))
            .filter(contact_point::Column::Usable.eq(true));
        let mut rows = self.rows_of_locked(query).await?;
        // The patient's own before a carer's, then the latest.
        rows.sort_by(|a, b| (a.owner != "own", b.created_at).cmp(&(b.owner != "own", a.created_at)));
        let mut addresses = BTreeMap::new();
        for row in rows {
            let id = PatientId(row.patient.as_u128());
            if let (false, Some(key)) = (addresses.contains_key(&id), keys.get(&id)) {
                addresses.insert(id, super::read::patient::open_text(key, sealed::ADDRESS, &row.sealed)?);
            }
        }
        Ok(addresses)
    }

    /// Keys of patients.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn keys(
        &mut self,
        patients: &[PatientId],
    ) -> Result<BTreeMap<PatientId, PatientKey>, StoreError> {
        self.store().clone().keys_of(patients).await
    }

    /// Leases messages to this node by compare-and-set, and keeps what will be sent. All or none.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when one of them does not wait any more.
    pub async fn lease(&mut self, leases: &[Lease<'_>], now: Timestamp) -> Result<Vec<Held>, StoreError> {
        let until = self.database_now().await?.saturating_add(LEASE_SECONDS * 1_000_000);
        let rows = lease_rows(leases, uuid(self.store().node()), until, now);
        let tx = self.conn().await?;
        if sql::update(tx, &LEASED, rows.leased).await? != leases.len() as u64 {
            return Err(StoreError::Conflict);
        }
        let (tx, later) = self.writes().await?;
        later.insert(tx, &ATTEMPT, rows.attempts).await?;
        // A retry has the same token: its row is there already.
        later.upsert(tx, &LINK, ("token_hash", "expires_at = excluded.expires_at"), rows.links).await?;
        Ok(rows.held)
    }

    /// Marks claims as begun, by message and fence: from here on the first byte may leave. Gives those that may go: whose
    /// lease still runs, with that fence, and that nobody has begun before.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn mark_begun(&mut self, held: &[(MessageId, i64)]) -> Result<Vec<MessageId>, StoreError> {
        let now = Expr::cust(database_now(self.conn().await?.get_database_backend()));
        let mut query = message::Entity::find()
            .select_only()
            .columns([message::Column::Id, message::Column::Fence])
            .column_as(now.clone(), "now")
            .filter(message::Column::Id.is_in(sql::listed(held.iter().map(|(id, _)| id.0))))
            .filter(state_is("'claimed'"))
            .filter(message::Column::BegunAt.is_null())
            .filter(ExprTrait::gt(Expr::col(message::Column::LeaseUntil), now))
            .order_by_asc(message::Column::Id);
        if self.store().is_postgres() {
            query = query.lock(LockType::Update);
        }
        let rows: Vec<(Uuid, i64, i64)> = query.into_tuple().all(self.conn().await?).await?;
        let mut marks = sql::Rows::default();
        let mut begun = Vec::with_capacity(rows.len());
        for (id, fence, now) in rows {
            if held.contains(&(MessageId(id.as_u128()), fence)) {
                marks.push([id.into(), fence.into(), now.into()]);
                begun.push(MessageId(id.as_u128()));
            }
        }
        let (tx, later) = self.writes().await?;
        later.update(tx, &BEGUN, marks).await?;
        Ok(begun)
    }

    /// Claimed messages by id, with the fence that holds; their patients must be locked.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn claimed(&mut self, ids: &[MessageId]) -> Result<Vec<Flight>, StoreError> {
        let rows = message::Entity::find()
            .filter(message::Column::Id.is_in(sql::listed(ids.iter().map(|id| id.0))))
            .filter(state_is("'claimed'"))
            .all(self.conn().await?)
            .await?;
        rows.into_iter().map(flight).collect()
    }

    /// Messages whose hand-over may still be told of: claimed, or uncertain because nobody told in time. Their patients must
    /// be locked. Whether they were begun is not to be believed: marks are made without that lock.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn in_doubt(&mut self, ids: &[MessageId]) -> Result<Vec<Flight>, StoreError> {
        let query = message::Entity::find()
            .filter(message::Column::Id.is_in(sql::listed(ids.iter().map(|id| id.0))))
            .filter(Expr::cust("state in ('claimed', 'uncertain')"));
        let rows = self.rows_of_locked(query).await?;
        rows.into_iter().map(flight).collect()
    }

    /// Writes how attempts ended.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn ended(&mut self, ended: &[Ended], now: Timestamp) -> Result<(), StoreError> {
        let (rows, refs) = ended_rows(ended, now);
        let (tx, later) = self.writes().await?;
        later.update(tx, &ATTEMPT_ENDED, rows).await?;
        later.update(tx, &PROVIDER, refs).await?;
        Ok(())
    }
}

impl Store {
    /// Claims whose lease ran out, whose node is gone, or that were not begun in time; at most `limit`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn expired(&self, limit: u64) -> Result<Vec<Flight>, StoreError> {
        let backend = self.reader().get_database_backend();
        let now = database_now(backend);
        // A claim lasts LEASE_SECONDS; one that was not begun within BEGIN_WITHIN_SECONDS of them is released.
        let late = (LEASE_SECONDS - BEGIN_WITHIN_SECONDS) * 1_000_000;
        let gone = if self.is_postgres() { GONE_POSTGRES } else { "lease_owner <> $1" };
        let statement = Statement::from_sql_and_values(
            backend,
            format!(
                "select id from message where state = 'claimed'
                 and (lease_until <= {now} or (begun_at is null and lease_until <= {now} + {late}) or {gone})
                 limit $2"
            ),
            [uuid(self.node()).into(), i64::try_from(limit).unwrap_or(i64::MAX).into()],
        );
        let ids: Vec<Uuid> = MessageId_::find_by_statement(statement)
            .all(self.reader())
            .await?
            .into_iter()
            .map(|row| row.id)
            .collect();
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let rows = message::Entity::find()
            .filter(message::Column::Id.is_in(ids))
            .filter(state_is("'claimed'"))
            .all(self.reader())
            .await?;
        rows.into_iter().map(flight).collect()
    }
}

/// What a claim writes beside its decision.
#[derive(Debug, Default)]
pub(super) struct LeaseRows {
    pub leased: sql::Rows,
    pub attempts: sql::Rows,
    pub links: sql::Rows,
    pub held: Vec<Held>,
}

pub(super) fn lease_rows(leases: &[Lease<'_>], node: Uuid, until: i64, now: Timestamp) -> LeaseRows {
    let mut rows = LeaseRows::default();
    for lease in leases {
        let (id, fence) = (lease.waiting.id, lease.waiting.fence.saturating_add(1));
        rows.leased.push([
            uuid(id.0).into(),
            lease.waiting.fence.into(),
            "scheduled".into(),
            fence.into(),
            node.into(),
            until.into(),
        ]);
        rows.attempts.push([
            uuid(id.0).into(),
            small(lease.attempt).into(),
            fence.into(),
            words::channel(lease.waiting.plan.channel).into(),
            lease.version.as_ref().map(|version| version.0.clone()).into(),
            lease.key.seal(sealed::SENT, json(lease.sent).as_bytes()).into(),
            micros(now).into(),
        ]);
        if let (Some(token), Some(expires)) = (lease.token, lease.waiting.plan.link_expires) {
            let (hash, patient) = (token_hash(token).into(), uuid(lease.waiting.patient.0));
            rows.links.push([hash, uuid(id.0).into(), patient.into(), micros(expires).into(), 0_i32.into()]);
        }
        rows.held.push(Held { id, attempt: lease.attempt, fence });
    }
    rows
}

/// Rows of attempts that ended, and of their messages where the carrier named a reference.
pub(super) fn ended_rows(ended: &[Ended], now: Timestamp) -> (sql::Rows, sql::Rows) {
    let (mut rows, mut refs) = (sql::Rows::default(), sql::Rows::default());
    for one in ended {
        rows.push([
            uuid(one.id.0).into(),
            small(one.attempt).into(),
            micros(now).into(),
            one.result.into(),
            one.provider_ref.clone().into(),
        ]);
        if let Some(provider_ref) = &one.provider_ref {
            refs.push([uuid(one.id.0).into(), provider_ref.clone().into()]);
        }
    }
    (rows, refs)
}

/// On PostgreSQL a node holds a session lock for as long as it lives, see `presence`.
pub(super) const GONE_POSTGRES: &str = "(lease_owner <> $1 and not exists (select 1 from pg_locks l
    where l.locktype = 'advisory' and l.database = (select oid from pg_database where datname = current_database())
    and l.classid = 32333 and l.objid = ('x' || right(lease_owner::text, 8))::bit(32)::bigint::oid))";

/// The state as part of the statement: as a value it would be planned anew at each use, because of the partial indexes.
fn state_is(quoted: &'static str) -> Expr {
    Expr::col(message::Column::State).eq(Expr::cust(quoted))
}

fn waiting(row: message::Model) -> Result<Waiting, StoreError> {
    Ok(Waiting {
        id: MessageId(row.id.as_u128()),
        patient: PatientId(row.patient.as_u128()),
        key: MessageKey(row.key),
        enrollment: row.enrollment.map(|id| EnrollmentId(id.as_u128())),
        site: SiteId(row.site.as_u128()),
        plan: serde_json::from_str(&row.plan)
            .map_err(|error| StoreError::unreadable("message plan", error))?,
        attempt: u32::try_from(row.attempt).unwrap_or(0),
        fence: row.fence,
    })
}

fn flight(row: message::Model) -> Result<Flight, StoreError> {
    Ok(Flight {
        id: MessageId(row.id.as_u128()),
        patient: PatientId(row.patient.as_u128()),
        key: MessageKey(row.key),
        enrollment: row.enrollment.map(|id| EnrollmentId(id.as_u128())),
        channel: words::channel_of(&row.channel)?,
        attempt: u32::try_from(row.attempt).unwrap_or(0),
        fence: row.fence,
        begun: row.begun_at.is_some(),
    })
}
