//! What a radar beside a depth camera would have seen.
//!
//! The image gives surfaces where there were rays before: its pixels' places, and normals from the gradient of
//! the depth. Noise, cells and threshold are those of the simulated scenes. What an image does not show is
//! not there: materials are drawn for patches of the image, mirrors show nothing, and everything stands
//! still.

use glam::{Vec3, Vec3A};

use super::SimulatedReturn;
use super::detector::detect_cells;
use super::echo::{Echo, angles};
use super::model::{AWR1843, RadarModel};
use super::scatter::scattering;
use crate::geometry::CameraModel;
use crate::sensor::ImageView;
use crate::sim::{Material, Random};

/// The stream of what the images leave open.
const FROM_DEPTH: u64 = 0x5244_5203;
/// Pixels that are looked at.
const SAMPLES: f32 = 6000.0;
/// Rows and columns of patches of one material.
const PATCHES: u32 = 12;
/// A step in depth, as a share of it, that parts two surfaces.
const STEP: f32 = 0.1;
/// Spread of the logarithm of the number of returns, and its limits as shares of the median: a TI radar
/// indoors gave 19 to 87, with a median of 41.
const SPREAD: f32 = 0.3;
const FEWEST: f32 = 0.46;
const MOST: f32 = 2.12;

/// What indoor surfaces are made of: share of the patches, reflectivity at 77 GHz, roughness in millimetres.
/// Plaster and concrete, wood and plastics, metal, textiles.
const MIXTURE: [(f32, f32, f32); 4] = [(0.5, 0.2, 1.0), (0.25, 0.1, 0.5), (0.15, 1.0, 0.3), (0.1, 0.05, 2.0)];

/// A radar beside a depth camera.
#[derive(Clone, Debug)]
pub struct DepthRadar {
    /// Of the radar in the camera's body, x forward, y left, z up, metres.
    pub mount: Vec3,
    /// Median of the number of returns.
    pub returns: usize,
    /// Equal seeds give equal returns.
    pub seed: u64,
    materials: Vec<Material>,
}

impl DepthRadar {
    /// Whose noise it has and in whose layout its clouds are.
    pub fn model() -> &'static RadarModel {
        &AWR1843
    }

    /// Draws the materials of the patches.
    pub fn new(mount: Vec3, returns: usize, seed: u64) -> Self {
        let mut random = Random::new(seed, &[FROM_DEPTH]);
        let materials = (0..PATCHES * PATCHES).map(|_| draw_material(&mut random)).collect();
        Self { mount, returns, seed, materials }
    }

    /// The returns of an image of z in metres, nearest first. `camera` must have the image's size.
    pub fn scan(&self, camera: &CameraModel, depth: &ImageView<'_>, frame: u64) -> Vec<SimulatedReturn> {
        let model = Self::model();
        let mut random = Random::new(self.seed, &[FROM_DEPTH, 1, frame]);
        let spread = (SPREAD * random.normal()).exp().clamp(FEWEST, MOST);
        let count = (self.returns as f32 * spread).round() as usize;
        let echoes = self.echoes(model, camera, depth, &mut random);
        let mut returns = detect_cells(&echoes, model, self.seed, frame);
        returns.sort_by(|a, b| b.snr_db.total_cmp(&a.snr_db));
        returns.truncate(count);
        returns.sort_by(|a, b| a.range_m.total_cmp(&b.range_m));
        returns
    }

    fn echoes(
        &self,
        model: &RadarModel,
        camera: &CameraModel,
        depth: &ImageView<'_>,
        random: &mut Random,
    ) -> Vec<Echo> {
        let (width, height) = (depth.width(), depth.height());
        let stride = ((width as f32 * height as f32 / SAMPLES).sqrt().ceil() as u32).max(1);
        let finest = (stride as f64 / (camera.fx * camera.fy).sqrt()) as f32;
        let mut echoes = Vec::new();
        for y in (0..height).step_by(stride as usize) {
            for x in (0..width).step_by(stride as usize) {
                let jitter = [(); 2].map(|()| random.below(stride as usize) as u32);
                let [x, y] = [x + jitter[0], y + jitter[1]];
                let Some(surface) = surface(camera, depth, x, y, stride.div_ceil(2)) else { continue };
                let patch = y * PATCHES / height * PATCHES + x * PATCHES / width;
                let Some(material) = self.materials.get(patch as usize) else { continue };
                echoes.extend(self.echo(model, material, &surface, finest));
            }
        }
        echoes
    }

    fn echo(&self, model: &RadarModel, material: &Material, surface: &Surface, finest: f32) -> Option<Echo> {
        let to = surface.point - Vec3A::from(self.mount);
        let range_m = to.length();
        let (azimuth, elevation) = angles(to);
        let is_out = range_m < model.nearest_m || range_m > model.farthest_m;
        if is_out || !model.sees(azimuth, elevation) {
            return None;
        }
        let towards = to / range_m;
        let seen = scattering(material, surface.normal, towards, -towards, finest);
        // The pixel's share of the surface, as large as the camera sees it.
        let camera_m = surface.point.length();
        let cosine = surface.normal.dot(-surface.point / camera_m).max(0.03);
        let area = finest * finest * (surface.point.x / camera_m).powi(3) * camera_m * camera_m / cosine;
        let rcs = (seen.mirror + seen.diffuse) * area;
        let power = model.signal_to_noise(rcs, range_m, azimuth, elevation);
        (power > 0.0 && power.is_finite()).then_some(Echo {
            range_m,
            azimuth,
            elevation,
            range_rate_mps: 0.0,
            power,
            is_ghost: false,
            object: None,
        })
    }
}

