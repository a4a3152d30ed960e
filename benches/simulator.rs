//! The simulator: images of a hall of some ten thousand triangles.
//!
//!     cargo bench --bench simulator

#![allow(clippy::expect_used, reason = "a benchmark without its input is no benchmark")]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use glam::{Affine3A, Vec3};
use isobath::geometry::CameraModel;
use isobath::sim::{
    Camera, CameraFrame, Film, Light, Lighting, Material, Mesh, Motion, Placement, Random, Robot,
    SensorMotion, Texture, World, WorldBuilder,
};

/// A floor, walls, and boxes, drums and balls on it.
fn hall() -> World {
    let mut random = Random::new(1, &[]);
    let mut builder = WorldBuilder::default();
    let texture = Texture::Noise { scale_m: 0.6, contrast: 0.15 };
    let floor = builder.material(Material { texture, ..Material::matt("floor", [0.4; 3]) });
    let paint = builder.material(Material { texture, ..Material::matt("paint", [0.5, 0.3, 0.2]) });
    let mut mesh = Mesh::default();
    mesh.add_height_field(floor, &Affine3A::IDENTITY, [60.0, 30.0], [60, 30], |_, _| 0.0);
    for (x, y, size) in
        [(30.0, 0.0, [0.2, 30.0, 6.0]), (0.0, 15.0, [60.0, 0.2, 6.0]), (0.0, -15.0, [60.0, 0.2, 6.0])]
    {
        mesh.add_box(paint, &Affine3A::from_translation(Vec3::new(x, y, 3.0)), size);
    }
    for _ in 0..300 {
        let at = Vec3::new(random.between(2.0, 29.0), random.between(-14.0, 14.0), 0.0);
        let place = Affine3A::from_translation(at);
        match random.below(3) {
            0 => mesh.add_box(paint, &place, [1.0, 0.8, random.between(0.3, 3.0)]),
            1 => mesh.add_cylinder(paint, &place, 0.3, random.between(0.5, 2.0), 16),
            _ => mesh.add_ellipsoid(paint, &place, [0.4; 3], 16),
        }
    }
    builder.scenery(&mesh, &Affine3A::IDENTITY);
    let lights = (0..6)
        .map(|k| Light {
            position: Vec3::new(-20.0 + 9.0 * k as f32, 0.0, 5.5),
            colour: [8.0; 3],
            range_m: 30.0,
        })
        .collect();
    builder.build(Lighting { sun: [0.0; 3], lights, ..Lighting::default() })
}

fn images(c: &mut Criterion) {
    let world = hall();
    let robot = Robot::steady(Motion::Still(Placement::IDENTITY));
    let mount = Placement {
        position: glam::Vec3A::new(0.0, 0.0, 1.0),
        rotation: glam::Quat::from_xyzw(-0.5, 0.5, -0.5, 0.5),
    };
    let motion: SensorMotion = robot.carry(&mount, 0.0, 0.01);
    let mut group = c.benchmark_group("simulator_images");
    group.sample_size(20);
    for (width, height) in [(320, 240), (640, 480)] {
        let f = f64::from(width) * 0.7;
        let (cx, cy) = (f64::from(width - 1) / 2.0, f64::from(height - 1) / 2.0);
        let model = CameraModel::pinhole(width, height, f, f, cx, cy).expect("a camera");
        let camera = Camera::new(model, Film::new(1));
        let mut frame = CameraFrame::default();
        group.throughput(Throughput::Elements(u64::from(width * height)));
        group.bench_function(format!("{width}x{height}"), |b| {
            b.iter(|| camera.render(&world.during(0.0, 0.01), &motion, 1, 0, &mut frame));
        });
    }
    group.finish();
}

criterion_group!(benches, images);
criterion_main!(benches);
