//! A sensor simulator: procedural scenes, one ray caster, a camera, LiDARs and mmWave radars, exact
//! truth; and corruptions of recorded sensors.
//!
//! In: a scene file, a seed. Out: a rosbag2 with the topics of the nodes, or a folder of arrays to train
//! on. Metres, seconds, REP-103 axes; the world's origin is on the ground near the robot's start. Inside,
//! points are `f32` (`glam`, what the ray caster speaks): at 300 m that is 0.03 mm.

mod camera;
pub mod corrupt;
mod error;
mod export;
mod geometry;
mod lidar;
mod lighting;
mod material;
mod mesh;
mod motion;
mod objects;
mod radar;
mod random;
mod range;
mod record;
mod reflector;
mod rig;
mod scene;
mod simulation;
mod snapshot;
mod trace;
mod truth;
mod world;

pub use camera::{Camera, CameraFrame, Film};
pub use error::SimulationError;
pub use export::{ExportOptions, ExportedSensors, export};
pub use geometry::Geometry;
pub use lidar::{LidarModel, LidarPoint, sweep};
pub use lighting::{Light, Lighting};
pub use material::{Material, MaterialId, Texture};
pub use mesh::Mesh;
pub use motion::{Motion, Path, PathEnd, Placement};
pub use radar::{
    DepthBagError, DepthBagOptions, DepthBagSummary, DepthRadar, RadarModel, SimulatedReturn, add_radar, scan,
};
pub use random::Random;
pub use range::Range;
pub use record::{RecordOptions, record};
pub use reflector::PointReflector;
pub use rig::{CameraFile, LidarFile, Mounts, RadarFile, RigFile, Robot, SensorMotion, SwayFile};
pub use scene::{Scene, SceneError, SceneFile};
pub use simulation::{Scan, Simulation, Sweep};
pub use snapshot::{Hit, Ray, Snapshot};
pub use trace::{Packet, RAYS};
pub use truth::{TruthBox, boxes};
pub use world::{Object, ObjectClass, RgbTexture, World, WorldBuilder};
