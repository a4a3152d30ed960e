//! One gathered row to one row of the tensor's planes.
//!
//! All of it is one loop over target pixels. It is compiled for each pixel size and each usual number
//! of weights, so that the loop inside has a fixed length and becomes straight vector code.

use super::axis::Axis;
use super::source_rows::Layout;

/// Values read at each pixel of a colour image, whether it has three or four: one vector register.
pub(super) const LANES: usize = 4;

/// A row of one plane with the `(scale, offset)` of its channel.
pub(super) type Plane<'a> = (&'a mut [f32], (f32, f32));

/// Calls `$run` with the windows of `$columns`, their number of weights known to the compiler where it
/// is a usual one.
macro_rules! with_windows {
    ($columns:expr, $windows:ident => $run:expr) => {
        with_windows!($columns, $windows => $run, 2 3 4 5 6)
    };
    ($columns:expr, $windows:ident => $run:expr, $($taps:literal)*) => {
        match $columns.taps() {
            $($taps => { let $windows = $columns.windows_of::<$taps>(); $run })*
            _ => { let $windows = $columns.windows(); $run }
        }
    };
}

/// Resamples `gathered`, a row of pixels of `layout` followed by [`LANES`] values of no meaning, into the
/// planes red, green and blue.
pub(super) fn resample_row(gathered: &[f32], layout: Layout, columns: &Axis, planes: [Plane<'_>; 3]) {
    let [red, green, blue] = planes;
    match (layout.stride, layout.rgb) {
        (4, [0, ..]) => with_windows!(columns, w => colour::<4, _>(gathered, w, [red, green, blue])),
        (4, _) => with_windows!(columns, w => colour::<4, _>(gathered, w, [blue, green, red])),
        (3, [0, ..]) => with_windows!(columns, w => colour::<3, _>(gathered, w, [red, green, blue])),
        (3, _) => with_windows!(columns, w => colour::<3, _>(gathered, w, [blue, green, red])),
        (2, [at, ..]) => with_windows!(columns, w => grey::<2, _>(&gathered[at..], w, [red, green, blue])),
        (_, [at, ..]) => with_windows!(columns, w => grey::<1, _>(&gathered[at..], w, [red, green, blue])),
    }
}

/// Planes in the order of the pixel's first three values.
fn colour<'a, const STRIDE: usize, W: AsRef<[f32]> + ?Sized + 'a>(
    gathered: &[f32],
    windows: impl Iterator<Item = (usize, &'a W)>,
    [first, second, third]: [Plane<'_>; 3],
) {
    let (scales, offsets) = ([first.1.0, second.1.0, third.1.0], [first.1.1, second.1.1, third.1.1]);
    let targets = first.0.iter_mut().zip(second.0).zip(third.0);
    for ((start, weights), ((first, second), third)) in windows.zip(targets) {
        let [a, b, c, _] = weighted::<STRIDE, LANES>(gathered, start, weights.as_ref());
        *first = a * scales[0] + offsets[0];
        *second = b * scales[1] + offsets[1];
        *third = c * scales[2] + offsets[2];
    }
}

/// The pixel's first value in every plane.
fn grey<'a, const STRIDE: usize, W: AsRef<[f32]> + ?Sized + 'a>(
    gathered: &[f32],
    windows: impl Iterator<Item = (usize, &'a W)>,
    [red, green, blue]: [Plane<'_>; 3],
) {
    let (scales, offsets) = ([red.1.0, green.1.0, blue.1.0], [red.1.1, green.1.1, blue.1.1]);
    let targets = red.0.iter_mut().zip(green.0).zip(blue.0);
    for ((start, weights), ((red, green), blue)) in windows.zip(targets) {
        let [value] = weighted::<STRIDE, 1>(gathered, start, weights.as_ref());
        *red = value * scales[0] + offsets[0];
        *green = value * scales[1] + offsets[1];
        *blue = value * scales[2] + offsets[2];
    }
}

/// Weighted sum of the pixels from `start` on, `N` values of each.
#[inline]
fn weighted<const STRIDE: usize, const N: usize>(
    gathered: &[f32],
    start: usize,
    weights: &[f32],
) -> [f32; N] {
    let pixels = &gathered[start * STRIDE..][..(weights.len() - 1) * STRIDE + N];
    let mut sum = [0.0; N];
    for (k, weight) in weights.iter().enumerate() {
        let pixel = &pixels[k * STRIDE..k * STRIDE + N];
        for (sum, value) in sum.iter_mut().zip(pixel) {
            *sum += weight * value;
        }
    }
    sum
}
