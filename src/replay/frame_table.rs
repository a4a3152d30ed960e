//! `frames.parquet`: what became of every frame, a row each.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::ReplayError;
use crate::depth::RadarInfluence;
use crate::pipeline::{FrameAccount, FrameFate, Stage};
use crate::table::{Cell, ColumnKind, ParquetTable, TableError};

/// Name of the file.
pub const FRAMES_FILE: &str = "frames.parquet";
/// The `fate` of frames that were published; of others it is the reason of the drop.
pub const PUBLISHED: &str = "published";
/// Columns before the times.
const FIRST: [(&str, ColumnKind); 6] = [
    ("node", ColumnKind::Text),
    ("bag_index", ColumnKind::Integer),
    ("bag", ColumnKind::Text),
    ("stamp_ns", ColumnKind::Integer),
    ("logged_ns", ColumnKind::Integer),
    ("fate", ColumnKind::Text),
];
/// What the radar did to the frame, at the end; empty where there was none.
const RADAR: [&str; 5] =
    ["radar_returns", "radar_agreement", "radar_moved", "radar_match", "radar_persistence"];
/// How many columns there are: end to end, each stage and the age come after the first.
const COLUMNS: usize = FIRST.len() + Stage::COUNT + 2 + RADAR.len();

/// The table being written. A row is written when its frame is through, so that memory does not grow with the
/// recording.
pub(super) struct FrameTable {
    path: PathBuf,
    table: ParquetTable,
    bag: (i64, String),
}

impl FrameTable {
    /// A table in the folder `out`.
    pub fn create(out: &Path) -> Result<Self, ReplayError> {
        let path = out.join(FRAMES_FILE);
        let stages: Vec<String> = Stage::ALL.iter().map(|stage| format!("{}_ms", stage.as_str())).collect();
        let times = std::iter::once("latency_ms")
            .chain(stages.iter().map(String::as_str))
            .chain(std::iter::once("age_ms"))
            .chain(RADAR);
        let columns: Vec<_> = FIRST.into_iter().chain(times.map(|name| (name, ColumnKind::Float))).collect();
        let table = ParquetTable::create(&path, &columns).map_err(|error| cannot_write(&path, &error))?;
        Ok(Self { path, table, bag: (0, String::new()) })
    }

    /// What follows is of bag number `index`.
    pub fn start_bag(&mut self, index: usize, bag: &Path) {
        let name = bag.file_name().unwrap_or(bag.as_os_str()).to_string_lossy().into_owned();
        self.bag = (i64::try_from(index).unwrap_or(i64::MAX), name);
    }

    /// Adds frames of a node.
    pub fn rows(&mut self, node: &str, frames: &[FrameAccount]) -> Result<(), ReplayError> {
        for frame in frames {
            let mut row = [Cell::Float(f64::NAN); COLUMNS];
            let (first, times) = row.split_at_mut(FIRST.len());
            first.copy_from_slice(&[
                Cell::Text(node),
                Cell::Integer(self.bag.0),
                Cell::Text(&self.bag.1),
                Cell::Integer(frame.stamp.0),
                Cell::Integer(frame.arrival.0),
                Cell::Text(match frame.fate {
                    FrameFate::Published { .. } => PUBLISHED,
                    FrameFate::Dropped(reason) => reason.as_str(),
                }),
            ]);
            if let FrameFate::Published { latency, stages, age_ns, radar } = frame.fate {
                let ms = |time: Duration| time.as_secs_f64() * 1e3;
                let stages = stages.iter().map(|stage| stage.map(ms));
                let values = std::iter::once(Some(ms(latency)))
                    .chain(stages)
                    .chain(std::iter::once(age_ns.map(|age_ns| age_ns as f64 * 1e-6)))
                    .chain(radar.map_or([None; RADAR.len()], of_radar));
                for (cell, value) in times.iter_mut().zip(values) {
                    *cell = Cell::Float(value.unwrap_or(f64::NAN));
                }
            }
            self.table.row(&row).map_err(|error| cannot_write(&self.path, &error))?;
        }
        Ok(())
    }

    /// Gives the file its name.
    pub fn finish(self) -> Result<(), ReplayError> {
        let Self { path, table, .. } = self;
        table.finish().map_err(|error| cannot_write(&path, &error))
    }
}

/// The values of the columns [`RADAR`].
fn of_radar(influence: RadarInfluence) -> [Option<f64>; RADAR.len()] {
    let RadarInfluence { returns, agreement, moved, matching, persistence } = influence;
    [Some(returns as f32), agreement, moved, matching, persistence].map(|value| value.map(f64::from))
}

fn cannot_write(path: &Path, error: &TableError) -> ReplayError {
    ReplayError::Write { path: path.to_owned(), reason: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Stamp;
    use crate::sync::DropReason;
    use crate::table::ParquetColumns;

    #[test]
    fn a_row_tells_what_is_known_of_a_frame() {
        let folder = tempfile::tempdir().unwrap();
        let mut table = FrameTable::create(folder.path()).unwrap();
        let ms = Duration::from_millis;
        let stages = [None, Some(ms(1)), Some(ms(2)), Some(ms(3)), Some(ms(4))];
        let radar = RadarInfluence {
            returns: 3,
            agreement: Some(0.25),
            moved: None,
            matching: Some(0.75),
            persistence: Some(-0.5),
        };
        let published =
            FrameFate::Published { latency: ms(11), stages, age_ns: Some(-500_000), radar: Some(radar) };
        let frame = |stamp, fate| FrameAccount { stamp: Stamp(stamp), arrival: Stamp(stamp + 7), fate };
        table.start_bag(1, Path::new("some/folder/bag"));
        let dropped = FrameFate::Dropped(DropReason::Superseded);
        table.rows("depth", &[frame(10, published), frame(20, dropped)]).unwrap();
        table.finish().unwrap();
        let columns = ParquetColumns::open(&folder.path().join(FRAMES_FILE)).unwrap();
        assert_eq!(columns.integers("stamp_ns").unwrap(), [10, 20]);
        assert_eq!(columns.integers("logged_ns").unwrap(), [17, 27]);
        assert_eq!(columns.integers("bag_index").unwrap(), [1, 1]);
        assert_eq!(columns.texts("bag").unwrap().names, ["bag"]);
        assert_eq!(columns.texts("fate").unwrap().names, ["published", "superseded"]);
        for (name, value) in [
            ("latency_ms", 11.0),
            ("decode_ms", f64::NAN),
            ("preprocess_ms", 1.0),
            ("inference_ms", 2.0),
            ("postprocess_ms", 3.0),
            ("encode_ms", 4.0),
            ("age_ms", -0.5),
            ("radar_returns", 3.0),
            ("radar_agreement", 0.25),
            ("radar_moved", f64::NAN),
            ("radar_match", 0.75),
            ("radar_persistence", -0.5),
        ] {
            let [first, second] = columns.floats(name).unwrap()[..] else { panic!("{name}") };
            assert!(first == value || first.is_nan() && value.is_nan(), "{name}: {first}");
            assert!(second.is_nan(), "{name}: a dropped frame has no times");
        }
    }
}
