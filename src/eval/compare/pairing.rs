//! Which frames of two runs are the same.

use std::collections::HashMap;

use super::evaluated_run::FrameName;
use super::{CompareError, FrameBlocks, TaskFrames};

/// Stamps that run back by more than this begin anew, nanoseconds: the same bag again, or a jump of its clock.
const BACK_NS: i64 = 1_000_000_000;

/// A frame within its recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct FrameTime {
    /// How often time ran back before it.
    pass: u32,
    stamp_ns: i64,
}

/// Times by frame; and how often time runs back in each recording.
fn times(frames: &[FrameName]) -> (Vec<FrameTime>, HashMap<u32, u32>) {
    let mut passes: HashMap<u32, (i64, u32)> = HashMap::new();
    let mut times = Vec::with_capacity(frames.len());
    for frame in frames {
        let (last, pass) = passes.entry(frame.recording).or_insert((frame.stamp_ns, 0));
        *pass += u32::from(frame.stamp_ns < last.saturating_sub(BACK_NS));
        *last = frame.stamp_ns;
        times.push(FrameTime { pass: *pass, stamp_ns: frame.stamp_ns });
    }
    (times, passes.into_iter().map(|(recording, (_, pass))| (recording, pass)).collect())
}

/// Checksums of the truth of one task, by recording and frame.
#[derive(Clone, Debug, Default)]
pub(super) struct TruthFrames(HashMap<u32, HashMap<FrameTime, i64>>);

impl TruthFrames {
    /// From the frames of a run and the checksum of each one's truth.
    pub fn new(frames: &[FrameName], crc32s: &[i64]) -> Self {
        let mut all: HashMap<u32, HashMap<FrameTime, i64>> = HashMap::new();
        for ((frame, time), crc32) in frames.iter().zip(times(frames).0).zip(crc32s) {
            all.entry(frame.recording).or_default().insert(time, *crc32);
        }
        Self(all)
    }

    /// The frames of a recording.
    pub fn of(&self, recording: u32) -> Option<&HashMap<FrameTime, i64>> {
        self.0.get(&recording)
    }
}

/// Frames that both runs have.
#[derive(Clone, Debug)]
pub(in crate::eval) struct Pairing {
    /// Index into the frames of A and of B.
    pub pairs: Vec<[usize; 2]>,
    /// The pairs as stretches of time.
    pub blocks: FrameBlocks,
    /// How many there are.
    pub counts: TaskFrames,
}

impl Pairing {
    /// Pairs frames by recording and stamp. `recordings` are those that both have.
    pub fn new(
        task: &'static str,
        a: &[FrameName],
        b: &[FrameName],
        recordings: &[[u32; 2]],
    ) -> Result<Self, CompareError> {
        let ((of_a, back_a), (of_b, back_b)) = (times(a), times(b));
        for [in_a, in_b] in recordings {
            if let (Some(&a), Some(&b)) = (back_a.get(in_a), back_b.get(in_b))
                && a != b
            {
                return Err(CompareError::TimeJumps { task, a, b });
            }
        }
        let partner: HashMap<u32, u32> = recordings.iter().map(|[a, b]| (*b, *a)).collect();
        let mut places: HashMap<(u32, FrameTime), usize> = HashMap::with_capacity(of_b.len());
        for (place, (frame, time)) in b.iter().zip(of_b).enumerate() {
            if let Some(in_a) = partner.get(&frame.recording) {
                places.entry((*in_a, time)).or_insert(place);
            }
        }
        let mut pairs = Vec::new();
        let mut stretches: Vec<((u32, u32), Vec<i64>)> = Vec::new();
        for (place, (frame, time)) in a.iter().zip(of_a).enumerate() {
            // Taken out: a stamp that comes twice is paired once.
            let Some(of_b) = places.remove(&(frame.recording, time)) else { continue };
            pairs.push([place, of_b]);
            match stretches.last_mut() {
                Some((of, stamps)) if *of == (frame.recording, time.pass) => stamps.push(time.stamp_ns),
                _ => stretches.push(((frame.recording, time.pass), vec![time.stamp_ns])),
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

    /// How many pairs do not have the same value of a column of A and of B.
    pub fn different(&self, a: &[i64], b: &[i64]) -> u64 {
        self.pairs.iter().filter(|[in_a, in_b]| a.get(*in_a) != b.get(*in_b)).count() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(of: &[(u32, i64)]) -> Vec<FrameName> {
        of.iter().map(|&(recording, ms)| FrameName { recording, stamp_ns: ms * 1_000_000 }).collect()
    }

    #[test]
    fn frames_are_the_same_by_recording_pass_and_stamp() {
        // Recording 0 of A was played twice, another in between; recording 1 is in A alone.
        let a = frames(&[(0, 0), (0, 1000), (0, 2000), (1, 0), (0, 0), (0, 1000)]);
        let b = frames(&[(2, 1000), (2, 2000), (2, 3000), (2, 1000), (2, 1900)]);
        let pairing = Pairing::new("depth", &a, &b, &[[0, 2]]).unwrap();
        assert_eq!(pairing.pairs, [[1, 0], [2, 1], [5, 3]]);
        let counts = &pairing.counts;
        assert_eq!((counts.frames, counts.only_a, counts.only_b, counts.blocks), (3, 3, 2, 3.0));
        assert_eq!(pairing.different(&[0, 1, 2, 3, 4, 5], &[1, 9, 9, 5, 9]), 1);
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
