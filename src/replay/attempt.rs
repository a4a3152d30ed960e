//! The folder of a run while the run is under way: what it has written grows in a folder of its own until it is
//! finished, so that a run that was stopped at any moment can go on.
//!
//! ```text
//! OUT/outputs.mcap, frames.parquet, run.json   a finished run
//! OUT/unfinished/                              outputs, notes and at last the summary of the run under way
//! OUT/unfinished.before/                       those of the attempt before, from which its frames are taken
//! ```
//!
//! An attempt writes the outputs anew from the first frame, copying those that the one before has. Killed, it leaves
//! two beginnings of the same recording, of which the longer one is kept.

use std::fs::{self, File, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde_json::Value as Json;

use super::ReplayError;
use super::frame_table::FRAMES_FILE;
use super::identity::difference;
use super::journal::{Journal, read_identity};
use super::stored::StoredFrames;
use crate::bag::OutFolder;

const OUTPUTS: &str = "outputs.mcap";
const SUMMARY: &str = "run.json";
const JOURNAL: &str = "journal.jsonl";
const UNFINISHED: &str = "unfinished";
const BEFORE: &str = "unfinished.before";

/// What there is in the folder of a run to be.
#[derive(Debug, PartialEq)]
pub(super) enum Place {
    /// Nothing, or no folder
    Free,
    /// A run that did not end
    Unfinished,
    /// A run that did, and its summary
    Finished(Json),
}

impl Place {
    /// Looks at `out`, which must be free unless a run is to be resumed. Touches nothing.
    pub fn look(out: &Path, resume: bool) -> Result<Self, ReplayError> {
        let checked = OutFolder::check(out);
        if checked.is_ok() || !resume {
            checked?;
            return Ok(Self::Free);
        }
        let summary = out.join(SUMMARY);
        if summary.exists() {
            let text = fs::read(&summary).map_err(|error| ReplayError::read(&summary, &error))?;
            let run =
                serde_json::from_slice::<Json>(&text).ok().filter(|run| run["outputs_sha256"].is_string());
            return run.map(Self::Finished).ok_or_else(|| ReplayError::NotARun(out.to_owned()));
        }
        if [UNFINISHED, BEFORE].iter().any(|folder| out.join(folder).is_dir()) {
            return Ok(Self::Unfinished);
        }
        Err(ReplayError::NotARun(out.to_owned()))
    }

    /// Refuses what another run than that of `identity` left in `out`.
    pub fn refuse_other(&self, out: &Path, identity: &Json) -> Result<(), ReplayError> {
        let found = match self {
            Self::Free => Vec::new(),
            Self::Finished(summary) => vec![summary.clone()],
            Self::Unfinished => {
                let journals = [UNFINISHED, BEFORE].map(|folder| out.join(folder).join(JOURNAL));
                let found = journals.iter().map(|path| read_identity(path)).collect::<Result<Vec<_>, _>>()?;
                found.into_iter().flatten().collect()
            }
        };
        match found.iter().find_map(|found| difference(identity, found)) {
            Some(difference) => Err(ReplayError::OtherRun { out: out.to_owned(), difference }),
            None => Ok(()),
        }
    }
}

/// One attempt at a run. Dropped before it is finished, it takes away what it wrote, unless there are frames that a
/// later attempt can go on with.
pub(super) struct Attempt {
    out: PathBuf,
    folder: Option<OutFolder>,
    /// Length of a journal without frames
    empty_journal: u64,
    /// Keeps other processes out while it is open.
    _lock: Option<File>,
}

impl Attempt {
    /// Begins a run that is made from `identity`, or goes on with it if `resume` allows: a new journal, and the
    /// frames of earlier attempts. `None` if all of the run is there already.
    pub fn begin(
        out: &Path,
        resume: bool,
        identity: &Json,
    ) -> Result<Option<(Self, Journal, StoredFrames)>, ReplayError> {
        let folder = OutFolder::create(out, &[])?;
        let lock = match lock(out) {
            Ok(lock) => lock,
            Err(error) => {
                // What is in there is another's.
                folder.keep();
                return Err(error);
            }
        };
        let (now, before) = (out.join(UNFINISHED), out.join(BEFORE));
        let place = Place::look(out, resume)?;
        place.refuse_other(out, identity)?;
        let stored = match place {
            Place::Free => StoredFrames::default(),
            Place::Finished(_) => {
                remove(&now)?;
                remove(&before)?;
                folder.keep();
                return Ok(None);
            }
            Place::Unfinished if now.join(SUMMARY).exists() => {
                publish(out)?;
                folder.keep();
                return Ok(None);
            }
            Place::Unfinished => {
                if frames(&now)? > frames(&before)? {
                    remove(&before)?;
                    rename(&now, &before)?;
                } else {
                    remove(&now)?;
                }
                StoredFrames::read(&before.join(JOURNAL), &before.join(OUTPUTS))?.unwrap_or_default()
            }
        };
        fs::create_dir(&now).map_err(|error| ReplayError::write(&now, &error))?;
        let mut attempt =
            Self { out: out.to_owned(), folder: Some(folder), empty_journal: u64::MAX, _lock: lock };
        let journal = Journal::create(&attempt.journal(), identity)?;
        attempt.empty_journal = length(&attempt.journal());
        Ok(Some((attempt, journal, stored)))
    }

    /// Where everything goes until the run is finished.
    pub fn folder(&self) -> PathBuf {
        self.out.join(UNFINISHED)
    }

    /// Where the outputs go.
    pub fn outputs(&self) -> PathBuf {
        self.folder().join(OUTPUTS)
    }

    fn journal(&self) -> PathBuf {
        self.out.join(UNFINISHED).join(JOURNAL)
    }

    /// Puts outputs and frames, which are complete, and the `summary` where finished runs have them.
    ///
    /// The summary is the mark of a finished run, so everything is on the disk before it appears.
    pub fn finish(mut self, summary: &str) -> Result<(), ReplayError> {
        let folder = self.out.join(UNFINISHED);
        let partial = folder.join("run.json.partial");
        fs::write(&partial, summary).map_err(|error| ReplayError::write(&partial, &error))?;
        for file in [OUTPUTS, FRAMES_FILE] {
            sync(&folder.join(file))?;
        }
        sync(&partial)?;
        rename(&partial, &folder.join(SUMMARY))?;
        publish(&self.out)?;
        if let Some(folder) = self.folder.take() {
            folder.keep();
        }
        Ok(())
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        let Some(folder) = self.folder.take() else { return };
        if length(&self.journal()) > self.empty_journal || self.out.join(BEFORE).exists() {
            folder.keep();
            tracing::warn!(
                "the frames recorded so far are kept in '{}': --resume goes on",
                self.out.display()
            );
        } else {
            // The error that ended the run is the one to tell.
            let _ = fs::remove_dir_all(self.out.join(UNFINISHED));
        }
    }
}

/// Frames of the attempt in `folder`; `None` where there was none, or it ended before its first note.
fn frames(folder: &Path) -> Result<Option<u64>, ReplayError> {
    let stored = StoredFrames::read(&folder.join(JOURNAL), &folder.join(OUTPUTS))?;
    Ok(stored.map(|stored| stored.count()))
}

/// Moves a run that is complete out of the folder it grew in. Can be repeated from wherever it was stopped.
fn publish(out: &Path) -> Result<(), ReplayError> {
    let folder = out.join(UNFINISHED);
    for file in [OUTPUTS, FRAMES_FILE] {
        let written = folder.join(file);
        if written.exists() {
            rename(&written, &out.join(file))?;
        }
    }
    rename(&folder.join(SUMMARY), &out.join(SUMMARY))?;
    sync(out)?;
    remove(&folder)?;
    remove(&out.join(BEFORE))
}

/// Refuses a folder that another process writes to. A file system that knows no locks is trusted.
fn lock(out: &Path) -> Result<Option<File>, ReplayError> {
    let Ok(folder) = File::open(out) else { return Ok(None) };
    match folder.try_lock() {
        Ok(()) => Ok(Some(folder)),
        Err(TryLockError::WouldBlock) => Err(ReplayError::InUse(out.to_owned())),
        Err(TryLockError::Error(_)) => Ok(None),
    }
}

fn length(file: &Path) -> u64 {
    fs::metadata(file).map_or(0, |found| found.len())
}

fn sync(path: &Path) -> Result<(), ReplayError> {
    File::open(path).and_then(|file| file.sync_all()).map_err(|error| ReplayError::write(path, &error))
}

fn rename(from: &Path, to: &Path) -> Result<(), ReplayError> {
    fs::rename(from, to).map_err(|error| ReplayError::write(to, &error))
}

/// Removes a folder that may not be there.
fn remove(folder: &Path) -> Result<(), ReplayError> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(ReplayError::write(folder, &error)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::bag::BagWriter;
    use crate::message::Stamp;
    use crate::replay::journal::{Entry, FrameNote};

    fn begin(out: &Path) -> Option<(Attempt, Journal, StoredFrames)> {
        Attempt::begin(out, true, &json!({ "rate": "max" })).unwrap()
    }

    /// An attempt that records `frames` frames of one message and is stopped.
    fn stopped_after(out: &Path, frames: i64) -> u64 {
        let (attempt, mut journal, stored) = begin(out).unwrap();
        let mut writer = BagWriter::create(attempt.outputs()).unwrap();
        let topic = writer.add_topic("/a", "std_msgs/msg/String", None, "string data", &[]).unwrap();
        for i in 0..frames {
            writer.write(topic, Stamp(i), &[0; 10]).unwrap();
            let frame = FrameNote {
                number: i as u64,
                stamp_ns: i,
                messages: 1,
                latency_us: 1,
                stages_us: [].into(),
                radar: None,
            };
            journal.note(&Entry { bag: 0, lane: 0, frame }).unwrap();
        }
        writer.finish().unwrap();
        stored.count()
    }

    fn names(out: &Path) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(out)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn the_attempt_that_got_farthest_is_gone_on_with() {
        let temp = tempfile::tempdir().unwrap();
        let out = temp.path().join("out");
        // Each is told what the best one before has.
        assert_eq!([5, 2, 0, 7, 3].map(|frames| stopped_after(&out, frames)), [0, 5, 5, 5, 7]);
        let (attempt, journal, mut stored) = begin(&out).unwrap();
        assert_eq!((stored.count(), stored.take_notes(0, 0).len(), stored.take_notes(0, 1).len()), (7, 7, 0));
        assert_eq!(stored.next_message(Stamp(0)).unwrap().topic, "/a");
        assert!(stored.next_message(Stamp(7)).is_err(), "a message of another frame");

        drop(journal);
        fs::write(attempt.outputs(), "outputs").unwrap();
        fs::write(attempt.folder().join(FRAMES_FILE), "frames").unwrap();
        let finished = json!({ "rate": "max", "outputs_sha256": "" }).to_string();
        attempt.finish(&finished).unwrap();
        assert_eq!(names(&out), [FRAMES_FILE, OUTPUTS, SUMMARY]);
        assert!(begin(&out).is_none());
        let other = Attempt::begin(&out, true, &json!({ "rate": "2" })).err().unwrap();
        assert!(matches!(other, ReplayError::OtherRun { .. }), "{other}");
    }

    #[test]
    fn an_attempt_without_a_frame_leaves_nothing() {
        let temp = tempfile::tempdir().unwrap();
        let out = temp.path().join("out");
        assert_eq!(stopped_after(&out, 0), 0);
        assert!(!out.exists());
        // Killed before it could tidy up.
        fs::create_dir_all(out.join(UNFINISHED)).unwrap();
        assert_eq!(stopped_after(&out, 1), 0);
        assert_eq!(stopped_after(&out, 0), 1);
    }

    #[test]
    fn two_processes_do_not_share_a_folder() {
        let temp = tempfile::tempdir().unwrap();
        let first = begin(temp.path());
        let second = Attempt::begin(temp.path(), true, &json!({ "rate": "max" })).err().unwrap();
        assert!(matches!(second, ReplayError::InUse(_)), "{second}");
        assert_eq!(names(temp.path()), [UNFINISHED]);
        drop(first);
        assert!(begin(temp.path()).is_some());
    }

    #[test]
    fn a_run_killed_while_its_results_are_moved_is_finished() {
        let temp = tempfile::tempdir().unwrap();
        let finished = json!({ "rate": "max", "outputs_sha256": "" }).to_string();
        for moved in [false, true] {
            let out = temp.path().join(moved.to_string());
            stopped_after(&out, 3);
            for (file, text) in [(SUMMARY, finished.as_str()), (FRAMES_FILE, "frames")] {
                fs::write(out.join(UNFINISHED).join(file), text).unwrap();
            }
            if moved {
                fs::rename(out.join(UNFINISHED).join(OUTPUTS), out.join(OUTPUTS)).unwrap();
            }
            assert!(begin(&out).is_none());
            assert_eq!(names(&out), [FRAMES_FILE, OUTPUTS, SUMMARY]);
            // And one killed between the last move and tidying up.
            fs::create_dir(out.join(BEFORE)).unwrap();
            assert!(begin(&out).is_none());
            assert_eq!(names(&out), [FRAMES_FILE, OUTPUTS, SUMMARY]);
        }
    }
}
