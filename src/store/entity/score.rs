//! Scores.

use sea_orm::entity::prelude::*;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "score")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub patient: Uuid,
    pub enrollment: Uuid,
    pub model: String,
    pub model_version: String,
    pub inputs_hash: Vec<u8>,
    pub ppm: Option<i32>,
    pub low_ppm: Option<i32>,
    pub high_ppm: Option<i32>,
    pub reasons: String,
    pub abstain: Option<String>,
    pub at: i64,
    pub inputs: Option<String>,
}

/// None: joins are written where they are needed.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
