//! The members made ready for scoring, in two ways that say the same.
//!
//! Many rows go through matrix products, network by network, so that what is between two products stays near the
//! processor; activations are worked out in place. A few rows go through one custom operation that skips what a row does
//! not have (other levels, bins beyond its value, silent hidden units) and reads the matrices that members share once.

use candle_core::{CpuStorage, CustomOp1, D, Error, InplaceOp1, Layout, Result, Shape, Tensor};

use crate::net::{Members, Weights};

/// From so many rows on matrix products are faster.
const MANY_ROWS: usize = 8;
/// Sums that are kept in registers.
const LANES: usize = 32;

type Lanes = [f32; LANES];

/// The networks of a model.
#[derive(Debug, Clone)]
pub struct QuickMembers {
    /// Members of all networks.
    pub count: usize,
    /// Encoded columns.
    pub inputs: usize,
    /// Units of a hidden layer.
    pub hidden: usize,
    /// Intervals.
    pub outputs: usize,
    nets: Vec<QuickNet>,
}

/// A shared matrix: for each block of columns its rows.
#[derive(Debug, Clone)]
struct Matrix {
    rows: usize,
    lines: Vec<Lanes>,
}

#[derive(Debug, Clone)]
struct QuickNet {
    products: Members,
    bias: BiasAndRelu,
    w1: Matrix,
    w2: Matrix,
    members: Vec<QuickMember>,
}

#[derive(Debug, Clone)]
struct QuickMember {
    r1: Vec<f32>,
    r2: Vec<f32>,
    b2: Vec<Lanes>,
    /// By output.
    w3: Vec<Vec<Lanes>>,
    b3: Vec<f32>,
}

/// The entries of a row that are not zero.
#[derive(Debug, Default)]
struct Entries {
    columns: Vec<u32>,
    values: Vec<f32>,
}

impl QuickMembers {
    /// From the weights of networks of one shape.
    pub fn of(nets: &[Weights]) -> Result<Self> {
        let first = nets.first().ok_or_else(|| Error::Msg("there is no network".to_owned()))?;
        let (inputs, _, hidden) = first.w1.dims3()?;
        let outputs = first.w3.dim(D::Minus1)?;
        let nets: Vec<QuickNet> = nets.iter().map(|net| QuickNet::of(net, inputs)).collect::<Result<_>>()?;
        let alike = |m: &QuickMember| (m.r1.len(), m.r2.len(), m.b3.len()) == (inputs, hidden, outputs);
        if !nets.iter().all(|net| net.members.iter().all(alike)) {
            return Err(Error::Msg("the networks have different shapes".to_owned()));
        }
        Ok(Self { count: nets.iter().map(|net| net.members.len()).sum(), inputs, hidden, outputs, nets })
    }

    /// Outputs of encoded rows: rows * members * outputs.
    pub fn outputs(&self, x: &Tensor) -> Result<Vec<f32>> {
        if x.dim(0)? < MANY_ROWS {
            return x.apply_op1_no_bwd(self)?.flatten_all()?.to_vec1();
        }
        let by_net: Vec<Tensor> = self.nets.iter().map(|net| net.products(x)).collect::<Result<_>>()?;
        Tensor::cat(&by_net, 0)?.transpose(0, 1)?.flatten_all()?.to_vec1()
    }

    fn row(&self, x: &[f32], room: &mut Room, out: &mut [f32]) {
        room.input.fill(x.iter().copied());
        let mut out = out.chunks_exact_mut(self.outputs);
        for net in &self.nets {
            for (member, out) in net.members.iter().zip(&mut out) {
                room.scaled.scale(&room.input, &member.r1);
                net.w1.product(&room.scaled, &mut room.hidden);
                room.silenced.fill(room.hidden.as_flattened()[..self.hidden].iter().map(|h| h.max(0.0)));
                room.scaled.scale(&room.silenced, &member.r2);
                net.w2.product(&room.scaled, &mut room.hidden);
                let units = room.hidden.iter_mut().zip(&member.b2);
                units.for_each(|(h, b)| h.iter_mut().zip(b).for_each(|(h, b)| *h = (*h + b).max(0.0)));
                for ((out, w3), b3) in out.iter_mut().zip(&member.w3).zip(&member.b3) {
                    *out = b3 + dot(&room.hidden, w3);
                }
            }
        }
    }
}

/// What is used again from row to row.
#[derive(Debug, Default)]
struct Room {
    input: Entries,
    silenced: Entries,
    scaled: Entries,
    hidden: Vec<Lanes>,
}

