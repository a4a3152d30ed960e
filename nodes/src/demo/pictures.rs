//! The demo in pictures: what went in beside what came out.

use anyhow::{Context as _, Result, anyhow};
use isobath::detection::{ClassTable, Detection3d};
use isobath::eval::picture::{BevPicture, DepthPicture, RadarDot};
use isobath::geometry::{Box3d, CameraModel};
use isobath::message::{CameraInfo, Detection3DArray, Image, PointCloud2, from_cdr};
use isobath::sensor::{ImageView, PointCloudView, RadarPreset, decode_radar, lidar_points};
use nalgebra::{Point3, Vector3};

use super::player::Played;
use super::script::Script;
use super::watcher::Watched;

/// Width of one panel, pixels.
const PANEL_PX: usize = 480;
/// Side of the bird's-eye view, pixels.
const BEV_PX: usize = 900;
/// Smallest and largest half side of the bird's-eye view, metres.
const BEV_RANGE_M: (f32, f32) = (10.0, 50.0);
/// Share of the points that the bird's-eye view is sized for.
const BEV_SHARE: f32 = 0.97;
/// Lowest score that is drawn.
const MIN_SCORE: f64 = 0.3;
/// Classes in the order that gives them their usual colours.
const CLASSES: [&str; 7] = ["car", "truck", "bus", "bicycle", "pedestrian", "forklift", "pallet"];

/// Camera with radar returns, depth and confidence of one frame as PNG; `None` without depth.
pub fn depth(script: &Script, played: &Played, watched: &Watched) -> Result<Option<Vec<u8>>> {
    let Some((stamp, bytes)) = watched.last("depth/image") else { return Ok(None) };
    let depth: Image<'_> = from_cdr(bytes)?;
    let depth_m = floats(depth.data);
    let confidence = match watched.find("depth/confidence", *stamp) {
        Some(bytes) => floats(from_cdr::<Image<'_>>(bytes)?.data),
        None => vec![0.0; depth_m.len()],
    };
    let image = played.find("image", *stamp).context("the image of the last depth is gone")?;
    let image: Image<'_> = from_cdr(&image)?;
    let view = ImageView::new_color(&image)?;
    let mut rgb = Vec::with_capacity(depth_m.len() * 3);
    for v in 0..view.height() {
        for u in 0..view.width() {
            rgb.extend_from_slice(&view.rgb(u, v));
        }
    }
    let info = played.nearest("camera_info", *stamp).context("no camera info was played")?;
    let camera = CameraModel::from_camera_info(&from_cdr::<CameraInfo<'_>>(&info)?)?;
    let radar = match played.nearest("radar_0/points", *stamp) {
        Some(cloud) => radar_dots(script, &camera, image.header.frame_id, &from_cdr(&cloud)?)?,
        None => Vec::new(),
    };
    let picture = DepthPicture {
        width: depth.width as usize,
        height: depth.height as usize,
        rgb: &rgb,
        radar: &radar,
        depth: &depth_m,
        confidence: &confidence,
        scale_m: DepthPicture::scale_for(&depth_m).unwrap_or((0.5, 40.0)),
        panel_width: PANEL_PX,
    };
    Ok(Some(picture.render()?.encode_png()?))
}

fn radar_dots(
    script: &Script,
    camera: &CameraModel,
    camera_frame: &str,
    cloud: &PointCloud2<'_>,
) -> Result<Vec<RadarDot>> {
    let pose = script.transforms()?.lookup(camera_frame, cloud.header.frame_id, cloud.header.stamp)?;
    let mut returns = Vec::new();
    decode_radar(&PointCloudView::new(cloud)?, RadarPreset::Auto, 1.0, &mut returns)?;
    let dots = returns.iter().filter_map(|radar_return| {
        let p_camera = pose * Point3::from(radar_return.position.map(f64::from));
        let (u, v) = camera.project(&p_camera)?;
        let inside =
            (0.0..f64::from(camera.width)).contains(&u) && (0.0..f64::from(camera.height)).contains(&v);
        inside.then_some(RadarDot { u: u as f32, v: v as f32, depth_m: p_camera.z as f32 })
    });
    Ok(dots.collect())
}

/// A sweep with its detections from above as PNG; `None` without detections.
pub fn bird_eye_view(played: &Played, watched: &Watched) -> Result<Option<Vec<u8>>> {
    let Some((stamp, bytes)) = watched.last("detections") else { return Ok(None) };
    let message: Detection3DArray<'_> = from_cdr(bytes)?;
    let cloud = played.find("lidar/points", *stamp).context("the sweep of the last detections is gone")?;
    let cloud: PointCloud2<'_> = from_cdr(&cloud)?;
    let view = PointCloudView::new(&cloud)?;
    let points: Vec<[f32; 3]> = lidar_points(&view).map(|point| [point.x, point.y, point.z]).collect();

    let mut names: Vec<String> = CLASSES.map(str::to_owned).to_vec();
    let mut detections = Vec::new();
    for detection in &message.detections {
        let Some(result) = detection.results.first() else { continue };
        if result.hypothesis.score < MIN_SCORE {
            continue;
        }
        let name = result.hypothesis.class_id.as_ref();
        let class = names.iter().position(|known| known == name).unwrap_or_else(|| {
            names.push(name.to_owned());
            names.len() - 1
        });
        let (center, q) = (detection.bbox.center.position, detection.bbox.center.orientation);
        let size = detection.bbox.size;
        detections.push(Detection3d {
            box3d: Box3d {
                center: Point3::new(center.x, center.y, center.z),
                size: Vector3::new(size.x, size.y, size.z),
                yaw: (2.0 * (q.w * q.z + q.x * q.y)).atan2(1.0 - 2.0 * (q.y * q.y + q.z * q.z)),
            },
            class: u16::try_from(class).map_err(|_| anyhow!("more than 65,536 classes"))?,
            score: result.hypothesis.score as f32,
        });
    }
    let picture = BevPicture {
        title: "LiDAR sweep and detections from above",
        points: &points,
        detections: &detections,
        classes: &ClassTable::new(names)?,
        range_m: range_m(&points, &detections),
        size_px: BEV_PX,
    };
    Ok(Some(picture.render()?.encode_png()?))
}

/// Half the side of a square that holds nearly all points and every box.
fn range_m(points: &[[f32; 3]], detections: &[Detection3d]) -> f32 {
    let farthest_box = detections
        .iter()
        .map(|found| (found.box3d.center.x.abs().max(found.box3d.center.y.abs()) + found.box3d.size.x) as f32)
        .fold(0.0, f32::max);
    let mut distances: Vec<f32> = points.iter().map(|[x, y, _]| x.abs().max(y.abs())).collect();
    distances.sort_unstable_by(f32::total_cmp);
    let index = (distances.len() as f32 * BEV_SHARE) as usize;
    let reach = distances.get(index).map_or(BEV_RANGE_M.1, |distance| distance * 1.1);
    reach.max(farthest_box).clamp(BEV_RANGE_M.0, BEV_RANGE_M.1)
}

/// Little-endian floats of a 32FC1 image.
fn floats(data: &[u8]) -> Vec<f32> {
    data.chunks_exact(4).map(|bytes| f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])).collect()
}
