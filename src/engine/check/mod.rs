//! Checks that need more than one line of a file.

pub mod schedule;
pub mod words;
