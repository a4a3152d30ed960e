//! One sensor at one moment.

use anyhow::{Context, Result};
use isobath::depth::DepthColours;
use isobath::eval::picture::{Canvas, Rgb};
use isobath::geometry::Pose;
use nalgebra::Point3;

use crate::recorded::Recorded;
use crate::sheet::{HEIGHT, WIDTH};

const BACKGROUND: Rgb = [14, 16, 22];
const BOX: Rgb = [255, 176, 0];
/// Nearest and farthest of the colour scales, metres.
const SCALE_M: (f32, f32) = (0.7, 40.0);
/// Half of what the LiDAR's view shows from top to bottom, metres.
const REACH_M: f32 = 24.0;
/// Heights above the LiDAR's mount that the grey scale spans, metres.
const HEIGHTS_M: (f32, f32) = (-1.0, 3.0);

/// Length of the line that tells a return's range rate.
const PIXELS_PER_MPS: f32 = 6.0;

/// What to show.
#[derive(Clone, Copy, PartialEq)]
pub enum Look {
    Camera,
    Depth,
    Lidar,
    Radar,
}

impl Look {
    pub const ALL: [Self; 4] = [Self::Camera, Self::Depth, Self::Lidar, Self::Radar];

    pub fn title(self) -> &'static str {
        match self {
            Self::Camera => "camera",
            Self::Depth => "true depth",
            Self::Lidar => "LiDAR and true boxes from above",
            Self::Radar => "radar returns",
        }
    }
}

/// The panel; what a recording has lost leaves it dark. `clean` is the recording that it was made from.
pub fn panel(recorded: &Recorded, clean: &Recorded, look: Look, stamp: i64) -> Result<Canvas> {
    let mut canvas = Canvas::new(WIDTH, HEIGHT, BACKGROUND)?;
    match look {
        Look::Camera => camera(&mut canvas, recorded, stamp, 1.0)?,
        Look::Depth => depth(&mut canvas, recorded, stamp)?,
        Look::Lidar => lidar(&mut canvas, recorded, clean, stamp)?,
        Look::Radar => radar(&mut canvas, recorded, clean, stamp)?,
    }
    Ok(canvas)
}

fn camera(canvas: &mut Canvas, recorded: &Recorded, stamp: i64, brightness: f32) -> Result<()> {
    let Some(image) = recorded.image(stamp) else { return Ok(()) };
    let rgb = image.rgb.iter().map(|&v| (brightness * f32::from(v)) as u8).collect();
    Ok(canvas.draw_image([0, 0], [WIDTH, HEIGHT], rgb, image.size)?)
}

fn depth(canvas: &mut Canvas, recorded: &Recorded, stamp: i64) -> Result<()> {
    let Some(depth) = recorded.depth(stamp) else { return Ok(()) };
    let colours = DepthColours::new(SCALE_M.0, SCALE_M.1)?;
    let colour = |metres: f32| if metres.is_finite() { colours.of(metres) } else { [40, 44, 52] };
    let rgb = depth.metres.iter().flat_map(|&metres| colour(metres)).collect();
    Ok(canvas.draw_image([0, 0], [WIDTH, HEIGHT], rgb, depth.size)?)
}

/// Points by the recording's own calibration, boxes by that of the clean one.
fn lidar(canvas: &mut Canvas, recorded: &Recorded, clean: &Recorded, stamp: i64) -> Result<()> {
    let pixels_per_m = 0.5 * HEIGHT as f32 / REACH_M;
    let at = |p: &Point3<f64>| {
        let (x, y) = (p.x as f32, p.y as f32);
        [0.5 * WIDTH as f32 - pixels_per_m * y, 0.5 * HEIGHT as f32 - pixels_per_m * x]
    };
    let mount = recorded.mount("lidar")?;
    for point in recorded.sweep(stamp).unwrap_or_default() {
        let [x, y, z] = point.map(f64::from);
        let p = mount.transform_point(&Point3::new(x, y, z));
        let share = ((p.z as f32 - HEIGHTS_M.0) / (HEIGHTS_M.1 - HEIGHTS_M.0)).clamp(0.0, 1.0);
        let grey = (70.0 + 185.0 * share) as u8;
        let [u, v] = at(&p);
        canvas.blend(u as i64, v as i64, [grey, grey, grey], 0.7);
    }
    let mount = clean.mount("lidar")?;
    for item in clean.boxes(stamp).unwrap_or_default() {
        let pose: Pose = mount * item.pose;
        let [length, width, _] = item.size.map(|l| 0.5 * l);
        let corners = [(1.0, 1.0), (1.0, -1.0), (-1.0, -1.0), (-1.0, 1.0)]
            .map(|(a, b)| at(&pose.transform_point(&Point3::new(a * length, b * width, 0.0))));
        canvas.outline(&corners, 1.0, BOX);
    }
    Ok(())
}

/// Returns over a dimmed image, coloured by their depth; a line up tells how fast they come, one down how fast
/// they go.
fn radar(canvas: &mut Canvas, recorded: &Recorded, clean: &Recorded, stamp: i64) -> Result<()> {
    camera(canvas, recorded, stamp, 0.6)?;
    let to_camera = clean.mount("camera_optical_frame")?.inverse() * recorded.mount("radar_0")?;
    let colours = DepthColours::new(SCALE_M.0, SCALE_M.1)?;
    let size = clean.image(stamp).context("no image in the clean recording")?.size;
    let scale = [WIDTH as f32 / size[0] as f32, HEIGHT as f32 / size[1] as f32];
    for item in recorded.scan(stamp).unwrap_or_default() {
        let [x, y, z] = item.position.map(f64::from);
        let p = to_camera.transform_point(&Point3::new(x, y, z));
        let Some((u, v)) = clean.camera.project(&p).filter(|_| p.z > 0.1) else { continue };
        let at = [u as f32 * scale[0], v as f32 * scale[1]];
        let tip = [at[0], at[1] + PIXELS_PER_MPS * item.range_rate_mps.clamp(-9.0, 9.0)];
        canvas.line(at, tip, 1.0, [255; 3], 0.8);
        canvas.disc(at, 3.5, [0, 0, 0], 1.0);
        canvas.disc(at, 2.5, colours.of(p.z as f32), 1.0);
    }
    Ok(())
}
