//! Readings and truth as messages of a bag, under the names that the nodes subscribe to.

use std::collections::BTreeMap;

use smallvec::smallvec;

use super::{ImportError, Pinhole};
use crate::bag::{BagWriter, OfferedQos, TopicId};
use crate::geometry::{Box3d, Pose, pose_from_yaw, pose_to_parts};
use crate::message::{
    self, BoundingBox3D, CloudLayout, Detection3D, Detection3DArray, Header, Image, Message,
    ObjectHypothesis, ObjectHypothesisWithPose, Point, PoseWithCovariance, Quaternion, Stamp, TFMessage,
    Text, Transform, TransformStamped, Vector3, to_cdr,
};
use crate::sensor::DecodedImage;

/// Where the world stands still.
pub(super) const ODOM: &str = "odom";
/// The vehicle or the rig.
pub(super) const BASE: &str = "base_link";
/// The camera, z forward.
pub(super) const CAMERA: &str = "camera_optical_frame";
/// The LiDAR.
pub(super) const LIDAR: &str = "lidar";
/// The radar.
pub(super) const RADAR: &str = "radar_0";

/// An object of the truth, in the LiDAR's frame.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct TruthBox {
    /// One of the project's classes
    pub class: &'static str,
    /// Where and how large
    pub box3d: Box3d,
    /// The same in all frames; empty where the data set does not track
    pub id: String,
}

/// Messages of one topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicCount {
    /// Its name
    pub name: &'static str,
    /// Messages written
    pub messages: u64,
}

/// Writes a bag. Topics appear with their first message.
pub(super) struct Recorder {
    writer: BagWriter,
    topics: Vec<(TopicId, TopicCount)>,
    /// The message that is being written
    message: Vec<u8>,
    /// Objects that have no class here, by what the data set calls them
    left_out: BTreeMap<String, u64>,
}

impl Recorder {
    pub fn new(writer: BagWriter) -> Self {
        Self { writer, topics: Vec::new(), message: Vec::new(), left_out: BTreeMap::new() }
    }

    /// Says something about the bag in its custom data.
    pub fn remark(&mut self, key: &str, value: &str) {
        self.writer.set_custom_data(key, value);
    }

    /// Counts an object that has no class here.
    pub fn leave_out(&mut self, name: &str) {
        if let Some(count) = self.left_out.get_mut(name) {
            *count += 1;
        } else {
            self.left_out.insert(name.to_owned(), 1);
        }
    }

    /// Ends the bag; the messages of each topic, and the objects that were left out.
    pub fn finish(self) -> Result<(Vec<TopicCount>, BTreeMap<String, u64>), ImportError> {
        self.writer.finish()?;
        let mut topics: Vec<_> = self.topics.into_iter().map(|(_, count)| count).collect();
        topics.sort_by_key(|topic| topic.name);
        Ok((topics, self.left_out))
    }

    /// `/image` and, before it, its `/camera_info`.
    pub fn image(&mut self, stamp: Stamp, image: &DecodedImage, lens: &Pinhole) -> Result<(), ImportError> {
        let header = Header { stamp, frame_id: CAMERA };
        let (width, height) = (image.width, image.height);
        self.put("/camera_info", stamp, &lens.camera_info(header, width, height))?;
        let message = Image {
            header,
            height,
            width,
            encoding: "rgb8",
            is_bigendian: false,
            step: 3 * width,
            data: &image.rgb,
        };
        self.put("/image", stamp, &message)
    }

    /// `/truth/depth`: metres along the optical axis, row-major, NaN where the truth does not say.
    pub fn depth(&mut self, stamp: Stamp, width: u32, depth_m: &[f32]) -> Result<(), ImportError> {
        let message = Image {
            header: Header { stamp, frame_id: CAMERA },
            height: depth_m.len() as u32 / width.max(1),
            width,
            encoding: "32FC1",
            is_bigendian: false,
            step: 4 * width,
            data: bytemuck::cast_slice(depth_m),
        };
        self.put("/truth/depth", stamp, &message)
    }

    /// `/lidar/points`.
    pub fn sweep(&mut self, stamp: Stamp, layout: &CloudLayout, data: &[u8]) -> Result<(), ImportError> {
        self.put("/lidar/points", stamp, &layout.cloud(Header { stamp, frame_id: LIDAR }, data))
    }

