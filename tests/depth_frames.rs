//! What the depth pipeline makes of a camera: whatever its encoding, lens and transport.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail by panicking, as tests do")]

mod depth_frame;

use std::sync::Arc;

use depth_frame::{STAMP, camera_header, camera_info, encoded, frame, pipeline};
use isobath::message::{CameraInfo, CdrBuffer, CompressedImage, Image, PointCloud2, from_cdr};
use isobath::pipeline::depth::{DepthModel, DepthProcessor, topic};
use isobath::pipeline::{FrameError, Processor, SensorInput, WantedTopics};
use isobath::sensor::{ImageView, PointCloudView};
use isobath::sync::DropReason;

const SIZE: (u32, u32) = (64, 48);

/// An even grey, so that every point has this colour.
fn grey(encoding: &str) -> SensorInput {
    let (step, rows, data) = match encoding {
        "yuyv" => (128, 48, [126, 128].repeat(64 * 48)),
        "nv12" => (64, 72, [vec![126; 64 * 48], vec![128; 64 * 24]].concat()),
        "bayer_rggb8" => (64, 48, vec![128; 64 * 48]),
        _ => (192, 48, vec![128; 192 * 48]),
    };
    assert_eq!(data.len(), step * rows);
    SensorInput::Image(Arc::new(CdrBuffer(encoded(&Image {
        header: camera_header(),
        height: SIZE.1,
        width: SIZE.0,
        encoding,
        step: step as u32,
        data: &data,
        ..Image::default()
    }))))
}

fn process(
    model: &mut DepthModel,
    processor: &mut DepthProcessor,
    frame: &isobath::pipeline::depth::DepthFrame,
) -> Result<Vec<Vec<u8>>, FrameError> {
    let mut messages = Vec::new();
    processor
        .process(model, frame, WantedTopics::ALL, &mut |message| messages.push(message.bytes.to_vec()))?;
    Ok(messages)
}

#[test]
fn depth_keeps_the_camera_it_came_from_and_points_go_through_its_lens() {
    let (mut model, mut processor) = pipeline();
    let info = camera_info(SIZE.0, SIZE.1);
    let mut depths = Vec::new();
    for encoding in ["rgb8", "yuyv", "nv12", "bayer_rggb8"] {
        let frame = frame(grey(encoding), &info);
        let messages = process(&mut model, &mut processor, &frame).unwrap();

        let published: CameraInfo<'_> = from_cdr(&messages[topic::CAMERA_INFO]).unwrap();
        assert_eq!(published, info, "K, D, R and P are the camera's own");

        let depth: Image<'_> = from_cdr(&messages[topic::IMAGE]).unwrap();
        assert_eq!((depth.width, depth.height, depth.header), (SIZE.0, SIZE.1, camera_header()));
        let depth_view = ImageView::new_depth(&depth).unwrap();
        let message: PointCloud2<'_> = from_cdr(&messages[topic::POINTS]).unwrap();
        let points = PointCloudView::new(&message).unwrap();
        assert!(points.len() > 100, "{encoding}: {} points", points.len());
        let camera = &frame.calibration.camera;
        for i in 0..points.len() {
            let [x, y, z] = points.xyz(i);
            let point = nalgebra::Point3::new(f64::from(x), f64::from(y), f64::from(z));
            let (u, v) = camera.project(&point).unwrap();
            assert!((u - u.round()).hypot(v - v.round()) < 1e-3, "{encoding}: {u} {v} is no pixel");
            assert_eq!(depth_view.depth_m(u.round() as u32, v.round() as u32), z);
            assert_eq!(points.field("rgb").unwrap().f32(i).to_bits(), 0x0080_8080, "{encoding}");
        }
        depths.push(messages[topic::IMAGE].clone());
    }
    assert!(depths.windows(2).all(|pair| pair[0] == pair[1]), "the baseline looks at the radar alone");
}

#[test]
fn a_depth_image_in_the_camera_s_place_is_refused_with_a_sentence() {
    let (mut model, mut processor) = pipeline();
    let image =
        CompressedImage { header: camera_header(), format: "16UC1; compressedDepth png", data: &[0; 100] };
    let image = SensorInput::CompressedImage(Arc::new(CdrBuffer(encoded(&image))));
    let frame = frame(image, &camera_info(SIZE.0, SIZE.1));
    let error = process(&mut model, &mut processor, &frame).unwrap_err();
    assert_eq!((error.reason, DepthProcessor::stamp(&frame)), (DropReason::Undecodable, STAMP));
    assert_eq!(
        error.to_string(),
        "compressed image: expected a camera's jpeg or png, found a depth image of format \
         '16UC1; compressedDepth png'"
    );
}

#[test]
fn a_camera_info_of_another_size_is_named() {
    let (mut model, mut processor) = pipeline();
    let binned = CameraInfo { binning_x: 2, binning_y: 2, ..camera_info(SIZE.0, SIZE.1) };
    let frame = frame(grey("yuyv"), &binned);
    let error = process(&mut model, &mut processor, &frame).unwrap_err();
    assert_eq!(error.reason, DropReason::CameraInfoMismatch);
    assert_eq!(error.to_string(), "expected a camera info for a 64×48 image, found one for 32×24");
}
