//! `rosgraph_msgs/Clock`.

use super::{CdrError, CdrReader, CdrWriter, Message, Stamp};

/// The time of a simulation or of a bag being played.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Clock {
    /// Now.
    pub clock: Stamp,
}

impl<'a> Message<'a> for Clock {
    const TYPE_NAME: &'static str = "rosgraph_msgs/msg/Clock";
    const TYPE_HASH: &'static str = "RIHS01_692f7a66e93a3c83e71765d033b60349ba68023a8c689a79e48078bcb5c58564";
    const DEFINITION: &'static str = definition!("rosgraph_msgs/Clock", "builtin_interfaces/Time");

    fn read(r: &mut CdrReader<'a>) -> Result<Self, CdrError> {
        Ok(Self { clock: r.stamp("clock")? })
    }

    fn write(&self, w: &mut CdrWriter<'_>) {
        w.stamp(self.clock);
    }
}
