//! Published versions, stored whole, and enrollments: who is on which.

use crate::ddl::migration;

const UP: &[&str] = &[
    // `model` is the typed model as JSON: the folder is a draft, this is what runs.
    "create table version (
        hash text not null, site :id not null references site (id), workflow text not null, model text not null,
        published_at :instant not null, published_by :id, active :bool not null, primary key (hash, site)) :strict",
    "create index version_workflow on version (site, workflow, published_at)",
    // A fold of the history, kept for lists and counts.
    "create table enrollment (
        id :id not null primary key, patient :id not null references patient (id), site :id not null, team :id,
        workflow text not null, version text not null, standing text not null, anchor :date,
        enrolled_at :instant not null, ended_at :instant, last_answer_at :instant, risk_ppm :int) :strict",
    "create index enrollment_patient on enrollment (patient)",
    "create index enrollment_version on enrollment (site, workflow, version) where standing <> 'over'",
    "create index enrollment_risk on enrollment (site, risk_ppm desc, id)
        where standing <> 'over' and risk_ppm is not null",
];

migration!("m0003_workflow", UP);
