//! Trains one network per inner fold, all in step, and stops where the held-out loss of all folds together is least.
//!
//! One number, the epoch, is chosen for all folds, so that small data do not flatter themselves.

use candle_core::{Device, Result, Tensor};

use crate::columns::Frame;
use crate::encode::Encoder;
use crate::hazard::{Intervals, Target, loss};
use crate::inner::{Absence, Split};
use crate::linear::Linear;
use crate::net::{Batch, Manner, Members, Net, Shape, Weights};
use crate::rng::Rng;

/// Rows that are scored at once.
const SCORE_ROWS: usize = 1_024;
/// Epochs without a better held-out loss before learning stops.
const PATIENCE: usize = 5;

/// All that the networks learn from.
pub struct Lesson<'a> {
    /// Values, for rows that lose some.
    pub frame: &'a Frame,
    /// Encoding.
    pub encoder: &'a Encoder,
    /// Encoded rows.
    pub x: &'a [f32],
    /// Outcomes.
    pub targets: &'a [Target],
    /// Group (patient) of each row.
    pub ids: &'a [usize],
    /// Intervals.
    pub intervals: &'a Intervals,
    /// Inner folds.
    pub splits: &'a [Split],
    /// Linear path of each inner fold.
    pub linears: &'a [Linear],
    /// Random absence.
    pub absence: &'a Absence,
    /// Seed.
    pub seed: u64,
}

/// Sizes and manner for so many rows and events.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Plan {
    /// Units of each hidden layer.
    pub hidden: usize,
    /// Members of each network.
    pub members: usize,
    /// Rows of a step.
    pub batch: usize,
    /// Epochs at most.
    pub epochs: usize,
    /// Whether the step size falls to nothing over the epochs; many rows need few epochs and no search for the end.
    pub falling: bool,
    /// Step size, decay, dropout.
    pub manner: Manner,
}

impl Plan {
    /// The one default: grows with the data.
    pub fn for_rows(rows: usize) -> Self {
        let (hidden, members, rate) = match rows {
            0..2_000 => (32, 8, 1e-3),
            2_000..20_000 => (64, 8, 2e-3),
            _ => (96, 4, 3e-3),
        };
        let large = rows >= 20_000;
        Self {
            hidden,
            members,
            batch: (rows / 40).clamp(32, 512),
            epochs: if large { 12 } else { 40 },
            falling: large,
            manner: Manner { rate, decay: 0.03, dropout: 0.15 },
        }
    }

    /// Step size after a share of all epochs.
    fn rate(&self, share: f64) -> f64 {
        let factor = if self.falling { 0.5 * (1.0 + (std::f64::consts::PI * share).cos()) } else { 1.0 };
        self.manner.rate * factor.max(0.01)
    }
}

/// The result.
pub struct Deep {
    /// The weights of each inner fold.
    pub weights: Vec<Weights>,
    /// For each row the mean output of the members of the fold that held it out.
    pub held_out: Vec<f64>,
    /// Epochs learned; 0 when the linear path alone was best.
    pub epochs: usize,
}

struct Pupil {
    net: Net,
    rng: Rng,
    offset: Vec<f32>,
    mean: Option<Weights>,
}

