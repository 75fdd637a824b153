//! Another version of each workflow: a step with another name, one less, one more, others at another time.

use super::*;
use crate::model::Schedule;

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
