//! Recordings with sensors that fail, for measuring how robust a pipeline is.
//!
//! In: a recording, [`Kind`]s, a [`Severity`], a seed. Out: a recording of the same topics in which the
//! messages of the affected sensor are changed and all others are the same bytes. Every number that is
//! drawn depends on the seed, the kind, the topic, the number of the message in its topic and the point: the
//! same seed gives the same bytes.

mod camera;
mod cloud_edit;
mod draw;
mod error;
mod kind;
mod lidar;
mod message_edit;
#[cfg(test)]
mod property_tests;
mod radar;
mod radar_fault;
mod ranking;
mod run;
mod severity;
#[cfg(test)]
mod test_cloud;
mod topics;

pub use error::CorruptError;
pub use kind::{Kind, SensorKind};
pub(crate) use radar_fault::{RadarEdit, RadarFault};
pub use run::{CUSTOM_DATA_KEY, CorruptOptions, CorruptSummary, CorruptWatch, CorruptedTopic, corrupt};
pub use severity::Severity;
