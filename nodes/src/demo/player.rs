//! Publishes the recording with fresh stamps.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result};
use isobath::bag::ReadFilter;
use isobath::message::{Stamp, TFMessage, from_cdr, to_cdr};
use isobath::pipeline::{InputKind, type_name_of};
use r2r::{PublisherUntyped, QosProfile};

use super::script::{Script, set_stamp, stamp_of};
use crate::node::NodeThread;

/// Messages kept of each topic, so that an output finds what it was made from.
const KEPT: usize = 16;
/// Time for publishers and subscribers to find each other.
const DISCOVERY: Duration = Duration::from_millis(300);

/// Messages with their stamps, oldest first.
type Recent = VecDeque<(Stamp, Arc<[u8]>)>;

/// What was published.
#[derive(Default)]
pub struct Played {
    /// Messages by input name
    pub counts: BTreeMap<String, u64>,
    /// The newest messages by input name, with their stamps
    pub newest: BTreeMap<String, Recent>,
}

impl Played {
    /// The message of `input` with exactly this stamp, if it is still kept.
    pub fn find(&self, input: &str, stamp: Stamp) -> Option<Arc<[u8]>> {
        let kept = self.newest.get(input)?;
        kept.iter().find(|(at, _)| *at == stamp).map(|(_, bytes)| Arc::clone(bytes))
    }

    /// The message of `input` whose stamp is nearest.
    pub fn nearest(&self, input: &str, stamp: Stamp) -> Option<Arc<[u8]>> {
        let kept = self.newest.get(input)?;
        kept.iter().min_by_key(|(at, _)| at.since_ns(stamp).abs()).map(|(_, bytes)| Arc::clone(bytes))
    }

    fn add(&mut self, input: &str, stamp: Stamp, bytes: &[u8]) {
        *self.counts.entry(input.to_owned()).or_default() += 1;
        let kept = self.newest.entry(input.to_owned()).or_default();
        if kept.len() == KEPT {
            kept.pop_front();
        }
        kept.push_back((stamp, bytes.into()));
    }
}

/// A thread that publishes until it is stopped.
pub struct Player {
    played: Arc<Mutex<Played>>,
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Result<()>>,
}

impl Player {
    /// Advertises the topics of `script` and starts to play.
    pub fn start(node: &NodeThread, script: Arc<Script>, rate_hz: f64) -> Result<Self> {
        let mut publishers = Vec::with_capacity(script.topics.len());
        for topic in &script.topics {
            let (name, kind) = (topic.input.name.clone(), topic.input.kind);
            let qos = if kind.is_static() {
                QosProfile::default()
                    .keep_last(script.static_transforms().len().max(1))
                    .reliable()
                    .transient_local()
            } else {
                QosProfile::sensor_data()
            };
            let publisher = node
                .call(move |owned| owned.node.create_publisher_untyped(&name, type_name_of(kind), qos))?
                .with_context(|| format!("cannot publish '{}'", topic.input.name))?;
            publishers.push(publisher);
        }
        let played = Arc::new(Mutex::new(Played::default()));
        let stop = Arc::new(AtomicBool::new(false));
        let stage = Stage { script, publishers, played: Arc::clone(&played), stop: Arc::clone(&stop) };
        let thread = std::thread::Builder::new()
            .name("player".into())
            .spawn(move || stage.play(rate_hz))
            .context("cannot start the player")?;
        Ok(Self { played, stop, thread })
    }

    /// Counts from zero again.
    pub fn reset(&self) {
        self.played.lock().unwrap_or_else(PoisonError::into_inner).counts.clear();
    }

