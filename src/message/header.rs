//! `std_msgs/Header`.

use super::{CdrError, CdrReader, CdrWriter, Message, Stamp};

/// When and in which frame a reading was taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Header<'a> {
    /// Acquisition time.
    pub stamp: Stamp,
    /// Coordinate frame of the data.
    pub frame_id: &'a str,
}

impl<'a> Message<'a> for Header<'a> {
    const TYPE_NAME: &'static str = "std_msgs/msg/Header";
    const TYPE_HASH: &'static str = "RIHS01_f49fb3ae2cf070f793645ff749683ac6b06203e41c891e17701b1cb597ce6a01";
    const DEFINITION: &'static str = definition!("std_msgs/Header", "builtin_interfaces/Time");

    fn read(r: &mut CdrReader<'a>) -> Result<Self, CdrError> {
        Ok(Self { stamp: r.stamp("header.stamp")?, frame_id: r.str("header.frame_id")? })
    }

    fn write(&self, w: &mut CdrWriter<'_>) {
        w.stamp(self.stamp);
        w.str(self.frame_id);
    }
}
