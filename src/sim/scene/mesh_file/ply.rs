//! PLY with vertex colours (`ply-rs-bw`), ASCII or binary.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use glam::Vec3;
use ply_rs_bw::parser::{Parser, Reader};
use ply_rs_bw::ply::{Property, PropertyAccess, PropertyAccessResult};

use super::{MaterialId, MeshFile, Surface, linear};

#[derive(Default)]
struct Vertex {
    position: [Option<f32>; 3],
    colour: [Option<f32>; 3],
}

#[derive(Default)]
struct Face {
    corners: Vec<u32>,
}

impl PropertyAccess for Vertex {
    fn new() -> Self {
        Self::default()
    }

    fn set_property(&mut self, name: &str, property: Property) -> PropertyAccessResult {
        // Bytes are sRGB values of 255.
        let share = if matches!(property, Property::UChar(_)) { 1.0 / 255.0 } else { 1.0 };
        let (slot, scale) = match name {
            "x" => (&mut self.position[0], 1.0),
            "y" => (&mut self.position[1], 1.0),
            "z" => (&mut self.position[2], 1.0),
            "red" | "r" | "diffuse_red" => (&mut self.colour[0], share),
            "green" | "g" | "diffuse_green" => (&mut self.colour[1], share),
            "blue" | "b" | "diffuse_blue" => (&mut self.colour[2], share),
            _ => return PropertyAccessResult::Ignored,
        };
        match property.to_f32_lossy() {
            Some(value) => *slot = Some(scale * value),
            None => return PropertyAccessResult::UnsupportedType,
        }
        PropertyAccessResult::Set
    }
}

impl PropertyAccess for Face {
    fn new() -> Self {
        Self::default()
    }

    fn set_property(&mut self, name: &str, property: Property) -> PropertyAccessResult {
        if !matches!(name, "vertex_indices" | "vertex_index") {
            return PropertyAccessResult::Ignored;
        }
        match property.to_u32_list() {
            Some(corners) => self.corners = corners,
            None => return PropertyAccessResult::UnsupportedType,
        }
        PropertyAccessResult::Set
    }
}

pub fn read(path: &Path) -> Result<MeshFile, String> {
    let text = |error: std::io::Error| error.to_string();
    let mut reader = Reader::new(BufReader::new(File::open(path).map_err(text)?));
    let (vertices, faces, others) = (Parser::<Vertex>::new(), Parser::<Face>::new(), Parser::<Face>::new());
    let header = vertices.read_header(&mut reader).map_err(|error| error.to_string())?;
    let mut file = MeshFile { surfaces: vec![Surface::plain("mesh")], ..MeshFile::default() };
    for (name, element) in &header.elements {
        match name.as_str() {
            "vertex" => {
                let list = vertices
                    .read_payload_for_element(&mut reader, element, &header)
                    .map_err(|error| error.to_string())?;
                for (index, vertex) in list.into_iter().enumerate() {
                    let [Some(x), Some(y), Some(z)] = vertex.position else {
                        return Err(format!("vertex {index}: expected x, y and z, found fewer"));
                    };
                    file.mesh.positions.push(Vec3::new(x, y, z));
                    if let [Some(r), Some(g), Some(b)] = vertex.colour {
                        file.mesh.colours.push([r, g, b].map(linear));
                    }
                }
            }
            "face" => {
                let list = faces
                    .read_payload_for_element(&mut reader, element, &header)
                    .map_err(|error| error.to_string())?;
                for Face { corners } in list {
                    for second in 1..corners.len().saturating_sub(1) {
                        file.mesh.triangles.push([corners[0], corners[second], corners[second + 1]]);
                        file.mesh.materials.push(MaterialId(0));
                    }
                }
            }
            _ => {
                others
                    .read_payload_for_element(&mut reader, element, &header)
                    .map_err(|error| error.to_string())?;
            }
        }
    }
    if !file.mesh.colours.is_empty() {
        // The colours are the surface then.
        file.surfaces.iter_mut().for_each(|surface| surface.albedo = [1.0; 3]);
        if file.mesh.colours.len() != file.mesh.positions.len() {
            return Err("expected a colour for each vertex, found some without".to_owned());
        }
    }
    Ok(file)
}
