//! An RGB canvas with anti-aliased shapes.
//!
//! Coordinates are pixels from the top left, x right, y down, pixel centres at integers. Shapes are
//! blended by the share of a pixel they cover, taken from the distance to their edge. Whatever lies
//! outside the canvas, or is not finite, is not drawn.

use image::codecs::png::PngEncoder;
use image::imageops::{self, FilterType};
use image::{ExtendedColorType, ImageEncoder, RgbImage};

use super::PictureError;

/// Longest side, pixels: 8192² is 200 MB of RGB.
const MAX_SIDE: usize = 8192;

/// sRGB, 0..=255 each.
pub type Rgb = [u8; 3];

/// A picture being drawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Canvas {
    width: usize,
    height: usize,
    rgb: Vec<u8>,
}

impl Canvas {
    /// A canvas of one colour; 1 to 8192 pixels a side.
    pub fn new(width: usize, height: usize, background: Rgb) -> Result<Self, PictureError> {
        let sides = 1..=MAX_SIDE;
        if !sides.contains(&width) || !sides.contains(&height) {
            return Err(PictureError::Size { limit: MAX_SIDE, width, height });
        }
        Ok(Self { width, height, rgb: background.repeat(width * height) })
    }

    /// Width in pixels.
    pub const fn width(&self) -> usize {
        self.width
    }

    /// Height in pixels.
    pub const fn height(&self) -> usize {
        self.height
    }

    /// Row-major RGB bytes, `3 · width · height`.
    pub fn rgb(&self) -> &[u8] {
        &self.rgb
    }

    /// The colour of a pixel, or `None` outside.
    pub fn pixel(&self, x: usize, y: usize) -> Option<Rgb> {
        if x >= self.width {
            return None;
        }
        self.rgb.as_chunks::<3>().0.get(y * self.width + x).copied()
    }

    /// Blends `colour` into a pixel with `alpha` 0..1.
    pub fn blend(&mut self, x: i64, y: i64, colour: Rgb, alpha: f32) {
        if x < 0 || y < 0 || x >= self.width as i64 || y >= self.height as i64 {
            return;
        }
        let index = 3 * (y as usize * self.width + x as usize);
        let alpha = alpha.clamp(0.0, 1.0);
        for (below, above) in self.rgb.iter_mut().skip(index).take(3).zip(colour) {
            let mixed = f32::from(*below) + (f32::from(above) - f32::from(*below)) * alpha;
            *below = mixed.round() as u8;
        }
    }

    /// A filled rectangle, `x0..x1` by `y0..y1` pixels.
    pub fn fill_rect(&mut self, [x0, y0, x1, y1]: [i64; 4], colour: Rgb, alpha: f32) {
        for y in y0.max(0)..y1.min(self.height as i64) {
            for x in x0.max(0)..x1.min(self.width as i64) {
                self.blend(x, y, colour, alpha);
            }
        }
    }

    /// A straight stroke of `width` pixels with round ends.
    pub fn line(&mut self, from: [f32; 2], to: [f32; 2], width: f32, colour: Rgb, alpha: f32) {
        let along = [to[0] - from[0], to[1] - from[1]];
        let length_squared = along[0] * along[0] + along[1] * along[1];
        let reach = width / 2.0 + 1.0;
        let bounds = [
            from[0].min(to[0]) - reach,
            from[1].min(to[1]) - reach,
            from[0].max(to[0]) + reach,
            from[1].max(to[1]) + reach,
        ];
        self.shade(bounds, colour, alpha, |x, y| {
            let (dx, dy) = (x - from[0], y - from[1]);
            let t = if length_squared > 0.0 {
                ((dx * along[0] + dy * along[1]) / length_squared).clamp(0.0, 1.0)
            } else {
                0.0
            };
            (dx - t * along[0]).hypot(dy - t * along[1]) - width / 2.0
        });
    }

