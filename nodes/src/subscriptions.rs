//! Input topics: one subscription a topic, whoever wants its messages.

use std::sync::Arc;
use std::sync::Mutex;
use std::time::Instant;

use isobath::message::{LendCloud, LendCompressedImage, LendImage, RadarScan, Stamp, from_cdr};
use isobath::pipeline::{InputKind, SensorInput, type_name_of};
use r2r::{QosProfile, sensor_msgs};
use tokio::sync::mpsc;

use crate::arrivals::Arrivals;
use crate::native::{NativeCloud, NativeCompressedImage, NativeImage};
use crate::node::{NodeError, NodeThread, Owned};
use crate::seats::Feed;
use crate::worker::lock;

/// Messages on their way from the spin threads to the intakes: far more than ever wait, few enough to
/// bound the memory.
pub const QUEUE: usize = 32;

/// Transforms are small and each one counts.
const TRANSFORM_HISTORY: usize = 100;

/// A received message, not yet addressed.
enum Payload {
    Image(Arc<dyn LendImage>),
    CompressedImage(Arc<dyn LendCompressedImage>),
    Cloud(Arc<dyn LendCloud>),
    Bytes(Arc<[u8]>),
}

/// A message with the number of the subscription that it came from.
pub struct Received {
    subscription: usize,
    payload: Payload,
}

/// One topic in the graph.
pub struct Subscription {
    /// Name in the graph
    pub topic: String,
    /// Expected type
    pub type_name: &'static str,
    /// What arrived
    pub arrivals: Arc<Mutex<Arrivals>>,
    kind: InputKind,
    takers: Vec<(Arc<dyn Feed>, InputKind)>,
}

/// All topics of the process.
pub struct Subscriptions {
    list: Vec<Subscription>,
    queue: mpsc::Sender<Received>,
}

impl Subscriptions {
    /// None yet, and the queue that their messages will come through.
    pub fn new() -> (Self, mpsc::Receiver<Received>) {
        let (queue, received) = mpsc::channel(QUEUE);
        (Self { list: Vec::new(), queue }, received)
    }

    /// Lets `taker` have what arrives on `topic` (its name in the graph) as `kind`. A topic that is
    /// subscribed to already, from whichever node, is received and decoded once for all takers.
    /// Returns the subscription's number.
    pub fn add(
        &mut self,
        node: &NodeThread,
        topic: &str,
        kind: InputKind,
        taker: Arc<dyn Feed>,
    ) -> Result<usize, NodeError> {
        let type_name = type_name_of(kind);
        let known = self.list.iter_mut().enumerate().find(|(_, subscription)| {
            subscription.topic == topic
                && subscription.type_name == type_name
                && is_static(subscription.kind) == is_static(kind)
        });
        if let Some((index, subscription)) = known {
            subscription.takers.push((taker, kind));
            return Ok(index);
        }
        let index = self.list.len();
        let arrivals = Arc::new(Mutex::new(Arrivals::new(Instant::now())));
        let delivery =
            Delivery { subscription: index, queue: self.queue.clone(), arrivals: Arc::clone(&arrivals) };
        let topic = topic.to_owned();
        self.list.push(Subscription {
            topic: topic.clone(),
            type_name,
            arrivals,
            kind,
            takers: vec![(taker, kind)],
        });
        node.call(move |owned| subscribe(owned, &topic, kind, delivery))??;
        Ok(index)
    }

    /// Hands `message` to everybody who wants it.
    pub fn deliver(&self, message: &Received) {
        let Some(subscription) = self.list.get(message.subscription) else { return };
        for (taker, kind) in &subscription.takers {
            if let Some(input) = address(&message.payload, *kind) {
                taker.offer(input);
            }
        }
    }

    /// Subscription number `index`.
    pub fn get(&self, index: usize) -> Option<&Subscription> {
        self.list.get(index)
    }
}

fn is_static(kind: InputKind) -> bool {
    kind == InputKind::StaticTransforms
}

/// The way of one subscription's messages off the spin thread.
struct Delivery {
    subscription: usize,
    queue: mpsc::Sender<Received>,
    arrivals: Arc<Mutex<Arrivals>>,
}

