//! Keyed hashes of the words of names.

use sea_orm::entity::prelude::*;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "name_word")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub word_hash: Vec<u8>,
    #[sea_orm(primary_key, auto_increment = false)]
    pub patient: Uuid,
}

/// None: joins are written where they are needed.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
