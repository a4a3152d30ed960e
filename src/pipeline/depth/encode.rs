//! Depth results as ROS messages.

use super::float_image::FloatImage;
use super::intake::DepthFrame;
use super::topic;
use crate::depth::{
    DepthColours, PlacedReturn, PointFilter, PointMask, cloud, colour_depth, draw_returns, write_points,
};
use crate::geometry::RayTable;
use crate::message::{CameraInfo, Header, Image, PointCloud2, from_cdr, to_cdr};
use crate::pipeline::{FrameError, OutputMessage, ParameterSet, WantedTopics};
use crate::sensor::ImageView;

/// Radius of a radar return in the preview, pixels of an image 640 wide.
const RETURN_RADIUS_PX: f32 = 4.0;

/// Encodes the wanted messages into buffers that are kept between frames. Images and points are
/// computed where they are sent from: a copy of a frame's outputs costs as much as making them.
///
/// The order of a frame: [`Self::depth_image`], [`Self::send_depth`], [`Self::confidence_image`] if it is
/// wanted, [`Self::send_rest`].
pub(super) struct DepthEncoder {
    points_stride: usize,
    filter: PointFilter,
    mask: PointMask,
    colours: DepthColours,
    rays: Option<RayTable>,
    depth: FloatImage,
    confidence: FloatImage,
    data: Vec<u8>,
    message: Vec<u8>,
}

/// What the network gave for a frame.
#[derive(Clone, Copy)]
pub(super) struct NetworkDepth<'a> {
    /// Metres
    pub depth_m: &'a [f32],
    /// 0..1
    pub confidence: &'a [f32],
    /// Width and height of both
    pub size: (usize, usize),
}

impl DepthEncoder {
    pub fn new(parameters: &ParameterSet, colours: DepthColours) -> Self {
        Self {
            points_stride: points_stride(parameters),
            filter: point_filter(parameters),
            mask: PointMask::default(),
            colours,
            rays: None,
            depth: FloatImage::default(),
            confidence: FloatImage::default(),
            data: Vec::new(),
            message: Vec::new(),
        }
    }

    /// Takes changed stride and filter over.
    pub fn update(&mut self, parameters: &ParameterSet) {
        self.points_stride = points_stride(parameters);
        self.filter = point_filter(parameters);
    }

    /// Where the depth of `frame` is to be written: metres, `(width, height)` of its image.
    pub fn depth_image(&mut self, frame: &DepthFrame, size: (u32, u32)) -> &mut [f32] {
        self.depth.begin(header(frame), size)
    }

    /// The depth, and where its confidence is to be written, 0..1.
    pub fn confidence_image(&mut self, frame: &DepthFrame, size: (u32, u32)) -> (&[f32], &mut [f32]) {
        (self.depth.pixels(), self.confidence.begin(header(frame), size))
    }

