use glam::{Affine3A, Vec3};

use super::*;
use crate::sim::{Lighting, Material, Mesh, Placement, World, WorldBuilder};

/// A sensor that stands 1 m above the origin.
fn standing() -> SensorMotion {
    let at = Placement::upright(Vec3::Z, 0.0);
    SensorMotion { start: at, end: at, span_s: 0.1 }
}

/// A room of one material, `size` wide and long, 20 m high, about the origin.
fn room(material: Material, size: f32) -> World {
    let mut builder = WorldBuilder::default();
    let material = builder.material(material);
    let mut mesh = Mesh::default();
    mesh.add_box(material, &Affine3A::from_translation(Vec3::new(0.0, 0.0, 10.0)), [size, size, 20.0]);
    builder.scenery(&mesh, &Affine3A::IDENTITY);
    builder.build(Lighting { haze_per_m: 0.0, ..Lighting::default() })
}

#[test]
fn a_bright_room_gives_every_point_of_every_model() {
    let world = room(Material::matt("white", [0.8; 3]), 8.0);
    for name in LidarModel::NAMES {
        let model = LidarModel::named(name).unwrap();
        let points = sweep(&world.during(0.0, 1.0 / model.rate_hz), model, &standing(), 1, 0);
        let found = points.len() as f64 / model.pulses() as f64;
        assert!(found > 0.99, "{name}: {found}");
        let mut rings = vec![0; model.rings()];
        points.iter().for_each(|point| rings[usize::from(point.ring)] += 1);
        assert!(rings.iter().all(|&count| count > model.columns * 9 / 10), "{name}: {rings:?}");
        assert!(points.is_sorted_by_key(|point| point.time_s), "{name}");
        let last = points.last().unwrap();
        assert!(last.moment < 1.0 && last.time_s < 1.0 / model.rate_hz as f32);
    }
    assert!(LidarModel::named("vlp-17").is_none());
}
