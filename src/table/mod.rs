//! Tables of rows as Parquet files, so that those of many machines join in any engine.
//!
//! In: rows, one by one. Out: a file that has its name only when it is whole, and its columns by name.

mod columns;
mod writer;

pub use columns::{ParquetColumns, TextColumn};
pub use writer::{Cell, ColumnKind, ParquetTable, TableError};
