//! Wrapped keys of patients.

use sea_orm::entity::prelude::*;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "patient_key")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub patient: Uuid,
    pub wrapped: Vec<u8>,
    pub created_at: i64,
}

/// None: joins are written where they are needed.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
