//! The site of a score: what is read of one site is never looked for among another's.

use crate::ddl::migration;

const UP: &[&str] = &[
    "alter table score add column site :id",
    "update score set site = (select e.site from enrollment e where e.id = score.enrollment)",
    "create index score_site on score (site, model, at) where ppm is not null",
    "drop index score_model",
];

migration!("m0014_score_site", UP);
