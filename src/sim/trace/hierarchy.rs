//! A tree of boxes, eight to a node.

use std::time::Duration;

use obvhs::{
    Boundable, BvhBuildParams,
    aabb::Aabb,
    bvh2::{Bvh2, builder::build_bvh2, node::Bvh2Node},
};
use smallvec::SmallVec;

use super::{FARTHER, HalfLine, LANES, Packet};

/// Marks a child that is a leaf; the rest is its number.
const LEAF: u32 = 1 << 31;

/// Boxes within boxes, over anything that has bounds.
pub struct Hierarchy {
    nodes: Vec<Node>,
}

/// Eight boxes. Places without one have a box that nothing meets.
#[derive(Clone)]
#[repr(C, align(32))]
pub struct Node {
    /// Lowest coordinates, an axis at a time.
    low: [[f32; LANES]; 3],
    /// Highest coordinates.
    high: [[f32; LANES]; 3],
    /// Numbers of nodes, or of leaves with [`LEAF`].
    children: [u32; LANES],
}

impl Node {
    const EMPTY: Self = Self {
        low: [[f32::INFINITY; LANES]; 3],
        high: [[f32::NEG_INFINITY; LANES]; 3],
        children: [0; LANES],
    };

    fn set(&mut self, lane: usize, bounds: &Aabb, child: u32) {
        let (low, high) = (bounds.min.to_array(), bounds.max.to_array());
        for axis in 0..3 {
            self.low[axis][lane] = low[axis];
            self.high[axis][lane] = high[axis];
        }
        self.children[lane] = child;
    }

    /// The planes of an axis in the order in which something that goes up, or down, passes them.
    #[inline(always)]
    fn planes(&self, axis: usize, is_down: bool) -> (&[f32; LANES], &[f32; LANES]) {
        if is_down { (&self.high[axis], &self.low[axis]) } else { (&self.low[axis], &self.high[axis]) }
    }
}

/// Something that walks through the tree.
pub trait Probe {
    /// Where it enters each box of a node at the earliest, and a bit for each one that it may meet.
    fn meet(&self, node: &Node) -> ([f32; LANES], u32);

    /// Where it ends, metres.
    fn end_m(&self) -> f32;
}

impl Probe for HalfLine {
    #[inline(always)]
    fn meet(&self, node: &Node) -> ([f32; LANES], u32) {
        let mut near = [self.min_m; LANES];
        let mut far = [self.max_m; LANES];
        for axis in 0..3 {
            let (origin, inverse) = (self.origin[axis], self.inverse[axis]);
            let (enter, leave) = node.planes(axis, inverse < 0.0);
            for lane in 0..LANES {
                let first = (enter[lane] - origin) * inverse;
                let last = (leave[lane] - origin) * inverse * FARTHER;
                near[lane] = if first > near[lane] { first } else { near[lane] };
                far[lane] = if last < far[lane] { last } else { far[lane] };
            }
        }
        (near, bits(&near, &far))
    }

    fn end_m(&self) -> f32 {
        self.max_m
    }
}

impl Probe for Packet {
    #[inline(always)]
    fn meet(&self, node: &Node) -> ([f32; LANES], u32) {
        let mut near = [self.min_m; LANES];
        let mut far = [self.bounds.farthest_m; LANES];
        for axis in 0..3 {
            let [least, greatest] = self.bounds.inverse[axis];
            let (entering, leaving) = (self.bounds.entering[axis], self.bounds.leaving[axis]);
            let (enter, leave) = node.planes(axis, greatest < 0.0);
            for lane in 0..LANES {
                let (to_enter, to_leave) = (enter[lane] - entering, leave[lane] - leaving);
                let (a, b) = (to_enter * least, to_enter * greatest);
                let first = if a < b { a } else { b };
                let (a, b) = (to_leave * least * FARTHER, to_leave * greatest * FARTHER);
                let last = if a > b { a } else { b };
                near[lane] = if first > near[lane] { first } else { near[lane] };
                far[lane] = if last < far[lane] { last } else { far[lane] };
            }
        }
        (near, bits(&near, &far))
    }

    fn end_m(&self) -> f32 {
        self.bounds.farthest_m
    }
}

/// A bit for each lane where `near` comes before `far`.
#[inline(always)]
fn bits(near: &[f32; LANES], far: &[f32; LANES]) -> u32 {
    (0..LANES).fold(0, |bits, lane| bits | u32::from(near[lane] <= far[lane]) << lane)
}

/// A node or leaf that waits, with the distance at which a ray enters it.
type Waiting = SmallVec<[(f32, u32); 64]>;

