//! Camera with radar returns, depth and confidence, side by side.

use super::{Canvas, Font, PictureError, Rgb, TextAnchor};
use crate::depth::DepthColours;

const BACKGROUND: Rgb = [18, 20, 26];
const INK: Rgb = [226, 230, 238];
const DIM_INK: Rgb = [150, 158, 172];
/// Two greys of the hatching that marks pixels without depth.
const NO_DEPTH: [Rgb; 2] = [[44, 48, 56], [58, 62, 72]];

const MARGIN: usize = 16;
const TITLE_HEIGHT: usize = 34;
const LEGEND_WIDTH: usize = 76;
const BAR_WIDTH: usize = 16;

/// A radar return in the camera image.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RadarDot {
    /// Column, pixels of the camera image.
    pub u: f32,
    /// Row, pixels of the camera image.
    pub v: f32,
    /// Depth along the optical axis, metres: what the depth panel shows at that pixel.
    pub depth_m: f32,
}

/// What to draw; every image has `width` x `height` pixels, row-major.
#[derive(Clone, Copy, Debug)]
pub struct DepthPicture<'a> {
    /// Width of the images.
    pub width: usize,
    /// Height of the images.
    pub height: usize,
    /// Camera image, RGB bytes.
    pub rgb: &'a [u8],
    /// Radar returns projected into the image.
    pub radar: &'a [RadarDot],
    /// Depth, metres; NaN invalid, +Inf beyond range.
    pub depth: &'a [f32],
    /// Confidence 0..1; NaN shows as 0.
    pub confidence: &'a [f32],
    /// Nearest and farthest depth of the colour scale, metres.
    pub scale_m: (f32, f32),
    /// Width of one panel in the picture, pixels (480 suits a page).
    pub panel_width: usize,
}

