//! Resampling tables for one axis of an image.
//!
//! Pixel centres lie at integer coordinates, so target pixel `i` sits at `(i + 0.5) · s − 0.5` in
//! the source, with `s = source / target`. Positions outside the source take its border pixel.

/// Down-scaling from this factor on averages over the target pixel's footprint: two bilinear taps
/// would skip source pixels and alias.
const AREA_FROM_SCALE: f64 = 2.0;

/// Where target pixel `i` lies between two source pixels: `(low, high, weight of high)`.
pub(super) fn linear_at(i: usize, source: usize, target: usize) -> (usize, usize, f32) {
    let last = source.saturating_sub(1);
    let scale = source as f64 / target as f64;
    let position = ((i as f64 + 0.5) * scale - 0.5).clamp(0.0, last as f64);
    let low = (position as usize).min(last);
    (low, (low + 1).min(last), (position - low as f64) as f32)
}

/// Weights that turn `source` pixels of one axis into `target` pixels: bilinear, or the area average
/// when the axis shrinks to half or less.
#[derive(Clone, Debug, Default)]
pub(super) struct Axis {
    source: usize,
    target: usize,
    taps: usize,
    starts: Vec<u32>,
    weights: Vec<f32>,
}

impl Axis {
    /// Makes the tables fit these lengths (both ≥ 1), keeping them when they already do.
    pub(super) fn fit(&mut self, source: usize, target: usize) {
        if self.source == source && self.target == target {
            return;
        }
        let scale = source as f64 / target as f64;
        let area = scale >= AREA_FROM_SCALE;
        // A footprint of length s touches at most ⌈s⌉ + 1 pixels, and s if that is a whole number.
        let most = if scale.fract() == 0.0 { scale as usize } else { scale.ceil() as usize + 1 };
        self.taps = if area { most } else { 2 }.min(source);
        self.source = source;
        self.target = target;
        self.starts.clear();
        self.weights.clear();
        self.weights.resize(target * self.taps, 0.0);
        for (i, weights) in self.weights.chunks_exact_mut(self.taps).enumerate() {
            let (low, high, t) = linear_at(i, source, target);
            let first = if area { ((i as f64 * scale) as usize).min(source - 1) } else { low };
            // The window stays inside the source, so that the inner loops need no border case.
            let start = first.min(source - self.taps);
            self.starts.push(start as u32);
            if area {
                let (begin, end) = (i as f64 * scale, (i as f64 + 1.0) * scale);
                for (k, weight) in weights.iter_mut().enumerate() {
                    let pixel = (start + k) as f64;
                    let overlap = (end.min(pixel + 1.0) - begin.max(pixel)).max(0.0);
                    *weight = (overlap / scale) as f32;
                }
            } else {
                weights[low - start] += 1.0 - t;
                weights[high - start] += t;
            }
        }
    }

    /// How many weights each target pixel has.
    pub(super) fn taps(&self) -> usize {
        self.taps
    }

    /// As [`Axis::windows`] for an axis of `TAPS` weights a pixel.
    pub(super) fn windows_of<const TAPS: usize>(&self) -> impl Iterator<Item = (usize, &[f32; TAPS])> {
        self.starts.iter().map(|&s| s as usize).zip(self.weights.as_chunks::<TAPS>().0)
    }

    /// First source pixel and weights of each target pixel; all windows lie inside the source.
    pub(super) fn windows(&self) -> impl Iterator<Item = (usize, &[f32])> {
        self.starts.iter().map(|&s| s as usize).zip(self.weights.chunks_exact(self.taps.max(1)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Axis, linear_at};

    fn axis(source: usize, target: usize) -> Axis {
        let mut axis = Axis::default();
        axis.fit(source, target);
        axis
    }

    #[test]
    fn equal_lengths_copy() {
        for (i, (start, weights)) in axis(5, 5).windows().enumerate() {
            for (k, &w) in weights.iter().enumerate() {
                assert_eq!(w, if start + k == i { 1.0 } else { 0.0 });
            }
        }
    }

    #[test]
    fn halving_averages_pairs() {
        for (i, (start, weights)) in axis(8, 4).windows().enumerate() {
            for (k, &w) in weights.iter().enumerate() {
                assert_eq!(w, if [2 * i, 2 * i + 1].contains(&(start + k)) { 0.5 } else { 0.0 });
            }
        }
    }

    #[test]
    fn doubling_sits_at_quarters() {
        assert_eq!(linear_at(0, 2, 4), (0, 1, 0.0));
        assert_eq!(linear_at(1, 2, 4), (0, 1, 0.25));
        assert_eq!(linear_at(2, 2, 4), (0, 1, 0.75));
        assert_eq!(linear_at(3, 2, 4), (1, 1, 0.0));
    }

    proptest! {
        #[test]
        fn weights_sum_to_one_and_stay_inside(source in 1_usize..200, target in 1_usize..200) {
            let axis = axis(source, target);
            prop_assert_eq!(axis.windows().count(), target);
            for (start, weights) in axis.windows() {
                prop_assert!(start + weights.len() <= source);
                prop_assert!((weights.iter().sum::<f32>() - 1.0).abs() < 1e-5);
                prop_assert!(weights.iter().all(|w| *w >= 0.0));
            }
        }

        #[test]
        fn centre_of_mass_is_the_pixel_centre(source in 2_usize..200, target in 2_usize..200) {
            for (i, (start, weights)) in axis(source, target).windows().enumerate() {
                let exact = (i as f64 + 0.5) * source as f64 / target as f64 - 0.5;
                let centre: f64 = weights.iter().enumerate().map(|(k, &w)| (start + k) as f64 * w as f64).sum();
                // A pixel cut by the end of a footprint counts at its centre, up to an eighth of a
                // pixel away from its part inside.
                let scale = source as f64 / target as f64;
                let slack = if scale >= 2.0 { 0.25 / scale } else { 0.0 };
                prop_assert!((centre - exact.clamp(0.0, source as f64 - 1.0)).abs() < slack + 1e-4);
            }
        }
    }
}
