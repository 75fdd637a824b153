//! The pages, in process, over a real store: what a person sees and what is then recorded.

mod base;
mod fault;
mod form;
mod logged;
mod patient;
mod patient_alarm;
mod patient_browser;
mod patient_input;
mod routes;
mod samples;
mod staff_browser;
mod staff_escalation;
mod staff_life;
mod staff_messages;
mod staff_patient;
mod staff_risk;
mod staff_sign_in;
pub mod staff_versions;
mod staff_words;
mod staff_workflows;
mod staff_worklist;
mod ward;
