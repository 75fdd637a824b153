//! One tree: leaf by leaf, the split with the largest gain first, over histograms of gradients.

use super::Node;
use super::bins::{Binned, Bins};

/// A row in a stretch of time, with the first two derivatives of its loss.
#[derive(Debug, Clone, Copy)]
pub struct Item {
    /// Position among the binned rows.
    pub row: u32,
    /// Stretch of time.
    pub stretch: u8,
    /// Gradient.
    pub g: f32,
    /// Second derivative.
    pub h: f32,
}

/// What a tree may look like.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// Leaves at most.
    pub leaves: usize,
    /// Second derivatives that a leaf must hold: for rare events about their number.
    pub least: f64,
    /// Shrinks leaves towards 0.
    pub lambda: f64,
}

/// Smooths the order of levels with few rows.
const LEVEL_PRIOR: f64 = 10.0;

#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Sum {
    g: f64,
    h: f64,
}

impl Sum {
    fn plus(self, other: Self) -> Self {
        Self { g: self.g + other.g, h: self.h + other.h }
    }

    fn minus(self, other: Self) -> Self {
        Self { g: self.g - other.g, h: self.h - other.h }
    }

    fn score(self, lambda: f64) -> f64 {
        self.g * self.g / (self.h + lambda)
    }
}

#[derive(Debug, Clone, Copy)]
struct Split {
    gain: f64,
    input: usize,
    set: u128,
}

struct Leaf {
    node: usize,
    from: usize,
    to: usize,
    sums: Vec<Sum>,
    total: Sum,
    split: Option<Split>,
}

/// The rows and inputs that one tree is grown from.
pub struct Plot<'a> {
    /// Bins of all rows.
    pub binned: &'a Binned,
    /// Their cuts.
    pub bins: &'a Bins,
    /// Stretches of time.
    pub stretches: usize,
    /// Inputs that this tree may split on.
    pub inputs: &'a [usize],
    /// Limits.
    pub limits: Limits,
}

