//! The walk itself: in order of time, so that every course that comes to a state comes to it before it is left.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use jiff::Timestamp;

use crate::{
    Decimal, Name, Value,
    calendar::{day_of, plus_days, start_of_day},
    fact::{Entry, Fact},
    model::{Expr, FactDef, FactKind, Workflow},
    planner::AdvanceError,
    site::SiteSettings,
};

use super::{
    Bounds, ENROLLED_ON, Finding, Kind, Report, case,
    days::Days,
    look::Seen,
    merge,
    moves::{self, Move},
    possible, story,
    watch::{self, Wrong},
    world::{ENROLLMENT, Ground, Point, World},
};

/// Most combinations of required facts that courses begin with.
const ROOTS_MAX: usize = 24;

/// What an imagined patient is enrolled with.
#[derive(Debug, Clone, Default)]
pub(super) struct Root {
    pub facts: Vec<(Name, Value)>,
    /// Dates that are known at enrolment, the main one first.
    pub anchors: Vec<Name>,
}

/// A deviation on the way to a state.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub before: usize,
    /// Points passed before it.
    pub passed: u32,
    pub made: Move,
}

/// How far courses from a state were followed: more freedom and a later end include less.
#[derive(Debug, Clone, Copy)]
struct Covered {
    freedom: u16,
    until: Timestamp,
}

/// Where something went wrong: the course up to there.
#[derive(Debug, Clone)]
pub(super) struct Course {
    pub root: usize,
    pub node: usize,
    pub passed: u32,
}

pub(super) struct Walk<'a> {
    pub ground: Ground<'a>,
    pub seen: Seen,
    pub roots: Vec<Root>,
    pub nodes: Vec<Node>,
    bounds: Bounds,
    until: Timestamp,
    queue: BTreeMap<(Timestamp, Reverse<u16>, usize), Box<World>>,
    visited: BTreeMap<u64, Covered>,
    /// Kinds of change that were followed to the end, by root.
    followed: BTreeSet<(usize, String)>,
    wrongs: BTreeMap<(Kind, String), (Wrong, Course)>,
    arrived: usize,
    states_before: usize,
    advances: usize,
    merged: usize,
    left_out: usize,
    latest: Timestamp,
}

impl<'a> Walk<'a> {
    pub fn begin(
        workflow: &'a Workflow,
        site: &'a SiteSettings,
        bounds: Bounds,
    ) -> Result<Self, AdvanceError> {
        let ground = Ground::new(workflow, site)?;
        let until = start_of_day(&ground.zone, plus_days(ENROLLED_ON, i64::from(bounds.days_max)));
        Ok(Self {
            ground,
            seen: Seen::new(workflow, bounds.regions),
            roots: Vec::new(),
            nodes: vec![Node { before: 0, passed: 0, made: Move::Wake }],
            bounds,
            until,
            queue: BTreeMap::new(),
            visited: BTreeMap::new(),
            followed: BTreeSet::new(),
            wrongs: BTreeMap::new(),
            arrived: 0,
            states_before: 0,
            advances: 0,
            merged: 0,
            left_out: 0,
            latest: Timestamp::MIN,
        })
    }

    /// Every combination of the facts that must be given with every date known, and, with one deviation less, the main
    /// date alone and each other fact with each other value.
    fn roots(&mut self, workflow: &Workflow, deviations: u8) {
        let mut combinations = vec![Vec::new()];
        for def in workflow.facts.iter().filter(|def| def.required) {
            let values = values(def);
            combinations = combinations
                .into_iter()
                .flat_map(|so_far: Vec<(Name, Value)>| {
                    let with = move |value: &Value| {
                        let mut more = so_far.clone();
                        more.push((def.id.clone(), value.clone()));
                        more
                    };
                    values.iter().map(with).collect::<Vec<_>>()
                })
                .collect();
            self.left_out += combinations.len().saturating_sub(ROOTS_MAX);
            combinations.truncate(ROOTS_MAX);
        }
        let first = combinations.first().cloned().unwrap_or_default();
        let dates = workflow.anchors.iter().filter(|anchor| anchor.restarts.is_none());
        let anchors: Vec<Name> = dates.map(|anchor| anchor.id.clone()).collect();
        for facts in combinations {
            self.root(Root { facts, anchors: anchors.clone() }, deviations);
        }
        if anchors.len() > 1 {
            let main = anchors.iter().take(1).cloned().collect();
            self.root(Root { facts: first.clone(), anchors: main }, deviations.saturating_sub(1));
        }
        for def in workflow.facts.iter().filter(|def| !def.required) {
            for value in values(def).into_iter().filter(|value| Some(value) != def.default.as_ref()) {
                let mut facts = first.clone();
                facts.push((def.id.clone(), value));
                self.root(Root { facts, anchors: anchors.clone() }, deviations.saturating_sub(1));
            }
        }
    }

