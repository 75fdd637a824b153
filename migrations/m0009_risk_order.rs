//! Risk in the order of the worklist, and what clinicians moved on the risk queue.

use crate::ddl::migration;

const UP: &[&str] = &[
    // `respond_sort` is from now on the deadline rounded to what counts as the same for its level; among equals `risk_sort`
    // decides, least first, then the id, which is the age.
    "alter table task add column risk_sort :int not null default 900000",
    "drop index task_queue",
    "drop index task_site",
    "create index task_queue on task (site, role, level_rank, respond_sort, risk_sort, id) where open = :yes",
    "create index task_site on task (site, level_rank, respond_sort, risk_sort, id) where open = :yes",
    "create index task_enrollment on task (enrollment) where open = :yes and enrollment is not null",
    // `risk_rank`, least first, is empty for who has no score and was not moved, and for who was taken off the queue.
    "alter table enrollment add column risk_moved text",
    "alter table enrollment add column risk_rank :int",
    "update enrollment set risk_rank = 1000000 - risk_ppm where risk_ppm is not null",
    "create index enrollment_risk_rank on enrollment (site, risk_rank, id)
        where standing <> 'over' and risk_rank is not null",
    "create index enrollment_risk_moved on enrollment (site, id) where standing <> 'over' and risk_moved is not null",
];

migration!("m0009_risk_order", UP);
