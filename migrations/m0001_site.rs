//! Sites, teams, their settings; staff, their sessions and sign-in attempts.

use crate::ddl::migration;

const UP: &[&str] = &[
    "create table site (
        id :id not null primary key, name text not null, created_at :instant not null) :strict",
    "create table team (
        id :id not null primary key, site :id not null references site (id), name text not null) :strict",
    // Live, not part of a version; every change is a new row, so that a decision can name what it saw.
    "create table site_setting (
        site :id not null references site (id), version :big not null, body text not null,
        set_by :id, set_at :instant not null, primary key (site, version)) :strict",
    // Of the whole installation, for example the demo's moved clock.
    "create table setting (key text not null primary key, value text not null) :strict",
    "create table staff (
        id :id not null primary key, login text not null unique, name text not null, password_hash text not null,
        account_roles text not null, duty_roles text not null, site :id not null references site (id),
        team :id references team (id), active :bool not null, created_at :instant not null) :strict",
    "create table staff_session (
        token_hash :bytes not null primary key, staff :id not null references staff (id),
        created_at :instant not null, last_seen_at :instant not null, expires_at :instant not null) :strict",
    "create index staff_session_expires on staff_session (expires_at)",
    "create table sign_in_attempt (
        id :id not null primary key, login text not null, address text not null, at :instant not null,
        succeeded :bool not null) :strict",
    "create index sign_in_attempt_login on sign_in_attempt (login, at)",
    "create index sign_in_attempt_address on sign_in_attempt (address, at)",
];

migration!("m0001_site", UP);
