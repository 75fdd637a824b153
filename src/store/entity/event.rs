//! The history.

use sea_orm::entity::prelude::*;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "event")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub patient: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub seq: i64,
    pub enrollment: Option<Uuid>,
    pub kind: String,
    pub schema: i32,
    pub occurred_at: i64,
    pub recorded_at: i64,
    pub author: String,
    pub body: String,
    pub secret: Option<Vec<u8>>,
    pub decided_under: Option<i64>,
}

/// None: joins are written where they are needed.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
