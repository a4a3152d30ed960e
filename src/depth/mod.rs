//! Metric depth from one camera and sparse radar.
//!
//! In: an image view, its camera model, radar returns in the camera frame. Out: depth and
//! confidence at the size of the image, points, a preview.
