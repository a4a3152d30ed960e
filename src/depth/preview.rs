//! Depth as a picture: colours, the radar returns on top, a bar with the scale.

use super::colour::DepthColours;
use super::error::{DepthError, check_length, pixel_count};
use super::footprint::PlacedReturn;
use super::prior::{disc, pixel_of};
use crate::geometry::CameraModel;

/// Width of the white ring around a return, in pixels.
const RING_PX: f32 = 1.5;

/// Colours a depth image: `out` receives rgb8, three bytes a pixel.
pub fn colour_depth(depth_m: &[f32], colours: &DepthColours, out: &mut [u8]) -> Result<(), DepthError> {
    check_length("preview", depth_m.len().saturating_mul(3), out.len())?;
    for (pixel, &d) in out.chunks_exact_mut(3).zip(depth_m) {
        pixel.copy_from_slice(&colours.of(d));
    }
    Ok(())
}

/// Draws returns as discs in the colour of their own depth with a white ring, nearest on top, so
/// that the picture shows what the radar gave and how far the depth around it agrees.
///
/// `camera` is the model at the size of the picture, `rgb` its rgb8 bytes, `radius_px` the radius
/// without the ring. The returns are sorted in place, farthest first. Gives how many are in the picture; those not finite, behind the
/// camera or outside the image are left out.
pub fn draw_returns(
    returns: &mut [PlacedReturn],
    camera: &CameraModel,
    colours: &DepthColours,
    radius_px: f32,
    rgb: &mut [u8],
) -> Result<usize, DepthError> {
    let (width, height) = (camera.width as usize, camera.height as usize);
    check_length("preview", pixel_count("preview", width, height)?.saturating_mul(3), rgb.len())?;
    returns.sort_unstable_by(|a, b| b.position[2].total_cmp(&a.position[2]));
    let mut drawn = 0;
    for &PlacedReturn { position: point, .. } in returns.iter() {
        if !point.iter().all(|v| v.is_finite()) || point[2] <= 0.0 {
            continue;
        }
        let Some((column, row)) = pixel_of(point, camera) else { continue };
        drawn += 1;
        for (radius, colour) in [(radius_px + RING_PX, [255; 3]), (radius_px, colours.of(point[2]))] {
            for (y, columns) in disc(column, row, radius, width, height) {
                let bytes = &mut rgb[3 * (y * width + columns.start)..3 * (y * width + columns.end)];
                for pixel in bytes.chunks_exact_mut(3) {
                    pixel.copy_from_slice(&colour);
                }
            }
        }
    }
    Ok(drawn)
}

/// Fills an rgb8 picture of `width` columns with the colour scale, near at the bottom row and far
/// at the top row. Its numbers are [`DepthColours::range_m`].
pub fn draw_legend(colours: &DepthColours, width: usize, rgb: &mut [u8]) -> Result<(), DepthError> {
    let line = pixel_count("legend", width, 1)?.saturating_mul(3);
    let rows = rgb.len() / line;
    check_length("legend", rows.max(1).saturating_mul(line), rgb.len())?;
    let last = (rows - 1).max(1) as f32;
    for (i, row) in rgb.chunks_exact_mut(line).enumerate() {
        let colour = colours.at_share((rows - 1 - i) as f32 / last);
        for pixel in row.chunks_exact_mut(3) {
            pixel.copy_from_slice(&colour);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{PlacedReturn, colour_depth, draw_legend, draw_returns};
    use crate::depth::DepthColours;
    use crate::geometry::CameraModel;

    fn colours() -> DepthColours {
        DepthColours::new(0.5, 50.0).unwrap()
    }

    #[test]
    fn each_pixel_has_the_colour_of_its_depth() {
        let mut rgb = [7; 9];
        colour_depth(&[0.5, f32::NAN, 50.0], &colours(), &mut rgb).unwrap();
        assert_eq!(rgb[0..3], colours().at_share(0.0));
        assert_eq!(rgb[3..6], [0; 3]);
        assert_eq!(rgb[6..9], colours().at_share(1.0));
        assert!(colour_depth(&[1.0], &colours(), &mut rgb).is_err());
    }

    #[test]
    fn the_nearest_return_lies_on_top() {
        let camera = CameraModel::pinhole(40, 30, 20.0, 20.0, 20.0, 15.0).unwrap();
        let mut rgb = vec![0; 40 * 30 * 3];
        let mut returns =
            [[0.0, 0.0, 2.0], [0.0, 0.0, 20.0], [0.0, 0.0, -1.0], [f32::NAN, 0.0, 1.0], [90.0, 0.0, 1.0]]
                .map(|position| PlacedReturn { position, direction_std: [0.0; 2] });
        let drawn = draw_returns(&mut returns, &camera, &colours(), 3.0, &mut rgb).unwrap();
        assert_eq!(drawn, 2);
        let pixel = |x: usize, y: usize| &rgb[3 * (40 * y + x)..][..3];
        assert_eq!(pixel(20, 15), colours().of(2.0));
        assert_eq!(pixel(24, 15), [255; 3]);
        assert_eq!(pixel(25, 15), [0; 3]);
    }

    #[test]
    fn the_legend_runs_from_near_at_the_bottom_to_far_at_the_top() {
        let mut rgb = [0; 5 * 2 * 3];
        draw_legend(&colours(), 2, &mut rgb).unwrap();
        assert_eq!(rgb[..3], colours().at_share(1.0));
        assert_eq!(rgb[27..], colours().at_share(0.0));
        assert!(draw_legend(&colours(), 0, &mut rgb).is_err());
        assert!(draw_legend(&colours(), 7, &mut rgb).is_err());
        assert!(draw_legend(&colours(), 2, &mut []).is_err());
    }
}
