//! Poses in time, camera models and boxes: pure functions on `nalgebra` types, in `f64`.
//!
//! Frames are written into names: `t_target_source` maps points of `source` into `target`.
//! Axes follow REP-103 (x forward, y left, z up); camera optical frames x right, y down, z forward.
