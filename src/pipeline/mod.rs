//! What live nodes and replay share: the two pipelines with their stages, parameters, accounting
//! and encoded outputs.
//!
//! In: received messages and the time. Out: encoded messages, or a drop with its reason. A
//! pipeline is owned by no transport: nodes feed it from DDS, replay feeds it from a bag.
