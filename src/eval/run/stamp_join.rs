//! Which of two streams' items belong together by their stamps.

use std::collections::VecDeque;

use crate::message::Stamp;

/// Stamps that run back further than this start a new recording, as in the pipelines, nanoseconds.
const TIME_JUMP_NS: i64 = 1_000_000_000;

/// What comes of joining.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Joined<L, R> {
    /// Two that belong together.
    Both(L, R),
    /// One of the left that has no partner.
    Left(L),
    /// One of the right that has no partner.
    Right(R),
}

/// Which stream must go on before anything is certain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// The left.
    Left,
    /// The right.
    Right,
    /// None: both are through.
    End,
}

/// Which part of a stream between two jumps of time, and when.
type Key = (u64, Stamp);

#[derive(Debug)]
struct Side<T> {
    queue: VecDeque<(Key, T)>,
    epoch: u64,
    last: Option<Stamp>,
    ended: bool,
}

impl<T> Side<T> {
    const fn new() -> Self {
        Self { queue: VecDeque::new(), epoch: 0, last: None, ended: false }
    }

    fn push(&mut self, stamp: Stamp, item: T) {
        if self.last.is_some_and(|last| last.since_ns(stamp) > TIME_JUMP_NS) {
            self.epoch += 1;
        }
        self.last = Some(stamp);
        self.queue.push_back(((self.epoch, stamp), item));
    }

    fn key(&self, index: usize) -> Option<Key> {
        self.queue.get(index).map(|(key, _)| *key)
    }

    fn pop(&mut self) -> Option<T> {
        self.queue.pop_front().map(|(_, item)| item)
    }
}

/// Joins two streams by stamp, one to one, each with the nearest of the other within the tolerance. Holds two
/// items of each at most if it is given one when it needs one. Where stamps of both run back, what
/// follows is joined with what follows.
#[derive(Debug)]
pub struct StampJoin<L, R> {
    tolerance_ns: i64,
    left: Side<L>,
    right: Side<R>,
}

impl<L, R> StampJoin<L, R> {
    /// Partners are at most `tolerance_ns` apart.
    pub const fn new(tolerance_ns: i64) -> Self {
        Self { tolerance_ns, left: Side::new(), right: Side::new() }
    }

    /// Adds the next item of the left; `None` ends it.
    pub fn push_left(&mut self, item: Option<(Stamp, L)>) {
        match item {
            Some((stamp, item)) => self.left.push(stamp, item),
            None => self.left.ended = true,
        }
    }

    /// Adds the next item of the right; `None` ends it.
    pub fn push_right(&mut self, item: Option<(Stamp, R)>) {
        match item {
            Some((stamp, item)) => self.right.push(stamp, item),
            None => self.right.ended = true,
        }
    }

    /// How often time ran back in the left and in the right.
    pub const fn jumps(&self) -> (u64, u64) {
        (self.left.epoch, self.right.epoch)
    }

    /// The next certain result, or what is needed to be certain.
    pub fn poll(&mut self) -> Result<Joined<L, R>, Need> {
        let (left, right) = match (self.left.key(0), self.right.key(0)) {
            (None, _) if !self.left.ended => return Err(Need::Left),
            (_, None) if !self.right.ended => return Err(Need::Right),
            (None, None) => return Err(Need::End),
            (Some(_), None) => return self.left(),
            (None, Some(_)) => return self.right(),
            (Some(left), Some(right)) => (left, right),
        };
        let Some(apart) = apart_ns(left, right).filter(|apart| *apart <= self.tolerance_ns) else {
            return if left < right { self.left() } else { self.right() };
        };
        if apart > 0 {
            // The next of either side may be nearer.
            match (self.left.key(1), self.right.key(1)) {
                (None, _) if !self.left.ended => return Err(Need::Left),
                (_, None) if !self.right.ended => return Err(Need::Right),
                (Some(next), _) if apart_ns(next, right).is_some_and(|other| other < apart) => {
                    return self.left();
                }
                (_, Some(next)) if apart_ns(left, next).is_some_and(|other| other < apart) => {
                    return self.right();
                }
                _ => {}
            }
        }
        match (self.left.pop(), self.right.pop()) {
            (Some(left), Some(right)) => Ok(Joined::Both(left, right)),
            _ => Err(Need::End),
        }
    }

