//! Rows of a camera image as bytes with a place for each channel, whatever the camera publishes.

use crate::sensor::ImageView;

/// Where the channels of a pixel lie in a row of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    /// Bytes from one pixel to the next, 1 to 4
    pub stride: usize,
    /// Places of red, green and blue
    pub rgb: [usize; 3],
}

/// Lends rows: the message's own bytes where each pixel has its colour, else the row converted. A
/// row that two target rows share is converted once.
#[derive(Debug, Default)]
pub(super) struct SourceRows {
    /// The last converted rows, even and odd: target rows overlap in a row or two.
    converted: [Vec<[u8; 4]>; 2],
    held: [Option<usize>; 2],
}

impl SourceRows {
    /// Forgets the last image and tells how the rows of this one look; `None` for depth.
    pub(super) fn start(&mut self, image: &ImageView<'_>) -> Option<Layout> {
        if let Some(rgb) = image.rgb_bytes() {
            return Some(Layout { stride: image.format().bytes_per_pixel(), rgb });
        }
        if image.format().is_depth() {
            return None;
        }
        self.held = [None; 2];
        for row in &mut self.converted {
            row.resize(image.width() as usize, [0; 4]);
        }
        Some(Layout { stride: 4, rgb: [0, 1, 2] })
    }

    /// Row `y` of the image that was started, in its layout.
    pub(super) fn row<'a>(&'a mut self, image: &ImageView<'a>, y: usize) -> &'a [u8] {
        if image.rgb_bytes().is_some() {
            return image.row(y as u32);
        }
        let slot = y % 2;
        if self.held[slot] != Some(y) {
            image.convert_row(y as u32, &mut self.converted[slot]);
            self.held[slot] = Some(y);
        }
        self.converted[slot].as_flattened()
    }
}
