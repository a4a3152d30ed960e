//! What a run is worth: metrics, reports, comparisons and pictures.

pub mod compare;
pub mod depth;
pub mod detection;
pub mod html;
mod parquet_columns;
mod parquet_table;
pub mod picture;
pub mod run;