    /// `/radar_0/points`.
    pub fn scan(&mut self, stamp: Stamp, layout: &CloudLayout, data: &[u8]) -> Result<(), ImportError> {
        self.put("/radar_0/points", stamp, &layout.cloud(Header { stamp, frame_id: RADAR }, data))
    }

    /// `/truth/detections`, and what else the data set says about each of `boxes`, in their order, as JSON on
    /// `/truth/annotations`.
    pub fn truth(
        &mut self,
        stamp: Stamp,
        boxes: &[TruthBox],
        annotations: &serde_json::Value,
    ) -> Result<(), ImportError> {
        let header = Header { stamp, frame_id: LIDAR };
        let detections = boxes.iter().map(|truth| detection(truth, header)).collect();
        self.put("/truth/detections", stamp, &Detection3DArray { header, detections })?;
        self.put("/truth/annotations", stamp, &Text { data: &annotations.to_string() })
    }

    /// `/tf`: one or more transforms of a moment, as (parent, child, pose).
    pub fn moving(&mut self, stamp: Stamp, poses: &[(&str, &str, Pose)]) -> Result<(), ImportError> {
        self.put("/tf", stamp, &transforms(stamp, poses))
    }

    /// `/tf_static`: transforms that hold for all times.
    pub fn fixed(&mut self, stamp: Stamp, poses: &[(&str, &str, Pose)]) -> Result<(), ImportError> {
        self.put("/tf_static", stamp, &transforms(stamp, poses))
    }

    fn put<'a, M: Message<'a>>(
        &mut self,
        name: &'static str,
        log: Stamp,
        message: &M,
    ) -> Result<(), ImportError> {
        let known = self.topics.iter().position(|(_, count)| count.name == name);
        let index = known.unwrap_or(self.topics.len());
        if known.is_none() {
            let qos = [offered(name)];
            let id = self.writer.add_topic(name, M::TYPE_NAME, Some(M::TYPE_HASH), M::DEFINITION, &qos)?;
            self.topics.push((id, TopicCount { name, messages: 0 }));
        }
        to_cdr(message, &mut self.message);
        if let Some((id, count)) = self.topics.get_mut(index) {
            self.writer.write(*id, log, &self.message)?;
            count.messages += 1;
        }
        Ok(())
    }
}

/// What a publisher of this topic would offer.
fn offered(name: &str) -> OfferedQos {
    match name {
        "/tf" => OfferedQos::reliable(100),
        "/tf_static" => OfferedQos::latched(1),
        name if name.starts_with("/truth/") => OfferedQos::reliable(10),
        _ => OfferedQos::sensor_data(),
    }
}

fn detection<'a>(truth: &'a TruthBox, header: Header<'a>) -> Detection3D<'a> {
    let Box3d { center, size, yaw } = truth.box3d;
    let pose = message_pose(&pose_from_yaw(center.coords.into(), yaw));
    Detection3D {
        header,
        results: smallvec![ObjectHypothesisWithPose {
            hypothesis: ObjectHypothesis { class_id: truth.class.into(), score: 1.0 },
            pose: PoseWithCovariance { pose, covariance: [0.0; 36] },
        }],
        bbox: BoundingBox3D { center: pose, size: Vector3 { x: size.x, y: size.y, z: size.z } },
        id: truth.id.as_str().into(),
    }
}

fn message_pose(pose: &Pose) -> message::Pose {
    let ([x, y, z], rotation) = pose_to_parts(pose);
    message::Pose { position: Point { x, y, z }, orientation: quaternion(rotation) }
}

fn quaternion([x, y, z, w]: [f64; 4]) -> Quaternion {
    Quaternion { x, y, z, w }
}

fn transforms<'a>(stamp: Stamp, poses: &[(&'a str, &'a str, Pose)]) -> TFMessage<'a> {
    let transform = |&(frame_id, child_frame_id, pose): &(&'a str, &'a str, Pose)| {
        let ([x, y, z], rotation) = pose_to_parts(&pose);
        TransformStamped {
            header: Header { stamp, frame_id },
            child_frame_id,
            transform: Transform { translation: Vector3 { x, y, z }, rotation: quaternion(rotation) },
        }
    };
    TFMessage { transforms: poses.iter().map(transform).collect() }
}
