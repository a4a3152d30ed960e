//! Public data sets on the user's disk as bags with truth.
//!
//! In: the folder of a KITTI, nuScenes or TUM RGB-D download. Out: a rosbag2 with the topics that the nodes
//! subscribe to and the truth beside them, as simulated bags have it. Files are read one at a time; the same files
//! give the same bytes. What is mapped to what: `docs/import.md`.

mod error;
mod files;
mod kitti;
mod lens;
mod nuscenes;
mod readings;
mod recorder;
mod rigid;
mod time;
mod tum;

use std::collections::BTreeMap;
use std::path::PathBuf;

pub use error::ImportError;
pub use kitti::Difficulty;
pub use recorder::TopicCount;

use self::lens::Pinhole;
use self::recorder::Recorder;
use crate::bag::{BagWriter, OutFolder};

/// The data sets that are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DataSet {
    /// The object benchmark, or one raw drive
    Kitti,
    /// Any version, as v1.0-mini
    NuScenes,
    /// One sequence of the RGB-D benchmark
    Tum,
}

/// What to import.
#[derive(Clone, Debug)]
pub struct ImportOptions {
    /// What the folder holds
    pub data_set: DataSet,
    /// The download
    pub folder: PathBuf,
    /// Folder for the bag: not there, or empty
    pub out: PathBuf,
    /// nuScenes: the only scene wanted, by its name
    pub scene: Option<String>,
}

/// What was imported.
#[derive(Clone, Debug, Default)]
pub struct ImportSummary {
    /// Messages written, by topic
    pub topics: Vec<TopicCount>,
    /// Objects that have no class here and were left out, by what the data set calls them
    pub left_out: BTreeMap<String, u64>,
}

/// A data set that was found and whose tables were read.
trait Source {
    /// For the bag's custom data.
    fn name(&self) -> &'static str;
    /// Images, sweeps and scans to read.
    fn files(&self) -> u64;
    /// Writes everything in the order of time; `done` is told how many of [`Source::files`] are read.
    fn record(&self, recorder: &mut Recorder, done: &mut dyn FnMut(u64)) -> Result<(), ImportError>;
}

/// Imports. `progress` is called with how many of how many files are read. When this fails, nothing is left in
/// the folder.
pub fn import(
    options: &ImportOptions,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<ImportSummary, ImportError> {
    OutFolder::check_for_bag(&options.out)?;
    let folder = &options.folder;
    if options.scene.is_some() && options.data_set != DataSet::NuScenes {
        return Err(ImportError::Option {
            name: "--scene",
            expected: "it with nuscenes only".to_owned(),
            found: options.scene.clone().unwrap_or_default(),
        });
    }
    std::fs::read_dir(folder).map_err(|error| ImportError::read(folder, &error))?;
    let source = match options.data_set {
        DataSet::Kitti => kitti::open(folder)?,
        DataSet::NuScenes => Box::new(nuscenes::NuScenes::open(folder, options.scene.as_deref())?),
        DataSet::Tum => Box::new(tum::Sequence::open(folder)?),
    };
    let out = OutFolder::create(&options.out, &[])?;
    let mut recorder = Recorder::new(BagWriter::create(&options.out)?);
    recorder.remark("isobath_import", source.name());
    recorder.remark("isobath_import_version", env!("CARGO_PKG_VERSION"));
    let files = source.files();
    source.record(&mut recorder, &mut |done| progress(done, files))?;
    let (topics, left_out) = recorder.finish()?;
    out.keep();
    Ok(ImportSummary { topics, left_out })
}
