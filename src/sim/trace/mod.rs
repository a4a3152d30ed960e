//! What rays find triangles by: a tree of boxes, eight to a node, with eight triangles to a leaf.
//!
//! One ray is tested against eight boxes or eight triangles at once, in loops that compile to AVX2 where
//! the processor has it. Multiplications and additions are never fused, so that every processor finds the
//! same bits.

#![allow(clippy::inline_always, reason = "what is not inlined does not compile to the caller's AVX2")]
#![allow(
    clippy::needless_range_loop,
    reason = "loops over lanes of several arrays vectorise when they count"
)]

mod half_line;
mod hierarchy;
mod packet;
mod triangles;

pub(super) use half_line::HalfLine;
pub(super) use hierarchy::Hierarchy;
pub(super) use packet::PacketHits;
pub use packet::{Packet, RAYS};
pub(super) use triangles::{TriangleHit, Triangles};

/// Boxes in a node, triangles in a leaf.
const LANES: usize = 8;
/// Distances to the far side of a box are lengthened by this share, which covers the rounding of the test: no
/// ray slips between a flat box and its triangle (Ize: "Robust BVH ray traversal", JCGT 2, 2013).
const FARTHER: f32 = 1.000_000_5;

#[cfg(test)]
mod tests;
