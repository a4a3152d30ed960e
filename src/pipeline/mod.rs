//! What live nodes and replay share: the two pipelines with their stages, parameters, accounting
//! and encoded outputs.
//!
//! In: received messages and the time. Out: encoded messages, or a drop with its reason. A
//! pipeline is owned by no transport: nodes feed it from DDS, replay feeds it from a bag.
//!
//! Each pipeline has three parts. The *intake* is cheap: it collects messages into frames and says
//! which were dropped. The *model* computes and knows no sensor. The *processor* turns the frames of one
//! sensor into encoded messages with it; several can share one model. A node keeps the intake behind a
//! short lock, model and processor on a worker thread; replay drives all from one thread.

mod accounting;
mod config;
pub mod depth;
pub mod detection;
mod error;
mod frame_log;
mod influence_sums;
mod input;
mod output;
mod parameters;
mod punctuality;
mod rules;
mod stage;
mod task;
mod tf;
mod times;

pub use accounting::{Accounting, InputCount, Problem};
pub use config::{NodeParameters, read_parameter_file, split_assignment};
pub use error::{FrameError, ParameterError, PipelineError};
pub use frame_log::{FrameAccount, FrameFate};
pub use influence_sums::InfluenceSums;
pub use input::{InputKind, InputTopic, SensorInput, type_name_of};
pub use output::{OutputMessage, OutputTopic, WantedTopics};
pub use parameters::{Constraint, Default as DefaultValue, ParameterSet, ParameterSpec, Value};
pub use punctuality::JitterSummary;
pub use stage::Stage;
pub use task::{Intake, MODEL_PARAMETERS, Model, Pacing, Pipeline, Processor, recorded_topics};
pub use tf::{TransformsError, insert_transforms};
pub use times::{LatencyBucket, LatencySummary};
