//! KITTI's object benchmark.

use std::f64::consts::FRAC_PI_2;
use std::fs;
use std::path::Path;

use tempfile::TempDir;

use crate::bag::assert_near;
use crate::{floats, imported, isobath, png, refused, write};

/// The camera looks along the LiDAR's x, 1 m above it; camera 2 sits 0.5 m to the right of the reference. The
/// inertial unit is 0.8 m behind the LiDAR.
const CALIBRATION: &str = "P0: 10 0 4 0 0 10 3 0 0 0 1 0
P2: 10 0 4 -5 0 10 3 0 0 0 1 0
R0_rect: 1 0 0 0 1 0 0 0 1
Tr_velo_to_cam: 0 -1 0 0 0 0 -1 1 1 0 0 0
Tr_imu_to_velo: 1 0 0 -0.8 0 1 0 0 0 0 1 0

";
const LABELS: &str = "Van 0.10 1 0.2 10 20 30 50 2.0 1.5 4.0 1.0 1.5 10.0 0.0
Cyclist 0.00 0 0.0 100 10 110 60 1.8 0.6 1.7 -2.0 1.9 20.0 -1.5707963267948966
DontCare -1 -1 -10 1 2 3 4 -1 -1 -1 -1000 -1000 -1000 -10
Tram 0 0 0 1 2 3 4 3 2 10 0 1 30 0
";

fn data_set() -> TempDir {
    let folder = TempDir::new().unwrap();
    let training = folder.path().join("training");
    for frame in ["000000", "000007"] {
        png(&training.join(format!("image_2/{frame}.png")), 8, 6, [10, 20, 30]);
        // One point that camera 2 sees in its column 3: 10 · -0.5 / 5 + 4; one behind the camera; one at its feet.
        let points = [5.0, 0.0, 1.0, 1.0, -5.0, 0.0, 1.0, 0.5, 5.0, 0.0, -90.0, 0.0];
        floats(&training.join(format!("velodyne/{frame}.bin")), &points);
        write(&training.join(format!("calib/{frame}.txt")), CALIBRATION);
        write(&training.join(format!("label_2/{frame}.txt")), LABELS);
    }
    folder
}

#[test]
fn frames_become_a_bag_with_truth() {
    let folder = data_set();
    let bag = imported("kitti", folder.path());
    let topics = ["/camera_info", "/image", "/lidar/points", "/tf", "/truth/annotations", "/truth/depth"];
    assert_eq!(bag.topics(), [&topics[..], &["/truth/detections"]].concat());
    // The second of a stamp is the number of the frame.
    let stamps = vec![1_300_000_000_000_000_000, 1_300_000_007_000_000_000];
    for topic in bag.topics() {
        assert_eq!(bag.stamps(topic), stamps, "{topic}");
    }

    let image = bag.image("/image", 1);
    assert_eq!(
        (image.width, image.height, image.encoding, &image.data[..3]),
        (8, 6, "rgb8", &[10, 20, 30][..])
    );
    assert_eq!(image.header.stamp.0, stamps[1]);
    let info = bag.info(0);
    assert_eq!((info.k, info.width), ([10.0, 0.0, 4.0, 0.0, 10.0, 3.0, 0.0, 0.0, 1.0], 8));
    assert_eq!(info.header.frame_id, image.header.frame_id);

    let points = bag.cloud("/lidar/points", 0, ["x", "y", "z", "intensity"]);
    assert_eq!(points, [[5.0, 0.0, 1.0, 255.0], [-5.0, 0.0, 1.0, 127.5], [5.0, 0.0, -90.0, 0.0]]);
    let (width, depth) = bag.depth(0);
    let seen: Vec<_> = (0..).zip(&depth).filter(|(_, m)| !m.is_nan()).collect();
    assert_eq!((width, depth.len(), seen), (8, 48, vec![(3 * 8 + 3, &5.0)]));

    let boxes = bag.boxes(0);
    let [van, cyclist] = boxes.as_slice() else { panic!("{boxes:?}") };
    assert_eq!((van.class.as_str(), cyclist.class.as_str(), van.id.as_str()), ("car", "bicycle", ""));
    // Its centre is half its height above (1, 1.5, 10) of the reference camera, which is 1 m above the LiDAR.
    assert_near(van.center, [10.0, -1.0, 0.5]);
    assert_near(van.size, [4.0, 1.5, 2.0]);
    // Length along the camera's x is to the LiDAR's right; a quarter turn back it is ahead.
    assert_near([van.yaw, cyclist.yaw], [-FRAC_PI_2, 0.0]);
    assert_near(cyclist.center, [20.0, 2.0, 0.0]);

    let said = bag.annotations(1);
    assert_eq!((said["source"].as_str(), said["frame"].as_str()), (Some("kitti_object"), Some("000007")));
    let objects = said["objects"].as_array().unwrap();
    // 30 px high and partly occluded; 50 px high and in full view.
    assert_eq!(
        (objects[0]["type"].as_str(), objects[0]["difficulty"].as_str()),
        (Some("Van"), Some("moderate"))
    );
    assert_eq!(objects[1]["difficulty"], "easy");
    assert_eq!(objects[0]["box_px"], serde_json::json!([10.0, 20.0, 30.0, 50.0]));
    assert_eq!(said["ignored"][0]["type"], "DontCare");
    assert_eq!(said["ignored"][0]["box_px"], serde_json::json!([1.0, 2.0, 3.0, 4.0]));

    let (parent, t, q) = bag.transform("/tf", "lidar", 0);
    assert_eq!(parent, "base_link");
    assert_near(t, [0.8, 0.0, 0.0]);
    assert_near(q, [0.0, 0.0, 0.0, 1.0]);
    let (_, t, q) = bag.transform("/tf", "camera_optical_frame", 0);
    assert_near(t, [0.8, -0.5, 1.0]);
    assert_near(q.map(|v| v * q[0].signum()), [0.5, -0.5, 0.5, -0.5]);
}

