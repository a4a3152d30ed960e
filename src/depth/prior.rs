//! The sparse depth prior: radar returns as discs of metres at the network's size.

use nalgebra::Point3;

use super::error::{DepthError, check_length, check_range, pixel_count};
use crate::geometry::CameraModel;

/// Image width that [`PriorConfig::radius_px`] is given for.
const REFERENCE_WIDTH: f32 = 640.0;

/// How returns are drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PriorConfig {
    /// Disc radius in pixels of an image 640 wide; it scales with the width of the prior. 5 is what
    /// the published network was trained with (81 pixels). Below half a pixel a return is one pixel.
    pub radius_px: f32,
    /// Nearest depth that is drawn, metres along the optical axis.
    pub min_m: f32,
    /// Farthest depth that is drawn, metres along the optical axis.
    pub max_m: f32,
}

impl PriorConfig {
    /// Discs as radarmeetsvision draws them, over the depth range of a model's manifest.
    pub const fn new(min_m: f32, max_m: f32) -> Self {
        Self { radius_px: 5.0, min_m, max_m }
    }
}

/// What became of the returns of one frame: every return is counted once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PriorStats {
    /// Inside the image and the depth range. Nearer returns may hide some of these.
    pub drawn: usize,
    /// In front of the camera, but the image does not show the place.
    pub outside: usize,
    /// Behind the camera.
    pub behind: usize,
    /// In front of the camera, but nearer or farther than the depth range.
    pub out_of_range: usize,
    /// A coordinate was NaN or infinite.
    pub not_finite: usize,
}

impl PriorStats {
    /// Number of returns that were offered.
    pub const fn total(&self) -> usize {
        self.drawn + self.outside + self.behind + self.out_of_range + self.not_finite
    }
}

/// Draws returns into `out` as depth along the optical axis, in metres, 0 where there is none.
///
/// `returns_camera` are `[x, y, z]` metres in the optical frame (z forward). `camera` is the model
/// *at the size of the prior* (see [`CameraModel::scaled`]); `out` has its `height × width` values,
/// row-major, and is overwritten. Where discs overlap the nearest return wins, so the order of the
/// returns does not matter and depths are never summed.
pub fn draw_prior(
    returns_camera: impl IntoIterator<Item = [f32; 3]>,
    camera: &CameraModel,
    config: &PriorConfig,
    out: &mut [f32],
) -> Result<PriorStats, DepthError> {
    let (width, height) = (camera.width as usize, camera.height as usize);
    check_length("prior", pixel_count("prior", width, height)?, out.len())?;
    check_range("depth range of the prior", config.min_m, config.max_m)?;
    out.fill(0.0);

    let radius = config.radius_px * width as f32 / REFERENCE_WIDTH;
    let mut stats = PriorStats::default();
    for [x, y, z] in returns_camera {
        if !(x.is_finite() && y.is_finite() && z.is_finite()) {
            stats.not_finite += 1;
        } else if z <= 0.0 {
            stats.behind += 1;
        } else if z < config.min_m || z > config.max_m {
            stats.out_of_range += 1;
        } else if let Some((column, row)) = pixel_of([x, y, z], camera) {
            stats.drawn += 1;
            for (row, columns) in disc(column, row, radius, width, height) {
                for pixel in &mut out[row * width..][columns] {
                    if *pixel == 0.0 || z < *pixel {
                        *pixel = z;
                    }
                }
            }
        } else {
            stats.outside += 1;
        }
    }
    Ok(stats)
}

/// Column and row of the pixel that shows a point of the optical frame, if the image shows it.
pub(super) fn pixel_of([x, y, z]: [f32; 3], camera: &CameraModel) -> Option<(usize, usize)> {
    let (u, v) = camera.project(&Point3::new(x as f64, y as f64, z as f64))?;
    let (u, v) = (u.round(), v.round());
    // Written so that NaN fails.
    let inside = u >= 0.0 && v >= 0.0 && u < camera.width as f64 && v < camera.height as f64;
    inside.then_some((u as usize, v as usize))
}

