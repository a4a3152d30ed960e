//! What the stages around the depth network cost: 100 radar returns and a network of 320 × 240. First
//! each alone, then all before the network together, from messages as cameras publish them.
#![allow(clippy::unwrap_used, reason = "a bench with a bad set-up should stop")]

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use isobath::depth::{
    DepthColours, DepthRange, Fusion, Normalisation, PointFilter, PointMask, PriorConfig, Resizer, Upsampler,
    colour_depth, draw_prior, fuse, write_points,
};
use isobath::geometry::{CameraModel, RayTable};
use isobath::message::{Image, PointCloud2, PointField};
use isobath::sensor::{ImageView, PixelFormat, PointCloudView, RadarPreset, decode_radar};

const NETWORK: (usize, usize) = (320, 240);
const NETWORK_PIXELS: usize = NETWORK.0 * NETWORK.1;
/// A vision transformer's input, larger than the image in places.
const LARGE: (usize, usize) = (518, 392);
const RANGE: DepthRange = DepthRange { min_m: 0.2, max_m: 120.0, saturates: true };

/// What the node takes by default.
const FILTER: PointFilter = PointFilter { min_confidence: 0.3, max_step: 0.15 };

/// A ramp from near to the sky, with a hole every 16 pixels.
fn network_depth() -> Vec<f32> {
    (0..NETWORK_PIXELS)
        .map(|i| if i % 16 == 0 { 0.0 } else { 1.0 + 119.0 * i as f32 / NETWORK_PIXELS as f32 })
        .collect()
}

/// Returns spread over the image, 1 to 100 m.
fn returns() -> Vec<[f32; 3]> {
    (0..100)
        .map(|i| {
            let z = 1.0 + i as f32;
            [z * 0.6 * (i as f32 * 2.4).sin(), z * 0.3 * (i as f32 * 1.7).cos(), z]
        })
        .collect()
}

fn stages(c: &mut Criterion) {
    for (width, height) in [(640_u32, 480_u32), (1280, 720)] {
        let size = format!("{width}x{height}");
        let (columns, rows) = (width as usize, height as usize);
        let f = width as f64 * 0.6;
        let camera =
            CameraModel::pinhole(width, height, f, f, width as f64 / 2.0, height as f64 / 2.0).unwrap();
        let bytes: Vec<u8> = (0..columns * rows * 3).map(|i| (i * 7 + i / 1000) as u8).collect();
        let image =
            ImageView::from_parts(width, height, PixelFormat::Bgr8, u64::from(3 * width), &bytes).unwrap();
        let (returns, network_m, confidence) = (returns(), network_depth(), vec![0.5; NETWORK_PIXELS]);
        let network_camera = camera.scaled(NETWORK.0 as u32, NETWORK.1 as u32);
        let rays = RayTable::sampled(&camera, 2);
        let colours = DepthColours::new(0.5, 50.0).unwrap();
        let prior_config = PriorConfig::new(RANGE.min_m, RANGE.max_m);
        let mut resizer = Resizer::new(NETWORK.0, NETWORK.1).unwrap();
        let mut large_resizer = Resizer::new(LARGE.0, LARGE.1).unwrap();
        let mut upsampler = Upsampler::new(NETWORK, (columns, rows)).unwrap();
        let mut tensor = vec![0.0; 3 * NETWORK_PIXELS];
        let mut large_tensor = vec![0.0; 3 * LARGE.0 * LARGE.1];
        let mut prior = vec![0.0; NETWORK_PIXELS];
        let mut fused = vec![0.0; NETWORK_PIXELS];
        let mut depth_m = vec![0.0; columns * rows];
        let mut confidence_image = vec![0.0; columns * rows];
        let mut picture = vec![0; 3 * columns * rows];
        let mut points = Vec::new();
        let mut mask = PointMask::default();

        let mut group = c.benchmark_group("depth");
        group.bench_function(BenchmarkId::new("tensor", &size), |b| {
            b.iter(|| resizer.image_to_tensor(&image, &Normalisation::IMAGENET, black_box(&mut tensor)));
        });
        group.bench_function(BenchmarkId::new("tensor_518x392", &size), |b| {
            b.iter(|| {
                large_resizer.image_to_tensor(&image, &Normalisation::IMAGENET, black_box(&mut large_tensor))
            });
        });
        group.bench_function(BenchmarkId::new("prior", &size), |b| {
            b.iter(|| {
                draw_prior(returns.iter().copied(), &network_camera, &prior_config, black_box(&mut prior))
            });
        });
        group.bench_function(BenchmarkId::new("fuse", &size), |b| {
            b.iter(|| fuse(Fusion::PriorMean, &network_m, Some(&confidence), &prior, black_box(&mut fused)));
        });
        group.bench_function(BenchmarkId::new("depth_image", &size), |b| {
            b.iter(|| upsampler.depth(&network_m, &RANGE, black_box(&mut depth_m)));
        });
        group.bench_function(BenchmarkId::new("confidence_image", &size), |b| {
            b.iter(|| upsampler.confidence(&confidence, &depth_m, black_box(&mut confidence_image)));
        });
        group.bench_function(BenchmarkId::new("points_stride_2", &size), |b| {
            b.iter(|| {
                points.clear();
                mask.decide(FILTER, &network_m, &confidence, NETWORK, (columns, rows)).unwrap();
                write_points(&depth_m, &rays, &mask, &image, black_box(&mut points))
            });
        });
        group.bench_function(BenchmarkId::new("preview", &size), |b| {
            b.iter(|| colour_depth(&depth_m, &colours, black_box(&mut picture)));
        });
        group.finish();
    }
}

