//! The one test binary: a list of modules.

mod architecture;
mod support;
mod web;