#[test]
fn what_is_imported_is_replayed_without_flags() {
    let folder = data_set();
    let bag = folder.path().join("bag");
    crate::import("kitti", folder.path(), &bag)
        .success()
        .stdout(predicates::str::contains("left out: DontCare 2, Tram 2"));
    let run = folder.path().join("run");
    isobath().arg("replay").arg(&bag).arg("--out").arg(&run).assert().success();
    let run: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(run.join("run.json")).unwrap()).unwrap();
    for node in ["depth", "detection"] {
        assert_eq!(run["nodes"][node]["published"], 2, "{}", run["nodes"][node]);
    }
}

#[test]
fn a_folder_without_labels_has_no_truth_boxes() {
    let folder = data_set();
    let training = folder.path().join("training");
    fs::remove_dir_all(training.join("label_2")).unwrap();
    fs::remove_dir_all(training.join("image_2")).unwrap();
    assert_eq!(imported("kitti", &training).topics(), ["/lidar/points", "/tf"]);
}

#[test]
fn damaged_files_are_named_with_their_line() {
    let damage = |file: &str, content: &str, expected: &[&str]| {
        let folder = data_set();
        write(&folder.path().join("training").join(file), content);
        refused("kitti", folder.path(), expected);
    };
    let with = |from: &str, to: &str| CALIBRATION.replace(from, to);
    damage("velodyne/000007.bin", "123456789012345", &["velodyne/000007.bin", "16 bytes", "found 15"]);
    damage("image_2/000007.png", "no image", &["image_2/000007.png"]);
    damage("calib/000007.txt", &with("P2: 10", "P2: ten"), &["calib/000007.txt', line 2", "'ten'"]);
    damage("calib/000007.txt", &with("R0_rect", "R1_rect"), &["calib/000007.txt", "'R0_rect:'"]);
    damage("calib/000007.txt", &with("R0_rect: 1 0", "R0_rect: 3 0"), &["line 3", "expected a rotation"]);
    let labels = LABELS.replace("100 10 110 60", "100 10 110 sixty");
    damage("label_2/000007.txt", &labels, &["label_2/000007.txt', line 2", "'sixty'"]);
    damage("label_2/000000.txt", "Car 0 0 0\n", &["line 1", "expected 14 numbers, found 3"]);

    let gone = |file: &str, expected: &[&str]| {
        let folder = data_set();
        fs::remove_file(folder.path().join("training").join(file)).unwrap();
        refused("kitti", folder.path(), expected);
    };
    for file in ["calib/000007.txt", "label_2/000007.txt", "velodyne/000007.bin", "image_2/000007.png"] {
        gone(file, &[Path::new(file).with_extension("").to_str().unwrap()]);
    }
}
