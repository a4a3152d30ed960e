//! Triangle meshes and the shapes they are put together from.

use std::f32::consts::{PI, TAU};
use std::ops::Range;

use glam::{Affine3A, Vec3};

use super::MaterialId;

/// Triangles with a material each, in the frame of their object: x forward, y left, z up, metres.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Mesh {
    /// Corners.
    pub positions: Vec<Vec3>,
    /// Three corners each; both sides are seen.
    pub triangles: Vec<[u32; 3]>,
    /// One for each triangle.
    pub materials: Vec<MaterialId>,
    /// Texture coordinates from the image's top left corner, one for each corner, or none at all.
    pub texture_coordinates: Vec<[f32; 2]>,
    /// Linear colours that the albedo is multiplied with, one for each corner, or none at all.
    pub colours: Vec<[f32; 3]>,
    /// Corners that stick out of the box that the object is given, as mirrors do: ranges of `positions`.
    pub protruding: Vec<Range<u32>>,
}

impl Mesh {
    /// Adds another mesh, moved by `at`. Texture coordinates and colours are filled up where only one of
    /// the two has them.
    pub fn append(&mut self, other: &Self, at: &Affine3A) {
        let first = self.positions.len() as u32;
        let total = self.positions.len() + other.positions.len();
        if !(self.texture_coordinates.is_empty() && other.texture_coordinates.is_empty()) {
            self.texture_coordinates.resize(first as usize, [0.0; 2]);
            self.texture_coordinates.extend(&other.texture_coordinates);
            self.texture_coordinates.resize(total, [0.0; 2]);
        }
        if !(self.colours.is_empty() && other.colours.is_empty()) {
            self.colours.resize(first as usize, [1.0; 3]);
            self.colours.extend(&other.colours);
            self.colours.resize(total, [1.0; 3]);
        }
        self.positions.extend(other.positions.iter().map(|&p| at.transform_point3(p)));
        self.triangles.extend(other.triangles.iter().map(|t| t.map(|corner| corner + first)));
        self.materials.extend(&other.materials);
        self.protruding.extend(other.protruding.iter().map(|range| range.start + first..range.end + first));
    }

    /// A rectangle, corners in order around it.
    pub fn add_quad(&mut self, material: MaterialId, corners: [Vec3; 4]) {
        self.add_fan(material, &corners);
    }

    /// A flat convex polygon, corners in order around it; fewer than three add nothing.
    pub fn add_fan(&mut self, material: MaterialId, corners: &[Vec3]) {
        let first = self.positions.len() as u32;
        self.positions.extend(corners);
        for second in 1..corners.len().saturating_sub(1) as u32 {
            self.push(material, [first, first + second, first + second + 1]);
        }
    }

    /// A box of `size` about the origin of `at`.
    pub fn add_box(&mut self, material: MaterialId, at: &Affine3A, size: [f32; 3]) {
        let [x, y, z] = size.map(|length| 0.5 * length);
        self.add_prism(material, at, &[[-x, -y], [x, -y], [x, y], [-x, y]], [-z, z]);
    }

    /// A convex outline in the xy plane of `at`, pulled up between two heights, with top and bottom.
    pub fn add_prism(&mut self, material: MaterialId, at: &Affine3A, outline: &[[f32; 2]], z: [f32; 2]) {
        self.add_loft(material, at, outline, outline, z);
    }

    /// A solid between a convex outline at the lower height and one with as many corners at the upper.
    pub fn add_loft(
        &mut self,
        material: MaterialId,
        at: &Affine3A,
        lower: &[[f32; 2]],
        upper: &[[f32; 2]],
        [low, high]: [f32; 2],
    ) {
        let ring = |outline: &[[f32; 2]], z| -> Vec<Vec3> {
            outline.iter().map(|&[x, y]| at.transform_point3(Vec3::new(x, y, z))).collect()
        };
        let (bottom, top) = (ring(lower, low), ring(upper, high));
        self.add_fan(material, &bottom);
        self.add_fan(material, &top);
        self.add_band(material, &bottom, &top);
    }

