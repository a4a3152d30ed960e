//! What every message type has: a name, a hash, a definition, CDR both ways.

use super::{CdrError, CdrReader, CdrWriter};

/// A definition with its dependencies, in the `ros2msg` form that MCAP schemas carry.
macro_rules! definition {
    ($main:literal $(, $dependency:literal)*) => {
        concat!(
            include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/message/definitions/", $main, ".msg")),
            $(
                "================================================================================\n",
                "MSG: ", $dependency, "\n",
                include_str!(concat!(
                    env!("CARGO_MANIFEST_DIR"), "/src/message/definitions/", $dependency, ".msg"
                )),
            )*
        )
    };
}

/// A ROS message type that can be read from and written to CDR.
pub trait Message<'a>: Sized {
    /// Full ROS name, as `sensor_msgs/msg/Image`.
    const TYPE_NAME: &'static str;
    /// Type hash of REP-2011, as `RIHS01_…`.
    const TYPE_HASH: &'static str;
    /// `ros2msg` text with all dependencies, for MCAP schemas.
    const DEFINITION: &'static str;

    /// Reads the fields in order. Strings and byte lists borrow from the reader's buffer.
    fn read(r: &mut CdrReader<'a>) -> Result<Self, CdrError>;

    /// Writes the fields in order.
    fn write(&self, w: &mut CdrWriter<'_>);
}

/// Decodes a serialized message: 4 encapsulation bytes, then XCDR1 in either byte order.
pub fn from_cdr<'a, M: Message<'a>>(bytes: &'a [u8]) -> Result<M, CdrError> {
    let mut reader = CdrReader::new(bytes, M::TYPE_NAME)?;
    let message = M::read(&mut reader)?;
    reader.finish()?;
    Ok(message)
}

/// Encodes `message` little-endian into `out`, which is cleared and keeps its capacity.
pub fn to_cdr<'a, M: Message<'a>>(message: &M, out: &mut Vec<u8>) {
    message.write(&mut CdrWriter::new(out));
}
