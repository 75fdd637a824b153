//! The one test binary: a list of modules.

mod architecture;
mod deliver;
mod risk;
mod support;
mod web;
