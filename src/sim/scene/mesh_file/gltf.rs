//! glTF 2.0, text or binary (`gltf`): <https://registry.khronos.org/glTF/specs/2.0/glTF-2.0.html>.

use std::path::Path;

use glam::{Affine3A, Mat4, Vec3};
use gltf::buffer::Data;
use gltf::image::{Format, Source};
use gltf::mesh::Mode;
use gltf::{Accessor, Document, Gltf, Node};

use super::{MeshFile, RgbTexture, Surface, linear, material_id};
use crate::sim::Mesh;

/// Nodes are not nested deeper.
const MOST_LEVELS: u32 = 64;

pub fn read(path: &Path) -> Result<MeshFile, String> {
    let Gltf { document, blob } = Gltf::open(path).map_err(|error| error.to_string())?;
    let folder = path.parent().unwrap_or(Path::new(""));
    for image in document.images() {
        if let Source::Uri { uri, .. } = image.source()
            && !uri.starts_with("data:")
            && !folder.join(uri.replace("%20", " ")).is_file()
        {
            return Err(format!("expected the texture '{uri}' beside it, found none"));
        }
    }
    let buffers = gltf::import_buffers(&document, Some(folder), blob).map_err(|error| error.to_string())?;
    check_ranges(&document, &buffers)?;
    let images = gltf::import_images(&document, Some(folder), &buffers).map_err(|error| error.to_string())?;
    let mut file = MeshFile { surfaces: vec![Surface::plain("mesh")], ..MeshFile::default() };
    file.images = images.iter().map(texture).collect::<Result<_, _>>()?;
    for material in document.materials() {
        let body = material.pbr_metallic_roughness();
        let [r, g, b, alpha] = body.base_color_factor();
        let glass = if material.alpha_mode() == gltf::material::AlphaMode::Blend { 1.0 - alpha } else { 0.0 };
        file.surfaces.push(Surface {
            name: material.name().unwrap_or("mesh").to_owned(),
            albedo: [r, g, b],
            transmission: glass.clamp(0.0, 1.0),
            image: body.base_color_texture().map(|info| info.texture().source().index()),
        });
    }
    let scene = document.default_scene().or_else(|| document.scenes().next());
    let scene = scene.ok_or("expected a scene, found none")?;
    for node in scene.nodes() {
        add_node(&mut file.mesh, &node, Mat4::IDENTITY, &buffers, MOST_LEVELS)?;
    }
    Ok(file)
}

fn add_node(
    into: &mut Mesh,
    node: &Node<'_>,
    parent: Mat4,
    buffers: &[Data],
    levels: u32,
) -> Result<(), String> {
    let levels = levels.checked_sub(1).ok_or(format!("expected nodes at most {MOST_LEVELS} deep"))?;
    let transform = parent * Mat4::from_cols_array_2d(&node.transform().matrix());
    for primitive in node.mesh().into_iter().flat_map(|mesh| mesh.primitives()) {
        if !matches!(primitive.mode(), Mode::Triangles | Mode::TriangleStrip | Mode::TriangleFan) {
            continue;
        }
        let reader = primitive.reader(|buffer| buffers.get(buffer.index()).map(|data| data.0.as_slice()));
        let Some(positions) = reader.read_positions() else {
            return Err("expected positions of each primitive, found one without".to_owned());
        };
        let mut part = Mesh { positions: positions.map(Vec3::from).collect(), ..Mesh::default() };
        let count = part.positions.len() as u32;
        let corners: Vec<u32> = match reader.read_indices() {
            Some(indices) => indices.into_u32().collect(),
            None => (0..count).collect(),
        };
        part.triangles = match primitive.mode() {
            Mode::TriangleStrip => corners.windows(3).map(|w| [w[0], w[1], w[2]]).collect(),
            Mode::TriangleFan => {
                corners.get(1..).unwrap_or_default().windows(2).map(|w| [corners[0], w[0], w[1]]).collect()
            }
            _ => corners.as_chunks::<3>().0.to_vec(),
        };
        let material = material_id(primitive.material().index().map_or(0, |index| index + 1))?;
        part.materials = vec![material; part.triangles.len()];
        let set = primitive.material().pbr_metallic_roughness().base_color_texture();
        if let Some(coordinates) = reader.read_tex_coords(set.map_or(0, |info| info.tex_coord())) {
            part.texture_coordinates = coordinates.into_f32().collect();
            part.texture_coordinates.resize(part.positions.len(), [0.0; 2]);
        }
        if let Some(colours) = reader.read_colors(0) {
            part.colours = colours.into_rgb_f32().collect();
            part.colours.resize(part.positions.len(), [1.0; 3]);
        }
        into.append(&part, &Affine3A::from_mat4(transform));
    }
    node.children().try_for_each(|child| add_node(into, &child, transform, buffers, levels))
}

/// Views and accessors stay within what they look at; the crate's readers rely on it.
fn check_ranges(document: &Document, buffers: &[Data]) -> Result<(), String> {
    for view in document.views() {
        let length = buffers.get(view.buffer().index()).map_or(0, |data| data.0.len());
        let end = view.offset().checked_add(view.length());
        if end.is_none_or(|end| end > length) {
            return Err(format!(
                "buffer view {}: expected it within {length} bytes, found {} from {}",
                view.index(),
                view.length(),
                view.offset()
            ));
        }
    }
    document.accessors().try_for_each(|accessor| check_accessor(&accessor))
}

fn check_accessor(accessor: &Accessor<'_>) -> Result<(), String> {
    if accessor.sparse().is_some() {
        return Err(format!("accessor {}: expected a dense one, found a sparse one", accessor.index()));
    }
    let Some(view) = accessor.view() else { return Ok(()) };
    let stride = view.stride().unwrap_or(accessor.size());
    let needed = accessor
        .count()
        .checked_sub(1)
        .and_then(|steps| steps.checked_mul(stride))
        .and_then(|bytes| bytes.checked_add(accessor.offset()))
        .and_then(|bytes| bytes.checked_add(accessor.size()));
    if needed.is_none_or(|needed| needed > view.length()) || stride < accessor.size() {
        return Err(format!(
            "accessor {}: expected it within the {} bytes of its view, found {} elements",
            accessor.index(),
            view.length(),
            accessor.count()
        ));
    }
    Ok(())
}

/// Linear colours of a decoded image.
fn texture(image: &gltf::image::Data) -> Result<RgbTexture, String> {
    let channels = match image.format {
        Format::R8 => 1,
        Format::R8G8 => 2,
        Format::R8G8B8 => 3,
        Format::R8G8B8A8 => 4,
        other => return Err(format!("expected textures of 8 bits a channel, found {other:?}")),
    };
    let colour = |pixel: &[u8]| match *pixel {
        [r, g, b, ..] => [r, g, b],
        [grey, ..] => [grey; 3],
        [] => [0; 3],
    };
    let pixels = image.pixels.chunks_exact(channels).map(colour);
    Ok(RgbTexture {
        width: image.width,
        height: image.height,
        pixels: pixels.map(|rgb| rgb.map(|c| linear(f32::from(c) / 255.0))).collect(),
    })
}
