//! What a version says of the steps of earlier ones. Names are for ever, so the statements add up: whatever version a patient
//! comes from, following them leads to the steps of this one.

use serde::{Deserialize, Serialize};

use crate::Name;

/// What became of steps of earlier versions.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Changes {
    /// Once called so, now called so; a name may be followed by another one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub renamed: Vec<(Name, Name)>,
    /// Not planned any more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub removed: Vec<Name>,
    /// Planned at other times than before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub retimed: Vec<Name>,
}

impl Changes {
    /// Whether nothing is stated.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// What a step of an earlier version is called now; `None` when it was removed.
    #[must_use]
    pub fn follow<'a>(&'a self, step: &'a Name) -> Option<&'a Name> {
        let mut name = step;
        for _ in 0..=self.renamed.len() {
            let next = self.renamed.iter().find(|(old, _)| old == name);
            let Some((_, new)) = next else { break };
            name = new;
        }
        (!self.removed.contains(name)).then_some(name)
    }
}
