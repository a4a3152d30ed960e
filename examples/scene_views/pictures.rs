//! Plainly lit views of a scene.

use glam::Vec3A;
use image::{Rgb, RgbImage};
use isobath::sim::{Placement, Ray, Scene, Snapshot};

/// Where the camera is above the ground, metres.
const CAMERA_M: f32 = 0.9;

/// Through a point of the image plane, in focal lengths right and down of its middle.
pub fn camera_ray(base: &Placement, x: f32, y: f32) -> Ray {
    let origin = base.point(Vec3A::new(0.2, 0.0, CAMERA_M));
    let direction = base.rotation * Vec3A::new(1.0, -x, -y).normalize();
    Ray { origin, direction, max_m: 500.0 }
}

fn shade(scene: &Scene, snapshot: &Snapshot<'_>, ray: &Ray) -> [f32; 3] {
    let mut ray = *ray;
    let mut through = 1.0;
    for _ in 0..6 {
        let Some(hit) = snapshot.cast(&ray, 0.0) else {
            return scene.world.lighting.horizon.map(|c| c * through);
        };
        let material = &scene.world.materials[hit.material.0 as usize];
        if material.transmission > 0.0 {
            through *= material.transmission;
            ray.origin = hit.point + 2e-3 * ray.direction;
            continue;
        }
        let sun = Vec3A::new(0.35, 0.5, 0.79);
        let to_sun = Ray { origin: hit.point + 1e-2 * hit.normal, direction: sun, max_m: 100.0 };
        let lit = if snapshot.is_blocked(&to_sun, 0.0) { 0.0 } else { 0.5 * hit.normal.dot(sun).max(0.0) };
        let light = 0.35 + lit + 0.15 * hit.normal.dot(-ray.direction);
        return [0, 1, 2].map(|k: usize| {
            through * (material.albedo[k] * hit.tint[k] * light + 0.3 * material.emission[k])
        });
    }
    [0.0; 3]
}

fn pixel(rgb: [f32; 3]) -> Rgb<u8> {
    Rgb(rgb.map(|c| (255.0 * c.clamp(0.0, 1.0).powf(1.0 / 2.2)) as u8))
}

/// Along the robot's heading.
pub fn front(scene: &Scene, snapshot: &Snapshot<'_>) -> RgbImage {
    let base = scene.robot.placement(0.0);
    RgbImage::from_fn(640, 480, |column, row| {
        let (x, y) = ((column as f32 - 319.5) / 319.5 * 0.8, (row as f32 - 239.5) / 239.5 * 0.6);
        pixel(shade(scene, snapshot, &camera_ray(&base, x, y)))
    })
}

/// From above: from which height, and how much of the ground, metres. The robot's way is red.
pub fn above(scene: &Scene, snapshot: &Snapshot<'_>, [height, extent]: [f32; 2]) -> RgbImage {
    let base = scene.robot.placement(0.0);
    let mut image = RgbImage::from_fn(800, 800, |column, row| {
        let (x, y) = (0.5 - row as f32 / 800.0, 0.5 - column as f32 / 800.0);
        let local = Vec3A::new(x * extent, y * extent, height);
        let ray = Ray { origin: base.position + local, direction: Vec3A::NEG_Z, max_m: 200.0 };
        pixel(shade(scene, snapshot, &ray))
    });
    // Where the robot drives within a minute.
    for step in 0..600 {
        let offset = scene.robot.placement(f64::from(step) * 0.1).position - base.position;
        let (row, column) = (0.5 - offset.x / extent, 0.5 - offset.y / extent);
        if (0.0..1.0).contains(&row) && (0.0..1.0).contains(&column) {
            image.put_pixel((column * 800.0) as u32, (row * 800.0) as u32, Rgb([255, 0, 0]));
        }
    }
    image
}
