//! Network depth and confidence at the size of the image.
//!
//! Depth follows REP-118: metres along the optical axis, NaN where there is none, +∞ beyond the
//! range, −∞ nearer than it. Bilinear interpolation with pixel centres at integer coordinates; a
//! pixel without depth has no weight, so that no distance is invented between a surface and a hole.

use super::error::{DepthError, check_length, check_range, pixel_count};
use super::rows::{
    Limits, Line, Parts, Tap, blend, blend_confidence, blend_depth, interpolate, prepare, taps,
};

/// A bounded network squashes its output, so that it comes close to its upper end but never reaches
/// it: from this share of the range on, a value says "at least this far".
const SATURATION_SHARE: f32 = 1.0 - 1e-3;
/// Rounding of the interpolation, relative: a value this little outside the range is at its end.
const ROUNDING: f32 = 1e-5;

/// The depth range of a model, from its manifest.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DepthRange {
    /// Nearest depth in metres.
    pub min_m: f32,
    /// Farthest depth in metres.
    pub max_m: f32,
    /// Whether the network's output is bounded by `max_m` (a sigmoid times the range), so that the
    /// sky comes out as `max_m`.
    pub saturates: bool,
}

/// What one depth image consists of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DepthStats {
    /// Pixels with a finite depth.
    pub valid: usize,
    /// Pixels that are NaN.
    pub invalid: usize,
    /// Pixels that are +∞.
    pub beyond: usize,
    /// Pixels that are −∞.
    pub too_near: usize,
    /// Values *of the network* that are zero or negative: a network's way to say "none".
    pub network_none: usize,
    /// Values *of the network* that are NaN or infinite. No sound network gives any.
    pub network_non_finite: usize,
}

/// A confidence as a number from 0 to 1; NaN is no confidence.
pub(super) fn unit_interval(c: f32) -> f32 {
    if c.is_nan() { 0.0 } else { c.clamp(0.0, 1.0) }
}

/// Brings network-size images to image size, with tables and line buffers kept between frames.
#[derive(Debug)]
pub struct Upsampler {
    network: (usize, usize),
    image: (usize, usize),
    columns: Vec<Tap>,
    rows: Vec<Tap>,
    /// The network row that is being widened.
    source: Parts,
    lower: Line,
    upper: Line,
}

impl Upsampler {
    /// For network outputs and images of these sizes, `(width, height)`.
    pub fn new(network: (usize, usize), image: (usize, usize)) -> Result<Self, DepthError> {
        pixel_count("network output", network.0, network.1)?;
        pixel_count("image", image.0, image.1)?;
        Ok(Self {
            network,
            image,
            columns: taps(network.0, image.0),
            rows: taps(network.1, image.1),
            source: Parts::new(network.0),
            lower: Line::new(image.0),
            upper: Line::new(image.0),
        })
    }

    /// Width and height of the network's output.
    pub const fn network_size(&self) -> (usize, usize) {
        self.network
    }

    /// Width and height of the image.
    pub const fn image_size(&self) -> (usize, usize) {
        self.image
    }

    /// Writes the REP-118 depth image.
    ///
    /// `network_m` holds metres at network size, zero, negative or non-finite where there is no
    /// depth; `out_m` has image size. Values beyond the range keep their own class: a pixel mostly
    /// surrounded by them is +∞, otherwise they have no weight.
    pub fn depth(
        &mut self,
        network_m: &[f32],
        range: &DepthRange,
        out_m: &mut [f32],
    ) -> Result<DepthStats, DepthError> {
        self.check("network depth", network_m, "depth image", out_m)?;
        check_range("depth range", range.min_m, range.max_m)?;
        let share = if range.saturates { SATURATION_SHARE } else { 1.0 + ROUNDING };
        let limits = Limits {
            min_m: range.min_m,
            near_m: range.min_m * (1.0 - ROUNDING),
            beyond_m: range.max_m * share,
        };

        let mut stats = DepthStats::default();
        for row in network_m.chunks_exact(self.network.0) {
            let (mut non_finite, mut none) = (0_u32, 0_u32);
            for d in row {
                non_finite += u32::from(!d.is_finite());
                none += u32::from(d.is_finite() & (*d <= 0.0));
            }
            stats.network_non_finite += non_finite as usize;
            stats.network_none += none as usize;
        }
        let Self { columns, source, lower, upper, network, .. } = self;
        let mut widen = |row: &[f32], line: &mut Line| {
            line.is_whole = source.classify(row, limits);
            interpolate(columns, &source.value, &mut line.parts.value);
            if !line.is_whole {
                interpolate(columns, &source.weight, &mut line.parts.weight);
                interpolate(columns, &source.beyond, &mut line.parts.beyond);
            }
        };
        for (tap, out) in self.rows.iter().zip(out_m.chunks_exact_mut(self.image.0)) {
            prepare(lower, upper, *tap, network_m, network.0, &mut widen);
            if lower.is_whole && upper.is_whole {
                blend(&lower.parts.value, &upper.parts.value, tap.t, out);
                stats.valid += out.len();
                continue;
            }
            for line in [&mut *lower, &mut *upper] {
                if std::mem::take(&mut line.is_whole) {
                    line.parts.weight.fill(1.0);
                    line.parts.beyond.fill(0.0);
                }
            }
            let [valid, beyond, too_near] =
                blend_depth(&lower.parts, &upper.parts, tap.t, limits.near_m, out);
            stats.valid += valid as usize;
            stats.beyond += beyond as usize;
            stats.too_near += too_near as usize;
        }
        self.forget();
        stats.invalid = out_m.len() - stats.valid - stats.beyond - stats.too_near;
        Ok(stats)
    }

