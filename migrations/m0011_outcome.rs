//! What became of patients, models that a site recalibrated, and what the watch over models found.

use crate::ddl::migration;

const UP: &[&str] = &[
    // The latest row of an enrollment holds: was the patient admitted within the horizon, and on which day.
    "create table outcome (
        id :id not null primary key, site :id not null, patient :id not null, enrollment :id not null,
        happened :bool not null, day text, source text not null, set_by :id, set_at :instant not null) :strict",
    "create index outcome_enrollment on outcome (enrollment, set_at)",
    // What was put in, so that what a model knew can be watched, exported and learned from.
    "alter table score add column inputs text",
    "create index score_model on score (model, at)",
    // The latest row of (site, model) and state holds; `state` is champion or challenger, an empty version takes it back.
    "create table model_local (
        id :id not null primary key, site :id not null, model text not null, model_version text not null,
        state text not null, body text not null, set_by :id, set_at :instant not null) :strict",
    "create index model_local_site on model_local (site, set_at)",
    "create table model_watch (
        id :id not null primary key, site :id not null, model text not null, model_version text not null,
        signal text not null, body text not null, at :instant not null) :strict",
    "create index model_watch_site on model_watch (site, model, at)",
];

migration!("m0011_outcome", UP);
