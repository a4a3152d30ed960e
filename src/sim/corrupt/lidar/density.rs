//! Points that are missing. Severities are those of Dong et al., "Benchmarking Robustness of 3D Object
//! Detection to Common Corruptions in Autonomous Driving", CVPR 2023.

use super::super::cloud_edit::Changes;
use super::super::draw::Draws;
use super::super::ranking::{Ranking, items};
use super::{LidarModel, Sweep};

/// Share of the returns that is lost.
pub const DROPPED: [f64; 5] = [0.06, 0.12, 0.18, 0.24, 0.30];
/// Clusters that are cut out.
pub const CLUSTERS: [usize; 5] = [2, 3, 5, 7, 10];
/// Half of the sector that is seen, degrees to each side of x.
pub const HALF_FOV_DEG: [f32; 5] = [105.0, 90.0, 75.0, 60.0, 45.0];

/// Share of the sweep's returns that a cluster has.
const CLUSTER_SHARE: f64 = 0.02;

/// A share of the returns is lost, each as likely as any other.
pub struct DensityDrop {
    share: f64,
    ranking: Ranking,
}

impl DensityDrop {
    /// Loses a share of the returns.
    pub fn new(share: f64) -> Self {
        Self { share, ranking: Ranking::default() }
    }
}

impl LidarModel for DensityDrop {
    fn apply(&mut self, sweep: &Sweep<'_, '_>, draws: Draws, changes: &mut Changes<'_>) {
        for i in items(self.ranking.share(sweep.returns(), self.share, draws)) {
            changes.remove(i);
        }
    }
}

/// The nearest returns around some of them are lost, as behind something close to the sensor.
pub struct CutOut {
    clusters: usize,
    left: Vec<(f32, u32)>,
}

impl CutOut {
    /// Cuts out a number of clusters.
    pub const fn new(clusters: usize) -> Self {
        Self { clusters, left: Vec::new() }
    }
}

impl LidarModel for CutOut {
    fn apply(&mut self, sweep: &Sweep<'_, '_>, draws: Draws, changes: &mut Changes<'_>) {
        let left = &mut self.left;
        left.clear();
        left.extend(sweep.returns().map(|i| (0.0, i as u32)));
        let size = (left.len() as f64 * CLUSTER_SHARE).round() as usize;
        for cluster in 0..self.clusters {
            let Some(&(_, centre)) = draws.at(cluster).pick(left) else { return };
            let [x, y, z] = sweep.position(centre as usize);
            for (distance, i) in left.iter_mut() {
                let [a, b, c] = sweep.position(*i as usize);
                *distance = super::norm([a - x, b - y, c - z]);
            }
            let nearer = |a: &(f32, u32), b: &(f32, u32)| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1));
            if size < left.len() {
                left.select_nth_unstable_by(size, nearer);
            }
            for (_, i) in left.drain(..size.min(left.len())) {
                changes.remove(i as usize);
            }
            // The next centre must not depend on how the selection left the others.
            left.sort_unstable_by_key(|(_, i)| *i);
        }
    }
}

/// Only a sector around the sensor's x axis is seen.
pub struct LimitedFov(pub f32);

impl LidarModel for LimitedFov {
    fn apply(&mut self, sweep: &Sweep<'_, '_>, _: Draws, changes: &mut Changes<'_>) {
        let half = self.0.to_radians();
        for i in sweep.returns() {
            let [x, y, _] = sweep.position(i);
            if y.atan2(x).abs() > half {
                changes.remove(i);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{applied, ring, wall};
    use super::*;

    #[test]
    fn exactly_the_share_is_lost_and_more_with_severity() {
        let before = ring(5000, 10.0, 0.5);
        let mut last = before.clone();
        for share in DROPPED {
            let after = applied(&mut DensityDrop::new(share), &before, 4);
            assert_eq!(after.len(), 5000 - (share * 5000.0).round() as usize);
            assert!(after.iter().all(|point| last.contains(point)), "what was lost before stays lost");
            last = after;
        }
    }

    #[test]
    fn clusters_are_compact() {
        let before = ring(5000, 10.0, 0.5);
        for clusters in CLUSTERS {
            let after = applied(&mut CutOut::new(clusters), &before, 0);
            assert_eq!(after.len(), 5000 - clusters * 100);
        }
        let after = applied(&mut CutOut::new(1), &before, 0);
        let lost: Vec<_> = before.iter().filter(|point| !after.contains(point)).collect();
        let apart = lost.iter().flat_map(|a| {
            lost.iter().map(|b| super::super::norm(std::array::from_fn(|k| a.position[k] - b.position[k])))
        });
        // 2 % of a circle of 10 m.
        assert!(apart.fold(0.0, f32::max) < 1.3);
    }

    #[test]
    fn the_sector_is_cut_where_it_ends() {
        let before = ring(3600, 10.0, 0.5);
        for half in HALF_FOV_DEG {
            let after = applied(&mut LimitedFov(half), &before, 0);
            assert!((after.len() as f32 - 20.0 * half).abs() <= 2.0, "{half}: {}", after.len());
        }
        assert!(applied(&mut LimitedFov(45.0), &wall(100, 8.0, 0.5), 0).len() > 90);
    }
}
