use std::fs;

use super::*;
use crate::sim::{Motion, ObjectClass};

const NAMES: [&str; 6] = ["warehouse", "hall", "corridor", "yard", "street", "field"];

fn shipped(name: &str) -> SceneFile {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/scenes");
    SceneFile::load(&folder.join(name).with_extension("yaml")).unwrap()
}

/// What is wrong with a scene file of this text, without the file's name.
fn error(text: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("scene.yaml");
    fs::write(&path, text).unwrap();
    let error = SceneFile::load(&path).unwrap_err().to_string();
    assert!(error.contains("scene.yaml'") && !error.contains('\n'), "{error}");
    error
}

#[test]
fn shipped_files_say_what_the_layouts_default_to() {
    for name in NAMES {
        let file = shipped(name);
        assert_eq!(file.ranges, Ranges::new(file.layout, &[]).unwrap(), "{name}");
        let radar = if matches!(name, "yard" | "street" | "field") { "ars548" } else { "awr1843" };
        assert_eq!(file.sensors.radars[0].model, radar);
        assert_eq!((file.name.as_str(), file.sensors.lidar.model.as_str()), (name, "os1-64"));
    }
}

#[test]
fn every_wrong_key_is_named_with_its_line() {
    let mesh = "layout: mesh\nmesh:\n  file: no.glb\n";
    let cases = [
        ("layout: warehouse\npeopel: 3\n".to_owned(), "line 2: unknown key 'peopel', did you mean 'people'?"),
        ("layout: castle\n".into(), "line 1: unknown value 'castle', expected one of warehouse"),
        ("people: 3\n".into(), "layout"),
        (
            "layout: warehouse\nwidth_m: [-3, 4]\n".into(),
            "line 2: width_m: expected numbers from 1.6 to 200, found -3",
        ),
        (
            "layout: warehouse\npeople: -1\n".into(),
            "line 2: people: expected numbers from 0 to 200, found -1",
        ),
        (
            "layout: warehouse\n\nclutter: [2, 1]\n".into(),
            "line 3: clutter: expected [low, high] in this order",
        ),
        ("layout: warehouse\nclutter: .nan\n".into(), "line 2: clutter: non-finite"),
        ("layout: warehouse\nclutter: much\n".into(), "line 2: clutter: expected a number or [low, high]"),
        ("layout: warehouse\nhour: 12\n".into(), "line 2: hour: expected a key of this layout"),
        ("layout: street\nhour: 25\n".into(), "line 2: hour: expected numbers from 0 to 24, found 25"),
        (
            "layout: warehouse\nsensors:\n  lidar: {modle: x}\n".into(),
            "line 3: unknown key 'modle', did you mean 'model'?",
        ),
        (
            "layout: warehouse\nsensors:\n  camera:\n    height_m: -1\n".into(),
            "line 4: height_m: expected numbers of 0 or more",
        ),
        ("layout: mesh\n".into(), "expected a key 'mesh'"),
        (format!("{mesh}  robot_path: [[0, 0, 0], [1, 0, 0]]\n"), "line 3: mesh.file: mesh '"),
        (
            format!("{mesh}  robot_path: [[0, 0, 0]]\n"),
            "line 4: mesh.robot_path: expected at least 2 points, found 1",
        ),
        (format!("{mesh}  robot_path: [[0, 0, .nan], [1, 0, 0]]\n"), "mesh.robot_path: expected finite"),
        (
            format!("{mesh}  scale: -1\n  robot_path: [[0, 0, 0], [1, 0, 0]]\n"),
            "line 4: mesh.scale: expected a number from",
        ),
        (
            "layout: hall\nmesh:\n  file: a.ply\n  robot_path: [[0, 0, 0], [1, 0, 0]]\n".into(),
            "mesh: expected it with layout: mesh only",
        ),
        ("layout: [\n".into(), "line"),
    ];
    for (text, expected) in cases {
        let found = error(&text);
        assert!(found.contains(expected), "{text}{found}");
    }
    let found = SceneFile::load(Path::new("no/such.yaml")).unwrap_err().to_string();
    assert!(found.contains("no/such.yaml"), "{found}");
}

