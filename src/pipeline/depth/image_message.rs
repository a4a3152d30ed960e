//! The image that a depth frame is made from.

use std::sync::Arc;

use crate::message::{CdrError, Image, LendCompressedImage, LendImage, Stamp};

/// Width and height of an image, pixels.
pub(super) type Size = (u32, u32);

/// An image as it came.
#[derive(Clone)]
pub enum ImageMessage {
    /// `sensor_msgs/Image`
    Raw(Arc<dyn LendImage>),
    /// `sensor_msgs/CompressedImage`
    Compressed(Arc<dyn LendCompressedImage>),
}

impl ImageMessage {
    /// Stamp and frame of the image.
    pub(super) fn stamp_and_frame(&self) -> Result<(Stamp, String), CdrError> {
        let header = match self {
            Self::Raw(message) => message.image()?.header,
            Self::Compressed(message) => message.compressed_image()?.header,
        };
        Ok((header.stamp, header.frame_id.to_owned()))
    }

    /// Encoding of the pixels or format of the file, and the size where the header tells it.
    pub(super) fn form(&self) -> Result<(&str, Option<Size>), CdrError> {
        Ok(match self {
            Self::Raw(message) => {
                let image = message.image()?;
                (image.encoding, Some((image.width, image.height)))
            }
            Self::Compressed(message) => (message.compressed_image()?.format, None),
        })
    }

    /// The decoded message, if it is an uncompressed one.
    pub(super) fn raw(&self) -> Option<Result<Image<'_>, CdrError>> {
        if let Self::Raw(message) = self { Some(message.image()) } else { None }
    }
}