impl DepthPicture<'_> {
    /// A scale for `depth`: its 1st and 99th percentile among the finite positive values, or `None`
    /// when there are no two different ones.
    pub fn scale_for(depth: &[f32]) -> Option<(f32, f32)> {
        let mut valid: Vec<f32> = depth.iter().copied().filter(|d| d.is_finite() && *d > 0.0).collect();
        valid.sort_unstable_by(f32::total_cmp);
        let near = *valid.get(valid.len() / 100)?;
        let far = *valid.get((valid.len() * 99) / 100)?;
        (near < far).then_some((near, far))
    }

    /// Draws the three panels.
    ///
    /// Fails on buffers of the wrong length, an empty or oversized picture, or a scale that is not
    /// `0 < near < far`.
    pub fn render(&self) -> Result<Canvas, PictureError> {
        self.check()?;
        let colours = DepthColours::new(self.scale_m.0, self.scale_m.1).map_err(|_| PictureError::Range {
            what: "depth scale",
            expected: "0 < near < far in metres",
            found: format!("{} to {}", self.scale_m.0, self.scale_m.1),
        })?;
        let panel_height = (self.panel_width * self.height).div_ceil(self.width);
        let panel = [self.panel_width, panel_height];
        let size = [self.width, self.height];
        let top = MARGIN + TITLE_HEIGHT;
        let camera_x = MARGIN;
        let depth_x = camera_x + self.panel_width + MARGIN;
        let confidence_x = depth_x + self.panel_width + LEGEND_WIDTH + MARGIN;
        let mut canvas =
            Canvas::new(confidence_x + self.panel_width + MARGIN, top + panel_height + MARGIN, BACKGROUND)?;

        canvas.draw_image([camera_x, top], panel, self.rgb.to_vec(), size)?;
        self.draw_radar(&mut canvas, [camera_x, top], panel, &colours);

        // Sampled to the panel before colouring: colours of a scale must not be averaged.
        let (to_width, to_height) = (self.panel_width, panel_height);
        let nearest = |column: usize, row: usize| {
            (row * self.height / to_height) * self.width + column * self.width / to_width
        };
        for row in 0..to_height {
            for column in 0..to_width {
                let index = nearest(column, row);
                let depth = self.depth.get(index).copied().unwrap_or(f32::NAN);
                let colour =
                    if depth.is_nan() { NO_DEPTH[(column + row) / 6 % 2] } else { colours.of(depth) };
                canvas.blend((depth_x + column) as i64, (top + row) as i64, colour, 1.0);
                let confidence = self.confidence.get(index).copied().unwrap_or(0.0);
                let grey = (confidence.clamp(0.0, 1.0) * 255.0).round() as u8;
                canvas.blend((confidence_x + column) as i64, (top + row) as i64, [grey; 3], 1.0);
            }
        }
        let bar = [depth_x + self.panel_width + MARGIN / 2, top, panel_height];
        draw_legend(&mut canvas, bar, &colours);

        let returns = match self.radar.len() {
            1 => "camera + 1 radar return".to_owned(),
            count => format!("camera + {count} radar returns"),
        };
        for (x, title) in
            [(camera_x, returns.as_str()), (depth_x, "metric depth"), (confidence_x, "confidence")]
        {
            let at = [x as i64, MARGIN as i64 + 2];
            canvas.text(at, TextAnchor::TopLeft, Font::Large, INK, title);
        }
        let at = [(confidence_x + self.panel_width) as i64, MARGIN as i64 + 14];
        canvas.text(at, TextAnchor::Right, Font::Small, DIM_INK, "black 0 - white 1");
        let at = [(depth_x + self.panel_width) as i64, MARGIN as i64 + 14];
        canvas.text(at, TextAnchor::Right, Font::Small, DIM_INK, "hatched: none");
        Ok(canvas)
    }

    fn check(&self) -> Result<(), PictureError> {
        let (width, height) = (self.width, self.height);
        let pixels = width.saturating_mul(height);
        for (what, expected, found) in [
            ("camera image", pixels.saturating_mul(3), self.rgb.len()),
            ("depth image", pixels, self.depth.len()),
            ("confidence image", pixels, self.confidence.len()),
        ] {
            if found != expected {
                return Err(PictureError::Buffer { what, expected, found, width, height });
            }
        }
        // Held to the canvas' own limit by `Canvas::new`; here so that the arithmetic before it is safe.
        let sides = 1..=1usize << 16;
        if [width, height, self.panel_width].iter().any(|side| !sides.contains(side)) {
            return Err(PictureError::Size { limit: 1 << 16, width, height });
        }
        Ok(())
    }

    fn draw_radar(&self, canvas: &mut Canvas, [x, y]: [usize; 2], panel: [usize; 2], colours: &DepthColours) {
        let scale = [panel[0] as f32 / self.width as f32, panel[1] as f32 / self.height as f32];
        let radius = (self.panel_width as f32 * 0.009).max(2.5);
        // Near returns are drawn last, over far ones.
        let mut dots: Vec<&RadarDot> = self.radar.iter().collect();
        dots.sort_by(|a, b| b.depth_m.total_cmp(&a.depth_m));
        for dot in dots {
            let inside = dot.u >= -0.5
                && dot.v >= -0.5
                && dot.u < self.width as f32 - 0.5
                && dot.v < self.height as f32 - 0.5;
            if inside {
                let at =
                    [x as f32 + (dot.u + 0.5) * scale[0] - 0.5, y as f32 + (dot.v + 0.5) * scale[1] - 0.5];
                canvas.disc(at, radius + 1.8, [0; 3], 0.85);
                canvas.disc(at, radius + 0.6, [255; 3], 1.0);
                canvas.disc(at, radius - 0.4, colours.of(dot.depth_m), 1.0);
            }
        }
    }
}

