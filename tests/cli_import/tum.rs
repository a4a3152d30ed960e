//! A sequence of the TUM RGB-D benchmark.

use std::path::PathBuf;

use tempfile::TempDir;

use crate::bag::assert_near;
use crate::{depth_png, imported, png, refused, write};

const IMAGES: &str = "# color images\n# timestamp filename\n1305031102.175304 rgb/a.png\n\
                      1305031102.211214 rgb/b.png\n1305031102.300000 rgb/c.png\n";
/// The last is 20.1 ms from its image.
const DEPTHS: &str = "# depth maps\n1305031102.160407 depth/a.png\n1305031102.226738 depth/b.png\n\
                      1305031102.320100 depth/c.png\n";
const POSES: &str = "# ground truth trajectory\n1305031102.1758 1.0 2.0 3.0 0 0 0 1\n\
                     1305031102.2 1.5 2.0 3.0 -0.5 0.5 -0.5 0.5\n";

fn data_set() -> (TempDir, PathBuf) {
    let folder = TempDir::new().unwrap();
    let sequence = folder.path().join("rgbd_dataset_freiburg1_desk");
    write(&sequence.join("rgb.txt"), IMAGES);
    write(&sequence.join("depth.txt"), DEPTHS);
    write(&sequence.join("groundtruth.txt"), POSES);
    for (index, name) in ["a", "b", "c"].into_iter().enumerate() {
        png(&sequence.join(format!("rgb/{name}.png")), 4, 2, [index as u8, 9, 9]);
        depth_png(
            &sequence.join(format!("depth/{name}.png")),
            4,
            &[0, 5000, 12_500 + index as u16, 1, 0, 0, 0, 65_535],
        );
    }
    (folder, sequence)
}

#[test]
fn a_sequence_becomes_a_bag_with_depth_and_poses() {
    let (_folder, sequence) = data_set();
    let bag = imported("tum", &sequence);
    assert_eq!(bag.topics(), ["/camera_info", "/image", "/tf", "/tf_static", "/truth/depth"]);
    let second = 1_305_031_102_000_000_000;
    assert_eq!(bag.stamps("/image"), [175_304_000, 211_214_000, 300_000_000].map(|ns| second + ns));
    // Truth has the stamp of its image.
    assert_eq!(bag.stamps("/truth/depth"), [175_304_000, 211_214_000].map(|ns| second + ns));
    let (width, depth) = bag.depth(1);
    assert_eq!((width, depth[0].is_nan(), depth[1], depth[2]), (4, true, 1.0, 12_501.0 / 5000.0));
    assert_eq!(bag.image("/image", 2).data[..3], [2, 9, 9]);
    let info = bag.info(0);
    assert_eq!((info.k[0], info.k[5], info.d[0]), (517.3, 255.3, 0.2624));

    let (parent, _, q) = bag.transform("/tf_static", "camera_optical_frame", 0);
    assert_eq!(parent, "base_link");
    assert_near(q, [-0.5, 0.5, -0.5, 0.5]);
    let (parent, t, q) = bag.transform("/tf", "base_link", 1);
    assert_eq!(parent, "odom");
    // A camera that looks along x is on a body that is not turned.
    assert_near(t, [1.5, 2.0, 3.0]);
    assert_near(q.map(|v| v * q[3].signum()), [0.0, 0.0, 0.0, 1.0]);
}

#[test]
fn damaged_files_are_named_with_their_line() {
    let damage = |file: &str, content: &str, expected: &[&str]| {
        let (_folder, sequence) = data_set();
        write(&sequence.join(file), content);
        refused("tum", &sequence, expected);
    };
    damage(
        "rgb.txt",
        &IMAGES.replace("1305031102.2", "1305031102,2"),
        &["rgb.txt', line 4", "1305031102,211214"],
    );
    damage("rgb.txt", "# nothing\n", &["rgb.txt", "found none"]);
    damage("depth.txt", &DEPTHS.replace(" depth/b.png", ""), &["depth.txt', line 3", "a time and a file"]);
    damage("depth.txt", &DEPTHS.replace("depth/b", "depth/x"), &["depth/x.png"]);
    damage(
        "groundtruth.txt",
        &POSES.replace("2.0 3.0 -0.5", "2.0 nan -0.5"),
        &["groundtruth.txt', line 3", "'nan'"],
    );
    damage(
        "groundtruth.txt",
        &POSES.replace("0 0 0 1", "0 0 0 0"),
        &["groundtruth.txt', line 2", "unit quaternion"],
    );
    damage("depth/b.png", "no image", &["depth/b.png"]);
    let (_folder, sequence) = data_set();
    png(&sequence.join("depth/a.png"), 4, 2, [0; 3]);
    refused("tum", &sequence, &["depth/a.png", "expected 16-bit grey"]);
}
