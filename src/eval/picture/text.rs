//! Text on a canvas, in the fixed-width bitmap fonts of `embedded-graphics`.

use std::convert::Infallible;

use embedded_graphics::Drawable;
use embedded_graphics::Pixel;
use embedded_graphics::draw_target::DrawTarget;
use embedded_graphics::geometry::{OriginDimensions, Point, Size};
use embedded_graphics::mono_font::ascii::{FONT_7X13, FONT_8X13_BOLD, FONT_10X20};
use embedded_graphics::mono_font::{MonoFont, MonoTextStyle};
use embedded_graphics::pixelcolor::{Rgb888, RgbColor};
use embedded_graphics::text::{Baseline, Text};

use super::{Canvas, Rgb};

/// A font; ASCII only, other characters show as a question mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Font {
    /// 7 x 13 pixels: ticks and labels.
    Small,
    /// 8 x 13 pixels, bold: labels over busy ground.
    Bold,
    /// 10 x 20 pixels: titles.
    Large,
}

impl Font {
    const fn glyphs(self) -> &'static MonoFont<'static> {
        match self {
            Self::Small => &FONT_7X13,
            Self::Bold => &FONT_8X13_BOLD,
            Self::Large => &FONT_10X20,
        }
    }

    /// Width and height of one line of `text`, pixels.
    pub fn measure(self, text: &str) -> [i64; 2] {
        let cell = self.glyphs().character_size;
        [text.chars().count() as i64 * i64::from(cell.width), i64::from(cell.height)]
    }
}

/// Which point of the text stands at the given position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextAnchor {
    /// Top left corner.
    TopLeft,
    /// Middle of the left edge.
    Left,
    /// Middle of the right edge.
    Right,
    /// The middle.
    Centre,
}

impl TextAnchor {
    /// `x0, y0, x1, y1` of a text of `width` x `height` standing at `(x, y)`.
    pub const fn bounds(self, [x, y]: [i64; 2], [width, height]: [i64; 2]) -> [i64; 4] {
        let (left, top) = match self {
            Self::TopLeft => (x, y),
            Self::Left => (x, y - height / 2),
            Self::Right => (x - width, y - height / 2),
            Self::Centre => (x - width / 2, y - height / 2),
        };
        [left, top, left + width, top + height]
    }
}

impl Canvas {
    /// Writes one line.
    pub fn text(&mut self, at: [i64; 2], anchor: TextAnchor, font: Font, colour: Rgb, text: &str) {
        let [left, top, ..] = anchor.bounds(at, font.measure(text));
        let (Ok(left), Ok(top)) = (i32::try_from(left), i32::try_from(top)) else { return };
        let [r, g, b] = colour;
        let style = MonoTextStyle::new(font.glyphs(), Rgb888::new(r, g, b));
        let line = Text::with_baseline(text, Point::new(left, top), style, Baseline::Top);
        // Drawing on a canvas cannot fail.
        let Ok(_) = line.draw(&mut Surface(self));
    }

    /// Writes one line on a dark plate, legible over any picture.
    pub fn plated_text(&mut self, at: [i64; 2], anchor: TextAnchor, font: Font, colour: Rgb, text: &str) {
        let [x0, y0, x1, y1] = anchor.bounds(at, font.measure(text));
        self.fill_rect([x0 - 3, y0 - 1, x1 + 3, y1 + 1], [12, 14, 18], 0.72);
        self.text(at, anchor, font, colour, text);
    }
}

/// A canvas as `embedded-graphics` sees it.
struct Surface<'a>(&'a mut Canvas);

impl OriginDimensions for Surface<'_> {
    fn size(&self) -> Size {
        Size::new(self.0.width() as u32, self.0.height() as u32)
    }
}

impl DrawTarget for Surface<'_> {
    type Color = Rgb888;
    type Error = Infallible;

    fn draw_iter<I: IntoIterator<Item = Pixel<Rgb888>>>(&mut self, pixels: I) -> Result<(), Infallible> {
        for Pixel(at, colour) in pixels {
            self.0.blend(i64::from(at.x), i64::from(at.y), [colour.r(), colour.g(), colour.b()], 1.0);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_stays_within_the_bounds_of_its_anchor() {
        for anchor in [TextAnchor::TopLeft, TextAnchor::Left, TextAnchor::Right, TextAnchor::Centre] {
            let mut canvas = Canvas::new(120, 60, [0; 3]).unwrap();
            canvas.text([60, 30], anchor, Font::Large, [255; 3], "12 m");
            let [x0, y0, x1, y1] = anchor.bounds([60, 30], Font::Large.measure("12 m"));
            let mut lit = 0;
            for y in 0..60 {
                for x in 0..120 {
                    if canvas.pixel(x, y) != Some([0; 3]) {
                        lit += 1;
                        let (x, y) = (x as i64, y as i64);
                        assert!((x0..x1).contains(&x) && (y0..y1).contains(&y), "{anchor:?}: {x}, {y}");
                    }
                }
            }
            assert!(lit > 50, "{anchor:?}: {lit} pixels");
        }
    }

    #[test]
    fn text_is_clipped_at_the_border() {
        let mut canvas = Canvas::new(20, 10, [0; 3]).unwrap();
        canvas.plated_text([-500, -500], TextAnchor::TopLeft, Font::Small, [255; 3], "far away");
        canvas.text([i64::MAX / 2, 0], TextAnchor::TopLeft, Font::Small, [255; 3], "x");
        assert_eq!(canvas, Canvas::new(20, 10, [0; 3]).unwrap());
    }
}
