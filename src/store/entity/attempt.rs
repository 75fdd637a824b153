//! Hand-overs.

use sea_orm::entity::prelude::*;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "attempt")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub message: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub n: i32,
    pub fence: i64,
    pub channel: String,
    pub version: Option<String>,
    pub sealed: Vec<u8>,
    pub claimed_at: i64,
    pub begun_at: Option<i64>,
    pub ended_at: Option<i64>,
    pub result: Option<String>,
    pub provider_ref: Option<String>,
}

/// None: joins are written where they are needed.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
