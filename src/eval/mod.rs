//! What a run is worth: metrics, reports and pictures.

pub mod depth;
pub mod detection;
pub mod html;
mod parquet_table;
pub mod picture;
pub mod run;
