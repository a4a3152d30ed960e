//! Rows of an image on their way from the network's size to the camera's.
//!
//! A row is taken apart into depths and weights, widened once, and blended with its neighbour. Where every
//! pixel has a depth the weights are all 1 and are left out: the result is the same to the bit.

use multiversion::multiversion;

use super::axis::linear_at;

/// Two source pixels and the weight of the second.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tap {
    pub low: u32,
    pub high: u32,
    pub t: f32,
}

pub(super) fn taps(source: usize, target: usize) -> Vec<Tap> {
    (0..target)
        .map(|i| {
            let (low, high, t) = linear_at(i, source, target);
            Tap { low: low as u32, high: high as u32, t }
        })
        .collect()
}

/// Where depth ends, metres.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_field_names, reason = "the unit belongs to each name")]
pub(super) struct Limits {
    /// The nearest that is inside for certain.
    pub min_m: f32,
    /// The nearest that rounding may have made of it.
    pub near_m: f32,
    /// From here on a value is beyond the range.
    pub beyond_m: f32,
}

/// One row, each pixel taken apart into what is interpolated.
#[derive(Debug)]
pub(super) struct Parts {
    /// Depth times weight of the pixels that have one, or the confidence.
    pub value: Vec<f32>,
    /// Weight of the pixels with depth.
    pub weight: Vec<f32>,
    /// Weight of the pixels beyond the range.
    pub beyond: Vec<f32>,
}

impl Parts {
    pub fn new(width: usize) -> Self {
        Self { value: vec![0.0; width], weight: vec![0.0; width], beyond: vec![0.0; width] }
    }

    /// Takes a row of depths apart. Whether every pixel has a depth inside the range.
    pub fn classify(&mut self, row: &[f32], limits: Limits) -> bool {
        classify(self, row, limits)
    }
}

#[multiversion(targets("x86_64+avx+avx2"))]
fn classify(parts: &mut Parts, row: &[f32], limits: Limits) -> bool {
    let n = row.len();
    // Slices of one known length and no branches, so that the loop vectorises.
    let (value, weight) = (&mut parts.value[..n], &mut parts.weight[..n]);
    let beyond = &mut parts.beyond[..n];
    let mut inside = 0_u32;
    for i in 0..n {
        let d = row[i];
        let positive = (d > 0.0) & (d < f32::INFINITY);
        let finite = positive & (d < limits.beyond_m);
        value[i] = if finite { d } else { 0.0 };
        weight[i] = if finite { 1.0 } else { 0.0 };
        beyond[i] = if positive & !finite { 1.0 } else { 0.0 };
        inside += u32::from(finite & (d >= limits.min_m));
    }
    inside as usize == n
}

/// One network row, widened to the image.
#[derive(Debug)]
pub(super) struct Line {
    pub row: Option<usize>,
    /// Every pixel has a depth inside the range, so that `value` is the depth and the weights are unused.
    pub is_whole: bool,
    pub parts: Parts,
}

impl Line {
    pub fn new(width: usize) -> Self {
        Self { row: None, is_whole: false, parts: Parts::new(width) }
    }
}

/// Makes `lower` and `upper` the widened network rows of `tap`, widening each row once an image.
pub(super) fn prepare(
    lower: &mut Line,
    upper: &mut Line,
    tap: Tap,
    source: &[f32],
    width: usize,
    widen: &mut impl FnMut(&[f32], &mut Line),
) {
    let (low, high) = (tap.low as usize, tap.high as usize);
    if upper.row == Some(low) {
        std::mem::swap(lower, upper);
    }
    for (line, row) in [(lower, low), (upper, high)] {
        if line.row != Some(row) {
            widen(&source[row * width..][..width], line);
            line.row = Some(row);
        }
    }
}

/// Widens one row of finite values.
pub(super) fn interpolate(columns: &[Tap], row: &[f32], out: &mut [f32]) {
    match out.len().checked_div(row.len()) {
        Some(2) if out.len() == 2 * row.len() => widen_2(row, out),
        Some(4) if out.len() == 4 * row.len() => widen_4(row, out),
        _ => interpolate_at(columns, row, out),
    }
}

fn interpolate_at(columns: &[Tap], row: &[f32], out: &mut [f32]) {
    for (tap, out) in columns.iter().zip(out) {
        let (a, b) = (row[tap.low as usize], row[tap.high as usize]);
        *out = a + (b - a) * tap.t;
    }
}

#[multiversion(targets("x86_64+avx+avx2"))]
fn widen_2(row: &[f32], out: &mut [f32]) {
    widen(row, out, [0.75, 0.25]);
}

#[multiversion(targets("x86_64+avx+avx2"))]
fn widen_4(row: &[f32], out: &mut [f32]) {
    widen(row, out, [0.625, 0.875, 0.125, 0.375]);
}

