//! A raw drive of KITTI.

use std::fs;
use std::path::PathBuf;

use tempfile::TempDir;

use crate::bag::assert_near;
use crate::{depth_png, floats, imported, png, refused, write};

const CAMERAS: &str = "calib_time: 09-Jan-2012 13:57:47
R_rect_00: 1 0 0 0 1 0 0 0 1
P_rect_00: 10 0 4 0 0 10 3 0 0 0 1 0
P_rect_02: 10 0 4 0 0 10 3 0 0 0 1 0
";
const LIDAR: &str = "calib_time: 15-Mar-2012 11:37:16
R: 0 -1 0 0 0 -1 1 0 0
T: 0 0 0
";
const INERTIAL: &str = "R: 1 0 0 0 1 0 0 0 1
T: -1 0 0.5
";
const TRACKLETS: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\" ?>
<!DOCTYPE boost_serialization>
<boost_serialization signature=\"serialization::archive\" version=\"9\">
<tracklets class_id=\"0\" tracking_level=\"0\" version=\"0\">
  <count>2</count><item_version>1</item_version>
  <item class_id=\"1\" tracking_level=\"0\" version=\"1\">
    <objectType>Tram</objectType><h>3</h><w>2</w><l>20</l><first_frame>0</first_frame>
    <poses class_id=\"2\"><count>0</count><item_version>2</item_version></poses>
  </item>
  <item>
    <objectType>Pedestrian</objectType><h>1.8</h><w>0.6</w><l>0.8</l>
    <first_frame>2</first_frame>
    <poses><count>1</count><item_version>2</item_version>
      <item class_id=\"3\" tracking_level=\"0\" version=\"2\"><tx>7</tx><ty>-3</ty><tz>-1.7</tz>
        <rx>0</rx><ry>0</ry><rz>1.25</rz><state>2</state><occlusion>1</occlusion><occlusion_kf>0</occlusion_kf>
        <truncation>0</truncation></item>
    </poses><finished>1</finished>
  </item>
</tracklets>
</boost_serialization>
";
/// 2011-09-26 13:02:25 UTC.
const SECOND: i64 = 1_317_042_145_000_000_000;

fn data_set() -> (TempDir, PathBuf) {
    let folder = TempDir::new().unwrap();
    let day = folder.path().join("2011_09_26");
    write(&day.join("calib_cam_to_cam.txt"), CAMERAS);
    write(&day.join("calib_velo_to_cam.txt"), LIDAR);
    write(&day.join("calib_imu_to_velo.txt"), INERTIAL);
    let drive = day.join("2011_09_26_drive_0001_sync");
    let times = |offset: u32| {
        let time = |frame: u32| format!("2011-09-26 13:02:25.{:09}", frame * 100_000_000 + offset);
        [time(0), time(1), time(2)].join("\n")
    };
    write(&drive.join("image_02/timestamps.txt"), times(20));
    write(&drive.join("velodyne_points/timestamps.txt"), times(10));
    write(&drive.join("oxts/timestamps.txt"), times(0));
    for frame in 0..3 {
        png(&drive.join(format!("image_02/data/{frame:010}.png")), 8, 6, [frame as u8, 0, 0]);
        // A sweep is missing, as in some drives.
        if frame != 1 {
            let points = [2.0 + frame as f32, 0.0, 0.0, 0.2];
            floats(&drive.join(format!("velodyne_points/data/{frame:010}.bin")), &points);
        }
        // North by a ten-thousandth of a degree a frame.
        let pose = format!("49.{frame:04} 8.4 100 0 0 0.5 {}\n", "0 ".repeat(24));
        write(&drive.join(format!("oxts/data/{frame:010}.txt")), pose);
    }
    write(&drive.join("tracklet_labels.xml"), TRACKLETS);
    (folder, drive)
}

