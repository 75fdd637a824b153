//! Queries of pages: one file per page, named like the page. They are methods of [`Store`](super::Store), take engine values
//! and give plain structs with public fields; a page calls them directly.
//!
//! What holds for all of them: they read from `self.reader()`, never write, page by key (never OFFSET, never COUNT on the
//! path of a page), and open sealed columns with the key from `self.keys_of(…)` right where the row becomes a struct.

pub mod health;
mod keys;
pub mod life;
pub mod message_log;
pub mod patient;
mod patient_link;
pub mod person;
pub mod risk_queue;
mod sent;
pub(in crate::store) mod sql;
pub mod staff;
pub mod task;
pub mod timeline;
pub mod version;
pub mod why;
pub mod worklist;

pub use super::StoreError;
pub use patient::{FOUND_MAX, HistoryLine, PatientRow};
pub use patient_link::LinkRow;
pub use sent::SentRow;
