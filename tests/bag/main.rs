//! Recordings through the public interface: storages, compression, metadata, damage, writing.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failed test is a panic")]

mod compression;
mod damage;
mod metadata;
mod recordings;
mod split;
mod storage;
mod writing;