impl Plot<'_> {
    /// Grows a tree; the items are put into another order. The values of leaves are whole steps.
    pub fn tree(&self, items: &mut [Item]) -> Vec<Node> {
        let offsets = self.offsets();
        let mut nodes = vec![Node::default()];
        let mut leaves = vec![self.leaf(0, (0, items.len()), self.sums(items, &offsets), items, &offsets)];
        while leaves.len() < self.limits.leaves {
            let best = (0..leaves.len()).filter(|i| leaves[*i].split.is_some()).max_by(|a, b| {
                let gain = |i: usize| leaves[i].split.map_or(0.0, |s| s.gain);
                gain(*a).total_cmp(&gain(*b))
            });
            let Some(best) = best else { break };
            let parent = leaves.swap_remove(best);
            let Some(split) = parent.split else { break };
            let part = &mut items[parent.from..parent.to];
            let middle = parent.from + self.partition(part, &split);
            let (left, right) = ((parent.from, middle), (middle, parent.to));
            let small_left = middle - parent.from <= parent.to - middle;
            let (small, large) = if small_left { (left, right) } else { (right, left) };
            let small_sums = self.sums(&items[small.0..small.1], &offsets);
            let large_sums: Vec<Sum> =
                parent.sums.iter().zip(&small_sums).map(|(all, some)| all.minus(*some)).collect();
            let at = nodes.len();
            nodes[parent.node] = Node {
                input: split.input as u16,
                left: at as u16,
                right: (at + 1) as u16,
                set: split.set,
                value: 0.0,
            };
            nodes.extend([Node::default(); 2]);
            let node = |is_left: bool| at + usize::from(!is_left);
            leaves.push(self.leaf(node(small_left), small, small_sums, items, &offsets));
            leaves.push(self.leaf(node(!small_left), large, large_sums, items, &offsets));
        }
        for leaf in &leaves {
            nodes[leaf.node].value = (-leaf.total.g / (leaf.total.h + self.limits.lambda)) as f32;
        }
        nodes
    }

    fn bins_of(&self, input: usize) -> usize {
        if input == self.bins.width() { self.stretches + 1 } else { self.bins.count(input) }
    }

    fn offsets(&self) -> Vec<usize> {
        let mut at = 0;
        let mut out = vec![0];
        for &input in self.inputs {
            at += self.bins_of(input);
            out.push(at);
        }
        out
    }

    fn bin(&self, item: &Item, input: usize) -> usize {
        let row = self.binned.row(item.row as usize);
        usize::from(row.get(input).copied().unwrap_or(item.stretch))
    }

    fn sums(&self, items: &[Item], offsets: &[usize]) -> Vec<Sum> {
        let mut sums = vec![Sum::default(); offsets.last().copied().unwrap_or(0)];
        for item in items {
            let row = self.binned.row(item.row as usize);
            let (g, h) = (f64::from(item.g), f64::from(item.h));
            for (&input, &offset) in self.inputs.iter().zip(offsets) {
                let bin = row.get(input).copied().unwrap_or(item.stretch);
                let slot = &mut sums[offset + usize::from(bin)];
                slot.g += g;
                slot.h += h;
            }
        }
        sums
    }

    fn leaf(
        &self,
        node: usize,
        (from, to): (usize, usize),
        sums: Vec<Sum>,
        items: &[Item],
        offsets: &[usize],
    ) -> Leaf {
        let total = items[from..to]
            .iter()
            .fold(Sum::default(), |sum, i| sum.plus(Sum { g: f64::from(i.g), h: f64::from(i.h) }));
        let mut leaf = Leaf { node, from, to, sums, total, split: None };
        if total.h < 2.0 * self.limits.least {
            return leaf;
        }
        for (i, &input) in self.inputs.iter().enumerate() {
            let sums = &leaf.sums[offsets[i]..offsets[i + 1]];
            let category = self.bins.category.get(input).copied().unwrap_or(false);
            let found = if category { self.by_level(sums, total) } else { self.by_size(sums, total) };
            if let Some((gain, set)) = found
                && leaf.split.is_none_or(|best| gain > best.gain)
            {
                leaf.split = Some(Split { gain, input, set });
            }
        }
        leaf
    }

    fn gain(&self, left: Sum, total: Sum, lambda: f64) -> Option<f64> {
        let right = total.minus(left);
        if left.h < self.limits.least || right.h < self.limits.least {
            return None;
        }
        let gain = left.score(lambda) + right.score(lambda) - total.score(lambda);
        (gain > 1e-6).then_some(gain)
    }

    /// The best cut of a number; missing goes to the side that it fits better.
    fn by_size(&self, sums: &[Sum], total: Sum) -> Option<(f64, u128)> {
        let mut best: Option<(f64, u128)> = None;
        let missing = sums[0];
        let (mut left, mut set) = (Sum::default(), 0u128);
        for (bin, sum) in sums.iter().enumerate().skip(1) {
            left = left.plus(*sum);
            set |= 1 << bin;
            if sum.h == 0.0 {
                continue;
            }
            for (left, set) in [(left, set), (left.plus(missing), set | 1)] {
                if let Some(gain) = self.gain(left, total, self.limits.lambda)
                    && best.is_none_or(|(most, _)| gain > most)
                {
                    best = Some((gain, set));
                }
            }
        }
        best
    }

    /// The best set of levels: in the order of their mean gradient, the first ones against the rest.
    fn by_level(&self, sums: &[Sum], total: Sum) -> Option<(f64, u128)> {
        let mut order: Vec<usize> = (0..sums.len()).filter(|bin| sums[*bin].h > 0.0).collect();
        let mean = |bin: usize| sums[bin].g / (sums[bin].h + LEVEL_PRIOR);
        order.sort_by(|a, b| mean(*a).total_cmp(&mean(*b)));
        let mut best: Option<(f64, u128)> = None;
        let (mut left, mut set) = (Sum::default(), 0u128);
        for bin in order {
            left = left.plus(sums[bin]);
            set |= 1 << bin;
            if let Some(gain) = self.gain(left, total, self.limits.lambda + LEVEL_PRIOR)
                && best.is_none_or(|(most, _)| gain > most)
            {
                best = Some((gain, set));
            }
        }
        best
    }

    /// Puts the items of the left child first; returns how many.
    fn partition(&self, items: &mut [Item], split: &Split) -> usize {
        let mut left = 0;
        for i in 0..items.len() {
            if split.set >> self.bin(&items[i], split.input) & 1 == 1 {
                items.swap(left, i);
                left += 1;
            }
        }
        left
    }
}
