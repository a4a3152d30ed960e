//! `isobath import` as its users run it, over tiny data sets that the tests make in each format: what is in the
//! bag, by numbers worked out by hand, and one sentence for everything that is wrong with the files.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failed test is a panic")]

mod bag;
#[path = "../support/command.rs"]
mod command;
mod kitti_object;
mod kitti_raw;
mod nuscenes;
mod tum;

use std::fs;
use std::path::Path;

use command::isobath;
use predicates::prelude::*;
use predicates::str::contains;

fn import(data_set: &str, folder: &Path, out: &Path) -> assert_cmd::assert::Assert {
    isobath().args(["import", data_set]).arg(folder).arg("--out").arg(out).assert()
}

/// Imports twice and compares the bytes; gives the bag's messages.
fn imported(data_set: &str, folder: &Path) -> bag::Messages {
    let temp = tempfile::tempdir().unwrap();
    let files = ["a", "b"].map(|name| {
        // The folder's name is in the file's name and in the metadata, so it must be the same.
        let parent = temp.path().join(name);
        fs::create_dir(&parent).unwrap();
        let out = parent.join("bag");
        import(data_set, folder, &out).success();
        (fs::read(out.join("bag_0.mcap")).unwrap(), fs::read(out.join("metadata.yaml")).unwrap())
    });
    assert!(files[0] == files[1], "the same files give the same bytes");
    bag::Messages::read(&temp.path().join("a/bag"))
}

/// Expects exit code 2, one line on stderr with all of `expected`, and no bag.
fn refused(data_set: &str, folder: &Path, expected: &[&str]) {
    let temp = tempfile::tempdir().unwrap();
    let out = temp.path().join("bag");
    let mut assert = import(data_set, folder, &out)
        .code(2)
        .stderr(predicate::function(|text: &str| text.trim_end().lines().count() == 1));
    for text in expected {
        assert = assert.stderr(contains(*text));
    }
    drop(assert);
    assert!(!out.exists(), "{expected:?}: a half bag is left");
}

/// A PNG of one colour.
fn png(path: &Path, width: u32, height: u32, rgb: [u8; 3]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    image::RgbImage::from_pixel(width, height, image::Rgb(rgb)).save(path).unwrap();
}

/// A 16-bit grey PNG of these values, row-major.
fn depth_png(path: &Path, width: u32, values: &[u16]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let height = values.len() as u32 / width;
    let image = image::ImageBuffer::<image::Luma<u16>, _>::from_raw(width, height, values.to_vec()).unwrap();
    image.save(path).unwrap();
}

/// A file of little-endian floats.
fn floats(path: &Path, values: &[f32]) {
    write(path, values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>());
}

fn write(path: &Path, content: impl AsRef<[u8]>) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

#[test]
fn folders_that_are_none_and_targets_that_are_taken() {
    let temp = tempfile::tempdir().unwrap();
    let taken = temp.path().join("taken");
    write(&taken.join("mine.txt"), "mine");
    for (data_set, expected) in [("kitti", "training/"), ("nuscenes", "v1.0-mini"), ("tum", "rgb.txt")] {
        refused(data_set, &temp.path().join("none"), &["none"]);
        refused(data_set, &taken, &[expected, "found mine.txt"]);
    }
    import("tum", temp.path(), &taken).code(1).stderr(contains("is not empty"));
    import("tum", temp.path(), &temp.path().join("bag.mcap")).code(1).stderr(contains("a file name"));
    import("cityscapes", temp.path(), &temp.path().join("bag")).code(1).stderr(contains("nuscenes"));
    isobath()
        .args(["import", "kitti", ".", "--scene", "scene-0061", "--out"])
        .arg(temp.path().join("bag"))
        .assert()
        .code(1)
        .stderr(contains("--scene"));
}
