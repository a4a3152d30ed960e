//! What a recording holds, in memory: some frames of small sensors.

use std::collections::HashMap;
use std::path::Path;

use anyhow::{Context, Result};
use isobath::bag::{Bag, ReadFilter};
use isobath::geometry::{CameraModel, Pose, pose_from_parts};
use isobath::message::{CameraInfo, Detection3DArray, Image, PointCloud2, TFMessage, from_cdr};
use isobath::sensor::{ImageView, PointCloudView, RadarPreset, RadarReturn, decode_radar};

/// Messages by their stamps, nanoseconds.
pub struct Recorded {
    images: Vec<(i64, Picture)>,
    depths: Vec<(i64, Depth)>,
    sweeps: Vec<(i64, Vec<[f32; 3]>)>,
    scans: Vec<(i64, Vec<RadarReturn>)>,
    boxes: Vec<(i64, Vec<TruthBox>)>,
    /// From child to parent.
    mounts: HashMap<String, Pose>,
    /// Of the images.
    pub camera: CameraModel,
}

/// Colours, row by row.
pub struct Picture {
    pub size: [usize; 2],
    pub rgb: Vec<u8>,
}

/// Depths, row by row, metres.
pub struct Depth {
    pub size: [usize; 2],
    pub metres: Vec<f32>,
}

/// A box of the truth, in the LiDAR's frame.
pub struct TruthBox {
    pub pose: Pose,
    /// Full lengths, metres.
    pub size: [f64; 3],
}

/// Messages of other sensors farther from an image are not shown with it, nanoseconds.
const NEAR_NS: i64 = 60_000_000;

impl Recorded {
    pub fn load(path: &Path) -> Result<Self> {
        let bag = Bag::open(path)?;
        let names: Vec<String> = bag.info().topics.iter().map(|topic| topic.name.clone()).collect();
        let (mut images, mut depths, mut sweeps) = (Vec::new(), Vec::new(), Vec::new());
        let (mut scans, mut boxes, mut mounts) = (Vec::new(), Vec::new(), HashMap::new());
        let mut camera = None;
        for message in bag.messages(&ReadFilter::default())? {
            let message = message?;
            let data = &message.data;
            match names.get(message.topic).map_or("", String::as_str) {
                "/image" => {
                    let image: Image<'_> = from_cdr(data)?;
                    let view = ImageView::new_color(&image)?;
                    let (width, height) = (view.width(), view.height());
                    let pixels = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
                    let rgb = pixels.flat_map(|(x, y)| view.rgb(x, y)).collect();
                    let size = [width as usize, height as usize];
                    images.push((image.header.stamp.0, Picture { size, rgb }));
                }
                "/truth/depth" => {
                    let image: Image<'_> = from_cdr(data)?;
                    let view = ImageView::new_depth(&image)?;
                    let (width, height) = (view.width(), view.height());
                    let pixels = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
                    let metres = pixels.map(|(x, y)| view.depth_m(x, y)).collect();
                    let size = [width as usize, height as usize];
                    depths.push((image.header.stamp.0, Depth { size, metres }));
                }
                "/lidar/points" => {
                    let cloud: PointCloud2<'_> = from_cdr(data)?;
                    let points = PointCloudView::new(&cloud)?.points().collect();
                    sweeps.push((cloud.header.stamp.0, points));
                }
                "/radar_0/points" => {
                    let cloud: PointCloud2<'_> = from_cdr(data)?;
                    let mut returns = Vec::new();
                    decode_radar(&PointCloudView::new(&cloud)?, RadarPreset::Auto, 1.0, &mut returns)?;
                    scans.push((cloud.header.stamp.0, returns));
                }
                "/truth/detections" => {
                    let array: Detection3DArray<'_> = from_cdr(data)?;
                    let truth = array.detections.iter().map(|detection| {
                        let (centre, size) = (&detection.bbox.center, &detection.bbox.size);
                        let (p, q) = (&centre.position, &centre.orientation);
                        let pose = pose_from_parts([p.x, p.y, p.z], [q.x, q.y, q.z, q.w])?;
                        Ok(TruthBox { pose, size: [size.x, size.y, size.z] })
                    });
                    boxes.push((array.header.stamp.0, truth.collect::<Result<Vec<_>>>()?));
                }
                "/camera_info" => {
                    let info: CameraInfo<'_> = from_cdr(data)?;
                    camera = Some(CameraModel::from_camera_info(&info)?);
                }
                "/tf_static" => {
                    let tf: TFMessage<'_> = from_cdr(data)?;
                    for transform in &tf.transforms {
                        let (t, q) = (&transform.transform.translation, &transform.transform.rotation);
                        let pose = pose_from_parts([t.x, t.y, t.z], [q.x, q.y, q.z, q.w])?;
                        mounts.insert(transform.child_frame_id.to_owned(), pose);
                    }
                }
                _ => {}
            }
        }
        let camera = camera.context("no camera info in the recording")?;
        Ok(Self { images, depths, sweeps, scans, boxes, mounts, camera })
    }

    /// The stamp of an image.
    pub fn image_stamp(&self, number: usize) -> Result<i64> {
        Ok(self.images.get(number).with_context(|| format!("no image {number}"))?.0)
    }

    pub fn image(&self, stamp: i64) -> Option<&Picture> {
        nearest(&self.images, stamp)
    }

    pub fn depth(&self, stamp: i64) -> Option<&Depth> {
        nearest(&self.depths, stamp)
    }

    /// LiDAR frame.
    pub fn sweep(&self, stamp: i64) -> Option<&[[f32; 3]]> {
        nearest(&self.sweeps, stamp).map(Vec::as_slice)
    }

    /// LiDAR frame.
    pub fn boxes(&self, stamp: i64) -> Option<&[TruthBox]> {
        nearest(&self.boxes, stamp).map(Vec::as_slice)
    }

    /// Radar frame.
    pub fn scan(&self, stamp: i64) -> Option<&[RadarReturn]> {
        nearest(&self.scans, stamp).map(Vec::as_slice)
    }

    /// From a sensor's frame to the robot's.
    pub fn mount(&self, frame: &str) -> Result<Pose> {
        self.mounts.get(frame).copied().with_context(|| format!("no transform of {frame}"))
    }
}

fn nearest<T>(messages: &[(i64, T)], stamp: i64) -> Option<&T> {
    let (at, message) = messages.iter().min_by_key(|(at, _)| (at - stamp).abs())?;
    ((at - stamp).abs() <= NEAR_NS).then_some(message)
}
