//! A recording with a radar put in beside its depth camera.
//!
//! Every message is copied as it is. Added are a cloud for each depth image, at its stamp and log time, and
//! where the radar is: a `/tf_static` message with all static transforms so far, as those who join late hear
//! only the last.

use std::path::PathBuf;

use glam::Vec3;

use super::depth_bag_error::DepthBagError;
use super::{DepthRadar, encode};
use crate::bag::{
    Bag, BagError, BagWriter, MessageStream, OfferedQos, OutFolder, ReadFilter, TopicId, TopicInfo,
};
use crate::geometry::{CameraError, CameraModel};
use crate::message::{
    CameraInfo, Header, Image, Message, PointCloud2, Quaternion, Stamp, TFMessage, Transform,
    TransformStamped, Vector3, from_cdr, to_cdr,
};
use crate::sensor::ImageView;

pub(super) const CLOUD_TOPIC: &str = "/radar_0/points";
const FRAME: &str = "radar_0";
const TF_STATIC: &str = "/tf_static";
const DEPTH_ENCODINGS: [&str; 2] = ["16UC1", "32FC1"];

/// What to put into which recording.
#[derive(Clone, Debug)]
pub struct DepthBagOptions {
    /// The recording.
    pub bag: PathBuf,
    /// New folder of the recording with the radar, or a new `.mcap` file.
    pub out: PathBuf,
    /// The depth images; `None` where there is one such topic.
    pub depth_topic: Option<String>,
    /// Median of the number of returns.
    pub returns: usize,
    /// The radar in the camera's body: x forward, y left, z up, metres.
    pub mount: Vec3,
    /// Equal seeds give equal recordings.
    pub seed: u64,
}

/// How it went.
#[derive(Debug)]
pub struct DepthBagSummary {
    /// Depth images with a cloud.
    pub clouds: u64,
    /// Their returns.
    pub returns: u64,
    /// Depth images without a cloud, and why the first of them has none.
    pub skipped: Option<(u64, DepthBagError)>,
    /// Why the recording ended early: what could be read was copied.
    pub damage: Option<BagError>,
}

/// Writes the recording with the radar. `progress` is called with the number of depth images that are done.
pub fn add_radar(
    options: &DepthBagOptions,
    mut progress: impl FnMut(u64),
) -> Result<DepthBagSummary, DepthBagError> {
    let bag = Bag::open(&options.bag)?;
    let sources = Sources::find(&bag, options.depth_topic.as_deref())?;
    let folder = OutFolder::for_new_bag(&options.out).map_err(BagError::from)?;
    let mut writer = BagWriter::create(&options.out)?;
    for (key, value) in [
        ("isobath_radar_from_depth", env!("CARGO_PKG_VERSION").to_owned()),
        ("isobath_depth_topic", sources.depth_name.clone()),
        ("isobath_returns", options.returns.to_string()),
        ("isobath_mount", options.mount.to_string()),
        ("isobath_seed", options.seed.to_string()),
    ] {
        writer.set_custom_data(key, &value);
    }
    let topics = copied_topics(&mut writer, &bag.info().topics)?;
    let cloud = add::<PointCloud2<'_>>(&mut writer, CLOUD_TOPIC, &OfferedQos::sensor_data())?;
    let tf_static = match bag.info().topic_index(TF_STATIC).and_then(|index| topics.get(index)) {
        Some(&id) => id,
        None => add::<TFMessage<'_>>(&mut writer, TF_STATIC, &OfferedQos::latched(1))?,
    };
    let mut maker = Maker::new(options, sources, writer, cloud, tf_static);
    let mut damage = None;
    for message in bag.messages(&ReadFilter::default())? {
        let message = match message {
            Ok(message) => message,
            Err(error) => {
                damage.get_or_insert(error);
                continue;
            }
        };
        let Some(&topic) = topics.get(message.topic) else { continue };
        maker.writer.write(topic, message.log_time, &message.data)?;
        maker.after(message.topic, topic, message.log_time, &message.data)?;
        progress(maker.clouds + maker.skipped.as_ref().map_or(0, |(count, _)| *count));
    }
    maker.writer.finish()?;
    folder.into_iter().for_each(OutFolder::keep);
    Ok(DepthBagSummary { clouds: maker.clouds, returns: maker.returns, skipped: maker.skipped, damage })
}

fn copied_topics(writer: &mut BagWriter, topics: &[TopicInfo]) -> Result<Vec<TopicId>, BagError> {
    let copy = |topic: &TopicInfo| {
        let hash = topic.type_hash.as_deref();
        writer.add_topic(&topic.name, &topic.type_name, hash, &topic.definition, &topic.offered_qos)
    };
    topics.iter().map(copy).collect()
}

