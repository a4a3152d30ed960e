//! Puts the outputs of several lanes into one order that does not depend on how the threads ran.

use std::collections::VecDeque;

use crate::message::Stamp;

struct Lane<T> {
    queue: VecDeque<(Stamp, T)>,
    watermark: Stamp,
    ended: bool,
}

/// Merges by key, then lane, then order within the lane. Keys must not decrease within a lane.
///
/// An item comes out once every other lane has said that nothing smaller will follow.
pub(super) struct Merge<T> {
    lanes: Vec<Lane<T>>,
}

impl<T> Merge<T> {
    /// For `lanes` lanes.
    pub fn new(lanes: usize) -> Self {
        let lane = || Lane { queue: VecDeque::new(), watermark: Stamp(i64::MIN), ended: false };
        Self { lanes: (0..lanes).map(|_| lane()).collect() }
    }

    /// Adds an item of a lane.
    pub fn push(&mut self, lane: usize, key: Stamp, item: T) {
        if let Some(lane) = self.lanes.get_mut(lane) {
            lane.watermark = lane.watermark.max(key);
            lane.queue.push_back((key, item));
        }
    }

    /// No item of `lane` with a smaller key will come.
    pub fn advance(&mut self, lane: usize, watermark: Stamp) {
        if let Some(lane) = self.lanes.get_mut(lane) {
            lane.watermark = lane.watermark.max(watermark);
        }
    }

    /// No item of `lane` will come.
    pub fn end(&mut self, lane: usize) {
        if let Some(lane) = self.lanes.get_mut(lane) {
            lane.ended = true;
        }
    }

    /// Whether all lanes are through.
    pub fn all_ended(&self) -> bool {
        self.lanes.iter().all(|lane| lane.ended)
    }

    /// The next item in order, with its lane, if it is certain.
    pub fn pop(&mut self) -> Option<(usize, T)> {
        let (key, first) = self
            .lanes
            .iter()
            .enumerate()
            .filter_map(|(index, lane)| lane.queue.front().map(|(key, _)| (*key, index)))
            .min()?;
        let certain = self.lanes.iter().enumerate().all(|(index, lane)| {
            // An equal key of a lower lane comes first, so that one must be past it.
            let past = if index < first { lane.watermark > key } else { lane.watermark >= key };
            index == first || lane.ended || !lane.queue.is_empty() || past
        });
        if !certain {
            return None;
        }
        let (_, item) = self.lanes.get_mut(first)?.queue.pop_front()?;
        Some((first, item))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn merged(lanes: &[Vec<i64>; 2], schedule: &[bool]) -> Vec<(usize, i64)> {
        let mut merge = Merge::new(2);
        let mut next = [0, 0];
        let mut out = Vec::new();
        let mut step = |lane: usize, merge: &mut Merge<i64>| {
            match lanes[lane].get(next[lane]) {
                Some(&key) => merge.push(lane, Stamp(key), key),
                None => merge.end(lane),
            }
            next[lane] += 1;
        };
        for &second in schedule {
            step(usize::from(second), &mut merge);
            out.extend(std::iter::from_fn(|| merge.pop()));
        }
        for lane in [0, 1] {
            for _ in 0..=lanes[lane].len() {
                step(lane, &mut merge);
                out.extend(std::iter::from_fn(|| merge.pop()));
            }
        }
        assert!(merge.all_ended());
        out
    }

    proptest! {
        #[test]
        fn the_order_does_not_depend_on_the_schedule(
            mut first in prop::collection::vec(0..20_i64, 0..12),
            mut second in prop::collection::vec(0..20_i64, 0..12),
            schedule in prop::collection::vec(any::<bool>(), 0..30),
        ) {
            first.sort_unstable();
            second.sort_unstable();
            let lanes = [first, second];
            let mut expected: Vec<(usize, i64)> =
                lanes.iter().enumerate().flat_map(|(lane, keys)| keys.iter().map(move |&key| (lane, key))).collect();
            expected.sort_by_key(|&(lane, key)| (key, lane));
            prop_assert_eq!(merged(&lanes, &schedule), expected);
        }
    }
}
