//! Why a transform was refused or is not there.

use transforms::errors::RegistryError;
use transforms::time::TimePoint;

use crate::message::Stamp;

/// Why a transform was refused or is not there.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum TransformError {
    /// A frame id is empty, or only a slash.
    #[error("expected a frame id, found an empty one")]
    EmptyFrame,
    /// A frame id is longer than any sane one.
    #[error("expected a frame id of at most {max} bytes, found {found}")]
    LongFrame {
        /// The limit, bytes.
        max: usize,
        /// Its length, bytes.
        found: usize,
    },
    /// The pose has NaN, infinite or denormalised components.
    #[error("transform {parent} → {child}: expected finite numbers and a unit rotation")]
    BadPose {
        /// Parent frame.
        parent: String,
        /// Child frame.
        child: String,
    },
    /// A moving transform without a stamp.
    #[error("transform {parent} → {child}: expected a stamp, found zero")]
    Unstamped {
        /// Parent frame.
        parent: String,
        /// Child frame.
        child: String,
    },
    /// A frame would be its own ancestor.
    #[error("transform {parent} → {child} would close a cycle in the frame tree")]
    Cycle {
        /// Parent frame.
        parent: String,
        /// Child frame.
        child: String,
    },
    /// The frame already hangs from another parent.
    #[error("frame {child} has parent {expected}, found a transform from {found}: two publishers disagree")]
    OtherParent {
        /// Child frame.
        child: String,
        /// Its parent so far.
        expected: String,
        /// The parent in the refused transform.
        found: String,
    },
    /// The frame is published both on `/tf` and on `/tf_static`.
    #[error("frame {child} is published both as static and as moving")]
    StaticAndMoving {
        /// Child frame.
        child: String,
    },
    /// More frames than the buffer holds.
    #[error("transform to {child}: the buffer holds {max} frames and is full")]
    TooManyFrames {
        /// Child frame.
        child: String,
        /// The limit.
        max: usize,
    },
    /// More samples of one frame within its history than the buffer holds.
    #[error("transform to {child}: the buffer holds {max} samples of a frame and is full")]
    TooManySamples {
        /// Child frame.
        child: String,
        /// The limit.
        max: usize,
    },
    /// Nobody has published this frame.
    #[error("frame {frame} is unknown")]
    UnknownFrame {
        /// The frame.
        frame: String,
    },
    /// Both frames are known, but no chain connects them.
    #[error("no chain of transforms connects {target} and {origin}")]
    Unconnected {
        /// Target frame.
        target: String,
        /// Source frame.
        origin: String,
    },
    /// Asked for a time before the oldest sample kept.
    #[error("transform {target} ← {origin} at {at}: frame {frame} is known only from {start}")]
    TooEarly {
        /// Target frame.
        target: String,
        /// Source frame.
        origin: String,
        /// The frame on the way that lacks the time.
        frame: String,
        /// The time asked for.
        at: Stamp,
        /// Its oldest sample.
        start: Stamp,
    },
    /// Asked for a time after the newest sample; waiting may help.
    #[error("transform {target} ← {origin} at {at}: frame {frame} is known only until {end}")]
    TooLate {
        /// Target frame.
        target: String,
        /// Source frame.
        origin: String,
        /// The frame on the way that lacks the time.
        frame: String,
        /// The time asked for.
        at: Stamp,
        /// Its newest sample.
        end: Stamp,
    },
    /// The transforms on the way cannot be combined into finite numbers.
    #[error("transform {target} ← {origin}: {reason}")]
    Unusable {
        /// Target frame.
        target: String,
        /// Source frame.
        origin: String,
        /// What failed.
        reason: String,
    },
}

impl TransformError {
    /// Whether a lookup that failed so may work once more transforms have arrived.
    pub const fn may_arrive(&self) -> bool {
        matches!(self, Self::UnknownFrame { .. } | Self::Unconnected { .. } | Self::TooLate { .. })
    }

    pub(super) fn from_lookup<T: TimePoint>(
        error: RegistryError<T>,
        target: &str,
        origin: &str,
        stamp: impl Fn(T) -> Stamp,
    ) -> Self {
        let (target, origin) = (target.to_owned(), origin.to_owned());
        match error {
            RegistryError::UnknownFrame(frame) => Self::UnknownFrame { frame },
            RegistryError::Disconnected { .. } => Self::Unconnected { target, origin },
            RegistryError::NotFoundAt { frame, requested, covered: Some((start, _)), .. }
                if requested < start =>
            {
                Self::TooEarly { target, origin, frame, at: stamp(requested), start: stamp(start) }
            }
            RegistryError::NotFoundAt { frame, requested, covered: Some((_, end)), .. } => {
                Self::TooLate { target, origin, frame, at: stamp(requested), end: stamp(end) }
            }
            other => Self::Unusable { target, origin, reason: other.to_string() },
        }
    }
}
