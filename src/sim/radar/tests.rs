use glam::{Affine3A, Quat, Vec3, Vec3A};

use super::*;
use crate::message::Header;
use crate::sensor::{PointCloudView, RadarPreset, decode_radar};
use crate::sim::{
    Lighting, Material, Mesh, Motion, Path, PathEnd, Placement, PointReflector, SceneFile, Simulation, World,
    WorldBuilder,
};

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
        let cloud = layout.cloud(Header::default(), &data);
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

fn metal(roughness_mm: f32) -> Material {
    Material {
        radar_reflectivity: 1.0,
        radar_roughness_mm: roughness_mm,
        ..Material::matt("metal", [0.5; 3])
    }
}

#[test]
fn range_rates_are_those_of_radar_and_object() {
    // A box that drives ahead at 7 m/s, followed at 2 m/s; 5 m/s more than TI's chirps tell apart come back
    // at the other end.
    for (name, object_mps, radar_mps) in
        [("ars548", 7.0, 2.0), ("ars548", 3.0, 11.0), ("awr1843", 6.0, 2.0), ("awr1843", 9.0, 1.0)]
    {
        let model = named(name);
        let mut builder = WorldBuilder::default();
        let steel = builder.material(metal(1.0));
        let mut cube = Mesh::default();
        cube.add_box(steel, &Affine3A::IDENTITY, [1.0; 3]);
        let shape = builder.shape(cube);
        let line = [Vec3::new(6.0, 0.0, 0.0), Vec3::new(99.0, 0.0, 0.0)];
        let way = Path::new(&line, object_mps, 0.0, 0.5, PathEnd::Stop);
        let number = builder.moving(None, vec![shape], 1.0, Motion::Path(way));
        let world = builder.build(Lighting::default());
        let motion = moving(model, Placement::IDENTITY, Vec3A::new(radar_mps, 0.0, 0.0));
        let mut found = 0;
        for frame in 0..20 {
            let snapshot = world.during(0.0, model.frame_s());
            for item in scan(&snapshot, model, &motion, 1, frame) {
                if item.object != Some(number) {
                    continue;
                }
                let expected = detector::folded(object_mps - radar_mps, model);
                assert!(expected.abs() <= model.doppler_limit_mps);
                // The radar's motion shows at an angle too.
                let error = (item.range_rate_mps - expected).abs();
                assert!(error < 0.15 * (radar_mps + 1.0), "{name}: {item:?} {expected}");
                found += 1;
            }
        }
        assert!(found > 15, "{name}: {found}");
    }
}

#[test]
fn corner_reflectors_are_found_as_often_as_the_radar_equation_says() {
    // Where each works.
    for (name, middle_m) in [("awr1843", 6.0_f32), ("ars548", 150.0)] {
        let model = named(name);
        // 13 dB in the middle.
        let rcs_m2 = 20.0 * middle_m.powi(4) / model.loop_gain;
        for share in [0.5, 0.75, 1.0, 1.25, 1.5, 1.75] {
            let range_m = share * middle_m;
            let world = corner_at([range_m, 0.0, 0.0], rcs_m2);
            let snapshot = world.during(0.0, model.frame_s());
            let frames = 400;
            let found = (0..frames)
                .filter(|&frame| {
                    let returns = scan(&snapshot, model, &standing(model), 9, frame);
                    returns.iter().any(|item| !item.is_ghost)
                })
                .count();
            let filter = 1.0 / (1.0 + (model.filter_m / range_m).powi(4));
            let signal = 20.0 * filter / share.powi(4);
            let expected = model.false_alarms.powf(1.0 / (1.0 + signal));
            let error = (expected * (1.0 - expected) / frames as f32).sqrt();
            let rate = found as f32 / frames as f32;
            assert!((rate - expected).abs() < 4.0 * error + 1e-3, "{name} {range_m} m: {rate} {expected}");
        }
    }
}

