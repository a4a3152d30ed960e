//! Pixel formats that cameras publish.

use std::fmt;

use super::SensorError;
use super::bayer::BayerPattern;
use super::yuv::{ChromaOrder, PackedOrder};

/// How pixels lie in memory. Names and meanings are those of `sensor_msgs/image_encodings.hpp`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PixelFormat {
    /// Red, green, blue bytes.
    Rgb8,
    /// Blue, green, red bytes.
    Bgr8,
    /// Red, green, blue, alpha bytes.
    Rgba8,
    /// Blue, green, red, alpha bytes.
    Bgra8,
    /// One byte of grey.
    Mono8,
    /// Two bytes of grey; the low one is finer than a model can tell and is not used.
    Mono16,
    /// YUV 4:2:2, two pixels in four bytes.
    Yuv422(PackedOrder),
    /// YUV 4:2:0: a plane of luma, then one of chroma with half the rows and the same step.
    Yuv420(ChromaOrder),
    /// One byte behind a mosaic of colour filters.
    Bayer8(BayerPattern),
    /// `16UC1`: depth in millimetres, 0 = no reading (REP-118).
    Depth16,
    /// `32FC1`: depth in metres, NaN = no reading (REP-118).
    Depth32F,
}

/// Every encoding name that is read, with its format. Of two names for one format the first is shown.
const ENCODINGS: [(&str, PixelFormat); 18] = [
    ("rgb8", PixelFormat::Rgb8),
    ("bgr8", PixelFormat::Bgr8),
    ("rgba8", PixelFormat::Rgba8),
    ("bgra8", PixelFormat::Bgra8),
    ("mono8", PixelFormat::Mono8),
    ("mono16", PixelFormat::Mono16),
    ("yuyv", PixelFormat::Yuv422(PackedOrder::Yuyv)),
    ("yuv422_yuy2", PixelFormat::Yuv422(PackedOrder::Yuyv)),
    ("uyvy", PixelFormat::Yuv422(PackedOrder::Uyvy)),
    ("yuv422", PixelFormat::Yuv422(PackedOrder::Uyvy)),
    ("nv12", PixelFormat::Yuv420(ChromaOrder::Uv)),
    ("nv21", PixelFormat::Yuv420(ChromaOrder::Vu)),
    ("bayer_rggb8", PixelFormat::Bayer8(BayerPattern::Rggb)),
    ("bayer_bggr8", PixelFormat::Bayer8(BayerPattern::Bggr)),
    ("bayer_gbrg8", PixelFormat::Bayer8(BayerPattern::Gbrg)),
    ("bayer_grbg8", PixelFormat::Bayer8(BayerPattern::Grbg)),
    ("16UC1", PixelFormat::Depth16),
    ("32FC1", PixelFormat::Depth32F),
];

impl PixelFormat {
    /// From `sensor_msgs/Image.encoding`; the error lists what is read.
    pub fn from_encoding(encoding: &str) -> Result<Self, SensorError> {
        find(encoding).ok_or_else(|| unsupported(encoding, |_| true))
    }

    /// As [`PixelFormat::from_encoding`] for a camera image: depth is refused.
    pub(super) fn from_color_encoding(encoding: &str) -> Result<Self, SensorError> {
        let is_color = |format: Self| !format.is_depth();
        find(encoding).filter(|format| is_color(*format)).ok_or_else(|| unsupported(encoding, is_color))
    }

    /// As [`PixelFormat::from_encoding`] for a depth image, where `mono16` means what `16UC1` does, as
    /// REP-118 allows.
    pub(super) fn from_depth_encoding(encoding: &str) -> Result<Self, SensorError> {
        match find(encoding) {
            Some(Self::Mono16) => Ok(Self::Depth16),
            Some(format) if format.is_depth() => Ok(format),
            _ => Err(unsupported(encoding, |format| format.is_depth() || format == Self::Mono16)),
        }
    }

    /// Bytes from one pixel to the next; in 4:2:0 formats those of the luma plane.
    pub const fn bytes_per_pixel(self) -> usize {
        match self {
            Self::Mono8 | Self::Yuv420(_) | Self::Bayer8(_) => 1,
            Self::Mono16 | Self::Yuv422(_) | Self::Depth16 => 2,
            Self::Rgb8 | Self::Bgr8 => 3,
            Self::Rgba8 | Self::Bgra8 | Self::Depth32F => 4,
        }
    }

    /// Whether pixels are distances, not brightness.
    pub const fn is_depth(self) -> bool {
        matches!(self, Self::Depth16 | Self::Depth32F)
    }

    /// Fails for a size without pixels, or one that cuts a group of pixels that share their colour.
    pub(super) fn check_size(self, width: u32, height: u32) -> Result<(), SensorError> {
        if width == 0 || height == 0 {
            return Err(SensorError::EmptyImage { width, height });
        }
        let (expected, fits) = match self {
            Self::Yuv422(_) => ("an even width", width.is_multiple_of(2)),
            Self::Yuv420(_) => {
                ("an even width and height", width.is_multiple_of(2) && height.is_multiple_of(2))
            }
            Self::Bayer8(_) => (
                "an even width and height of 4 or more",
                width.is_multiple_of(2) && height.is_multiple_of(2) && width >= 4 && height >= 4,
            ),
            _ => return Ok(()),
        };
        if fits {
            Ok(())
        } else {
            Err(SensorError::ImageSize { format: self.to_string(), expected, width, height })
        }
    }
}

fn find(encoding: &str) -> Option<PixelFormat> {
    ENCODINGS.iter().find(|(name, _)| *name == encoding).map(|(_, format)| *format)
}

/// An error that lists the encodings whose formats `accepted` admits.
fn unsupported(found: &str, accepted: impl Fn(PixelFormat) -> bool) -> SensorError {
    let names: Vec<&str> =
        ENCODINGS.iter().filter(|(_, format)| accepted(*format)).map(|(name, _)| *name).collect();
    SensorError::Encoding { expected: names.join(" "), found: found.to_owned() }
}

impl fmt::Display for PixelFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = ENCODINGS.iter().find(|(_, format)| format == self).map_or("", |(name, _)| name);
        f.write_str(name)
    }
}
