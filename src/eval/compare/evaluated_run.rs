//! What `isobath evaluate` left beside a run.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value as Json;

use super::CompareError;
use crate::eval::depth::DepthFigures;
use crate::eval::run::{DEPTH, DETECTIONS, REPORT_FILE, SWEEPS};
use crate::table::{ParquetColumns, TableError, TextColumn};

/// A frame as tables name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FrameName {
    /// Index into the report's runs.
    pub run: i64,
    /// Of the truth.
    pub stamp_ns: i64,
}

/// The part of `report.json` that says which frames are which.
#[derive(Debug, Deserialize)]
struct Recordings {
    runs: Vec<RunTruth>,
}

#[derive(Debug, Deserialize)]
struct RunTruth {
    truth: Vec<String>,
}

/// An evaluated run.
#[derive(Debug)]
pub(super) struct EvaluatedRun {
    /// As it was given.
    pub path: PathBuf,
    folder: PathBuf,
    /// `report.json`.
    pub report: Json,
    /// Names of the bags with the truth of each of the report's runs, without their folders.
    pub recordings: Vec<String>,
}

/// Figures of depth images, by image in the order of the truth.
#[derive(Debug, Default)]
pub(super) struct DepthRows {
    pub frames: Vec<FrameName>,
    /// Pixels of truth
    pub pixels: Vec<i64>,
    /// In the order of [`DepthFigures::NAMES`], by image
    pub figures: Vec<Vec<f64>>,
}

/// What came of one class in one sweep.
#[derive(Clone, Copy, Debug)]
pub(super) struct ClassRow {
    /// Index into the frames.
    pub frame: u32,
    /// Index into `class_names`.
    pub class: u16,
    pub truth: i64,
    pub found: i64,
    pub wrong: i64,
}

/// One detection.
#[derive(Clone, Copy, Debug)]
pub(super) struct DetectionRow {
    pub frame: u32,
    /// Index into `detection_names`.
    pub class: u16,
    pub score: f64,
    pub found: [bool; 4],
    /// Translation error where it found something within 2 m, else NaN, metres.
    pub error_m: f64,
}

/// What came of sweeps, in the order of the truth.
#[derive(Debug, Default)]
pub(super) struct DetectionRows {
    pub frames: Vec<FrameName>,
    pub classes: Vec<ClassRow>,
    pub class_names: Vec<String>,
    pub detections: Vec<DetectionRow>,
    pub detection_names: Vec<String>,
}

impl EvaluatedRun {
    /// Reads the report of a run folder, or of a bag in its folder.
    pub fn open(path: &Path) -> Result<Self, CompareError> {
        let folder = if path.is_dir() { path } else { path.parent().unwrap_or(path) }.to_owned();
        let file = folder.join(REPORT_FILE);
        if !file.is_file() {
            return Err(CompareError::NotEvaluated { run: path.to_owned(), file: REPORT_FILE });
        }
        let fail = |reason: String| CompareError::Report { path: file.clone(), reason };
        let text = std::fs::read_to_string(&file).map_err(|error| fail(error.to_string()))?;
        let report: Json = serde_json::from_str(&text).map_err(|error| fail(error.to_string()))?;
        let named = Recordings::deserialize(&report).map_err(|error| fail(error.to_string()))?;
        let base = |path: &String| match Path::new(path).file_name() {
            Some(name) => name.to_string_lossy().into_owned(),
            None => path.clone(),
        };
        let names = |run: &RunTruth| run.truth.iter().map(base).collect::<Vec<_>>().join(" + ");
        let recordings = named.runs.iter().map(names).collect();
        Ok(Self { path: path.to_owned(), folder, report, recordings })
    }

    /// Frames that the report says were scored.
    pub fn frames(&self, task: &str) -> u64 {
        self.report.pointer(&format!("/{task}/frames")).and_then(Json::as_u64).unwrap_or(0)
    }

    fn table(&self, name: &'static str) -> Result<(PathBuf, ParquetColumns), CompareError> {
        let path = self.folder.join(name);
        if !path.is_file() {
            return Err(CompareError::NotEvaluated { run: self.path.clone(), file: name });
        }
        match ParquetColumns::open(&path) {
            Ok(columns) => Ok((path, columns)),
            Err(source) => Err(CompareError::Table { path, source }),
        }
    }

