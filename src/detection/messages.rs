//! Detections as ROS messages.

use std::borrow::Cow;

use smallvec::smallvec;

use super::{ClassTable, Detection3d, DetectionError};
use crate::message::{
    BoundingBox3D, ColorRgba, Detection3D, Detection3DArray, Header, Marker, MarkerArray, ObjectHypothesis,
    ObjectHypothesisWithPose, Point, Pose, PoseWithCovariance, Quaternion, Vector3,
};

/// Namespace of all markers.
const MARKER_NAMESPACE: &str = "detections";

/// Opacity of the cubes: points stay visible inside.
const CUBE_ALPHA: f32 = 0.5;

/// Height of a capital letter, metres.
const TEXT_HEIGHT_M: f64 = 0.5;

/// Gap between a box's top and the middle of its text, metres.
const TEXT_GAP_M: f64 = 0.5;

/// `detections` in the frame and at the time of `header`; `class_id` is the class name, ids are empty
/// and covariances zero (unknown).
///
/// Fails when a detection's class is not in `classes`.
pub fn to_detection3d_array<'a>(
    detections: &[Detection3d],
    classes: &'a ClassTable,
    header: Header<'a>,
) -> Result<Detection3DArray<'a>, DetectionError> {
    let detections = detections
        .iter()
        .map(|detection| {
            let center = pose(detection);

            Ok(Detection3D {
                header,
                results: smallvec![ObjectHypothesisWithPose {
                    hypothesis: ObjectHypothesis {
                        class_id: Cow::Borrowed(class_name(detection, classes)?),
                        score: f64::from(detection.score),
                    },
                    pose: PoseWithCovariance { pose: center, covariance: [0.0; 36] },
                }],
                bbox: BoundingBox3D { center, size: size(detection) },
                id: Cow::Borrowed(""),
            })
        })
        .collect::<Result<_, DetectionError>>()?;
    Ok(Detection3DArray { header, detections })
}

/// Cubes and captions for the detections with at least `score_threshold` (0..1), after one marker that
/// deletes those of the frame before.
///
/// Fails when a detection's class is not in `classes`.
pub fn to_marker_array<'a>(
    detections: &[Detection3d],
    classes: &ClassTable,
    header: Header<'a>,
    score_threshold: f32,
) -> Result<MarkerArray<'a>, DetectionError> {
    let mut markers = Vec::with_capacity(1 + 2 * detections.len());
    markers.push(Marker { header, ns: MARKER_NAMESPACE, action: Marker::DELETEALL, ..Marker::default() });
    let mut id = 0;
    for detection in detections.iter().filter(|d| d.score >= score_threshold) {
        let name = class_name(detection, classes)?;
        let [r, g, b] = ClassTable::colour(detection.class).map(|channel| f32::from(channel) / 255.0);
        let cube = Marker {
            header,
            ns: MARKER_NAMESPACE,
            id,
            kind: Marker::CUBE,
            action: Marker::ADD,
            pose: pose(detection),
            scale: size(detection),
            color: ColorRgba { r, g, b, a: CUBE_ALPHA },
            ..Marker::default()
        };
        let mut above = cube.pose;
        above.position.z += detection.box3d.size.z / 2.0 + TEXT_GAP_M;
        let caption = Marker {
            id: id + 1,
            kind: Marker::TEXT_VIEW_FACING,
            pose: Pose { orientation: Quaternion::default(), ..above },
            scale: Vector3 { x: 0.0, y: 0.0, z: TEXT_HEIGHT_M },
            color: ColorRgba { r, g, b, a: 1.0 },
            text: Cow::Owned(format!("{name} {:.2}", detection.score)),
            ..cube.clone()
        };
        markers.extend([cube, caption]);
        id += 2;
    }
    Ok(MarkerArray { markers })
}

fn class_name<'a>(detection: &Detection3d, classes: &'a ClassTable) -> Result<&'a str, DetectionError> {
    classes
        .name(detection.class)
        .ok_or(DetectionError::UnknownClass { classes: classes.len(), found: detection.class })
}

