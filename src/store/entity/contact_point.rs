//! Numbers and addresses, sealed.

use sea_orm::entity::prelude::*;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "contact_point")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub patient: Uuid,
    pub channel: String,
    pub address_hash: Vec<u8>,
    pub sealed: Vec<u8>,
    pub owner: String,
    pub usable: bool,
    pub verified: bool,
    pub created_at: i64,
}

/// None: joins are written where they are needed.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
