//! The YAML of a scene; `config/scenes/` has one for each layout.

use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;
use serde_saphyr::Spanned;

use super::map::{Map, MapFile};
use super::settings::{Layout, Quantity, Ranges};
use super::stage::Stage;
use super::{Scene, SceneError, corridor, field, hall, map, street, warehouse, yard};
use crate::sim::{Range, RigFile};

/// A scene has some dozens of lines.
const MAX_BYTES: u64 = 1 << 20;

/// A scene file that was read and checked: what every seed's scene is drawn from.
#[derive(Clone, Debug)]
pub struct SceneFile {
    /// The file's name without its ending.
    pub name: String,
    /// The sensors.
    pub sensors: RigFile,
    layout: Layout,
    ranges: Ranges,
    /// Of the layout `mesh`.
    map: Option<Arc<Map>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    layout: Layout,
    #[serde(default)]
    sensors: RigFile,
    length_m: Option<Spanned<Range>>,
    width_m: Option<Spanned<Range>>,
    height_m: Option<Spanned<Range>>,
    people: Option<Spanned<Range>>,
    vehicles: Option<Spanned<Range>>,
    parked: Option<Spanned<Range>>,
    pallets: Option<Spanned<Range>>,
    clutter: Option<Spanned<Range>>,
    slope_deg: Option<Spanned<Range>>,
    hour: Option<Spanned<Range>>,
    lamps: Option<Spanned<Range>>,
    haze_per_m: Option<Spanned<Range>>,
    robot_speed_mps: Option<Spanned<Range>>,
    mesh: Option<Spanned<MapFile>>,
}

impl Document {
    fn ranges(&self) -> [(Quantity, &Option<Spanned<Range>>); 13] {
        [
            (Quantity::Length, &self.length_m),
            (Quantity::Width, &self.width_m),
            (Quantity::Height, &self.height_m),
            (Quantity::People, &self.people),
            (Quantity::Vehicles, &self.vehicles),
            (Quantity::Parked, &self.parked),
            (Quantity::Pallets, &self.pallets),
            (Quantity::Clutter, &self.clutter),
            (Quantity::SlopeDeg, &self.slope_deg),
            (Quantity::Hour, &self.hour),
            (Quantity::Lamps, &self.lamps),
            (Quantity::HazePerM, &self.haze_per_m),
            (Quantity::RobotSpeed, &self.robot_speed_mps),
        ]
    }
}

impl SceneFile {
    /// Reads and checks the file at `path`; a mesh that it names is looked for beside it and read.
    pub fn load(path: &Path) -> Result<Self, SceneError> {
        let whole = |error: std::io::Error| SceneError::whole(path, error);
        let size = std::fs::metadata(path).map_err(whole)?.len();
        if size > MAX_BYTES {
            return Err(SceneError::whole(path, format!("expected at most {MAX_BYTES} bytes, found {size}")));
        }
        let text = std::fs::read_to_string(path).map_err(whole)?;
        let document: Document =
            serde_saphyr::from_str(&text).map_err(|error| SceneError::yaml(path, &text, &error))?;
        let ranges =
            Ranges::new(document.layout, &document.ranges()).map_err(|(at, quantity, message)| {
                SceneError::at(path, at.referenced.line(), quantity.key(), message)
            })?;
        let map = match (document.layout, &document.mesh) {
            (Layout::Mesh, Some(file)) => Some(Arc::new(Map::load(path, file)?)),
            (Layout::Mesh, None) => {
                return Err(SceneError::whole(path, "expected a key 'mesh' beside layout: mesh, found none"));
            }
            (_, Some(file)) => {
                let message = "expected it with layout: mesh only, found it with another layout";
                return Err(SceneError::at(path, file.referenced.line(), "mesh", message));
            }
            (_, None) => None,
        };
        let name = path.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
        Ok(Self { name, sensors: document.sensors, layout: document.layout, ranges, map })
    }

    /// The scene of a seed.
    pub fn build(&self, seed: u64) -> Result<Scene, SceneError> {
        let mut stage = Stage::new(self.ranges.draw(seed), seed);
        let robot = match self.layout {
            Layout::Warehouse => warehouse::lay_out(&mut stage),
            Layout::Hall => hall::lay_out(&mut stage),
            Layout::Corridor => corridor::lay_out(&mut stage),
            Layout::Yard => yard::lay_out(&mut stage),
            Layout::Street => street::lay_out(&mut stage),
            Layout::Field => field::lay_out(&mut stage),
            Layout::Mesh => map::lay_out(&mut stage, self.map.as_deref()),
        };
        Ok(Scene { name: self.name.clone(), world: stage.finish(), robot })
    }
}

#[cfg(test)]
#[path = "file_tests.rs"]
mod tests;