    /// A cylinder along z of `at`, from 0 to `length`, with its ends.
    pub fn add_cylinder(
        &mut self,
        material: MaterialId,
        at: &Affine3A,
        radius: f32,
        length: f32,
        segments: u32,
    ) {
        self.add_cone(material, at, [radius, radius], length, segments);
    }

    /// A cone along z of `at` with a radius at 0 and one at `length`, with its ends.
    pub fn add_cone(
        &mut self,
        material: MaterialId,
        at: &Affine3A,
        [low, high]: [f32; 2],
        length: f32,
        segments: u32,
    ) {
        let circle = |radius: f32| -> Vec<[f32; 2]> {
            let angle = |k| TAU * k as f32 / segments.max(3) as f32;
            (0..segments.max(3)).map(|k| [radius * angle(k).cos(), radius * angle(k).sin()]).collect()
        };
        self.add_loft(material, at, &circle(low), &circle(high), [0.0, length]);
    }

    /// An ellipsoid about the origin of `at`, with `segments` along its equator.
    pub fn add_ellipsoid(&mut self, material: MaterialId, at: &Affine3A, radii: [f32; 3], segments: u32) {
        let segments = segments.max(4);
        let rows = segments.div_ceil(2);
        let ring = |row: u32| -> Vec<Vec3> {
            let (sin, cos) = (PI * row as f32 / rows as f32).sin_cos();
            let point = |k: u32| {
                let (y, x) = (TAU * k as f32 / segments as f32).sin_cos();
                at.transform_point3(Vec3::new(radii[0] * sin * x, radii[1] * sin * y, radii[2] * cos))
            };
            (0..segments).map(point).collect()
        };
        for row in 0..rows {
            self.add_band(material, &ring(row), &ring(row + 1));
        }
    }

    /// A surface over a rectangle about the origin of `at`: `height` in metres at its x and y.
    pub fn add_height_field(
        &mut self,
        material: MaterialId,
        at: &Affine3A,
        size: [f32; 2],
        cells: [u32; 2],
        height: impl Fn(f32, f32) -> f32,
    ) {
        let first = self.positions.len() as u32;
        let [columns, rows] = cells.map(|count| count.max(1));
        for row in 0..=rows {
            for column in 0..=columns {
                let x = size[0] * (column as f32 / columns as f32 - 0.5);
                let y = size[1] * (row as f32 / rows as f32 - 0.5);
                self.positions.push(at.transform_point3(Vec3::new(x, y, height(x, y))));
            }
        }
        for row in 0..rows {
            for column in 0..columns {
                let corner = first + row * (columns + 1) + column;
                let above = corner + columns + 1;
                self.push(material, [corner, corner + 1, above + 1]);
                self.push(material, [corner, above + 1, above]);
            }
        }
    }

    /// The lowest and highest corner along each axis; zeros for an empty mesh.
    pub fn bounds(&self) -> [Vec3; 2] {
        span(self.positions.iter())
    }

    /// [`Self::bounds`] without what protrudes.
    pub fn body_bounds(&self) -> [Vec3; 2] {
        let protrudes = |corner: u32| self.protruding.iter().any(|range| range.contains(&corner));
        span((0..).zip(&self.positions).filter(|(corner, _)| !protrudes(*corner)).map(|(_, p)| p))
    }

    /// The wall between two rings with as many corners.
    fn add_band(&mut self, material: MaterialId, lower: &[Vec3], upper: &[Vec3]) {
        let first = self.positions.len() as u32;
        let count = lower.len().min(upper.len()) as u32;
        for (&low, &high) in lower.iter().zip(upper) {
            self.positions.extend([low, high]);
        }
        for k in 0..count {
            let (a, b) = (first + 2 * k, first + 2 * ((k + 1) % count));
            self.push(material, [a, b, b + 1]);
            self.push(material, [a, b + 1, a + 1]);
        }
    }

