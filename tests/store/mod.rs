//! The store and the use cases that stand on it, on SQLite and on PostgreSQL: every story runs on both.

mod broken_jobs;
mod bytes;
mod delivery;
mod histories;
mod inbound;
mod long_job;
mod lost;
mod quarantine;
mod replay;
mod schema;
mod scores;
mod two_nodes;
pub mod world;
