//! What live nodes and replay share: the two pipelines with their stages, parameters, accounting
//! and encoded outputs.
//!
//! In: received messages and the time. Out: encoded messages, or a drop with its reason. A
//! pipeline is owned by no transport: nodes feed it from DDS, replay feeds it from a bag.
//!
//! Each pipeline has two halves. The *intake* is cheap: it collects messages into frames and says
//! which were dropped. The *processor* owns the model and turns one frame into encoded messages.
//! A node keeps the intake behind a short lock and the processor on a worker thread; replay drives
//! both from one thread.

mod accounting;
mod config;
pub mod depth;
pub mod detection;
mod error;
mod input;
mod output;
mod parameters;
mod task;
mod tf;

pub use accounting::{Accounting, InputCount, LatencySummary, Problem};
pub use config::{NodeParameters, read_parameter_file, split_assignment};
pub use error::{FrameError, ParameterError, PipelineError};
pub use input::{InputKind, InputTopic, SensorInput, type_name_of};
pub use output::{OutputMessage, OutputTopic, WantedTopics};
pub use parameters::{Constraint, ParameterSet, ParameterSpec, Value};
pub use task::{Intake, Pacing, Pipeline, Processor};
pub use tf::{TransformsError, insert_transforms};