    /// Hands out the depth image with its camera info: they are what robots act on, and the rest of the
    /// frame takes longer to make than they do. What the input may do wrong shows here, before anything is
    /// out, so that a frame comes out whole or not at all.
    pub fn send_depth(
        &mut self,
        frame: &DepthFrame,
        wanted: WantedTopics,
        sink: &mut dyn FnMut(OutputMessage<'_>),
    ) -> Result<(), FrameError> {
        let mut info: CameraInfo<'_> = from_cdr(&frame.calibration.bytes).map_err(FrameError::undecodable)?;
        info.header = header(frame);
        if wanted.has(topic::IMAGE) {
            sink(OutputMessage { topic: topic::IMAGE, stamp: frame.stamp, bytes: self.depth.bytes() });
        }
        if wanted.has(topic::CAMERA_INFO) {
            to_cdr(&info, &mut self.message);
            sink(OutputMessage { topic: topic::CAMERA_INFO, stamp: frame.stamp, bytes: &self.message });
        }
        Ok(())
    }

    /// Hands out the confidence, then makes and hands out points and preview. `network` says which pixels are
    /// worth a point.
    ///
    /// The order of `returns` is free, and changes.
    pub fn send_rest(
        &mut self,
        frame: &DepthFrame,
        view: &ImageView<'_>,
        network: NetworkDepth<'_>,
        returns: &mut [PlacedReturn],
        wanted: WantedTopics,
        sink: &mut dyn FnMut(OutputMessage<'_>),
    ) -> Result<(), FrameError> {
        if wanted.has(topic::CONFIDENCE) {
            let bytes = self.confidence.bytes();
            sink(OutputMessage { topic: topic::CONFIDENCE, stamp: frame.stamp, bytes });
        }
        if wanted.has(topic::POINTS) {
            let image = (view.width() as usize, view.height() as usize);
            self.mask
                .decide(self.filter, network.depth_m, network.confidence, network.size, image)
                .map_err(FrameError::inference)?;
            self.encode_points(frame, view)?;
            sink(OutputMessage { topic: topic::POINTS, stamp: frame.stamp, bytes: &self.message });
        }
        if wanted.has(topic::PREVIEW) {
            self.encode_preview(frame, view, returns)?;
            sink(OutputMessage { topic: topic::PREVIEW, stamp: frame.stamp, bytes: &self.message });
        }
        Ok(())
    }

    /// How many points there are is known only after they are written, so what stands before them is
    /// written twice.
    fn encode_points(&mut self, frame: &DepthFrame, view: &ImageView<'_>) -> Result<(), FrameError> {
        let (camera, stride) = (&frame.calibration.camera, self.points_stride);
        let rays = match &mut self.rays {
            Some(rays) if rays.is_for(camera, stride) => rays,
            rays => rays.insert(RayTable::sampled(camera, stride)),
        };
        let message = &mut self.message;
        to_cdr(&cloud(header(frame), &[]), message);
        // The last fields are the data, of which there is only the count so far, and a boolean.
        let is_dense = message.pop();
        let start = message.len();
        write_points(self.depth.pixels(), rays, &self.mask, view, message).map_err(FrameError::inference)?;
        let count = u32::try_from(message.len() - start).unwrap_or(u32::MAX);
        to_cdr(&PointCloud2 { data: &[], ..cloud(header(frame), &message[start..]) }, &mut self.data);
        message[..start].copy_from_slice(&self.data[..start]);
        message[start - 4..start].copy_from_slice(&count.to_le_bytes());
        message.extend(is_dense);
        Ok(())
    }

    fn encode_preview(
        &mut self,
        frame: &DepthFrame,
        view: &ImageView<'_>,
        returns: &mut [PlacedReturn],
    ) -> Result<(), FrameError> {
        let (width, height) = (view.width(), view.height());
        let depth_m = self.depth.pixels();
        self.data.resize(depth_m.len() * 3, 0);
        colour_depth(depth_m, &self.colours, &mut self.data).map_err(FrameError::inference)?;
        let radius_px = RETURN_RADIUS_PX * width as f32 / 640.0;
        draw_returns(returns, &frame.calibration.camera, &self.colours, radius_px, &mut self.data)
            .map_err(FrameError::inference)?;
        let preview = Image {
            header: header(frame),
            height,
            width,
            encoding: "rgb8",
            is_bigendian: false,
            step: width * 3,
            data: &self.data,
        };
        to_cdr(&preview, &mut self.message);
        Ok(())
    }
}

fn points_stride(parameters: &ParameterSet) -> usize {
    usize::try_from(parameters.integer("points_stride")).unwrap_or(1).max(1)
}

fn point_filter(parameters: &ParameterSet) -> PointFilter {
    PointFilter {
        min_confidence: parameters.double("points_min_confidence") as f32,
        max_step: parameters.double("points_max_step") as f32,
    }
}

fn header(frame: &DepthFrame) -> Header<'_> {
    Header { stamp: frame.stamp, frame_id: &frame.frame_id }
}
