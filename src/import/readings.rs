//! Images and sweeps as data sets keep them.

use std::path::Path;

use super::{ImportError, files};
use crate::message::CompressedImage;
use crate::sensor::{DecodedDepth, DecodedImage, decode_compressed, decode_depth_png};

/// Endings of image files that are read.
pub(super) const IMAGE_ENDINGS: [&str; 3] = ["png", "jpg", "jpeg"];

/// Reads a JPEG or PNG file into `out`.
pub(super) fn image(path: &Path, out: &mut DecodedImage) -> Result<(), ImportError> {
    let data = files::bytes(path)?;
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    let format = if ending.eq_ignore_ascii_case("png") { "png" } else { "jpeg" };
    let message = CompressedImage { format, data: &data, ..CompressedImage::default() };
    decode_compressed(&message, out).map_err(|error| ImportError::file(path, error.to_string()))
}

/// Reads a 16-bit PNG in which `units` make a metre and 0 is no reading.
pub(super) fn depth(path: &Path, units: f32, out: &mut DecodedDepth) -> Result<(), ImportError> {
    decode_depth_png(&files::bytes(path)?, units, out)
        .map_err(|error| ImportError::file(path, error.to_string()))
}

/// A file of points, each of `N` little-endian single-precision numbers that begin with x, y, z in metres.
#[derive(Debug)]
pub(super) struct PointFile<const N: usize>(Vec<u8>);

impl<const N: usize> PointFile<N> {
    /// Bytes of a point.
    const STEP: usize = 4 * N;

    /// Reads the file; an error when it ends inside a point.
    pub fn read(path: &Path) -> Result<Self, ImportError> {
        let data = files::bytes(path)?;
        if !data.len().is_multiple_of(Self::STEP) {
            let reason = format!(
                "expected whole points of {} bytes each, found {} bytes: the file is cut off, or no point file",
                Self::STEP,
                data.len()
            );
            return Err(ImportError::file(path, reason));
        }
        Ok(Self(data))
    }

    /// The numbers of each point.
    pub fn points(&self) -> impl Iterator<Item = [f32; N]> + '_ {
        self.0.chunks_exact(Self::STEP).map(|point| {
            let (numbers, _) = point.as_chunks::<4>();
            let mut values = [0.0; N];
            for (value, bytes) in values.iter_mut().zip(numbers) {
                *value = f32::from_le_bytes(*bytes);
            }
            values
        })
    }

    /// The positions of the points.
    pub fn positions(&self) -> impl Iterator<Item = [f32; 3]> + '_ {
        self.points().map(|point| [0, 1, 2].map(|axis| point.get(axis).copied().unwrap_or(f32::NAN)))
    }
}
