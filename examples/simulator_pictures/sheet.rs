//! Panels in rows and columns, as one JPEG.

use std::path::Path;

use anyhow::{Context, Result};
use image::codecs::jpeg::JpegEncoder;
use image::{Rgb, RgbImage};
use isobath::eval::picture::{Canvas, Font, TextAnchor};

/// Pixels of a panel.
pub const WIDTH: usize = 320;
pub const HEIGHT: usize = 240;
/// Pixels between panels.
const GAP: usize = 4;
/// Fine enough for print, small enough for a page.
const QUALITY: u8 = 60;

pub struct Sheet {
    pixels: RgbImage,
}

impl Sheet {
    pub fn new(rows: usize, columns: usize) -> Self {
        let length = |count: usize, size: usize| (count * (size + GAP)).saturating_sub(GAP) as u32;
        Self { pixels: RgbImage::from_pixel(length(columns, WIDTH), length(rows, HEIGHT), Rgb([255; 3])) }
    }

    /// Puts a panel with a title into its place.
    pub fn place(&mut self, row: usize, column: usize, mut panel: Canvas, title: &str) -> Result<()> {
        panel.plated_text([6, 6], TextAnchor::TopLeft, Font::Small, [240; 3], title);
        let panel =
            RgbImage::from_raw(WIDTH as u32, HEIGHT as u32, panel.rgb().to_vec()).context("a panel")?;
        let (x, y) = (column * (WIDTH + GAP), row * (HEIGHT + GAP));
        image::imageops::replace(&mut self.pixels, &panel, x as i64, y as i64);
        Ok(())
    }

    pub fn save(&self, path: &Path) -> Result<()> {
        let file = std::fs::File::create(path).with_context(|| path.display().to_string())?;
        Ok(JpegEncoder::new_with_quality(std::io::BufWriter::new(file), QUALITY)
            .encode_image(&self.pixels)?)
    }
}
