//! Follow-ups of a workflow by version: counted and read a page at a time. Whether one was moved, and what was chosen for it,
//! is a fold of the history like the rest of its row.

use crate::ddl::migration;

const UP: &[&str] = &[
    "alter table enrollment add column moved_from text",
    "alter table enrollment add column chosen text",
    // With the standing in it the counts read the index alone.
    "create index enrollment_followed on enrollment (site, workflow, version, patient, id, standing)
        where standing <> 'over'",
    // Its columns begin the new one.
    "drop index enrollment_version",
    "create index enrollment_moved on enrollment (site, workflow, version, patient, id)
        where moved_from is not null and standing <> 'over'",
    "create index enrollment_chosen on enrollment (site, workflow, chosen)
        where chosen is not null and standing <> 'over'",
];

migration!("m0013_followed", UP);
