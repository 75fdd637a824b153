//! The members: an efficient ensemble of small networks in Candle, in the manner of TabM.
//!
//! All members share their weight matrices; each has its own scaling of every layer's inputs and its own output
//! layer. They add to the linear path, which is a fixed offset while they learn, and every member sees the patients
//! with its own random weights (a Bayesian bootstrap), so that their spread says something about uncertainty.

use candle_core::{D, DType, Device, Result, Tensor, Var};
use candle_nn::optim::{AdamW, Optimizer, ParamsAdamW};

use crate::rng::Rng;

/// Sizes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// Encoded columns, the constant included.
    pub inputs: usize,
    /// Units of each hidden layer.
    pub hidden: usize,
    /// Members.
    pub members: usize,
    /// Intervals.
    pub outputs: usize,
}

/// How to learn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Manner {
    /// Step size of AdamW.
    pub rate: f64,
    /// Decay of the shared matrices.
    pub decay: f64,
    /// Share of hidden units silenced in a step.
    pub dropout: f64,
}

/// The weights as they are learned and stored: shared matrices and what each member has of its own.
#[derive(Debug, Clone)]
pub struct Weights {
    /// (inputs, 1, hidden), shared
    pub w1: Tensor,
    /// (inputs, members, 1)
    pub r1: Tensor,
    /// (1, hidden, hidden), shared
    pub w2: Tensor,
    /// (members, hidden, 1)
    pub r2: Tensor,
    /// (members, 1, hidden)
    pub b2: Tensor,
    /// (members, hidden, outputs)
    pub w3: Tensor,
    /// (members, 1, outputs)
    pub b3: Tensor,
}

/// One network with its optimiser.
pub struct Net {
    shape: Shape,
    manner: Manner,
    vars: Vec<Var>,
    shared: AdamW,
    own: AdamW,
}

/// The weights of all members, multiplied out: what scoring needs.
#[derive(Debug, Clone)]
pub struct Members {
    /// Number of members.
    pub count: usize,
    /// (inputs, count * hidden)
    pub w1: Tensor,
    /// (count, hidden, hidden)
    pub w2: Tensor,
    /// (count, 1, hidden)
    pub b2: Tensor,
    /// (count, hidden, outputs)
    pub w3: Tensor,
    /// (count, 1, outputs)
    pub b3: Tensor,
}

/// One step's rows.
pub struct Batch {
    /// (rows, inputs)
    pub x: Tensor,
    /// (rows, intervals): output of the linear path.
    pub offset: Tensor,
    /// (rows, intervals): 1 in the interval of the event.
    pub event: Tensor,
    /// (rows, intervals): part of the interval that the row was followed for.
    pub exposure: Tensor,
    /// (members, rows, 1): sums to `members`.
    pub weight: Tensor,
}

impl Net {
    /// Random weights from `rng`.
    pub fn new(shape: Shape, manner: Manner, rng: &mut Rng) -> Result<Self> {
        let Shape { inputs: d, hidden: h, members: k, outputs: j } = shape;
        let w1 = normal(rng, &[d, 1, h], (1.0 / (d as f64).sqrt()).max(0.08))?;
        let signs: Vec<f32> = (0..d * k).map(|_| if rng.next() >> 63 == 1 { 1.0 } else { -1.0 }).collect();
        let r1 = Var::from_tensor(&Tensor::from_vec(signs, (d, k, 1), &Device::Cpu)?)?;
        let w2 = normal(rng, &[1, h, h], (2.0 / h as f64).sqrt())?;
        let r2 = Var::ones((k, h, 1), DType::F32, &Device::Cpu)?;
        let b2 = Var::zeros((k, 1, h), DType::F32, &Device::Cpu)?;
        let w3 = normal(rng, &[k, h, j], 0.1 / (h as f64).sqrt())?;
        let b3 = Var::zeros((k, 1, j), DType::F32, &Device::Cpu)?;
        let params = |weight_decay| ParamsAdamW { lr: manner.rate, weight_decay, ..ParamsAdamW::default() };
        let shared = AdamW::new(vec![w1.clone(), w2.clone(), w3.clone()], params(manner.decay))?;
        let own = AdamW::new(vec![r1.clone(), r2.clone(), b2.clone(), b3.clone()], params(0.0))?;
        let vars = vec![w1, r1, w2, r2, b2, w3, b3];
        Ok(Self { shape, manner, vars, shared, own })
    }

    /// The weights now; the tensors still know their gradients.
    pub fn weights(&self) -> Weights {
        Weights::from_slice(&self.vars.iter().map(|v| v.as_tensor().clone()).collect::<Vec<_>>())
    }

    /// Changes the step size.
    pub fn set_rate(&mut self, rate: f64) {
        self.shared.set_learning_rate(rate);
        self.own.set_learning_rate(rate);
    }

    /// One step of learning; returns the loss.
    pub fn step(&mut self, batch: &Batch, label: bool, rng: &mut Rng) -> Result<f32> {
        let members = self.weights().members()?;
        let masks = self.masks(batch.x.dim(0)?, rng)?;
        let z = members.forward(&batch.x, masks.as_ref())?.broadcast_add(&batch.offset)?;
        let each = if label {
            let softplus = (z.relu()? + (z.abs()?.neg()?.exp()? + 1.0)?.log()?)?;
            (softplus - z.broadcast_mul(&batch.event)?)?
        } else {
            (z.exp()?.broadcast_mul(&batch.exposure)? - z.broadcast_mul(&batch.event)?)?
        };
        let loss = each.broadcast_mul(&batch.weight)?.sum_all()?;
        let grads = loss.backward()?;
        self.shared.step(&grads)?;
        self.own.step(&grads)?;
        loss.to_scalar::<f32>()
    }

