//! Trees made ready for scoring: no walk from node to node, and the same work for every row.
//!
//! A tree has at most 16 leaves, so a row's way through it fits 16 bits, one per leaf from left to right. For every
//! input and bin a table knows which leaves are still open in each of 32 trees; the bits of a row's bins are joined,
//! and the first leaf that stays open is the one where the walk would have ended: a node that sends the row to the
//! right closes the leaves on its left, and no node closes the leaf itself. (The idea is QuickScorer's, Lucchese et
//! al., SIGIR 2015; with bins instead of thresholds it needs no comparison.)

use super::{Bins, Forest, LEAVES, Node};

/// Trees side by side: one line of the processor's cache.
const BLOCK: usize = 32;
/// Sums that do not wait for each other.
const LANES: usize = 4;

/// The leaves that are open in each tree of a block.
type Open = [u16; BLOCK];

/// All forests of a model.
#[derive(Debug, Clone)]
pub struct QuickTrees {
    forests: usize,
    stretches: usize,
    /// Where the lines of each input begin; the stretch of time is the last input.
    starts: Vec<usize>,
    blocks: Vec<Block>,
}

#[derive(Debug, Clone)]
struct Block {
    forest: usize,
    /// By input and bin.
    lines: Vec<Open>,
    leaves: Vec<[f32; LEAVES]>,
}

impl QuickTrees {
    /// From forests over these bins; none when a tree has more leaves than `LEAVES`.
    pub fn of(forests: &[Forest], bins: &Bins, stretches: usize) -> Option<Self> {
        let mut starts = vec![0];
        for count in (0..bins.width()).map(|input| bins.count(input)).chain([stretches + 1]) {
            starts.push(starts[starts.len() - 1] + count);
        }
        let mut blocks = Vec::new();
        for (at, forest) in forests.iter().enumerate() {
            for roots in forest.roots.chunks(BLOCK) {
                let mut block = Block::new(at, starts[starts.len() - 1]);
                for (tree, root) in roots.iter().enumerate() {
                    block.plant(tree, &forest.nodes[*root as usize..], &starts)?;
                }
                blocks.push(block);
            }
        }
        Some(Self { forests: forests.len(), stretches, starts, blocks })
    }

    /// Number of forests.
    pub fn forests(&self) -> usize {
        self.forests
    }

    /// Number of stretches of time.
    pub fn stretches(&self) -> usize {
        self.stretches
    }

    /// For rows of bins what each forest adds in each stretch: rows * forests * stretches.
    pub fn of_rows(&self, bins: &[u8]) -> Vec<f64> {
        let width = self.starts.len() - 2;
        let rows = bins.chunks_exact(width.max(1));
        let each = (self.forests * self.stretches).max(1);
        let mut out = vec![0.0; rows.len() * each];
        for block in &self.blocks {
            let own = block.forest * self.stretches..(block.forest + 1) * self.stretches;
            for (row, out) in rows.clone().zip(out.chunks_exact_mut(each)) {
                let mut open = [u16::MAX; BLOCK];
                for (bin, start) in row.iter().zip(&self.starts) {
                    close(&mut open, &block.lines[start + usize::from(*bin)]);
                }
                for (sum, stretch) in out[own.clone()].iter_mut().zip(1..) {
                    let mut open = open;
                    close(&mut open, &block.lines[self.starts[width] + stretch]);
                    *sum += block.sum(&open);
                }
            }
        }
        out
    }
}

impl Block {
    fn new(forest: usize, lines: usize) -> Self {
        Self { forest, lines: vec![[u16::MAX; BLOCK]; lines], leaves: vec![[0.0; LEAVES]; BLOCK] }
    }

    fn plant(&mut self, tree: usize, nodes: &[Node], starts: &[usize]) -> Option<()> {
        let mut leaves = 0;
        self.grow(tree, (nodes, 0, LEAVES), starts, &mut leaves).map(|_| ())
    }

    /// Writes what the node at `at` and all below it close; gives the leaves below.
    fn grow(
        &mut self,
        tree: usize,
        (nodes, at, deepest): (&[Node], usize, usize),
        starts: &[usize],
        leaves: &mut usize,
    ) -> Option<u16> {
        let node = nodes.get(at)?;
        if node.left == 0 {
            *self.leaves[tree].get_mut(*leaves)? = node.value;
            *leaves += 1;
            return Some(1 << (*leaves - 1));
        }
        let deepest = deepest.checked_sub(1)?;
        let left = self.grow(tree, (nodes, usize::from(node.left), deepest), starts, leaves)?;
        let right = self.grow(tree, (nodes, usize::from(node.right), deepest), starts, leaves)?;
        let input = usize::from(node.input);
        let lines = self.lines.get_mut(*starts.get(input)?..*starts.get(input + 1)?)?;
        let closing = lines.iter_mut().enumerate().filter(|(bin, _)| node.set >> bin & 1 == 0);
        closing.for_each(|(_, line)| line[tree] &= !left);
        Some(left | right)
    }

    fn sum(&self, open: &Open) -> f64 {
        let mut sums = [0.0; LANES];
        for (open, leaves) in open.chunks_exact(LANES).zip(self.leaves.chunks_exact(LANES)) {
            for ((sum, open), leaves) in sums.iter_mut().zip(open).zip(leaves) {
                *sum += f64::from(leaves[open.trailing_zeros() as usize % LEAVES]);
            }
        }
        sums.iter().sum()
    }
}

fn close(open: &mut Open, line: &Open) {
    open.iter_mut().zip(line).for_each(|(open, line)| *open &= line);
}
