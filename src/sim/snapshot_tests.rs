use glam::{Affine3A, Vec3};

use super::*;
use crate::sim::{Lighting, Material, Mesh, Motion, ObjectClass, Path, PathEnd, Random, WorldBuilder};

fn ray(origin: [f32; 3], towards: [f32; 3]) -> Ray {
    let (origin, towards) = (Vec3A::from(origin), Vec3A::from(towards));
    Ray { origin, direction: (towards - origin).normalize(), max_m: 300.0 }
}

/// A floor at z = 0 and a unit sphere of many triangles at (10, 0, 5).
fn floor_and_sphere() -> World {
    let mut builder = WorldBuilder::default();
    let grey = builder.material(Material::matt("grey", [0.5; 3]));
    let mut floor = Mesh::default();
    floor.add_height_field(grey, &Affine3A::IDENTITY, [400.0, 400.0], [7, 5], |_, _| 0.0);
    builder.scenery(&floor, &Affine3A::IDENTITY);
    let mut sphere = Mesh::default();
    sphere.add_ellipsoid(grey, &Affine3A::IDENTITY, [1.0; 3], 512);
    builder.standing(None, &sphere, Placement::upright(Vec3::new(10.0, 0.0, 5.0), 0.3));
    builder.build(Lighting::default())
}

#[test]
fn planes_and_spheres_are_where_geometry_says() {
    let world = floor_and_sphere();
    let snapshot = world.during(0.0, 0.1);
    let mut random = Random::new(1, &[]);
    for _ in 0..5000 {
        // Down at the floor, clear of the sphere.
        let origin = [random.between(-20.0, 5.0), random.between(-20.0, 20.0), random.between(0.5, 3.0)];
        let target = [random.between(-80.0, 80.0), random.between(-80.0, 80.0), -1.0];
        let ray = ray(origin, target);
        let distance = origin[2] / -ray.direction.z;
        let hit = snapshot.cast(&ray, 0.5).unwrap();
        if hit.object.is_none() {
            assert!((hit.distance_m - distance).abs() < 1e-4 * distance.max(1.0), "{hit:?} {distance}");
            assert!(hit.normal.distance(Vec3A::Z) < 1e-5);
        }
        // At the sphere, wherever it is met.
        let centre = Vec3A::new(10.0, 0.0, 5.0);
        let aim = centre + 0.8 * Vec3A::new(random.unit() - 0.5, random.unit() - 0.5, random.unit() - 0.5);
        let ray = self::ray([random.between(-5.0, 5.0), random.between(-5.0, 5.0), 6.0], aim.to_array());
        let offset = ray.origin - centre;
        let half = ray.direction.dot(offset);
        let distance = -half - (half * half - offset.length_squared() + 1.0).sqrt();
        let hit = snapshot.cast(&ray, 0.5).unwrap();
        assert!((hit.distance_m - distance).abs() < 1e-4 * distance.max(1.0), "{hit:?} {distance}");
        assert_eq!(hit.object, Some(0));
    }
}

#[test]
fn movers_are_met_where_they_are_at_the_moment() {
    let mut builder = WorldBuilder::default();
    let grey = builder.material(Material::matt("grey", [0.5; 3]));
    let mut cube = Mesh::default();
    cube.add_box(grey, &Affine3A::IDENTITY, [2.0; 3]);
    let shape = builder.shape(cube);
    let line = [Vec3::new(10.0, 0.0, 0.0), Vec3::new(40.0, 0.0, 0.0)];
    let motion = Motion::Path(Path::new(&line, 10.0, 0.0, 0.5, PathEnd::Stop));
    builder.moving(Some(ObjectClass::Car), vec![shape], 1.0, motion);
    let world = builder.build(Lighting::default());
    let snapshot = world.during(1.0, 1.1);
    for moment in [0.0, 0.25, 1.0] {
        // At 1 s it is 10 m on, its rear face 1 m nearer; it goes 1 m while the interval lasts.
        let hit = snapshot.cast(&ray([0.0; 3], [1.0, 0.0, 0.0]), moment).unwrap();
        assert!((hit.distance_m - (19.0 + moment)).abs() < 1e-3, "{moment}: {}", hit.distance_m);
        assert_eq!((hit.object, hit.local_point.x), (Some(0), -1.0));
        assert!(snapshot.velocity(&hit).distance(Vec3A::new(10.0, 0.0, 0.0)) < 1e-2);
        assert!(snapshot.is_blocked(&ray([0.0; 3], [1.0, 0.0, 0.0]), moment));
        let short = Ray { max_m: 18.9, ..ray([0.0; 3], [1.0, 0.0, 0.0]) };
        assert!(snapshot.cast(&short, moment).is_none() && !snapshot.is_blocked(&short, moment));
    }
}

#[test]
fn glass_is_met_but_lets_light_through() {
    let mut builder = WorldBuilder::default();
    let glass = builder.material(Material { transmission: 0.9, ..Material::matt("glass", [0.02; 3]) });
    let mut pane = Mesh::default();
    let corners = [[5.0, -1.0, -1.0], [5.0, 1.0, -1.0], [5.0, 1.0, 1.0], [5.0, -1.0, 1.0]];
    pane.add_quad(glass, corners.map(Vec3::from));
    builder.scenery(&pane, &Affine3A::IDENTITY);
    let world = builder.build(Lighting::default());
    let snapshot = world.during(0.0, 0.0);
    let ray = ray([0.0; 3], [1.0, 0.0, 0.0]);
    assert_eq!(snapshot.cast(&ray, 0.0).map(|hit| hit.distance_m), Some(5.0));
    assert!(!snapshot.is_blocked(&ray, 0.0));
    let empty = WorldBuilder::default().build(Lighting::default());
    assert!(empty.during(0.0, 1.0).cast(&ray, 0.5).is_none());
}
