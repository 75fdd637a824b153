//! Mechanical mutants: each takes one thing away from a workflow, or bends it, and the walk must notice.

#![cfg(test)]

use super::tests::{found, site, told, week};
use super::{Bounds, Report, explore};
use crate::{
    Decimal, Value,
    case::tests::shipped,
    model::{Action, Does, Expr, Respond, Workflow},
};

/// One change.
#[derive(Debug, Clone, Copy)]
enum Mutant {
    NoRule(usize),
    NoAction(usize, usize),
    NoLadder(usize),
    NoOverdue(usize),
    NoEnd,
    NeverMet(usize, usize),
    NeverComes(usize),
}

/// Every mutant of a workflow, in the order of the file.
fn mutants(workflow: &Workflow) -> Vec<Mutant> {
    let mut all = vec![Mutant::NoEnd];
    for (index, rule) in workflow.rules.iter().enumerate() {
        all.push(Mutant::NoRule(index));
        all.extend((0..rule.then.len()).map(|action| Mutant::NoAction(index, action)));
        all.extend((0..rule.alternatives.len()).map(|which| Mutant::NeverMet(index, which)));
    }
    all.extend((0..workflow.levels.len()).map(Mutant::NoLadder));
    for (index, step) in workflow.steps.iter().enumerate() {
        all.push(Mutant::NeverComes(index));
        if matches!(&step.does, Does::Task { overdue, .. } if !overdue.is_empty()) {
            all.push(Mutant::NoOverdue(index));
        }
    }
    all
}

impl Mutant {
    fn of(self, workflow: &Workflow) -> Workflow {
        let mut workflow = workflow.clone();
        match self {
            Self::NoRule(index) => drop(workflow.rules.remove(index)),
            Self::NoAction(index, action) => {
                let rule = &mut workflow.rules[index];
                rule.then.remove(action);
            }
            Self::NoLadder(index) => {
                let level = &mut workflow.levels[index];
                level.ladder.clear();
                level.respond = Respond::Never;
            }
            Self::NoOverdue(index) => {
                if let Does::Task { overdue, .. } = &mut workflow.steps[index].does {
                    overdue.clear();
                }
            }
            Self::NoEnd => {
                workflow.ending.after = None;
                for rule in &mut workflow.rules {
                    rule.then.retain(|action| !matches!(action, Action::Stop { .. }));
                }
            }
            Self::NeverMet(index, which) => {
                unmeetable(&mut workflow.rules[index].alternatives[which].when);
            }
            Self::NeverComes(index) => {
                workflow.steps[index].timing.only_if = Some(Expr::Literal(Value::Bool(false)));
            }
        }
        workflow
    }
}

/// A limit that no answer reaches; a choice that nobody can make.
fn unmeetable(when: &mut Expr) {
    *when = Expr::And(vec![
        when.clone(),
        Expr::Compare(
            crate::model::Compare::More,
            Box::new(Expr::Literal(Value::Number(Decimal::whole(1)))),
            Box::new(Expr::Literal(Value::Number(Decimal::whole(2)))),
        ),
    ]);
}

fn walked(workflow: &Workflow, bounds: Bounds) -> Report {
    explore(workflow, &site(), bounds).expect("walked")
}

/// Walks mutants and says which were found; those that were not are told with their names.
fn share(workflow: &Workflow, bounds: Bounds, picked: &[Mutant]) -> (usize, Vec<Mutant>) {
    let before = found(&walked(workflow, bounds));
    let missed = |mutant: &&Mutant| {
        let after = found(&walked(&mutant.of(workflow), bounds));
        after.difference(&before).next().is_none()
    };
    let missed: Vec<Mutant> = picked.iter().filter(missed).copied().collect();
    (picked.len() - missed.len(), missed)
}

fn picked(all: &[Mutant], count: usize, seed: u64) -> Vec<Mutant> {
    let mut seed = seed;
    let mut left: Vec<Mutant> = all.to_vec();
    let mut chosen = Vec::new();
    while chosen.len() < count && !left.is_empty() {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        chosen.push(left.remove(usize::try_from(seed >> 33).unwrap_or(0) % left.len()));
    }
    chosen
}

#[test]
fn mutants_are_found() {
    let workflow = week();
    let bounds = Bounds { deviations: 1, choices_after: 2, states_max: 20_000, days_max: 20, merge: true };
    let all = mutants(&workflow);
    let chosen = picked(&all, 20, 4);
    let (caught, missed) = share(&workflow, bounds, &chosen);
    // A rule or an action that is taken away whole leaves nothing that could be wrong by itself: what it was for is known
    // to its author alone. Everything else must be found.
    let unexplained: Vec<&Mutant> =
        missed.iter().filter(|mutant| !matches!(mutant, Mutant::NoRule(_) | Mutant::NoAction(..))).collect();
    assert!(unexplained.is_empty(), "{caught} of {} found, missed {missed:?}", chosen.len());
    assert!(caught * 2 >= chosen.len(), "{caught} of {} found, missed {missed:?}", chosen.len());
}

/// `TEND_LONG=1`: two hundred mutants of the shipped library.
#[test]
fn two_hundred_mutants_of_the_library_under_long() {
    if std::env::var_os("TEND_LONG").is_none() {
        return;
    }
    let compiled = shipped();
    let bounds = Bounds { deviations: 1, states_max: 60_000, ..Bounds::default() };
    let per_workflow = 200_usize.div_ceil(compiled.workflows.len().max(1));
    let (mut total, mut caught) = (0, 0);
    let mut missed = Vec::new();
    for (_, workflow) in &compiled.workflows {
        let chosen = picked(&mutants(workflow), per_workflow, 4);
        let (of_this, not) = share(workflow, bounds, &chosen);
        total += chosen.len();
        caught += of_this;
        missed.extend(not.into_iter().map(|mutant| (workflow.id.clone(), mutant)));
    }
    let report = format!("{caught} of {total} mutants found; not found: {missed:?}");
    assert!(caught * 2 >= total, "{report}");
    std::io::Write::write_all(&mut std::io::stderr(), report.as_bytes()).expect("written");
}

/// Every shipped workflow is clean within small bounds; the whole walk is `tend explore`.
#[test]
fn the_shipped_library_is_clean() {
    let compiled = shipped();
    let long = std::env::var_os("TEND_LONG").is_some();
    let bounds = if long {
        Bounds::default()
    } else {
        Bounds { deviations: 1, states_max: 200, days_max: 120, ..Bounds::default() }
    };
    for (_, workflow) in &compiled.workflows {
        let mut report = walked(workflow, bounds);
        if !long {
            // What no course within small bounds comes to is for the whole walk to say.
            report.findings.retain(|finding| !finding.story.is_empty());
        }
        assert!(report.findings.is_empty(), "{}: {}", workflow.id, told(&report));
    }
}
