//! Messages.

use sea_orm::entity::prelude::*;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "message")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub patient: Uuid,
    pub key: String,
    pub enrollment: Option<Uuid>,
    pub site: Uuid,
    pub purpose: String,
    pub channel: String,
    pub rung: i32,
    pub state: String,
    pub plan: String,
    pub send_after: i64,
    pub not_after: i64,
    pub link_expires: Option<i64>,
    pub attempt: i32,
    pub next_attempt_at: i64,
    pub lease_owner: Option<Uuid>,
    pub lease_until: Option<i64>,
    pub fence: i64,
    pub begun_at: Option<i64>,
    pub provider_ref: Option<String>,
    pub created_at: i64,
    pub updated_at: i64,
}

/// None: joins are written where they are needed.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