#[test]
fn a_drive_becomes_a_bag_with_poses_and_tracklets() {
    let (_folder, drive) = data_set();
    let bag = imported("kitti", &drive);
    assert_eq!(bag.stamps("/image"), [20, 100_000_020, 200_000_020].map(|ns| SECOND + ns));
    assert_eq!(bag.stamps("/lidar/points"), [10, 200_000_010].map(|ns| SECOND + ns));
    assert_eq!(bag.stamps("/tf"), [0, 100_000_000, 200_000_000].map(|ns| SECOND + ns));
    assert_eq!(bag.stamps("/truth/detections"), bag.stamps("/lidar/points"));
    // The frame without a sweep has no depth.
    assert_eq!(bag.stamps("/truth/depth"), [20, 200_000_020].map(|ns| SECOND + ns));
    assert_eq!(bag.depth(1).1.iter().filter(|m| !m.is_nan()).collect::<Vec<_>>(), [&4.0]);
    assert_near(bag.cloud("/lidar/points", 1, ["x", "intensity"])[0], [4.0, 51.0]);

    assert!(bag.boxes(0).is_empty());
    let boxes = bag.boxes(1);
    let [person] = boxes.as_slice() else { panic!("{boxes:?}") };
    // Tracklets stand on their bottom.
    assert_eq!((person.class.as_str(), person.id.as_str()), ("pedestrian", "1"));
    assert_near(person.center, [7.0, -3.0, -0.8]);
    assert_near(person.size, [0.8, 0.6, 1.8]);
    assert_near([person.yaw], [1.25]);
    assert_eq!(bag.annotations(1)["objects"][0]["occlusion"], 1);

    let (parent, t, q) = bag.transform("/tf", "base_link", 2);
    assert_eq!(parent, "odom");
    // Two ten-thousandths of a degree of latitude are 22.264 m at the equator's radius.
    assert!((t[0]).abs() < 1e-6 && (t[1] - 22.264).abs() < 1e-3 && t[2] == 0.0, "{t:?}");
    assert_near(q, [0.0, 0.0, 0.25f64.sin(), 0.25f64.cos()]);
    let (parent, t, _) = bag.transform("/tf_static", "lidar", 0);
    assert_eq!(parent, "base_link");
    assert_near(t, [1.0, 0.0, -0.5]);
    assert_near(bag.transform("/tf_static", "camera_optical_frame", 0).1, [1.0, 0.0, -0.5]);
}

#[test]
fn annotated_depth_is_taken_where_it_was_downloaded() {
    let (_folder, drive) = data_set();
    let mut values = [0u16; 48];
    values[5] = 256 * 7 + 128;
    depth_png(&drive.join("proj_depth/groundtruth/image_02/0000000001.png"), 8, &values);
    let bag = imported("kitti", &drive);
    assert_eq!(bag.stamps("/truth/depth"), [SECOND + 100_000_020]);
    let (width, depth) = bag.depth(0);
    assert_eq!((width, depth[5], depth.iter().filter(|m| m.is_nan()).count()), (8, 7.5, 47));
}

#[test]
fn damaged_files_are_named_with_their_line() {
    let damage = |file: &str, content: &str, expected: &[&str]| {
        let (_folder, drive) = data_set();
        write(&drive.join(file), content);
        refused("kitti", &drive, expected);
    };
    damage("oxts/data/0000000001.txt", "49 8 100 0 0\n", &["0000000001.txt', line 1", "30 numbers, found 5"]);
    damage(
        "image_02/timestamps.txt",
        "2011-09-26 13:02:25.1\n26 Sep 2011\n",
        &["image_02/timestamps.txt', line 2", "'26 Sep 2011'"],
    );
    damage("tracklet_labels.xml", &TRACKLETS.replace("<h>1.8</h>", ""), &["xml', line 10", "element 'h'"]);
    damage("tracklet_labels.xml", &TRACKLETS.replace("1.25", "east"), &["xml', line 15", "'east'"]);
    damage("tracklet_labels.xml", &TRACKLETS.replace("</tracklets>", ""), &["xml', line", "expected XML"]);
    damage("tracklet_labels.xml", "<a/>", &["'tracklets'"]);
    let (_folder, drive) = data_set();
    fs::remove_file(drive.parent().unwrap().join("calib_velo_to_cam.txt")).unwrap();
    refused("kitti", &drive, &["calib_velo_to_cam.txt"]);
}
