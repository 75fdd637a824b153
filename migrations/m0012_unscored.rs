//! Follow-ups without a score, by workflow: the risk queue names them without looking at everybody who has one.

use crate::ddl::migration;

const UP: &[&str] = &["create index enrollment_unscored on enrollment (site, workflow, id)
        where standing <> 'over' and risk_ppm is null and risk_moved is null"];

migration!("m0012_unscored", UP);
