//! What is played: the topics of a bag that the suite takes, and when.

use std::path::Path;

use anyhow::{Context as _, Result, bail};
use isobath::bag::{Bag, ReadFilter};
use isobath::geometry::TransformBuffer;
use isobath::message::Stamp;
use isobath::pipeline::depth::DepthPipeline;
use isobath::pipeline::detection::DetectionPipeline;
use isobath::pipeline::{InputKind, InputTopic, NodeParameters, Pipeline, insert_transforms, type_name_of};
use isobath::replay::{Remap, source_topic};

/// A recording shorter than this repeats sensor by sensor; a longer one plays as it was recorded.
const SHORT_NS: i64 = 2_000_000_000;
/// A short recording is held in memory up to this size.
const SHORT_BYTES: usize = 512 << 20;

/// A topic that is played.
pub struct PlayedTopic {
    /// Name the suite subscribes to
    pub input: InputTopic,
    /// Index into the bag's topics
    pub in_bag: usize,
    /// All its messages, if the recording is short
    pub messages: Vec<Vec<u8>>,
}

/// A bag and how it is played.
pub struct Script {
    /// The recording
    pub bag: Bag,
    /// Topics in use
    pub topics: Vec<PlayedTopic>,
    /// Whether it repeats sensor by sensor
    pub is_short: bool,
    static_transforms: Vec<Vec<u8>>,
}

impl Script {
    /// Finds what the suite takes in the bag at `path`.
    pub fn load(path: &Path, remaps: &[Remap]) -> Result<Self> {
        let bag = Bag::open(path)?;
        let parameters = NodeParameters::default();
        let mut inputs = DepthPipeline::inputs(&parameters.depth);
        inputs.extend(DetectionPipeline::inputs(&parameters.detection));
        let mut topics: Vec<PlayedTopic> = Vec::new();
        for input in inputs {
            let name = source_topic(&input.name, remaps);
            let Some(in_bag) = bag.info().topic_index(&name) else { continue };
            let found = &bag.info().topics[in_bag].type_name;
            if found != type_name_of(input.kind) {
                bail!("topic '{name}': expected type {}, found {found}", type_name_of(input.kind));
            }
            if !topics.iter().any(|topic| topic.in_bag == in_bag && topic.input == input) {
                topics.push(PlayedTopic { input, in_bag, messages: Vec::new() });
            }
        }
        let is_short = bag.info().end.since_ns(bag.info().start) < SHORT_NS;
        let mut script = Self { bag, topics, is_short, static_transforms: Vec::new() };
        script.read_ahead()?;
        if script.expected_outputs().is_empty() {
            bail!(
                "the bag has neither an image with its camera info nor a LiDAR cloud; --remap names topics"
            );
        }
        Ok(script)
    }

    /// Reads the static transforms, and everything else of a short recording.
    fn read_ahead(&mut self) -> Result<()> {
        let wanted = self
            .topics
            .iter()
            .filter(|topic| self.is_short || topic.input.kind.is_static())
            .map(|topic| topic.in_bag)
            .collect();
        let filter = ReadFilter { topics: Some(wanted), start: None, end: None };
        let mut bytes = 0;
        for message in self.bag.messages(&filter)? {
            let message = message?;
            bytes += message.data.len();
            if bytes > SHORT_BYTES {
                bail!("the bag is shorter than 2 s but larger than {} MiB", SHORT_BYTES >> 20);
            }
            for topic in self.topics.iter_mut().filter(|topic| topic.in_bag == message.topic) {
                if topic.input.kind.is_static() {
                    self.static_transforms.push(message.data.clone());
                } else {
                    topic.messages.push(message.data.clone());
                }
            }
        }
        Ok(())
    }

    /// The recorded `/tf_static` messages.
    pub fn static_transforms(&self) -> &[Vec<u8>] {
        &self.static_transforms
    }

    /// The static transforms as a buffer.
    pub fn transforms(&self) -> Result<TransformBuffer> {
        let mut buffer = TransformBuffer::new();
        for bytes in &self.static_transforms {
            insert_transforms(&mut buffer, bytes, true).map_err(anyhow::Error::msg).context("/tf_static")?;
        }
        Ok(buffer)
    }

    /// Whether anything is played for inputs of `kind`.
    pub fn has(&self, kind: InputKind) -> bool {
        self.topics.iter().any(|topic| topic.input.kind == kind)
    }

    /// Names and types of what the suite must publish for this recording.
    pub fn expected_outputs(&self) -> Vec<(&'static str, &'static str)> {
        let mut outputs = Vec::new();
        let names = |topics: &'static [isobath::pipeline::OutputTopic]| {
            topics.iter().map(|topic| (topic.name, topic.type_name))
        };
        if self.has(InputKind::Image) && self.has(InputKind::CameraInfo) {
            outputs.extend(names(DepthPipeline::OUTPUTS));
        }
        if self.has(InputKind::Lidar) {
            outputs.extend(names(DetectionPipeline::OUTPUTS));
        }
        outputs
    }
}

/// Writes `stamp` into a serialized message that begins with a header. Too short a message stays as it is.
pub fn set_stamp(message: &mut [u8], stamp: Stamp) {
    let little = message.get(1).is_some_and(|kind| kind & 1 == 1);
    let (sec, nanosec) = stamp.to_parts();
    let (sec, nanosec) = if little {
        (sec.to_le_bytes(), nanosec.to_le_bytes())
    } else {
        (sec.to_be_bytes(), nanosec.to_be_bytes())
    };
    if let Some(field) = message.get_mut(4..12) {
        field[..4].copy_from_slice(&sec);
        field[4..].copy_from_slice(&nanosec);
    }
}

/// Reads the stamp of a serialized message that begins with a header.
pub fn stamp_of(message: &[u8]) -> Option<Stamp> {
    let field: [u8; 8] = message.get(4..12)?.try_into().ok()?;
    let (sec, nanosec) = field.split_at(4);
    let (sec, nanosec): ([u8; 4], [u8; 4]) = (sec.try_into().ok()?, nanosec.try_into().ok()?);
    Some(if message.get(1)? & 1 == 1 {
        Stamp::from_parts(i32::from_le_bytes(sec), u32::from_le_bytes(nanosec))
    } else {
        Stamp::from_parts(i32::from_be_bytes(sec), u32::from_be_bytes(nanosec))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_are_rewritten_in_the_byte_order_of_the_message() {
        for kind in [0, 1] {
            let mut message = vec![0, kind, 0, 0, 9, 9, 9, 9, 9, 9, 9, 9, 7];
            set_stamp(&mut message, Stamp::from_parts(5, 6));
            assert_eq!(stamp_of(&message), Some(Stamp::from_parts(5, 6)));
            assert_eq!(message[12], 7);
        }
        set_stamp(&mut [0, 1], Stamp(1));
        assert_eq!(stamp_of(&[0, 1]), None);
    }
}