fn add<'a, M: Message<'a>>(
    writer: &mut BagWriter,
    name: &str,
    qos: &OfferedQos,
) -> Result<TopicId, BagError> {
    writer.add_topic(name, M::TYPE_NAME, Some(M::TYPE_HASH), M::DEFINITION, std::slice::from_ref(qos))
}

/// Where the depth comes from.
struct Sources {
    depth: usize,
    depth_name: String,
    /// Of the depth images.
    frame: String,
    info: usize,
    camera: CameraModel,
}

impl Sources {
    fn find(bag: &Bag, wanted: Option<&str>) -> Result<Self, DepthBagError> {
        let topics = &bag.info().topics;
        if bag.info().topic_index(CLOUD_TOPIC).is_some() {
            return Err(DepthBagError::HasRadar);
        }
        let firsts = First::of_images_and_infos(bag)?;
        let name = |index: usize| topics.get(index).map_or("", |topic| topic.name.as_str());
        let images: Vec<&First> = firsts.iter().filter(|first| first.camera.is_none()).collect();
        let names = |firsts: &[&First]| {
            let names: Vec<&str> = firsts.iter().map(|first| name(first.topic)).collect();
            if names.is_empty() { "none".to_owned() } else { names.join(" ") }
        };
        let depth =
            if let Some(wanted) = wanted {
                images.iter().find(|first| name(first.topic) == wanted).copied().ok_or_else(|| {
                    DepthBagError::NoTopic { found: wanted.to_owned(), images: names(&images) }
                })?
            } else {
                let of_depth =
                    |first: &&First| DEPTH_ENCODINGS.iter().any(|encoding| first.encoding == *encoding);
                let candidates: Vec<&First> = images.iter().copied().filter(of_depth).collect();
                let [one] = candidates.as_slice() else {
                    return Err(DepthBagError::DepthTopic { found: names(&candidates) });
                };
                *one
            };
        let depth_name = name(depth.topic).to_owned();
        let parent = depth_name.rsplit_once('/').map_or("", |(parent, _)| parent);
        let sibling = format!("{parent}/camera_info");
        let infos = || firsts.iter().filter_map(|first| Some((first, first.camera.as_ref()?)));
        let of_frame: Vec<_> = infos().filter(|(info, _)| info.frame == depth.frame).collect();
        let beside = infos().find(|(info, _)| name(info.topic) == sibling);
        let only = match of_frame.as_slice() {
            &[info] => Some(info),
            _ => None,
        };
        let Some((info, camera)) = beside.or(only) else {
            let found: Vec<&First> = of_frame.iter().map(|(info, _)| *info).collect();
            return Err(DepthBagError::CameraInfo {
                depth: depth_name,
                sibling,
                frame: depth.frame.clone(),
                found: names(&found),
            });
        };
        let info_name = name(info.topic).to_owned();
        let camera =
            camera.clone().map_err(|error| DepthBagError::Camera { topic: info_name.clone(), error })?;
        let frame = depth.frame.clone();
        Ok(Self { depth: depth.topic, depth_name, frame, info: info.topic, camera })
    }
}

/// What the first message of a topic says.
struct First {
    topic: usize,
    frame: String,
    /// Of images.
    encoding: String,
    /// Of camera infos.
    camera: Option<Result<CameraModel, CameraError>>,
}

impl First {
    fn of_images_and_infos(bag: &Bag) -> Result<Vec<Self>, DepthBagError> {
        let topics = &bag.info().topics;
        let is_asked = |topic: &TopicInfo| {
            topic.count > 0
                && [Image::TYPE_NAME, CameraInfo::TYPE_NAME].iter().any(|name| *name == topic.type_name)
        };
        let asked: Vec<usize> =
            (0..).zip(topics).filter(|(_, topic)| is_asked(topic)).map(|(index, _)| index).collect();
        let mut left = asked.len();
        let mut firsts: Vec<Self> = Vec::new();
        let stream: MessageStream =
            bag.messages(&ReadFilter { topics: Some(asked), ..ReadFilter::default() })?;
        for message in stream {
            if left == 0 {
                break;
            }
            // What cannot be read is told when all is copied.
            let Ok(message) = message else { continue };
            let Some(topic) = topics.get(message.topic) else { continue };
            if firsts.iter().any(|first| first.topic == message.topic) {
                continue;
            }
            left -= 1;
            let failed = |error| DepthBagError::Message { topic: topic.name.clone(), error };
            let index = message.topic;
            firsts.push(if topic.type_name == Image::TYPE_NAME {
                let image: Image<'_> = from_cdr(&message.data).map_err(failed)?;
                let frame = image.header.frame_id.to_owned();
                Self { topic: index, frame, encoding: image.encoding.to_owned(), camera: None }
            } else {
                let info: CameraInfo<'_> = from_cdr(&message.data).map_err(failed)?;
                let frame = info.header.frame_id.to_owned();
                let camera = Some(CameraModel::from_camera_info(&info));
                Self { topic: index, frame, encoding: String::new(), camera }
            });
        }
        firsts.sort_by_key(|first| first.topic);
        Ok(firsts)
    }
}

