//! The tree of frames over time, as `/tf` and `/tf_static` describe it.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use transforms::Registry;
use transforms::errors::{RegistryError, TimeError};
use transforms::geometry::{Quaternion as Rotation, Transform, Vector3 as Translation};
use transforms::time::{Stamp as Validity, TimePoint};

use super::{Pose, TransformError, pose_from_parts};
use crate::message::Stamp;

/// How far back moving transforms are kept, seconds.
const MAX_AGE_S: u64 = 10;
const MAX_AGE_NS: i64 = MAX_AGE_S as i64 * 1_000_000_000;
/// The most child frames; a robot has some dozens.
const MAX_FRAMES: usize = 512;
/// The most samples of one frame: 1 kHz over the whole age.
const MAX_SAMPLES: usize = 10_000;
/// The longest frame id, bytes.
const MAX_FRAME_ID: usize = 256;
/// A publisher stepping back further than this has restarted. Longer than the future-dating usual
/// among localisers (1 s), so that two publishers of one frame are not taken for a restart.
const RESTART_NS: i64 = 2_000_000_000;

/// Nanoseconds as the registry's clock: signed, as sensor offsets may reach below a simulation's zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Nanos(i64);

impl Nanos {
    const fn stamp(self) -> Stamp {
        Stamp(self.0)
    }
}

impl TimePoint for Nanos {
    fn duration_since(self, earlier: Self) -> Result<Duration, TimeError> {
        (self >= earlier)
            .then(|| Duration::from_nanos(self.0.abs_diff(earlier.0)))
            .ok_or(TimeError::DurationUnderflow)
    }

    fn checked_sub(self, rhs: Duration) -> Result<Self, TimeError> {
        let ns = i64::try_from(rhs.as_nanos()).map_err(|_| TimeError::DurationOverflow)?;
        self.0.checked_sub(ns).map(Self).ok_or(TimeError::DurationUnderflow)
    }

    fn as_seconds_lossy(self) -> f64 {
        self.0 as f64 * 1e-9
    }
}

/// What the registry knows of one child frame but does not tell.
#[derive(Debug)]
struct Edge {
    parent: String,
    is_static: bool,
    /// Stamps kept, ascending: the registry bounds its history in time, not in number.
    stamps: VecDeque<i64>,
}

/// Transforms over time: static ones for ever, moving ones for 10 s behind their newest.
///
/// Between two samples the pose is interpolated (translation linearly, rotation by slerp); outside it
/// is never extrapolated. A leading `/` of a frame id is ignored. A zero time in a lookup is an
/// ordinary time, not "the latest".
#[derive(Debug)]
pub struct TransformBuffer {
    registry: Registry<Nanos>,
    edges: HashMap<String, Edge>,
}

impl TransformBuffer {
    /// An empty buffer.
    pub fn new() -> Self {
        Self { registry: Registry::with_max_age(Duration::from_secs(MAX_AGE_S)), edges: HashMap::new() }
    }

    /// Adds `pose`, which maps points of `child` into `parent`. A moving transform holds at `stamp`
    /// and replaces one of the same stamp; a static one holds always, its stamp is ignored.
    ///
    /// A moving transform more than 2 s older than the newest of its frame means that its publisher
    /// has restarted: the frame's history is dropped.
    pub fn insert(
        &mut self,
        parent: &str,
        child: &str,
        pose: &Pose,
        stamp: Stamp,
        is_static: bool,
    ) -> Result<(), TransformError> {
        let (parent, child) = (frame_id(parent)?, frame_id(child)?);
        let names = || (parent.to_owned(), child.to_owned());
        if !is_static && stamp.is_zero() {
            let (parent, child) = names();
            return Err(TransformError::Unstamped { parent, child });
        }
        let t = pose.translation.vector;
        let q = pose.rotation.coords;
        let validity = if is_static { Validity::Static } else { Validity::At(Nanos(stamp.0)) };
        let transform = Transform::new(
            parent,
            child,
            Translation::new(t.x, t.y, t.z),
            Rotation::from_wxyz(q.w, q.x, q.y, q.z),
            validity,
        )
        .map_err(|_| {
            let (parent, child) = names();
            TransformError::BadPose { parent, child }
        })?;

        if let Some(edge) = self.edges.get_mut(child) {
            if edge.parent != parent {
                let (expected, found) = (edge.parent.clone(), parent.to_owned());
                return Err(TransformError::OtherParent { child: child.to_owned(), expected, found });
            }
            if edge.is_static != is_static {
                return Err(TransformError::StaticAndMoving { child: child.to_owned() });
            }
            if !is_static && edge.admit(stamp.0, child)? {
                self.registry.remove_frame(child);
            }
        } else if self.edges.len() >= MAX_FRAMES {
            return Err(TransformError::TooManyFrames { child: child.to_owned(), max: MAX_FRAMES });
        }
        // Only a new edge can close a cycle; everything else was checked above.
        self.registry.add_transform(transform).map_err(|error| {
            let (parent, child) = names();
            match error {
                RegistryError::CycleDetected | RegistryError::SelfReferentialFrame => {
                    TransformError::Cycle { parent, child }
                }
                other => {
                    TransformError::Unusable { target: parent, origin: child, reason: other.to_string() }
                }
            }
        })?;
        if !self.edges.contains_key(child) {
            let mut stamps = VecDeque::new();
            stamps.push_back(stamp.0);
            self.edges.insert(child.to_owned(), Edge { parent: parent.to_owned(), is_static, stamps });
        }
        Ok(())
    }

