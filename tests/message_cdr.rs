//! Messages: round trips, damaged bytes, official type hashes.

use std::{borrow::Cow, collections::BTreeMap, fmt::Debug};

use isobath::message::{
    BoundingBox3D, CameraInfo, CdrError, Clock, ColorRgba, CompressedImage, Detection3D, Detection3DArray,
    DiagnosticArray, DiagnosticStatus, Duration, Header, Image, KeyValue, Log, Marker, MarkerArray, MeshFile,
    Message, ObjectHypothesis, ObjectHypothesisWithPose, Odometry, Point, PointCloud2, PointField, Pose,
    PoseWithCovariance, Quaternion, RadarReturn, RadarScan, RegionOfInterest, Stamp, TFMessage, Text,
    Transform, TransformStamped, Twist, TwistWithCovariance, UvCoordinate, Vector3, from_cdr, to_cdr,
};
use proptest::prelude::*;

/// What messages of every type are filled from.
#[derive(Clone, Debug)]
struct Filling {
    ns: i64,
    text: [String; 3],
    bytes: Vec<u8>,
    reals: [f64; 7],
    numbers: [u32; 4],
    flag: bool,
    count: usize,
}

fn filling() -> impl Strategy<Value = Filling> {
    (
        -1_000_000_000_000i64..2_000_000_000_000_000_000,
        [".{0,9}", "[a-z/]{0,5}", ".{0,3}"],
        prop::collection::vec(any::<u8>(), 0..40),
        [-1e9f64..1e9, -1.0..1.0, -1.0..1.0, -1.0..1.0, -1.0..1.0, -1e-9..1e-9, 0.0..1e300],
        any::<[u32; 4]>(),
        any::<bool>(),
        0usize..4,
    )
        .prop_map(|(ns, text, bytes, reals, numbers, flag, count)| Filling {
            ns,
            text,
            bytes,
            reals,
            numbers,
            flag,
            count,
        })
}

