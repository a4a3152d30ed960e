//! An imported KITTI benchmark: figures by difficulty.

use std::fs;
use std::path::{Path, PathBuf};

use isobath::bag::{Bag, ReadFilter};
use isobath::message::{Detection3DArray, from_cdr};
use tempfile::TempDir;

use crate::recording::{Recording, encode};
use crate::run::{Run, isobath};

/// The camera is where the LiDAR is and looks along its x.
const CALIBRATION: &str = "P2: 700 0 600 0 0 700 170 0 0 0 1 0
R0_rect: 1 0 0 0 1 0 0 0 1
Tr_velo_to_cam: 0 -1 0 0 0 0 -1 0 1 0 0 0
Tr_imu_to_velo: 1 0 0 0 0 1 0 0 0 0 1 0
";
/// 20 m ahead; 45 m ahead, largely occluded; a van; a cyclist that is too far away to be scored by nuScenes' rules.
const LABELS: &str = "Car 0.00 0 0 560 170 640 222 1.5 1.6 4.0 0.0 1.5 20.0 1.57
Car 0.00 2 0 480 170 520 196 1.5 1.6 4.0 -6.0 1.5 40.0 1.57
Van 0.00 0 0 700 150 800 230 2.2 1.9 5.0 4.0 1.7 20.0 1.57
Cyclist 0.00 0 0 600 170 620 196 1.7 0.6 1.8 1.0 1.5 45.0 1.57
DontCare -1 -1 -10 1 2 3 4 -1 -1 -1 -1000 -1000 -1000 -10
";
const FRAMES: i64 = 3;

fn imported(folder: &Path) -> PathBuf {
    let training = folder.join("training");
    for name in ["image_2", "calib", "label_2", "velodyne"] {
        fs::create_dir_all(training.join(name)).unwrap();
    }
    for frame in 0..FRAMES {
        let file = |name: &str, ending: &str| training.join(format!("{name}/{frame:06}.{ending}"));
        image::RgbImage::new(1200, 370).save(file("image_2", "png")).unwrap();
        fs::write(file("calib", "txt"), CALIBRATION).unwrap();
        fs::write(file("label_2", "txt"), LABELS).unwrap();
        // A point in the near car and one in the van.
        let points = [[20.0_f32, 0.0, -0.7, 0.5], [20.0, -4.0, -0.7, 0.5]];
        let bytes: Vec<u8> = points.iter().flatten().flat_map(|value| value.to_le_bytes()).collect();
        fs::write(file("velodyne", "bin"), bytes).unwrap();
    }
    let bag = folder.join("bag");
    isobath().args(["import", "kitti"]).arg(folder).arg("--out").arg(&bag).assert().success();
    bag
}

/// What a detector would say: the truth but the far car, and whatever `also` adds to a frame.
fn detected(bag: &Path, out: &Path, also: fn(&mut Detection3DArray<'_>)) -> PathBuf {
    let bag = Bag::open(bag).unwrap();
    let topic = bag.info().topics.iter().position(|topic| topic.name == "/truth/detections").unwrap();
    let filter = ReadFilter { topics: Some(vec![topic]), ..ReadFilter::default() };
    let mut recording = Recording::default();
    for (frame, message) in (0..).zip(bag.messages(&filter).unwrap()) {
        let data = message.unwrap().data;
        let mut boxes: Detection3DArray<'_> = from_cdr(&data).unwrap();
        boxes.detections.remove(1);
        for (number, found) in boxes.detections.iter_mut().enumerate() {
            found.results[0].hypothesis.score = 0.9 - 0.1 * number as f64 - 0.01 * frame as f64;
        }
        also(&mut boxes);
        recording.add_bytes::<Detection3DArray<'_>>("/detections", 1000 * frame, encode(&boxes));
    }
    recording.write(out)
}

#[test]
fn an_imported_benchmark_is_told_by_difficulty() {
    let temp = TempDir::new().unwrap();
    let bag = imported(temp.path());
    let truth = ["--truth", bag.to_str().unwrap()];
    let found = detected(&bag, &temp.path().join("found"), |_| ());
    let run = Run::of(&[&found], &truth);
    assert_eq!(run.code, 0, "{}", run.stderr);
    // The devkit's figure of n found of n or more truth boxes is (n - 1)/40: two samples of recall are had.
    for (level, count) in [("easy", 3.0), ("moderate", 3.0), ("hard", 6.0)] {
        run.is_near(&format!("/detection/kitti_r40/car/{level}/truth"), count);
        for figure in ["bev", "3d"] {
            run.is_near(&format!("/detection/kitti_r40/car/{level}/{figure}"), 2.0 / 40.0);
        }
    }
    // 26 px high: too low to be easy. Beyond 40 m and without points, it has no other figures.
    let cyclist = &run.report["detection"]["kitti_r40"]["bicycle"];
    assert!(cyclist["easy"].is_null() && cyclist["bev"].is_null(), "{cyclist}");
    run.is_near("/detection/kitti_r40/bicycle/moderate/truth", 3.0);
    let text = fs::read_to_string(found.join("report.md")).unwrap();
    assert!(text.contains("| car | hard | 6 | 0.0500 | 0.0500 |"), "{text}");
    let page = fs::read_to_string(found.join("report.html")).unwrap();
    assert!(page.contains("difficulty") && page.contains("<td>hard</td>"));

    // Behind the camera and far away nothing is asked for; in the middle of nowhere it is wrong.
    let elsewhere = detected(&bag, &temp.path().join("elsewhere"), |boxes| {
        for x in [-10.0, 60.0] {
            let mut copy = boxes.detections[0].clone();
            copy.bbox.center.position.x = x;
            copy.results[0].hypothesis.score = 0.99;
            boxes.detections.push(copy);
        }
    });
    Run::of(&[&elsewhere], &truth).is_near("/detection/kitti_r40/car/easy/bev", 2.0 / 40.0);
    let wrong = detected(&bag, &temp.path().join("wrong"), |boxes| {
        let mut copy = boxes.detections[0].clone();
        copy.bbox.center.position.y = 6.0;
        copy.results[0].hypothesis.score = 0.99;
        boxes.detections.push(copy);
    });
    // Of three right and three wrong ones half are right at the last recall that is had.
    Run::of(&[&wrong], &truth).is_near("/detection/kitti_r40/car/easy/bev", 2.0 * 0.5 / 40.0);
}

#[test]
fn without_its_camera_a_benchmark_tells_no_difficulty() {
    let temp = TempDir::new().unwrap();
    imported(temp.path());
    fs::remove_dir_all(temp.path().join("training/image_2")).unwrap();
    let bag = temp.path().join("blind");
    isobath().args(["import", "kitti"]).arg(temp.path()).arg("--out").arg(&bag).assert().success();
    let found = detected(&bag, &temp.path().join("found"), |_| ());
    let run = Run::of(&[&found], &["--truth", bag.to_str().unwrap()]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    run.notes(&["3 of 3 frames are left out of KITTI's easy, moderate and hard", "camera_info"]);
    let car = &run.report["detection"]["kitti_r40"]["car"];
    assert!(car["easy"].is_null() && car["bev"].is_number(), "{car}");
}
