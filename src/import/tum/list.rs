//! The text files of a sequence: a time and what belongs to it on each line.

use std::path::{Path, PathBuf};

use crate::geometry::{Pose, pose_from_parts};
use crate::import::{ImportError, files, time};
use crate::message::Stamp;

/// A line of `rgb.txt` or `depth.txt`.
#[derive(Debug)]
pub(super) struct Listed {
    pub stamp: Stamp,
    /// Relative to the sequence's folder
    pub file: PathBuf,
}

/// A line of `groundtruth.txt`.
#[derive(Debug)]
pub(super) struct Posed {
    pub stamp: Stamp,
    /// The colour camera's optical frame in the motion capture's
    pub t_world_camera: Pose,
}

fn stamp(path: &Path, line: usize, text: Option<&str>) -> Result<Stamp, ImportError> {
    let text = text.unwrap_or_default();
    time::from_seconds(text).ok_or_else(|| {
        ImportError::line(
            path,
            line,
            format!("expected a time in seconds, as 1305031102.175304, found '{text}'"),
        )
    })
}

/// The lines of a list of files.
pub(super) fn listed_files(path: &Path) -> Result<Vec<Listed>, ImportError> {
    let text = files::text(path)?;
    let mut listed = Vec::new();
    for (line, text) in files::lines(&text) {
        let mut fields = text.split_whitespace();
        let stamp = stamp(path, line, fields.next())?;
        match (fields.next(), fields.next()) {
            (Some(file), None) => listed.push(Listed { stamp, file: PathBuf::from(file) }),
            _ => {
                return Err(ImportError::line(
                    path,
                    line,
                    format!("expected a time and a file, found '{text}'"),
                ));
            }
        }
    }
    if listed.is_empty() {
        return Err(ImportError::file(path, "expected at least one line with a time and a file, found none"));
    }
    Ok(listed)
}

/// The lines of a list of poses.
pub(super) fn poses(path: &Path, text: &str) -> Result<Vec<Posed>, ImportError> {
    let mut poses = Vec::new();
    for (line, text) in files::lines(text) {
        let mut fields = text.split_whitespace();
        let stamp = stamp(path, line, fields.next())?;
        let [x, y, z, rotation @ ..] = files::numbers::<7>(path, line, fields)?;
        let t_world_camera = pose_from_parts([x, y, z], rotation)
            .map_err(|error| ImportError::line(path, line, error.to_string()))?;
        poses.push(Posed { stamp, t_world_camera });
    }
    Ok(poses)
}