impl CustomOp1 for QuickMembers {
    fn name(&self) -> &'static str {
        "members"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (from, to) =
            layout.contiguous_offsets().ok_or_else(|| Error::Msg("rows with gaps".to_owned()))?;
        let (rows, width) = layout.shape().dims2()?;
        if width != self.inputs {
            return Err(Error::Msg(format!("{width} columns where {} are expected", self.inputs)));
        }
        let each = self.count * self.outputs;
        let mut out = vec![0f32; rows * each];
        let mut room = Room { hidden: vec![[0.0; LANES]; self.hidden.div_ceil(LANES)], ..Room::default() };
        let x = &storage.as_slice::<f32>()?[from..to];
        for (x, out) in x.chunks_exact(width).zip(out.chunks_exact_mut(each)) {
            self.row(x, &mut room, out);
        }
        Ok((CpuStorage::F32(out), (rows, self.count, self.outputs).into()))
    }
}

impl QuickNet {
    /// Outputs of many rows: members * rows * outputs.
    fn products(&self, x: &Tensor) -> Result<Tensor> {
        let Members { count, w1, w2, w3, b3, .. } = &self.products;
        let first = x.matmul(w1)?;
        first.inplace_op1(&Relu)?;
        let by_member = first.reshape((x.dim(0)?, *count, ()))?.transpose(0, 1)?;
        let second = by_member.matmul(w2)?;
        second.inplace_op1(&self.bias)?;
        second.matmul(w3)?.broadcast_add(b3)
    }

    fn of(net: &Weights, inputs: usize) -> Result<Self> {
        let (_, members, _) = net.r1.dims3()?;
        let numbers = |t: &Tensor| t.flatten_all()?.to_vec1::<f32>();
        let hidden = net.w2.dim(D::Minus1)?;
        let (r1, r2, b2) = (numbers(&net.r1.transpose(0, 1)?)?, numbers(&net.r2)?, numbers(&net.b2)?);
        let (w3, b3) = (net.w3.transpose(1, 2)?, net.b3.squeeze(1)?);
        let member = |m: usize| -> Result<QuickMember> {
            let own = |all: &[f32], each: usize| all[m * each..(m + 1) * each].to_vec();
            Ok(QuickMember {
                r1: own(&r1, inputs),
                r2: own(&r2, hidden),
                b2: in_lanes(&own(&b2, hidden)),
                w3: w3.get(m)?.to_vec2::<f32>()?.iter().map(|w| in_lanes(w)).collect(),
                b3: b3.get(m)?.to_vec1()?,
            })
        };
        let products = net.members()?;
        Ok(Self {
            bias: BiasAndRelu { each: hidden, bias: b2.clone() },
            products,
            w1: Matrix::of(&numbers(&net.w1)?, hidden),
            w2: Matrix::of(&numbers(&net.w2)?, hidden),
            members: (0..members).map(member).collect::<Result<_>>()?,
        })
    }
}

/// max(0, h), in place.
struct Relu;

impl InplaceOp1 for Relu {
    fn name(&self) -> &'static str {
        "relu in place"
    }

    fn cpu_fwd(&self, storage: &mut CpuStorage, layout: &Layout) -> Result<()> {
        numbers_of(storage, layout)?.iter_mut().for_each(|h| *h = h.max(0.0));
        Ok(())
    }
}

/// max(0, h + b) for members * rows * hidden, in place.
#[derive(Debug, Clone)]
struct BiasAndRelu {
    each: usize,
    bias: Vec<f32>,
}

impl InplaceOp1 for BiasAndRelu {
    fn name(&self) -> &'static str {
        "bias and relu in place"
    }

    fn cpu_fwd(&self, storage: &mut CpuStorage, layout: &Layout) -> Result<()> {
        let all = numbers_of(storage, layout)?;
        let member = all.len() / (self.bias.len() / self.each).max(1);
        for (rows, bias) in all.chunks_exact_mut(member).zip(self.bias.chunks_exact(self.each)) {
            for row in rows.chunks_exact_mut(self.each) {
                row.iter_mut().zip(bias).for_each(|(h, b)| *h = (*h + b).max(0.0));
            }
        }
        Ok(())
    }
}

fn numbers_of<'a>(storage: &'a mut CpuStorage, layout: &Layout) -> Result<&'a mut [f32]> {
    let gaps = || Error::Msg("numbers with gaps".to_owned());
    let (from, to) = layout.contiguous_offsets().ok_or_else(gaps)?;
    match storage {
        CpuStorage::F32(all) => all.get_mut(from..to).ok_or_else(gaps),
        _ => Err(Error::Msg("numbers of another type".to_owned())),
    }
}

