//! What a run is worth: metrics, reports, comparisons and pictures.

pub mod compare;
pub mod depth;
pub mod detection;
pub mod html;
pub mod picture;
pub mod run;
