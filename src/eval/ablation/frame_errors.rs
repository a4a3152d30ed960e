//! `AbsRel` of each frame of a condition, as it was scored.

use std::path::Path;

use crate::eval::compare::FrameName;
use crate::eval::run::{DEPTH, EvalError};
use crate::table::{ParquetColumns, TableError};

/// Recordings by the index of their run and their name, in the order in which they were first seen.
#[derive(Debug, Default)]
pub(super) struct Recordings(Vec<(i64, String)>);

impl Recordings {
    fn number(&mut self, run: i64, bag: &str) -> u32 {
        let known = self.0.iter().position(|(of, name)| *of == run && name == bag);
        known.unwrap_or_else(|| {
            self.0.push((run, bag.to_owned()));
            self.0.len() - 1
        }) as u32
    }

    /// Each recording beside itself.
    pub fn pairs(&self) -> Vec<[u32; 2]> {
        (0..self.0.len() as u32).map(|number| [number; 2]).collect()
    }
}

/// Errors of frames in their order.
#[derive(Debug)]
pub(super) struct FrameErrors {
    pub frames: Vec<FrameName>,
    pub abs_rel: Vec<f64>,
}

impl FrameErrors {
    /// Reads the table in `folder`; new recordings are added to `recordings`.
    pub fn read(folder: &Path, recordings: &mut Recordings) -> Result<Self, EvalError> {
        let path = folder.join(DEPTH);
        let mut read = || -> Result<Self, TableError> {
            let columns = ParquetColumns::open(&path)?;
            let (runs, bags) = (columns.integers("run")?, columns.texts("bag")?);
            let mut frames = Vec::with_capacity(runs.len());
            for ((run, bag), stamp_ns) in runs.into_iter().zip(bags.rows).zip(columns.integers("stamp_ns")?) {
                let name = bags.names.get(usize::from(bag)).map_or("", String::as_str);
                frames.push(FrameName { recording: recordings.number(run, name), stamp_ns });
            }
            Ok(Self { frames, abs_rel: columns.floats("abs_rel")? })
        };
        read().map_err(|error| EvalError::RunFile { path: path.clone(), reason: error.to_string() })
    }
}
