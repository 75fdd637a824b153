//! Patients without identity.

use sea_orm::entity::prelude::*;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "patient")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub site: Uuid,
    pub team: Option<Uuid>,
    pub seq: i64,
    pub wake_at: Option<i64>,
    pub state: Vec<u8>,
    pub state_version: i32,
    pub quarantined: Option<String>,
    pub created_at: i64,
}

/// None: joins are written where they are needed.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