/// A place in the camera's body: x forward, y left, z up.
struct Surface {
    point: Vec3A,
    /// Towards the camera.
    normal: Vec3A,
}

/// The surface at a pixel; `None` without a reading, at the edge of the image and of things.
fn surface(camera: &CameraModel, depth: &ImageView<'_>, x: u32, y: u32, reach: u32) -> Option<Surface> {
    let at = |x: u32, y: u32| {
        let z = depth.depth_m(x, y);
        if !(z > 0.0 && z.is_finite()) {
            return None;
        }
        let ray = camera.unproject(f64::from(x), f64::from(y))?;
        // From the optical axes to those of the body.
        Some(z * Vec3A::new(1.0, -ray.x as f32, -ray.y as f32))
    };
    let point = at(x, y)?;
    let along = |after: Vec3A, before: Vec3A| {
        let parted = (after.x - point.x).abs().max((before.x - point.x).abs()) > STEP * point.x;
        (!parted).then_some(after - before)
    };
    let across = along(at(x.checked_add(reach)?, y)?, at(x.checked_sub(reach)?, y)?)?;
    let down = along(at(x, y.checked_add(reach)?)?, at(x, y.checked_sub(reach)?)?)?;
    let normal = across.cross(down).try_normalize()?;
    let normal = if normal.dot(point) > 0.0 { -normal } else { normal };
    Some(Surface { point, normal })
}

fn draw_material(random: &mut Random) -> Material {
    let mut left = random.unit();
    let mut drawn = MIXTURE[0];
    for kind in MIXTURE {
        drawn = kind;
        left -= kind.0;
        if left < 0.0 {
            break;
        }
    }
    let (_, radar_reflectivity, radar_roughness_mm) = drawn;
    Material { radar_reflectivity, radar_roughness_mm, ..Material::matt("patch", [0.5; 3]) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sensor::PixelFormat;

    /// A wall that is `z` metres ahead, and the floor 1 m below.
    fn room(camera: &CameraModel, z: f32) -> Vec<u8> {
        let mut data = Vec::new();
        for y in 0..camera.height {
            for x in 0..camera.width {
                let ray = camera.unproject(f64::from(x), f64::from(y)).unwrap();
                let floor = if ray.y > 0.0 { 1.0 / ray.y as f32 } else { f32::INFINITY };
                data.extend(z.min(floor).to_le_bytes());
            }
        }
        data
    }

    #[test]
    fn returns_lie_on_the_surfaces_seen_from_the_mount() {
        let camera = CameraModel::pinhole(160, 120, 120.0, 120.0, 79.5, 59.5).unwrap();
        let data = room(&camera, 4.0);
        let view = ImageView::from_parts(160, 120, PixelFormat::Depth32F, 640, &data).unwrap();
        let mount = Vec3::new(0.5, 0.0, 0.2);
        let radar = DepthRadar::new(mount, 41, 7);
        let mut counts = Vec::new();
        for frame in 0..40 {
            let returns = radar.scan(&camera, &view, frame);
            assert_eq!(returns, radar.scan(&camera, &view, frame));
            counts.push(returns.len());
            for item in returns.iter().filter(|item| !item.is_ghost && item.snr_db > 25.0) {
                let least = Vec3::new(3.5, 0.0, 0.0).length().min(1.2) - 0.1;
                assert!(item.range_m > least && item.range_m < 5.5, "{item:?}");
                assert!(item.range_rate_mps.abs() < 0.1);
            }
        }
        counts.sort_unstable();
        let median = counts[counts.len() / 2];
        assert!((20..=60).contains(&median) && counts[0] >= 10, "{counts:?}");
    }

    #[test]
    fn an_image_without_readings_gives_only_false_alarms() {
        let camera = CameraModel::pinhole(64, 48, 50.0, 50.0, 31.5, 23.5).unwrap();
        for value in [0.0_f32, f32::NAN, f32::INFINITY, -1.0] {
            let data: Vec<u8> = (0..64 * 48).flat_map(|_| value.to_le_bytes()).collect();
            let view = ImageView::from_parts(64, 48, PixelFormat::Depth32F, 256, &data).unwrap();
            let returns = DepthRadar::new(Vec3::ZERO, 41, 1).scan(&camera, &view, 0);
            assert!(returns.iter().all(|item| item.is_ghost) && returns.len() < 8, "{returns:?}");
        }
    }
}
