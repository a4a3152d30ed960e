//! The messages of one topic: taken apart, changed by one corruption after the other, put together again.

use super::camera::{CameraModel, Picture, PictureFile};
use super::cloud_edit::CloudEdit;
use super::draw::TopicDraws;
use super::lidar::{LidarModel, Sweep};
use super::radar::{Frame, RadarModel, Row, load_cloud, load_scan, store_cloud, store_scan};
use super::ranking::MessageShare;
use crate::message::{
    CdrError, CdrReader, CompressedImage, Image, Message, PointCloud2, RadarScan, Stamp, from_cdr, to_cdr,
};
use crate::sensor::SensorError;

/// What one corruption does to the messages of a topic.
pub(super) enum Act {
    /// Changes sweeps
    Lidar(Box<dyn LidarModel>),
    /// Changes pictures
    Camera(Box<dyn CameraModel>),
    /// Changes radar cycles
    Radar(Box<dyn RadarModel>),
    /// Loses a share of the messages
    Lose(f64, MessageShare),
    /// Stamps messages so many nanoseconds later
    Delay(i64),
}

/// One corruption of a topic.
pub(super) struct Step {
    /// Its random numbers
    pub draws: TopicDraws,
    /// What it does
    pub act: Act,
}

/// Why a message stays as it was.
#[derive(Debug, thiserror::Error)]
pub(super) enum EditError {
    /// It is no such message
    #[error(transparent)]
    Cdr(#[from] CdrError),
    /// It is no usable image or cloud
    #[error(transparent)]
    Sensor(#[from] SensorError),
}

/// Changes messages. Keep one for all: its memory is used again.
#[derive(Default)]
pub(super) struct MessageEdit {
    cloud: CloudEdit,
    picture: Picture,
    file: PictureFile,
    frame: Frame,
    before: Vec<Row>,
    data: Vec<u8>,
    out: Vec<u8>,
}

impl MessageEdit {
    /// What `steps` make of a message, number `index` of the `count` of its topic: other bytes; `None` if it is
    /// lost. One that cannot be read is an error.
    pub fn apply<'b>(
        &'b mut self,
        type_name: &str,
        bytes: &'b [u8],
        steps: &mut [Step],
        (index, count): (u64, u64),
    ) -> Result<Option<&'b [u8]>, EditError> {
        let mut delay_ns = 0_i64;
        let mut changes = false;
        for step in steps.iter_mut() {
            match &mut step.act {
                Act::Lose(share, lost) => {
                    if lost.holds(count, *share, step.draws.message(index)) {
                        return Ok(None);
                    }
                }
                Act::Delay(ns) => delay_ns = delay_ns.saturating_add(*ns),
                Act::Lidar(_) | Act::Camera(_) | Act::Radar(_) => changes = true,
            }
        }
        self.out.clear();
        match type_name {
            _ if !changes => self.out.extend_from_slice(bytes),
            Image::TYPE_NAME => self.image(bytes, steps, index)?,
            CompressedImage::TYPE_NAME => self.compressed(bytes, steps, index)?,
            RadarScan::TYPE_NAME => self.scan(bytes, steps, (index, count))?,
            _ if steps.iter().any(|step| matches!(step.act, Act::Radar(_))) => {
                self.radar_cloud(bytes, steps, (index, count))?;
            }
            _ => self.sweep(bytes, steps, index)?,
        }
        if delay_ns != 0 {
            delay(&mut self.out, delay_ns)?;
        }
        Ok(Some(&self.out))
    }

    fn sweep(&mut self, bytes: &[u8], steps: &mut [Step], index: u64) -> Result<(), EditError> {
        self.cloud.load(&from_cdr(bytes)?)?;
        for Step { draws, act } in steps {
            if let Act::Lidar(model) = act {
                let draws = draws.message(index);
                self.cloud.step(|view, cloud, changes| {
                    model.apply(&Sweep::new(view, cloud)?, draws, changes);
                    Ok(())
                })?;
            }
        }
        self.cloud.encode(&mut self.out);
        Ok(())
    }

