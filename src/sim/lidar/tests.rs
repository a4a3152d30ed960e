use std::f32::consts::PI;

use glam::{Affine3A, Quat, Vec3};

use super::*;
use crate::geometry::{Pose, SweepMotion};
use crate::message::{CloudLayout, Header, PointCloud2, Stamp};
use crate::sensor::{LidarPreset, PointCloudView, StampAt};
use crate::sim::{Lighting, Material, MaterialId, Mesh, Placement, World, WorldBuilder};

/// A sensor that stands 1 m above the origin.
fn standing() -> SensorMotion {
    let at = Placement::upright(Vec3::Z, 0.0);
    SensorMotion { start: at, end: at, span_s: 0.1 }
}

fn clear() -> Lighting {
    Lighting { haze_per_m: 0.0, ..Lighting::default() }
}

/// A surface that scatters a share of the pulse.
fn grey(share: f32) -> Material {
    Material { lidar_reflectivity: share, ..Material::matt("grey", [0.5; 3]) }
}

/// A room of one material, `size` wide and long, 20 m high, about the origin.
fn room(material: Material, size: f32) -> World {
    let mut builder = WorldBuilder::default();
    let material = builder.material(material);
    let mut mesh = Mesh::default();
    mesh.add_box(material, &Affine3A::from_translation(Vec3::new(0.0, 0.0, 10.0)), [size, size, 20.0]);
    builder.scenery(&mesh, &Affine3A::IDENTITY);
    builder.build(clear())
}

/// Walls across x, 20 m wide and from 10 m below the ground to 10 m above: each its distance and material.
fn walls(materials: &[(f32, Material)], lighting: Lighting) -> World {
    let mut builder = WorldBuilder::default();
    let mut mesh = Mesh::default();
    for (x, material) in materials {
        let material = builder.material(material.clone());
        add_wall(&mut mesh, material, *x);
    }
    builder.scenery(&mesh, &Affine3A::IDENTITY);
    builder.build(lighting)
}

fn add_wall(mesh: &mut Mesh, material: MaterialId, x: f32) {
    let corner = |y: f32, z: f32| Vec3::new(x, y, z);
    let corners = [corner(-10.0, -10.0), corner(10.0, -10.0), corner(10.0, 10.0), corner(-10.0, 10.0)];
    mesh.add_quad(material, corners);
}

fn scan(world: &World, name: &str, motion: &SensorMotion) -> Vec<LidarPoint> {
    let model = LidarModel::named(name).unwrap();
    sweep(&world.during(0.0, 1.0 / model.rate_hz), model, motion, 1, 0)
}

/// Every pulse's direction while the sensor stands.
fn pulses(model: &LidarModel) -> impl Iterator<Item = Vec3A> + '_ {
    (0..model.columns).flat_map(|column| {
        let turn = Quat::from_rotation_z(model.start + model.step * column as f32);
        model.beams.iter().map(move |beam| turn * beam.direction)
    })
}

fn moments(values: impl Iterator<Item = f64>) -> (f64, f64, usize) {
    let (mut count, mut sum, mut squares) = (0, 0.0, 0.0);
    for value in values {
        (count, sum, squares) = (count + 1, sum + value, squares + value * value);
    }
    let mean = sum / count as f64;
    (mean, (squares / count as f64 - mean * mean).sqrt(), count)
}

/// The share of a normal distribution below x (Abramowitz and Stegun 7.1.26, good to 1e-7).
fn normal_below(x: f64) -> f64 {
    let t = 1.0 / (1.0 + 0.327_591_1 * (x.abs() / 2.0_f64.sqrt()));
    let poly = t
        * (0.254_829_592
            + t * (-0.284_496_736 + t * (1.421_413_741 + t * (-1.453_152_027 + t * 1.061_405_429))));
    let tail = 0.5 * poly * (-x * x / 2.0).exp();
    if x < 0.0 { tail } else { 1.0 - tail }
}

