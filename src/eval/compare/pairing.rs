//! Which frames of two runs are the same.

use std::collections::HashMap;

use super::evaluated_run::FrameName;
use super::{CompareError, FrameBlocks, TaskFrames};

/// Stamps that run back by more than this begin anew, nanoseconds: another bag of the run, or a jump of its clock.
const BACK_NS: i64 = 1_000_000_000;

/// A frame by what is the same in both runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct FrameKey {
    /// Index into the recordings that both have.
    recording: usize,
    /// How often time ran back before it.
    pass: u32,
    stamp_ns: i64,
}

/// Frames that both runs have.
#[derive(Clone, Debug)]
pub(super) struct Pairing {
    /// Index into the frames of A and of B.
    pub pairs: Vec<[usize; 2]>,
    /// The pairs as stretches of time.
    pub blocks: FrameBlocks,
    /// How many there are.
    pub counts: TaskFrames,
}

/// Recordings by name: the index in A's report and in B's of those that both have. One that a report has several
/// times is a recording each time.
pub(super) fn common_recordings(a: &[String], b: &[String]) -> Result<Vec<[i64; 2]>, CompareError> {
    let numbered = |names: &[String]| -> Vec<(String, usize)> {
        let mut seen: HashMap<&str, usize> = HashMap::new();
        let mut number = |name: &str| {
            let times = seen.entry(names.iter().find(|other| *other == name).map_or("", String::as_str));
            let times = times.or_insert(0);
            *times += 1;
            *times
        };
        names.iter().map(|name| (name.clone(), number(name))).collect()
    };
    let (of_a, of_b) = (numbered(a), numbered(b));
    let both = of_a.iter().zip(0_i64..).filter_map(|(name, of_a)| {
        let of_b = of_b.iter().position(|other| other == name)?;
        Some([of_a, of_b as i64])
    });
    let both: Vec<[i64; 2]> = both.collect();
    if both.is_empty() {
        let names = |names: &[String]| format!("'{}'", names.join("', '"));
        return Err(CompareError::OtherBags { a: names(a), b: names(b) });
    }
    Ok(both)
}

/// Keys by frame, `None` of recordings that only this run has; and how often time runs back.
fn keys(frames: &[FrameName], recordings: impl Fn(i64) -> Option<usize>) -> (Vec<Option<FrameKey>>, u32) {
    let (mut keys, mut pass, mut back) = (Vec::with_capacity(frames.len()), 0, 0);
    let mut last: Option<FrameName> = None;
    for frame in frames {
        let recording = recordings(frame.run);
        match last {
            Some(last) if last.run != frame.run => pass = 0,
            Some(last) if frame.stamp_ns < last.stamp_ns.saturating_sub(BACK_NS) => {
                pass += 1;
                back += u32::from(recording.is_some());
            }
            _ => {}
        }
        last = Some(*frame);
        keys.push(recording.map(|recording| FrameKey { recording, pass, stamp_ns: frame.stamp_ns }));
    }
    (keys, back)
}

impl Pairing {
    /// Pairs frames by recording and stamp. `recordings` are those that both have.
    pub fn new(
        task: &'static str,
        a: &[FrameName],
        b: &[FrameName],
        recordings: &[[i64; 2]],
    ) -> Result<Self, CompareError> {
        let index =
            |side: usize| move |run: i64| recordings.iter().position(|runs| runs.get(side) == Some(&run));
        let ((of_a, back_a), (of_b, back_b)) = (keys(a, index(0)), keys(b, index(1)));
        if back_a != back_b {
            return Err(CompareError::TimeJumps { task, a: back_a, b: back_b });
        }
        let mut places: HashMap<FrameKey, usize> = HashMap::with_capacity(of_b.len());
        for (place, key) in of_b.iter().enumerate() {
            if let Some(key) = key {
                places.entry(*key).or_insert(place);
            }
        }
        let mut pairs = Vec::new();
        let mut stretches: Vec<((usize, u32), Vec<i64>)> = Vec::new();
        for (of_a, key) in of_a.iter().enumerate() {
            // Taken out: a stamp that comes twice is paired once.
            let Some((key, of_b)) = key.and_then(|key| Some((key, places.remove(&key)?))) else { continue };
            pairs.push([of_a, of_b]);
            match stretches.last_mut() {
                Some((of, stamps)) if *of == (key.recording, key.pass) => stamps.push(key.stamp_ns),
                _ => stretches.push(((key.recording, key.pass), vec![key.stamp_ns])),
            }
        }
        if pairs.is_empty() {
            return Err(CompareError::NoCommonFrames { task, a: a.len() as u64, b: b.len() as u64 });
        }
        let blocks = FrameBlocks::new(stretches.iter().map(|(_, stamps)| stamps.as_slice()));
        let counts = TaskFrames {
            frames: pairs.len() as u64,
            only_a: (a.len() - pairs.len()) as u64,
            only_b: (b.len() - pairs.len()) as u64,
            block_s: blocks.block_s(),
            blocks: blocks.count(),
            other_truth: 0,
        };
        Ok(Self { pairs, blocks, counts })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(of: &[(i64, i64)]) -> Vec<FrameName> {
        of.iter().map(|&(run, ms)| FrameName { run, stamp_ns: ms * 1_000_000 }).collect()
    }

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    #[test]
    fn recordings_are_the_same_by_name_and_turn() {
        let found = common_recordings(&names(&["x", "y", "x"]), &names(&["y", "x", "z", "x"])).unwrap();
        assert_eq!(found, [[0, 1], [1, 0], [2, 3]]);
        let error = common_recordings(&names(&["x"]), &names(&["y"])).unwrap_err().to_string();
        assert!(error.contains("'x' in A") && error.contains("'y' in B"), "{error}");
    }

    #[test]
    fn frames_are_the_same_by_recording_pass_and_stamp() {
        // Run 0 of A holds two bags with the same stamps; run 1 is in A alone.
        let a = frames(&[(0, 0), (0, 1000), (0, 2000), (0, 0), (0, 1000), (1, 0)]);
        let b = frames(&[(2, 1000), (2, 2000), (2, 3000), (2, 1000), (2, 1900)]);
        let pairing = Pairing::new("depth", &a, &b, &[[0, 2]]).unwrap();
        assert_eq!(pairing.pairs, [[1, 0], [2, 1], [4, 3]]);
        let counts = &pairing.counts;
        assert_eq!((counts.frames, counts.only_a, counts.only_b, counts.blocks), (3, 3, 2, 3.0));
        let other = frames(&[(2, 0), (2, 1000)]);
        assert!(matches!(
            Pairing::new("depth", &a, &other, &[[0, 2]]),
            Err(CompareError::TimeJumps { a: 1, b: 0, .. })
        ));
        let later = frames(&[(0, 5)]);
        let nothing = Pairing::new("depth", &later, &frames(&[(0, 6)]), &[[0, 0]]);
        assert!(matches!(nothing, Err(CompareError::NoCommonFrames { a: 1, b: 1, .. })));
    }
}
