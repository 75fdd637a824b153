//! Under what each entry of a history was decided, so that it can be decided again and compared.

use crate::ddl::migration;

/// Engine version times 2^33, plus twice the version of the site's settings, plus one for what was decided (and nothing
/// for what was given to that decision). Null: written down of a patient who is set aside, nothing was decided. 0: stored
/// before this was kept.
const UP: &[&str] = &["alter table event add column decided_under :big default 0"];

migration!("m0016_decided_under", UP);
