//! The scores of a follow-up by one model, found without looking at everybody's by that model.

use crate::ddl::migration;

const UP: &[&str] =
    &["drop index score_enrollment", "create index score_of on score (enrollment, model, at)"];

migration!("m0015_score_of", UP);
