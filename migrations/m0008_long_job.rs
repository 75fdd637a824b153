//! Long jobs (imports, nightly scoring) and the lines of an import: the truth about them. The job library's own tables may
//! be emptied at any moment. Also which enrollments wait for a score.

use crate::ddl::migration;

const UP: &[&str] = &[
    // `name` is unique: a night is planned once. `state` is waiting, done or given_up. `next_attempt_at`, `pushed_at` and
    // `lease_until` go by the database's clock.
    "create table long_job (
        id :id not null primary key, site :id not null, kind text not null, name text not null unique,
        state text not null, asked_by :id, asked_at :instant not null, body text not null, done :int not null,
        cursor :id, attempts :int not null, next_attempt_at :instant not null, pushed_at :instant, lease_owner :id,
        lease_until :instant, fence :big not null, problem text, finished_at :instant) :strict",
    "create index long_job_waiting on long_job (next_attempt_at) where state = 'waiting'",
    "create index long_job_site on long_job (site, kind, asked_at)",
    // `state` is waiting, enrolled or refused; `sealed`, under the site key, is there while a line waits.
    "create table import_line (
        job :id not null references long_job (id), line :int not null, state text not null, patient :id,
        report text not null, sealed :bytes, primary key (job, line)) :strict",
    "create index import_line_waiting on import_line (job, line) where state = 'waiting'",
    "alter table enrollment add column score_wanted_at :instant",
    "create index enrollment_score_wanted on enrollment (score_wanted_at) where score_wanted_at is not null",
];

migration!("m0008_long_job", UP);
