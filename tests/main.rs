//! The one test binary: a list of modules.

mod support;
