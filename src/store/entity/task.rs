//! Tasks.

use sea_orm::entity::prelude::*;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "task")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub patient: Uuid,
    pub key: String,
    pub enrollment: Option<Uuid>,
    pub workflow: Option<String>,
    pub site: Uuid,
    pub team: Option<Uuid>,
    pub kind: String,
    pub level: String,
    pub level_rank: i32,
    pub role: String,
    pub title: String,
    pub because: String,
    pub plan: String,
    pub opened_at: i64,
    pub respond_by: Option<i64>,
    pub respond_sort: i64,
    pub risk_sort: i32,
    pub minutes: i32,
    pub window_closes: Option<i64>,
    pub rung: i32,
    pub state: String,
    pub open: bool,
    pub taken_by: Option<Uuid>,
    pub taken_until: Option<i64>,
    pub outcome: Option<String>,
    pub closed_at: Option<i64>,
    pub closed_by: Option<Uuid>,
}

/// None: joins are written where they are needed.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
