//! The one test binary: a list of modules.

mod architecture;
mod deliver;
mod jobs;
mod risk;
mod store;
mod support;
mod web;
