//! Receives what the suite publishes.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use isobath::message::{DiagnosticArray, Message, Stamp, from_cdr};
use r2r::QosProfile;

use super::player::wall_clock;
use super::script::stamp_of;
use crate::node::NodeThread;

/// Messages kept of each output, so that depth and confidence of one frame are both there.
const KEPT: usize = 8;
/// Time for the last outputs and one more report of the diagnostics to arrive.
const SETTLE: Duration = Duration::from_millis(1200);

/// What arrived on one topic.
#[derive(Clone, Debug, Default)]
pub struct Arrivals {
    /// Messages
    pub count: u64,
    /// From stamp to arrival, milliseconds, in order of arrival
    pub latency_ms: Vec<f64>,
    /// The newest messages, with their stamps
    pub newest: VecDeque<(Stamp, Vec<u8>)>,
}

/// What arrived in all.
#[derive(Clone, Debug)]
pub struct Watched {
    /// By topic
    pub topics: BTreeMap<&'static str, Arrivals>,
    /// Values of the newest diagnostics, by node
    pub diagnostics: BTreeMap<String, BTreeMap<String, String>>,
    since: Instant,
    /// Seconds watched
    pub seconds: f64,
}

impl Watched {
    /// The newest message of `topic`.
    pub fn last(&self, topic: &str) -> Option<&(Stamp, Vec<u8>)> {
        self.topics.get(topic)?.newest.back()
    }

    /// The message of `topic` with this stamp.
    pub fn find(&self, topic: &str, stamp: Stamp) -> Option<&[u8]> {
        let kept = &self.topics.get(topic)?.newest;
        kept.iter().find(|(at, _)| *at == stamp).map(|(_, bytes)| bytes.as_slice())
    }
}

/// Subscriptions to the suite's outputs.
pub struct Watcher(Arc<Mutex<Watched>>);

impl Watcher {
    /// Subscribes to `outputs` (name and type) and to the diagnostics.
    pub fn subscribe(node: &NodeThread, outputs: Vec<(&'static str, &'static str)>) -> Result<Self> {
        let topics = outputs.iter().map(|(name, _)| (*name, Arrivals::default())).collect();
        let watched = Arc::new(Mutex::new(Watched {
            topics,
            diagnostics: BTreeMap::new(),
            since: Instant::now(),
            seconds: 0.0,
        }));
        let diagnostics = ("/diagnostics", DiagnosticArray::TYPE_NAME);
        for (name, type_name) in outputs.into_iter().chain([diagnostics]) {
            let watched = Arc::clone(&watched);
            node.call(move |owned| {
                let qos = QosProfile::default().keep_last(5).reliable();
                let stream = owned.node.subscribe_raw(name, type_name, qos)?;
                owned.forward(stream, move |bytes| receive(&watched, name, bytes));
                Ok::<_, r2r::Error>(())
            })?
            .with_context(|| format!("cannot subscribe to '{name}'"))?;
        }
        Ok(Self(watched))
    }

    fn lock(&self) -> MutexGuard<'_, Watched> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether each output and the diagnostics have arrived at least once.
    pub fn all_seen(&self) -> bool {
        let watched = self.lock();
        !watched.diagnostics.is_empty() && watched.topics.values().all(|arrivals| arrivals.count > 0)
    }

    /// Counts from zero again.
    pub fn reset(&self) {
        let mut watched = self.lock();
        for arrivals in watched.topics.values_mut() {
            *arrivals = Arrivals::default();
        }
        watched.since = Instant::now();
    }

    /// What arrived since the last reset, stragglers included.
    pub fn finish(&self) -> Watched {
        let seconds = self.lock().since.elapsed().as_secs_f64();
        std::thread::sleep(SETTLE);
        Watched { seconds, ..self.lock().clone() }
    }
}

fn receive(watched: &Mutex<Watched>, topic: &'static str, bytes: Vec<u8>) {
    let arrived = wall_clock();
    let mut watched = watched.lock().unwrap_or_else(PoisonError::into_inner);
    if topic == "/diagnostics" {
        if let Ok(report) = from_cdr::<DiagnosticArray<'_>>(&bytes) {
            for status in &report.status {
                let values = status.values.iter().map(|pair| (pair.key.to_string(), pair.value.to_string()));
                let node = status.name.strip_suffix(": pipeline").unwrap_or(&status.name);
                watched.diagnostics.insert(node.to_owned(), values.collect());
            }
        }
        return;
    }
    let Some(arrivals) = watched.topics.get_mut(topic) else { return };
    // A marker array has no header of its own: its first member is a count.
    let stamp = if topic == "detections/markers" { None } else { stamp_of(&bytes) };
    arrivals.count += 1;
    if let Some(stamp) = stamp {
        arrivals.latency_ms.push(arrived.since_ns(stamp) as f64 / 1e6);
    }
    if arrivals.newest.len() == KEPT {
        arrivals.newest.pop_front();
    }
    arrivals.newest.push_back((stamp.unwrap_or_default(), bytes));
}