/// A vertical bar at `x`, `top` with ticks in metres, far at the top.
fn draw_legend(canvas: &mut Canvas, [x, top, height]: [usize; 3], colours: &DepthColours) {
    let (x, top, span) = (x as i64, top as i64, height.saturating_sub(1).max(1) as f32);
    for row in 0..height as i64 {
        let colour = colours.at_share(1.0 - row as f32 / span);
        canvas.fill_rect([x, top + row, x + BAR_WIDTH as i64, top + row + 1], colour, 1.0);
    }
    let right = x + BAR_WIDTH as i64;
    for tick in colours.ticks_m() {
        let y = top + ((1.0 - colours.share(tick)) * span).round() as i64;
        canvas.fill_rect([right, y, right + 5, y + 1], INK, 1.0);
        let label_y = y.clamp(top + 6, top + height as i64 - 7);
        canvas.text([right + 8, label_y], TextAnchor::Left, Font::Small, INK, &format!("{tick} m"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture<'a>(
        rgb: &'a [u8],
        radar: &'a [RadarDot],
        depth: &'a [f32],
        confidence: &'a [f32],
    ) -> DepthPicture<'a> {
        DepthPicture {
            width: 32,
            height: 24,
            rgb,
            radar,
            depth,
            confidence,
            scale_m: (1.0, 10.0),
            panel_width: 64,
        }
    }

    #[test]
    fn each_panel_shows_its_image() {
        let rgb = [10, 200, 30].repeat(32 * 24);
        let mut depth = vec![1.0; 32 * 24];
        depth[31] = f32::NAN;
        depth[32 * 23] = f32::INFINITY;
        let confidence: Vec<f32> = (0..32 * 24).map(|i| (i % 32) as f32 / 31.0).collect();
        let radar = [
            RadarDot { u: 16.0, v: 12.0, depth_m: 10.0 },
            RadarDot { u: f32::NAN, v: 1.0, depth_m: 5.0 },
            RadarDot { u: 4000.0, v: 1.0, depth_m: 5.0 },
        ];
        let canvas = picture(&rgb, &radar, &depth, &confidence).render().unwrap();
        let colours = DepthColours::new(1.0, 10.0).unwrap();
        let top = MARGIN + TITLE_HEIGHT;
        let depth_x = 2 * MARGIN + 64;
        let confidence_x = depth_x + 64 + LEGEND_WIDTH + MARGIN;
        assert_eq!(canvas.pixel(MARGIN + 2, top + 2), Some([10, 200, 30]));
        assert_eq!(canvas.pixel(MARGIN + 32, top + 24), Some(colours.of(10.0)));
        assert_eq!(canvas.pixel(depth_x + 20, top + 20), Some(colours.of(1.0)));
        assert!(NO_DEPTH.contains(&canvas.pixel(depth_x + 63, top).unwrap()));
        assert_eq!(canvas.pixel(depth_x, top + 47), Some(colours.of(10.0)));
        assert_eq!(canvas.pixel(confidence_x, top), Some([0; 3]));
        assert_eq!(canvas.pixel(confidence_x + 63, top + 47), Some([255; 3]));
    }

    #[test]
    fn inputs_that_do_not_fit_are_refused() {
        let (rgb, depth) = (vec![0; 3 * 32 * 24], vec![1.0; 32 * 24]);
        assert!(picture(&rgb[3..], &[], &depth, &depth).render().is_err());
        assert!(picture(&rgb, &[], &depth[1..], &depth).render().is_err());
        assert!(picture(&rgb, &[], &depth, &depth[1..]).render().is_err());
        let scaled = |scale_m| DepthPicture { scale_m, ..picture(&rgb, &[], &depth, &depth) }.render();
        assert!(
            scaled((5.0, 5.0)).is_err() && scaled((0.0, 5.0)).is_err() && scaled((1.0, f32::NAN)).is_err()
        );
        let empty = DepthPicture { width: 0, height: 0, ..picture(&[], &[], &[], &[]) };
        assert!(empty.render().is_err());
        let huge = DepthPicture { panel_width: usize::MAX, ..picture(&rgb, &[], &depth, &depth) };
        assert!(huge.render().is_err());
    }

    #[test]
    fn the_scale_ignores_what_is_no_depth() {
        let depth: Vec<f32> =
            (0..=100).map(|i| i as f32 / 10.0).chain([f32::NAN, f32::INFINITY, -3.0]).collect();
        assert_eq!(DepthPicture::scale_for(&depth), Some((0.2, 10.0)));
        assert_eq!(DepthPicture::scale_for(&[f32::NAN, 2.0, 2.0]), None);
        assert_eq!(DepthPicture::scale_for(&[]), None);
    }
}
