//! Another version of each workflow: a step with another name, one less, one more, others at another time.

use super::*;
use crate::{fact::VersionChoice, migration::Migration, model::Schedule, state::EnrollmentState};

/// Its next version, with the changes stated.
pub(super) fn next_of(workflow: &Workflow) -> Workflow {
    let mut next = renamed(workflow);
    removed(&mut next);
    let counted = |step: &crate::model::Step| {
        matches!(step.schedule, Schedule::Plan { .. } | Schedule::ByFact { .. } | Schedule::Chain { .. })
    };
    let added = next.steps.iter().find(|step| counted(step)).cloned();
    for step in next.steps.iter_mut().filter(|step| counted(step)).step_by(2) {
        step.timing.time = jiff::civil::time(11, 30, 0, 0);
        next.changes.retimed.push(step.id.clone());
    }
    if let Some(mut added) = added {
        added.id = sample::name("one-more");
        next.steps.push(added);
    }
    next
}

fn json(workflow: &Workflow) -> String {
    serde_json::to_string(workflow).expect("a model")
}

/// The first step whose name is that of nothing else.
fn renamed(workflow: &Workflow) -> Workflow {
    let text = json(workflow);
    let by_another = |step: &crate::model::Step| {
        let new = format!("{}-anew", step.id);
        let text = text.replace(&format!("\"{}\"", step.id), &format!("\"{new}\""));
        let mut next: Workflow = serde_json::from_str(&text).ok()?;
        next.changes.renamed.push((step.id.clone(), sample::name(&new)));
        (next.questionnaires == workflow.questionnaires).then_some(next)
    };
    workflow.steps.iter().find_map(by_another).unwrap_or_else(|| workflow.clone())
}

fn removed(workflow: &mut Workflow) {
    let text = json(workflow);
    let unused = |step: &crate::model::Step| text.matches(&format!("\"{}\"", step.id)).count() == 1;
    let Some(index) = workflow.steps.iter().rposition(unused) else { return };
    let step = workflow.steps.remove(index);
    workflow.changes.removed.push(step.id);
}

impl Play {
    /// Chooses for another version, moves, or moves back.
    pub(super) fn version(&mut self, pick: usize, what: u8) -> Checked {
        let Some((id, workflow)) = self.enrollment(pick) else { return Ok(()) };
        let enrollment = self.patient.state.enrollments[&id].clone();
        let from = enrollment.version.clone();
        if let (Some((to, migration)), 0 | 1) = (&enrollment.moved_from, what) {
            let (to, migration) = (to.clone(), migration.back());
            let fact = Fact::VersionChanged { from, to, migration, undone: true };
            return self.happens(Some(id), Author::System, fact);
        }
        if !workflow.changes.is_empty() {
            return Ok(());
        }
        let next = next_of(workflow);
        let migration = Migration::between(workflow, &next).expect("stated");
        let to = next.version();
        let fact = match what {
            0..=2 => Fact::VersionChanged { from, to, migration, undone: false },
            3..=5 => Fact::VersionChosen { to, choice: VersionChoice::MoveWhenQuiet(migration) },
            _ => Fact::VersionChosen { to, choice: VersionChoice::Stay },
        };
        self.happens(Some(id), Author::System, fact)
    }
}

/// A name of the step, at times one that it had in an earlier version.
pub(super) fn called<'a>(enrollment: &'a EnrollmentState, step: &'a Name, pick: usize) -> &'a Name {
    let former = enrollment.former.keys().find(|name| enrollment.name_now(name) == step);
    former.filter(|_| pick.is_multiple_of(2)).unwrap_or(step)
}
