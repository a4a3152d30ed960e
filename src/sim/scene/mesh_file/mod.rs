//! Triangle meshes from files: glTF, OBJ and PLY, with textures or vertex colours.
//!
//! In: a path and how the file's axes lie. Out: a mesh in the world's axes with the surfaces that its
//! triangles name. What a file can get wrong comes back as a sentence: expected, found.

mod gltf;
mod obj;
mod ply;

use std::path::Path;

use glam::{Affine3A, Mat3, Quat, Vec3};
use serde::Deserialize;

use crate::sim::{Material, MaterialId, Mesh, RgbTexture};

/// A photogrammetric map of a large hall has some hundred megabytes.
const MAX_BYTES: u64 = 1 << 30;

/// Which of the file's axes points up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum UpAxis {
    /// As glTF has it: −z is forward.
    Y,
    /// As maps have it: x is forward.
    Z,
}

/// What a material of the file says.
#[derive(Clone, Debug, PartialEq)]
pub struct Surface {
    pub name: String,
    /// Linear.
    pub albedo: [f32; 3],
    /// 0..1, of glass.
    pub transmission: f32,
    /// Index into the images.
    pub image: Option<usize>,
}

/// The contents of a file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MeshFile {
    /// Materials are indices into the surfaces.
    pub mesh: Mesh,
    /// At least one.
    pub surfaces: Vec<Surface>,
    pub images: Vec<RgbTexture>,
}

impl Surface {
    /// What triangles without a material are.
    fn plain(name: &str) -> Self {
        Self { name: name.to_owned(), albedo: [0.8; 3], transmission: 0.0, image: None }
    }

    /// As a material; what the file does not say is as in `default`.
    pub fn material(&self, default: &Material, images: &[u32]) -> Material {
        let texture = self.image.and_then(|image| images.get(image));
        Material {
            name: self.name.clone(),
            albedo: self.albedo,
            texture: texture.map_or(default.texture, |&index| crate::sim::Texture::Image { index }),
            transmission: self.transmission,
            ..default.clone()
        }
    }
}

/// Reads a mesh, scales it and turns it upright; without `up` the format's own axis counts.
pub fn read(path: &Path, scale: f32, up: Option<UpAxis>) -> Result<MeshFile, String> {
    let size = std::fs::metadata(path).map_err(|error| error.to_string())?.len();
    if size > MAX_BYTES {
        return Err(format!("expected at most {MAX_BYTES} bytes, found {size}"));
    }
    let mut file = match ending(path).as_str() {
        "glb" | "gltf" => gltf::read(path)?,
        "obj" => obj::read(path)?,
        "ply" => ply::read(path)?,
        _ => return Err("expected a file that ends with .glb, .gltf, .obj or .ply".to_owned()),
    };
    check(&file)?;
    let turn = axes(path, scale, up);
    file.mesh.positions.iter_mut().for_each(|p| *p = turn.transform_point3(*p));
    Ok(file)
}

/// From the file's units and axes to the world's.
pub fn axes(path: &Path, scale: f32, up: Option<UpAxis>) -> Affine3A {
    let of_format = if matches!(ending(path).as_str(), "glb" | "gltf") { UpAxis::Y } else { UpAxis::Z };
    let turn = match up.unwrap_or(of_format) {
        // y up, −z forward becomes z up, x forward.
        UpAxis::Y => Quat::from_mat3(&Mat3::from_cols(Vec3::NEG_Y, Vec3::Z, Vec3::NEG_X)),
        UpAxis::Z => Quat::IDENTITY,
    };
    Affine3A::from_scale_rotation_translation(Vec3::splat(scale), turn, Vec3::ZERO)
}

fn ending(path: &Path) -> String {
    path.extension().map_or_else(String::new, |ending| ending.to_string_lossy().to_lowercase())
}

/// What the ray caster takes for granted.
fn check(file: &MeshFile) -> Result<(), String> {
    let mesh = &file.mesh;
    let corners = mesh.positions.len();
    if mesh.triangles.is_empty() {
        return Err(format!("expected triangles, found none among {corners} corners"));
    }
    if let Some(index) = mesh.positions.iter().position(|p| !p.is_finite()) {
        return Err(format!("expected finite positions, found {} at corner {index}", mesh.positions[index]));
    }
    for (number, triangle) in mesh.triangles.iter().enumerate() {
        if let Some(index) = triangle.iter().find(|&&index| index as usize >= corners) {
            return Err(format!("triangle {number}: expected corners below {corners}, found {index}"));
        }
    }
    let surfaces = file.surfaces.len();
    match mesh.materials.iter().find(|material| usize::from(material.0) >= surfaces) {
        Some(MaterialId(index)) => Err(format!("expected a material below {surfaces}, found {index}")),
        None => Ok(()),
    }
}

/// A material's number, refused beyond what a scene can have.
fn material_id(index: usize) -> Result<MaterialId, String> {
    u16::try_from(index)
        .map(MaterialId)
        .map_err(|_| format!("expected at most {} materials, found more", u16::MAX))
}

/// Decodes an image file to linear colours.
fn read_image(path: &Path) -> Result<RgbTexture, String> {
    let bytes = std::fs::read(path).map_err(|error| format!("texture '{}': {error}", path.display()))?;
    let image = image::load_from_memory(&bytes)
        .map_err(|error| format!("texture '{}': expected PNG or JPEG: {error}", path.display()))?
        .to_rgb8();
    Ok(RgbTexture {
        width: image.width(),
        height: image.height(),
        pixels: image.pixels().map(|pixel| pixel.0.map(|c| linear(f32::from(c) / 255.0))).collect(),
    })
}

/// Linear light of an sRGB value (IEC 61966-2-1), 0..1.
fn linear(value: f32) -> f32 {
    if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
