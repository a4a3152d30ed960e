//! Echoes that dark surfaces swallow.
//!
//! Robo3D takes points out of labelled vehicles, of which black ones return little. Without labels the
//! darkness itself decides: of the returns above ground, the darkest third.

use super::super::cloud_edit::Changes;
use super::super::draw::Draws;
use super::super::ranking::{Ranking, items};
use super::ground::Ground;
use super::{LidarModel, Sweep};

/// Share of the dark returns that is lost. 1, 3 and 5 are Robo3D's levels.
pub const LOST: [f64; 5] = [0.75, 0.8, 0.85, 0.9, 0.95];

/// Share of the returns above ground that counts as dark.
const DARK: f64 = 1.0 / 3.0;
/// What is higher above the ground than this is not of it, metres.
const ABOVE_M: f32 = 0.2;

/// Dark surfaces lose a share of their echoes.
pub struct IncompleteEcho {
    share: f64,
    sample: Vec<[f32; 3]>,
    dark: Vec<(u32, u64, u32)>,
    ranking: Ranking,
}

impl IncompleteEcho {
    /// A share of dark returns is lost.
    pub fn new(share: f64) -> Self {
        Self { share, sample: Vec::new(), dark: Vec::new(), ranking: Ranking::default() }
    }
}

impl LidarModel for IncompleteEcho {
    fn apply(&mut self, sweep: &Sweep<'_, '_>, draws: Draws, changes: &mut Changes<'_>) {
        let Self { share, sample, dark, ranking } = self;
        let ground = Ground::find(sweep, draws, sample);
        let above = |i: &usize| ground.is_none_or(|ground| ground.height(sweep.position(*i)) > ABOVE_M);
        dark.clear();
        // Positive numbers are in the order of their bits. Equally dark ones take turns at random.
        dark.extend(
            sweep
                .returns()
                .filter(above)
                .map(|i| (sweep.reflectivity(i).to_bits(), draws.lasting().at(i).bits(), i as u32)),
        );
        let count = (dark.len() as f64 * DARK).round() as usize;
        if count < dark.len() {
            dark.select_nth_unstable(count);
        }
        let darkest = dark.iter().take(count).map(|(_, _, i)| *i as usize);
        for i in items(ranking.share(darkest, *share, draws)) {
            changes.remove(i);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Point, applied, wall};
    use super::*;

    #[test]
    fn the_darkest_third_above_ground_loses_its_share() {
        let mut before = wall(1000, 8.0, 0.05);
        before.extend(wall(2000, 12.0, 0.6));
        before.extend((0..1500).map(|i| {
            let (radius, angle) = (3.0 + 0.01 * i as f32, i as f32 * 0.7);
            Point { position: [radius * angle.cos(), radius * angle.sin(), -1.5], reflectivity: 0.02 }
        }));
        let after = applied(&mut IncompleteEcho::new(0.85), &before, 0);
        let count = |low: f32, high: f32| {
            after.iter().filter(|p| p.position[2] > -1.4 && (low..high).contains(&p.reflectivity)).count()
        };
        assert_eq!((count(0.0, 0.1), count(0.5, 0.7)), (150, 2000));
        assert_eq!(after.len(), 150 + 2000 + 1500, "dark ground stays");
    }
}