    fn root(&mut self, root: Root, left: u8) {
        let enrolment = World::enrolment(&self.ground, &root);
        self.roots.push(root);
        let root = self.roots.len() - 1;
        match World::enrolled(&self.ground, enrolment) {
            Ok((mut world, entries)) => {
                (world.left, world.root, world.until) = (left, root, self.until);
                if root == 0 {
                    let days = self.bounds.days_max;
                    self.seen.days = Days::of(&self.ground, &world.state, ENROLLMENT, days);
                }
                self.look(&mut world, &entries);
                self.arrive(world);
            }
            Err(error) => self.feeds_itself(&error, &Course { root, node: 0, passed: 0 }),
        }
    }

    pub fn finish(mut self) -> Report {
        // All courses with one deviation first, so that a limit on states leaves out the rarer ones.
        for deviations in 1..=self.bounds.deviations.max(1) {
            self.visited.clear();
            self.followed.clear();
            self.states_before = self.arrived;
            self.roots(self.ground.workflow, deviations.min(self.bounds.deviations));
            while let Some((_, world)) = self.queue.pop_first() {
                self.go_on(*world);
            }
        }
        self.report()
    }

    /// Every way on from a state.
    fn go_on(&mut self, mut world: World) {
        let Some((at, point)) = world.next() else { return };
        world.now = at;
        self.latest = self.latest.max(at);
        let choices = moves::choices(&world, &self.ground, &self.seen, &point);
        if choices.len() > 1 && point != Point::Wake {
            world.choices = world.choices.map(|left| left.saturating_sub(1));
            if world.choices == Some(0) {
                world.left = 0;
            }
        }
        let of_interest = self.seen.days.is_of_interest(world.today(&self.ground));
        let full = self.arrived - self.states_before >= self.bounds.states_max;
        let mut usual = None;
        for (made, cost) in choices {
            if cost == 0 && usual.is_none() {
                usual = Some(made);
                continue;
            }
            if cost > world.left {
                continue;
            }
            if full {
                self.left_out += 1;
                continue;
            }
            let mut other = world.clone();
            self.nodes.push(Node { before: world.node, passed: world.passed, made: made.clone() });
            other.node = self.nodes.len() - 1;
            // On a day like the one before, what follows from two deviations was looked at already.
            other.left = if of_interest || world.choices.is_some() { world.left - cost } else { 0 };
            other.choices = Some(world.choices.unwrap_or(self.bounds.choices_after));
            if let Some(kind) = made.changes() {
                let again = !self.followed.insert((world.root, kind));
                let days = i64::from(self.bounds.days_after_change);
                let soon = crate::calendar::plus_minutes(at, days * 24 * 60);
                other.until = if again { world.until.min(soon) } else { world.until };
            }
            self.make(other, &made);
        }
        if let Some(made) = usual {
            self.make(world, &made);
        }
    }

    fn make(&mut self, mut world: World, made: &Move) {
        match world.take(&self.ground, made) {
            Ok(entries) => {
                self.advances += 1;
                self.look(&mut world, &entries);
                self.arrive(world);
            }
            Err(error) => {
                let course = Course { root: world.root, node: world.node, passed: world.passed };
                self.feeds_itself(&error, &course);
            }
        }
    }

    fn look(&mut self, world: &mut World, entries: &[Entry]) {
        self.seen.note(&self.ground, &world.state, entries);
        let mut found = world.watch.look(&self.ground, &world.state, entries);
        // Whatever is opened can be ignored by everybody.
        let opened = entries.iter().filter_map(|entry| match &entry.fact {
            Fact::TaskOpened(plan) => world.state.tasks.get(&plan.key),
            _ => None,
        });
        found.extend(opened.filter_map(|task| watch::ignored(&self.ground, task)));
        self.note(found, world);
    }

    fn note(&mut self, found: Vec<Wrong>, world: &World) {
        for wrong in found {
            let course = Course { root: world.root, node: world.node, passed: world.passed };
            self.wrongs.entry((wrong.kind, wrong.about.clone())).or_insert((wrong, course));
        }
    }

