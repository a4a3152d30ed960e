//! What came of each frame, as Parquet files beside the report.
//!
//! Many machines' tables join in any engine: `run` is the index of the report's `runs`, `bag` the name of the
//! recording with the truth, without its folder, `stamp_ns` that of the truth.

use std::borrow::Cow;
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

/// What a recording is called in tables: its name without the folder it lies in.
pub(in crate::eval) fn bag_name(path: &Path) -> Cow<'_, str> {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy()
}

/// Which frame a row is about.
#[derive(Clone, Copy, Debug)]
pub(super) struct FrameId<'a> {
    /// Index of its run.
    pub run: usize,
    /// Recording with its truth.
    pub bag: &'a Path,
    /// Of the truth.
    pub stamp: Stamp,
    /// Checksum of the truth message.
    pub truth_crc32: u32,
}

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
        let first =
            [("run", ColumnKind::Integer), ("bag", ColumnKind::Text), ("stamp_ns", ColumnKind::Integer)];
        let columns = first.iter().chain(columns).copied().collect();
        Self { path: folder.join(name), columns, table: None }
    }

    fn row<'a>(
        &mut self,
        frame: FrameId<'_>,
        bag: &'a str,
        cells: impl IntoIterator<Item = Cell<'a>>,
    ) -> Result<(), EvalError> {
        let first = [Cell::Integer(frame.run as i64), Cell::Text(bag), Cell::Integer(frame.stamp.0)];
        let cells: Vec<Cell<'a>> = first.into_iter().chain(cells).collect();
        let written = self.table().and_then(|table| table.row(&cells));
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
        let counts = ["truth_crc32", "pixels"].map(|name| (name, ColumnKind::Integer));
        let figures = DepthFigures::NAMES.map(|name| (name, ColumnKind::Float));
        let columns: Vec<_> = counts.into_iter().chain(figures).collect();
        Self(Lazy::new(folder, DEPTH, &columns))
    }

    /// Adds an image.
    pub fn row(
        &mut self,
        frame: FrameId<'_>,
        sums: &DepthSums,
        figures: &DepthFigures,
    ) -> Result<(), EvalError> {
        let counts = [frame.truth_crc32.into(), sums.all.pixels as i64].map(Cell::Integer);
        let cells = counts.into_iter().chain(figures.values().map(Cell::Float));
        self.0.row(frame, &bag_name(frame.bag), cells)
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
        let crc = [("truth_crc32", ColumnKind::Integer)];
        let sweeps: Vec<_> = crc.into_iter().chain(class).chain(counts).collect();
        let found = ["found_0_5m", "found_1m", "found_2m", "found_4m", "found_bev", "found_3d"];
        let found = found.map(|name| (name, ColumnKind::Flag));
        let numbers = ["score", "range_m"].map(|name| (name, ColumnKind::Float));
        let errors = ["ate", "ase", "aoe", "ave", "heading_accuracy"].map(|name| (name, ColumnKind::Float));
        let detections: Vec<_> = class.into_iter().chain(numbers).chain(found).chain(errors).collect();
        Self {
            sweeps: Lazy::new(folder, SWEEPS, &sweeps),
            detections: Lazy::new(folder, DETECTIONS, &detections),
        }
    }

    /// Adds a sweep. One with nothing in it has a row without a class: that it was scored must be known.
    pub fn rows(
        &mut self,
        frame: FrameId<'_>,
        classes: &EvalClasses,
        frames: &[FrameRow],
        detections: &[DetectionRow],
    ) -> Result<(), EvalError> {
        let name = |class: u16| classes.get(class).map_or("", |class| class.name.as_str());
        let bag = bag_name(frame.bag);
        let crc = Cell::Integer(frame.truth_crc32.into());
        if frames.is_empty() {
            let nothing = [Cell::Integer(0); 4];
            self.sweeps.row(frame, &bag, [crc, Cell::Text("")].into_iter().chain(nothing))?;
        }
        for FrameRow { class, figures } in frames {
            let counts = [figures.truth, figures.detections, figures.found, figures.wrong];
            let counts = counts.map(|count| Cell::Integer(count.into()));
            let cells = [crc, Cell::Text(name(*class))].into_iter().chain(counts);
            self.sweeps.row(frame, &bag, cells)?;
        }
        for row in detections {
            let numbers = [row.score, row.range_m].map(Cell::Float);
            let overlap = row.overlap;
            let found = row.found.into_iter().chain([overlap.bev, overlap.volume()]).map(Cell::Flag);
            let errors = row.errors.into_iter().chain([overlap.heading_accuracy]).map(Cell::Float);
            let class = [Cell::Text(name(row.class))];
            let cells = class.into_iter().chain(numbers).chain(found).chain(errors);
            self.detections.row(frame, &bag, cells)?;
        }
        Ok(())
    }

    pub fn finish(self) -> Result<(), EvalError> {
        self.sweeps.finish()?;
        self.detections.finish()
    }
}
