//! Small recordings made message by message, with this library's own encoders.

use std::f64::consts::FRAC_1_SQRT_2;
use std::path::{Path, PathBuf};

use isobath::bag::BagWriter;
use isobath::message::{
    CameraInfo, Header, Image, Message, PointCloud2, PointField, Quaternion, Stamp, TFMessage, Transform,
    TransformStamped, Vector3, to_cdr,
};

/// Stamp of the first message.
const START_MS: i64 = 1_700_000_000_000;

/// Columns and rows of the images.
pub const SIZE: (u32, u32) = (64, 48);

static PIXELS: [u8; 64 * 48 * 3] = [90; 64 * 48 * 3];

/// `ms` milliseconds into the recording.
pub fn at(ms: i64) -> Stamp {
    Stamp((START_MS + ms) * 1_000_000)
}

/// A recording on the topics that replay reads without a remapping.
#[derive(Clone, Default)]
pub struct Recording {
    messages: Vec<(Stamp, &'static str, &'static str, Vec<u8>)>,
}

impl Recording {
    /// Images, camera info, a radar and a LiDAR at 10 Hz, and where the sensors are.
    pub fn of_frames(count: i64) -> Self {
        let mut recording = Self::default();
        recording.mount();
        for i in 0..count {
            recording.camera(i * 100);
            recording.radar(i * 100 + 10);
            recording.lidar(i * 100 + 20);
        }
        recording
    }

    /// Adds a message logged at `log_ms`.
    pub fn add<'m, M: Message<'m>>(&mut self, topic: &'static str, log_ms: i64, message: &M) {
        self.add_bytes::<M>(topic, log_ms, encode(message));
    }

    /// Adds `bytes` as a message of type `M`.
    pub fn add_bytes<'m, M: Message<'m>>(&mut self, topic: &'static str, log_ms: i64, bytes: Vec<u8>) {
        self.messages.push((at(log_ms), topic, M::TYPE_NAME, bytes));
    }

    /// Where the sensors are, once.
    pub fn mount(&mut self) {
        let transforms =
            ["camera", "radar", "lidar"].map(|child_frame_id| transform("base", child_frame_id, 0)).to_vec();
        self.add("/tf_static", 0, &TFMessage { transforms });
    }

    /// An image with its camera info.
    pub fn camera(&mut self, ms: i64) {
        self.add("/camera_info", ms, &camera_info(ms));
        self.add("/image", ms, &image(ms));
    }

    /// A radar cloud.
    pub fn radar(&mut self, ms: i64) {
        let data = points(&[[5.0, 0.5, 0.0, 0.1], [8.0, -1.0, 0.2, -0.3]]);
        self.add("/radar_0/points", ms, &cloud("radar", ms, &data));
    }

    /// A LiDAR sweep: a wall.
    pub fn lidar(&mut self, ms: i64) {
        let wall: Vec<[f32; 4]> = (0..200_u8)
            .map(|i| [6.0, f32::from(i % 20) * 0.1 - 1.0, f32::from(i / 20) * 0.1 - 0.5, 9.0])
            .collect();
        self.add("/lidar/points", ms, &cloud("lidar", ms, &points(&wall)));
    }

    /// Without the messages of `topic`.
    pub fn without(mut self, topic: &str) -> Self {
        self.messages.retain(|(_, name, ..)| *name != topic);
        self
    }

    /// Changes the messages of `topic`, in their order, as `edit` says.
    pub fn edit(mut self, topic: &str, mut edit: impl FnMut(usize, &mut Vec<u8>)) -> Self {
        let of_topic = self.messages.iter_mut().filter(|(_, name, ..)| *name == topic);
        of_topic.enumerate().for_each(|(i, (.., bytes))| edit(i, bytes));
        self
    }

    /// Writes it as a bag folder or, ending in `.mcap`, as a file.
    pub fn write(&self, path: &Path) -> PathBuf {
        self.write_part(path, |_| true);
        path.to_path_buf()
    }

    /// Writes the messages whose milliseconds `wanted` takes.
    pub fn write_part(&self, path: &Path, wanted: impl Fn(i64) -> bool) {
        let mut writer = BagWriter::create(path).unwrap();
        let mut messages: Vec<_> = self.messages.iter().collect();
        messages.sort_by_key(|(log_time, ..)| *log_time);
        for (log_time, topic, type_name, bytes) in messages {
            if wanted(log_time.0 / 1_000_000 - START_MS) {
                let id = writer.add_topic(topic, type_name, None, "", &[]).unwrap();
                writer.write(id, *log_time, bytes).unwrap();
            }
        }
        writer.finish().unwrap();
    }
}

pub fn encode<'m, M: Message<'m>>(message: &M) -> Vec<u8> {
    let mut bytes = Vec::new();
    to_cdr(message, &mut bytes);
    bytes
}

/// A transform; frames of sensors look along the base's x axis.
pub fn transform(parent: &'static str, child_frame_id: &'static str, ms: i64) -> TransformStamped<'static> {
    let optical = Quaternion { x: -0.5, y: 0.5, z: -0.5, w: 0.5 };
    let rotation = if child_frame_id == "camera" { optical } else { Quaternion::default() };
    TransformStamped {
        header: Header { stamp: at(ms), frame_id: parent },
        child_frame_id,
        transform: Transform { translation: Vector3 { x: FRAC_1_SQRT_2, y: 0.0, z: 0.3 }, rotation },
    }
}

pub fn image(ms: i64) -> Image<'static> {
    Image {
        header: Header { stamp: at(ms), frame_id: "camera" },
        height: SIZE.1,
        width: SIZE.0,
        encoding: "rgb8",
        is_bigendian: false,
        step: SIZE.0 * 3,
        data: &PIXELS,
    }
}

pub fn camera_info(ms: i64) -> CameraInfo<'static> {
    let k = [50.0, 0.0, 32.0, 0.0, 50.0, 24.0, 0.0, 0.0, 1.0];
    CameraInfo {
        header: Header { stamp: at(ms), frame_id: "camera" },
        height: SIZE.1,
        width: SIZE.0,
        distortion_model: "plumb_bob",
        k,
        ..CameraInfo::default()
    }
}

/// x, y, z and a fourth value of each point.
pub fn points(points: &[[f32; 4]]) -> Vec<u8> {
    points.iter().flatten().flat_map(|value| value.to_le_bytes()).collect()
}

/// A cloud of [`points`].
pub fn cloud<'a>(frame_id: &'a str, ms: i64, data: &'a [u8]) -> PointCloud2<'a> {
    let fourth = if frame_id == "radar" { "range_rate" } else { "intensity" };
    let field =
        |(i, name): (u32, _)| PointField { name, offset: i * 4, datatype: PointField::FLOAT32, count: 1 };
    PointCloud2 {
        header: Header { stamp: at(ms), frame_id },
        height: 1,
        width: (data.len() / 16) as u32,
        fields: (0..).zip(["x", "y", "z", fourth]).map(field).collect(),
        is_bigendian: false,
        point_step: 16,
        row_step: data.len() as u32,
        data,
        is_dense: true,
    }
}
