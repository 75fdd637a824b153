//! Patients, and apart from them who they are: the demographics are the only place with name, birth date and addresses.

use crate::ddl::migration;

const UP: &[&str] = &[
    // `state` is the fold of the history up to `seq`; `wake_at` the next instant at which something will be decided.
    "create table patient (
        id :id not null primary key, site :id not null references site (id), team :id references team (id),
        seq :big not null, wake_at :instant, state :bytes not null, state_version :int not null,
        quarantined text, created_at :instant not null) :strict",
    "create index patient_wake on patient (wake_at, id) where wake_at is not null and quarantined is null",
    "create index patient_quarantined on patient (id) where quarantined is not null",
    // Wrapped by the site key; erasing a patient deletes the row, and with it everything sealed under the key.
    "create table patient_key (
        patient :id not null primary key references patient (id), wrapped :bytes not null,
        created_at :instant not null) :strict",
    // `sealed` holds name, birth date and sex under the patient's key.
    "create table demographics (
        patient :id not null primary key references patient (id), sealed :bytes not null,
        updated_at :instant not null) :strict",
    // Keyed hashes of the words of a name, so that staff can look a patient up without a plain name on the disk.
    "create table name_word (
        word_hash :bytes not null, patient :id not null references patient (id), primary key (word_hash, patient))
        :strict",
    "create index name_word_patient on name_word (patient)",
    "create table identifier (
        id :id not null primary key, patient :id not null references patient (id), system text not null,
        value_hash :bytes not null, sealed :bytes not null, created_at :instant not null) :strict",
    "create unique index identifier_value on identifier (system, value_hash)",
    "create index identifier_patient on identifier (patient)",
    // A number may belong to several people and a person may have several; `owner` is own or carer.
    "create table contact_point (
        id :id not null primary key, patient :id not null references patient (id), channel text not null,
        address_hash :bytes not null, sealed :bytes not null, owner text not null, usable :bool not null,
        verified :bool not null, created_at :instant not null) :strict",
    "create index contact_point_patient on contact_point (patient)",
    "create index contact_point_address on contact_point (address_hash)",
    // Merge and unmerge by link; keys are never rewritten.
    "create table patient_link (
        id :id not null primary key, patient :id not null references patient (id),
        same_as :id not null references patient (id), linked_by :id, linked_at :instant not null,
        unlinked_by :id, unlinked_at :instant) :strict",
    "create index patient_link_patient on patient_link (patient)",
    "create index patient_link_same_as on patient_link (same_as)",
    "create table consent (
        id :id not null primary key, patient :id not null references patient (id), purpose text not null,
        channel text not null, wording text not null, how text not null, given_by text not null,
        given_at :instant not null, withdrawn_at :instant) :strict",
    "create index consent_patient on consent (patient)",
];

migration!("m0002_patient", UP);
