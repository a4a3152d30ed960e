//! Wavefront OBJ with its MTL files (`tobj`).

use std::path::Path;

use glam::Vec3;
use tobj::{LoadOptions, load_obj};

use super::{MeshFile, Surface, linear, material_id, read_image};

pub fn read(path: &Path) -> Result<MeshFile, String> {
    let options = LoadOptions { triangulate: true, single_index: true, ..LoadOptions::default() };
    let (models, materials) = load_obj(path, &options).map_err(|error| error.to_string())?;
    let materials = materials.map_err(|error| format!("its material library: {error}"))?;
    let mut file = MeshFile { surfaces: vec![Surface::plain("mesh")], ..MeshFile::default() };
    let folder = path.parent().unwrap_or(Path::new(""));
    for material in materials {
        let mut surface = Surface::plain(&material.name);
        surface.albedo = material.diffuse.unwrap_or([0.8; 3]).map(linear);
        surface.transmission = 1.0 - material.dissolve.unwrap_or(1.0).clamp(0.0, 1.0);
        if let Some(texture) = &material.diffuse_texture {
            surface.image = Some(file.images.len());
            surface.albedo = [1.0; 3];
            file.images.push(read_image(&folder.join(texture))?);
        }
        file.surfaces.push(surface);
    }
    let coloured = models.iter().any(|model| !model.mesh.vertex_color.is_empty());
    let mapped = models.iter().any(|model| !model.mesh.texcoords.is_empty());
    for model in models {
        let part = model.mesh;
        let first = file.mesh.positions.len() as u32;
        let (positions, _) = part.positions.as_chunks::<3>();
        file.mesh.positions.extend(positions.iter().copied().map(Vec3::from));
        let total = file.mesh.positions.len();
        if coloured {
            let (colours, _) = part.vertex_color.as_chunks::<3>();
            file.mesh.colours.extend(colours.iter().map(|colour| colour.map(linear)));
            file.mesh.colours.resize(total, [1.0; 3]);
        }
        if mapped {
            // Rows of an image count from the top, those of the file from the bottom.
            let (coordinates, _) = part.texcoords.as_chunks::<2>();
            file.mesh.texture_coordinates.extend(coordinates.iter().map(|[u, v]| [*u, 1.0 - v]));
            file.mesh.texture_coordinates.resize(total, [0.0; 2]);
        }
        let material = material_id(part.material_id.map_or(0, |index| index + 1))?;
        let (triangles, _) = part.indices.as_chunks::<3>();
        for triangle in triangles {
            file.mesh.triangles.push(triangle.map(|index| index.saturating_add(first)));
            file.mesh.materials.push(material);
        }
    }
    Ok(file)
}
