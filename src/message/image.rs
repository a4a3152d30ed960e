//! `sensor_msgs/Image`.

use super::{CdrError, CdrReader, CdrWriter, Header, Message};

/// An uncompressed image; [`crate::sensor::ImageView`] gives its pixels meaning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Image<'a> {
    /// Acquisition time and optical frame.
    pub header: Header<'a>,
    /// Rows.
    pub height: u32,
    /// Columns.
    pub width: u32,
    /// Pixel format, as `rgb8`.
    pub encoding: &'a str,
    /// Byte order of channels wider than a byte.
    pub is_bigendian: bool,
    /// Bytes from one row to the next.
    pub step: u32,
    /// Rows, `step * height` bytes.
    pub data: &'a [u8],
}

impl<'a> Message<'a> for Image<'a> {
    const TYPE_NAME: &'static str = "sensor_msgs/msg/Image";
    const TYPE_HASH: &'static str = "RIHS01_d31d41a9a4c4bc8eae9be757b0beed306564f7526c88ea6a4588fb9582527d47";
    const DEFINITION: &'static str =
        definition!("sensor_msgs/Image", "std_msgs/Header", "builtin_interfaces/Time");

    fn read(r: &mut CdrReader<'a>) -> Result<Self, CdrError> {
        Ok(Self {
            header: Header::read(r)?,
            height: r.u32("height")?,
            width: r.u32("width")?,
            encoding: r.str("encoding")?,
            // A uint8 in the definition: any non-zero value is true.
            is_bigendian: r.u8("is_bigendian")? != 0,
            step: r.u32("step")?,
            data: r.bytes("data")?,
        })
    }

    fn write(&self, w: &mut CdrWriter<'_>) {
        self.header.write(w);
        w.u32(self.height);
        w.u32(self.width);
        w.str(self.encoding);
        w.u8(self.is_bigendian.into());
        w.u32(self.step);
        w.bytes(self.data);
    }
}
