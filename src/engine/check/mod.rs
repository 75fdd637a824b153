//! Checks that need more than one line of a file.

pub mod care;
pub mod instruments;
pub mod schedule;
pub mod uses;
pub mod words;
