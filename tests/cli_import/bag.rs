//! The messages of a bag, read back.

use std::path::Path;

use isobath::bag::{Bag, ReadFilter};
use isobath::message::{
    CameraInfo, Detection3DArray, Image, Message, PointCloud2, Stamp, TFMessage, Text, from_cdr,
};
use isobath::sensor::PointCloudView;
use serde_json::Value;

/// Topic, log time and bytes of every message, in the order of the bag.
pub struct Messages(Vec<(String, Stamp, Vec<u8>)>);

/// A box of the truth.
#[derive(Debug)]
pub struct Box {
    pub class: String,
    pub id: String,
    pub center: [f64; 3],
    pub size: [f64; 3],
    pub yaw: f64,
}

impl Messages {
    pub fn read(path: &Path) -> Self {
        let bag = Bag::open(path).unwrap();
        let names: Vec<String> = bag.info().topics.iter().map(|topic| topic.name.clone()).collect();
        let messages = bag.messages(&ReadFilter::default()).unwrap().map(|message| {
            let message = message.unwrap();
            (names[message.topic].clone(), message.log_time, message.data)
        });
        Self(messages.collect())
    }

    pub fn stamps(&self, topic: &str) -> Vec<i64> {
        self.0.iter().filter(|(name, ..)| name == topic).map(|(_, stamp, _)| stamp.0).collect()
    }

    /// Topics in the order of their names.
    pub fn topics(&self) -> Vec<&str> {
        let mut names: Vec<_> = self.0.iter().map(|(name, ..)| name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    fn get<'a, M: Message<'a>>(&'a self, topic: &str, index: usize) -> M {
        let mut of_topic = self.0.iter().filter(|(name, ..)| name == topic);
        let (_, _, bytes) = of_topic.nth(index).unwrap_or_else(|| panic!("no message {index} on {topic}"));
        from_cdr(bytes).unwrap()
    }

    pub fn image(&self, topic: &str, index: usize) -> Image<'_> {
        self.get(topic, index)
    }

    pub fn info(&self, index: usize) -> CameraInfo<'_> {
        self.get("/camera_info", index)
    }

    /// Width, and the depth of every pixel.
    pub fn depth(&self, index: usize) -> (u32, Vec<f32>) {
        let image = self.image("/truth/depth", index);
        assert_eq!((image.encoding, image.step), ("32FC1", 4 * image.width));
        let (pixels, _) = image.data.as_chunks::<4>();
        (image.width, pixels.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect())
    }

    /// The values of these fields of every point.
    pub fn cloud<const N: usize>(&self, topic: &str, index: usize, fields: [&str; N]) -> Vec<[f64; N]> {
        let cloud: PointCloud2<'_> = self.get(topic, index);
        let view = PointCloudView::new(&cloud).unwrap();
        let readers = fields.map(|name| view.field(name).unwrap());
        (0..view.len()).map(|point| readers.each_ref().map(|reader| reader.f64(point))).collect()
    }

    pub fn boxes(&self, index: usize) -> Vec<Box> {
        let message: Detection3DArray<'_> = self.get("/truth/detections", index);
        assert_eq!(message.header.frame_id, "lidar");
        let read = |found: &isobath::message::Detection3D<'_>| {
            let (pose, size) = (found.bbox.center, found.bbox.size);
            assert_eq!((pose.orientation.x, pose.orientation.y), (0.0, 0.0), "an upright box");
            Box {
                class: found.results[0].hypothesis.class_id.to_string(),
                id: found.id.to_string(),
                center: [pose.position.x, pose.position.y, pose.position.z],
                size: [size.x, size.y, size.z],
                yaw: 2.0 * pose.orientation.z.atan2(pose.orientation.w),
            }
        };
        message.detections.iter().map(read).collect()
    }

    pub fn annotations(&self, index: usize) -> Value {
        serde_json::from_str(self.get::<Text<'_>>("/truth/annotations", index).data).unwrap()
    }

    /// Translation and quaternion x y z w of a child frame in the n-th message that has it.
    pub fn transform(&self, topic: &str, child: &str, index: usize) -> (String, [f64; 3], [f64; 4]) {
        let mut found = Vec::new();
        for (_, _, bytes) in self.0.iter().filter(|(name, ..)| name == topic) {
            let message: TFMessage<'_> = from_cdr(bytes).unwrap();
            for transform in message.transforms.iter().filter(|t| t.child_frame_id == child) {
                let (t, q) = (transform.transform.translation, transform.transform.rotation);
                found.push((transform.header.frame_id.to_owned(), [t.x, t.y, t.z], [q.x, q.y, q.z, q.w]));
            }
        }
        found.swap_remove(index)
    }
}

/// Fails unless all numbers agree.
#[track_caller]
pub fn assert_near<const N: usize>(found: [f64; N], expected: [f64; N]) {
    let near = found.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-5);
    assert!(near, "expected {expected:?}, found {found:?}");
}
