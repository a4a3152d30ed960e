//! `isobath replay` over every kind of recording: what it reads, what it says of what it cannot read,
//! and how it exits.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failed test is a panic")]

mod calibration;
mod compressed;
mod damaged;
mod messages;
mod recording;
mod resumed;
mod returns;
mod run;
mod sections;
#[allow(dead_code, reason = "shared with the tests of the library")]
#[path = "../bag/recordings.rs"]
mod storages;
