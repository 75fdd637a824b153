//! Boosting: one forest per inner fold, all in step, as many trees as lose least on held-out rows of all folds.

use std::thread;

use super::bins::{Binned, Bins};
use super::grow::{Item, Limits, Plot};
use super::{Forest, Node, STRETCHES, stretches};
use crate::columns::Frame;
use crate::hazard::{Intervals, Target, hazard, logistic};
use crate::inner::{Absence, Split};
use crate::rng::Rng;

/// Trees that are grown before folds are compared again.
const ROUNDS: usize = 10;

/// How trees are grown: the one default, by the number of events.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Growth {
    /// Limits of a tree.
    pub limits: Limits,
    /// Share of a step that is taken.
    pub rate: f64,
    /// Share of patients that a tree sees.
    pub patients: f64,
    /// Share of inputs that a tree sees.
    pub inputs: f64,
    /// Trees at most.
    pub most: usize,
    /// Trees without a better held-out loss before growing ends.
    pub patience: usize,
}

impl Growth {
    /// For so many events.
    pub fn for_events(events: usize) -> Self {
        let leaves = match events {
            0..500 => 4,
            500..3_000 => 8,
            _ => 16,
        };
        Self {
            limits: Limits { leaves, least: 5.0, lambda: 10.0 },
            rate: 0.05,
            patients: 0.7,
            inputs: 0.4,
            most: 1_500,
            patience: 50,
        }
    }
}

/// Material of a training run.
pub struct Ground<'a> {
    /// Values.
    pub frame: &'a Frame,
    /// Cuts.
    pub bins: &'a Bins,
    /// Outcomes.
    pub targets: &'a [Target],
    /// Group (patient) of each row.
    pub ids: &'a [usize],
    /// Intervals.
    pub intervals: &'a Intervals,
    /// Inner folds.
    pub splits: &'a [Split],
    /// Random absence.
    pub absence: &'a Absence,
    /// Seed.
    pub seed: u64,
}

/// The result.
pub struct Grove {
    /// One forest per inner fold.
    pub forests: Vec<Forest>,
    /// For each row and interval what the forest of the fold that held it out adds to the log-hazard.
    pub held_out: Vec<f64>,
    /// Trees of each.
    pub trees: usize,
}

/// A row in a stretch of time.
#[derive(Debug, Clone, Copy)]
struct Spell {
    /// Position among the binned rows.
    row: u32,
    stretch: u8,
    event: bool,
    id: u32,
    /// Events expected at the base rate; of a label the base log-odds.
    base: f64,
    /// What the trees add so far.
    f: f64,
}

struct Pupil {
    rng: Rng,
    train: Vec<Spell>,
    valid: Vec<Spell>,
    forest: Forest,
    losses: Vec<f64>,
}

/// Grows; `tell` hears the share of the work that is done and answers whether to go on.
pub fn grow(ground: &Ground, growth: &Growth, tell: &mut dyn FnMut(f64) -> bool) -> Grove {
    let (binned, sources) = ground.binned();
    let mut pupils: Vec<Pupil> = (0..ground.splits.len()).map(|fold| ground.pupil(fold, &sources)).collect();
    let (mut best, mut least) = (0, f64::INFINITY);
    let mut done = 0;
    while done < growth.most {
        let plot = |pupil: &mut Pupil| (0..ROUNDS).for_each(|_| ground.round(growth, &binned, pupil));
        let workers = thread::available_parallelism().map_or(1, usize::from).min(pupils.len());
        let share = pupils.len().div_ceil(workers.max(1)).max(1);
        thread::scope(|scope| {
            for part in pupils.chunks_mut(share) {
                scope.spawn(|| part.iter_mut().for_each(plot));
            }
        });
        for round in done..done + ROUNDS {
            let loss: f64 = pupils.iter().map(|pupil| pupil.losses[round]).sum();
            if loss < least {
                (least, best) = (loss, round + 1);
            }
        }
        done += ROUNDS;
        if done >= best + growth.patience || !tell(done as f64 / growth.most as f64) {
            break;
        }
    }
    let forests: Vec<Forest> = pupils.iter().map(|pupil| pupil.forest.first(best)).collect();
    Grove { held_out: ground.held_out(&binned, &forests), forests, trees: best }
}

