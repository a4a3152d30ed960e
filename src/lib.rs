//! Isobath: radar-anchored metric depth and LiDAR detection, live and replayed.
//!
//! The library knows no ROS client and no clock: messages and time come in as arguments, encoded
//! messages go out. The rooms, from the ground up; a room may use those above it in this list:
//!
//! - [`message`]: ROS message structs that borrow, CDR both ways, type hashes
//! - [`geometry`]: poses in time, camera models, boxes
//! - [`sensor`]: messages as images, point clouds and radar returns
//! - [`sync`]: which messages make a frame, and why one did not
//! - [`inference`]: model folders and ONNX Runtime sessions
//! - [`depth`], [`detection`]: the two tasks, from sensor views to results
//! - [`pipeline`]: the stages live nodes and replay share, their parameters and their accounting
//! - [`bag`]: rosbag2 reading and writing
//! - [`table`]: rows as Parquet files
//! - [`import`]: public data sets as bags with truth
//! - [`replay`]: bags through the pipelines
//! - [`sim`]: simulated sensors, and corruptions of recorded ones
//! - [`mod@bench`]: what models cost, through the pipelines' processors
//! - [`eval`]: what a run is worth, as numbers and pictures
//! - [`cli`]: the `isobath` command; [`allocator`]: what it and the nodes set before the first message

pub mod allocator;
pub mod bag;
pub mod bench;
pub mod cli;
pub mod depth;
pub mod detection;
pub mod eval;
pub mod geometry;
pub mod import;
pub mod inference;
pub mod message;
pub mod pipeline;
pub mod replay;
pub mod sensor;
pub mod sim;
pub mod sync;
pub mod table;
