//! What a depth network wants to see, checked against its manifest.

use super::model::plane;
use crate::depth::{PlacedReturn, PriorConfig, PriorStats, draw_footprints, draw_prior};
use crate::geometry::{CameraModel, RayTable};
use crate::inference::{Manifest, PriorEncoding, TensorSpec};

/// Farthest from the axis that a ray is told, x/z and y/z; so are places of the image that the lens model has
/// no ray for.
const STEEPEST: f32 = 4.0;

/// The radar prior of a network.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum PriorInput {
    /// One plane of the network's size: discs of metres
    Discs(PriorConfig),
    /// Two planes of a coarser grid, `(width, height)`: metres and weights
    Footprints {
        /// Cells
        grid: (usize, usize),
        /// Depths that are drawn, metres
        range_m: (f32, f32),
    },
}

/// Inputs of a network beside each other.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct NetworkInputs {
    /// Whether it takes the image
    pub image: bool,
    /// Its prior
    pub prior: Option<PriorInput>,
    /// Width and height of its grid of viewing rays
    pub rays: Option<(usize, usize)>,
}

impl NetworkInputs {
    /// From a manifest whose network has `network` columns and rows; else what is wrong with it.
    pub fn of(manifest: &Manifest, network: (usize, usize)) -> Result<Self, String> {
        if let Some(other) =
            manifest.inputs.iter().find(|input| !matches!(input.role.as_str(), "image" | "prior" | "rays"))
        {
            return Err(format!("expected inputs image, prior and rays, found '{}'", other.role));
        }
        let Some(settings) = manifest.depth_settings() else { return Err("expected a depth section".into()) };
        let range_m = (settings.min_m, settings.max_m);
        let prior = match (manifest.input("prior"), settings.prior) {
            (None, _) => None,
            (Some(prior), PriorEncoding::Discs) => {
                expect_planes(prior, 1, network)?;
                Some(PriorInput::Discs(PriorConfig::new(range_m.0, range_m.1)))
            }
            (Some(prior), PriorEncoding::Footprints) => {
                Some(PriorInput::Footprints { grid: divisor(prior, 2, network)?, range_m })
            }
        };
        if let Some(image) = manifest.input("image") {
            expect_planes(image, 3, network)?;
        }
        let rays = manifest.input("rays").map(|rays| divisor(rays, 2, network)).transpose()?;
        Ok(Self { image: manifest.input("image").is_some(), prior, rays })
    }
}

impl PriorInput {
    /// Width and height of its planes.
    pub fn size(&self, network: (usize, usize)) -> (usize, usize) {
        match self {
            Self::Discs(_) => network,
            Self::Footprints { grid, .. } => *grid,
        }
    }

    /// Number of values.
    pub fn len(&self, network: (usize, usize)) -> usize {
        match self {
            Self::Discs(_) => network.0 * network.1,
            Self::Footprints { grid, .. } => 2 * grid.0 * grid.1,
        }
    }

    /// Draws the returns into `out`; `camera` has the prior's size.
    pub fn draw(
        &self,
        returns: &[PlacedReturn],
        camera: &CameraModel,
        out: &mut [f32],
    ) -> Result<PriorStats, crate::depth::DepthError> {
        match self {
            Self::Discs(config) => {
                draw_prior(returns.iter().map(|found| found.position), camera, config, out)
            }
            Self::Footprints { range_m, .. } => {
                draw_footprints(returns.iter().copied(), camera, *range_m, out)
            }
        }
    }
}

/// Writes the viewing rays of `camera`, which has the grid's size, into `out`: x/z of all cells, then y/z.
pub(super) fn write_rays(camera: &CameraModel, out: &mut [f32]) {
    let table = RayTable::new(camera);
    let (across, down) = out.split_at_mut(out.len() / 2);
    for ((ray, x), y) in table.rays().iter().zip(across).zip(down) {
        // Where the lens model has no ray the pixel is far from the axis.
        [*x, *y] = ray.map(|v| if v.is_nan() { STEEPEST } else { v.clamp(-STEEPEST, STEEPEST) });
    }
}

/// Fails unless the tensor has these planes of the network's size.
pub(super) fn expect_planes(
    tensor: &TensorSpec,
    channels: usize,
    network: (usize, usize),
) -> Result<(), String> {
    let expected = [1, channels, network.1, network.0];
    if tensor.shape == expected {
        return Ok(());
    }
    Err(format!("expected {} {expected:?} beside depth, found {:?}", tensor.role, tensor.shape))
}

/// Width and height of a tensor `[1, channels, h, w]` whose cells are whole numbers of the network's pixels.
pub(super) fn divisor(
    tensor: &TensorSpec,
    channels: usize,
    network: (usize, usize),
) -> Result<(usize, usize), String> {
    let grid = match tensor.fixed_sizes().as_deref() {
        Some([1, found, height, width]) if *found == channels => plane(Some(&[1, 1, *height, *width])),
        _ => None,
    };
    grid.filter(|(width, height)| network.0.is_multiple_of(*width) && network.1.is_multiple_of(*height))
        .ok_or_else(|| {
            format!(
                "expected {} [1, {channels}, h, w] that divide the network's {} rows and {} columns, found {:?}",
                tensor.role, network.1, network.0, tensor.shape
            )
        })
}
