//! From the buffer of a native message to the model's tensors, and from the model's output to encoded
//! messages, a frame allocates nothing once every buffer has its size.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail by panicking, as tests do")]

mod depth_frame;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::Arc;

use depth_frame::{camera_header, camera_info, encoded, frame, model_folder, pipeline, radar_cloud};
use isobath::depth::{Normalisation, PriorConfig, Resizer, draw_prior};
use isobath::geometry::CameraModel;
use isobath::inference::{ModelFolder, ModelSession, SessionOptions, load_library};
use isobath::message::{CdrBuffer, Image, LendCloud, LendImage};
use isobath::pipeline::{Processor, SensorInput, WantedTopics};
use isobath::sensor::{ImageView, PixelFormat, PointCloudView, RadarPreset, decode_radar};

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

struct Counting;

// SAFETY: every call is passed on to the system allocator unchanged; the counter allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the contract of `dealloc`.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const ENCODINGS: [&str; 12] = [
    "rgb8",
    "bgr8",
    "rgba8",
    "bgra8",
    "mono8",
    "mono16",
    "yuyv",
    "uyvy",
    "nv12",
    "nv21",
    "bayer_rggb8",
    "bayer_gbrg8",
];
const NETWORK: (usize, usize) = (320, 240);

/// An image message of `width × height` as it comes from a driver, 16 bytes of padding in each row.
fn image(encoding: &str, (width, height): (u32, u32)) -> CdrBuffer {
    let step = width * PixelFormat::from_encoding(encoding).unwrap().bytes_per_pixel() as u32 + 16;
    let rows = if encoding.starts_with("nv") { height * 3 / 2 } else { height };
    let data: Vec<u8> = (0..step * rows).map(|i| (i * 7 + i / 1000) as u8).collect();
    let header = camera_header();
    CdrBuffer(encoded(&Image { header, height, width, encoding, step, data: &data, ..Image::default() }))
}

#[test]
fn native_messages_become_tensors_without_an_allocation() {
    let size = (1280, 720);
    let images = ENCODINGS.map(|encoding| image(encoding, size));
    let cloud = CdrBuffer(radar_cloud(100));
    let camera = CameraModel::from_camera_info(&camera_info(size.0, size.1)).unwrap();
    let camera = camera.scaled(NETWORK.0 as u32, NETWORK.1 as u32);
    let mut resizer = Resizer::new(NETWORK.0, NETWORK.1).unwrap();
    let mut tensor = vec![0.0; 3 * NETWORK.0 * NETWORK.1];
    let mut prior_m = vec![0.0; NETWORK.0 * NETWORK.1];
    let mut returns = Vec::new();
    let mut prepare = |image: &CdrBuffer| {
        let image = image.image().unwrap();
        let view = ImageView::new_color(&image).unwrap();
        resizer.image_to_tensor(&view, &Normalisation::IMAGENET, &mut tensor).unwrap();
        let cloud = cloud.cloud().unwrap();
        let cloud = PointCloudView::new(&cloud).unwrap();
        decode_radar(&cloud, RadarPreset::Auto, 1.0, &mut returns).unwrap();
        let positions = returns.iter().map(|radar_return| radar_return.position);
        draw_prior(positions, &camera, &PriorConfig::new(0.2, 100.0), &mut prior_m).unwrap().drawn
    };
    // One round to warm up.
    for image in &images {
        assert!(prepare(image) > 50);
    }
    let start = ALLOCATIONS.get();
    assert!(start > 0, "the counter counts");
    for (encoding, image) in ENCODINGS.iter().zip(&images) {
        prepare(image);
        assert_eq!(ALLOCATIONS.get() - start, 0, "{encoding}");
    }
}

/// ONNX Runtime's binding builds its argument lists anew at each run, so a frame may allocate as often
/// as a bare run does, and not once more.
#[test]
fn a_frame_allocates_no_more_than_its_run_of_the_model() {
    load_library(None).unwrap();
    let folder = ModelFolder::open(model_folder()).unwrap();
    let mut session = ModelSession::open(&folder, &SessionOptions::default()).unwrap();
    session.run().unwrap();
    let start = ALLOCATIONS.get();
    session.run().unwrap();
    let of_a_run = ALLOCATIONS.get() - start;

    let size = (640, 480);
    let (mut model, mut processor) = pipeline();
    for encoding in ["rgb8", "bgr8", "yuyv", "nv12", "bayer_grbg8"] {
        let image = SensorInput::Image(Arc::new(image(encoding, size)));
        let frame = frame(image, &camera_info(size.0, size.1));
        let mut bytes = 0;
        let mut process = || {
            let start = ALLOCATIONS.get();
            processor
                .process(&mut model, &frame, WantedTopics::ALL, &mut |message| bytes += message.bytes.len())
                .unwrap();
            ALLOCATIONS.get() - start
        };
        process();
        assert_eq!((process(), process()), (of_a_run, of_a_run), "{encoding}");
        assert!(bytes > 3 * 3 * 4 * 640 * 480, "{encoding}: all topics came out");
    }
}
