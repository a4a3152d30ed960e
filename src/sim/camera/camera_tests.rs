use glam::{Affine3A, Quat, Vec3};

use super::*;
use crate::sim::{Lighting, Material, Mesh, Motion, Path, PathEnd, Placement, World, WorldBuilder};

/// Looks along +x of the world.
fn forward() -> Placement {
    Placement { position: Vec3A::ZERO, rotation: Quat::from_xyzw(-0.5, 0.5, -0.5, 0.5) }
}

fn still(placement: Placement) -> SensorMotion {
    SensorMotion { start: placement, end: placement, span_s: 0.01 }
}

fn camera(width: u32, height: u32) -> Camera {
    let f = f64::from(width);
    let model =
        CameraModel::pinhole(width, height, f, f, f64::from(width - 1) / 2.0, f64::from(height - 1) / 2.0);
    Camera::new(model.unwrap(), Film::new(1))
}

/// A wall across the view at x = 8, half of it behind glass at x = 4, and a cube that moves to the left.
fn scene() -> World {
    let mut builder = WorldBuilder::default();
    let grey = builder.material(Material::matt("grey", [0.5; 3]));
    let glass = builder.material(Material { transmission: 0.8, ..Material::matt("glass", [0.1; 3]) });
    let mut mesh = Mesh::default();
    let sheet = |x: f32, y: [f32; 2]| {
        [[y[0], -9.0], [y[1], -9.0], [y[1], 9.0], [y[0], 9.0]].map(|[y, z]| Vec3::new(x, y, z))
    };
    mesh.add_quad(grey, sheet(8.0, [-9.0, 9.0]));
    mesh.add_quad(glass, sheet(4.0, [0.0, 9.0]));
    builder.scenery(&mesh, &Affine3A::IDENTITY);
    let mut cube = Mesh::default();
    cube.add_box(grey, &Affine3A::IDENTITY, [0.5; 3]);
    let shape = builder.shape(cube);
    let way = [Vec3::new(3.0, -0.5, 0.0), Vec3::new(3.0, 9.0, 0.0)];
    builder.moving(None, vec![shape], 1.0, Motion::Path(Path::new(&way, 5.0, 0.0, 0.1, PathEnd::Stop)));
    builder.build(Lighting::default())
}

#[test]
fn depth_is_exact_and_looks_through_windows() {
    let (world, camera) = (scene(), camera(160, 120));
    let snapshot = world.during(0.0, 0.01);
    let mut frame = CameraFrame::default();
    camera.render(&snapshot, &still(forward()), 7, 0, &mut frame);
    let depth = |x: usize, y: usize| frame.depth_m[y * 160 + x];
    for (x, y) in [(5, 5), (20, 100), (150, 10), (155, 115)] {
        assert!((depth(x, y) - 8.0).abs() < 1e-4, "{x},{y}: {}", depth(x, y));
    }
    // The cube's near face is at 2.75 m; half-way through the shutter its middle is at y = −0.475.
    assert!((depth(80 + (160.0 * 0.475 / 2.75) as usize, 60) - 2.75).abs() < 1e-3);
    // 5 m/s for 10 ms at 2.75 m and 160 pixels a metre at 1 m: 2.9 pixels to the left.
    let flow = frame.flow[60 * 160 + 107];
    assert!((flow[0] + 160.0 * 0.05 / 2.75).abs() < 0.05 && flow[1].abs() < 0.01, "{flow:?}");
}

#[test]
fn a_frame_is_the_same_at_any_number_of_threads() {
    let (world, camera) = (scene(), camera(96, 70));
    let render = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let mut frame = CameraFrame::default();
        pool.install(|| {
            camera.render(&world.during(0.3, 0.31), &still(forward()), 7, 3, &mut frame);
        });
        frame
    };
    assert!(render(1) == render(5));
    // Another frame number is other noise.
    let mut other = CameraFrame::default();
    camera.render(&world.during(0.3, 0.31), &still(forward()), 7, 4, &mut other);
    assert_ne!(render(1).rgb, other.rgb);
    assert!(render(1).depth_m == other.depth_m);
}

#[test]
fn the_sky_is_infinitely_far() {
    let world = WorldBuilder::default().build(Lighting::default());
    let mut frame = CameraFrame::default();
    camera(32, 24).render(&world.during(0.0, 0.01), &still(forward()), 1, 0, &mut frame);
    assert!(frame.depth_m.iter().all(|&d| d == f32::INFINITY));
    assert!(frame.rgb.iter().any(|&v| v > 50));
}
