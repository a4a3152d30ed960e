//! `isobath evaluate` as its users run it: recordings with truth and outputs, what it reports and how it
//! exits.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failed test is a panic")]

mod ablation;
mod figures;
mod frames;
mod kitti;
mod page;
#[allow(dead_code, reason = "shared with the tests of replay")]
#[path = "../cli_bags/recording.rs"]
mod recording;
mod run;
mod scene;
mod trouble;