    fn masks(&self, rows: usize, rng: &mut Rng) -> Result<Option<[Tensor; 2]>> {
        if self.manner.dropout <= 0.0 {
            return Ok(None);
        }
        let Shape { hidden, members, .. } = self.shape;
        let one = mask(rng, rows * members * hidden, self.manner.dropout);
        let two = mask(rng, rows * members * hidden, self.manner.dropout);
        Ok(Some([
            Tensor::from_vec(one, (rows, members * hidden), &Device::Cpu)?,
            Tensor::from_vec(two, (members, rows, hidden), &Device::Cpu)?,
        ]))
    }
}

/// Names of the tensors in a model file, in the order of `Weights::from_slice`.
pub const NAMES: [&str; 7] = ["w1", "r1", "w2", "r2", "b2", "w3", "b3"];

impl Weights {
    /// From seven tensors in the order of `NAMES`.
    pub fn from_slice(t: &[Tensor]) -> Self {
        Self {
            w1: t[0].clone(),
            r1: t[1].clone(),
            w2: t[2].clone(),
            r2: t[3].clone(),
            b2: t[4].clone(),
            w3: t[5].clone(),
            b3: t[6].clone(),
        }
    }

    /// The tensors in the order of `NAMES`.
    pub fn tensors(&self) -> [&Tensor; 7] {
        [&self.w1, &self.r1, &self.w2, &self.r2, &self.b2, &self.w3, &self.b3]
    }

    fn map2(&self, other: &Self, f: impl Fn(&Tensor, &Tensor) -> Result<Tensor>) -> Result<Self> {
        let pairs = self.tensors().into_iter().zip(other.tensors());
        let all: Vec<Tensor> = pairs.map(|(a, b)| f(a, b)).collect::<Result<_>>()?;
        Ok(Self::from_slice(&all))
    }

    /// A copy that no longer knows its gradients.
    pub fn frozen(&self) -> Result<Self> {
        self.map2(self, |t, _| t.detach().copy())
    }

    /// Moves a running mean of weights towards `newer` by `share`.
    pub fn blend(&self, newer: &Self, share: f64) -> Result<Self> {
        self.map2(newer, |a, b| (a * (1.0 - share))? + (b.detach() * share)?)
    }

    /// Scales the outputs: the calibration's trust in the members.
    pub fn scaled(&self, by: f64) -> Result<Self> {
        let mut out = self.clone();
        out.w3 = (&self.w3 * by)?;
        out.b3 = (&self.b3 * by)?;
        Ok(out)
    }

    /// Multiplies the members out.
    pub fn members(&self) -> Result<Members> {
        let (inputs, count, _) = self.r1.dims3()?;
        let hidden = self.w2.dim(D::Minus1)?;
        Ok(Members {
            count,
            w1: self.w1.broadcast_mul(&self.r1)?.reshape((inputs, count * hidden))?,
            w2: self.w2.broadcast_mul(&self.r2)?,
            b2: self.b2.clone(),
            w3: self.w3.clone(),
            b3: self.b3.clone(),
        })
    }
}

impl Members {
    /// Output of every member: (members, rows, outputs).
    pub fn forward(&self, x: &Tensor, masks: Option<&[Tensor; 2]>) -> Result<Tensor> {
        let rows = x.dim(0)?;
        let hidden = self.w2.dim(D::Minus1)?;
        let mut h = x.matmul(&self.w1)?.relu()?;
        if let Some([mask, _]) = masks {
            h = (h * mask)?;
        }
        let h = h.reshape((rows, self.count, hidden))?.transpose(0, 1)?.contiguous()?;
        let mut h = h.matmul(&self.w2)?.broadcast_add(&self.b2)?.relu()?;
        if let Some([_, mask]) = masks {
            h = (h * mask)?;
        }
        h.matmul(&self.w3)?.broadcast_add(&self.b3)
    }

    /// Outputs of many rows as `rows` vectors of `members * outputs` values, member by member.
    pub fn outputs(&self, x: &Tensor) -> Result<Vec<Vec<f32>>> {
        let z = self.forward(x, None)?.transpose(0, 1)?.flatten_from(1)?;
        z.to_vec2::<f32>()
    }
}

fn normal(rng: &mut Rng, shape: &[usize], sd: f64) -> Result<Var> {
    let values: Vec<f32> = (0..shape.iter().product()).map(|_| (rng.normal() * sd) as f32).collect();
    Var::from_tensor(&Tensor::from_vec(values, shape, &Device::Cpu)?)
}

/// Zeros with probability `share`, else 1 / (1 - share), four to a random number.
fn mask(rng: &mut Rng, len: usize, share: f64) -> Vec<f32> {
    let keep = (1.0 / (1.0 - share)) as f32;
    let limit = (share * 65_536.0) as u64;
    let mut out = Vec::with_capacity(len + 3);
    while out.len() < len {
        let bits = rng.next();
        for part in 0..4 {
            let drop = (bits >> (16 * part)) & 0xffff < limit;
            out.push(if drop { 0.0 } else { keep });
        }
    }
    out.truncate(len);
    out
}
