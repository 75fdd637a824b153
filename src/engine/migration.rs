//! From one version of a workflow to another: what becomes of each step of a patient who is moved. Worked out once from the
//! two models, then written into the history whole, so that a move is understood without either of them.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{
    Name,
    model::{Does, Schedule, Step, Workflow},
};

/// What becomes of the steps of a patient who is moved. A step that is not named stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Migration {
    /// From the name before to the name after.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub renamed: BTreeMap<Name, Name>,
    /// By the name before: what waits is withdrawn, nothing more is planned.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub removed: BTreeSet<Name>,
    /// By the name after: what has not gone out is withdrawn, what is due from now on is planned afresh.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub retimed: BTreeSet<Name>,
    /// By the name after: planned from now on.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub added: BTreeSet<Name>,
}

/// Why nobody can be moved: the new file leaves open what is meant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Ambiguous {
    /// A step is missing.
    #[error(
        "step \"{0}\" is not there any more: write it under \"changes\" as removed, or what it was renamed to"
    )]
    Gone(Name),
    /// A step has other times.
    #[error("step \"{0}\" is planned at other times than before: write it under \"changes\" as retimed")]
    Retimed(Name),
    /// A step does something else.
    #[error(
        "step \"{0}\" does something else than before: give the new one a name of its own and write the old one as removed"
    )]
    Different(Name),
    /// Two steps would become one.
    #[error("two steps would become \"{0}\": write one of them as removed")]
    Merged(Name),
}

impl Migration {
    /// What becomes of a patient on `old` who is moved to `new`, as the new file states it.
    ///
    /// # Errors
    /// Everything that the new file leaves open.
    pub fn between(old: &Workflow, new: &Workflow) -> Result<Self, Vec<Ambiguous>> {
        let mut migration = Self::default();
        let mut open = Vec::new();
        let mut reached: BTreeSet<&Name> = BTreeSet::new();
        for step in &old.steps {
            let Some(name) = new.changes.follow(&step.id) else {
                migration.removed.insert(step.id.clone());
                continue;
            };
            let Some(now) = new.step(name) else {
                open.push(Ambiguous::Gone(step.id.clone()));
                continue;
            };
            if !reached.insert(name) {
                open.push(Ambiguous::Merged(name.clone()));
            } else if !same_work(&step.does, &now.does) {
                open.push(Ambiguous::Different(step.id.clone()));
            } else if !same_times((old, step), (new, now), 0) {
                migration.retimed.insert(name.clone());
                if !is_stated(new, now) {
                    open.push(Ambiguous::Retimed(step.id.clone()));
                }
            }
            if *name != step.id {
                migration.renamed.insert(step.id.clone(), name.clone());
            }
        }
        let fresh = new.steps.iter().filter(|step| !reached.contains(&step.id));
        migration.added = fresh.map(|step| step.id.clone()).collect();
        if open.is_empty() { Ok(migration) } else { Err(open) }
    }

    /// The way back.
    #[must_use]
    pub fn back(&self) -> Self {
        let before: BTreeMap<Name, Name> =
            self.renamed.iter().map(|(old, new)| (new.clone(), old.clone())).collect();
        let named = |name: &Name| before.get(name).unwrap_or(name).clone();
        Self {
            retimed: self.retimed.iter().map(named).collect(),
            renamed: before,
            removed: self.added.clone(),
            added: self.removed.clone(),
        }
    }
}

/// Whether the file says that a step has other times, or that the one has around which it is placed.
fn is_stated(new: &Workflow, step: &Step) -> bool {
    let mut step = step;
    for _ in 0..=AROUND_DEPTH_MAX {
        if new.changes.retimed.contains(&step.id) {
            return true;
        }
        let Schedule::Around { step: parent, .. } = &step.schedule else { return false };
        let Some(parent) = new.step(parent) else { return false };
        step = parent;
    }
    false
}

/// Whether an open link or task of the one may stand for the other.
fn same_work(old: &Does, new: &Does) -> bool {
    match (old, new) {
        (Does::Ask { questionnaire: old, .. }, Does::Ask { questionnaire: new, .. }) => old == new,
        (Does::Task { kind: old, .. }, Does::Task { kind: new, .. }) => old == new,
        (Does::Tell { .. }, Does::Tell { .. }) | (Does::Score { .. }, Does::Score { .. }) => true,
        (Does::Ask { .. } | Does::Tell { .. } | Does::Task { .. } | Does::Score { .. }, _) => false,
    }
}

/// Steps may be placed around steps, up to this depth.
const AROUND_DEPTH_MAX: u8 = 4;

/// Whether the two are planned at the same times; a step around another one moves with it.
fn same_times((old, one): (&Workflow, &Step), (new, other): (&Workflow, &Step), depth: u8) -> bool {
    let timing = |step: &Step| {
        let timing = &step.timing;
        (timing.time, timing.working_day, timing.not_before.clone())
    };
    if timing(one) != timing(other) {
        return false;
    }
    let called = |name: &Name| new.changes.follow(name).cloned();
    match (&one.schedule, &other.schedule) {
        (
            Schedule::Around { step: old_parent, offset, window },
            Schedule::Around { step: new_parent, offset: new_offset, window: new_window },
        ) => {
            let parents = old.step(old_parent).zip(new.step(new_parent));
            depth < AROUND_DEPTH_MAX
                && (offset, window) == (new_offset, new_window)
                && called(old_parent).as_ref() == Some(new_parent)
                && parents.is_some_and(|(a, b)| same_times((old, a), (new, b), depth + 1))
        }
        (
            Schedule::AfterOutcome { step: old_parent, outcomes, offset, window },
            Schedule::AfterOutcome {
                step: parent,
                outcomes: new_outcomes,
                offset: new_offset,
                window: new_window,
            },
        ) => {
            (outcomes, offset, window) == (new_outcomes, new_offset, new_window)
                && called(old_parent).as_ref() == Some(parent)
        }
        (Schedule::ByFact { facts, .. }, Schedule::ByFact { .. }) => {
            let default = |workflow: &Workflow, fact: &Name| {
                workflow.facts.iter().find(|def| def.id == *fact).and_then(|def| def.default.clone())
            };
            one.schedule == other.schedule
                && facts.iter().all(|fact| default(old, fact) == default(new, fact))
        }
        (old, new) => old == new,
    }
}