    /// A closed outline through `corners`.
    pub fn outline(&mut self, corners: &[[f32; 2]], width: f32, colour: Rgb) {
        for (from, to) in corners.iter().zip(corners.iter().cycle().skip(1)) {
            self.line(*from, *to, width, colour, 1.0);
        }
    }

    /// A filled convex polygon; corners in either sense of rotation.
    pub fn fill_convex(&mut self, corners: &[[f32; 2]], colour: Rgb, alpha: f32) {
        let mut bounds = [f32::MAX, f32::MAX, f32::MIN, f32::MIN];
        let mut area = 0.0;
        for (a, b) in corners.iter().zip(corners.iter().cycle().skip(1)) {
            bounds = [bounds[0].min(a[0]), bounds[1].min(a[1]), bounds[2].max(a[0]), bounds[3].max(a[1])];
            area += a[0] * b[1] - b[0] * a[1];
        }
        let side = area.signum();
        self.shade(bounds, colour, alpha, |x, y| {
            corners.iter().zip(corners.iter().cycle().skip(1)).fold(f32::MIN, |farthest, (a, b)| {
                let edge = [b[0] - a[0], b[1] - a[1]];
                let outward = (edge[1] * (x - a[0]) - edge[0] * (y - a[1])) * side;
                farthest.max(outward / edge[0].hypot(edge[1]).max(f32::EPSILON))
            })
        });
    }

    /// A filled circle.
    pub fn disc(&mut self, [cx, cy]: [f32; 2], radius: f32, colour: Rgb, alpha: f32) {
        let reach = radius + 1.0;
        self.shade([cx - reach, cy - reach, cx + reach, cy + reach], colour, alpha, |x, y| {
            (x - cx).hypot(y - cy) - radius
        });
    }

    /// A circle's outline of `width` pixels.
    pub fn circle(&mut self, [cx, cy]: [f32; 2], radius: f32, width: f32, colour: Rgb, alpha: f32) {
        let reach = radius + width / 2.0 + 1.0;
        self.shade([cx - reach, cy - reach, cx + reach, cy + reach], colour, alpha, |x, y| {
            ((x - cx).hypot(y - cy) - radius).abs() - width / 2.0
        });
    }

    /// Copies an RGB image of `width` x `height` so that it fills `to_width` x `to_height` at `(x, y)`,
    /// resampled with a triangle filter where sizes differ.
    pub fn draw_image(
        &mut self,
        [x, y]: [usize; 2],
        [to_width, to_height]: [usize; 2],
        rgb: Vec<u8>,
        [width, height]: [usize; 2],
    ) -> Result<(), PictureError> {
        let found = rgb.len();
        let source =
            RgbImage::from_raw(width as u32, height as u32, rgb).filter(|_| found == 3 * width * height);
        let Some(source) = source else {
            return Err(PictureError::Buffer {
                what: "RGB image",
                expected: width.saturating_mul(height).saturating_mul(3),
                found,
                width,
                height,
            });
        };
        let target = if (width, height) == (to_width, to_height) {
            source
        } else {
            imageops::resize(&source, to_width as u32, to_height as u32, FilterType::Triangle)
        };
        for (column, row, pixel) in target.enumerate_pixels() {
            self.blend(x as i64 + i64::from(column), y as i64 + i64::from(row), pixel.0, 1.0);
        }
        Ok(())
    }

    /// The canvas as a PNG file's bytes.
    pub fn encode_png(&self) -> Result<Vec<u8>, PictureError> {
        let mut bytes = Vec::new();
        PngEncoder::new(&mut bytes).write_image(
            &self.rgb,
            self.width as u32,
            self.height as u32,
            ExtendedColorType::Rgb8,
        )?;
        Ok(bytes)
    }

