//! How the LiDAR moved during a sweep, as far as tf tells.

use crate::geometry::{SweepMotion, TransformBuffer, TransformError};
use crate::message::{PointCloud2, Stamp};
use crate::pipeline::ParameterSet;
use crate::sensor::{LidarPreset, PointCloudView, StampAt};

/// Transforms that end longer than this before a sweep's points come from a publisher that has stopped.
const ALIVE_NS: i64 = 1_000_000_000;

/// What is to be done about the motion of one sweep.
pub(super) enum Motion {
    /// The sweep is used as it is: de-skewing is off, its points have no times, or nobody publishes the fixed frame.
    Unneeded,
    /// Transforms that cover the sweep may still come.
    Awaited(TransformError),
    /// They will not come.
    Unknown(TransformError),
    /// Where the LiDAR was
    Known(Box<SweepMotion>),
}

/// The parameters that say how to read a sweep.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct SweepSettings {
    /// Field layout
    pub preset: LidarPreset,
    /// Where the stamp lies among times that count from the sweep's start
    pub stamp_at: StampAt,
}

impl SweepSettings {
    /// From checked parameters; the constraints admit only names that parse.
    pub fn new(parameters: &ParameterSet) -> Self {
        Self {
            preset: parameters.string("lidar_preset").parse().unwrap_or_default(),
            stamp_at: parameters.string("stamp_at").parse().unwrap_or_default(),
        }
    }

    /// When the first and the last point of `cloud` were measured, seconds from its stamp; `None` when its
    /// points have no times or its fields cannot be read, which the processor will tell.
    fn span_s(self, cloud: &PointCloud2<'_>) -> Option<(f64, f64)> {
        let view = PointCloudView::new(cloud).ok()?;
        let times = self.preset.layout(&view, cloud.header.stamp, self.stamp_at).ok()?.times()?;
        Some((times.first_s(), times.last_s()))
    }
}

/// Asks tf for the LiDAR's way through a fixed frame.
pub(super) struct MotionSource {
    fixed_frame: String,
    settings: SweepSettings,
}

impl MotionSource {
    /// From checked parameters.
    pub fn new(parameters: &ParameterSet) -> Self {
        Self {
            fixed_frame: parameters.string("deskew_frame").trim_start_matches('/').to_owned(),
            settings: SweepSettings::new(parameters),
        }
    }

    /// The time span over which the motion of `cloud`'s sensor is wanted; `None` when it is not.
    pub fn span_s(&self, cloud: &PointCloud2<'_>) -> Option<(f64, f64)> {
        if self.fixed_frame.is_empty() { None } else { self.settings.span_s(cloud) }
    }

    /// The way of frame `lidar` over `span_s` around `stamp`, or at `stamp` alone, seen from where `now_lidar` is at
    /// `now`; an error tells a pose that is missing.
    pub fn seen_from(
        &self,
        transforms: &TransformBuffer,
        (now_lidar, now): (&str, Stamp),
        (lidar, stamp): (&str, Stamp),
        span_s: Option<(f64, f64)>,
    ) -> Result<SweepMotion, TransformError> {
        let t_now_fixed = transforms.lookup(&self.fixed_frame, now_lidar, now)?.inverse();
        let (first_s, last_s) = span_s.unwrap_or_default();
        SweepMotion::sample(first_s, last_s, |offset_s| {
            let at = stamp.offset_ns((offset_s * 1e9) as i64);
            Ok(t_now_fixed * transforms.lookup(&self.fixed_frame, lidar, at)?)
        })
    }

    /// Whether tf knows the fixed frame at all.
    pub fn is_published(&self, transforms: &TransformBuffer) -> bool {
        !self.fixed_frame.is_empty() && transforms.knows(&self.fixed_frame)
    }

    /// The motion of frame `lidar` over `span_s` around `stamp`.
    pub fn motion(
        &self,
        transforms: &TransformBuffer,
        lidar: &str,
        stamp: Stamp,
        span_s: Option<(f64, f64)>,
    ) -> Motion {
        let Some((first_s, last_s)) = span_s.filter(|_| transforms.knows(&self.fixed_frame)) else {
            return Motion::Unneeded;
        };
        let t_fixed_lidar = |offset_s: f64| {
            let at = stamp.offset_ns((offset_s * 1e9) as i64);
            transforms.lookup(&self.fixed_frame, lidar, at)
        };
        let motion = t_fixed_lidar(0.0).and_then(|t_fixed_stamp| {
            let t_stamp_fixed = t_fixed_stamp.inverse();
            SweepMotion::sample(first_s, last_s, |offset_s| Ok(t_stamp_fixed * t_fixed_lidar(offset_s)?))
        });
        match motion {
            Ok(motion) => Motion::Known(Box::new(motion)),
            Err(error) if may_come(&error) => Motion::Awaited(error),
            Err(error) => Motion::Unknown(error),
        }
    }
}

/// Whether the pose that is missing is only late.
pub(super) fn may_come(error: &TransformError) -> bool {
    matches!(error, TransformError::TooLate { at, end, .. } if at.since_ns(*end) <= ALIVE_NS)
}