    /// `t_target_source` at one time: exact, interpolated, or an error. Equal frames give identity.
    pub fn lookup(&self, target: &str, source: &str, at: Stamp) -> Result<Pose, TransformError> {
        let (target, source) = (frame_id(target)?, frame_id(source)?);
        self.registry
            .get_transform(target, source, Nanos(at.0))
            .map_err(|error| TransformError::from_lookup(error, target, source, Nanos::stamp))
            .and_then(|found| to_pose(&found, target, source))
    }

    /// Maps points of `source` at `source_time` into `target` at `target_time`, taking `fixed` to
    /// stand still in between.
    pub fn lookup_between(
        &self,
        target: &str,
        target_time: Stamp,
        source: &str,
        source_time: Stamp,
        fixed: &str,
    ) -> Result<Pose, TransformError> {
        let (target, source, fixed) = (frame_id(target)?, frame_id(source)?, frame_id(fixed)?);
        self.registry
            .get_transform_at(target, Nanos(target_time.0), source, Nanos(source_time.0), fixed)
            .map_err(|error| TransformError::from_lookup(error, target, source, Nanos::stamp))
            .and_then(|found| to_pose(&found, target, source))
    }

    /// Whether any transform to or from `frame` has come in.
    pub fn knows(&self, frame: &str) -> bool {
        let frame = frame.trim_start_matches('/');
        self.edges.contains_key(frame) || self.edges.values().any(|edge| edge.parent == frame)
    }

    /// Forgets the moving transforms of frames that are known beyond `stamp`: time has jumped back to it, and
    /// their publishers will start anew. Static transforms, which are sent once, stay.
    pub fn forget_after(&mut self, stamp: Stamp) {
        let registry = &mut self.registry;
        self.edges.retain(|child, edge| {
            let keep = edge.is_static || edge.stamps.back().is_none_or(|&newest| newest <= stamp.0);
            if !keep {
                registry.remove_frame(child);
            }
            keep
        });
    }

    /// Forgets everything, static transforms included.
    pub fn clear(&mut self) {
        *self = Self::new();
    }
}

impl Default for TransformBuffer {
    fn default() -> Self {
        Self::new()
    }
}

impl Edge {
    /// Notes a sample at `stamp`; true when it starts a new history.
    fn admit(&mut self, stamp: i64, child: &str) -> Result<bool, TransformError> {
        let newest = self.stamps.back().copied().unwrap_or(stamp);
        if newest.saturating_sub(stamp) > RESTART_NS {
            self.stamps.clear();
            self.stamps.push_back(stamp);
            return Ok(true);
        }
        let oldest_kept = newest.max(stamp).saturating_sub(MAX_AGE_NS);
        while self.stamps.front().is_some_and(|&oldest| oldest < oldest_kept) {
            self.stamps.pop_front();
        }
        if let Err(position) = self.stamps.binary_search(&stamp) {
            if self.stamps.len() >= MAX_SAMPLES {
                return Err(TransformError::TooManySamples { child: child.to_owned(), max: MAX_SAMPLES });
            }
            self.stamps.insert(position, stamp);
        }
        Ok(false)
    }
}

fn frame_id(frame: &str) -> Result<&str, TransformError> {
    let frame = frame.trim_start_matches('/');
    match frame.len() {
        0 => Err(TransformError::EmptyFrame),
        found if found > MAX_FRAME_ID => Err(TransformError::LongFrame { max: MAX_FRAME_ID, found }),
        _ => Ok(frame),
    }
}

fn to_pose(found: &Transform<Nanos>, target: &str, source: &str) -> Result<Pose, TransformError> {
    let (t, q) = (found.translation(), found.rotation());
    // Chains of huge translations overflow, and long chains drift from unit length.
    pose_from_parts([t.x, t.y, t.z], [q.x, q.y, q.z, q.w]).map_err(|error| TransformError::Unusable {
        target: target.to_owned(),
        origin: source.to_owned(),
        reason: error.to_string(),
    })
}

#[cfg(test)]
#[path = "transform_buffer_tests.rs"]
mod tests;
