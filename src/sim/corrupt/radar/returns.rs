//! Returns that are lost, and returns of nothing.

use std::f32::consts::PI;

use super::super::draw::Draws;
use super::super::ranking::{Ranking, items};
use super::frame::{Frame, RadarModel, Row};

/// Share of the returns that is lost.
pub const DROPPED: [f64; 5] = [0.10, 0.25, 0.40, 0.60, 0.80];
/// Ghosts for each return.
pub const GHOSTS: [f64; 5] = [0.05, 0.10, 0.20, 0.35, 0.50];

/// Each reflection on the way costs this much, dB.
const LOSS_DB: [f32; 2] = [6.0, 12.0];

/// A share of the returns is lost, each as likely as any other.
pub struct Dropout {
    share: f64,
    ranking: Ranking,
    lost: Vec<bool>,
}

impl Dropout {
    /// Loses a share of the returns.
    pub fn new(share: f64) -> Self {
        Self { share, ranking: Ranking::default(), lost: Vec::new() }
    }
}

impl RadarModel for Dropout {
    fn apply(&mut self, frame: &mut Frame, draws: Draws) {
        let Self { share, ranking, lost } = self;
        lost.clear();
        lost.resize(frame.rows.len(), false);
        for i in items(ranking.share(0..frame.rows.len(), *share, draws)) {
            lost.iter_mut().skip(i).take(1).for_each(|lost| *lost = true);
        }
        let mut lost = lost.iter();
        frame.rows.retain(|_| lost.next() != Some(&true));
    }
}

/// Signals that take a detour. Half of the ghosts bounce between the target and the radar's own vehicle: the
/// same direction, twice the range and the range rate. The others come by way of a wall beside the target: from
/// another direction, farther, with the range rate of the target.
pub struct Ghosts {
    share: f64,
    ranking: Ranking,
}

impl Ghosts {
    /// A number of ghosts for each return.
    pub fn new(share: f64) -> Self {
        Self { share, ranking: Ranking::default() }
    }
}

impl RadarModel for Ghosts {
    fn apply(&mut self, frame: &mut Frame, draws: Draws) {
        for i in items(self.ranking.share(0..frame.rows.len(), self.share, draws)) {
            let Some(target) = frame.rows.get(i).copied() else { continue };
            let mut random = draws.at(i);
            // The first number of the stream is the rank of the return.
            random.bits();
            let loss = random.between(LOSS_DB[0], LOSS_DB[1]);
            let ghost = if random.chance(0.5) {
                let range_rate = 2.0 * target.range_rate;
                Row { range: 2.0 * target.range, range_rate, gain_db: target.gain_db - loss, ..target }
            } else {
                let side = if random.chance(0.5) { 1.0 } else { -1.0 };
                let azimuth = target.azimuth + side * random.between(0.1, 0.6);
                let range = target.range * random.between(1.1, 1.6);
                Row { range, azimuth: wrapped(azimuth), gain_db: target.gain_db - 2.0 * loss, ..target }
            };
            frame.rows.push(ghost);
        }
    }
}

/// An angle within half a turn to each side.
pub fn wrapped(angle: f32) -> f32 {
    let turned = (angle + PI).rem_euclid(2.0 * PI) - PI;
    // An angle that is in its place is not rounded.
    if (-PI..=PI).contains(&angle) { angle } else { turned }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{applied, cycle};
    use super::*;

    #[test]
    fn exactly_the_share_is_lost_and_more_with_severity() {
        let mut last = cycle(200);
        for share in DROPPED {
            let after = applied(&mut Dropout::new(share), &cycle(200), 0);
            assert_eq!(after.len(), 200 - (share * 200.0).round() as usize);
            assert!(after.iter().all(|row| last.contains(row)));
            last = after;
        }
    }

    #[test]
    fn ghosts_are_of_both_kinds_and_weaker() {
        let before = cycle(4000);
        for share in GHOSTS {
            let after = applied(&mut Ghosts::new(share), &before, 0);
            assert_eq!(after[..4000], before[..], "the targets stay");
            let ghosts = &after[4000..];
            assert_eq!(ghosts.len(), (share * 4000.0).round() as usize);
            let mut doubled = 0;
            for ghost in ghosts {
                let target = before[ghost.source];
                assert!(ghost.gain_db <= -6.0 && ghost.range > target.range);
                if ghost.azimuth == target.azimuth {
                    assert_eq!(
                        (ghost.range, ghost.range_rate),
                        (2.0 * target.range, 2.0 * target.range_rate)
                    );
                    doubled += 1;
                } else {
                    assert_eq!(ghost.range_rate, target.range_rate);
                }
            }
            let half = ghosts.len() as f64 / 2.0;
            assert!((f64::from(doubled) - half).abs() < 4.0 * (half / 2.0).sqrt(), "{doubled} of {half}");
        }
    }
}