    /// Blends `colour` where the signed `distance` to a shape's edge (negative inside) says it covers
    /// the pixel, within `bounds` = x0, y0, x1, y1.
    fn shade(&mut self, bounds: [f32; 4], colour: Rgb, alpha: f32, distance: impl Fn(f32, f32) -> f32) {
        if bounds.iter().any(|bound| !bound.is_finite()) {
            return;
        }
        let [x0, y0, x1, y1] = bounds;
        let x_range = x0.floor().max(0.0) as i64..=x1.ceil().min(self.width as f32 - 1.0) as i64;
        for y in y0.floor().max(0.0) as i64..=y1.ceil().min(self.height as f32 - 1.0) as i64 {
            for x in x_range.clone() {
                let coverage = 0.5 - distance(x as f32, y as f32);
                if coverage > 0.0 {
                    self.blend(x, y, colour, alpha * coverage.min(1.0));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BLACK: Rgb = [0; 3];
    const WHITE: Rgb = [255; 3];

    fn drawn(canvas: &Canvas) -> f32 {
        canvas.rgb().as_chunks::<3>().0.iter().map(|p| f32::from(p[0]) / 255.0).sum()
    }

    #[test]
    fn shapes_cover_their_area() {
        let blank = Canvas::new(64, 64, BLACK).unwrap();
        let mut canvas = blank.clone();
        canvas.disc([31.3, 30.8], 10.0, WHITE, 1.0);
        assert!((drawn(&canvas) - std::f32::consts::PI * 100.0).abs() < 4.0, "{}", drawn(&canvas));
        let mut canvas = blank.clone();
        canvas.line([10.0, 10.5], [50.0, 40.5], 3.0, WHITE, 1.0);
        let expected = 150.0 + std::f32::consts::PI * 2.25;
        assert!((drawn(&canvas) - expected).abs() < 6.0, "{}", drawn(&canvas));
        for corners in
            [[[10.0, 10.0], [40.0, 12.0], [20.0, 50.0]], [[20.0, 50.0], [40.0, 12.0], [10.0, 10.0]]]
        {
            let mut canvas = blank.clone();
            canvas.fill_convex(&corners, WHITE, 1.0);
            assert!((drawn(&canvas) - 590.0).abs() < 8.0, "{}", drawn(&canvas));
        }
    }

    #[test]
    fn drawing_outside_or_nowhere_is_harmless() {
        let mut canvas = Canvas::new(8, 8, BLACK).unwrap();
        canvas.line([-1e9, 4.0], [-1e8, 4.0], 2.0, WHITE, 1.0);
        canvas.line([f32::NAN, 0.0], [f32::INFINITY, 4.0], 2.0, WHITE, 1.0);
        canvas.disc([100.0, -50.0], 3.0, WHITE, 1.0);
        canvas.circle([4.0, 4.0], 1e9, 1.0, WHITE, 1.0);
        canvas.fill_convex(&[], WHITE, 1.0);
        canvas.fill_rect([-5, -5, 0, 100], WHITE, 1.0);
        assert_eq!(drawn(&canvas), 0.0);
        assert_eq!((canvas.pixel(8, 0), canvas.pixel(0, 8), canvas.pixel(7, 7)), (None, None, Some(BLACK)));
    }

    #[test]
    fn unreasonable_sizes_and_buffers_are_refused() {
        assert!(Canvas::new(0, 10, BLACK).is_err());
        assert!(Canvas::new(10, 9000, BLACK).is_err());
        let mut canvas = Canvas::new(8, 8, BLACK).unwrap();
        assert!(canvas.draw_image([0, 0], [4, 4], vec![0; 11], [2, 2]).is_err());
        assert!(canvas.draw_image([0, 0], [4, 4], vec![0; 13], [2, 2]).is_err());
    }

    #[test]
    fn png_round_trips() {
        let mut canvas = Canvas::new(5, 3, [1, 2, 3]).unwrap();
        canvas.fill_rect([1, 1, 3, 2], [200, 100, 50], 1.0);
        let decoded = image::load_from_memory(&canvas.encode_png().unwrap()).unwrap().to_rgb8();
        assert_eq!(decoded.dimensions(), (5, 3));
        assert_eq!(decoded.as_raw().as_slice(), canvas.rgb());
    }
}
