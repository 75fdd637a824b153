//! The pages, in process, over a real store: what a person sees and what is then recorded.

mod base;
mod patient;
mod patient_browser;
mod routes;
mod samples;
