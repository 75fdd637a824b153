//! Scores, each with model version and the hash of its inputs, and which models are on.

use crate::ddl::migration;

const UP: &[&str] = &[
    "create table score (
        id :id not null primary key, patient :id not null, enrollment :id not null, model text not null,
        model_version text not null, inputs_hash :bytes not null, ppm :int, low_ppm :int, high_ppm :int,
        reasons text not null, abstain text, at :instant not null) :strict",
    "create index score_enrollment on score (enrollment, at)",
    // The latest row of (model, workflow) holds; `state` is shadow or on.
    "create table model_switch (
        id :id not null primary key, site :id not null, model text not null, model_version text not null,
        workflow text not null, state text not null, set_by :id, set_at :instant not null) :strict",
    "create index model_switch_workflow on model_switch (site, workflow, model, set_at)",
];

migration!("m0007_risk", UP);
