//! The history of each patient, append-only, and the audit log.

use crate::ddl::migration;

const UP: &[&str] = &[
    // No foreign key: a row is only ever written in the transaction that has locked its patient. `secret` is free text
    // under the patient's key.
    "create table event (
        patient :id not null, seq :big not null, enrollment :id, kind text not null, schema :int not null,
        occurred_at :instant not null, recorded_at :instant not null, author text not null, body text not null,
        secret :bytes, primary key (patient, seq)) :strict",
    "create table audit (
        id :id not null primary key, at :instant not null, actor text not null, action text not null, patient :id,
        subject text not null, detail text not null) :strict",
    "create index audit_patient on audit (patient, at) where patient is not null",
];

migration!("m0004_history", UP);