impl Matrix {
    fn of(values: &[f32], width: usize) -> Self {
        let rows: Vec<Vec<Lanes>> = values.chunks_exact(width.max(1)).map(in_lanes).collect();
        let blocks = width.div_ceil(LANES);
        let lines = (0..blocks).flat_map(|block| rows.iter().map(move |row| row[block])).collect();
        Self { rows: rows.len(), lines }
    }

    fn product(&self, entries: &Entries, out: &mut [Lanes]) {
        for (lines, out) in self.lines.chunks_exact(self.rows.max(1)).zip(out) {
            let mut sums = [0.0; LANES];
            for (column, value) in entries.columns.iter().zip(&entries.values) {
                let line = &lines[*column as usize];
                sums.iter_mut().zip(line).for_each(|(sum, weight)| *sum += value * weight);
            }
            *out = sums;
        }
    }
}

impl Entries {
    fn fill(&mut self, all: impl ExactSizeIterator<Item = f32>) {
        self.columns.resize(all.len(), 0);
        self.values.resize(all.len(), 0.0);
        let mut filled = 0;
        // Every entry is written and only those that are not zero stay: no branch that a processor could guess wrong.
        for (column, value) in (0..).zip(all) {
            self.columns[filled] = column;
            self.values[filled] = value;
            filled += usize::from(value != 0.0);
        }
        self.columns.truncate(filled);
        self.values.truncate(filled);
    }

    fn scale(&mut self, from: &Self, by: &[f32]) {
        self.columns.clone_from(&from.columns);
        self.values.clear();
        let each = from.columns.iter().zip(&from.values);
        self.values.extend(each.map(|(column, value)| value * by[*column as usize]));
    }
}

fn dot(a: &[Lanes], b: &[Lanes]) -> f32 {
    let mut sums = [0.0; LANES];
    for (a, b) in a.iter().zip(b) {
        sums.iter_mut().zip(a).zip(b).for_each(|((sum, a), b)| *sum += a * b);
    }
    sums.iter().sum()
}

/// Filled up with zeros.
fn in_lanes(values: &[f32]) -> Vec<Lanes> {
    let mut out = vec![[0.0; LANES]; values.len().div_ceil(LANES)];
    out.as_flattened_mut()[..values.len()].copy_from_slice(values);
    out
}

#[cfg(test)]
mod tests {
    use candle_core::{Device, Tensor};

    use super::QuickMembers;
    use crate::net::{Manner, Net, Shape};
    use crate::rng::Rng;

    /// Two networks of a size that fills no block.
    #[test]
    fn the_quick_members_say_what_the_matrix_products_say() {
        let mut rng = Rng::new(3, "quick members");
        let shape = Shape { inputs: 23, hidden: 40, members: 3, outputs: 5 };
        let manner = Manner { rate: 1e-3, decay: 0.0, dropout: 0.0 };
        let nets: Vec<_> =
            (0..2).map(|_| Net::new(shape, manner, &mut rng).expect("makes one").weights()).collect();
        let row = |_| if rng.uniform() < 0.5 { 0.0 } else { rng.normal() as f32 };
        let x: Vec<f32> = (0..9 * shape.inputs).map(row).collect();
        let tensor = |x: &[f32]| {
            Tensor::from_slice(x, (x.len() / shape.inputs, shape.inputs), &Device::Cpu).expect("fits")
        };
        let quick = QuickMembers::of(&nets).expect("has one shape");
        let fast = quick.outputs(&tensor(&x)).expect("runs");
        let all: Vec<_> = nets.iter().map(|net| net.members().expect("multiplies out")).collect();
        let slow: Vec<f32> = x
            .chunks(shape.inputs)
            .flat_map(|x| {
                all.iter().flat_map(|m| m.outputs(&tensor(x)).expect("runs").concat()).collect::<Vec<_>>()
            })
            .collect();
        assert_eq!(fast.len(), slow.len());
        assert!(fast.iter().zip(&slow).all(|(a, b)| (a - b).abs() < 1e-5), "{fast:?} {slow:?}");
        let few: Vec<f32> =
            x.chunks(3 * shape.inputs).flat_map(|x| quick.outputs(&tensor(x)).expect("runs")).collect();
        assert!(few.iter().zip(&slow).all(|(a, b)| (a - b).abs() < 1e-5), "{few:?} {slow:?}");
    }
}