#[test]
fn a_mesh_is_a_scene() {
    let folder = tempfile::tempdir().unwrap();
    let obj = "v -20 -20 1\nv 20 -20 1\nv 20 20 1\nv -20 20 1\nf 1 2 3 4\n";
    fs::write(folder.path().join("floor.obj"), obj).unwrap();
    let path = folder.path().join("map.yaml");
    let text = "layout: mesh\nrobot_speed_mps: 1\nmesh:\n  file: floor.obj\n  scale: 0.5\n  \
                material: {lidar_reflectivity: 0.7}\n  robot_path: [[0, 0, 1], [20, 0, 1], [20, 10, 1]]\n";
    fs::write(&path, text).unwrap();
    let scene = SceneFile::load(&path).unwrap().build(1).unwrap();
    let start = scene.robot.placement(0.0).position;
    assert!(start.length() < 1e-4, "{start}");
    let ray = crate::sim::Ray {
        origin: glam::Vec3A::new(1.0, 1.0, 2.0),
        direction: glam::Vec3A::NEG_Z,
        max_m: 9.0,
    };
    let hit = scene.world.during(0.0, 0.0).cast(&ray, 0.0).unwrap();
    assert!((hit.distance_m - 2.0).abs() < 1e-5, "{hit:?}");
    assert_eq!(scene.world.materials[usize::from(hit.material.0)].lidar_reflectivity, 0.7);
}

#[test]
fn scenes_repeat_by_seed_and_differ_between_seeds() {
    for name in NAMES {
        let file = shipped(name);
        let [a, again, b] = [7, 7, 8].map(|seed| file.build(seed).unwrap());
        assert_eq!(a.world.objects, again.world.objects);
        assert_eq!(a.world.materials, again.world.materials);
        assert_eq!(a.robot, again.robot);
        assert_ne!(a.world.objects, b.world.objects);
        assert_ne!(a.world.materials, b.world.materials);
        assert_ne!(a.robot, b.robot);
        assert!(a.world.triangle_count() < 300_000, "{name}: {}", a.world.triangle_count());
    }
}

#[test]
fn the_robot_drives_through_nothing() {
    for name in NAMES {
        for seed in 0..3 {
            let scene = shipped(name).build(seed).unwrap();
            assert!(!scene.robot.is_still());
            let start = scene.robot.placement(0.0).position;
            // On the pavement of a wide street it is some metres beside the origin.
            assert!(start.x.abs() < 8.0 && start.y.abs() < 16.0, "{name}: {start}");
            for step in 0..300 {
                let time = 0.2 * f64::from(step);
                let base = scene.robot.placement(time);
                let snapshot = scene.world.during(time, time);
                // All around at the height of its body, no farther than its sides.
                for k in 0..12 {
                    let (y, x) = (std::f32::consts::TAU * k as f32 / 12.0).sin_cos();
                    let ray = crate::sim::Ray {
                        origin: base.point(glam::Vec3A::new(0.0, 0.0, 0.5)),
                        direction: base.rotation * glam::Vec3A::new(x, y, 0.0),
                        max_m: 0.33,
                    };
                    let hit = snapshot.cast(&ray, 0.0);
                    assert!(hit.is_none(), "{name} {seed} at {time} s: {hit:?}");
                }
            }
            assert!(matches!(scene.robot, Motion::Path(_)));
        }
    }
}

#[test]
fn recordings_hold_enough_boxes() {
    for name in NAMES {
        for seed in 0..2 {
            let scene = shipped(name).build(seed).unwrap();
            let boxes: usize = [0.0, 1.9].into_iter().map(|time| boxes_in_view(&scene, time)).sum();
            assert!(10 * boxes >= 40, "{name} {seed}: {boxes} boxes in two frames");
        }
    }
}

/// Labelled objects within range that a sweep of 64 beams, thinned to every fourth column, meets.
fn boxes_in_view(scene: &Scene, time: f64) -> usize {
    let base = scene.robot.placement(time);
    let snapshot = scene.world.during(time, time);
    let origin = base.point(glam::Vec3A::new(0.0, 0.0, 1.4));
    let mut met = std::collections::BTreeSet::new();
    for beam in 0..64 {
        let (rise, flat) = (22.5 - 45.0 * beam as f32 / 63.0).to_radians().sin_cos();
        for column in 0..256 {
            let (left, ahead) = (std::f32::consts::TAU * column as f32 / 256.0).sin_cos();
            let direction = base.rotation * glam::Vec3A::new(flat * ahead, flat * left, rise);
            let hit = snapshot.cast(&crate::sim::Ray { origin, direction, max_m: 60.0 }, 0.0);
            met.extend(hit.and_then(|hit| hit.object));
        }
    }
    let counts = |number: &u32| {
        let object = &scene.world.objects[*number as usize];
        let range = match object.class {
            Some(ObjectClass::Car | ObjectClass::Truck | ObjectClass::Bus) => 50.0,
            Some(_) => 40.0,
            None => 0.0,
        };
        let offset = object.motion.placement(time).position - base.position;
        offset.truncate().length() < range
    };
    met.iter().filter(|number| counts(number)).count()
}
