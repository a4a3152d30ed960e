//! Which returns reach the prior, as the frames' own accounts tell it.

use isobath::table::ParquetColumns;

use crate::recording::Recording;
use crate::run::Run;

/// Returns in the image, frame by frame.
fn returns(recording: &Recording, more: &[&str]) -> Vec<f64> {
    let temp = tempfile::tempdir().unwrap();
    let bag = recording.write(&temp.path().join("bag.mcap"));
    let run = Run::of(&bag, more);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let columns = ParquetColumns::open(&run.out().join("frames.parquet")).unwrap();
    let node = columns.texts("node").unwrap();
    let is_depth = |row: &usize| node.names[usize::from(node.rows[*row])] == "depth";
    let all = columns.floats("radar_returns").unwrap();
    (0..all.len()).filter(is_depth).map(|row| all[row]).collect()
}

#[test]
fn lidar_points_are_returns_only_where_that_is_wanted() {
    let recording = Recording::of_frames(4);
    assert_eq!(returns(&recording, &[]), [2.0; 4]);
    let wanted = returns(&recording, &["--set", "depth.lidar_prior=true"]);
    assert_eq!(wanted.len(), 4);
    assert!(wanted.iter().all(|count| (100.0..=202.0).contains(count)), "{wanted:?}");
    let alone = ["--set", "depth.lidar_prior=true", "--set", "depth.radars=0"];
    assert!(returns(&recording, &alone).iter().zip(&wanted).all(|(alone, both)| alone + 2.0 == *both));
}

#[test]
fn a_lidar_takes_the_place_of_a_radar() {
    let temp = tempfile::tempdir().unwrap();
    let bag = Recording::of_frames(1).write(&temp.path().join("bag.mcap"));
    let run = Run::of(&bag, &["--set", "depth.lidar_prior=true", "--set", "depth.radars=4"]);
    run.is_refused(1, &["at most 3 radars beside lidar_prior", "radars 4"]);
}
