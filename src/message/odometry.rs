//! `nav_msgs/Odometry` and its parts.

use super::{CdrError, CdrReader, CdrWriter, Header, Message, PoseWithCovariance, Vector3};

/// Where the robot is and how it moves.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Odometry<'a> {
    /// Time and frame of the pose.
    pub header: Header<'a>,
    /// Frame of the twist.
    pub child_frame_id: &'a str,
    /// Pose of the child frame in the header's frame.
    pub pose: PoseWithCovariance,
    /// Velocity in the child frame.
    pub twist: TwistWithCovariance,
}

/// `geometry_msgs/Twist`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Twist {
    /// m/s.
    pub linear: Vector3,
    /// rad/s.
    pub angular: Vector3,
}

/// `geometry_msgs/TwistWithCovariance`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TwistWithCovariance {
    /// The mean.
    pub twist: Twist,
    /// 6×6 row-major, linear then angular; all zero when unknown.
    pub covariance: [f64; 36],
}

impl Default for TwistWithCovariance {
    fn default() -> Self {
        Self { twist: Twist::default(), covariance: [0.0; 36] }
    }
}

impl<'a> Message<'a> for Odometry<'a> {
    const TYPE_NAME: &'static str = "nav_msgs/msg/Odometry";
    const TYPE_HASH: &'static str = "RIHS01_3cc97dc7fb7502f8714462c526d369e35b603cfc34d946e3f2eda2766dfec6e0";
    const DEFINITION: &'static str = definition!(
        "nav_msgs/Odometry",
        "std_msgs/Header",
        "builtin_interfaces/Time",
        "geometry_msgs/PoseWithCovariance",
        "geometry_msgs/Pose",
        "geometry_msgs/Point",
        "geometry_msgs/Quaternion",
        "geometry_msgs/TwistWithCovariance",
        "geometry_msgs/Twist",
        "geometry_msgs/Vector3"
    );

    fn read(r: &mut CdrReader<'a>) -> Result<Self, CdrError> {
        Ok(Self {
            header: Header::read(r)?,
            child_frame_id: r.str("child_frame_id")?,
            pose: PoseWithCovariance::read(r, "pose")?,
            twist: TwistWithCovariance {
                twist: Twist {
                    linear: Vector3::read(r, "twist.linear")?,
                    angular: Vector3::read(r, "twist.angular")?,
                },
                covariance: r.f64_array("twist.covariance")?,
            },
        })
    }

    fn write(&self, w: &mut CdrWriter<'_>) {
        self.header.write(w);
        w.str(self.child_frame_id);
        self.pose.write(w);
        self.twist.twist.linear.write(w);
        self.twist.twist.angular.write(w);
        w.f64_array(&self.twist.covariance);
    }
}
