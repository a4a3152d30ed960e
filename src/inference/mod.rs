//! Models: folders with a manifest, ONNX Runtime, providers and sessions.
//!
//! In: a model folder and a request (precision, provider, threads). Out: a session whose golden
//! output was checked, or one error that says what was expected and found.
