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
}

impl Blur {
    /// A spot of `spot` pixels in a picture of 640 columns.
    pub const fn new(spot: f32) -> Self {
        Self { spot, kernel: Vec::new() }
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

/// Blurs one dimension: `count` items `step` values apart, from `from` into `to`, both starting at the first
/// value of the line. Beyond the edges the last item of the same colour goes on.
fn blur_line(kernel: &[f32], stride: usize, count: usize, step: usize, from: &[f32], to: &mut [f32]) {
    for i in 0..count {
        let mut sum = 0.0;
        for (k, weight) in kernel.iter().enumerate() {
            let offset = k * stride;
            let before = if offset <= i { i - offset } else { i % stride };
            let last = count - 1 - (count - 1 - i % stride) % stride;
            let after = (i + offset).min(last);
            let pair = [before, after].map(|at| from.get(at * step).copied().unwrap_or_default());
            sum += weight * if k == 0 { pair[0] } else { pair[0] + pair[1] };
        }
        if let Some(value) = to.get_mut(i * step) {
            *value = sum;
        }
    }
}

impl CameraModel for Blur {
    fn apply(&mut self, picture: &mut Picture, _: Draws) {
        let stride = picture.channels.stride();
        self.set_kernel(self.spot * picture.width as f32 / COLUMNS, stride);
        let (row, channels) = (picture.row_len(), picture.channels.count());
        let Picture { width, height, values, scratch, .. } = picture;
        // Spots are of light.
        values.iter_mut().for_each(|value| *value = light(*value));
        scratch.clear();
        scratch.resize(values.len(), 0.0);
        for (from, to) in values.chunks_exact(row.max(1)).zip(scratch.chunks_exact_mut(row.max(1))) {
            for channel in 0..channels {
                let (Some(from), Some(to)) = (from.get(channel..), to.get_mut(channel..)) else { continue };
                blur_line(&self.kernel, stride, *width, channels, from, to);
            }
        }
        for column in 0..row {
            let (Some(from), Some(to)) = (scratch.get(column..), values.get_mut(column..)) else { continue };
            blur_line(&self.kernel, stride, *height, row, from, to);
        }
        values.iter_mut().for_each(|value| *value = encoded(*value));
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
                lights.iter().enumerate().map(|(i, l)| ((i % 640) as f64 - 320.0).powi(2) * l).sum::<f64>() / sum;
            assert!((sum - 1.0).abs() < 0.01 && (variance.sqrt() / f64::from(spot) - 1.0).abs() < 0.03, "{spot}: {sum} {variance}");
        }
    }

    #[test]
    fn even_pictures_and_colours_of_a_mosaic_stay() {
        for channels in [Channels::Grey, Channels::Colour, Channels::Mosaic] {
            let mut before = grey(32, 18, 0.3);
            if channels == Channels::Mosaic {
                before.values.iter_mut().enumerate().for_each(|(i, v)| *v = 0.1 + 0.2 * ((i % 2) + 2 * (i / 32 % 2)) as f32);
            } else if channels == Channels::Colour {
                before.values = [0.1, 0.5, 0.9].repeat(32 * 18);
            }
            before.channels = channels;
            let after = applied(&mut Blur::new(40.0), &before, 0);
            let worst = before.values.iter().zip(&after.values).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(worst < 1e-3, "{channels:?}: {worst}");
        }
    }
}
