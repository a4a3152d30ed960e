//! Depth results as ROS messages.

use super::intake::DepthFrame;
use super::topic;
use crate::depth::{DepthColours, cloud, colour_depth, draw_returns, write_points};
use crate::geometry::RayTable;
use crate::message::{CameraInfo, Header, Image, from_cdr, to_cdr};
use crate::pipeline::{FrameError, OutputMessage, ParameterSet, WantedTopics};
use crate::sensor::ImageView;

/// Radius of a radar return in the preview, pixels of an image 640 wide.
const RETURN_RADIUS_PX: f32 = 4.0;

/// What one frame came to.
pub(super) struct DepthResult<'a> {
    /// Metres, image size
    pub depth_m: &'a [f32],
    /// 0..1, image size; computed only when it is wanted
    pub confidence: &'a [f32],
    /// Radar returns in the optical frame; order is free
    pub returns_camera: &'a mut [[f32; 3]],
}

/// Encodes the wanted messages, one at a time, into buffers that are kept between frames.
pub(super) struct DepthEncoder {
    points_stride: usize,
    colours: DepthColours,
    rays: Option<RayTable>,
    data: Vec<u8>,
    message: Vec<u8>,
}

impl DepthEncoder {
    pub fn new(parameters: &ParameterSet, colours: DepthColours) -> Self {
        Self {
            points_stride: points_stride(parameters),
            colours,
            rays: None,
            data: Vec::new(),
            message: Vec::new(),
        }
    }

    /// Takes a changed stride over.
    pub fn update(&mut self, parameters: &ParameterSet) {
        self.points_stride = points_stride(parameters);
    }

    /// Encodes the depth image with its camera info and hands them out at once: they are what robots act
    /// on, and the rest of the frame takes longer to make than they do. What the input may do wrong shows
    /// here, before anything is out, so that a frame comes out whole or not at all.
    pub fn encode_depth(
        &mut self,
        frame: &DepthFrame,
        size: (u32, u32),
        depth_m: &[f32],
        wanted: WantedTopics,
        sink: &mut dyn FnMut(OutputMessage<'_>),
    ) -> Result<(), FrameError> {
        let header = Header { stamp: frame.stamp, frame_id: &frame.frame_id };
        let mut info: CameraInfo<'_> = from_cdr(&frame.calibration.bytes).map_err(FrameError::undecodable)?;
        info.header = header;
        if wanted.has(topic::IMAGE) {
            let data = little_endian(depth_m, &mut self.data);
            to_cdr(&float_image(header, size, data), &mut self.message);
            sink(OutputMessage { topic: topic::IMAGE, stamp: frame.stamp, bytes: &self.message });
        }
        if wanted.has(topic::CAMERA_INFO) {
            to_cdr(&info, &mut self.message);
            sink(OutputMessage { topic: topic::CAMERA_INFO, stamp: frame.stamp, bytes: &self.message });
        }
        Ok(())
    }

    /// Encodes and hands out the rest, one message after the other.
    pub fn encode_rest(
        &mut self,
        frame: &DepthFrame,
        view: &ImageView<'_>,
        result: &mut DepthResult<'_>,
        wanted: WantedTopics,
        sink: &mut dyn FnMut(OutputMessage<'_>),
    ) -> Result<(), FrameError> {
        let header = Header { stamp: frame.stamp, frame_id: &frame.frame_id };
        let (width, height) = (view.width(), view.height());
        let camera = &frame.calibration.camera;
        let size = (width, height);
        if wanted.has(topic::CONFIDENCE) {
            let data = little_endian(result.confidence, &mut self.data);
            to_cdr(&float_image(header, size, data), &mut self.message);
            sink(OutputMessage { topic: topic::CONFIDENCE, stamp: frame.stamp, bytes: &self.message });
        }
        if wanted.has(topic::POINTS) {
            let rays = match &mut self.rays {
                Some(rays) if rays.is_for(camera) => rays,
                rays => rays.insert(RayTable::new(camera)),
            };
            write_points(result.depth_m, rays, view, self.points_stride, &mut self.data)
                .map_err(FrameError::inference)?;
            to_cdr(&cloud(header, &self.data), &mut self.message);
            sink(OutputMessage { topic: topic::POINTS, stamp: frame.stamp, bytes: &self.message });
        }
        if wanted.has(topic::PREVIEW) {
            self.data.resize(result.depth_m.len() * 3, 0);
            colour_depth(result.depth_m, &self.colours, &mut self.data).map_err(FrameError::inference)?;
            let radius_px = RETURN_RADIUS_PX * width as f32 / 640.0;
            draw_returns(result.returns_camera, camera, &self.colours, radius_px, &mut self.data)
                .map_err(FrameError::inference)?;
            let preview =
                Image { encoding: "rgb8", step: width * 3, ..float_image(header, size, &self.data) };
            to_cdr(&preview, &mut self.message);
            sink(OutputMessage { topic: topic::PREVIEW, stamp: frame.stamp, bytes: &self.message });
        }
        Ok(())
    }
}

fn points_stride(parameters: &ParameterSet) -> usize {
    usize::try_from(parameters.integer("points_stride")).unwrap_or(1).max(1)
}

/// The bytes of `values` as messages carry them: borrowed where the machine is little-endian.
fn little_endian<'a>(values: &'a [f32], buffer: &'a mut Vec<u8>) -> &'a [u8] {
    if cfg!(target_endian = "little") {
        bytemuck::cast_slice(values)
    } else {
        buffer.clear();
        buffer.extend(values.iter().flat_map(|value| value.to_le_bytes()));
        buffer
    }
}

/// A 32FC1 image of `(width, height)` without padding.
fn float_image<'a>(header: Header<'a>, (width, height): (u32, u32), data: &'a [u8]) -> Image<'a> {
    Image { header, height, width, encoding: "32FC1", is_bigendian: false, step: width * 4, data }
}
