//! Notes on the frames that a run has recorded, one JSON object a line, so that a run that was stopped can
//! go on. The first line says what the run is made from.

use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::ReplayError;
use crate::depth::RadarInfluence;

/// What is remembered of a frame beside its outputs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct FrameNote {
    /// Which of the frames that the lane was given of this bag, from 0, failed ones included
    pub number: u64,
    /// Stamp of the trigger, nanoseconds
    pub stamp_ns: i64,
    /// Recorded messages
    pub messages: u32,
    /// From the complete frame to its encoded outputs, microseconds
    pub latency_us: u32,
    /// Of each stage of the pipeline, in its order, microseconds; 0 for one that was not timed
    pub stages_us: Box<[u32]>,
    /// What the radar did to it
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub radar: Option<RadarInfluence>,
}

/// A frame note and whose it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Entry {
    /// Which of the run's bags
    pub bag: usize,
    /// Which lane
    pub lane: usize,
    /// The note
    pub frame: FrameNote,
}

/// A journal that is being written.
pub(super) struct Journal {
    path: PathBuf,
    file: File,
    line: Vec<u8>,
}

impl Journal {
    /// A new journal at `path` of a run that is made from `identity`.
    pub fn create(path: &Path, identity: &Json) -> Result<Self, ReplayError> {
        let file = File::create_new(path).map_err(|error| ReplayError::write(path, &error))?;
        let mut journal = Self { path: path.to_owned(), file, line: Vec::new() };
        journal.put(identity)?;
        Ok(journal)
    }

    /// Notes a frame, after its messages were written.
    pub fn note(&mut self, entry: &Entry) -> Result<(), ReplayError> {
        self.put(entry)
    }

    fn put(&mut self, value: &impl Serialize) -> Result<(), ReplayError> {
        self.line.clear();
        serde_json::to_writer(&mut self.line, value)
            .map_err(|error| ReplayError::write(&self.path, &error))?;
        self.line.push(b'\n');
        self.file.write_all(&self.line).map_err(|error| ReplayError::write(&self.path, &error))
    }
}

/// The whole lines of a journal; none where there is no journal.
fn lines(path: &Path) -> Result<impl Iterator<Item = Result<Vec<u8>, ReplayError>>, ReplayError> {
    let mut file = match File::open(path) {
        Ok(file) => Some(BufReader::new(file)),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => return Err(ReplayError::read(path, &error)),
    };
    Ok(std::iter::from_fn(move || {
        let mut line = Vec::new();
        match file.as_mut()?.read_until(b'\n', &mut line) {
            Ok(_) => (line.pop() == Some(b'\n')).then_some(Ok(line)),
            Err(error) => Some(Err(ReplayError::read(path, &error))),
        }
    }))
}

/// What the run is made from whose journal is at `path`; `None` where there is none, or it was cut off before that.
pub(super) fn read_identity(path: &Path) -> Result<Option<Json>, ReplayError> {
    let first = lines(path)?.next().transpose()?;
    Ok(first.and_then(|line| serde_json::from_slice(&line).ok()))
}

/// The notes of the journal at `path`, up to the first line that is cut off or damaged; `None` as in
/// [`read_identity`].
pub(super) fn read_entries(path: &Path) -> Result<Option<Vec<Entry>>, ReplayError> {
    if read_identity(path)?.is_none() {
        return Ok(None);
    }
    let mut entries = Vec::new();
    for line in lines(path)?.skip(1) {
        let Ok(entry) = serde_json::from_slice(&line?) else { break };
        entries.push(entry);
    }
    Ok(Some(entries))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use serde_json::json;

    use super::*;

    #[test]
    fn a_journal_cut_anywhere_gives_its_whole_lines() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("journal");
        assert_eq!(read_identity(&path).unwrap(), None);
        let identity = json!({ "isobath": "1.0", "start_s": 0.1 });
        let mut journal = Journal::create(&path, &identity).unwrap();
        let entries: Vec<Entry> = (0..5)
            .map(|number| Entry {
                bag: 0,
                lane: number as usize % 2,
                frame: FrameNote {
                    number,
                    stamp_ns: -1,
                    messages: 3,
                    latency_us: 7,
                    stages_us: [1, 2].into(),
                    radar: Some(RadarInfluence { agreement: Some(0.1), ..RadarInfluence::default() }),
                },
            })
            .collect();
        for entry in &entries {
            journal.note(entry).unwrap();
        }
        assert!(Journal::create(&path, &identity).is_err(), "a journal is never overwritten");
        let bytes = fs::read(&path).unwrap();
        for cut in 0..=bytes.len() {
            let whole = bytes[..cut].split(|byte| *byte == b'\n').count() - 1;
            for tail in [0, 100] {
                let mut part = bytes[..cut].to_vec();
                part.resize(cut + tail, 0);
                fs::write(&path, part).unwrap();
                assert_eq!(
                    read_identity(&path).unwrap(),
                    (whole > 0).then(|| identity.clone()),
                    "byte {cut}"
                );
                let expected = whole.checked_sub(1).map(|count| entries[..count].to_vec());
                assert_eq!(read_entries(&path).unwrap(), expected, "byte {cut}");
            }
        }
    }
}
