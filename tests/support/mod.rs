//! The real parts that the tests run against, and the scripted ones that misbehave on request.
//!
//! Every part starts on a free port in a temporary folder and is gone when the test process is, however it ends.
//! `tests/run --long` sets `TEND_LONG` for the tests that have a long form.
//! A part that is not installed is an error, never a reason to skip a test: `tests/run --install` installs all.

pub mod app;
pub mod auditor;
pub mod browser;
pub mod gateway;
pub mod http;
pub mod kannel;
pub mod log;
pub mod net;
pub mod postgres;
pub mod process;
pub mod product;
pub mod smtp;
pub mod smtp_sink;
pub mod time;
pub mod visitor;
pub mod workflows;
