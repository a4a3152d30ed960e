//! Simulated frames as NumPy arrays that training maps into memory: no ROS, no decoding.
//!
//! Only the sensors asked for are simulated. Scenes are rendered in parallel and written in their order, so
//! that equal arguments give equal files at any number of threads. `docs/simulator.md` lists the arrays.

mod frame;
mod npy;

use std::num::NonZero;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use serde_json::json;

use self::frame::FrameArrays;
use self::npy::{NpyWriter, RaggedWriter};
use super::{ObjectClass, Simulation, SimulationError};

/// Name of the file that says what the arrays are.
const INDEX: &str = "dataset.json";

/// Which sensors to simulate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExportedSensors {
    /// Images and their depth.
    pub camera: bool,
    /// Sweeps and their boxes.
    pub lidar: bool,
    /// The scans nearest to the images.
    pub radar: bool,
}

/// What to export.
#[derive(Clone, Debug)]
pub struct ExportOptions {
    /// New folder of the arrays.
    pub out: PathBuf,
    /// Frames in all.
    pub frames: u64,
    /// Frames of one scene before the next seed is drawn.
    pub frames_per_scene: NonZero<u64>,
    /// Images from one frame to the next: neighbours at 10 Hz teach little.
    pub every: NonZero<u64>,
    /// The sensors.
    pub sensors: ExportedSensors,
    /// For the index: the names of the scenes, in the order in which `make` takes them in turn.
    pub scenes: Vec<String>,
}

/// Exports. `make` gives the simulation of the n-th scene; `progress` is called with the number of frames
/// that are written.
pub fn export<E: From<SimulationError> + Send>(
    options: &ExportOptions,
    make: impl Fn(u64) -> Result<Simulation, E> + Sync,
    mut progress: impl FnMut(u64),
) -> Result<(), E> {
    let per_scene = options.frames_per_scene.get();
    let scenes = options.frames.div_ceil(per_scene);
    let mut writer: Option<ArraysWriter> = None;
    let mut written = 0;
    // As many scenes at a time as there are threads: that bounds the memory.
    let batch = rayon::current_num_threads().max(1) as u64;
    for first in (0..scenes).step_by(batch as usize) {
        let rendered: Vec<Result<Vec<FrameArrays>, E>> = (first..(first + batch).min(scenes))
            .into_par_iter()
            .map(|scene| {
                let simulation = make(scene)?;
                let frames = per_scene.min(options.frames - scene * per_scene);
                let numbers = (0..frames).map(|frame| frame * options.every.get());
                Ok(numbers.map(|number| FrameArrays::render(&simulation, number, options.sensors)).collect())
            })
            .collect();
        for (scene, frames) in (first..).zip(rendered) {
            let index = scene % options.scenes.len().max(1) as u64;
            for frame in frames? {
                let writer = match &mut writer {
                    Some(writer) => writer,
                    None => writer.insert(ArraysWriter::create(options, &frame)?),
                };
                writer.append(index, &frame)?;
                written += 1;
                progress(written);
            }
        }
    }
    let writer = writer.ok_or(SimulationError::NoFrames)?;
    Ok(writer.finish(options)?)
}

/// The files.
struct ArraysWriter {
    frames: NpyWriter,
    camera: Option<CameraFiles>,
    lidar: Option<LidarFiles>,
    radar: Option<RaggedWriter>,
}

struct CameraFiles {
    image: NpyWriter,
    depth: NpyWriter,
    intrinsics: NpyWriter,
}

struct LidarFiles {
    points: RaggedWriter,
    boxes: RaggedWriter,
}

impl ArraysWriter {
    fn create(options: &ExportOptions, first: &FrameArrays) -> Result<Self, SimulationError> {
        let folder = &options.out;
        make_folder(folder)?;
        let sensors = options.sensors;
        let [height, width] = [first.image.height, first.image.width];
        let camera = sensors.camera.then(|| -> Result<_, SimulationError> {
            Ok(CameraFiles {
                image: NpyWriter::create(folder, "image.npy", "|u1", &[height, width, 3])?,
                depth: NpyWriter::create(folder, "depth.npy", "<f2", &[height, width])?,
                intrinsics: NpyWriter::create(folder, "camera.npy", "<f4", &[frame::INTRINSICS])?,
            })
        });
        let lidar = sensors.lidar.then(|| -> Result<_, SimulationError> {
            Ok(LidarFiles {
                points: RaggedWriter::create(folder, "lidar", "<f4", frame::POINT.len())?,
                boxes: RaggedWriter::create(folder, "boxes", "<f4", frame::BOX.len())?,
            })
        });
        let radar = sensors.radar.then(|| RaggedWriter::create(folder, "radar", "<f4", frame::RETURN.len()));
        Ok(Self {
            frames: NpyWriter::create(folder, "frames.npy", "<i8", &[3])?,
            camera: camera.transpose()?,
            lidar: lidar.transpose()?,
            radar: radar.transpose()?,
        })
    }

    fn append(&mut self, scene: u64, frame: &FrameArrays) -> Result<(), SimulationError> {
        self.frames.append(bytemuck::cast_slice(&[scene, frame.seed, frame.number]))?;
        if let Some(files) = &mut self.camera {
            files.image.append(&frame.image.rgb)?;
            files.depth.append(bytemuck::cast_slice(&frame.depth))?;
            files.intrinsics.append(bytemuck::cast_slice(&frame.intrinsics))?;
        }
        if let Some(files) = &mut self.lidar {
            files.points.append(bytemuck::cast_slice(&frame.points))?;
            files.boxes.append(bytemuck::cast_slice(&frame.boxes))?;
        }
        if let Some(file) = &mut self.radar {
            file.append(bytemuck::cast_slice(&frame.returns))?;
        }
        Ok(())
    }

    fn finish(self, options: &ExportOptions) -> Result<(), SimulationError> {
        self.frames.finish()?;
        if let Some(CameraFiles { image, depth, intrinsics }) = self.camera {
            image.finish()?;
            depth.finish()?;
            intrinsics.finish()?;
        }
        if let Some(LidarFiles { points, boxes }) = self.lidar {
            points.finish()?;
            boxes.finish()?;
        }
        if let Some(returns) = self.radar {
            returns.finish()?;
        }
        let path = options.out.join(INDEX);
        let index = json!({
            "isobath": env!("CARGO_PKG_VERSION"),
            "format": 2,
            "frames": options.frames,
            "every": options.every,
            "scenes": options.scenes,
            "classes": ObjectClass::ALL.map(ObjectClass::name),
            "columns": {
                "frames": ["scene", "seed", "image"],
                "camera": frame::CAMERA,
                "lidar": frame::POINT,
                "boxes": frame::BOX,
                "radar": frame::RETURN,
            },
        });
        std::fs::write(&path, format!("{index:#}\n")).map_err(|error| SimulationError::write(&path, &error))
    }
}

fn make_folder(path: &Path) -> Result<(), SimulationError> {
    std::fs::create_dir_all(path).map_err(|error| SimulationError::write(path, &error))?;
    let mut entries = std::fs::read_dir(path).map_err(|error| SimulationError::write(path, &error))?;
    match entries.next() {
        Some(_) => Err(SimulationError::OutNotEmpty(path.to_owned())),
        None => Ok(()),
    }
}
