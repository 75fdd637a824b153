//! Database migrations: one change per file, the same for SQLite and PostgreSQL.
//!
//! Each runs in a transaction of its own on both databases. They only ever expand: a column or table is taken away in a
//! later release than the one that stopped using it. An older binary refuses a newer schema, see [`unknown_to_this_binary`].

mod ddl;
mod m0001_site;
mod m0002_patient;
mod m0003_workflow;
mod m0004_history;
mod m0005_delivery;
mod m0006_worklist;
mod m0007_risk;
mod m0008_long_job;
mod m0009_risk_order;
mod m0010_taken;
mod m0011_outcome;
mod m0012_unscored;
mod m0013_followed;
mod m0014_score_site;
mod m0015_score_of;
mod m0016_decided_under;
mod m0017_task_workflow;

pub use sea_orm_migration::prelude::{MigrationTrait, MigratorTrait};

/// All migrations, in order.
#[derive(Debug)]
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m0001_site::Migration),
            Box::new(m0002_patient::Migration),
            Box::new(m0003_workflow::Migration),
            Box::new(m0004_history::Migration),
            Box::new(m0005_delivery::Migration),
            Box::new(m0006_worklist::Migration),
            Box::new(m0007_risk::Migration),
            Box::new(m0008_long_job::Migration),
            Box::new(m0009_risk_order::Migration),
            Box::new(m0010_taken::Migration),
            Box::new(m0011_outcome::Migration),
            Box::new(m0012_unscored::Migration),
            Box::new(m0013_followed::Migration),
            Box::new(m0014_score_site::Migration),
            Box::new(m0015_score_of::Migration),
            Box::new(m0016_decided_under::Migration),
            Box::new(m0017_task_workflow::Migration),
        ]
    }
}

/// Those of `applied` that this binary does not know: a newer release has migrated the database.
#[must_use]
pub fn unknown_to_this_binary(applied: &[String]) -> Vec<String> {
    let known: Vec<String> =
        Migrator::migrations().iter().map(|migration| migration.name().to_owned()).collect();
    applied.iter().filter(|name| !known.contains(name)).cloned().collect()
}

/// How many migrations this binary brings.
#[must_use]
pub fn count() -> usize {
    Migrator::migrations().len()
}