    fn feeds_itself(&mut self, error: &AdvanceError, course: &Course) {
        let wrong = Wrong { kind: Kind::FeedsItself, about: "rules".to_owned(), sentence: error.to_string() };
        self.wrongs.entry((wrong.kind, wrong.about.clone())).or_insert((wrong, course.clone()));
    }

    fn arrive(&mut self, world: World) {
        if world.watch.out_of_steps {
            return;
        }
        let Some((next, _)) = world.next().filter(|(next, _)| *next < world.until) else {
            let found =
                if world.next().is_none() { world.watch.look_at_the_end(&world.state) } else { Vec::new() };
            return self.note(found, &world);
        };
        if self.bounds.merge
            && let Some(hash) = merge::of(&world, &self.ground, &self.seen.horizon)
        {
            let new = Covered { freedom: world.freedom(), until: world.until };
            let known = self.visited.entry(hash).or_insert(Covered { freedom: 0, until: Timestamp::MIN });
            if known.freedom >= new.freedom && known.until >= new.until {
                self.merged += 1;
                return;
            }
            *known = new;
        }
        self.arrived += 1;
        self.queue.insert((next, Reverse(world.freedom()), self.arrived), Box::new(world));
    }

    fn report(self) -> Report {
        let workflow = self.ground.workflow;
        let mut findings = Vec::new();
        for (wrong, course) in self.wrongs.values() {
            let told = story::tell(&self, course);
            findings.push(Finding {
                kind: wrong.kind,
                about: wrong.about.clone(),
                sentence: wrong.sentence.clone(),
                case: case::of(&self, wrong, &told),
                story: told.lines,
            });
        }
        let mut say = |kind, about: &Name, sentence: String| {
            let about = about.to_string();
            findings.push(Finding { kind, about, sentence, story: Vec::new(), case: None });
        };
        let mut unseen = Vec::new();
        for name in self.seen.never_reached(workflow) {
            if workflow.step(name).is_some_and(|step| possible::can_come(workflow, step)) {
                unseen.push(format!("the step \"{name}\""));
            } else {
                say(Kind::NeverReached, name, format!("no course comes to the step \"{name}\""));
            }
        }
        for (index, rule) in workflow.rules.iter().enumerate() {
            let id = &rule.id;
            for (which, alternative) in rule.alternatives.iter().enumerate() {
                let words = alternative.because.0.values().next().cloned().unwrap_or_default();
                let (yes, no) = self.seen.truth_of(index, which);
                let on = Some(&rule.on);
                if yes == 0 && possible::can_be_true(workflow, on, &alternative.when) {
                    unseen.push(format!("the rule \"{id}\": {words}"));
                } else if yes == 0 {
                    say(Kind::NeverTrue, id, format!("the rule \"{id}\" is never true: {words}"));
                }
                let literal = alternative.when == Expr::Literal(Value::Bool(true));
                if no == 0 && !literal && !possible::can_be_untrue(workflow, on, &alternative.when) {
                    say(Kind::AlwaysTrue, id, format!("the condition of \"{id}\" is always true: {words}"));
                }
            }
        }
        findings.sort_by(|a, b| (a.kind, &a.about).cmp(&(b.kind, &b.about)));
        Report {
            workflow: workflow.id.clone(),
            findings,
            bounds: self.bounds,
            states: self.arrived,
            merged: self.merged,
            advances: self.advances,
            unseen,
            left_out: self.left_out,
            until: (self.latest > Timestamp::MIN).then(|| day_of(&self.ground.zone, self.latest)),
        }
    }
}

/// The values of a fact that conditions and schedules may tell apart.
fn values(def: &FactDef) -> Vec<Value> {
    let number = |low: Decimal, high: Decimal| {
        let middle = Decimal::whole((low + high).rounded() / 2);
        let usual = match &def.default {
            Some(Value::Number(number)) => *number,
            _ => middle,
        };
        vec![Value::Number(usual)]
    };
    match &def.kind {
        FactKind::Boolean => vec![Value::Bool(false), Value::Bool(true)],
        FactKind::Choice(options) => options.iter().map(|(name, _)| Value::Choice(name.clone())).collect(),
        FactKind::Whole { min, max } => number(Decimal::whole(*min), Decimal::whole(*max)),
        FactKind::Quantity { min, max, .. } => number(*min, *max),
        FactKind::Date => vec![Value::Date(ENROLLED_ON)],
    }
}
