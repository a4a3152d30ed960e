//! Suppression of repeated detections by the distance of their centres.
//!
//! Greedy circle suppression as CenterPoint does it (Yin et al., CVPR 2021, released code): the best
//! candidate stays and removes its neighbours of the same class, and so on.

use std::cmp::Ordering;

/// A peak of the heatmap with its centre.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Candidate {
    /// Probability, finite.
    pub score: f32,
    /// Class index.
    pub class: u16,
    /// Row-major index of its cell; breaks ties.
    pub cell: u32,
    /// Centre in the frame of the cloud, metres.
    pub x: f64,
    /// See `x`.
    pub y: f64,
}

impl Candidate {
    /// Descending score, then ascending class, then ascending cell: total, so results repeat.
    pub fn order(&self, other: &Self) -> Ordering {
        other.score.total_cmp(&self.score).then(self.class.cmp(&other.class)).then(self.cell.cmp(&other.cell))
    }
}

/// Sorts `candidates` (see [`Candidate::order`]) and keeps at most `max` of them.
///
/// A candidate falls when a kept one of its class lies within that class's radius (metres, inclusive);
/// a class without a radius, or with radius 0, keeps all but exact repeats. Costs at most
/// `max · candidates`.
pub fn suppress_by_distance(candidates: &mut Vec<Candidate>, radius_m: &[f32], max: usize) {
    candidates.sort_unstable_by(Candidate::order);
    let mut kept = 0;
    for next in 0..candidates.len() {
        if kept == max {
            break;
        }
        let candidate = candidates[next];
        let radius = radius_m.get(usize::from(candidate.class)).map_or(0.0, |&r| f64::from(r));
        let repeats = candidates[..kept].iter().any(|other| {
            other.class == candidate.class
                && (other.x - candidate.x).powi(2) + (other.y - candidate.y).powi(2) <= radius * radius
        });
        if !repeats {
            candidates[kept] = candidate;
            kept += 1;
        }
    }
    candidates.truncate(kept);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn candidate(score: f32, class: u16, cell: u32, x: f64, y: f64) -> Candidate {
        Candidate { score, class, cell, x, y }
    }

    #[test]
    fn the_best_of_a_class_removes_its_neighbours_only() {
        let mut candidates = vec![
            candidate(0.5, 0, 1, 0.9, 0.0),
            candidate(0.9, 0, 2, 0.0, 0.0),
            candidate(0.4, 1, 3, 0.0, 0.0),
            candidate(0.3, 0, 4, 1.8, 0.0),
        ];
        suppress_by_distance(&mut candidates, &[1.0, 1.0], 500);
        let cells: Vec<u32> = candidates.iter().map(|c| c.cell).collect();
        // Cell 4 stays: only the removed cell 1 was near it.
        assert_eq!(cells, [2, 3, 4]);
    }

    #[test]
    fn keeps_the_best_when_there_are_too_many() {
        let mut candidates: Vec<_> =
            (0..20).map(|i| candidate(i as f32 / 20.0, 0, i, f64::from(i) * 10.0, 0.0)).collect();
        suppress_by_distance(&mut candidates, &[1.0], 3);
        assert_eq!(candidates.iter().map(|c| c.cell).collect::<Vec<_>>(), [19, 18, 17]);
        suppress_by_distance(&mut candidates, &[1.0], 0);
        assert!(candidates.is_empty());
    }

    #[test]
    fn equal_scores_fall_back_to_class_and_cell() {
        let mut candidates = vec![
            candidate(0.5, 1, 0, 0.0, 0.0),
            candidate(0.5, 0, 9, 50.0, 0.0),
            candidate(0.5, 0, 3, 90.0, 0.0),
        ];
        suppress_by_distance(&mut candidates, &[1.0, 1.0], 500);
        assert_eq!(
            candidates.iter().map(|c| (c.class, c.cell)).collect::<Vec<_>>(),
            [(0, 3), (0, 9), (1, 0)]
        );
    }

    proptest! {
        #[test]
        fn survivors_are_apart_and_the_rest_was_near_a_better_one(
            points in prop::collection::vec((0u8..10, 0u16..3, -5.0f64..5.0, -5.0f64..5.0), 0..80),
            radius in 0.1f32..3.0,
        ) {
            let all: Vec<_> = points.iter().enumerate()
                .map(|(cell, &(score, class, x, y))| candidate(f32::from(score) / 10.0, class, cell as u32, x, y))
                .collect();
            let mut kept = all.clone();
            suppress_by_distance(&mut kept, &[radius; 3], usize::MAX);
            let near = |a: &Candidate, b: &Candidate| {
                a.class == b.class && (a.x - b.x).powi(2) + (a.y - b.y).powi(2) <= f64::from(radius).powi(2)
            };
            for (index, a) in kept.iter().enumerate() {
                prop_assert!(kept[..index].iter().all(|b| !near(a, b)));
            }
            for lost in all.iter().filter(|c| !kept.contains(c)) {
                prop_assert!(kept.iter().any(|k| near(k, lost) && k.order(lost).is_lt()));
            }
            let mut reversed: Vec<_> = all.into_iter().rev().collect();
            suppress_by_distance(&mut reversed, &[radius; 3], usize::MAX);
            prop_assert_eq!(kept, reversed);
        }
    }
}