    /// Ends the playing; what was published since the last reset.
    pub fn stop(self) -> Played {
        self.stop.store(true, Ordering::Relaxed);
        match self.thread.join() {
            Ok(Ok(())) => {}
            Ok(Err(error)) => eprintln!("isobath_demo: playing ended early: {error:#}"),
            Err(_) => eprintln!("isobath_demo: playing ended early"),
        }
        std::mem::take(&mut *self.played.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// What the player's thread works with.
struct Stage {
    script: Arc<Script>,
    publishers: Vec<PublisherUntyped>,
    played: Arc<Mutex<Played>>,
    stop: Arc<AtomicBool>,
}

impl Stage {
    fn play(&self, rate_hz: f64) -> Result<()> {
        std::thread::sleep(DISCOVERY);
        for (topic, publisher) in self.script.topics.iter().zip(&self.publishers) {
            if topic.input.kind.is_static() {
                for message in self.script.static_transforms() {
                    publisher.publish_raw(message)?;
                }
            }
        }
        if self.script.is_short { self.repeat(rate_hz) } else { self.as_recorded() }
    }

    /// Each sensor's messages in turn, all with the same stamp.
    fn repeat(&self, rate_hz: f64) -> Result<()> {
        let start = Instant::now();
        let mut buffer = Vec::new();
        for turn in 0_usize.. {
            let due = Duration::from_secs_f64(turn as f64 / rate_hz);
            std::thread::sleep(due.saturating_sub(start.elapsed()));
            if self.stop.load(Ordering::Relaxed) {
                break;
            }
            let now = wall_clock();
            for (index, topic) in self.script.topics.iter().enumerate() {
                let Some(message) = topic.messages.get(turn % topic.messages.len().max(1)) else { continue };
                buffer.clear();
                buffer.extend_from_slice(message);
                self.publish(index, &mut buffer, now, None)?;
            }
        }
        Ok(())
    }

    /// The whole recording at its own pace, again and again.
    fn as_recorded(&self) -> Result<()> {
        let topics = self.script.topics.iter().filter(|topic| !topic.input.kind.is_static());
        let filter =
            ReadFilter { topics: Some(topics.map(|topic| topic.in_bag).collect()), start: None, end: None };
        while !self.stop.load(Ordering::Relaxed) {
            let start = Instant::now();
            let shift_ns = wall_clock().since_ns(self.script.bag.info().start);
            for message in self.script.bag.messages(&filter)? {
                let mut message = message?;
                let due_ns = message.log_time.since_ns(self.script.bag.info().start).max(0);
                std::thread::sleep(
                    Duration::from_nanos(due_ns.cast_unsigned()).saturating_sub(start.elapsed()),
                );
                if self.stop.load(Ordering::Relaxed) {
                    return Ok(());
                }
                for index in 0..self.script.topics.len() {
                    if self.script.topics[index].in_bag == message.topic {
                        let stamp = stamp_of(&message.data).unwrap_or_default().offset_ns(shift_ns);
                        self.publish(index, &mut message.data, stamp, Some(shift_ns))?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Publishes `message` stamped `stamp`; transforms are moved by `shift_ns`, or to `stamp`.
    fn publish(
        &self,
        index: usize,
        message: &mut Vec<u8>,
        stamp: Stamp,
        shift_ns: Option<i64>,
    ) -> Result<()> {
        let input = &self.script.topics[index].input;
        if input.kind == InputKind::Transforms {
            let source = message.clone();
            let mut transforms: TFMessage<'_> = from_cdr(&source)?;
            for transform in &mut transforms.transforms {
                let header = &mut transform.header;
                header.stamp = shift_ns.map_or(stamp, |shift_ns| header.stamp.offset_ns(shift_ns));
            }
            to_cdr(&transforms, message);
        } else {
            set_stamp(message, stamp);
        }
        let mut played = self.played.lock().unwrap_or_else(PoisonError::into_inner);
        played.add(&input.name, stamp, message);
        drop(played);
        self.publishers[index].publish_raw(message)?;
        Ok(())
    }
}

/// The system's time, which fresh stamps are on.
pub fn wall_clock() -> Stamp {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Stamp(i64::try_from(since_epoch.as_nanos()).unwrap_or(i64::MAX))
}
