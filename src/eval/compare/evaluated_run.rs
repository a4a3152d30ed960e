//! What `isobath evaluate` left beside a run.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value as Json;

use super::CompareError;
use super::recordings::Recording;
use crate::eval::depth::DepthFigures;
use crate::eval::detection::OverlapHit;
use crate::eval::run::{DEPTH, DETECTIONS, REPORT_FILE, SWEEPS, bag_name};
use crate::table::{ParquetColumns, TableError, TextColumn};

/// Where a frame is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::eval) struct FrameName {
    /// Index into [`EvaluatedRun::recordings`].
    pub recording: u32,
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
    /// Bags with the truth of each of the report's runs; those of a run that have the same name are one.
    pub recordings: Vec<Recording>,
}

/// Figures of depth images, by image in the order of the truth.
#[derive(Debug, Default)]
pub(super) struct DepthRows {
    pub frames: Vec<FrameName>,
    /// Checksum of the truth, by image
    pub truth_crc32: Vec<i64>,
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
    pub overlap: OverlapHit,
    /// Translation (m), scale and orientation (rad) errors where it found something within 2 m, else NaN.
    pub errors: [f64; 3],
}

/// What came of sweeps, in the order of the truth.
#[derive(Debug, Default)]
pub(super) struct DetectionRows {
    pub frames: Vec<FrameName>,
    /// Checksum of the truth, by sweep
    pub truth_crc32: Vec<i64>,
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
        let mut recordings = Vec::new();
        for (run, of_run) in (0..).zip(&named.runs) {
            for path in &of_run.truth {
                let recording = Recording { run, bag: bag_name(Path::new(path)).into_owned() };
                if !recordings.contains(&recording) {
                    recordings.push(recording);
                }
            }
        }
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
                frames: Vec::new(),
                truth_crc32: columns.integers("truth_crc32")?,
                figures: figures.into_iter().collect::<Result<_, _>>()?,
            })
        };
        let frames = self.frame_names(&path, &columns)?;
        let rows = read().map_err(|source| CompareError::Table { path, source })?;
        Ok(DepthRows { frames, ..rows })
    }

    /// `detection_frames.parquet` and `detections.parquet`. The second is not there where nothing was detected.
    pub fn detection(&self) -> Result<DetectionRows, CompareError> {
        let mut rows = DetectionRows::default();
        let (path, columns) = self.table(SWEEPS)?;
        let read = || -> Result<_, TableError> {
            let [truth, found, wrong, crc32] =
                ["truth", "found", "wrong", "truth_crc32"].map(|name| columns.integers(name));
            let counts = truth?.into_iter().zip(found?).zip(wrong?);
            Ok((columns.texts("class")?, counts.zip(crc32?)))
        };
        let names = self.frame_names(&path, &columns)?;
        let (TextColumn { rows: classes, names: class_names }, counts) =
            read().map_err(|source| CompareError::Table { path, source })?;
        rows.class_names = class_names;
        for ((name, class), (((truth, found), wrong), crc32)) in names.into_iter().zip(classes).zip(counts) {
            if rows.frames.last() != Some(&name) {
                rows.frames.push(name);
                rows.truth_crc32.push(crc32);
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
            let overlap = columns.flags("found_bev")?.into_iter().zip(columns.floats("heading_accuracy")?);
            let [ate, ase, aoe] = ["ate", "ase", "aoe"].map(|name| columns.floats(name));
            let errors = ate?.into_iter().zip(ase?).zip(aoe?);
            let values = columns.floats("score")?.into_iter().zip(found).zip(overlap).zip(errors);
            Ok((columns.texts("class")?, values))
        };
        let names = self.frame_names(&path, &columns)?;
        let (classes, values) =
            read().map_err(|source| CompareError::Table { path: path.clone(), source })?;
        rows.detection_names = classes.names;
        // Both tables were written sweep by sweep.
        let mut frame = 0;
        let rows_of_table = names.into_iter().zip(classes.rows).zip(values).enumerate();
        for (row, ((name, class), (((score, found), overlap), errors))) in rows_of_table {
            while rows.frames.get(frame).is_some_and(|frame| *frame != name) {
                frame += 1;
            }
            if frame == rows.frames.len() {
                let expected = "the sweeps of detection_frames.parquet in their order";
                let found = format!("recording {} stamp_ns {}", name.recording, name.stamp_ns);
                return Err(CompareError::Row { path, row, expected, found });
            }
            let ((((a, b), c), d), (bev, heading_accuracy), ((ate, ase), aoe)) = (found, overlap, errors);
            rows.detections.push(DetectionRow {
                frame: frame as u32,
                class,
                score,
                found: [a, b, c, d],
                overlap: OverlapHit { bev, heading_accuracy },
                errors: [ate, ase, aoe],
            });
        }
        Ok(())
    }

    /// Where the frame of each row is from.
    fn frame_names(&self, path: &Path, columns: &ParquetColumns) -> Result<Vec<FrameName>, CompareError> {
        let read = || -> Result<_, TableError> {
            Ok((columns.integers("run")?, columns.texts("bag")?, columns.integers("stamp_ns")?))
        };
        let (runs, bags, stamps) =
            read().map_err(|source| CompareError::Table { path: path.to_owned(), source })?;
        let mut known: HashMap<(i64, u16), u32> = HashMap::new();
        let mut frames = Vec::with_capacity(stamps.len());
        for (row, ((run, bag), stamp_ns)) in runs.into_iter().zip(bags.rows).zip(stamps).enumerate() {
            let name = bags.names.get(usize::from(bag)).map_or("", String::as_str);
            let of_report = || {
                let mut all = (0..).zip(&self.recordings);
                all.find(|(_, known)| known.run == run && known.bag == name).map(|(index, _)| index)
            };
            let Some(recording) = known.get(&(run, bag)).copied().or_else(of_report) else {
                return Err(CompareError::Row {
                    path: path.to_owned(),
                    row,
                    expected: "a bag that report.json names",
                    found: format!("run {run} bag '{name}'"),
                });
            };
            known.insert((run, bag), recording);
            frames.push(FrameName { recording, stamp_ns });
        }
        Ok(frames)
    }
}