#[test]
fn a_bright_room_gives_every_point_of_every_model() {
    let world = room(grey(0.8), 8.0);
    for name in LidarModel::NAMES {
        let model = LidarModel::named(name).unwrap();
        let points = scan(&world, name, &standing());
        let found = points.len() as f64 / model.pulses() as f64;
        assert!(found > 0.99, "{name}: {found}");
        let mut rings = vec![0; model.rings()];
        for point in &points {
            rings[usize::from(point.ring)] += 1;
        }
        assert!(rings.iter().all(|&count| count > model.columns * 9 / 10), "{name}: {rings:?}");
        assert!(points.is_sorted_by_key(|point| point.time_s), "{name}");
        let last = points.last().unwrap();
        assert!(last.moment < 1.0 && last.time_s < 1.0 / model.rate_hz as f32);
    }
    assert!(LidarModel::named("vlp-17").is_none());
}

#[test]
fn tables_have_the_fields_of_view_and_the_rates_of_the_datasheets() {
    for (name, low, high, points_per_s) in [
        ("vlp-16", -15.0, 15.0, 289_000),
        ("hdl-32e", -30.67, 10.67, 695_000),
        ("hdl-64e", -24.33, 2.0, 1_333_000),
        ("os1-64", -22.5, 22.5, 655_360),
        ("os1-128", -22.5, 22.5, 1_310_720),
        ("qt64", -52.13, 52.13, 384_000),
        ("ld-mrs", -1.2, 1.2, 22_000),
    ] {
        let model = LidarModel::named(name).unwrap();
        let mut by_ring: Vec<(u16, f32)> =
            model.beams.iter().map(|beam| (beam.ring, beam.direction.z.asin().to_degrees())).collect();
        by_ring.sort_by_key(|&(ring, _)| ring);
        assert!(by_ring.iter().enumerate().all(|(k, &(ring, _))| k == usize::from(ring)), "{name}");
        let is_up = by_ring.is_sorted_by(|a, b| a.1 < b.1);
        assert!(is_up != by_ring.is_sorted_by(|a, b| a.1 > b.1), "{name}");
        let least = by_ring.iter().fold(90.0_f32, |least, &(_, angle)| least.min(angle));
        let most = by_ring.iter().fold(-90.0_f32, |most, &(_, angle)| most.max(angle));
        assert!((least - low).abs() < 0.01 && (most - high).abs() < 0.01, "{name}: {least} {most}");
        let rate = model.pulses() as f64 * model.rate_hz();
        assert!((rate / f64::from(points_per_s) - 1.0).abs() < 0.01, "{name}: {rate}");
        let turn_s = f64::from(2.0 * PI / model.step.abs()) * model.column_s * model.rate_hz;
        assert!((turn_s - 1.0).abs() < 1e-5, "{name}: a turn is {turn_s} sweeps");
    }
}

#[test]
fn distances_have_the_noise_of_the_model() {
    for (share, name) in [(0.8, "vlp-16"), (0.8, "os1-64"), (0.8, "qt64"), (0.1, "os1-64")] {
        let model = LidarModel::named(name).unwrap();
        let optics = model.optics;
        let distance = 0.4 * optics.range_10_m;
        let world = walls(&[(distance, grey(share))], clear());
        let points = scan(&world, name, &standing());
        let ahead: Vec<(f64, f32)> = points
            .iter()
            .map(|point| (point, point.position / point.range_m))
            .filter(|(_, direction)| direction.x > 0.97)
            .map(|(point, direction)| (f64::from(point.range_m - distance / direction.x), point.intensity))
            .collect();
        let (mean, deviation, count) = moments(ahead.iter().map(|&(error, _)| error));
        let peak = 5.78 * 10.0 * share / 0.16;
        let weak = optics.weak_noise_m * 4.5 / peak;
        let variance = optics.noise_m.powi(2) + weak.powi(2) + optics.resolution_m.powi(2) / 12.0;
        let expected = f64::from(variance.sqrt());
        assert!(count > 400, "{name}: {count}");
        assert!(mean.abs() < 4.0 * expected / (count as f64).sqrt(), "{name}: {mean}");
        assert!((deviation / expected - 1.0).abs() < 0.1, "{name}: {deviation} {expected}");
        let (intensity, ..) = moments(ahead.iter().map(|&(_, intensity)| f64::from(intensity)));
        assert!((intensity / (100.0 * f64::from(share)) - 1.0).abs() < 0.06, "{name}: {intensity}");
    }
}