/// The rows of a disc with their ranges of columns, cut to the image. A radius below half a pixel,
/// or NaN, is the centre pixel alone.
pub(super) fn disc(
    column: usize,
    row: usize,
    radius: f32,
    width: usize,
    height: usize,
) -> impl Iterator<Item = (usize, std::ops::Range<usize>)> {
    // Nothing is larger than the image; this also bounds the work for an absurd radius.
    let limit = width.max(height) as f32;
    let radius = if radius >= 0.5 { radius.min(limit) } else { 0.0 };
    let reach = radius as usize;
    (row.saturating_sub(reach)..(row + reach + 1).min(height)).map(move |y| {
        let dy = y.abs_diff(row) as f32;
        let half = (radius * radius - dy * dy).max(0.0).sqrt() as usize;
        (y, column.saturating_sub(half)..(column + half + 1).min(width))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{PriorConfig, PriorStats, draw_prior};
    use crate::geometry::CameraModel;

    fn camera(width: u32, height: u32) -> CameraModel {
        let (w, h) = (width as f64, height as f64);
        CameraModel::pinhole(width, height, w / 2.0, w / 2.0, w / 2.0, h / 2.0).unwrap()
    }

    fn draw(returns: &[[f32; 3]], width: u32, height: u32) -> (Vec<f32>, PriorStats) {
        let mut out = vec![f32::NAN; (width * height) as usize];
        let config = PriorConfig::new(0.2, 100.0);
        let stats = draw_prior(returns.iter().copied(), &camera(width, height), &config, &mut out).unwrap();
        (out, stats)
    }

    #[test]
    fn one_return_is_a_disc_of_81_pixels_at_640() {
        let (prior, stats) = draw(&[[0.0, 0.0, 7.5]], 640, 480);
        assert_eq!(prior.iter().filter(|z| **z == 7.5).count(), 81);
        assert_eq!(prior.iter().filter(|z| **z == 0.0).count(), 640 * 480 - 81);
        for (pixel, &z) in prior.iter().enumerate() {
            let (dx, dy) = ((pixel % 640) as i32 - 320, (pixel / 640) as i32 - 240);
            assert_eq!(z == 7.5, dx * dx + dy * dy <= 25);
        }
        assert_eq!(stats, PriorStats { drawn: 1, ..PriorStats::default() });
    }

    #[test]
    fn the_disc_shrinks_with_the_network_down_to_a_pixel() {
        for (width, pixels) in [(320, 21), (128, 5), (64, 1), (8, 1)] {
            let (prior, _) = draw(&[[0.0, 0.0, 3.0]], width, width);
            assert_eq!(prior.iter().filter(|z| **z > 0.0).count(), pixels, "width {width}");
        }
    }

    #[test]
    fn overlapping_discs_keep_the_nearest_and_never_sum() {
        let (prior, stats) = draw(&[[0.0, 0.0, 5.0], [0.05, 0.0, 4.0], [0.0, 0.0, 9.0]], 640, 480);
        assert_eq!(stats.drawn, 3);
        assert!(prior.iter().all(|z| [0.0, 4.0, 5.0].contains(z)));
        assert!(prior.contains(&4.0) && prior.contains(&5.0));
    }

    #[test]
    fn every_return_is_counted_once() {
        let returns = [
            [0.0, 0.0, 5.0],
            [9.0, 0.0, 5.0],
            [0.0, 0.0, -5.0],
            [0.0, 0.0, 0.0],
            [0.0, 0.0, 0.1],
            [0.0, 0.0, 101.0],
            [f32::NAN, 0.0, 5.0],
            [0.0, f32::INFINITY, 5.0],
            [0.0, 0.0, f32::NAN],
        ];
        let (_, stats) = draw(&returns, 64, 48);
        let expected = PriorStats { drawn: 1, outside: 1, behind: 2, out_of_range: 2, not_finite: 3 };
        assert_eq!(stats, expected);
        assert_eq!(stats.total(), returns.len());
    }

    #[test]
    fn a_disc_at_the_border_is_cut() {
        let (prior, stats) = draw(&[[-5.0, -3.75, 5.0]], 640, 480);
        assert_eq!(stats.drawn, 1);
        assert_eq!(prior[0], 5.0);
        // A quarter of the disc with both axes: 81 = 4 · 15 + 4 · 5 + 1.
        assert_eq!(prior.iter().filter(|z| **z > 0.0).count(), 15 + 2 * 5 + 1);
    }

    #[test]
    fn absurd_settings_neither_panic_nor_hang() {
        let mut out = [0.0; 64];
        for radius_px in [f32::NAN, f32::INFINITY, -3.0, f32::MAX] {
            let config = PriorConfig { radius_px, ..PriorConfig::new(0.2, 100.0) };
            let stats = draw_prior([[0.0, 0.0, 1.0]], &camera(8, 8), &config, &mut out).unwrap();
            assert_eq!(stats.drawn, 1);
            assert_eq!(out[4 * 8 + 4], 1.0);
        }
        assert!(draw_prior([], &camera(8, 8), &PriorConfig::new(0.0, 1.0), &mut out).is_err());
        assert!(draw_prior([], &camera(8, 9), &PriorConfig::new(0.2, 1.0), &mut out).is_err());
    }

    proptest! {
        #[test]
        fn the_order_of_the_returns_does_not_matter(
            (returns, shuffled) in prop::collection::vec(
                (-6.0_f32..6.0, -6.0_f32..6.0, -1.0_f32..12.0).prop_map(|(x, y, z)| [x, y, z]),
                0..40,
            )
            .prop_flat_map(|returns| (Just(returns.clone()), Just(returns).prop_shuffle())),
        ) {
            let (prior, stats) = draw(&returns, 96, 72);
            let (other, other_stats) = draw(&shuffled, 96, 72);
            prop_assert_eq!(&prior, &other);
            prop_assert_eq!(stats, other_stats);
            prop_assert_eq!(stats.total(), returns.len());
            prop_assert!(prior.iter().all(|z| *z == 0.0 || returns.iter().any(|r| r[2] == *z)));
        }
    }
}