struct Maker {
    sources: Sources,
    radar: DepthRadar,
    writer: BagWriter,
    cloud: TopicId,
    tf_static: TopicId,
    /// Messages with static transforms so far.
    statics: Vec<Vec<u8>>,
    is_mounted: bool,
    clouds: u64,
    returns: u64,
    skipped: Option<(u64, DepthBagError)>,
    data: Vec<u8>,
    bytes: Vec<u8>,
}

impl Maker {
    fn new(
        options: &DepthBagOptions,
        sources: Sources,
        writer: BagWriter,
        cloud: TopicId,
        tf_static: TopicId,
    ) -> Self {
        Self {
            sources,
            radar: DepthRadar::new(options.mount, options.returns, options.seed),
            writer,
            cloud,
            tf_static,
            statics: Vec::new(),
            is_mounted: false,
            clouds: 0,
            returns: 0,
            skipped: None,
            data: Vec::new(),
            bytes: Vec::new(),
        }
    }

    /// Adds what belongs behind a message that was copied.
    fn after(&mut self, source: usize, copied: TopicId, log: Stamp, data: &[u8]) -> Result<(), BagError> {
        if copied == self.tf_static {
            self.statics.push(data.to_vec());
            return self.mount(log);
        }
        if source == self.sources.info {
            // An unusable calibration is told with the image that needs it, if it is the first.
            if let Ok(info) = from_cdr::<CameraInfo<'_>>(data)
                && let Ok(camera) = CameraModel::from_camera_info(&info)
            {
                self.sources.camera = camera;
            }
        }
        if source != self.sources.depth {
            return Ok(());
        }
        if !self.is_mounted {
            self.mount(log)?;
        }
        match self.make(data) {
            Ok(count) => {
                self.clouds += 1;
                self.returns += count;
                self.writer.write(self.cloud, log, &self.bytes)
            }
            Err(error) => {
                self.skipped.get_or_insert((0, error)).0 += 1;
                Ok(())
            }
        }
    }

    /// Makes the cloud of a depth image in `bytes`; the number of its returns.
    fn make(&mut self, data: &[u8]) -> Result<u64, DepthBagError> {
        let Sources { depth_name, camera, .. } = &self.sources;
        let topic = || depth_name.clone();
        let image: Image<'_> =
            from_cdr(data).map_err(|error| DepthBagError::Message { topic: topic(), error })?;
        let depth =
            ImageView::new_depth(&image).map_err(|error| DepthBagError::Image { topic: topic(), error })?;
        // A registered depth image may be smaller than the calibration's.
        let camera = camera.scaled(depth.width(), depth.height());
        let model = DepthRadar::model();
        let frame = self.clouds + self.skipped.as_ref().map_or(0, |(count, _)| *count);
        let returns = self.radar.scan(&camera, &depth, frame);
        let layout = encode(&returns, model, &mut self.data);
        let header = Header { stamp: image.header.stamp, frame_id: FRAME };
        let cloud = layout.cloud(header, &self.data);
        to_cdr(&cloud, &mut self.bytes);
        Ok(returns.len() as u64)
    }

    /// Says where the radar is, with all static transforms so far.
    fn mount(&mut self, log: Stamp) -> Result<(), BagError> {
        self.is_mounted = true;
        let Vec3 { x, y, z } = self.radar.mount;
        let mut transforms: Vec<TransformStamped<'_>> = Vec::new();
        let known = self.statics.iter().filter_map(|data| from_cdr::<TFMessage<'_>>(data).ok());
        for transform in known.flat_map(|message| message.transforms) {
            transforms.retain(|known| known.child_frame_id != transform.child_frame_id);
            transforms.push(transform);
        }
        transforms.push(TransformStamped {
            header: Header { stamp: log, frame_id: &self.sources.frame },
            child_frame_id: FRAME,
            transform: Transform {
                // In the optical frame: x right, y down, z forward.
                translation: Vector3 { x: -f64::from(y), y: -f64::from(z), z: f64::from(x) },
                rotation: Quaternion { x: 0.5, y: -0.5, z: 0.5, w: 0.5 },
            },
        });
        to_cdr(&TFMessage { transforms }, &mut self.bytes);
        self.writer.write(self.tf_static, log, &self.bytes)
    }
}
