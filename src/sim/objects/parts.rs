//! The pieces that objects are put together from.

use glam::{Affine3A, Quat, Vec3};

use crate::sim::{MaterialId, Mesh};

/// Moved to a point.
pub fn at(x: f32, y: f32, z: f32) -> Affine3A {
    Affine3A::from_translation(Vec3::new(x, y, z))
}

/// Moved to a point of the ground and turned about z, radians.
pub fn turned(x: f32, y: f32, yaw: f32) -> Affine3A {
    Affine3A::from_rotation_translation(Quat::from_rotation_z(yaw), Vec3::new(x, y, 0.0))
}

/// A box between limits along each axis, metres.
pub fn block(mesh: &mut Mesh, material: MaterialId, x: [f32; 2], y: [f32; 2], z: [f32; 2]) {
    let middle = |[low, high]: [f32; 2]| 0.5 * (low + high);
    let size = [x, y, z].map(|[low, high]| (high - low).abs());
    mesh.add_box(material, &at(middle(x), middle(y), middle(z)), size);
}

/// The housing of a mirror, a block outside the box of its vehicle: nuScenes' boxes are drawn without side mirrors.
pub fn mirror(mesh: &mut Mesh, material: MaterialId, x: [f32; 2], y: [f32; 2], z: [f32; 2]) {
    let first = mesh.positions.len() as u32;
    block(mesh, material, x, y, z);
    mesh.protruding.push(first..mesh.positions.len() as u32);
}

/// A rod between two points, with a radius at each.
pub fn rod(mesh: &mut Mesh, material: MaterialId, [from, to]: [Vec3; 2], radii: [f32; 2], segments: u32) {
    let along = to - from;
    let length = along.length();
    let rotation =
        along.try_normalize().map_or(Quat::IDENTITY, |unit| Quat::from_rotation_arc(Vec3::Z, unit));
    let at = Affine3A::from_rotation_translation(rotation, from);
    mesh.add_cone(material, &at, radii, length, segments);
}

/// A surface over cross-sections with as many corners each, closed by the first and the last.
pub fn skin(mesh: &mut Mesh, material: MaterialId, sections: &[Vec<Vec3>]) {
    for pair in sections.windows(2) {
        let [from, to] = pair else { continue };
        let next =
            |ring: &[Vec3]| -> Vec<Vec3> { ring.iter().cycle().skip(1).take(ring.len()).copied().collect() };
        for (((&a, b), &d), c) in from.iter().zip(next(from)).zip(to).zip(next(to)) {
            mesh.add_quad(material, [a, b, c, d]);
        }
    }
    for end in [sections.first(), sections.last()].into_iter().flatten() {
        mesh.add_fan(material, end);
    }
}

/// A wheel that rolls along x: tyre and rim.
pub fn wheel(mesh: &mut Mesh, [tyre, rim]: [MaterialId; 2], centre: [f32; 3], radius: f32, width: f32) {
    let lying = |centre: Vec3| {
        Affine3A::from_rotation_translation(
            Quat::from_rotation_x(-std::f32::consts::FRAC_PI_2),
            centre - Vec3::new(0.0, 0.5 * width, 0.0),
        )
    };
    let centre = Vec3::from(centre);
    mesh.add_cylinder(tyre, &lying(centre), radius, width, 11);
    // The rim stands out a little on the side away from the middle of the vehicle.
    let out = Vec3::new(0.0, 0.012 * centre.y.signum(), 0.0);
    mesh.add_cylinder(rim, &lying(centre + out), 0.62 * radius, width, 8);
}

/// A thin upright panel across the ground from one point to another, between two heights.
pub fn panel(mesh: &mut Mesh, material: MaterialId, from: [f32; 2], to: [f32; 2], [low, high]: [f32; 2]) {
    let point = |[x, y]: [f32; 2], z| Vec3::new(x, y, z);
    mesh.add_quad(material, [point(from, low), point(to, low), point(to, high), point(from, high)]);
}

/// A wall with a thickness from one point of the ground to another, between two heights.
pub fn wall(
    mesh: &mut Mesh,
    material: MaterialId,
    [from, to]: [[f32; 2]; 2],
    thickness: f32,
    [low, high]: [f32; 2],
) {
    let (dx, dy) = (to[0] - from[0], to[1] - from[1]);
    let length = dx.hypot(dy);
    let place = turned(0.5 * (from[0] + to[0]), 0.5 * (from[1] + to[1]), dy.atan2(dx))
        * at(0.0, 0.0, 0.5 * (low + high));
    mesh.add_box(material, &place, [length, thickness, high - low]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_where_they_are_asked_for() {
        let material = MaterialId(0);
        let bounds = |make: &dyn Fn(&mut Mesh)| {
            let mut mesh = Mesh::default();
            make(&mut mesh);
            mesh.bounds()
        };
        let near = |found: [Vec3; 2], low: [f32; 3], high: [f32; 3]| {
            assert!(
                found[0].distance(low.into()) < 1e-5 && found[1].distance(high.into()) < 1e-5,
                "{found:?}"
            );
        };
        near(
            bounds(&|m| block(m, material, [1.0, 2.0], [-1.0, 0.0], [0.5, 3.0])),
            [1.0, -1.0, 0.5],
            [2.0, 0.0, 3.0],
        );
        let ends = [Vec3::new(1.0, 0.0, 0.0), Vec3::new(4.0, 0.0, 0.0)];
        near(bounds(&|m| rod(m, material, ends, [0.5, 0.5], 4)), [1.0, -0.5, -0.5], [4.0, 0.5, 0.5]);
        near(
            bounds(&|m| wall(m, material, [[0.0, 0.0], [0.0, 4.0]], 0.2, [0.0, 3.0])),
            [-0.1, 0.0, 0.0],
            [0.1, 4.0, 3.0],
        );
        let tyre = bounds(&|m| wheel(m, [material; 2], [0.0, 0.8, 0.3], 0.3, 0.2));
        // A polygon stands a little above its circle.
        assert!((0.0..0.01).contains(&tyre[0].z) && (tyre[1].y - 0.912).abs() < 1e-5, "{tyre:?}");
        // A rod of no length is a dot, not a fault.
        assert!(bounds(&|m| rod(m, material, [Vec3::ONE; 2], [0.1, 0.1], 4))[0].is_finite());
    }

    #[test]
    fn a_skin_over_squares_is_a_box() {
        let square =
            |x: f32| [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]].map(|[y, z]| Vec3::new(x, y, z));
        let mut mesh = Mesh::default();
        skin(&mut mesh, MaterialId(0), &[square(0.0).to_vec(), square(1.0).to_vec(), square(2.0).to_vec()]);
        assert_eq!(mesh.triangles.len(), 2 * 4 * 2 + 2 * 2);
        assert_eq!(mesh.bounds(), [Vec3::ZERO, Vec3::new(2.0, 1.0, 1.0)]);
    }
}
