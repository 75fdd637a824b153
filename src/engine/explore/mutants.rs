//! Mechanical mutants: each takes one thing away from a workflow, or bends it. The walk must notice, or the workflow's own
//! cases must; what neither notices is named with the reason.

#![cfg(test)]

use super::tests::{SMALL, found, site, told, week};
use super::{Bounds, Report, explore};
use crate::{
    Decimal, Value,
    case::{
        Case,
        run::{play, run},
        tests::shipped,
    },
    model::{Action, Does, Expr, LevelId, Respond, Schedule, Workflow},
};

/// One change.
#[derive(Debug, Clone, Copy)]
enum Mutant {
    NoRule(usize),
    NoAction(usize, usize),
    NoLadder(usize),
    NoLastRung(usize),
    NoOverdue(usize),
    NoEnd,
    NeverMet(usize, usize),
    NeverComes(usize),
    WiderWindow(usize),
}

/// Every mutant of a workflow, in the order of the file.
fn mutants(workflow: &Workflow) -> Vec<Mutant> {
    let mut all = vec![Mutant::NoEnd];
    for (index, rule) in workflow.rules.iter().enumerate() {
        all.push(Mutant::NoRule(index));
        all.extend((0..rule.then.len()).map(|action| Mutant::NoAction(index, action)));
        all.extend((0..rule.alternatives.len()).map(|which| Mutant::NeverMet(index, which)));
    }
    // A level that nothing alerts with has no part in the workflow.
    let is_used = |level: LevelId| {
        workflow.rules.iter().flat_map(|rule| &rule.then).any(|action| alerts(action, level))
    };
    for (index, level) in workflow.levels.iter().enumerate().filter(|(_, level)| is_used(level.id)) {
        all.push(Mutant::NoLadder(index));
        if level.ladder.len() > 1 {
            all.push(Mutant::NoLastRung(index));
        }
    }
    for (index, step) in workflow.steps.iter().enumerate() {
        all.push(Mutant::NeverComes(index));
        if matches!(&step.does, Does::Task { overdue, .. } if !overdue.is_empty()) {
            all.push(Mutant::NoOverdue(index));
        }
        if matches!(&step.schedule, Schedule::Plan { .. }) {
            all.push(Mutant::WiderWindow(index));
        }
    }
    all
}

fn alerts(action: &Action, level: LevelId) -> bool {
    match action {
        Action::Alert(own) | Action::AlertWithin { level: own, .. } => *own == level,
        Action::Task { .. }
        | Action::Start(_)
        | Action::Set(..)
        | Action::Pause { .. }
        | Action::Stop { .. } => false,
    }
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
            Self::NoLastRung(index) => drop(workflow.levels[index].ladder.pop()),
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
            Self::WiderWindow(index) => {
                if let Schedule::Plan { segments, .. } = &mut workflow.steps[index].schedule {
                    segments.iter_mut().for_each(|segment| segment.window.after_days += 30);
                }
            }
        }
        workflow
    }

    /// With the name of the rule or step.
    fn told(self, workflow: &Workflow) -> String {
        let name = match self {
            Self::NoRule(index) | Self::NoAction(index, _) | Self::NeverMet(index, _) => {
                workflow.rules[index].id.as_str()
            }
            Self::NoOverdue(index) | Self::NeverComes(index) | Self::WiderWindow(index) => {
                workflow.steps[index].id.as_str()
            }
            Self::NoLadder(_) | Self::NoLastRung(_) | Self::NoEnd => "",
        };
        format!("{self:?} {name}")
    }

    /// Why a walk need not notice it: nothing is wrong with what is left, taken by itself.
    fn reason(self) -> Option<&'static str> {
        match self {
            Self::NoRule(_) | Self::NoAction(..) => {
                Some("no case asks for that rule, and without it nothing is wrong")
            }
            Self::NoLastRung(_) => Some("the shorter ladder ends at a person too"),
            Self::WiderWindow(_) => Some("a longer window is a choice; `check` refuses those that overlap"),
            Self::NoLadder(_) => Some("no alert of that level within the bounds"),
            Self::NoOverdue(_) => Some("the task does not come within the bounds"),
            Self::NoEnd => Some("steps without an end go on, so nothing is ever out of steps"),
            Self::NeverMet(..) | Self::NeverComes(_) => None,
        }
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

/// How many mutants were found by what, and what was not found.
#[derive(Default)]
struct Share {
    total: usize,
    walked: usize,
    by_cases: usize,
    missed: Vec<String>,
}

