//! The ROS 2 side of Isobath: node executables over r2r. Everything that thinks lives in `isobath`.
//!
//! In: messages from DDS, parameters, signals. Out: messages, diagnostics, `/rosout`.
//!
//! Threads: one a node owns it and spins it ([`node`]); one tokio runtime, on the main thread, feeds the
//! intakes and serves parameters and diagnostics; one worker a pipeline owns the model and publishes.

pub mod allocator;
pub mod arguments;
pub mod clock;
pub mod names;
pub mod native;
pub mod node;
pub mod rcl;
pub mod shutdown;
