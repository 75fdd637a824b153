//! Messages and what carriers did with them; links, drafts, inbound texts and receipts.

use crate::ddl::migration;

const UP: &[&str] = &[
    // A key holds its enrollment or patient, so unique within the patient is unique.
    "create table message (
        id :id not null primary key, patient :id not null, key text not null, enrollment :id, site :id not null,
        purpose text not null, channel text not null, rung :int not null, state text not null, plan text not null,
        send_after :instant not null, not_after :instant not null, link_expires :instant, attempt :int not null,
        next_attempt_at :instant not null, lease_owner :id, lease_until :instant, fence :big not null,
        begun_at :instant, provider_ref text, created_at :instant not null, updated_at :instant not null) :strict",
    "create unique index message_key on message (patient, key)",
    "create index message_ready on message (channel, next_attempt_at) where state = 'scheduled'",
    "create index message_leased on message (lease_until) where state = 'claimed'",
    "create index message_provider on message (provider_ref) where provider_ref is not null",
    "create index message_uncertain on message (site, id) where state = 'uncertain'",
    // What was sent, to where, in which words: `sealed` under the patient's key.
    "create table attempt (
        message :id not null, n :int not null, fence :big not null, channel text not null, version text,
        sealed :bytes not null, claimed_at :instant not null, begun_at :instant, ended_at :instant, result text,
        provider_ref text, primary key (message, n)) :strict",
    "create table link (
        token_hash :bytes not null primary key, message :id not null, patient :id not null,
        expires_at :instant not null, tries :int not null, locked_at :instant, revoked_at :instant,
        opened_at :instant) :strict",
    "create index link_message on link (message)",
    // Mutable until it is submitted.
    "create table draft (
        message :id not null, occurrence text not null, sealed :bytes not null, updated_at :instant not null,
        primary key (message, occurrence)) :strict",
    "create table reply (
        id :id not null primary key, provider_id text not null unique, channel text not null,
        address_hash :bytes not null, sealed :bytes not null, meaning text not null, patient :id,
        received_at :instant not null) :strict",
    "create index reply_patient on reply (patient) where patient is not null",
    // A receipt may come twice, or before the hand-over is written down; `message` is empty until it is matched.
    "create table receipt (
        provider_ref text not null, delivered :bool not null, message :id, received_at :instant not null,
        primary key (provider_ref, delivered)) :strict",
];

migration!("m0005_delivery", UP);
