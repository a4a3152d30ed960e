//! `vision_msgs/Detection3DArray` (`vision_msgs` 4) and its parts.

use std::borrow::Cow;

use smallvec::SmallVec;

use super::{CdrError, CdrReader, CdrWriter, Header, Message, Pose, PoseWithCovariance, Vector3};

/// The objects seen in one sweep.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Detection3DArray<'a> {
    /// Time of the sweep and frame of the boxes.
    pub header: Header<'a>,
    /// In no particular order.
    pub detections: Vec<Detection3D<'a>>,
}

/// One object.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Detection3D<'a> {
    /// Time and frame, as the array's.
    pub header: Header<'a>,
    /// What it may be, most likely first.
    pub results: SmallVec<[ObjectHypothesisWithPose<'a>; 1]>,
    /// Where it is and how large.
    pub bbox: BoundingBox3D,
    /// The same over time for a tracked object; empty without tracking.
    pub id: Cow<'a, str>,
}

/// A class with its score and the pose that goes with it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ObjectHypothesisWithPose<'a> {
    /// Class and score.
    pub hypothesis: ObjectHypothesis<'a>,
    /// Pose of the object's origin.
    pub pose: PoseWithCovariance,
}

/// A class with its score.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ObjectHypothesis<'a> {
    /// Class name.
    pub class_id: Cow<'a, str>,
    /// 0 to 1.
    pub score: f64,
}

/// A box with its centre pose and full edge lengths.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct BoundingBox3D {
    /// Centre of the box.
    pub center: Pose,
    /// Full edge lengths along the axes of `center`, metres.
    pub size: Vector3,
}

impl<'a> Message<'a> for Detection3DArray<'a> {
    const TYPE_NAME: &'static str = "vision_msgs/msg/Detection3DArray";
    const TYPE_HASH: &'static str = "RIHS01_793f5eab9595ac1c0da07873cc859db42eae51f0ee76056db8562515d830e018";
    const DEFINITION: &'static str = definition!(
        "vision_msgs/Detection3DArray",
        "std_msgs/Header",
        "builtin_interfaces/Time",
        "vision_msgs/Detection3D",
        "vision_msgs/ObjectHypothesisWithPose",
        "vision_msgs/ObjectHypothesis",
        "geometry_msgs/PoseWithCovariance",
        "geometry_msgs/Pose",
        "geometry_msgs/Point",
        "geometry_msgs/Quaternion",
        "vision_msgs/BoundingBox3D",
        "geometry_msgs/Vector3"
    );

    fn read(r: &mut CdrReader<'a>) -> Result<Self, CdrError> {
        Ok(Self {
            header: Header::read(r)?,
            // Header, count, box and string, without alignment.
            detections: r.sequence("detections", 13 + 4 + 80 + 5, Detection3D::read)?,
        })
    }

    fn write(&self, w: &mut CdrWriter<'_>) {
        self.header.write(w);
        w.sequence(&self.detections, Detection3D::write);
    }
}

impl<'a> Detection3D<'a> {
    fn read(r: &mut CdrReader<'a>) -> Result<Self, CdrError> {
        Ok(Self {
            header: Header::read(r)?,
            results: r.sequence("results", 5 + 8 + 43 * 8, ObjectHypothesisWithPose::read)?,
            bbox: BoundingBox3D {
                center: Pose::read(r, "bbox.center")?,
                size: Vector3::read(r, "bbox.size")?,
            },
            id: Cow::Borrowed(r.str("id")?),
        })
    }

    fn write(&self, w: &mut CdrWriter<'_>) {
        self.header.write(w);
        w.sequence(&self.results, ObjectHypothesisWithPose::write);
        self.bbox.center.write(w);
        self.bbox.size.write(w);
        w.str(&self.id);
    }
}

impl<'a> ObjectHypothesisWithPose<'a> {
    fn read(r: &mut CdrReader<'a>) -> Result<Self, CdrError> {
        Ok(Self {
            hypothesis: ObjectHypothesis {
                class_id: Cow::Borrowed(r.str("hypothesis.class_id")?),
                score: r.f64("hypothesis.score")?,
            },
            pose: PoseWithCovariance::read(r, "results.pose")?,
        })
    }

    fn write(&self, w: &mut CdrWriter<'_>) {
        w.str(&self.hypothesis.class_id);
        w.f64(self.hypothesis.score);
        self.pose.write(w);
    }
}
