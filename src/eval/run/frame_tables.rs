//! What came of each frame, as Parquet files beside the report.
//!
//! Many machines' tables join in any engine: `run` is the index of the report's `runs`, `stamp_ns` that of the
//! truth.

use std::path::{Path, PathBuf};

use super::EvalError;
use crate::eval::depth::{DepthFigures, DepthSums};
use crate::eval::detection::{DetectionRow, EvalClasses, FrameRow};
use crate::message::Stamp;
use crate::table::{Cell, ColumnKind, ParquetTable, TableError};

/// Figures of each depth image.
pub(in crate::eval) const DEPTH: &str = "depth_frames.parquet";
/// Truth and detections of each sweep, by class.
pub(in crate::eval) const SWEEPS: &str = "detection_frames.parquet";
/// Each detection.
pub(in crate::eval) const DETECTIONS: &str = "detections.parquet";

/// Removes the tables of an earlier evaluation.
pub(super) fn remove_old(folder: &Path) -> Result<(), EvalError> {
    for name in [DEPTH, SWEEPS, DETECTIONS] {
        let path = folder.join(name);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(EvalError::Write { path, reason: error.to_string() });
            }
            _ => {}
        }
    }
    Ok(())
}

/// A table that is there once it has a row.
struct Lazy {
    path: PathBuf,
    columns: Vec<(&'static str, ColumnKind)>,
    table: Option<ParquetTable>,
}

impl Lazy {
    fn new(folder: &Path, name: &str, columns: &[(&'static str, ColumnKind)]) -> Self {
        let first = [("run", ColumnKind::Integer), ("stamp_ns", ColumnKind::Integer)];
        let columns = first.iter().chain(columns).copied().collect();
        Self { path: folder.join(name), columns, table: None }
    }

    fn row(&mut self, cells: &[Cell<'_>]) -> Result<(), EvalError> {
        let written = self.table().and_then(|table| table.row(cells));
        written.map_err(|error| EvalError::Write { path: self.path.clone(), reason: error.to_string() })
    }

    fn table(&mut self) -> Result<&mut ParquetTable, TableError> {
        Ok(match &mut self.table {
            Some(table) => table,
            none => none.insert(ParquetTable::create(&self.path, &self.columns)?),
        })
    }

    fn finish(self) -> Result<(), EvalError> {
        let Self { path, table, .. } = self;
        let finished = table.map_or(Ok(()), ParquetTable::finish);
        finished.map_err(|error| EvalError::Write { path, reason: error.to_string() })
    }
}

/// `depth_frames.parquet`.
pub(super) struct DepthTable(Lazy);

impl DepthTable {
    pub fn new(folder: &Path) -> Self {
        let counts = [("pixels", ColumnKind::Integer)];
        let figures = DepthFigures::NAMES.map(|name| (name, ColumnKind::Float));
        let columns: Vec<_> = counts.into_iter().chain(figures).collect();
        Self(Lazy::new(folder, DEPTH, &columns))
    }

    /// Adds an image.
    pub fn row(
        &mut self,
        run: usize,
        stamp: Stamp,
        sums: &DepthSums,
        figures: &DepthFigures,
    ) -> Result<(), EvalError> {
        let first = [run as i64, stamp.0, sums.all.pixels as i64].map(Cell::Integer);
        let cells: Vec<Cell<'_>> = first.into_iter().chain(figures.values().map(Cell::Float)).collect();
        self.0.row(&cells)
    }

    pub fn finish(self) -> Result<(), EvalError> {
        self.0.finish()
    }
}

/// `detection_frames.parquet` and `detections.parquet`.
pub(super) struct DetectionTables {
    sweeps: Lazy,
    detections: Lazy,
}

impl DetectionTables {
    pub fn new(folder: &Path) -> Self {
        let counts = ["truth", "detections", "found", "wrong"].map(|name| (name, ColumnKind::Integer));
        let class = [("class", ColumnKind::Text)];
        let sweeps: Vec<_> = class.into_iter().chain(counts).collect();
        let found = ["found_0_5m", "found_1m", "found_2m", "found_4m"].map(|name| (name, ColumnKind::Flag));
        let numbers = ["score", "range_m"].map(|name| (name, ColumnKind::Float));
        let errors = ["ate", "ase", "aoe", "ave"].map(|name| (name, ColumnKind::Float));
        let detections: Vec<_> = class.into_iter().chain(numbers).chain(found).chain(errors).collect();
        Self {
            sweeps: Lazy::new(folder, SWEEPS, &sweeps),
            detections: Lazy::new(folder, DETECTIONS, &detections),
        }
    }

    /// Adds a sweep. One with nothing in it has a row without a class: that it was scored must be known.
    pub fn rows(
        &mut self,
        run: usize,
        stamp: Stamp,
        classes: &EvalClasses,
        frames: &[FrameRow],
        detections: &[DetectionRow],
    ) -> Result<(), EvalError> {
        let name = |class: u16| classes.get(class).map_or("", |class| class.name.as_str());
        let first = [run as i64, stamp.0].map(Cell::Integer);
        if frames.is_empty() {
            let nothing =
                [Cell::Text(""), Cell::Integer(0), Cell::Integer(0), Cell::Integer(0), Cell::Integer(0)];
            let cells: Vec<_> = first.into_iter().chain(nothing).collect();
            self.sweeps.row(&cells)?;
        }
        for FrameRow { class, figures } in frames {
            let counts = [figures.truth, figures.detections, figures.found, figures.wrong];
            let counts = counts.map(|count| Cell::Integer(count.into()));
            let cells: Vec<_> = first.into_iter().chain([Cell::Text(name(*class))]).chain(counts).collect();
            self.sweeps.row(&cells)?;
        }
        for row in detections {
            let numbers = [row.score, row.range_m].map(Cell::Float);
            let found = row.found.map(Cell::Flag);
            let errors = row.errors.map(Cell::Float);
            let class = [Cell::Text(name(row.class))];
            let cells: Vec<_> =
                first.into_iter().chain(class).chain(numbers).chain(found).chain(errors).collect();
            self.detections.row(&cells)?;
        }
        Ok(())
    }

    pub fn finish(self) -> Result<(), EvalError> {
        self.sweeps.finish()?;
        self.detections.finish()
    }
}
