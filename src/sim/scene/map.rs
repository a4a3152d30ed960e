//! A scene from a mesh file, as a photogrammetric map: the mesh, its material, the robot's way.

use std::fmt::Debug;
use std::path::Path;

use glam::{Affine3A, Vec3};
use serde::Deserialize;
use serde_saphyr::Spanned;

use super::mesh_file::{self, MeshFile, UpAxis};
use super::settings::Quantity;
use super::stage::Stage;
use super::{SceneError, daylight, vehicles};
use crate::sim::{Material, Motion, PathEnd};

/// `mesh` of a scene file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MapFile {
    /// `.glb`, `.gltf`, `.obj` or `.ply`, relative to the scene file.
    file: Spanned<String>,
    /// Metres of a unit of the file.
    scale: Option<Spanned<f32>>,
    /// `y` or `z`; by default `y` for glTF, `z` for the others.
    up: Option<UpAxis>,
    /// What the file cannot say about its surfaces.
    #[serde(default)]
    material: SurfaceFile,
    /// Points on the ground that the robot drives along, from first to last and back to the first; scaled
    /// and turned as the mesh is.
    robot_path: Spanned<Vec<[f32; 3]>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct SurfaceFile {
    specular: Option<Spanned<f32>>,
    roughness: Option<Spanned<f32>>,
    lidar_reflectivity: Option<Spanned<f32>>,
    radar_reflectivity: Option<Spanned<f32>>,
    radar_roughness_mm: Option<Spanned<f32>>,
}

/// A mesh that was read, and what a scene needs beside it.
#[derive(Clone, Debug)]
pub struct Map {
    file: MeshFile,
    default: Material,
    way: Vec<Vec3>,
}

impl Map {
    /// Checks what the scene file at `path` says and reads the mesh.
    pub fn load(path: &Path, given: &Spanned<MapFile>) -> Result<Self, SceneError> {
        let given = &given.value;
        let scale = number(path, "mesh.scale", given.scale.as_ref(), [1e-6, 1e6], 1.0)?;
        let material = |name: &str, value: &Option<Spanned<f32>>, most: f32, default: f32| {
            number(path, &format!("mesh.material.{name}"), value.as_ref(), [0.0, most], default)
        };
        let surface = &given.material;
        let matt = Material::matt("mesh", [0.5; 3]);
        let default = Material {
            specular: material("specular", &surface.specular, 1.0, 0.02)?,
            roughness: material("roughness", &surface.roughness, 1.0, 0.8)?,
            lidar_reflectivity: material("lidar_reflectivity", &surface.lidar_reflectivity, 20.0, 0.35)?,
            radar_reflectivity: material("radar_reflectivity", &surface.radar_reflectivity, 1.0, 0.25)?,
            radar_roughness_mm: material("radar_roughness_mm", &surface.radar_roughness_mm, 100.0, 1.0)?,
            ..matt
        };
        let points = &given.robot_path;
        let wrong =
            |message: String| SceneError::at(path, points.referenced.line(), "mesh.robot_path", message);
        if points.value.len() < 2 {
            return Err(wrong(format!("expected at least 2 points, found {}", points.value.len())));
        }
        if let Some(point) = points.value.iter().find(|point| point.iter().any(|v| !v.is_finite())) {
            return Err(wrong(format!("expected finite numbers, found {point:?}")));
        }
        let name = &given.file;
        let mesh = path.parent().unwrap_or(Path::new("")).join(&name.value);
        let file = mesh_file::read(&mesh, scale, given.up).map_err(|message| {
            let message = format!("mesh '{}': {message}", mesh.display());
            SceneError::at(path, name.referenced.line(), "mesh.file", message)
        })?;
        let turn = mesh_file::axes(&mesh, scale, given.up);
        let way: Vec<Vec3> =
            points.value.iter().map(|&point| turn.transform_point3(Vec3::from(point))).collect();
        Ok(Self { file, default, way })
    }
}

/// A number of the file within its limits.
fn number(
    path: &Path,
    key: &str,
    given: Option<&Spanned<f32>>,
    [low, high]: [f32; 2],
    default: f32,
) -> Result<f32, SceneError> {
    let Some(given) = given else { return Ok(default) };
    if (low..=high).contains(&given.value) {
        return Ok(given.value);
    }
    let message = format!("expected a number from {low} to {high}, found {}", given.value);
    Err(SceneError::at(path, given.referenced.line(), key, message))
}

/// Puts the scene together, the way's first point at the origin; gives the robot's way.
pub fn lay_out(stage: &mut Stage, map: Option<&Map>) -> Motion {
    let speed = stage.settings.get(Quantity::RobotSpeed);
    stage.lighting = daylight::outdoors(&stage.settings, &mut stage.random, Vec::new());
    let Some(Map { file, default, way }) = map else {
        return Motion::Still(crate::sim::Placement::IDENTITY);
    };
    let images: Vec<u32> = file.images.iter().map(|image| stage.builder.image(image.clone())).collect();
    let materials: Vec<_> = file
        .surfaces
        .iter()
        .map(|surface| stage.builder.material(surface.material(default, &images)))
        .collect();
    let mut mesh = file.mesh.clone();
    for material in &mut mesh.materials {
        *material = materials.get(usize::from(material.0)).copied().unwrap_or_default();
    }
    let origin = way.first().copied().unwrap_or_default();
    stage.builder.scenery(&mesh, &Affine3A::from_translation(-origin));
    let points: Vec<Vec3> = way.iter().map(|&point| point - origin).collect();
    let path = crate::sim::Path::new(&points, speed, 0.0, 0.3, PathEnd::Loop);
    vehicles::leaning(Motion::Path(path))
}