fn pose(detection: &Detection3d) -> Pose {
    let center = detection.box3d.center;
    let (sin, cos) = (detection.box3d.yaw / 2.0).sin_cos();
    Pose {
        position: Point { x: center.x, y: center.y, z: center.z },
        orientation: Quaternion { x: 0.0, y: 0.0, z: sin, w: cos },
    }
}

fn size(detection: &Detection3d) -> Vector3 {
    let size = detection.box3d.size;
    Vector3 { x: size.x, y: size.y, z: size.z }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::Box3d;
    use crate::message::{Stamp, from_cdr, to_cdr};

    const HEADER: Header<'static> = Header { stamp: Stamp(1_500_000_000), frame_id: "lidar" };

    fn detection(class: u16, score: f32) -> Detection3d {
        let box3d = Box3d {
            center: nalgebra::Point3::new(1.0, -2.0, 0.5),
            size: nalgebra::Vector3::new(4.0, 2.0, 1.5),
            yaw: std::f64::consts::FRAC_PI_2,
        };
        Detection3d { box3d, class, score }
    }

    fn classes() -> ClassTable {
        ClassTable::new(["car", "pedestrian"]).unwrap()
    }

    #[test]
    fn the_array_carries_name_score_pose_and_size() {
        let classes = classes();
        let array = to_detection3d_array(&[detection(1, 0.5)], &classes, HEADER).unwrap();
        let mut bytes = Vec::new();
        to_cdr(&array, &mut bytes);
        let array: Detection3DArray = from_cdr(&bytes).unwrap();
        assert_eq!(array.header, HEADER);
        let [object] = array.detections.as_slice() else { panic!("{array:?}") };
        let [result] = object.results.as_slice() else { panic!("{object:?}") };
        assert_eq!(object.header, HEADER);
        assert_eq!(
            (&*object.id, &*result.hypothesis.class_id, result.hypothesis.score),
            ("", "pedestrian", 0.5)
        );
        assert_eq!(object.bbox.size, Vector3 { x: 4.0, y: 2.0, z: 1.5 });
        assert_eq!(object.bbox.center.position, Point { x: 1.0, y: -2.0, z: 0.5 });
        let half = std::f64::consts::FRAC_1_SQRT_2;
        let Quaternion { x, y, z, w } = object.bbox.center.orientation;
        assert!(x == 0.0 && y == 0.0 && (z - half).abs() < 1e-12 && (w - half).abs() < 1e-12);
        assert_eq!(result.pose.pose, object.bbox.center);
        assert!(result.pose.covariance.iter().all(|v| *v == 0.0));
    }

    #[test]
    fn markers_start_with_a_deletion_and_come_in_pairs() {
        let markers = to_marker_array(&[detection(0, 0.876), detection(1, 0.2)], &classes(), HEADER, 0.3)
            .unwrap()
            .markers;
        assert_eq!(
            markers.iter().map(|m| m.action).collect::<Vec<_>>(),
            [Marker::DELETEALL, Marker::ADD, Marker::ADD]
        );
        assert!(markers.iter().all(|m| m.ns == "detections" && m.header == HEADER && m.lifetime.sec == 0));
        assert_eq!((markers[1].kind, markers[1].color.a), (Marker::CUBE, 0.5));
        assert_eq!((markers[2].kind, &*markers[2].text), (Marker::TEXT_VIEW_FACING, "car 0.88"));
        assert!(markers[2].pose.position.z > 0.5 + 0.75);
        assert_ne!(markers[1].id, markers[2].id);
    }

    #[test]
    fn an_empty_frame_still_deletes() {
        let markers = to_marker_array(&[], &classes(), HEADER, 0.3).unwrap().markers;
        assert_eq!(markers.len(), 1);
        assert_eq!(markers[0].action, Marker::DELETEALL);
    }

    #[test]
    fn a_class_outside_the_table_is_an_error() {
        let error = DetectionError::UnknownClass { classes: 2, found: 2 };
        assert_eq!(to_detection3d_array(&[detection(2, 0.5)], &classes(), HEADER), Err(error.clone()));
        assert_eq!(to_marker_array(&[detection(2, 0.5)], &classes(), HEADER, 0.0), Err(error));
    }
}
