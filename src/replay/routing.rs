//! Which topic of a bag feeds which input of which pipeline.

use std::fmt;
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;

use super::ReplayError;
use crate::bag::BagInfo;
use crate::message::CdrBuffer;
use crate::pipeline::{InputKind, InputTopic, SensorInput, type_name_of};

/// `--remap from:=to`. Both customs are understood: `input:=topic of the bag`, as nodes remap, and
/// `topic of the bag:=input`, as a bag player remaps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remap {
    from: String,
    to: String,
}

impl FromStr for Remap {
    type Err = ReplayError;

    fn from_str(text: &str) -> Result<Self, ReplayError> {
        match text.split_once(":=") {
            Some((from, to)) if !from.trim().is_empty() && !to.trim().is_empty() => {
                Ok(Self { from: absolute(from.trim()), to: absolute(to.trim()) })
            }
            _ => Err(ReplayError::RemapSyntax(text.to_owned())),
        }
    }
}

impl fmt::Display for Remap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:={}", self.from, self.to)
    }
}

/// Names are played in the root namespace.
fn absolute(name: &str) -> String {
    if name.starts_with('/') { name.to_owned() } else { format!("/{name}") }
}

/// The topic of a bag that input `name` reads.
pub fn source(name: &str, remaps: &[Remap]) -> String {
    let name = absolute(name);
    let remap = remaps.iter().find_map(|remap| {
        if remap.from == name {
            Some(&remap.to)
        } else if remap.to == name {
            Some(&remap.from)
        } else {
            None
        }
    });
    remap.cloned().unwrap_or(name)
}

/// Refuses remappings that no input of any pipeline is part of.
pub(super) fn check_remaps(remaps: &[Remap], inputs: &[InputTopic]) -> Result<(), ReplayError> {
    for remap in remaps {
        let known = |name: &str| inputs.iter().any(|input| absolute(&input.name) == name);
        if !known(&remap.from) && !known(&remap.to) {
            let mut names: Vec<_> = inputs.iter().map(|input| input.name.as_str()).collect();
            names.sort_unstable();
            names.dedup();
            return Err(ReplayError::RemapUnknown(format!("{}:={}", remap.from, remap.to), names.join(", ")));
        }
    }
    Ok(())
}

/// The inputs that each topic of a bag feeds, by topic index.
#[derive(Clone, Debug, Default)]
pub(crate) struct Routes {
    by_topic: Vec<Vec<InputKind>>,
}

impl Routes {
    /// Finds the topics of `inputs` in a bag and checks their types.
    pub fn new(
        bag: &Path,
        info: &BagInfo,
        inputs: &[InputTopic],
        remaps: &[Remap],
    ) -> Result<Self, ReplayError> {
        let mut by_topic = vec![Vec::new(); info.topics.len()];
        for input in inputs {
            let name = source(&input.name, remaps);
            let Some((topic, slot)) =
                info.topics.iter().zip(&mut by_topic).find(|(topic, _)| topic.name == name)
            else {
                continue;
            };
            let expected = type_name_of(input.kind);
            if topic.type_name != expected {
                return Err(ReplayError::TopicType {
                    bag: bag.to_owned(),
                    topic: name,
                    input: input.name.clone(),
                    expected,
                    found: topic.type_name.clone(),
                });
            }
            if topic.encoding != "cdr" {
                return Err(ReplayError::Encoding {
                    bag: bag.to_owned(),
                    topic: name,
                    found: topic.encoding.clone(),
                });
            }
            slot.push(input.kind);
        }
        Ok(Self { by_topic })
    }

    /// What topic number `topic` feeds.
    pub fn of(&self, topic: usize) -> &[InputKind] {
        self.by_topic.get(topic).map_or(&[], Vec::as_slice)
    }

    /// Whether any topic feeds `kind`.
    pub fn feeds(&self, kind: InputKind) -> bool {
        self.by_topic.iter().any(|kinds| kinds.contains(&kind))
    }

    /// Every topic with an input that it feeds.
    pub fn inputs(&self) -> impl Iterator<Item = (usize, InputKind)> {
        self.by_topic
            .iter()
            .enumerate()
            .flat_map(|(index, kinds)| kinds.iter().map(move |kind| (index, *kind)))
    }

    /// Topics that feed anything.
    pub fn topics(&self) -> impl Iterator<Item = usize> {
        self.by_topic.iter().enumerate().filter(|(_, kinds)| !kinds.is_empty()).map(|(index, _)| index)
    }
}

/// A recorded message, decoded by whoever takes it and copied by nobody.
pub(crate) enum Payload {
    /// A message that lends views of itself
    Big(Arc<CdrBuffer>),
    /// A message that is read at once
    Small(Arc<[u8]>),
}

impl Payload {
    /// `data` for the inputs in `kinds`.
    pub fn new(data: Vec<u8>, kinds: &[InputKind]) -> Self {
        let small = |kind: &InputKind| {
            matches!(
                kind,
                InputKind::CameraInfo
                    | InputKind::RadarScan(_)
                    | InputKind::Transforms
                    | InputKind::StaticTransforms
            )
        };
        if kinds.iter().all(small) { Self::Small(data.into()) } else { Self::Big(Arc::new(CdrBuffer(data))) }
    }

    /// As the input of kind `kind`; `None` if the message is of another size class, which one topic with
    /// one type cannot be.
    pub fn input(&self, kind: InputKind) -> Option<SensorInput> {
        Some(match (self, kind) {
            (Self::Big(message), InputKind::Image) => SensorInput::Image(Arc::clone(message) as _),
            (Self::Big(message), InputKind::CompressedImage) => {
                SensorInput::CompressedImage(Arc::clone(message) as _)
            }
            (Self::Big(message), InputKind::Radar(radar)) => {
                SensorInput::Radar(radar, Arc::clone(message) as _)
            }
            (Self::Big(message), InputKind::Lidar) => SensorInput::Lidar(Arc::clone(message) as _),
            (Self::Small(bytes), InputKind::CameraInfo) => SensorInput::CameraInfo(Arc::clone(bytes)),
            (Self::Small(bytes), InputKind::RadarScan(radar)) => {
                SensorInput::RadarScan(radar, Arc::clone(bytes))
            }
            (Self::Small(bytes), InputKind::Transforms) => SensorInput::Transforms(Arc::clone(bytes), false),
            (Self::Small(bytes), InputKind::StaticTransforms) => {
                SensorInput::Transforms(Arc::clone(bytes), true)
            }
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_customs_of_remapping_name_the_same_topic() {
        for text in ["image:=/camera/image_raw", "/camera/image_raw:=/image"] {
            let remaps = [text.parse().unwrap()];
            assert_eq!(source("image", &remaps), "/camera/image_raw");
            assert_eq!(source("camera_info", &remaps), "/camera_info");
        }
    }

    #[test]
    fn remappings_that_touch_no_input_are_refused() {
        let inputs = [InputTopic::new("image", InputKind::Image)];
        assert!("image".parse::<Remap>().is_err());
        assert!(":=x".parse::<Remap>().is_err());
        let error = check_remaps(&["imgae:=/camera".parse().unwrap()], &inputs).unwrap_err();
        assert!(error.to_string().contains("the inputs are image"), "{error}");
    }
}
