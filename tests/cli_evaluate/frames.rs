//! Truth and outputs, frame by frame.

use isobath::message::{
    BoundingBox3D, Detection3D, Detection3DArray, Header, Image, ObjectHypothesis, ObjectHypothesisWithPose,
    Point, Pose, PoseWithCovariance, Quaternion, Vector3,
};

use crate::recording::{Recording, at, cloud, encode, points};

/// Columns and rows of the depth images.
pub const SIZE: (u32, u32) = (16, 12);

/// A depth image of one value, serialized.
pub fn depth(ms: i64, frame_id: &str, metres: f32) -> Vec<u8> {
    let data = metres.to_le_bytes().repeat((SIZE.0 * SIZE.1) as usize);
    encode(&Image {
        header: Header { stamp: at(ms), frame_id },
        height: SIZE.1,
        width: SIZE.0,
        encoding: "32FC1",
        is_bigendian: false,
        step: 4 * SIZE.0,
        data: &data,
    })
}

/// Boxes 4 × 2 × 1.5 m of class, x, score and id, serialized.
pub fn boxes(ms: i64, frame_id: &str, boxes: &[(&str, f64, f64, &str)]) -> Vec<u8> {
    let header = Header { stamp: at(ms), frame_id };
    let detection = |&(class, x, score, id): &(&str, f64, f64, &str)| {
        let pose = Pose { position: Point { x, y: 1.0, z: 0.0 }, orientation: Quaternion::default() };
        Detection3D {
            header,
            results: [ObjectHypothesisWithPose {
                hypothesis: ObjectHypothesis { class_id: class.to_owned().into(), score },
                pose: PoseWithCovariance { pose, covariance: [0.0; 36] },
            }]
            .into(),
            bbox: BoundingBox3D { center: pose, size: Vector3 { x: 4.0, y: 2.0, z: 1.5 } },
            id: id.to_owned().into(),
        }
    };
    encode(&Detection3DArray { header, detections: boxes.iter().map(detection).collect() })
}

/// Adds to recordings what evaluation looks at.
pub trait Frames {
    /// Truth of a depth image.
    fn depth_truth(&mut self, ms: i64, metres: f32);
    /// A depth image with its confidence, published 30 ms later.
    fn depth(&mut self, ms: i64, metres: f32);
    /// Truth boxes and a sweep with a point in each but those at 30 m or more.
    fn box_truth(&mut self, ms: i64, truth: &[(&str, f64, f64, &str)]) {
        self.box_truth_seen(ms, truth, 30.0);
    }
    /// Truth boxes and a sweep with a point in each that is nearer than `below` metres.
    fn box_truth_seen(&mut self, ms: i64, truth: &[(&str, f64, f64, &str)], below: f64);
    /// Detections, published 20 ms later.
    fn detections(&mut self, ms: i64, found: &[(&str, f64, f64, &str)]);
}

impl Frames for Recording {
    fn depth_truth(&mut self, ms: i64, metres: f32) {
        self.add_bytes::<Image<'_>>("/truth/depth", ms, depth(ms, "camera", metres));
    }

    fn depth(&mut self, ms: i64, metres: f32) {
        self.add_bytes::<Image<'_>>("/depth/image", ms + 30, depth(ms, "camera", metres));
        self.add_bytes::<Image<'_>>("/depth/confidence", ms + 30, depth(ms, "camera", 0.75));
    }

    fn box_truth_seen(&mut self, ms: i64, truth: &[(&str, f64, f64, &str)], below: f64) {
        self.add_bytes::<Detection3DArray<'_>>("/truth/detections", ms, boxes(ms, "lidar", truth));
        let seen =
            truth.iter().filter(|(_, x, ..)| *x < below).map(|(_, x, ..)| [*x as f32 + 1.5, 1.5, 0.5, 9.0]);
        let data = points(&seen.chain([[0.3, 0.0, 0.0, 1.0]]).collect::<Vec<_>>());
        self.add("/lidar/points", ms, &cloud("lidar", ms, &data));
    }

    fn detections(&mut self, ms: i64, found: &[(&str, f64, f64, &str)]) {
        self.add_bytes::<Detection3DArray<'_>>("/detections", ms + 20, boxes(ms, "lidar", found));
    }
}

/// A live recording of `count` frames: depth is 10 % too far; the car is found, the pedestrian is not.
pub fn live(count: i64) -> Recording {
    let mut recording = Recording::default();
    recording.mount();
    for i in 0..count {
        let ms = i * 100;
        recording.depth_truth(ms, 10.0);
        recording.depth(ms, 11.0);
        let x = 10.0 + i as f64;
        recording
            .box_truth(ms, &[("car", x, 1.0, "7"), ("pedestrian", 20.0, 1.0, "8"), ("car", 35.0, 1.0, "9")]);
        recording.detections(ms, &[("car", x + 0.3, 0.9, ""), ("tram", 5.0, 0.5, "")]);
    }
    recording
}
