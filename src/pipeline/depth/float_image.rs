//! A 32FC1 image message whose pixels are computed where they are sent from.

use crate::message::{Header, Image, to_cdr};

/// The CDR of one message; its memory is kept between frames.
///
/// An image ends with its data, so that the data can be filled in behind the rest. Kept as words, as
/// that is how the pixels are aligned: the encapsulation header and every field before them are.
#[derive(Default)]
pub(super) struct FloatImage {
    words: Vec<f32>,
    /// Words before the pixels.
    start: usize,
    head: Vec<u8>,
}

impl FloatImage {
    /// Begins a message of `(width, height)` pixels and gives the pixels, row-major. They hold those of
    /// the last message, or zeros.
    pub fn begin(&mut self, header: Header<'_>, (width, height): (u32, u32)) -> &mut [f32] {
        let pixels = width as usize * height as usize;
        let image = Image {
            header,
            height,
            width,
            encoding: "32FC1",
            // The pixels stay as this machine has them.
            is_bigendian: cfg!(target_endian = "big"),
            step: width * 4,
            data: &[],
        };
        to_cdr(&image, &mut self.head);
        // Last comes the count of the data, which is still zero.
        let count = u32::try_from(pixels * 4).unwrap_or(u32::MAX);
        if let Some(field) = self.head.last_chunk_mut() {
            *field = count.to_le_bytes();
        }
        self.start = self.head.len() / 4;
        self.words.resize(self.start + pixels, 0.0);
        let (start, pixels) = self.words.split_at_mut(self.start);
        bytemuck::cast_slice_mut(start).copy_from_slice(&self.head);
        pixels
    }

    /// The pixels.
    pub fn pixels(&self) -> &[f32] {
        &self.words[self.start..]
    }

    /// The message.
    pub fn bytes(&self) -> &[u8] {
        bytemuck::cast_slice(&self.words)
    }
}

#[cfg(test)]
mod tests {
    use super::FloatImage;
    use crate::message::{Header, Image, Stamp, from_cdr};

    #[test]
    fn a_reader_finds_what_was_written_whatever_the_length_of_the_frame() {
        let mut message = FloatImage::default();
        for frame_id in ["", "c", "ca", "cam", "came", "camera_optical_frame"] {
            let header = Header { stamp: Stamp(7_000_000_009), frame_id };
            for (size, first) in [((3, 2), 0.5), ((1, 1), -1.0)] {
                let pixels = message.begin(header, size);
                pixels.iter_mut().enumerate().for_each(|(i, pixel)| *pixel = first + i as f32);
                let pixels = message.pixels().to_vec();
                assert_eq!(pixels.len() as u32, size.0 * size.1);

                let image: Image<'_> = from_cdr(message.bytes()).unwrap();
                assert_eq!((image.header, (image.width, image.height)), (header, size));
                assert_eq!((image.encoding, image.step), ("32FC1", 4 * size.0));
                let read: Vec<f32> =
                    image.data.chunks_exact(4).map(|b| f32::from_ne_bytes(b.try_into().unwrap())).collect();
                assert_eq!(read, pixels);
                assert_eq!(read[0], first);
            }
        }
    }
}
