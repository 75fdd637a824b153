//! Tasks by who took them: few of many, in the order of the worklist.

use crate::ddl::migration;

const UP: &[&str] = &["create index task_taken on task (taken_by, level_rank, respond_sort, risk_sort, id)
        where open = :yes and taken_by is not null"];

migration!("m0010_taken", UP);