    /// `depth_frames.parquet`.
    pub fn depth(&self) -> Result<DepthRows, CompareError> {
        let (path, columns) = self.table(DEPTH)?;
        let read = || -> Result<DepthRows, TableError> {
            let figures = DepthFigures::NAMES.map(|name| columns.floats(name));
            Ok(DepthRows {
                frames: frame_names(&columns)?,
                pixels: columns.integers("pixels")?,
                figures: figures.into_iter().collect::<Result<_, _>>()?,
            })
        };
        read().map_err(|source| CompareError::Table { path, source })
    }

    /// `detection_frames.parquet` and `detections.parquet`. The second is not there where nothing was detected.
    pub fn detection(&self) -> Result<DetectionRows, CompareError> {
        let mut rows = DetectionRows::default();
        let (path, columns) = self.table(SWEEPS)?;
        let read = || -> Result<_, TableError> {
            let counts = ["truth", "found", "wrong"].map(|name| columns.integers(name));
            Ok((frame_names(&columns)?, columns.texts("class")?, counts))
        };
        let table = |path: PathBuf| move |source| CompareError::Table { path, source };
        let (names, TextColumn { rows: classes, names: class_names }, [truth, found, wrong]) =
            read().map_err(table(path.clone()))?;
        let at_path = |result: Result<Vec<i64>, TableError>| result.map_err(table(path.clone()));
        let (truth, found, wrong) = (at_path(truth)?, at_path(found)?, at_path(wrong)?);
        rows.class_names = class_names;
        for ((name, class), ((truth, found), wrong)) in
            names.into_iter().zip(classes).zip(truth.into_iter().zip(found).zip(wrong))
        {
            if rows.frames.last() != Some(&name) {
                rows.frames.push(name);
            }
            let frame = rows.frames.len() as u32 - 1;
            rows.classes.push(ClassRow { frame, class, truth, found, wrong });
        }
        if self.folder.join(DETECTIONS).exists() {
            self.read_detections(&mut rows)?;
        }
        Ok(rows)
    }

    fn read_detections(&self, rows: &mut DetectionRows) -> Result<(), CompareError> {
        let (path, columns) = self.table(DETECTIONS)?;
        let read = || -> Result<_, TableError> {
            let [at_half, at_1, at_2, at_4] =
                ["found_0_5m", "found_1m", "found_2m", "found_4m"].map(|name| columns.flags(name));
            let found = at_half?.into_iter().zip(at_1?).zip(at_2?).zip(at_4?);
            let numbers = columns.floats("score")?.into_iter().zip(columns.floats("ate")?);
            Ok((frame_names(&columns)?, columns.texts("class")?, found.zip(numbers)))
        };
        let (names, classes, values) =
            read().map_err(|source| CompareError::Table { path: path.clone(), source })?;
        rows.detection_names = classes.names;
        // Both tables were written sweep by sweep.
        let mut frame = 0;
        for (row, ((name, class), ((((a, b), c), d), (score, error_m)))) in
            names.into_iter().zip(classes.rows).zip(values).enumerate()
        {
            while rows.frames.get(frame).is_some_and(|frame| *frame != name) {
                frame += 1;
            }
            if frame == rows.frames.len() {
                let expected = "the sweeps of detection_frames.parquet in their order";
                let found = format!("run {} stamp_ns {}", name.run, name.stamp_ns);
                return Err(CompareError::Row { path, row, expected, found });
            }
            let found = [a, b, c, d];
            rows.detections.push(DetectionRow { frame: frame as u32, class, score, found, error_m });
        }
        Ok(())
    }
}

fn frame_names(columns: &ParquetColumns) -> Result<Vec<FrameName>, TableError> {
    let (runs, stamps) = (columns.integers("run")?, columns.integers("stamp_ns")?);
    Ok(runs.into_iter().zip(stamps).map(|(run, stamp_ns)| FrameName { run, stamp_ns }).collect())
}