impl Ground<'_> {
    fn stretch_count(&self) -> usize {
        self.intervals.count().min(STRETCHES)
    }

    /// Bins of all rows, then of shortened copies; and the row that each copies.
    fn binned(&self) -> (Binned, Vec<usize>) {
        let mut bins = Vec::with_capacity(self.frame.rows() * self.bins.width());
        let mut sources: Vec<usize> = (0..self.frame.rows()).collect();
        sources.iter().for_each(|row| self.bins.row(self.frame.row(*row), &mut bins));
        let mut rng = Rng::new(self.seed, "shortened rows of the trees");
        for row in 0..self.frame.rows() {
            let mut values = self.frame.row(row).to_vec();
            if self.absence.shorten(&mut values, &mut rng) {
                self.bins.row(&values, &mut bins);
                sources.push(row);
            }
        }
        (Binned { width: self.bins.width(), bins }, sources)
    }

    fn pupil(&self, fold: usize, sources: &[usize]) -> Pupil {
        let split = &self.splits[fold];
        let mut learned = vec![false; self.targets.len()];
        split.train.iter().for_each(|row| learned[*row] = true);
        let base = self.base(split);
        let spells = |inside: &dyn Fn(usize) -> bool| -> Vec<Spell> {
            let rows = sources.iter().enumerate().filter(|(at, row)| inside(*at) && learned[**row]);
            rows.flat_map(|(at, row)| self.spells(at, *row, &base)).collect()
        };
        let train = spells(&|_| true);
        let valid = split.valid.iter().flat_map(|row| self.spells(*row, *row, &base)).collect();
        let rng = Rng::new(self.seed, &format!("trees of inner fold {fold}"));
        Pupil { rng, train, valid, forest: Forest::default(), losses: Vec::new() }
    }

    /// Log-hazard of each interval over the rows that are learned from.
    fn base(&self, split: &Split) -> Vec<f64> {
        let n = self.intervals.count();
        let (mut events, mut exposure) = (vec![0.5; n], vec![1.0; n]);
        for &row in &split.train {
            let target = &self.targets[row];
            exposure[..target.last].iter_mut().for_each(|time| *time += 1.0);
            exposure[target.last] += target.exposure;
            events[target.last] += f64::from(u8::from(target.event));
        }
        let label = self.intervals.is_label();
        let rate = events.iter().zip(&exposure).map(|(e, t)| e / t);
        rate.map(|rate: f64| if label { (rate / (1.0 - rate)).ln() } else { rate.ln() }).collect()
    }

    fn spells(&self, at: usize, row: usize, base: &[f64]) -> Vec<Spell> {
        let target = &self.targets[row];
        let (row32, id) = (at as u32, self.ids[row] as u32);
        if self.intervals.is_label() {
            return vec![Spell { row: row32, stretch: 1, event: target.event, id, base: base[0], f: 0.0 }];
        }
        let mut out: Vec<Spell> = Vec::new();
        for (j, stretch) in stretches(base.len()).into_iter().enumerate().take(target.last + 1) {
            let last = j == target.last;
            let expected = hazard(base[j]) * if last { target.exposure } else { 1.0 };
            match out.last_mut().filter(|spell| spell.stretch == stretch) {
                Some(spell) => {
                    spell.base += expected;
                    spell.event |= last && target.event;
                }
                None => {
                    let event = last && target.event;
                    out.push(Spell { row: row32, stretch, event, id, base: expected, f: 0.0 });
                }
            }
        }
        out
    }

    fn round(&self, growth: &Growth, binned: &Binned, pupil: &mut Pupil) {
        let label = self.intervals.is_label();
        let patients = self.ids.iter().max().map_or(0, |m| m + 1);
        let seen: Vec<bool> = (0..patients).map(|_| pupil.rng.uniform() < growth.patients).collect();
        let mut items: Vec<Item> = pupil
            .train
            .iter()
            .filter(|spell| seen[spell.id as usize])
            .map(|spell| {
                let (g, h) = spell.derivatives(label);
                Item { row: spell.row, stretch: spell.stretch, g: g as f32, h: h as f32 }
            })
            .collect();
        let inputs = self.some_inputs(growth, &mut pupil.rng);
        let plot = Plot {
            binned,
            bins: self.bins,
            stretches: self.stretch_count(),
            inputs: &inputs,
            limits: growth.limits,
        };
        let mut tree: Vec<Node> = plot.tree(&mut items);
        tree.iter_mut().for_each(|node| node.value *= growth.rate as f32);
        pupil.forest.push(&tree);
        let alone = Forest { nodes: tree, roots: vec![0] };
        for spell in pupil.train.iter_mut().chain(&mut pupil.valid) {
            spell.f += alone.value(binned.row(spell.row as usize), spell.stretch);
        }
        pupil.losses.push(pupil.valid.iter().map(|spell| spell.loss(label)).sum());
    }

    /// A share of the inputs, in rising order; the stretch of time is one of them when there are several.
    fn some_inputs(&self, growth: &Growth, rng: &mut Rng) -> Vec<usize> {
        let width = self.bins.width() + usize::from(self.stretch_count() > 1);
        let mut all: Vec<usize> = (0..width).collect();
        rng.shuffle(&mut all);
        all.truncate(((width as f64 * growth.inputs).round() as usize).max(width.min(3)));
        all.sort_unstable();
        all
    }

    fn held_out(&self, binned: &Binned, forests: &[Forest]) -> Vec<f64> {
        let n = self.intervals.count();
        let stretches = stretches(n);
        let mut out = vec![0.0; self.targets.len() * n];
        for (split, forest) in self.splits.iter().zip(forests) {
            for &row in &split.valid {
                forest.by_interval(binned.row(row), &stretches, &mut out[row * n..(row + 1) * n]);
            }
        }
        out
    }
}

impl Spell {
    fn derivatives(&self, label: bool) -> (f64, f64) {
        let y = f64::from(u8::from(self.event));
        if label {
            let p = logistic(self.base + self.f);
            return (p - y, p * (1.0 - p));
        }
        let mean = self.base * hazard(self.f);
        (mean - y, mean)
    }

    fn loss(&self, label: bool) -> f64 {
        let y = f64::from(u8::from(self.event));
        if label {
            let z = self.base + self.f;
            return z.max(0.0) + (-z.abs()).exp().ln_1p() - y * z;
        }
        self.base * hazard(self.f) - y * self.f
    }
}
