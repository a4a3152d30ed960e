//! The ROS 2 side of Isobath: node executables over r2r. Everything that thinks lives in `isobath`.
//!
//! In: messages from DDS, parameters, signals. Out: messages, diagnostics, `/rosout`.
//!
//! Threads: one a node owns it and spins it ([`node`]); one tokio runtime, on the main thread, feeds the
//! intakes ([`seats`]) and serves parameters and diagnostics ([`process`]); one worker a model owns it and
//! publishes ([`worker`]).

pub mod arguments;
pub mod arrivals;
pub mod clock;
pub mod demo;
pub mod diagnostics;
pub mod function;
pub mod graph;
pub mod health;
pub mod names;
pub mod native;
pub mod node;
pub mod parameter_services;
pub mod parameters;
pub mod process;
pub mod publishers;
pub mod rcl;
pub mod rosout;
pub mod seats;
pub mod shutdown;
pub mod subscriptions;
pub mod suite;
pub mod worker;