#[test]
fn errors_have_the_deviation_that_is_stated() {
    let model = named("awr1843");
    let truth = Vec3A::new(5.0, 2.0, 0.3);
    let world = corner_at(truth.to_array(), 1.0);
    let snapshot = world.during(0.0, model.frame_s());
    let mut sums = [[0.0_f64; 2]; 3];
    let mut count = 0.0;
    for frame in 0..1500 {
        let returns = scan(&snapshot, model, &standing(model), 2, frame);
        let Some(item) = returns.iter().find(|item| !item.is_ghost) else { continue };
        let (azimuth, _) = echo::angles(truth);
        let expected_std = model.range_resolution_m / (2.0 * 10.0_f32.powf(0.1 * item.snr_db)).sqrt();
        assert!((item.range_std_m / expected_std - 1.0).abs() < 1e-3);
        let scores = [
            (item.range_m - truth.length()) / item.range_std_m,
            (item.azimuth_rad - azimuth) / item.azimuth_std_rad,
            item.range_rate_mps / item.range_rate_std_mps,
        ];
        count += 1.0;
        for ([sum, squares], score) in sums.iter_mut().zip(scores) {
            *sum += f64::from(score);
            *squares += f64::from(score * score);
        }
    }
    assert!(count > 1400.0, "{count}");
    for [sum, squares] in sums {
        let (mean, variance) = (sum / count, squares / count);
        assert!(mean.abs() < 0.11 && (variance - 1.0).abs() < 0.16, "{mean} {variance}");
    }
}

#[test]
fn ghosts_are_where_the_mirror_says() {
    let model = named("ars548");
    let mut builder = WorldBuilder::default();
    let mirror = builder.material(metal(0.0));
    let rough = builder.material(metal(3.0));
    let mut wall = Mesh::default();
    let corners = [[-5.0, 2.0, -5.0], [20.0, 2.0, -5.0], [20.0, 2.0, 5.0], [-5.0, 2.0, 5.0]];
    wall.add_quad(mirror, corners.map(Vec3::from));
    builder.scenery(&wall, &Affine3A::IDENTITY);
    let mut ball = Mesh::default();
    ball.add_ellipsoid(rough, &Affine3A::IDENTITY, [0.3; 3], 64);
    let number = builder.standing(None, &ball, Placement::upright(Vec3::new(6.0, 0.0, 0.0), 0.0));
    let world = builder.build(Lighting::default());
    let snapshot = world.during(0.0, model.frame_s());
    let (mut images, mut halfway, mut direct) = (0, 0, 0);
    for frame in 0..30 {
        for item in scan(&snapshot, model, &standing(model), 4, frame) {
            if item.object != Some(number) {
                continue;
            }
            let near = |place: Vec3A| {
                // Seen on its near side.
                let range_m = place.length() - 0.2;
                let off = item.azimuth_rad - echo::angles(place).0;
                (item.range_m - range_m).abs() < 2.0 * model.range_resolution_m
                    && off.abs() < 3.0 * model.azimuth_resolution
            };
            let (object, image) = (Vec3A::new(6.0, 0.0, 0.0), Vec3A::new(6.0, 4.0, 0.0));
            let between = (object.normalize() + image.normalize()).normalize();
            let mixed = 0.5 * (object.length() + image.length()) * between;
            if near(object) {
                assert!(!item.is_ghost, "{item:?}");
                direct += 1;
            } else if near(image) {
                assert!(item.is_ghost, "{item:?}");
                images += 1;
            } else if near(mixed) {
                assert!(item.is_ghost, "{item:?}");
                halfway += 1;
            } else {
                panic!("neither object nor ghost: {item:?}");
            }
        }
    }
    assert!(direct >= 25 && images >= 20 && halfway >= 20, "{direct} {images} {halfway}");
}

