//! Messages against `cdr-encoding`, an independent CDR implementation, in both byte orders.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail by panicking, as tests do")]

use std::borrow::Cow;

use byteorder::{BigEndian, LittleEndian};
use isobath::message::{
    BoundingBox3D, CameraInfo, Detection3D, Detection3DArray, Header, ObjectHypothesis,
    ObjectHypothesisWithPose, Point, PointCloud2, PointField, Pose, PoseWithCovariance, Quaternion,
    RegionOfInterest, Stamp, TFMessage, Transform, TransformStamped, Vector3, from_cdr, to_cdr,
};
use proptest::prelude::*;
use serde::Serialize;
use smallvec::smallvec;

type Time = (i32, u32);
type PlainHeader<'a> = (Time, &'a str);
type Triple = (f64, f64, f64);
type Quad = (f64, f64, f64, f64);

/// 36 doubles; serde's arrays end at 32, and CDR does not mark the nesting.
type Covariance = [[f64; 12]; 3];

fn encoded<T: Serialize>(value: &T, big_endian: bool) -> Vec<u8> {
    let (head, body) = if big_endian {
        ([0, 0, 0, 0], cdr_encoding::to_vec::<T, BigEndian>(value))
    } else {
        ([0, 1, 0, 0], cdr_encoding::to_vec::<T, LittleEndian>(value))
    };
    [&head[..], &body.unwrap()].concat()
}

macro_rules! assert_agrees {
    ($name:ident, $message:expr, $plain:expr) => {{
        let plain = $plain;
        let big_endian = encoded(&plain, true);
        let message: $name = $message;
        let mut bytes = Vec::new();
        to_cdr(&message, &mut bytes);
        assert_eq!(bytes, encoded(&plain, false));
        let found: $name = from_cdr(&big_endian).unwrap();
        assert_eq!(found, message);
    }};
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn bytes_agree(
        sec in 0i32..i32::MAX,
        nanosec in 0u32..1_000_000_000,
        frame in "[a-z_]{0,9}",
        name in "\\PC{0,6}",
        data in prop::collection::vec(any::<u8>(), 0..30),
        v in [-1e6f64..1e6, -1e6f64..1e6, -1e6f64..1e6, -1.0..1.0],
        n in any::<[u32; 4]>(),
        flag in any::<bool>(),
        count in 0usize..4,
    ) {
        let (frame, name) = (frame.as_str(), name.as_str());
        let header = Header { stamp: Stamp::from_parts(sec, nanosec), frame_id: frame };
        let plain_header: PlainHeader = ((sec, nanosec), frame);
        assert_agrees!(Header, header, plain_header);

        let roi = RegionOfInterest {
            x_offset: n[0], y_offset: n[1], height: n[2], width: n[3], do_rectify: flag,
        };
        let info = CameraInfo {
            header, height: n[0], width: n[1], distortion_model: name,
            d: std::iter::repeat_n(v[0], count).collect(),
            k: [v[1]; 9], r: [v[2]; 9], p: [v[3]; 12], binning_x: n[2], binning_y: n[3], roi,
        };
        let plain = (
            plain_header, n[0], n[1], name, vec![v[0]; count], [v[1]; 9], [v[2]; 9], [v[3]; 12],
            n[2], n[3], (n[0], n[1], n[2], n[3], flag),
        );
        assert_agrees!(CameraInfo, info, plain);

        let field = PointField { name, offset: n[0], datatype: data.len() as u8, count: n[1] };
        let cloud = PointCloud2 {
            header, height: n[0], width: n[1], fields: std::iter::repeat_n(field, count).collect(),
            is_bigendian: flag, point_step: n[2], row_step: n[3], data: &data, is_dense: !flag,
        };
        let plain = (
            plain_header, n[0], n[1], vec![(name, n[0], data.len() as u8, n[1]); count],
            flag, n[2], n[3], data.clone(), !flag,
        );
        assert_agrees!(PointCloud2, cloud, plain);

        let triple: Triple = (v[0], v[1], v[2]);
        let quad: Quad = (v[0], v[1], v[2], v[3]);
        let vector = Vector3 { x: v[0], y: v[1], z: v[2] };
        let rotation = Quaternion { x: v[0], y: v[1], z: v[2], w: v[3] };
        let transform = Transform { translation: vector, rotation };
        let stamped = TransformStamped { header, child_frame_id: name, transform };
        let plain = (vec![(plain_header, name, (triple, quad)); count],);
        assert_agrees!(TFMessage, TFMessage { transforms: vec![stamped; count] }, plain);

        let pose = Pose { position: Point { x: v[0], y: v[1], z: v[2] }, orientation: rotation };
        let hypothesis = ObjectHypothesis { class_id: Cow::Borrowed(name), score: v[3] };
        let pose_with_covariance = PoseWithCovariance { pose, covariance: [v[1]; 36] };
        let detection = Detection3D {
            header,
            results: smallvec![ObjectHypothesisWithPose { hypothesis, pose: pose_with_covariance }],
            bbox: BoundingBox3D { center: pose, size: vector },
            id: Cow::Borrowed(frame),
        };
        let covariance: Covariance = [[v[1]; 12]; 3];
        let result = ((name, v[3]), ((triple, quad), covariance));
        let plain = (
            plain_header,
            vec![(plain_header, vec![result], ((triple, quad), triple), frame); count],
        );
        assert_agrees!(Detection3DArray, Detection3DArray { header, detections: vec![detection; count] }, plain);
    }
}