#[test]
fn far_walls_are_lost_by_the_law() {
    let model = LidarModel::named("os1-64").unwrap();
    for (distance, share) in [(20.0, 0.1), (40.0, 0.1), (48.0, 0.1), (55.0, 0.1), (70.0, 0.1), (110.0, 0.5)] {
        let world = walls(&[(distance, grey(share))], clear());
        let found = scan(&world, "os1-64", &standing()).len() as f64;
        let (mut expected, mut all) = (0.0, 0.0);
        for direction in pulses(model) {
            let hit = direction * (distance / direction.x);
            if direction.x <= 0.0 || hit.y.abs() > 10.0 || (hit.z + 1.0).abs() > 10.0 {
                continue;
            }
            let (way, cosine) = (f64::from(hit.length()), f64::from(direction.x));
            let slant = (1.0 / (cosine * cosine) - 1.0).sqrt();
            let depth = f64::from(model.optics.divergence) * way * slant / f64::from(model.optics.pulse_m);
            let signal = f64::from(share) / 0.1 * cosine * (45.0 / way).powi(2) / depth.hypot(1.0);
            let peak = 5.781_552 * signal;
            // The pulse's energy and the patches of the surface add to the noise.
            let spread = (1.0 + (0.07 * peak).powi(2)).sqrt();
            expected += normal_below((peak - 4.5) / spread);
            all += 1.0;
        }
        let (found, expected) = (found / all, expected / all);
        assert!(all > 100.0 && (found - expected).abs() < 0.05, "{distance} m: {found} {expected}");
        if distance == 40.0 {
            assert!(expected > 0.9);
        } else if distance == 70.0 {
            assert!(expected < 0.05);
        }
    }
}

#[test]
fn haze_takes_what_the_law_says() {
    let seen = |haze_per_m: f32| {
        let world = walls(&[(20.0, grey(0.8))], Lighting { haze_per_m, ..clear() });
        let points = scan(&world, "os1-64", &standing());
        moments(points.iter().map(|point| f64::from(point.intensity))).0
    };
    let lost = seen(0.01) / seen(0.0);
    // The wall's far corners are some metres farther than its middle.
    assert!((lost / (-2.0 * 0.01 * 22.0_f64).exp() - 1.0).abs() < 0.04, "{lost}");
}

#[test]
fn glass_is_seen_squarely_and_otherwise_through() {
    let glass = Material {
        transmission: 0.85,
        specular: 0.04,
        roughness: 0.05,
        lidar_reflectivity: 0.05,
        ..Material::matt("glass", [0.02; 3])
    };
    let world = walls(&[(5.0, glass.clone()), (9.0, grey(0.5))], clear());
    let points = scan(&world, "os1-64", &standing());
    let is_at = |point: &LidarPoint, x: f32| (point.position.x - x).abs() < 0.1;
    let squarely = |point: &LidarPoint| point.position.x / point.range_m;
    let before_wall = |point: &&LidarPoint| point.position.y.abs() < 5.0;
    let on_glass: Vec<_> = points.iter().filter(|point| is_at(point, 5.0)).filter(before_wall).collect();
    assert!(on_glass.len() > 5, "{}", on_glass.len());
    assert!(on_glass.iter().all(|point| squarely(point) > 0.99));
    let behind: Vec<_> = points.iter().filter(|p| is_at(p, 9.0) && squarely(p) > 0.9).collect();
    assert!(behind.len() > 1000, "{}", behind.len());
    let bare = scan(&walls(&[(9.0, grey(0.5))], clear()), "os1-64", &standing());
    let bare = bare.iter().filter(|point| squarely(point) > 0.9 && squarely(point) < 0.98);
    let dimmed = behind.iter().filter(|point| squarely(point) < 0.98);
    let share = moments(dimmed.map(|point| f64::from(point.intensity))).0
        / moments(bare.map(|point| f64::from(point.intensity))).0;
    assert!((share / (0.85 * 0.85) - 1.0).abs() < 0.05, "{share}");
    // Four panes are one more than is looked through.
    let panes = [5.0, 6.0, 7.0, 8.0].map(|x| (x, glass.clone()));
    let many: Vec<_> = panes.into_iter().chain([(9.0, grey(0.5))]).collect();
    let points = scan(&walls(&many, clear()), "os1-64", &standing());
    assert!(!points.iter().any(|point| is_at(point, 9.0)));
}

