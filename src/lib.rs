//! Tend follows patients up after they leave the ward.
//!
//! `ARCHITECTURE.md` is the map; the table of who may import whom is a test.

pub mod app;
pub mod cli;
pub mod config;
pub mod deliver;
pub mod jobs;
pub mod library;
pub mod ports;
pub mod store;
pub mod web;
