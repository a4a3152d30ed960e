use glam::{Quat, Vec3, Vec3A};

use super::*;
use crate::message::{Header, PointCloud2};
use crate::sensor::{PointCloudView, RadarPreset, decode_radar};
use crate::sim::{Lighting, Placement, PointReflector, World, WorldBuilder};

/// A radar that starts at `at` and moves at `velocity`.
fn moving(model: &RadarModel, at: Placement, velocity: Vec3A) -> SensorMotion {
    let span_s = model.frame_s();
    let end = Placement { position: at.position + velocity * span_s as f32, ..at };
    SensorMotion { start: at, end, span_s }
}

fn standing(model: &RadarModel) -> SensorMotion {
    moving(model, Placement::IDENTITY, Vec3A::ZERO)
}

fn corner_at(position: [f32; 3], rcs_m2: f32) -> World {
    let mut builder = WorldBuilder::default();
    builder.reflector(PointReflector { position: position.into(), rcs_m2 });
    builder.build(Lighting::default())
}

fn named(name: &str) -> &'static RadarModel {
    RadarModel::named(name).unwrap()
}

#[test]
fn encoded_returns_read_back_under_the_preset_auto() {
    for (name, preset) in [("awr1843", RadarPreset::TiMmwave), ("ars548", RadarPreset::Ars548)] {
        let model = named(name);
        let at = Placement { position: Vec3A::new(1.0, 2.0, 0.5), rotation: Quat::from_rotation_z(0.4) };
        let world = corner_at([6.0, 5.0, 1.0], 100.0);
        let snapshot = world.during(0.0, model.frame_s());
        let motion = moving(model, at, Vec3A::new(2.0, 0.0, 0.0));
        let returns = scan(&snapshot, model, &motion, 5, 0);
        let real = returns.iter().position(|item| !item.is_ghost).unwrap();
        // Coming nearer: negative.
        assert!(returns[real].range_rate_mps < -1.0);
        let mut data = vec![1; 7];
        let layout = encode(&returns, model, &mut data);
        let cloud = PointCloud2 {
            header: Header::default(),
            height: 1,
            width: returns.len() as u32,
            fields: layout.fields.iter().copied().collect(),
            point_step: layout.step,
            row_step: layout.step * returns.len() as u32,
            data: &data,
            ..PointCloud2::default()
        };
        let mut decoded = Vec::new();
        let view = PointCloudView::new(&cloud).unwrap();
        assert_eq!(decode_radar(&view, RadarPreset::Auto, 1.0, &mut decoded).unwrap(), preset);
        assert_eq!(decoded.len(), returns.len());
        for (found, item) in decoded.iter().zip(&returns) {
            assert_eq!(found.position, item.position().to_array());
            assert_eq!(found.range_rate_mps, item.range_rate_mps);
            if preset == RadarPreset::TiMmwave {
                assert!((found.snr_db - item.snr_db).abs() <= 0.051);
            } else {
                assert_eq!(found.azimuth_std_rad, item.azimuth_std_rad);
                assert_eq!(found.elevation_std_rad, item.elevation_std_rad);
                assert_eq!(found.range_std_m, item.range_std_m);
                assert!((found.rcs_dbsm - item.rcs_dbsm).abs() <= 0.501);
            }
        }
        let expected = at.to_local(Vec3A::from(Vec3::new(6.0, 5.0, 1.0)));
        assert!((returns[real].position() - expected).length() < 0.7, "{:?} {expected}", returns[real]);
    }
}