impl Share {
    fn of(&mut self, workflow: &Workflow, cases: &[&Case], bounds: Bounds, picked: &[Mutant]) {
        let before = std::cell::LazyCell::new(|| found(&walked(workflow, bounds)));
        for mutant in picked {
            self.total += 1;
            let changed = mutant.of(workflow);
            // The cases first: they take a thousandth of the time of a walk.
            if cases.iter().any(|case| !run(case, &changed).is_empty()) {
                self.by_cases += 1;
            } else if found(&walked(&changed, bounds)).difference(&before).next().is_some() {
                self.walked += 1;
            } else {
                let reason = mutant.reason();
                let told =
                    format!("{} {}: {}", workflow.id, mutant.told(workflow), reason.unwrap_or("UNEXPLAINED"));
                assert!(reason.is_some(), "{told}");
                self.missed.push(told);
            }
        }
    }

    fn told(&self) -> String {
        format!(
            "of {} mutants {} were found by cases, {} more by the walk; not found:\n    {}\n",
            self.total,
            self.by_cases,
            self.walked,
            self.missed.join("\n    ")
        )
    }
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
fn mutants_of_a_week_are_found() {
    let workflow = week();
    let bounds = Bounds { states_max: 20_000, ..SMALL };
    let mut share = Share::default();
    share.of(&workflow, &[], bounds, &picked(&mutants(&workflow), 20, 4));
    assert!(share.walked * 2 >= share.total, "{}", share.told());
}

/// Twenty of five shipped workflows by a fixed seed; `TEND_LONG=1`: two hundred and more of all.
#[test]
fn mutants_of_the_library_are_found() {
    let compiled = shipped();
    let long = std::env::var_os("TEND_LONG").is_some();
    let (per_workflow, every, states_max, days_max) =
        if long { (16, 1, 6_000, 400) } else { (4, 3, 100, 60) };
    let bounds = Bounds { deviations: 1, states_max, days_max, ..Bounds::default() };
    let mut share = Share::default();
    for (_, workflow) in compiled.workflows.iter().step_by(every) {
        let cases = compiled.cases.iter().map(|(_, case)| case).filter(|case| case.workflow == workflow.id);
        let cases: Vec<&Case> = cases.collect();
        share.of(workflow, &cases, bounds, &picked(&mutants(workflow), per_workflow, 4));
    }
    assert!(share.total >= if long { 200 } else { 20 }, "{}", share.told());
    assert!((share.walked + share.by_cases) * 4 >= share.total * 3, "{}", share.told());
    std::io::Write::write_all(&mut std::io::stderr(), share.told().as_bytes()).expect("written");
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

/// What the workflow's rules may lose (a rule, one of the things that it does) without any of its cases failing.
fn unasked(workflow: &Workflow, cases: &[(String, Case)]) -> Vec<String> {
    let own = cases.iter().map(|(_, case)| case).filter(|case| case.workflow == workflow.id);
    let played: Vec<(&Case, String)> =
        own.map(|case| (case, format!("{:?}", play(case, workflow)))).collect();
    let is_unnoticed = |mutant: &Mutant| {
        let index = match *mutant {
            Mutant::NoRule(index) => index,
            // One action is the whole rule.
            Mutant::NoAction(index, _) if workflow.rules[index].then.len() > 1 => index,
            Mutant::NoAction(..)
            | Mutant::NoLadder(_)
            | Mutant::NoLastRung(_)
            | Mutant::NoOverdue(_)
            | Mutant::NoEnd
            | Mutant::NeverMet(..)
            | Mutant::NeverComes(_)
            | Mutant::WiderWindow(_) => return false,
        };
        let changed = mutant.of(workflow);
        // A rule that did nothing in a case is not missed by it.
        let mut fired =
            played.iter().filter(|(_, history)| history.contains(workflow.rules[index].id.as_str()));
        fired.all(|(case, _)| run(case, &changed).is_empty())
    };
    let unasked = mutants(workflow).into_iter().filter(is_unnoticed);
    unasked.map(|mutant| format!("{} {}", workflow.id, mutant.told(workflow))).collect()
}

/// A rule that no case asks for may get lost unnoticed.
#[test]
fn every_rule_of_the_library_is_asked_for() {
    let compiled = shipped();
    let unasked: Vec<String> = std::thread::scope(|scope| {
        let cases = &compiled.cases;
        let threads: Vec<_> = compiled
            .workflows
            .iter()
            .map(|(_, workflow)| scope.spawn(move || unasked(workflow, cases)))
            .collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("played")).collect()
    });
    assert!(unasked.is_empty(), "{} are asked for by no case:\n{}", unasked.len(), unasked.join("\n"));
}