#[test]
fn a_mirror_is_seen_where_it_faces_and_shows_what_is_in_front() {
    // A polished floor 1 m below, and a wall: what comes back of the floor seems to be below it.
    let mut builder = WorldBuilder::default();
    let polished = Material { specular: 0.9, roughness: 0.05, ..grey(0.02) };
    let (floor, wall) = (builder.material(polished), builder.material(grey(0.6)));
    let mut mesh = Mesh::default();
    mesh.add_height_field(floor, &Affine3A::IDENTITY, [100.0, 100.0], [4, 4], |_, _| 0.0);
    add_wall(&mut mesh, wall, 12.0);
    builder.scenery(&mesh, &Affine3A::IDENTITY);
    let points = scan(&builder.build(clear()), "os1-64", &standing());
    let ahead = |point: &&LidarPoint| point.position.x > 0.9 * point.range_m;
    let below: Vec<_> = points.iter().filter(ahead).filter(|point| point.position.z < -1.2).collect();
    let on_floor = |point: &&LidarPoint| (point.position.z + 1.0).abs() < 0.1 && point.position.x < 11.5;
    let floor: Vec<_> = points.iter().filter(ahead).filter(on_floor).collect();
    assert!(below.len() > 500 && floor.len() < below.len() / 10, "{} {}", below.len(), floor.len());
    assert!(below.iter().all(|point| (point.position.x - 12.0).abs() < 0.2));
}

#[test]
fn intensities_are_those_of_the_material() {
    let seen = |share: f32| {
        let points = scan(&walls(&[(10.0, grey(share))], clear()), "vlp-16", &standing());
        let squarely = points.iter().filter(|point| point.position.x > 0.995 * point.range_m);
        moments(squarely.map(|point| f64::from(point.intensity)))
    };
    let (bright, spread, _) = seen(0.8);
    assert!((bright - 80.0).abs() < 2.0 && (1.0..10.0).contains(&spread), "{bright} {spread}");
    let (dark, ..) = seen(0.05);
    assert!((dark - 5.0).abs() < 0.5, "{dark}");
    // Too bright for a matt surface, too dark for a retroreflector: white.
    let (white, ..) = seen(1.25);
    assert!((white - 100.0).abs() < 0.5, "{white}");
    let (sheet, ..) = seen(30.0);
    assert!((sheet - 100.0 - 77.5 * 30.0_f64.log10()).abs() < 3.0, "{sheet}");
    assert_eq!(seen(300.0).0, 255.0);
}

/// A robot that drives and turns.
fn turning() -> SensorMotion {
    let start = Placement::upright(Vec3::new(0.0, 0.0, 1.0), 0.1);
    let end = Placement::upright(Vec3::new(0.8, 0.1, 1.02), 0.1 - 0.15);
    SensorMotion { start, end, span_s: 0.1 }
}

fn cloud(layout: CloudLayout, stamp: Stamp, data: &[u8]) -> PointCloud2<'_> {
    layout.cloud(Header { stamp, frame_id: "lidar" }, data)
}

fn pose(placement: &Placement) -> Pose {
    let [x, y, z] = placement.position.to_array().map(f64::from);
    let [i, j, k, w] = placement.rotation.to_array().map(f64::from);
    let rotation = nalgebra::UnitQuaternion::from_quaternion(nalgebra::Quaternion::new(w, i, j, k));
    Pose::from_parts(nalgebra::Translation3::new(x, y, z), rotation)
}