    fn push(&mut self, material: MaterialId, triangle: [u32; 3]) {
        self.triangles.push(triangle);
        self.materials.push(material);
    }
}

/// The lowest and highest of some corners along each axis; zeros for none.
fn span<'a>(corners: impl Iterator<Item = &'a Vec3>) -> [Vec3; 2] {
    corners.map(|&p| [p, p]).reduce(|[low, high], [p, _]| [low.min(p), high.max(p)]).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Volume by the divergence theorem, whatever way triangles face: solids here are convex about the
    /// origin.
    fn volume(mesh: &Mesh) -> f32 {
        let corner = |i: u32| mesh.positions[i as usize];
        mesh.triangles.iter().map(|&[a, b, c]| (corner(a).dot(corner(b).cross(corner(c))) / 6.0).abs()).sum()
    }

    #[test]
    fn solids_are_closed_and_have_their_volume() {
        let (at, material) = (Affine3A::IDENTITY, MaterialId(0));
        let made = |make: &dyn Fn(&mut Mesh)| {
            let mut mesh = Mesh::default();
            make(&mut mesh);
            assert_eq!(mesh.triangles.len(), mesh.materials.len());
            volume(&mesh)
        };
        let near = |found: f32, wanted: f32| assert!((found / wanted - 1.0).abs() < 0.01, "{found} {wanted}");
        near(made(&|m| m.add_box(material, &at, [1.0, 2.0, 3.0])), 6.0);
        near(made(&|m| m.add_cylinder(material, &at, 1.0, 2.0, 64)), TAU);
        near(made(&|m| m.add_cone(material, &at, [1.0, 0.0], 3.0, 64)), PI);
        near(made(&|m| m.add_ellipsoid(material, &at, [1.0, 2.0, 0.5], 64)), 4.0 / 3.0 * PI);
    }

    #[test]
    fn appending_keeps_the_optional_attributes_in_step() {
        let mut plain = Mesh::default();
        plain.add_box(MaterialId(1), &Affine3A::IDENTITY, [1.0; 3]);
        let mut coloured = plain.clone();
        coloured.colours = vec![[0.5; 3]; coloured.positions.len()];
        let moved = Affine3A::from_translation(Vec3::new(2.0, 0.0, 0.0));
        plain.append(&coloured, &moved);
        plain.append(&Mesh::default(), &moved);
        assert_eq!(plain.colours.len(), plain.positions.len());
        assert!(plain.texture_coordinates.is_empty());
        assert_eq!(plain.bounds(), [Vec3::splat(-0.5), Vec3::new(2.5, 0.5, 0.5)]);
        assert_eq!((plain.colours[0], plain.colours.last()), ([1.0; 3], Some(&[0.5; 3])));
    }

    #[test]
    fn what_protrudes_is_outside_the_body_wherever_it_is_put() {
        let cube = |x: f32| {
            let mut mesh = Mesh::default();
            mesh.add_box(MaterialId(0), &Affine3A::from_translation(Vec3::new(x, 0.0, 0.0)), [1.0; 3]);
            mesh
        };
        let mut mirror = cube(4.0);
        mirror.protruding.push(0..mirror.positions.len() as u32);
        let mut mesh = cube(0.0);
        mesh.append(&mirror, &Affine3A::from_translation(Vec3::Y));
        mesh.append(&cube(1.0), &Affine3A::IDENTITY);
        assert_eq!(mesh.bounds(), [Vec3::splat(-0.5), Vec3::new(4.5, 1.5, 0.5)]);
        assert_eq!(mesh.body_bounds(), [Vec3::splat(-0.5), Vec3::new(1.5, 0.5, 0.5)]);
        assert_eq!(mirror.body_bounds(), [Vec3::ZERO; 2]);
    }
}
