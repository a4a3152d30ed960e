//! `isobath simulate --radar-from-depth`.

use std::num::NonZero;
use std::path::{Path, PathBuf};

use clap::Args;
use glam::Vec3;

use super::output::print;
use super::{Failure, Status};
use crate::bag::BagError;
use crate::sim::{DepthBagError, DepthBagOptions, add_radar};

#[derive(Args)]
pub(super) struct RadarFromDepthArguments {
    /// Put a simulated radar into this RGB-D recording instead of simulating a scene
    #[arg(long, value_name = "BAG")]
    radar_from_depth: Option<PathBuf>,
    /// With --radar-from-depth: its depth images, where there are several such topics
    #[arg(long, value_name = "TOPIC", requires = "radar_from_depth")]
    depth_topic: Option<String>,
    /// With --radar-from-depth: returns an image, about
    #[arg(long, value_name = "N", default_value = "41", requires = "radar_from_depth")]
    returns: NonZero<usize>,
    /// With --radar-from-depth: the radar from the camera, metres forward, left, up
    #[arg(
        long,
        value_name = "X,Y,Z",
        value_parser = mount,
        default_value = "0,0,0",
        allow_hyphen_values = true,
        requires = "radar_from_depth"
    )]
    mount: Vec3,
}

impl RadarFromDepthArguments {
    pub(super) fn is_asked_for(&self) -> bool {
        self.radar_from_depth.is_some()
    }
}

pub(super) fn run(arguments: &RadarFromDepthArguments, seed: u64, out: &Path) -> Result<Status, Failure> {
    let Some(bag) = &arguments.radar_from_depth else {
        return Err(Failure::Configuration("--radar-from-depth: expected a bag".to_owned()));
    };
    let options = DepthBagOptions {
        bag: bag.clone(),
        out: out.to_owned(),
        depth_topic: arguments.depth_topic.clone(),
        returns: arguments.returns.get(),
        mount: arguments.mount,
        seed,
    };
    let summary = add_radar(&options, |_| ())?;
    let mean = summary.returns as f64 / summary.clouds.max(1) as f64;
    print(&format!("{} clouds of {mean:.1} returns on average in {}\n", summary.clouds, out.display()))?;
    if let Some((count, error)) = &summary.skipped {
        tracing::warn!("{count} depth images without a cloud, the first: {error}");
    }
    if let Some(error) = &summary.damage {
        tracing::warn!("{error}");
    }
    let is_whole = summary.skipped.is_none() && summary.damage.is_none();
    Ok(if is_whole { Status::Fine } else { Status::PartlyDecoded })
}

fn mount(text: &str) -> Result<Vec3, String> {
    /// No robot is larger.
    const FARTHEST_M: f32 = 100.0;
    let numbers: Vec<f32> = text
        .split(',')
        .filter_map(|part| part.trim().parse().ok())
        .filter(|value: &f32| value.abs() <= FARTHEST_M)
        .collect();
    match numbers.as_slice() {
        &[x, y, z] if text.split(',').count() == 3 => Ok(Vec3::new(x, y, z)),
        _ => Err(format!("expected three numbers up to {FARTHEST_M}, as 0.05,0,-0.1, found '{text}'")),
    }
}

impl From<DepthBagError> for Failure {
    fn from(error: DepthBagError) -> Self {
        match error {
            DepthBagError::Bag(BagError::Exists { .. }) => Self::Configuration(error.to_string()),
            DepthBagError::DepthTopic { .. } | DepthBagError::NoTopic { .. } | DepthBagError::HasRadar => {
                Self::Configuration(error.to_string())
            }
            _ => Self::Input(error.to_string()),
        }
    }
}