#[test]
fn encoded_sweeps_are_recognised_and_come_to_rest() {
    let world = room(grey(0.8), 60.0);
    let motion = turning();
    let stamp = Stamp(1_760_000_000_123_456_789);
    let off_wall = |p: Vec3A| {
        let world = motion.start.point(p);
        let inside = Vec3A::new(30.0, 30.0, 10.0) - (world - 10.0 * Vec3A::Z).abs();
        f64::from(inside.min_element())
    };
    let mut data = vec![7; 3];
    for (name, preset) in [
        ("os1-64", LidarPreset::Ouster),
        ("os1-128", LidarPreset::Ouster),
        ("vlp-16", LidarPreset::Velodyne),
        ("hdl-64e", LidarPreset::Velodyne),
        ("qt64", LidarPreset::Hesai),
    ] {
        let model = LidarModel::named(name).unwrap();
        let points = scan(&world, name, &motion);
        let layout = encode(&points, model, &mut data);
        let message = cloud(layout, stamp, &data);
        let view = PointCloudView::new(&message).unwrap();
        assert_eq!(view.len(), points.len());
        let found = LidarPreset::Auto.layout(&view, stamp, StampAt::Start).unwrap();
        assert_eq!(found.preset(), preset, "{name}");
        let (times, ring) = (found.times().unwrap(), found.line().unwrap());
        for (k, point) in points.iter().enumerate() {
            assert_eq!(view.xyz(k), point.position.to_array());
            assert_eq!(ring.f32(k), f32::from(point.ring));
            // Hesai's clock is taken to start with the first point.
            assert!((times.offset_s(k) - f64::from(point.time_s)).abs() < 2e-4, "{name}");
        }
        let mut intensity = found.points(&view).zip(&points);
        assert!(intensity.all(|(read, point)| (read.intensity * 255.0 - point.intensity).abs() < 0.01));

        let back = motion.start.inverse();
        let exact =
            moments(points.iter().map(|p| off_wall(back.then(&motion.at(p.moment)).point(p.position))));
        let skewed = moments(points.iter().map(|point| off_wall(point.position)));
        let path = SweepMotion::sample(times.first_s(), times.last_s(), |offset_s| {
            Ok::<_, ()>(pose(&back.then(&motion.at((offset_s / motion.span_s) as f32))))
        })
        .unwrap();
        let rest =
            moments(found.points(&view).deskewed(&path, times).map(|p| off_wall(Vec3A::new(p.x, p.y, p.z))));
        assert!(exact.0.abs() < 0.01 && exact.1 < 0.1, "{name}: {exact:?}");
        assert!(rest.0.abs() < 0.01 && rest.1 < exact.1 + 0.02, "{name}: {rest:?} {exact:?}");
        assert!(skewed.1 > 3.0 * rest.1, "{name}: {skewed:?} {rest:?}");
    }
}

#[test]
fn a_turning_robot_skews_by_the_angle_it_has_turned() {
    // A post is seen where it was when the beam passed: at the azimuth that it had then.
    let mut builder = WorldBuilder::default();
    let paint = builder.material(grey(0.8));
    let mut post = Mesh::default();
    post.add_cylinder(paint, &Affine3A::from_translation(Vec3::new(10.0, 0.0, -5.0)), 0.2, 10.0, 32);
    builder.scenery(&post, &Affine3A::IDENTITY);
    let world = builder.build(clear());
    let rate = 1.2;
    let (start, end) = (Placement::upright(Vec3::Z, 0.0), Placement::upright(Vec3::Z, 0.1 * rate));
    let points = scan(&world, "os1-64", &SensorMotion { start, end, span_s: 0.1 });
    assert!(points.len() > 100);
    for point in &points {
        let azimuth = point.position.y.atan2(point.position.x);
        assert!((azimuth + rate * point.time_s).abs() < 0.2 / 9.8 + 2e-3, "{azimuth} {}", point.time_s);
    }
}

#[test]
fn threads_make_no_difference() {
    let world = walls(&[(30.0, grey(0.1)), (42.0, grey(0.2))], clear());
    let with = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| scan(&world, "os1-64", &turning()))
    };
    let one = with(1);
    assert!(one.len() > 1000);
    assert_eq!(one, with(3));
    let model = LidarModel::named("os1-64").unwrap();
    let snapshot = world.during(0.0, 0.1);
    assert_ne!(one, sweep(&snapshot, model, &turning(), 1, 1), "frames differ");
    assert_ne!(one, sweep(&snapshot, model, &turning(), 2, 0), "seeds differ");
}
