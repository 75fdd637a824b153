//! The matrix products of a model's networks and nothing else: what a bench compares scoring with.

use candle_core::{Device, Result, Tensor};

use crate::model::Model;

/// Rows and weights of the same shapes as a model's.
#[derive(Debug)]
pub struct Bare {
    x: Tensor,
    hidden: Tensor,
    w1: Tensor,
    w2: Tensor,
    w3: Tensor,
}

impl Model {
    /// The products for so many rows at a time.
    pub fn bare(&self, rows: usize) -> Result<Bare> {
        let (members, hidden, outputs) = (self.members.count, self.members.hidden, self.members.outputs);
        let half = |shape: &[usize]| Tensor::full(0.5f32, shape, &Device::Cpu);
        Ok(Bare {
            x: half(&[rows, self.encoder.width()])?,
            hidden: half(&[members, rows, hidden])?,
            w1: half(&[self.encoder.width(), members * hidden])?,
            w2: half(&[members, hidden, hidden])?,
            w3: half(&[members, hidden, outputs])?,
        })
    }
}

impl Bare {
    /// Multiplies once.
    pub fn run(&self) -> Result<()> {
        self.x.matmul(&self.w1)?;
        self.hidden.matmul(&self.w2)?;
        self.hidden.matmul(&self.w3)?;
        Ok(())
    }

    /// Floating-point operations of a row.
    pub fn operations(&self) -> usize {
        2 * (self.w1.elem_count() + self.w2.elem_count() + self.w3.elem_count())
    }
}
