//! What a run is worth: metrics, reports, comparisons and pictures.

pub mod ablation;
pub mod compare;
pub mod depth;
pub mod detection;
pub mod html;
pub mod picture;
pub mod run;