#[test]
fn smooth_corners_shine_and_open_plates_do_not() {
    let model = named("ars548");
    let strongest = |closed: bool| {
        let mut builder = WorldBuilder::default();
        let mirror = builder.material(metal(0.0));
        let mut corner = Mesh::default();
        // Two upright plates that meet at (10, 0), open towards the radar.
        for side in if closed { vec![-1.0, 1.0] } else { vec![1.0] } {
            let [x, y] = [9.3, 0.7 * side];
            let plate = [[10.0, 0.0, -1.0], [x, y, -1.0], [x, y, 1.0], [10.0, 0.0, 1.0]];
            corner.add_quad(mirror, plate.map(Vec3::from));
        }
        builder.scenery(&corner, &Affine3A::IDENTITY);
        let world = builder.build(Lighting::default());
        let snapshot = world.during(0.0, model.frame_s());
        let returns = scan(&snapshot, model, &standing(model), 4, 0);
        returns.into_iter().filter(|item| !item.is_ghost).max_by(|a, b| a.rcs_dbsm.total_cmp(&b.rcs_dbsm))
    };
    let corner = strongest(true).unwrap();
    // It shows at its edge, however far the plates reach.
    assert!((corner.range_m - 10.0).abs() < 0.25 && corner.azimuth_rad.abs() < 0.03, "{corner:?}");
    let open = strongest(false).map_or(-99.0, |item| item.rcs_dbsm);
    assert!(corner.rcs_dbsm > open + 20.0, "{corner:?} {open}");
}

#[test]
fn targets_nearer_than_the_resolution_merge() {
    for name in RadarModel::NAMES {
        let model = named(name);
        let found = |apart: f32| {
            let mut builder = WorldBuilder::default();
            for x in [6.0, 6.0 + apart * model.range_resolution_m] {
                let rcs_m2 = 1e5 / model.signal_to_noise(1.0, 6.0, 0.0, 0.0);
                builder.reflector(PointReflector { position: Vec3::new(x, 0.0, 0.0), rcs_m2 });
            }
            let world = builder.build(Lighting::default());
            let snapshot = world.during(0.0, model.frame_s());
            let count = |frame| {
                let returns = scan(&snapshot, model, &standing(model), 3, frame);
                returns.iter().filter(|item| !item.is_ghost).count()
            };
            (0..200).map(count).sum::<usize>()
        };
        let (near, far) = (found(0.45), found(1.5));
        assert!((195..=200).contains(&near) && (390..=400).contains(&far), "{name}: {near} {far}");
    }
}

#[test]
fn threads_do_not_change_a_scan() {
    let mut builder = WorldBuilder::default();
    let [smooth, rough] = [0.1, 2.0].map(|roughness| builder.material(metal(roughness)));
    let mut room = Mesh::default();
    room.add_box(smooth, &Affine3A::from_translation(Vec3::Z), [16.0, 9.0, 3.0]);
    room.add_box(rough, &Affine3A::from_translation(Vec3::X * 4.0), [1.0, 2.0, 1.0]);
    builder.scenery(&room, &Affine3A::IDENTITY);
    let world = builder.build(Lighting::default());
    for name in RadarModel::NAMES {
        let model = named(name);
        // Doppler spreads what stands still over more cells.
        let driving = moving(model, Placement::IDENTITY, Vec3A::X);
        let snapshot = world.during(0.0, model.frame_s());
        let at = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| scan(&snapshot, model, &driving, 8, 3))
        };
        let alone = at(1);
        assert!(alone.len() > 20 && alone == at(3), "{}", alone.len());
        assert_ne!(alone, scan(&snapshot, model, &driving, 8, 4));
        assert_ne!(alone, scan(&snapshot, model, &driving, 9, 3));
    }
}

#[test]
fn frames_have_about_as_many_returns_as_real_ones() {
    // A real TI radar indoors: 19 to 87, median 41; a real ARS548 in a street: 308.
    for (scene, model, medians) in [("warehouse", "awr1843", 25..=65), ("street", "ars548", 180..=500)] {
        let file = format!("{}/config/scenes/{scene}.yaml", env!("CARGO_MANIFEST_DIR"));
        let file = SceneFile::load(file.as_ref()).unwrap();
        let mut counts = Vec::new();
        for seed in 0..3 {
            let built = file.build(seed).unwrap();
            let simulation = Simulation::new(built.world, built.robot, &file.sensors, seed).unwrap();
            assert_eq!(simulation.radars[0].name(), model);
            for second in 0..3 {
                let number = second * simulation.radars[0].rate_hz() as u64;
                counts.push(simulation.scan(0, number).unwrap().returns.len());
            }
        }
        counts.sort_unstable();
        assert!(medians.contains(&counts[counts.len() / 2]) && counts[0] > 10, "{scene}: {counts:?}");
    }
}
