//! Out of focus: each point of light becomes a Gaussian spot.

use super::super::draw::Draws;
use super::picture::{CameraModel, Picture, encoded, light};

/// Standard deviation of the spot, pixels of a picture of 640 columns: the levels of ImageNet-C (Hendrycks and
/// Dietterich, ICLR 2019) for its Gaussian blur.
pub const SPOT_PX: [f32; 5] = [1.0, 2.0, 3.0, 4.0, 6.0];

/// Columns of the picture that [`SPOT_PX`] is for.
const COLUMNS: f32 = 640.0;
/// Where the kernel ends, standard deviations: 0.006 % of a spot lies beyond.
const REACH: f32 = 4.0;

/// A spot of a size.
pub struct Blur {
    spot: f32,
    /// Weights from the centre outwards; both sides together have the sum 1
    kernel: Vec<f32>,
    /// A row with what lies beyond its edges
    line: Vec<f32>,
}

impl Blur {
    /// A spot of `spot` pixels in a picture of 640 columns.
    pub const fn new(spot: f32) -> Self {
        Self { spot, kernel: Vec::new(), line: Vec::new() }
    }

    fn set_kernel(&mut self, deviation: f32, stride: usize) {
        let taps = (REACH * deviation / stride as f32).ceil() as usize;
        self.kernel.clear();
        self.kernel.extend((0..=taps).map(|k| {
            let distance = (k * stride) as f32 / deviation;
            (-0.5 * distance * distance).exp()
        }));
        let sum = self.kernel.iter().sum::<f32>() * 2.0 - self.kernel.first().copied().unwrap_or_default();
        self.kernel.iter_mut().for_each(|weight| *weight /= sum);
    }
}

/// The item at `i` of `count`; beyond the edges the last one of the same colour goes on.
fn inside(i: isize, count: usize, stride: usize) -> usize {
    let (last, stride) = (count as isize - 1, stride as isize);
    let place = if i < 0 {
        i.rem_euclid(stride)
    } else if i > last {
        last - (last - i).rem_euclid(stride)
    } else {
        i
    };
    place.max(0) as usize
}

/// Adds `weight` times the sum of `a` and `b`, or of `a` alone in the `centre`.
fn add(to: &mut [f32], weight: f32, a: &[f32], b: &[f32], centre: bool) {
    let weights = [weight, if centre { 0.0 } else { weight }];
    for ((to, a), b) in to.iter_mut().zip(a).zip(b) {
        *to += weights[0] * a + weights[1] * b;
    }
}

impl CameraModel for Blur {
    fn apply(&mut self, picture: &mut Picture, _: Draws) {
        let stride = picture.channels.stride();
        self.set_kernel(self.spot * picture.width as f32 / COLUMNS, stride);
        let (row, channels) = (picture.row_len(), picture.channels.count());
        let Picture { width, height, values, scratch, .. } = picture;
        // Spots are of light.
        for value in values.iter_mut() {
            *value = light(*value);
        }
        scratch.clear();
        scratch.resize(values.len(), 0.0);
        let Self { kernel, line, .. } = self;
        let reach = kernel.len().saturating_sub(1) * stride;
        for (from, to) in values.chunks_exact(row.max(1)).zip(scratch.chunks_exact_mut(row.max(1))) {
            line.clear();
            for x in -(reach as isize)..(*width + reach) as isize {
                let place = inside(x, *width, stride) * channels;
                line.extend_from_slice(from.get(place..place + channels).unwrap_or_default());
            }
            for (k, weight) in kernel.iter().enumerate() {
                let [a, b] = [reach - k * stride, reach + k * stride]
                    .map(|x| line.get(x * channels..).unwrap_or_default());
                add(to, *weight, a, b, k == 0);
            }
        }
        values.fill(0.0);
        for (y, to) in values.chunks_exact_mut(row.max(1)).enumerate() {
            for (k, weight) in kernel.iter().enumerate() {
                let (y, offset) = (y as isize, (k * stride) as isize);
                let [a, b] = [y - offset, y + offset]
                    .map(|y| scratch.get(inside(y, *height, stride) * row..).unwrap_or_default());
                add(to, *weight, a, b, k == 0);
            }
        }
        for value in values.iter_mut() {
            *value = encoded(*value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::picture::Channels;
    use super::super::tests::{applied, grey};
    use super::*;

    #[test]
    fn a_point_becomes_a_spot_of_its_deviation() {
        for spot in SPOT_PX {
            let mut before = grey(640, 64, 0.0);
            before.values[32 * 640 + 320] = 1.0;
            let after = applied(&mut Blur::new(spot), &before, 0);
            let lights: Vec<f64> = after.values.iter().map(|v| f64::from(light(*v))).collect();
            let sum: f64 = lights.iter().sum();
            let variance: f64 =
                lights.iter().enumerate().map(|(i, l)| ((i % 640) as f64 - 320.0).powi(2) * l).sum::<f64>()
                    / sum;
            assert!(
                (sum - 1.0).abs() < 0.01 && (variance.sqrt() / f64::from(spot) - 1.0).abs() < 0.03,
                "{spot}: {sum} {variance}"
            );
        }
    }

    #[test]
    fn even_pictures_and_colours_of_a_mosaic_stay() {
        for channels in [Channels::Grey, Channels::Colour, Channels::Mosaic] {
            let mut before = grey(32, 18, 0.3);
            if channels == Channels::Mosaic {
                before
                    .values
                    .iter_mut()
                    .enumerate()
                    .for_each(|(i, v)| *v = 0.1 + 0.2 * ((i % 2) + 2 * (i / 32 % 2)) as f32);
            } else if channels == Channels::Colour {
                before.values = [0.1, 0.5, 0.9].repeat(32 * 18);
            }
            before.channels = channels;
            let after = applied(&mut Blur::new(40.0), &before, 0);
            let worst =
                before.values.iter().zip(&after.values).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(worst < 1e-3, "{channels:?}: {worst}");
        }
    }
}
