//! The workflow of a task: the few tasks of a rare workflow are never looked for among all of an owner's.

use crate::ddl::migration;

const UP: &[&str] = &[
    "alter table task add column workflow text",
    "update task set workflow = (select e.workflow from enrollment e where e.id = task.enrollment)",
    "create index task_workflow on task (site, workflow, role, level_rank, respond_sort, risk_sort, id)
        where open = :yes",
];

migration!("m0017_task_workflow", UP);