/// Learns; `tell` hears the share of the work that is done and answers whether to go on.
pub fn train(lesson: &Lesson, plan: &Plan, tell: &mut dyn FnMut(f64) -> bool) -> Result<Deep> {
    let outputs = lesson.intervals.count();
    let shape = Shape { inputs: lesson.encoder.width(), hidden: plan.hidden, members: plan.members, outputs };
    let mut pupils = Vec::new();
    for (fold, linear) in lesson.linears.iter().enumerate() {
        let mut rng = Rng::new(lesson.seed, &format!("members of inner fold {fold}"));
        let net = Net::new(shape, plan.manner, &mut rng)?;
        pupils.push(Pupil { net, rng, offset: lesson.offsets(linear), mean: None });
    }
    let bootstrap = lesson.weights(plan.members);
    let nothing = vec![0.0; lesson.targets.len() * outputs];
    let mut best_loss = lesson.held_out_loss(&pupils, &nothing);
    let mut best = Deep { weights: Vec::new(), held_out: nothing, epochs: 0 };
    for epoch in 1..=plan.epochs {
        let mut held_out = vec![0.0; lesson.targets.len() * outputs];
        let mut weights = Vec::new();
        for (fold, pupil) in pupils.iter_mut().enumerate() {
            pupil.epoch(lesson, plan, (fold, epoch), &bootstrap)?;
            let now = match &pupil.mean {
                Some(mean) => mean.frozen()?,
                None => pupil.net.weights().frozen()?,
            };
            lesson.score(&now.members()?, &lesson.splits[fold].valid, &mut held_out)?;
            weights.push(now);
            let done = (epoch - 1) as f64 + (fold + 1) as f64 / lesson.splits.len() as f64;
            if !tell(done / plan.epochs as f64) {
                return lesson.or_first(best, weights, held_out, epoch);
            }
        }
        let loss = lesson.held_out_loss(&pupils, &held_out);
        if loss < best_loss {
            best_loss = loss;
            best = Deep { weights, held_out, epochs: epoch };
        } else if best.weights.is_empty() && epoch == 1 {
            // Something must be there to be weighed, even if its weight will be small.
            best = Deep { weights, held_out, epochs: epoch };
        }
        if epoch >= best.epochs + PATIENCE {
            break;
        }
    }
    Ok(best)
}

impl Pupil {
    fn epoch(
        &mut self,
        lesson: &Lesson,
        plan: &Plan,
        (fold, epoch): (usize, usize),
        weights: &[Vec<f32>],
    ) -> Result<()> {
        let mut rows = lesson.splits[fold].train.clone();
        self.rng.shuffle(&mut rows);
        let steps = rows.len().div_ceil(plan.batch).max(1);
        // The running mean of the weights forgets over about a third of an epoch.
        let forget = (3.0 / steps as f64).clamp(0.01, 0.3);
        let label = lesson.intervals.is_label();
        for (step, chunk) in rows.chunks(plan.batch).enumerate() {
            if chunk.len() * 4 < plan.batch {
                continue;
            }
            let batch = lesson.batch(chunk, &self.offset, &lesson.linears[fold], weights, &mut self.rng)?;
            let share = ((epoch - 1) as f64 + step as f64 / steps as f64) / plan.epochs as f64;
            self.net.set_rate(plan.rate(share));
            self.net.step(&batch, label, &mut self.rng)?;
            let now = self.net.weights().frozen()?;
            self.mean = Some(match &self.mean {
                Some(mean) => mean.blend(&now, forget)?.frozen()?,
                None => now,
            });
        }
        Ok(())
    }
}