    fn left(&mut self) -> Result<Joined<L, R>, Need> {
        self.left.pop().map(Joined::Left).ok_or(Need::End)
    }

    fn right(&mut self) -> Result<Joined<L, R>, Need> {
        self.right.pop().map(Joined::Right).ok_or(Need::End)
    }
}

/// How far apart two stamps are; `None` where a jump of time is between them.
fn apart_ns(a: Key, b: Key) -> Option<i64> {
    (a.0 == b.0).then(|| a.1.since_ns(b.1).saturating_abs())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MS: i64 = 1_000_000;

    /// Joins as a reader does; the pairs, and those that are alone.
    fn joined(left: &[i64], right: &[i64], tolerance: i64) -> (Vec<(i64, i64)>, Vec<i64>, Vec<i64>) {
        let mut join = StampJoin::new(tolerance * MS);
        let (mut lefts, mut rights) = (left.iter(), right.iter());
        let item = |value: Option<&i64>| value.map(|value| (Stamp(value * MS), *value));
        let (mut both, mut only_left, mut only_right) = (vec![], vec![], vec![]);
        loop {
            match join.poll() {
                Ok(Joined::Both(left, right)) => both.push((left, right)),
                Ok(Joined::Left(left)) => only_left.push(left),
                Ok(Joined::Right(right)) => only_right.push(right),
                Err(Need::Left) => join.push_left(item(lefts.next())),
                Err(Need::Right) => join.push_right(item(rights.next())),
                Err(Need::End) => return (both, only_left, only_right),
            }
            assert!(join.left.queue.len() <= 2 && join.right.queue.len() <= 2);
        }
    }

    #[test]
    fn equal_stamps_belong_together_and_gaps_are_told() {
        let found = joined(&[100, 200, 300, 400], &[100, 300, 500], 20);
        assert_eq!(found, (vec![(100, 100), (300, 300)], vec![200, 400], vec![500]));
        assert_eq!(joined(&[], &[1, 2], 20), (vec![], vec![], vec![1, 2]));
    }

    #[test]
    fn the_nearest_within_the_tolerance_is_taken() {
        assert_eq!(joined(&[100, 133, 166], &[116, 149], 20).0, [(100, 116), (133, 149)]);
        assert_eq!(joined(&[100, 110], &[111], 20), (vec![(110, 111)], vec![100], vec![]));
        assert_eq!(joined(&[100], &[90, 101], 20), (vec![(100, 101)], vec![], vec![90]));
        assert_eq!(joined(&[100], &[121], 20).0, []);
    }

    #[test]
    fn a_jump_back_is_followed_on_both_sides() {
        let left = [1000, 2000, 3000, 4000, 1000, 2000, 3000];
        let right = [1000, 3000, 4000, 2000, 3000];
        let (both, only_left, only_right) = joined(&left, &right, 20);
        assert_eq!(both, [(1000, 1000), (3000, 3000), (4000, 4000), (2000, 2000), (3000, 3000)]);
        assert_eq!((only_left, only_right), (vec![2000, 1000], vec![]));
    }

    proptest! {
        #[test]
        fn everything_comes_out_once_and_pairs_are_near(
            mut left in prop::collection::vec(0..900_i64, 0..20),
            mut right in prop::collection::vec(0..900_i64, 0..20),
            tolerance in 0..40_i64,
        ) {
            left.sort_unstable();
            right.sort_unstable();
            let (both, only_left, only_right) = joined(&left, &right, tolerance);
            prop_assert!(both.iter().all(|(l, r)| l.abs_diff(*r) <= tolerance.unsigned_abs()));
            let mut all_left: Vec<i64> = both.iter().map(|(l, _)| *l).chain(only_left).collect();
            let mut all_right: Vec<i64> = both.iter().map(|(_, r)| *r).chain(only_right).collect();
            all_left.sort_unstable();
            all_right.sort_unstable();
            prop_assert_eq!((all_left, all_right), (left, right));
        }
    }
}
