//! `sensor_msgs/CompressedImage`.

use super::{CdrError, CdrReader, CdrWriter, Header, Message};

/// An image file in a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CompressedImage<'a> {
    /// Acquisition time and optical frame.
    pub header: Header<'a>,
    /// `jpeg`, `png`, or `image_transport`'s longer form, as `bgr8; jpeg compressed bgr8`.
    pub format: &'a str,
    /// The file.
    pub data: &'a [u8],
}

impl<'a> Message<'a> for CompressedImage<'a> {
    const TYPE_NAME: &'static str = "sensor_msgs/msg/CompressedImage";
    const TYPE_HASH: &'static str = "RIHS01_15640771531571185e2efc8a100baf923961a4d15d5569652e6cb6691e8e371a";
    const DEFINITION: &'static str =
        definition!("sensor_msgs/CompressedImage", "std_msgs/Header", "builtin_interfaces/Time");

    fn read(r: &mut CdrReader<'a>) -> Result<Self, CdrError> {
        Ok(Self { header: Header::read(r)?, format: r.str("format")?, data: r.bytes("data")? })
    }

    fn write(&self, w: &mut CdrWriter<'_>) {
        self.header.write(w);
        w.str(self.format);
        w.bytes(self.data);
    }
}
