//! Tasks and the counts of the queues, which the writer keeps in the same transaction.

use crate::ddl::migration;

const UP: &[&str] = &[
    // The order of a worklist is (level_rank, respond_sort, id): `respond_sort` is respond_by, or the end of time.
    "create table task (
        id :id not null primary key, patient :id not null, key text not null, enrollment :id, site :id not null,
        team :id, kind text not null, level text not null, level_rank :int not null, role text not null,
        title text not null, because text not null, plan text not null, opened_at :instant not null,
        respond_by :instant, respond_sort :instant not null, minutes :int not null, window_closes :instant,
        rung :int not null, state text not null, open :bool not null, taken_by :id, taken_until :instant,
        outcome text, closed_at :instant, closed_by :id) :strict",
    "create unique index task_key on task (patient, key)",
    "create index task_queue on task (site, role, level_rank, respond_sort, id) where open = :yes",
    "create index task_site on task (site, level_rank, respond_sort, id) where open = :yes",
    "create table task_note (
        id :id not null primary key, task :id not null, patient :id not null, written_by :id,
        written_at :instant not null, sealed :bytes not null) :strict",
    "create index task_note_task on task_note (task)",
    // Open tasks. A shard per node keeps nodes from queueing behind one row; readers sum.
    "create table queue_count (
        site :id not null, role text not null, level text not null, shard :int not null, n :big not null,
        primary key (site, role, level, shard)) :strict",
];

migration!("m0006_worklist", UP);
