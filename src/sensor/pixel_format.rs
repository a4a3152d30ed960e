//! Pixel formats that cameras publish.

use std::fmt;

use super::SensorError;

/// How a pixel lies in memory.
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
    /// `16UC1` or `mono16`: depth in millimetres, 0 = no reading (REP-118).
    Depth16,
    /// `32FC1`: depth in metres, NaN = no reading (REP-118).
    Depth32F,
}

/// Every encoding name that is read, with its format.
const ENCODINGS: [(&str, PixelFormat); 8] = [
    ("rgb8", PixelFormat::Rgb8),
    ("bgr8", PixelFormat::Bgr8),
    ("rgba8", PixelFormat::Rgba8),
    ("bgra8", PixelFormat::Bgra8),
    ("mono8", PixelFormat::Mono8),
    ("16UC1", PixelFormat::Depth16),
    ("mono16", PixelFormat::Depth16),
    ("32FC1", PixelFormat::Depth32F),
];

impl PixelFormat {
    /// From `sensor_msgs/Image.encoding`; the error lists what is read.
    pub fn from_encoding(encoding: &str) -> Result<Self, SensorError> {
        ENCODINGS
            .iter()
            .find(|(name, _)| *name == encoding)
            .map(|(_, format)| *format)
            .ok_or_else(|| Self::unsupported(encoding, |_| true))
    }

    /// Bytes from one pixel to the next.
    pub const fn bytes_per_pixel(self) -> usize {
        match self {
            Self::Mono8 => 1,
            Self::Depth16 => 2,
            Self::Rgb8 | Self::Bgr8 => 3,
            Self::Rgba8 | Self::Bgra8 | Self::Depth32F => 4,
        }
    }

    /// Whether pixels are distances, not brightness.
    pub const fn is_depth(self) -> bool {
        matches!(self, Self::Depth16 | Self::Depth32F)
    }

    /// An error that lists the encodings whose formats `accepted` admits.
    pub(super) fn unsupported(found: &str, accepted: impl Fn(Self) -> bool) -> SensorError {
        let names: Vec<&str> =
            ENCODINGS.iter().filter(|(_, format)| accepted(*format)).map(|(name, _)| *name).collect();
        SensorError::Encoding { expected: names.join(" "), found: found.to_owned() }
    }
}

impl fmt::Display for PixelFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = ENCODINGS.iter().find(|(_, format)| format == self).map_or("", |(name, _)| name);
        f.write_str(name)
    }
}
