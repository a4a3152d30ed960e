//! Scenes: what stands and moves where, under which light.
//!
//! In: a scene file and a seed. Out: a [`World`] and the robot's way through it. A layout draws its own
//! geometry from the seed: first the robot's way, then what stands beside it, then what moves between.
//! Nothing stands or comes where the robot drives.

mod building;
mod corridor;
mod daylight;
mod error;
mod field;
mod file;
mod finish;
mod goods;
mod ground;
mod hall;
mod map;
mod mesh_file;
mod palette;
mod people;
mod plan;
mod route;
mod settings;
mod stage;
mod street;
mod vehicles;
mod warehouse;
mod yard;

use super::{Motion, World};

pub use error::SceneError;
pub use file::SceneFile;
pub(super) use palette::{Palette, one_of};

/// A scene of one seed.
pub struct Scene {
    /// That of the file.
    pub name: String,
    /// Everything that sensors see.
    pub world: World,
    /// `base_link`: on the ground, near the origin at 0 s.
    pub robot: Motion,
}
