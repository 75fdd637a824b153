//! The one test binary: a list of modules.

mod architecture;
mod courses;
mod deliver;
mod jobs;
mod kill;
mod risk;
mod store;
mod story;
mod support;
mod tutorial;
mod web;
