//! What the radar did to a depth image: how well its returns agree with the depth, and how far they moved it.

use serde::{Deserialize, Serialize};

/// Relative difference up to which a return agrees with the depth at its place.
const AGREES: f32 = 0.25;

/// What the radar did to one depth image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RadarInfluence {
    /// Returns inside the image and the depth range.
    pub returns: u32,
    /// Share of what the returns weigh, 0..1, that is within 25 % of the depth at its place; `None` without
    /// returns.
    pub agreement: Option<f32>,
    /// Mean |ln| of the depth against the depth of the image alone: 0.1 is about 10 %. `None` for models that
    /// do not tell the latter.
    pub moved: Option<f32>,
    /// Probability that the returns are of this image, 0..1; `None` without returns, and for models that do
    /// not tell it.
    pub matching: Option<f32>,
    /// Share of the returns that the scans before saw at the same place, beyond chance ([`super::Persistence`]);
    /// `None` without earlier scans or without odometry.
    pub persistence: Option<f32>,
}

/// A row-major plane of values with its width.
#[derive(Clone, Copy, Debug)]
pub struct Plane<'a> {
    /// Values
    pub values: &'a [f32],
    /// Columns; at least 1
    pub width: usize,
}

impl Plane<'_> {
    fn height(&self) -> usize {
        self.values.len() / self.width.max(1)
    }

    /// The value in the middle of each cell of a coarser plane of `cells` cells, `width` a row, beside its index.
    fn sampled(&self, width: usize, cells: usize) -> impl Iterator<Item = (usize, f32)> {
        let width = width.max(1);
        let (across, down) = (self.width / width, self.height() / (cells / width).max(1));
        (0..cells).filter_map(move |cell| {
            let (row, column) = (cell / width, cell % width);
            let at = (row * down + down / 2) * self.width + column * across + across / 2;
            Some((cell, *self.values.get(at)?))
        })
    }
}

/// Share of the returns in `prior` (metres, 0 where there is none) that agree with `depth`, a plane that is as
/// large or a whole number of times larger. `weights` are of the prior's cells; without them all weigh the same.
pub fn radar_agreement(prior: Plane<'_>, weights: Option<&[f32]>, depth: Plane<'_>) -> Option<f32> {
    let (mut agreeing, mut all) = (0.0_f32, 0.0_f32);
    for (cell, depth_m) in depth.sampled(prior.width, prior.values.len()) {
        let z = prior.values.get(cell).copied().unwrap_or(0.0);
        if z > 0.0 {
            let weight = weights.map_or(1.0, |weights| weights.get(cell).copied().unwrap_or(0.0));
            all += weight;
            // NaN agrees with nothing.
            agreeing += if (z - depth_m).abs() <= AGREES * depth_m { weight } else { 0.0 };
        }
    }
    (all > 0.0).then(|| agreeing / all)
}

/// Mean |ln| of `depth` against `alone`, the depth of the image without radar, over cells where both are within
/// `range_m`; `None` where there are none.
pub fn radar_moved(alone: Plane<'_>, depth: Plane<'_>, range_m: (f32, f32)) -> Option<f32> {
    let known = range_m.0..=range_m.1;
    let (mut sum, mut count) = (0.0_f32, 0_u32);
    for (cell, depth_m) in depth.sampled(alone.width, alone.values.len()) {
        let alone_m = alone.values.get(cell).copied().unwrap_or(f32::NAN);
        if known.contains(&depth_m) && known.contains(&alone_m) {
            sum += (depth_m / alone_m).ln().abs();
            count += 1;
        }
    }
    (count > 0).then(|| sum / count as f32)
}

#[cfg(test)]
mod tests {
    use super::{Plane, radar_agreement, radar_moved};

    fn plane(values: &[f32], width: usize) -> Plane<'_> {
        Plane { values, width }
    }

    #[test]
    fn agreement_is_the_share_of_the_weight_at_the_right_depth() {
        // Two cells of 2 × 2 pixels; the middle of a cell is its lower right pixel.
        let depth = [9.0, 9.0, 9.0, 9.0, 9.0, 4.0, 9.0, 10.0];
        let agreement = |prior: &[f32], weights: Option<&[f32]>| {
            radar_agreement(plane(prior, 2), weights, plane(&depth, 4))
        };
        assert_eq!(agreement(&[4.9, 7.0], None), Some(0.5));
        assert_eq!(agreement(&[4.9, 7.0], Some(&[0.25, 0.75])), Some(0.25));
        assert_eq!(agreement(&[3.1, 12.4], Some(&[0.25, 0.75])), Some(1.0));
        assert_eq!(agreement(&[0.0, 0.0], None), None);
        assert_eq!(radar_agreement(plane(&[2.0], 1), None, plane(&[f32::NAN], 1)), Some(0.0));
        assert_eq!(radar_agreement(plane(&[2.0], 1), None, plane(&[], 0)), None);
    }

    #[test]
    fn moved_is_the_mean_ratio_of_what_both_know() {
        let alone = [2.0, 4.0, 8.0, 1000.0];
        let moved = |depth: &[f32]| radar_moved(plane(&alone, 2), plane(depth, 2), (0.2, 120.0));
        let e = std::f32::consts::E;
        assert!((moved(&[2.0 * e, 4.0 / e, 1000.0, 5.0]).unwrap() - 1.0).abs() < 1e-6);
        assert_eq!(moved(&[2.0, f32::NAN, 8.0, 5.0]), Some(0.0));
        assert_eq!(moved(&[f32::INFINITY; 4]), None);
    }
}