    /// Writes the confidence image, 0..1, 0 wherever `depth_m` (the image [`Self::depth`] gave) is
    /// NaN. `network` is at network size; NaN counts as 0 and values outside 0..1 are clamped.
    pub fn confidence(
        &mut self,
        network: &[f32],
        depth_m: &[f32],
        out: &mut [f32],
    ) -> Result<(), DepthError> {
        self.check("network confidence", network, "confidence image", out)?;
        check_length("depth image", out.len(), depth_m.len())?;
        let Self { columns, source, lower, upper, .. } = self;
        let mut widen = |row: &[f32], line: &mut Line| {
            for (value, &c) in source.value.iter_mut().zip(row) {
                *value = unit_interval(c);
            }
            interpolate(columns, &source.value, &mut line.parts.value);
        };
        let width = self.image.0;
        let lines = out.chunks_exact_mut(width).zip(depth_m.chunks_exact(width));
        for (tap, (out, depth_m)) in self.rows.iter().zip(lines) {
            prepare(lower, upper, *tap, network, self.network.0, &mut widen);
            blend_confidence(&lower.parts.value, &upper.parts.value, tap.t, depth_m, out);
        }
        self.forget();
        Ok(())
    }

    fn check(
        &self,
        source_name: &'static str,
        source: &[f32],
        target_name: &'static str,
        target: &[f32],
    ) -> Result<(), DepthError> {
        check_length(source_name, self.network.0 * self.network.1, source.len())?;
        check_length(target_name, self.image.0 * self.image.1, target.len())
    }

