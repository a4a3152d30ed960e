//! The depth pipeline with the bundled baseline, and frames for it, through the door that every message
//! takes.

use std::path::Path;
use std::sync::Arc;

use isobath::message::{
    CameraInfo, CdrBuffer, Header, Message, PointCloud2, PointField, Stamp, TFMessage, TransformStamped,
    to_cdr,
};
use isobath::pipeline::depth::{DepthFrame, DepthIntake, DepthModel, DepthPipeline, DepthProcessor};
use isobath::pipeline::{Intake, Pacing, ParameterSet, Pipeline, SensorInput, Value};

pub const STAMP: Stamp = Stamp(1_000_000_000);

pub fn model_folder() -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/depth_baseline");
    folder.to_str().unwrap().to_owned()
}

fn parameters() -> ParameterSet {
    let mut parameters = ParameterSet::new("depth", DepthPipeline::PARAMETERS);
    parameters.set("model", Value::String(model_folder())).unwrap();
    parameters
}

pub fn pipeline() -> (DepthModel, DepthProcessor) {
    let parameters = parameters();
    let model = DepthPipeline::load(&parameters).unwrap();
    let processor = DepthProcessor::new(&model, &parameters, Arc::default()).unwrap();
    (model, processor)
}

pub fn encoded<'a>(message: &impl Message<'a>) -> Vec<u8> {
    let mut bytes = Vec::new();
    to_cdr(message, &mut bytes);
    bytes
}

pub fn camera_header() -> Header<'static> {
    Header { stamp: STAMP, frame_id: "camera" }
}

/// A camera with a lens; only its own fields matter to the pipeline, the others must survive it.
pub fn camera_info(width: u32, height: u32) -> CameraInfo<'static> {
    let (w, h) = (f64::from(width), f64::from(height));
    CameraInfo {
        header: camera_header(),
        width,
        height,
        distortion_model: "plumb_bob",
        d: [-0.28, 0.09, 0.0012, -0.0007, -0.011].as_slice().into(),
        k: [0.8 * w, 0.0, 0.5 * w, 0.0, 0.8 * w, 0.5 * h, 0.0, 0.0, 1.0],
        r: std::array::from_fn(|i| 0.1 * i as f64),
        p: std::array::from_fn(|i| 1.5 * i as f64),
        ..CameraInfo::default()
    }
}

/// A cloud of `count` returns 2 to 30 m in front of the camera, as CDR.
pub fn radar_cloud(count: u32) -> Vec<u8> {
    let returns = (0..count).map(|i| {
        let z = 2.0 + 28.0 * i as f32 / count as f32;
        [0.4 * z * (2.4 * i as f32).sin(), 0.2 * z * (1.7 * i as f32).cos(), z, 12.0, 0.5]
    });
    let data: Vec<u8> = returns.flatten().flat_map(f32::to_le_bytes).collect();
    let names = ["x", "y", "z", "intensity", "velocity"];
    let field = |(i, name): (u32, &'static str)| PointField {
        name,
        offset: 4 * i,
        datatype: PointField::FLOAT32,
        count: 1,
    };
    encoded(&PointCloud2 {
        header: Header { stamp: STAMP, frame_id: "radar" },
        height: 1,
        width: count,
        fields: (0..).zip(names).map(field).collect(),
        point_step: 20,
        row_step: 20 * count,
        data: &data,
        ..PointCloud2::default()
    })
}

/// The frame that an intake makes of `image`, with `info` and 100 radar returns.
pub fn frame(image: SensorInput, info: &CameraInfo<'_>) -> DepthFrame {
    let mut intake = DepthIntake::new(&parameters(), Pacing::Lockstep, Arc::default());
    let mut transform =
        TransformStamped { header: camera_header(), child_frame_id: "radar", ..TransformStamped::default() };
    transform.transform.rotation.w = 1.0;
    let transforms = encoded(&TFMessage { transforms: [transform].into_iter().collect() });
    intake.offer(SensorInput::Transforms(transforms.into(), true), STAMP);
    intake.offer(SensorInput::CameraInfo(encoded(info).into()), STAMP);
    intake.offer(SensorInput::Radar(0, Arc::new(CdrBuffer(radar_cloud(100)))), STAMP);
    intake.offer(image, STAMP);
    let frame = intake.poll(STAMP).or_else(|| intake.flush()).unwrap();
    assert!(frame.radars[0].is_some());
    frame
}
