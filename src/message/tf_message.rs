//! `tf2_msgs/TFMessage` and `geometry_msgs/TransformStamped`.

use super::{CdrError, CdrReader, CdrWriter, Header, Message, Transform};

/// Where the child frame is in the header's frame at the header's time.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct TransformStamped<'a> {
    /// Time and parent frame.
    pub header: Header<'a>,
    /// Child frame.
    pub child_frame_id: &'a str,
    /// Maps child coordinates into the parent frame.
    pub transform: Transform,
}

/// Transforms as `/tf` and `/tf_static` carry them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TFMessage<'a> {
    /// In no particular order.
    pub transforms: Vec<TransformStamped<'a>>,
}

impl<'a> Message<'a> for TransformStamped<'a> {
    const TYPE_NAME: &'static str = "geometry_msgs/msg/TransformStamped";
    const TYPE_HASH: &'static str = "RIHS01_0a241f87d04668d94099cbb5ba11691d5ad32c2f29682e4eb5653424bd275206";
    const DEFINITION: &'static str = definition!(
        "geometry_msgs/TransformStamped",
        "std_msgs/Header",
        "builtin_interfaces/Time",
        "geometry_msgs/Transform",
        "geometry_msgs/Vector3",
        "geometry_msgs/Quaternion"
    );

    fn read(r: &mut CdrReader<'a>) -> Result<Self, CdrError> {
        Ok(Self {
            header: Header::read(r)?,
            child_frame_id: r.str("child_frame_id")?,
            transform: Transform::read(r, "transform")?,
        })
    }

    fn write(&self, w: &mut CdrWriter<'_>) {
        self.header.write(w);
        w.str(self.child_frame_id);
        self.transform.write(w);
    }
}

impl<'a> Message<'a> for TFMessage<'a> {
    const TYPE_NAME: &'static str = "tf2_msgs/msg/TFMessage";
    const TYPE_HASH: &'static str = "RIHS01_e369d0f05a23ae52508854b66f6aa0437f3449d652e8cbf22d5abe85d020f087";
    const DEFINITION: &'static str = definition!(
        "tf2_msgs/TFMessage",
        "geometry_msgs/TransformStamped",
        "std_msgs/Header",
        "builtin_interfaces/Time",
        "geometry_msgs/Transform",
        "geometry_msgs/Vector3",
        "geometry_msgs/Quaternion"
    );

    fn read(r: &mut CdrReader<'a>) -> Result<Self, CdrError> {
        Ok(Self { transforms: r.sequence("transforms", 74, TransformStamped::read)? })
    }

    fn write(&self, w: &mut CdrWriter<'_>) {
        w.sequence(&self.transforms, TransformStamped::write);
    }
}
