//! Enrollments, folded.

use sea_orm::entity::prelude::*;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "enrollment")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub patient: Uuid,
    pub site: Uuid,
    pub team: Option<Uuid>,
    pub workflow: String,
    pub version: String,
    pub standing: String,
    pub anchor: Option<Date>,
    pub enrolled_at: i64,
    pub ended_at: Option<i64>,
    pub last_answer_at: Option<i64>,
    pub risk_ppm: Option<i32>,
    pub score_wanted_at: Option<i64>,
    pub risk_moved: Option<String>,
    pub risk_rank: Option<i32>,
    pub moved_from: Option<String>,
    pub chosen: Option<String>,
}

/// None: joins are written where they are needed.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