    /// The next call brings another image: the widened lines are not its own.
    fn forget(&mut self) {
        self.lower.row = None;
        self.upper.row = None;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::Deserialize;

    use super::{DepthRange, DepthStats, Upsampler};

    const RANGE: DepthRange = DepthRange { min_m: 0.2, max_m: 100.0, saturates: true };

    #[derive(Deserialize)]
    struct Golden {
        depths: Vec<Case>,
    }

    #[derive(Deserialize)]
    struct Case {
        source: (usize, usize),
        target: (usize, usize),
        network: Vec<f32>,
        image: Vec<Option<f32>>,
    }

    fn upsample(
        network: &[f32],
        source: (usize, usize),
        target: (usize, usize),
        range: &DepthRange,
    ) -> (Vec<f32>, DepthStats) {
        let mut out = vec![-1.0; target.0 * target.1];
        let stats = Upsampler::new(source, target).unwrap().depth(network, range, &mut out).unwrap();
        (out, stats)
    }

    #[test]
    fn agrees_with_dense_weight_matrices() {
        let text = include_str!("../../tests/golden/depth_resize.json");
        for case in serde_json::from_str::<Golden>(text).unwrap().depths {
            let (found, stats) = upsample(&case.network, case.source, case.target, &RANGE);
            assert_eq!(stats.invalid, case.image.iter().filter(|v| v.is_none()).count());
            assert_eq!(stats.valid + stats.invalid, found.len());
            assert_eq!(stats.network_none, case.network.iter().filter(|v| **v == 0.0).count());
            for (i, (found, expected)) in found.iter().zip(case.image).enumerate() {
                match expected {
                    Some(expected) => assert!((found - expected).abs() < 2e-5, "{i}: {expected}, {found}"),
                    None => assert!(found.is_nan(), "{i}: {found}"),
                }
            }
        }
    }

    #[test]
    fn a_hole_does_not_bend_the_surface_beside_it() {
        for hole in [0.0, -1.0, f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let (found, stats) = upsample(&[4.0, hole], (2, 1), (8, 1), &RANGE);
            assert!(found[..6].iter().all(|d| *d == 4.0), "{found:?}");
            assert!(found[6..].iter().all(|d| d.is_nan()), "{found:?}");
            assert_eq!(stats.network_none + stats.network_non_finite, 1);
            assert_eq!(stats.network_non_finite, usize::from(!hole.is_finite()));
        }
    }

    #[test]
    fn the_sky_is_infinite_and_leaves_the_roof_alone() {
        let (found, stats) = upsample(&[4.0, 99.95], (2, 1), (8, 1), &RANGE);
        assert_eq!(found[..4], [4.0; 4]);
        assert_eq!(found[4..], [f32::INFINITY; 4]);
        assert_eq!((stats.valid, stats.beyond, stats.invalid), (4, 4, 0));
    }

    #[test]
    fn the_end_of_an_unbounded_network_is_a_distance() {
        let range = DepthRange { saturates: false, ..RANGE };
        let (found, _) = upsample(&[99.95, 100.0, 100.1], (3, 1), (3, 1), &range);
        assert_eq!(found, [99.95, 100.0, f32::INFINITY]);
    }

    #[test]
    fn nearer_than_the_range_is_minus_infinity() {
        let (found, stats) = upsample(&[0.1, 0.2, 0.3], (3, 1), (3, 1), &RANGE);
        assert_eq!(found, [f32::NEG_INFINITY, 0.2, 0.3]);
        assert_eq!((stats.too_near, stats.valid), (1, 2));
    }

    #[test]
    fn confidence_is_zero_without_depth() {
        let mut upsampler = Upsampler::new((2, 1), (4, 1)).unwrap();
        let mut out = [9.0; 4];
        upsampler.confidence(&[0.5, 1.5], &[1.0, f32::NAN, f32::INFINITY, 2.0], &mut out).unwrap();
        assert_eq!(out, [0.5, 0.0, 0.875, 1.0]);
        upsampler.confidence(&[f32::NAN, -1.0], &[1.0; 4], &mut out).unwrap();
        assert_eq!(out, [0.0; 4]);
    }

    #[test]
    fn a_second_image_has_nothing_of_the_first() {
        let mut upsampler = Upsampler::new((2, 2), (3, 3)).unwrap();
        let mut out = [0.0; 9];
        upsampler.depth(&[f32::NAN; 4], &RANGE, &mut out).unwrap();
        assert!(out.iter().all(|d| d.is_nan()));
        upsampler.confidence(&[0.25; 4], &[1.0; 9], &mut out).unwrap();
        assert_eq!(out, [0.25; 9]);
        let stats = upsampler.depth(&[5.0; 4], &RANGE, &mut out).unwrap();
        assert_eq!((out, stats.valid), ([5.0; 9], 9));
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        assert!(Upsampler::new((0, 1), (1, 1)).is_err());
        let mut upsampler = Upsampler::new((2, 1), (2, 2)).unwrap();
        assert!(upsampler.depth(&[1.0], &RANGE, &mut [0.0; 4]).is_err());
        assert!(upsampler.depth(&[1.0; 2], &RANGE, &mut [0.0; 3]).is_err());
        let empty = DepthRange { min_m: 2.0, max_m: 2.0, saturates: false };
        assert!(upsampler.depth(&[1.0; 2], &empty, &mut [0.0; 4]).is_err());
        assert!(upsampler.confidence(&[1.0; 2], &[1.0; 3], &mut [0.0; 4]).is_err());
    }

    proptest! {
        #[test]
        fn a_constant_depth_stays_constant_around_holes(
            source in (1_usize..12, 1_usize..12),
            target in (1_usize..40, 1_usize..40),
            depth in 0.5_f32..90.0,
            holes in prop::collection::vec(any::<bool>(), 144),
        ) {
            let network: Vec<f32> =
                holes[..source.0 * source.1].iter().map(|&hole| if hole { 0.0 } else { depth }).collect();
            let (found, stats) = upsample(&network, source, target, &RANGE);
            for d in &found {
                prop_assert!(d.is_nan() || (d - depth).abs() <= 1e-5 * depth);
            }
            prop_assert_eq!(stats.invalid, found.iter().filter(|d| d.is_nan()).count());
            prop_assert_eq!(stats.valid + stats.invalid, found.len());
        }

        #[test]
        fn any_network_output_gives_lawful_values(
            network in prop::collection::vec(any::<f32>(), 12),
            target in (1_usize..20, 1_usize..20),
        ) {
            let (found, stats) = upsample(&network, (4, 3), target, &RANGE);
            for d in &found {
                prop_assert!(!d.is_finite() || (0.199..=100.0).contains(d));
            }
            let sum = stats.valid + stats.invalid + stats.beyond + stats.too_near;
            prop_assert_eq!(sum, found.len());
            prop_assert_eq!(stats.beyond, found.iter().filter(|d| **d == f32::INFINITY).count());
            prop_assert_eq!(stats.too_near, found.iter().filter(|d| **d == f32::NEG_INFINITY).count());
        }
    }
}
