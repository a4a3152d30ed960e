//! What sits in front of the lens or on it: the same thing in the same place in every frame.

use super::super::draw::Draws;
use super::picture::{CameraModel, Picture, encoded, light};

/// Share of the picture that specks cover, overlaps counted twice.
pub const DIRT: [f32; 5] = [0.04, 0.08, 0.14, 0.22, 0.32];
/// Share of the picture that is hidden.
pub const HIDDEN: [f32; 5] = [0.05, 0.10, 0.20, 0.30, 0.45];

/// Radius of a speck, share of the picture's width: dust and drops, widened because they are out of focus.
const SPECK: [f32; 2] = [0.01, 0.05];
/// Share of the light that the middle of a speck lets through.
const THROUGH: [f32; 2] = [0.05, 0.5];
/// Light that a speck scatters into the lens, share of the picture's mean.
const VEIL: f32 = 0.4;
/// Brightness of what hides a part of the picture: something near that is in shadow.
const SHADOW: f32 = 0.04;

/// Specks on the lens.
pub struct LensDirt(pub f32);

impl CameraModel for LensDirt {
    fn apply(&mut self, picture: &mut Picture, draws: Draws) {
        let (width, height) = (picture.width as f32, picture.height as f32);
        let area = width * height;
        let mean = picture.values.iter().map(|value| light(*value)).sum::<f32>()
            / picture.values.len().max(1) as f32;
        let mut covered = 0.0;
        // Specks of one severity are those of the next, too. One covers at least 0.03 % of a square picture.
        for speck in 0..10_000 {
            if covered >= self.0 * area || area == 0.0 {
                return;
            }
            let mut random = draws.lasting().at(speck);
            let radius = random.log_between(SPECK[0], SPECK[1]) * width;
            let centre = [random.unit() * width, random.unit() * height];
            let through = random.between(THROUGH[0], THROUGH[1]);
            covered += std::f32::consts::PI * radius * radius;
            smudge(picture, centre, radius, through, mean);
        }
    }
}

/// Darkens a disc whose edge is soft.
fn smudge(picture: &mut Picture, [x0, y0]: [f32; 2], radius: f32, through: f32, mean: f32) {
    let channels = picture.channels.count();
    let bounds = |centre: f32| ((centre - radius).max(0.0) as usize, (centre + radius + 1.0) as usize);
    let ((left, right), (top, bottom)) = (bounds(x0), bounds(y0));
    for (y, row) in picture.rows_mut().enumerate().take(bottom).skip(top) {
        for (x, pixel) in row.chunks_exact_mut(channels).enumerate().take(right).skip(left) {
            let distance = (x as f32 + 0.5 - x0).hypot(y as f32 + 0.5 - y0) / radius;
            if distance >= 1.0 {
                continue;
            }
            // 1 in the middle, 0 at the edge, level at both.
            let strength = 0.5 + 0.5 * (std::f32::consts::PI * distance).cos();
            let kept = 1.0 - strength * (1.0 - through);
            for value in pixel {
                *value = encoded(light(*value) * kept + VEIL * mean * (1.0 - kept));
            }
        }
    }
}

/// A rectangle hidden behind something dark.
pub struct Occlusion(pub f32);

impl CameraModel for Occlusion {
    fn apply(&mut self, picture: &mut Picture, draws: Draws) {
        let mut random = draws.lasting().at(0);
        // As much wider than the picture's own shape as it is lower; never beyond the picture.
        let shape = random.between(self.0.sqrt().max(0.6), 1.0 / self.0.sqrt().max(0.6));
        let (width, height) = (picture.width as f32, picture.height as f32);
        let columns = (self.0.sqrt() * shape * width).round().min(width);
        let rows = if columns > 0.0 { (self.0 * width * height / columns).round().min(height) } else { 0.0 };
        let (left, top) = (random.unit() * (width - columns), random.unit() * (height - rows));
        let (left, top) = (left.round() as usize, top.round() as usize);
        let channels = picture.channels.count();
        for row in picture.rows_mut().skip(top).take(rows as usize) {
            row.iter_mut()
                .skip(left * channels)
                .take(columns as usize * channels)
                .for_each(|value| *value = SHADOW);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{applied, grey};
    use super::*;

    #[test]
    fn the_hidden_share_is_hidden_in_the_same_place() {
        let before = grey(320, 240, 0.6);
        for hidden in HIDDEN {
            let frames = [0, 1].map(|message| applied(&mut Occlusion(hidden), &before, message).values);
            assert_eq!(frames[0], frames[1]);
            let share = frames[0].iter().filter(|v| **v == SHADOW).count() as f32 / (320.0 * 240.0);
            assert!((share - hidden).abs() < 0.01, "{hidden}: {share}");
        }
    }

    #[test]
    fn specks_darken_and_more_of_them_darken_more() {
        let before = grey(640, 480, 0.6);
        let mut last: Option<Vec<f32>> = None;
        for dirt in DIRT {
            let after = applied(&mut LensDirt(dirt), &before, 0);
            let touched = after.values.iter().filter(|v| **v < 0.599).count() as f32 / (640.0 * 480.0);
            assert!(touched > 0.3 * dirt && touched < dirt + 0.01, "{dirt}: {touched}");
            if let Some(last) = &last {
                assert!(after.values.iter().zip(last).all(|(a, b)| *a <= b + 1e-5));
            }
            last = Some(after.values);
        }
    }
}
