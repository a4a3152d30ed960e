//! Received messages that own their bytes and lend what is in them.

use super::{CdrError, CompressedImage, Image, PointCloud2, from_cdr};

/// Owns a received image and lends the decoded view.
pub trait LendImage: Send + Sync {
    /// The image, without copying its pixels.
    fn image(&self) -> Result<Image<'_>, CdrError>;
}

/// Owns a received compressed image and lends the decoded view.
pub trait LendCompressedImage: Send + Sync {
    /// The image file, without copying it.
    fn compressed_image(&self) -> Result<CompressedImage<'_>, CdrError>;
}

/// Owns a received cloud and lends the decoded view.
pub trait LendCloud: Send + Sync {
    /// The cloud, without copying its points.
    fn cloud(&self) -> Result<PointCloud2<'_>, CdrError>;
}

/// A serialized message (encapsulation included), as a bag holds it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CdrBuffer(pub Vec<u8>);

impl LendImage for CdrBuffer {
    fn image(&self) -> Result<Image<'_>, CdrError> {
        from_cdr(&self.0)
    }
}

impl LendCompressedImage for CdrBuffer {
    fn compressed_image(&self) -> Result<CompressedImage<'_>, CdrError> {
        from_cdr(&self.0)
    }
}

impl LendCloud for CdrBuffer {
    fn cloud(&self) -> Result<PointCloud2<'_>, CdrError> {
        from_cdr(&self.0)
    }
}