/// A cloud of the 100 returns as a radar driver publishes it.
fn radar_data() -> Vec<u8> {
    returns().iter().flat_map(|[x, y, z]| [*x, *y, *z, 12.0, 0.5]).flat_map(f32::to_le_bytes).collect()
}

/// From a 1280 × 720 message and a radar cloud to the network's two inputs.
fn inputs(c: &mut Criterion) {
    let (width, height) = (1280_u32, 720_u32);
    let f = width as f64 * 0.6;
    let camera = CameraModel::pinhole(width, height, f, f, width as f64 / 2.0, height as f64 / 2.0).unwrap();
    let network_camera = camera.scaled(NETWORK.0 as u32, NETWORK.1 as u32);
    let prior_config = PriorConfig::new(RANGE.min_m, RANGE.max_m);
    let mut resizer = Resizer::new(NETWORK.0, NETWORK.1).unwrap();
    let mut tensor = vec![0.0; 3 * NETWORK_PIXELS];
    let mut prior = vec![0.0; NETWORK_PIXELS];
    let mut decoded = Vec::new();

    let radar_data = radar_data();
    let field = |(i, name): (u32, &'static str)| PointField {
        name,
        offset: 4 * i,
        datatype: PointField::FLOAT32,
        count: 1,
    };
    let cloud = PointCloud2 {
        height: 1,
        width: 100,
        fields: (0..).zip(["x", "y", "z", "intensity", "velocity"]).map(field).collect(),
        point_step: 20,
        row_step: 2000,
        data: &radar_data,
        ..PointCloud2::default()
    };
    let bytes: Vec<u8> = (0..width * height * 3).map(|i| (i * 7 + i / 1000) as u8).collect();
    let mut group = c.benchmark_group("depth_inputs_1280x720");
    for encoding in ["bgr8", "mono8", "yuyv", "nv12", "bayer_rggb8"] {
        let step = width * PixelFormat::from_encoding(encoding).unwrap().bytes_per_pixel() as u32;
        let image = Image { width, height, encoding, step, data: &bytes, ..Image::default() };
        group.bench_function(encoding, |b| {
            b.iter(|| {
                let image = ImageView::new_color(black_box(&image)).unwrap();
                resizer.image_to_tensor(&image, &Normalisation::IMAGENET, &mut tensor).unwrap();
                let cloud = PointCloudView::new(black_box(&cloud)).unwrap();
                decode_radar(&cloud, RadarPreset::Auto, 1.0, &mut decoded).unwrap();
                let positions = decoded.iter().map(|radar_return| radar_return.position);
                draw_prior(positions, &network_camera, &prior_config, &mut prior).unwrap();
                black_box((&tensor, &prior));
            });
        });
    }
    group.finish();
}

criterion_group!(benches, stages, inputs);
criterion_main!(benches);