impl Delivery {
    fn send(&self, stamp: Option<Stamp>, bytes: usize, payload: Payload) {
        lock(&self.arrivals).arrived(stamp, bytes, Instant::now());
        if self.queue.try_send(Received { subscription: self.subscription, payload }).is_err() {
            lock(&self.arrivals).lost += 1;
        }
    }
}

fn subscribe(owned: &mut Owned, topic: &str, kind: InputKind, delivery: Delivery) -> Result<(), NodeError> {
    let create =
        |error| NodeError::create(format!("subscription to '{topic}' ({})", type_name_of(kind)), &error);
    let qos = match kind {
        InputKind::Transforms => QosProfile::default().keep_last(TRANSFORM_HISTORY),
        InputKind::StaticTransforms => QosProfile::default().keep_last(TRANSFORM_HISTORY).transient_local(),
        _ => QosProfile::sensor_data(),
    };
    match kind {
        InputKind::Image => {
            let stream =
                owned.node.subscribe_native::<sensor_msgs::msg::Image>(topic, qos).map_err(create)?;
            owned.forward(stream, move |message| {
                let image = NativeImage::from(message);
                let (stamp, bytes) =
                    image.image().map_or((None, 0), |image| (Some(image.header.stamp), image.data.len()));
                delivery.send(stamp, bytes, Payload::Image(Arc::new(image)));
            });
        }
        InputKind::CompressedImage => {
            let stream = owned
                .node
                .subscribe_native::<sensor_msgs::msg::CompressedImage>(topic, qos)
                .map_err(create)?;
            owned.forward(stream, move |message| {
                let image = NativeCompressedImage::from(message);
                let (stamp, bytes) = image
                    .compressed_image()
                    .map_or((None, 0), |image| (Some(image.header.stamp), image.data.len()));
                delivery.send(stamp, bytes, Payload::CompressedImage(Arc::new(image)));
            });
        }
        InputKind::Radar(_) | InputKind::Lidar => {
            let stream =
                owned.node.subscribe_native::<sensor_msgs::msg::PointCloud2>(topic, qos).map_err(create)?;
            owned.forward(stream, move |message| {
                let cloud = NativeCloud::from(message);
                let (stamp, bytes) =
                    cloud.cloud().map_or((None, 0), |cloud| (Some(cloud.header.stamp), cloud.data.len()));
                delivery.send(stamp, bytes, Payload::Cloud(Arc::new(cloud)));
            });
        }
        InputKind::RadarScan(_) => {
            let stream = owned.node.subscribe_raw(topic, type_name_of(kind), qos).map_err(create)?;
            owned.forward(stream, move |bytes| {
                let stamp = from_cdr::<RadarScan<'_>>(&bytes).ok().map(|scan| scan.header.stamp);
                delivery.send(stamp, bytes.len(), Payload::Bytes(bytes.into()));
            });
        }
        InputKind::CameraInfo | InputKind::Transforms | InputKind::StaticTransforms => {
            let stream = owned.node.subscribe_raw(topic, type_name_of(kind), qos).map_err(create)?;
            owned.forward(stream, move |bytes| {
                delivery.send(None, bytes.len(), Payload::Bytes(bytes.into()));
            });
        }
    }
    Ok(())
}

/// `None` never happens: subscriptions are shared by type only.
fn address(payload: &Payload, kind: InputKind) -> Option<SensorInput> {
    match (payload, kind) {
        (Payload::Image(image), InputKind::Image) => Some(SensorInput::Image(Arc::clone(image))),
        (Payload::CompressedImage(image), InputKind::CompressedImage) => {
            Some(SensorInput::CompressedImage(Arc::clone(image)))
        }
        (Payload::Cloud(cloud), InputKind::Radar(index)) => {
            Some(SensorInput::Radar(index, Arc::clone(cloud)))
        }
        (Payload::Cloud(cloud), InputKind::Lidar) => Some(SensorInput::Lidar(Arc::clone(cloud))),
        (Payload::Bytes(bytes), InputKind::RadarScan(index)) => {
            Some(SensorInput::RadarScan(index, Arc::clone(bytes)))
        }
        (Payload::Bytes(bytes), InputKind::CameraInfo) => Some(SensorInput::CameraInfo(Arc::clone(bytes))),
        (Payload::Bytes(bytes), InputKind::Transforms | InputKind::StaticTransforms) => {
            Some(SensorInput::Transforms(Arc::clone(bytes), is_static(kind)))
        }
        _ => None,
    }
}
