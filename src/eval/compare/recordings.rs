//! Which recordings of two runs are the same: by name, else by their truth.
//!
//! A corrupted copy of a bag has another name and the same truth, message by message.

use std::collections::{HashMap, HashSet};

use super::CompareError;
use super::pairing::TruthFrames;

/// A recording that a run was scored with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Recording {
    /// Index into the report's runs.
    pub run: i64,
    /// Name of the bag with the truth, without its folder.
    pub bag: String,
}

/// The index in A and in B of those that both have: by name, one that a run has several times in turn; those that
/// are left by their truth. `truth` is by task, of A and of B.
pub(super) fn common_recordings(
    recordings: [&[Recording]; 2],
    truth: &[[TruthFrames; 2]],
) -> Result<Vec<[u32; 2]>, CompareError> {
    let mut both = same_names(recordings);
    let left = |side: usize| -> Vec<u32> {
        let taken: HashSet<u32> = both.iter().filter_map(|pair| pair.get(side).copied()).collect();
        (0..).zip(recordings[side]).map(|(index, _)| index).filter(|index| !taken.contains(index)).collect()
    };
    let (left_a, left_b) = (left(0), left(1));
    let mut by_truth = Vec::new();
    for &a in &left_a {
        by_truth.extend(left_b.iter().filter(|b| is_same_truth(truth, a, **b)).map(|b| [a, *b]));
    }
    let name = |side: usize, index: u32| {
        recordings[side].get(index as usize).map_or_else(String::new, |recording| recording.bag.clone())
    };
    for side in [0, 1] {
        for pair in &by_truth {
            let same: Vec<_> = by_truth.iter().filter(|other| other[side] == pair[side]).collect();
            if same.len() > 1 {
                let other = 1 - side;
                let names: Vec<String> = same.iter().map(|pair| name(other, pair[other])).collect();
                let run = ["A", "B"];
                return Err(CompareError::SeveralBags {
                    bag: format!("'{}' of {}", name(side, pair[side]), run[side]),
                    found: format!("'{}' of {}", names.join("', '"), run[other]),
                });
            }
        }
    }
    both.extend(by_truth);
    both.sort_unstable();
    if both.is_empty() {
        let names = |recordings: &[Recording]| {
            let names: Vec<&str> = recordings.iter().map(|recording| recording.bag.as_str()).collect();
            format!("'{}'", names.join("', '"))
        };
        let [a, b] = recordings.map(names);
        return Err(CompareError::OtherBags { a, b });
    }
    Ok(both)
}

fn same_names(recordings: [&[Recording]; 2]) -> Vec<[u32; 2]> {
    let numbered = recordings.map(|of_run| {
        let mut seen: HashMap<&str, u32> = HashMap::new();
        let mut names = Vec::with_capacity(of_run.len());
        for recording in of_run {
            let turn = seen.entry(&recording.bag).or_default();
            names.push((recording.bag.as_str(), *turn));
            *turn += 1;
        }
        names
    });
    let [of_a, of_b] = numbered;
    let places: HashMap<_, u32> = of_b.into_iter().zip(0..).collect();
    let both = (0..).zip(of_a).filter_map(|(a, name)| Some([a, *places.get(&name)?]));
    both.collect()
}

/// Whether the recordings share frames, of whichever task, and the truth of all that they share is equal.
fn is_same_truth(truth: &[[TruthFrames; 2]], a: u32, b: u32) -> bool {
    let mut shared = false;
    for [of_a, of_b] in truth {
        let (Some(of_a), Some(of_b)) = (of_a.of(a), of_b.of(b)) else { continue };
        for (frame, crc32) in of_a {
            match of_b.get(frame) {
                Some(other) if other != crc32 => return false,
                Some(_) => shared = true,
                None => {}
            }
        }
    }
    shared
}

#[cfg(test)]
mod tests {
    use super::super::evaluated_run::FrameName;
    use super::*;

    fn recordings(of: &[(i64, &str)]) -> Vec<Recording> {
        of.iter().map(|&(run, bag)| Recording { run, bag: bag.to_owned() }).collect()
    }

    /// Frames of (recording, milliseconds, checksum of the truth).
    fn truth(of: &[(u32, i64, i64)]) -> TruthFrames {
        let names: Vec<_> =
            of.iter().map(|&(recording, ms, _)| FrameName { recording, stamp_ns: ms * 1_000_000 }).collect();
        let crcs: Vec<_> = of.iter().map(|&(.., crc32)| crc32).collect();
        TruthFrames::new(&names, &crcs)
    }

    #[test]
    fn recordings_are_the_same_by_name_and_turn() {
        let a = recordings(&[(0, "x"), (0, "y"), (1, "x")]);
        let b = recordings(&[(0, "y"), (1, "x"), (2, "z"), (3, "x")]);
        assert_eq!(common_recordings([&a, &b], &[]).unwrap(), [[0, 1], [1, 0], [2, 3]]);
        let (x, y) = (recordings(&[(0, "x")]), recordings(&[(0, "y")]));
        let error = common_recordings([&x, &y], &[]).unwrap_err().to_string();
        assert!(error.contains("'x' in A") && error.contains("'y' in B"), "{error}");
    }

    #[test]
    fn others_are_the_same_if_all_truth_that_they_share_is() {
        let a = recordings(&[(0, "street"), (0, "hall"), (0, "yard")]);
        let b = recordings(&[(0, "yard_fog"), (0, "street"), (1, "hall_fog")]);
        // Frames that one run lost do not matter. The yard differs in one box message.
        let depth = [
            truth(&[(0, 0, 1), (1, 0, 2), (1, 100, 3), (2, 0, 4)]),
            truth(&[(0, 0, 4), (1, 0, 1), (2, 100, 3)]),
        ];
        let boxes = [truth(&[(1, 0, 7), (2, 0, 8)]), truth(&[(0, 0, 9), (2, 0, 7)])];
        let found = common_recordings([&a, &b], &[depth, boxes]).unwrap();
        assert_eq!(found, [[0, 1], [1, 2]]);
    }

    #[test]
    fn which_of_two_copies_is_meant_cannot_be_told() {
        let (one, two) = (recordings(&[(0, "clean")]), recordings(&[(0, "fog"), (1, "rain")]));
        let of_one = truth(&[(0, 0, 1), (0, 100, 2)]);
        let of_two = truth(&[(0, 0, 1), (1, 100, 2)]);
        let error = common_recordings([&one, &two], &[[of_one.clone(), of_two.clone()]]).unwrap_err();
        let text = error.to_string();
        assert!(text.contains("'clean' of A") && text.contains("'fog', 'rain' of B"), "{text}");
        let text = common_recordings([&two, &one], &[[of_two, of_one]]).unwrap_err().to_string();
        assert!(text.contains("'clean' of B") && text.contains("'fog', 'rain' of A"), "{text}");
    }
}
