//! Scores runs: what the nodes published against the truth in the bags they were played.
//!
//! In: run folders of `isobath replay`, or bags recorded live with the nodes' outputs in them; bags with truth.
//! Out: `report.json`, `report.md`, `report.html` and a table of frames for each task. Bags are streamed: a truth
//! message waits for what belongs to it (returns of the radars, a sweep), then for the output of its stamp, and is
//! gone. Depth and detection are scored beside each other, each by a thread that reads and all cores that compare;
//! what is added up is added in the order of the truth, so that the number of threads changes nothing.

mod boxes;
mod depth_frames;
mod depth_score;
mod detection_frames;
mod detection_score;
mod error;
mod evaluate;
mod fate_timeline;
mod frame_marks;
mod frame_tables;
mod kitti_annotations;
mod markdown;
mod matching;
mod page;
mod reading;
mod report;
mod run_timing;
mod sections;
mod source;
mod stamp_join;
mod tasks;
mod topics;

pub(in crate::eval) use evaluate::score_depth;
pub(in crate::eval) use frame_tables::{DEPTH, DETECTIONS, SWEEPS, bag_name};
pub(in crate::eval) use report::REPORT_FILE;
pub(in crate::eval) use source::Source;

pub use error::EvalError;
pub use evaluate::{EvaluateOptions, EvaluateWatch, Evaluation, NoWatch, evaluate};
pub use fate_timeline::{FateStep, FateTimeline};
pub use matching::Matching;
pub use report::{DepthSection, DetectionSection, Report, RunReport};
pub use stamp_join::{Joined, Need, StampJoin};

/// Largest difference between the stamps of a truth message and of an output that belong together: that of the
/// TUM RGB-D tools. Outputs carry the stamp of the image or sweep that they were made of, so where truth has that
/// stamp too the difference is zero.
pub const TOLERANCE_NS: i64 = 20_000_000;
