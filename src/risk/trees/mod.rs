//! The third path: boosted trees of the same discrete-time hazards, grown and run by this crate itself.
//!
//! A tree splits on the inputs and, with a time to an event, on the stretch of time, so that an effect may fade.
//! Trees find steps and crossings that a line and a small network miss; on tens of thousands of rows they rank
//! best, on hundreds they add little, and the calibration weighs them accordingly.

mod bins;
mod boost;
mod grow;
mod quick;
#[cfg(test)]
mod tests;

pub use bins::Bins;
pub use boost::{Ground, Grove, Growth, grow};
pub use quick::QuickTrees;

/// Stretches of time that trees tell apart, at most.
pub const STRETCHES: usize = 8;
/// Leaves of a tree, at most.
pub const LEAVES: usize = 16;

/// One node; a leaf has no children and a value.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Node {
    /// Position of the input; the last one is the stretch of time.
    pub input: u16,
    /// Child when the bin is in the set; 0 for a leaf.
    pub left: u16,
    /// Child otherwise.
    pub right: u16,
    /// A bit per bin.
    pub set: u128,
    /// What a leaf adds to the log-hazard.
    pub value: f32,
}

/// Trees one after the other; the root of each is where it starts.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Forest {
    /// All nodes.
    pub nodes: Vec<Node>,
    /// Where each tree starts.
    pub roots: Vec<u32>,
}

impl Forest {
    /// Sum of the leaves that a row falls into.
    pub fn value(&self, bins: &[u8], stretch: u8) -> f64 {
        self.roots.iter().map(|root| f64::from(self.leaf(*root as usize, bins, stretch))).sum()
    }

    /// The same for every interval, added to `out`.
    pub fn by_interval(&self, bins: &[u8], stretches: &[u8], out: &mut [f64]) {
        let mut known = (0, 0.0);
        for (slot, stretch) in out.iter_mut().zip(stretches) {
            if known.0 != *stretch {
                known = (*stretch, self.value(bins, *stretch));
            }
            *slot += known.1;
        }
    }

    fn leaf(&self, root: usize, bins: &[u8], stretch: u8) -> f32 {
        let mut node = &self.nodes[root];
        while node.left != 0 {
            let bin = bins.get(usize::from(node.input)).copied().unwrap_or(stretch);
            let inside = node.set >> bin & 1 == 1;
            node = &self.nodes[root + usize::from(if inside { node.left } else { node.right })];
        }
        node.value
    }

    /// Appends a tree.
    pub fn push(&mut self, tree: &[Node]) {
        self.roots.push(self.nodes.len() as u32);
        self.nodes.extend_from_slice(tree);
    }

    /// The first trees only.
    pub fn first(&self, trees: usize) -> Self {
        let end = self.roots.get(trees).map_or(self.nodes.len(), |root| *root as usize);
        let count = trees.min(self.roots.len());
        Self { nodes: self.nodes[..end].to_vec(), roots: self.roots[..count].to_vec() }
    }

    /// All leaves times `by`.
    pub fn scaled(&self, by: f64) -> Self {
        let mut out = self.clone();
        out.nodes.iter_mut().for_each(|node| node.value = (f64::from(node.value) * by) as f32);
        out
    }

    /// As numbers for a file: whole ones (input, left, right, set in 4 parts of 32 bits) and leaves.
    pub fn numbers(&self) -> (Vec<u32>, Vec<f32>) {
        let fields = |n: &Node| {
            let part = |i: u32| (n.set >> (32 * i)) as u32;
            [n.input.into(), n.left.into(), n.right.into(), part(0), part(1), part(2), part(3)]
        };
        (self.nodes.iter().flat_map(fields).collect(), self.nodes.iter().map(|n| n.value).collect())
    }

    /// From what `numbers` gave; none when it is not a forest over so many inputs.
    pub fn from_numbers(whole: &[u32], leaves: &[f32], roots: &[u32], inputs: usize) -> Option<Self> {
        let mut nodes = Vec::with_capacity(leaves.len());
        for (fields, value) in whole.chunks_exact(FIELDS).zip(leaves) {
            let small = |i: usize| u16::try_from(fields[i]).ok();
            let set = (0..4).fold(0u128, |set, i| set | (u128::from(fields[3 + i]) << (32 * i)));
            nodes.push(Node { input: small(0)?, left: small(1)?, right: small(2)?, set, value: *value });
        }
        let forest = Self { nodes, roots: roots.to_vec() };
        (whole.len() == leaves.len() * FIELDS && forest.is_sound(inputs)).then_some(forest)
    }

    /// Every walk ends at a leaf of its own tree.
    fn is_sound(&self, inputs: usize) -> bool {
        let ends = self.roots.iter().skip(1).map(|r| *r as usize).chain([self.nodes.len()]);
        self.roots.iter().zip(ends).all(|(root, end)| {
            let root = *root as usize;
            root < end
                && end <= self.nodes.len()
                && self.nodes[root..end].iter().enumerate().all(|(at, node)| {
                    let ahead = |child: u16| usize::from(child) > at && root + usize::from(child) < end;
                    usize::from(node.input) <= inputs
                        && (node.left == 0 || (ahead(node.left) && ahead(node.right)))
                })
        })
    }
}

/// Whole numbers per node in a file.
const FIELDS: usize = 7;

/// Which stretch of time, counted from 1, each interval belongs to.
pub fn stretches(intervals: usize) -> Vec<u8> {
    let count = intervals.min(STRETCHES);
    (0..intervals).map(|j| (1 + j * count / intervals) as u8).collect()
}