/// As [`interpolate_at`] for `N` pixels in place of each, where the tables repeat: `t` are the weights of the
/// second of two source pixels, of which the first half lies before the source pixel's centre. A power of two,
/// so that these weights are exact and the result is the same to the bit.
#[inline(always)]
#[expect(clippy::inline_always, reason = "it must become part of functions compiled for other targets")]
fn widen<const N: usize>(row: &[f32], out: &mut [f32], t: [f32; N]) {
    let pixels = |[left, own, right]: [f32; 3]| -> [f32; N] {
        std::array::from_fn(|i| {
            let (a, b) = if i < N / 2 { (left, own) } else { (own, right) };
            a + (b - a) * t[i]
        })
    };
    let (out, _) = out.as_chunks_mut::<N>();
    let ([first, .., last], [out_first, inner @ .., out_last]) = (row, &mut *out) else {
        for (out, &own) in out.iter_mut().zip(row) {
            *out = [own; N];
        }
        return;
    };
    for (out, window) in inner.iter_mut().zip(row.windows(3)) {
        *out = pixels([window[0], window[1], window[2]]);
    }
    *out_first = pixels([*first, *first, row[1]]);
    *out_last = pixels([row[row.len() - 2], *last, *last]);
}

/// One row of the image where nothing is missing.
#[multiversion(targets("x86_64+avx+avx2"))]
pub(super) fn blend(lower: &[f32], upper: &[f32], t: f32, out: &mut [f32]) {
    for ((out, &a), &b) in out.iter_mut().zip(lower).zip(upper) {
        *out = a + (b - a) * t;
    }
}

/// One row of the confidence image: 0 where the depth is NaN.
#[multiversion(targets("x86_64+avx+avx2"))]
pub(super) fn blend_confidence(lower: &[f32], upper: &[f32], t: f32, depth_m: &[f32], out: &mut [f32]) {
    for (((out, &a), &b), d) in out.iter_mut().zip(lower).zip(upper).zip(depth_m) {
        let value = a + (b - a) * t;
        *out = if d.is_nan() { 0.0 } else { value };
    }
}

/// One row of the depth image; counts of finite, +∞ and −∞ pixels.
#[multiversion(targets("x86_64+avx+avx2"))]
pub(super) fn blend_depth(lower: &Parts, upper: &Parts, t: f32, near_m: f32, out: &mut [f32]) -> [u32; 3] {
    let n = out.len();
    // Slices of one known length and no branches, so that the loop vectorises.
    let (v0, v1) = (&lower.value[..n], &upper.value[..n]);
    let (w0, w1) = (&lower.weight[..n], &upper.weight[..n]);
    let (b0, b1) = (&lower.beyond[..n], &upper.beyond[..n]);
    let (mut valid, mut beyonds, mut nears) = (0_u32, 0_u32, 0_u32);
    for i in 0..n {
        let value = v0[i] + (v1[i] - v0[i]) * t;
        let weight = w0[i] + (w1[i] - w0[i]) * t;
        let beyond = b0[i] + (b1[i] - b0[i]) * t;
        let depth = value / weight;
        let is_beyond = beyond > weight;
        let is_near = !is_beyond & (depth < near_m);
        valid += u32::from(!is_beyond & (depth >= near_m));
        beyonds += u32::from(is_beyond);
        nears += u32::from(is_near);
        // Without any weight the quotient is 0/0, which is the NaN that belongs here.
        let depth = if is_near { f32::NEG_INFINITY } else { depth };
        out[i] = if is_beyond { f32::INFINITY } else { depth };
    }
    [valid, beyonds, nears]
}

#[cfg(test)]
mod tests {
    use super::{Limits, Parts, blend, blend_depth, interpolate, interpolate_at, taps};

    #[test]
    fn two_and_four_pixels_for_each_are_those_of_the_tables() {
        for n in [1, 2, 3, 8, 37] {
            let row: Vec<f32> = (0..n).map(|i| 0.2 + 90.0 * (i as f32 * 1.7).sin().abs()).collect();
            for width in [2 * n, 4 * n] {
                let columns = taps(n, width);
                let (mut found, mut expected) = (vec![0.0; width], vec![0.0; width]);
                interpolate(&columns, &row, &mut found);
                interpolate_at(&columns, &row, &mut expected);
                assert_eq!(found, expected, "{n} to {width}");
            }
        }
    }

    #[test]
    fn leaving_the_weights_out_changes_nothing() {
        let limits = Limits { min_m: 0.2, near_m: 0.2 * (1.0 - 1e-5), beyond_m: 100.0 };
        let (n, width) = (7, 23);
        let row = |k: f32| (0..n).map(|i| 0.2 + k * (i as f32 * 1.7).sin().abs()).collect::<Vec<_>>();
        let columns = taps(n, width);
        let [lower, upper] = [row(3.1), row(47.3)].map(|row| {
            let (mut source, mut wide) = (Parts::new(n), Parts::new(width));
            assert!(source.classify(&row, limits));
            interpolate(&columns, &source.value, &mut wide.value);
            interpolate(&columns, &source.weight, &mut wide.weight);
            interpolate(&columns, &source.beyond, &mut wide.beyond);
            wide
        });
        for t in [0.0, 0.25, 0.7, 1.0] {
            let (mut with, mut without) = (vec![0.0; width], vec![0.0; width]);
            assert_eq!(blend_depth(&lower, &upper, t, limits.near_m, &mut with), [width as u32, 0, 0]);
            blend(&lower.value, &upper.value, t, &mut without);
            assert_eq!(with, without);
        }
    }

    #[test]
    fn one_pixel_of_another_class_is_noticed() {
        let limits = Limits { min_m: 0.2, near_m: 0.199, beyond_m: 100.0 };
        for other in [0.0, -1.0, 0.1999, 100.0, f32::INFINITY, f32::NAN] {
            assert!(!Parts::new(2).classify(&[4.0, other], limits), "{other}");
        }
    }
}