impl Hierarchy {
    /// A tree over things, and the things of each leaf: at most `most` of them, by their index.
    pub fn new<T: Boundable>(things: &[T], most: u32) -> (Self, Vec<SmallVec<[u32; LANES]>>) {
        let parameters = BvhBuildParams {
            max_prims_per_leaf: most,
            // A leaf's triangles are tested at once, so that full leaves cost as much as others.
            collapse_traversal_cost: if most > 1 { 6.0 } else { 1.0 },
            ..BvhBuildParams::fast_build()
        };
        let binary = build_bvh2(things, parameters, &mut Duration::default());
        let mut tree = Self { nodes: Vec::with_capacity(binary.nodes.len() / 4 + 1) };
        let mut leaves = Vec::new();
        match binary.nodes.first() {
            Some(root) if root.is_leaf() => {
                let mut node = Node::EMPTY;
                node.set(0, root.aabb(), leaf(&binary, root, &mut leaves));
                tree.nodes.push(node);
            }
            Some(root) => tree.widen(&binary, root, &mut leaves),
            None => {}
        }
        (tree, leaves)
    }

    /// Puts the children, grandchildren, … of a binary node into wide nodes.
    fn widen(&mut self, binary: &Bvh2, root: &Bvh2Node, leaves: &mut Vec<SmallVec<[u32; LANES]>>) {
        self.nodes.push(Node::EMPTY);
        // Nodes whose number is known and whose children are not filled in yet.
        let mut open: Vec<(usize, Bvh2Node)> = vec![(0, *root)];
        while let Some((number, from)) = open.pop() {
            let mut children: SmallVec<[Bvh2Node; LANES]> = pair(binary, &from);
            // The largest inner child gives way to its own two until the node is full.
            while children.len() < LANES {
                let inner = (0..).zip(&children).filter(|(_, child)| !child.is_leaf());
                let largest =
                    inner.max_by(|(_, a), (_, b)| a.aabb().half_area().total_cmp(&b.aabb().half_area()));
                let Some((index, _)) = largest else { break };
                let opened: usize = index;
                let inner = children.swap_remove(opened);
                children.extend(pair(binary, &inner));
            }
            let mut node = Node::EMPTY;
            for (lane, child) in children.iter().enumerate() {
                let name = if child.is_leaf() {
                    leaf(binary, child, leaves)
                } else {
                    self.nodes.push(Node::EMPTY);
                    open.push((self.nodes.len() - 1, *child));
                    (self.nodes.len() - 1) as u32
                };
                node.set(lane, child.aabb(), name);
            }
            self.nodes[number] = node;
        }
    }

    /// Shows the leaves on the way, near ones first; `leaf` may shorten it.
    #[inline(always)]
    pub fn nearest<P: Probe>(&self, probe: &mut P, mut leaf: impl FnMut(u32, &mut P)) {
        let Some(mut node) = self.nodes.first() else { return };
        let mut waiting = Waiting::new();
        loop {
            let (near, mut met) = probe.meet(node);
            let others = waiting.len();
            while met != 0 {
                let lane = met.trailing_zeros() as usize % LANES;
                met &= met - 1;
                let next = (near[lane], node.children[lane]);
                // Kept with the nearest last.
                let mut at = waiting.len();
                waiting.push(next);
                while at > others && waiting[at - 1].0 < next.0 {
                    waiting[at] = waiting[at - 1];
                    at -= 1;
                }
                waiting[at] = next;
            }
            loop {
                let Some((enters_m, child)) = waiting.pop() else { return };
                if enters_m > probe.end_m() {
                    continue;
                }
                if child & LEAF == 0 {
                    let Some(inner) = self.nodes.get(child as usize) else { return };
                    node = inner;
                    break;
                }
                leaf(child ^ LEAF, probe);
            }
        }
    }

    /// Whether `leaf` says yes to any leaf on a half-line.
    #[inline(always)]
    pub fn any(&self, ray: &HalfLine, mut leaf: impl FnMut(u32, &HalfLine) -> bool) -> bool {
        let Some(mut node) = self.nodes.first() else { return false };
        let mut waiting: SmallVec<[u32; 64]> = SmallVec::new();
        loop {
            let (_, mut met) = ray.meet(node);
            while met != 0 {
                let lane = met.trailing_zeros() as usize % LANES;
                met &= met - 1;
                let child = node.children[lane];
                if child & LEAF == 0 {
                    waiting.push(child);
                } else if leaf(child ^ LEAF, ray) {
                    return true;
                }
            }
            let Some(next) = waiting.pop() else { return false };
            let Some(inner) = self.nodes.get(next as usize) else { return false };
            node = inner;
        }
    }
}

/// The two children of an inner node.
fn pair(binary: &Bvh2, node: &Bvh2Node) -> SmallVec<[Bvh2Node; LANES]> {
    let first = node.first_index as usize;
    binary.nodes.get(first..first + 2).unwrap_or_default().iter().copied().collect()
}

/// Notes a leaf; the name of it as a child.
fn leaf(binary: &Bvh2, node: &Bvh2Node, leaves: &mut Vec<SmallVec<[u32; LANES]>>) -> u32 {
    let first = node.first_index as usize;
    let things = binary.primitive_indices.get(first..first + node.prim_count as usize).unwrap_or_default();
    leaves.push(things.iter().copied().collect());
    (leaves.len() - 1) as u32 | LEAF
}
