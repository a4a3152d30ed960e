//! Fusion of the network's depth with the radar prior, where a model leaves it to its caller.

use multiversion::multiversion;

use super::error::{DepthError, check_length};
use super::output::unit_interval;

/// Pixels of the prior that are tested together.
const GROUP: usize = 64;

/// How depth, confidence and prior become one depth. Part of a model's manifest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fusion {
    /// The network's depth is the result.
    #[default]
    None,
    /// `d · c + p̄ · (1 − c)` with the one scalar mean `p̄` over all prior pixels, as
    /// radarmeetsvision publishes its network.
    PriorMean,
}

/// Fuses at network size. All slices are `height × width`, row-major.
///
/// - `depth`: metres; a value that is not a positive number stays as it is, whatever the prior.
/// - `confidence`: 0..1; NaN counts as 0, values outside are clamped. `None` counts as 1.
/// - `prior`: metres, 0 where there was no return.
///
/// Gives the prior's mean if it was used. Without a single return [`Fusion::PriorMean`] has no
/// anchor and `out` is `depth`; `None` then tells the caller to say so.
pub fn fuse(
    fusion: Fusion,
    depth: &[f32],
    confidence: Option<&[f32]>,
    prior: &[f32],
    out: &mut [f32],
) -> Result<Option<f32>, DepthError> {
    check_length("fused depth", depth.len(), out.len())?;
    let anchor = match fusion {
        Fusion::None => None,
        Fusion::PriorMean => {
            check_length("prior", depth.len(), prior.len())?;
            prior_mean(prior)
        }
    };
    let (Some(mean_m), Some(confidence)) = (anchor, confidence) else {
        out.copy_from_slice(depth);
        return Ok(None);
    };
    check_length("confidence", depth.len(), confidence.len())?;
    blend(depth, confidence, mean_m, out);
    Ok(Some(mean_m))
}

/// Each depth by its confidence, `mean_m` by the rest. Without branches the loop vectorises.
#[multiversion(targets("x86_64+avx+avx2"))]
fn blend(depth: &[f32], confidence: &[f32], mean_m: f32, out: &mut [f32]) {
    for ((out, &d), &c) in out.iter_mut().zip(depth).zip(confidence) {
        let c = unit_interval(c);
        let fused = d * c + mean_m * (1.0 - c);
        *out = if (d > 0.0) & (d < f32::INFINITY) { fused } else { d };
    }
}

/// Mean of the positive, finite values; `None` without any.
fn prior_mean(prior: &[f32]) -> Option<f32> {
    let (mut sum, mut count) = (0.0_f64, 0_u32);
    // Nearly all of a prior is empty: groups are tested as a whole, without a branch at each pixel.
    for group in prior.chunks(GROUP) {
        if has_depth(group) {
            for z in group.iter().filter(|z| **z > 0.0 && z.is_finite()) {
                sum += f64::from(*z);
                count += 1;
            }
        }
    }
    (count > 0).then(|| (sum / f64::from(count)) as f32)
}

#[inline]
fn has_depth(group: &[f32]) -> bool {
    group.iter().fold(false, |any, z| any | (*z > 0.0))
}

#[cfg(test)]
mod tests {
    use super::{Fusion, fuse};

    #[test]
    fn prior_mean_blends_by_confidence() {
        let mut out = [0.0; 4];
        let used = fuse(
            Fusion::PriorMean,
            &[10.0, 10.0, 10.0, 10.0],
            Some(&[1.0, 0.0, 0.25, f32::NAN]),
            &[0.0, 2.0, 6.0, 0.0],
            &mut out,
        );
        assert_eq!(used, Ok(Some(4.0)));
        assert_eq!(out, [10.0, 4.0, 5.5, 4.0]);
    }

    #[test]
    fn without_returns_the_network_speaks_alone() {
        let mut out = [0.0; 2];
        assert_eq!(fuse(Fusion::PriorMean, &[3.0, 7.0], Some(&[0.1, 0.2]), &[0.0, 0.0], &mut out), Ok(None));
        assert_eq!(out, [3.0, 7.0]);
    }

    #[test]
    fn no_fusion_ignores_the_prior() {
        let mut out = [0.0; 2];
        assert_eq!(fuse(Fusion::None, &[3.0, 7.0], Some(&[0.0, 0.0]), &[1.0, 1.0], &mut out), Ok(None));
        assert_eq!(out, [3.0, 7.0]);
    }

    #[test]
    fn a_pixel_without_depth_is_not_filled_from_the_mean() {
        let mut out = [0.0; 3];
        let depth = [0.0, f32::NAN, f32::INFINITY];
        fuse(Fusion::PriorMean, &depth, Some(&[0.0; 3]), &[5.0; 3], &mut out).unwrap();
        assert_eq!(out[0], 0.0);
        assert!(out[1].is_nan());
        assert_eq!(out[2], f32::INFINITY);
    }

    #[test]
    fn lengths_are_checked() {
        let mut out = [0.0; 2];
        assert!(fuse(Fusion::None, &[1.0], None, &[], &mut out).is_err());
        assert!(fuse(Fusion::PriorMean, &[1.0, 1.0], Some(&[1.0]), &[1.0, 1.0], &mut out).is_err());
        assert!(fuse(Fusion::PriorMean, &[1.0, 1.0], Some(&[1.0, 1.0]), &[1.0], &mut out).is_err());
    }
}
