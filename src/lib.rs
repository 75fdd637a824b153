//! Tend follows patients up after they leave the ward.
//!
//! `ARCHITECTURE.md` is the map; the table of who may import whom is a test.

// What bad input could reach says what is wrong and goes on; a test may panic.
#![warn(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

pub mod app;
pub mod cli;
pub mod config;
pub mod deliver;
pub mod jobs;
pub mod library;
pub mod ports;
pub mod store;
pub mod web;