impl Filling {
    fn header(&self) -> Header<'_> {
        Header { stamp: Stamp(self.ns), frame_id: &self.text[1] }
    }

    fn vector(&self) -> Vector3 {
        Vector3 { x: self.reals[0], y: self.reals[1], z: self.reals[2] }
    }

    fn pose(&self) -> Pose {
        let [x, y, z, w, ..] = self.reals;
        Pose { position: Point { x, y, z }, orientation: Quaternion { x, y, z, w } }
    }

    fn pose_with_covariance(&self) -> PoseWithCovariance {
        PoseWithCovariance { pose: self.pose(), covariance: [self.reals[6]; 36] }
    }

    fn repeat<T: Clone, L: FromIterator<T>>(&self, item: T) -> L {
        std::iter::repeat_n(item, self.count).collect()
    }

    fn image(&self) -> Image<'_> {
        Image {
            header: self.header(),
            height: self.numbers[0],
            width: self.numbers[1],
            encoding: &self.text[0],
            is_bigendian: self.flag,
            step: self.numbers[2],
            data: &self.bytes,
        }
    }

    fn compressed(&self) -> CompressedImage<'_> {
        CompressedImage { header: self.header(), format: &self.text[0], data: &self.bytes }
    }

    fn camera_info(&self) -> CameraInfo<'_> {
        let [x_offset, y_offset, height, width] = self.numbers;
        CameraInfo {
            header: self.header(),
            height: self.numbers[0],
            width: self.numbers[1],
            distortion_model: &self.text[2],
            d: self.repeat(self.reals[3]),
            k: [self.reals[0]; 9],
            r: [self.reals[1]; 9],
            p: [self.reals[2]; 12],
            binning_x: self.numbers[2],
            binning_y: self.numbers[3],
            roi: RegionOfInterest { x_offset, y_offset, height, width, do_rectify: self.flag },
        }
    }

    fn cloud(&self) -> PointCloud2<'_> {
        let [height, width, point_step, row_step] = self.numbers;
        let field = PointField { name: &self.text[0], offset: width, datatype: 7, count: height };
        PointCloud2 {
            header: self.header(),
            height,
            width,
            fields: self.repeat(field),
            is_bigendian: self.flag,
            point_step,
            row_step,
            data: &self.bytes,
            is_dense: !self.flag,
        }
    }

    fn tf(&self) -> TFMessage<'_> {
        TFMessage {
            transforms: self.repeat(TransformStamped {
                header: self.header(),
                child_frame_id: &self.text[0],
                transform: Transform { translation: self.vector(), rotation: self.pose().orientation },
            }),
        }
    }

    fn detections(&self) -> Detection3DArray<'_> {
        let result = ObjectHypothesisWithPose {
            hypothesis: ObjectHypothesis { class_id: Cow::Borrowed(&self.text[0]), score: self.reals[1] },
            pose: self.pose_with_covariance(),
        };
        let detection = Detection3D {
            header: self.header(),
            results: self.repeat(result),
            bbox: BoundingBox3D { center: self.pose(), size: self.vector() },
            id: Cow::Borrowed(&self.text[2]),
        };
        Detection3DArray { header: self.header(), detections: self.repeat(detection) }
    }

    fn markers(&self) -> MarkerArray<'_> {
        let color = ColorRgba { r: 0.5, g: self.reals[1] as f32, b: 0.0, a: 1.0 };
        let marker = Marker {
            header: self.header(),
            ns: &self.text[0],
            id: self.numbers[0] as i32,
            kind: Marker::CUBE,
            action: Marker::DELETEALL,
            pose: self.pose(),
            scale: self.vector(),
            color,
            lifetime: Duration { sec: -1, nanosec: self.numbers[1] },
            frame_locked: self.flag,
            points: self.repeat(self.pose().position),
            colors: self.repeat(color),
            texture_resource: &self.text[1],
            texture: self.compressed(),
            uv_coordinates: self.repeat(UvCoordinate { u: 0.25, v: 0.75 }),
            text: Cow::Borrowed(&self.text[2]),
            mesh_resource: &self.text[0],
            mesh_file: MeshFile { filename: &self.text[1], data: &self.bytes },
            mesh_use_embedded_materials: !self.flag,
        };
        MarkerArray { markers: self.repeat(marker) }
    }

    fn diagnostics(&self) -> DiagnosticArray<'_> {
        let [key, value, name] = self.text.each_ref().map(|text| Cow::Borrowed(text.as_str()));
        let status = DiagnosticStatus {
            level: DiagnosticStatus::WARN,
            name,
            message: key.clone(),
            hardware_id: value.clone(),
            values: self.repeat(KeyValue { key, value }),
        };
        DiagnosticArray { header: self.header(), status: self.repeat(status) }
    }

    fn log(&self) -> Log<'_> {
        let [name, msg, file] = self.text.each_ref().map(String::as_str);
        let stamp = Stamp(self.ns);
        Log { stamp, level: Log::WARN, name, msg, file, function: name, line: self.numbers[0] }
    }

    fn odometry(&self) -> Odometry<'_> {
        Odometry {
            header: self.header(),
            child_frame_id: &self.text[0],
            pose: self.pose_with_covariance(),
            twist: TwistWithCovariance {
                twist: Twist { linear: self.vector(), angular: self.vector() },
                covariance: [self.reals[5]; 36],
            },
        }
    }

    fn radar_scan(&self) -> RadarScan<'_> {
        let [a, b, c, ..] = self.reals.map(|value| value as f32);
        let item = RadarReturn { range: a, azimuth: b, elevation: c, doppler_velocity: -a, amplitude: b + c };
        RadarScan { header: self.header(), returns: self.repeat(item) }
    }
}

/// Reads back what was written; any shorter piece is an error.
fn check<M>(message: &M)
where
    M: for<'a> Same<'a> + Debug,
{
    let mut bytes = vec![9; 3];
    message.encode(&mut bytes);
    message.assert_same(&bytes);
    for length in 0..bytes.len() {
        assert!(message.decodes(&bytes[..length]).is_err(), "{message:?} cut at {length}");
    }
}

/// Lets `check` decode into the type of a message with another lifetime.
trait Same<'a> {
    fn encode(&self, out: &mut Vec<u8>);
    fn assert_same(&self, bytes: &'a [u8]);
    fn decodes(&self, bytes: &'a [u8]) -> Result<(), CdrError>;
}

macro_rules! every_type {
    ($($name:ident $(<$lifetime:lifetime>)?),* $(,)?) => {
        $(impl<'a, 'm> Same<'a> for $name$(<$lifetime>)? {
            fn encode(&self, out: &mut Vec<u8>) {
                to_cdr(self, out);
            }

            fn assert_same(&self, bytes: &'a [u8]) {
                let found: $name = from_cdr(bytes).unwrap();
                // By text: some types are invariant in their lifetime.
 assert_eq!(format!("{found:?}"), format!("{self:?}"));
            }

            fn decodes(&self, bytes: &'a [u8]) -> Result<(), CdrError> {
                from_cdr::<$name>(bytes).map(|_| ())
            }
        })*

        /// Decodes `bytes` as every type; the results do not matter, ending does.
        fn decode_as_every_type(bytes: &[u8]) {
            $(let _ = from_cdr::<$name>(bytes);)*
        }

        /// Name, hash and definition of every type.
        fn declared() -> Vec<(&'static str, &'static str, &'static str)> {
            vec![$(($name::TYPE_NAME, $name::TYPE_HASH, $name::DEFINITION)),*]
        }
    };
}