    fn picture_steps(&mut self, steps: &mut [Step], index: u64) {
        for Step { draws, act } in steps {
            if let Act::Camera(model) = act {
                model.apply(&mut self.picture, draws.message(index));
            }
        }
    }

    fn image(&mut self, bytes: &[u8], steps: &mut [Step], index: u64) -> Result<(), EditError> {
        let image: Image<'_> = from_cdr(bytes)?;
        self.picture.load(&image)?;
        self.picture_steps(steps, index);
        self.data.clear();
        self.data.extend_from_slice(image.data);
        self.picture.store(&image, &mut self.data)?;
        to_cdr(&Image { data: &self.data, ..image }, &mut self.out);
        Ok(())
    }

    fn compressed(&mut self, bytes: &[u8], steps: &mut [Step], index: u64) -> Result<(), EditError> {
        let image: CompressedImage<'_> = from_cdr(bytes)?;
        self.file.load(&image, &mut self.picture)?;
        self.picture_steps(steps, index);
        self.file.store(&self.picture, &image, &mut self.data)?;
        to_cdr(&CompressedImage { data: &self.data, ..image }, &mut self.out);
        Ok(())
    }

    /// Whether there is anything to put back.
    fn radar_steps(&mut self, steps: &mut [Step], (index, count): (u64, u64)) -> bool {
        self.before.clear();
        self.before.extend_from_slice(&self.frame.rows);
        self.frame.cycles = count;
        for Step { draws, act } in steps {
            if let Act::Radar(model) = act {
                model.apply(&mut self.frame, draws.message(index));
            }
        }
        self.frame.rows != self.before
    }

    fn scan(&mut self, bytes: &[u8], steps: &mut [Step], at: (u64, u64)) -> Result<(), EditError> {
        let mut scan: RadarScan<'_> = from_cdr(bytes)?;
        load_scan(&scan, &mut self.frame.rows);
        if self.radar_steps(steps, at) {
            store_scan(&self.frame.rows, &mut scan);
            to_cdr(&scan, &mut self.out);
        } else {
            self.out.extend_from_slice(bytes);
        }
        Ok(())
    }

    fn radar_cloud(&mut self, bytes: &[u8], steps: &mut [Step], at: (u64, u64)) -> Result<(), EditError> {
        let cloud: PointCloud2<'_> = from_cdr(bytes)?;
        load_cloud(&cloud, &mut self.frame.rows)?;
        if !self.radar_steps(steps, at) {
            self.out.extend_from_slice(bytes);
            return Ok(());
        }
        let points = store_cloud(&cloud, &self.before, &self.frame.rows, &mut self.data)?;
        let (width, row_step) = if cloud.height > 1 {
            (cloud.width, cloud.row_step)
        } else {
            (points as u32, points as u32 * cloud.point_step)
        };
        let is_dense = cloud.is_dense && (cloud.height <= 1 || self.frame.rows.len() >= self.before.len());
        to_cdr(&PointCloud2 { width, row_step, is_dense, data: &self.data, ..cloud }, &mut self.out);
        Ok(())
    }
}

/// Moves the stamp of the header that a message starts with. One that was never set stays unset.
fn delay(bytes: &mut [u8], ns: i64) -> Result<(), CdrError> {
    let stamp = CdrReader::new(bytes, "std_msgs/msg/Header")?.stamp("stamp")?;
    if stamp == Stamp(0) {
        return Ok(());
    }
    let (sec, nanosec) = stamp.offset_ns(ns).to_parts();
    // The low bit of the encapsulation is the byte order.
    let is_little = bytes.get(1).is_some_and(|kind| kind & 1 == 1);
    let parts = if is_little {
        [sec.to_le_bytes(), nanosec.to_le_bytes()]
    } else {
        [sec.to_be_bytes(), nanosec.to_be_bytes()]
    };
    for (place, part) in [4, 8].into_iter().zip(parts) {
        if let Some(place) = bytes.get_mut(place..).and_then(<[u8]>::first_chunk_mut) {
            *place = part;
        }
    }
    Ok(())
}