impl Lesson<'_> {
    fn or_first(
        &self,
        best: Deep,
        mut weights: Vec<Weights>,
        held_out: Vec<f64>,
        epochs: usize,
    ) -> Result<Deep> {
        if !best.weights.is_empty() {
            return Ok(best);
        }
        // Stopped within the first epoch: the folds that have not learned borrow from those that have.
        while weights.len() < self.splits.len() {
            weights.push(weights[0].frozen()?);
        }
        Ok(Deep { weights, held_out, epochs })
    }

    /// The linear path's log-hazards of every row.
    fn offsets(&self, linear: &Linear) -> Vec<f32> {
        let width = self.encoder.width();
        let rows = self.x.chunks_exact(width);
        rows.flat_map(|x| log_hazards(linear, x)).collect()
    }

    /// A Bayesian bootstrap: exponential weights by patient, one set per member.
    fn weights(&self, members: usize) -> Vec<Vec<f32>> {
        let ids = self.ids.iter().max().map_or(0, |m| m + 1);
        let mut rng = Rng::new(self.seed, "weights of the members");
        (0..members).map(|_| (0..ids).map(|_| rng.exponential() as f32).collect()).collect()
    }

    fn batch(
        &self,
        rows: &[usize],
        offset: &[f32],
        linear: &Linear,
        weights: &[Vec<f32>],
        rng: &mut Rng,
    ) -> Result<Batch> {
        let (n, width, outputs) = (rows.len(), self.encoder.width(), self.intervals.count());
        let mut x = Vec::with_capacity(n * width);
        let mut offsets = Vec::with_capacity(n * outputs);
        let mut event = vec![0f32; n * outputs];
        let mut exposure = vec![0f32; n * outputs];
        for (i, &row) in rows.iter().enumerate() {
            let mut values = self.frame.row(row).to_vec();
            if self.absence.shorten(&mut values, rng) {
                let at = x.len();
                x.resize(at + width, 0.0);
                self.encoder.row(&values, &mut x[at..]);
                offsets.extend(log_hazards(linear, &x[at..]));
            } else {
                x.extend_from_slice(&self.x[row * width..(row + 1) * width]);
                offsets.extend_from_slice(&offset[row * outputs..(row + 1) * outputs]);
            }
            let target = &self.targets[row];
            exposure[i * outputs..i * outputs + target.last].fill(1.0);
            exposure[i * outputs + target.last] = target.exposure as f32;
            event[i * outputs + target.last] = f32::from(u8::from(target.event));
        }
        let weight: Vec<f32> = weights
            .iter()
            .flat_map(|member| rows.iter().map(|row| member[self.ids[*row]] / n as f32))
            .collect();
        Ok(Batch {
            x: Tensor::from_vec(x, (n, width), &Device::Cpu)?,
            offset: Tensor::from_vec(offsets, (n, outputs), &Device::Cpu)?,
            event: Tensor::from_vec(event, (n, outputs), &Device::Cpu)?,
            exposure: Tensor::from_vec(exposure, (n, outputs), &Device::Cpu)?,
            weight: Tensor::from_vec(weight, (weights.len(), n, 1), &Device::Cpu)?,
        })
    }

    /// Writes the mean output of the members for `rows` into `out`.
    fn score(&self, members: &Members, rows: &[usize], out: &mut [f64]) -> Result<()> {
        let (width, outputs) = (self.encoder.width(), self.intervals.count());
        for chunk in rows.chunks(SCORE_ROWS) {
            let x: Vec<f32> =
                chunk.iter().flat_map(|r| &self.x[r * width..(r + 1) * width]).copied().collect();
            let x = Tensor::from_vec(x, (chunk.len(), width), &Device::Cpu)?;
            for (row, z) in chunk.iter().zip(members.outputs(&x)?) {
                for (j, slot) in out[row * outputs..(row + 1) * outputs].iter_mut().enumerate() {
                    let sum: f64 = z.iter().skip(j).step_by(outputs).map(|z| f64::from(*z)).sum();
                    *slot = sum / members.count as f64;
                }
            }
        }
        Ok(())
    }

    fn held_out_loss(&self, pupils: &[Pupil], held_out: &[f64]) -> f64 {
        let outputs = self.intervals.count();
        let label = self.intervals.is_label();
        let mut total = 0.0;
        for (split, pupil) in self.splits.iter().zip(pupils) {
            for &row in &split.valid {
                let at = row * outputs..(row + 1) * outputs;
                let z: Vec<f64> = pupil.offset[at.clone()]
                    .iter()
                    .zip(&held_out[at])
                    .map(|(offset, deep)| f64::from(*offset) + deep)
                    .collect();
                total += loss(label, &self.targets[row], &z);
            }
        }
        total
    }
}

fn log_hazards(linear: &Linear, x: &[f32]) -> impl Iterator<Item = f32> {
    let part = linear.part(x);
    linear.intercepts.iter().map(move |a| (a + part) as f32)
}