every_type!(
    Header<'m>,
    Image<'m>,
    CompressedImage<'m>,
    CameraInfo<'m>,
    PointCloud2<'m>,
    TransformStamped<'m>,
    TFMessage<'m>,
    Detection3DArray<'m>,
    Marker<'m>,
    MarkerArray<'m>,
    DiagnosticArray<'m>,
    Log<'m>,
    Odometry<'m>,
    RadarScan<'m>,
    Clock,
    Text<'m>,
);

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn every_message_survives_a_round_trip_and_no_cut(f in filling()) {
        check(&f.header());
        check(&f.image());
        check(&f.compressed());
        check(&f.camera_info());
        check(&f.cloud());
        check(&f.tf());
        check(&f.detections());
        check(&f.markers());
        check(&f.diagnostics());
        check(&f.log());
        check(&f.odometry());
        check(&f.radar_scan());
        check(&Clock { clock: Stamp(f.ns) });
        check(&Text { data: &f.text[1] });
    }

    #[test]
    fn random_bytes_end_in_a_result(mut bytes in prop::collection::vec(any::<u8>(), 0..300), kind in 0u8..3) {
        if let Some(start) = bytes.first_chunk_mut::<4>() {
            *start = [0, kind, 0, 0];
        }
        decode_as_every_type(&bytes);
    }

    #[test]
    fn flipped_bytes_end_in_a_result(f in filling(), at in any::<prop::sample::Index>(), to in any::<u8>()) {
        let mut bytes = Vec::new();
        to_cdr(&f.markers(), &mut bytes);
        let at = at.index(bytes.len());
        bytes[at] = to;
        decode_as_every_type(&bytes);
    }
}

#[test]
fn hashes_are_the_official_ones() {
    let text = include_str!("golden/type_hashes.json");
    let hashes: BTreeMap<String, String> = serde_json::from_str(text).unwrap();
    for (name, hash, definition) in declared() {
        assert_eq!(hashes.get(name).map(String::as_str), Some(hash), "{name}");
        // Each type a definition uses comes with it, once.
        for section in definition.split("MSG: ").skip(1) {
            let dependency = section.lines().next().unwrap().replacen('/', "/msg/", 1);
            assert!(hashes.contains_key(&dependency), "{name} depends on unknown {dependency}");
            assert_eq!(definition.matches(&format!("MSG: {}\n", section.lines().next().unwrap())).count(), 1);
        }
        for used in definition.lines().filter(|line| !line.contains('=') && !line.starts_with("MSG: ")) {
            let used = used.split([' ', '[']).next().unwrap();
            assert!(!used.contains('/') || definition.contains(&format!("MSG: {used}\n")), "{name}: {used}");
        }
    }
}

#[test]
fn errors_name_type_field_and_place() {
    let mut bytes = Vec::new();
    to_cdr(&Image { encoding: "rgb8", data: &[1, 2, 3], ..Image::default() }, &mut bytes);
    let error = from_cdr::<Image>(&bytes[..bytes.len() - 1]).unwrap_err().to_string();
    // Encapsulation 4, stamp 8, empty frame 5 + 3 padding, size 8, encoding 9, flag 1 + 2, step 4.
    let expected = "sensor_msgs/msg/Image.data at byte 44: expected at most 2 elements, found a count of 3";
    assert_eq!(error, expected);
    let error = from_cdr::<Clock>(&[0, 3, 0, 0]).unwrap_err();
    assert_eq!(error, CdrError::Encapsulation { type_name: "rosgraph_msgs/msg/Clock", found: 3 });
    let header = [0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, b'a', b'b'];
    let error = from_cdr::<Header>(&header).unwrap_err().to_string();
    assert!(error.contains("header.frame_id at byte 16") && error.contains("NUL"), "{error}");
    bytes.extend_from_slice(&[0; 8]);
    assert!(matches!(from_cdr::<Image>(&bytes), Err(CdrError::TrailingBytes { found: 8, .. })));
}
