//! Queries of pages: one file per page, named like the page. They are methods of [`Store`](super::Store), take engine values
//! and give plain structs with public fields; a page calls them directly.
//!
//! What holds for all of them: they read from `self.reader()`, never write, page by key (never OFFSET, never COUNT on the
//! path of a page), and open sealed columns with the key from `self.keys_of(…)` right where the row becomes a struct.

mod keys;
pub(in crate::store) mod patient;

pub use patient::{FOUND_MAX, HistoryLine, PatientRow};
