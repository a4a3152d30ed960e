//! Two sets of returns compared by one of their values.

use crate::Seen;

/// A value of real and of simulated returns.
pub struct Comparison {
    /// With its unit.
    pub name: &'static str,
    /// Limits of the bins.
    pub limits: Vec<f32>,
    /// Shares of the returns in the bins, percent: real, simulated.
    pub shares: [Vec<f32>; 2],
    /// 10 %, median and 90 % of the values: real, simulated.
    pub quantiles: [[f32; 3]; 2],
    /// Earth mover's distance in the value's unit.
    pub moved: f32,
    /// Half the sum of the shares' differences: what would have to change its bin, percent.
    pub misplaced: f32,
}

impl Comparison {
    /// Range, azimuth, elevation, cross-section, range rate.
    pub fn all(real: &[Seen], simulated: &[Seen]) -> Vec<Self> {
        let of = |name, limits: &[i32], value: fn(&Seen) -> f32| {
            let values = |seen: &[Seen]| seen.iter().map(value).collect();
            Self::new(name, limits, values(real), values(simulated))
        };
        vec![
            of("range, m", &[0, 10, 20, 40, 60, 80, 120, 160, 200, 250, 300], |s| s.range_m),
            of("azimuth, °", &[-60, -40, -20, -10, 0, 10, 20, 40, 60], |s| s.azimuth_deg),
            of("elevation, °", &[-25, -15, -10, -5, -2, 0, 2, 5, 10, 15, 25], |s| s.elevation_deg),
            of("cross-section, dBsm", &[-40, -20, -15, -10, -5, 0, 5, 10, 15, 20, 40], |s| s.rcs_dbsm),
            of(
                "range rate, % of the car's speed",
                &[-200, -110, -102, -98, -95, -90, -80, -70, -50, 0, 200],
                |s| s.range_rate_percent,
            ),
        ]
    }

    fn new(name: &'static str, limits: &[i32], real: Vec<f32>, simulated: Vec<f32>) -> Self {
        let limits: Vec<f32> = limits.iter().map(|&limit| limit as f32).collect();
        let shares = [&real, &simulated].map(|values| binned(values, &limits));
        let [a, b] = &shares;
        let misplaced = 0.5 * a.iter().zip(b).map(|(a, b)| (a - b).abs()).sum::<f32>();
        // What lies outside of the bins is drawn to their ends: one wild value would outweigh all others.
        let (low, high) = (limits.first().copied(), limits.last().copied());
        let [real, simulated] = [real, simulated].map(|mut values| {
            let into = |value: &mut f32| *value = value.clamp(low.unwrap_or(*value), high.unwrap_or(*value));
            values.iter_mut().for_each(into);
            values.sort_by(f32::total_cmp);
            values
        });
        let quantiles =
            [&real, &simulated].map(|sorted| [10, 50, 90].map(|share| quantile(sorted, share, 100)));
        let moved = earth_movers_distance(&real, &simulated);
        Self { name, limits, shares, quantiles, moved, misplaced }
    }

    /// A line of the summary.
    pub fn row(&self) -> String {
        let [real, simulated] =
            self.quantiles.map(|[low, median, high]| format!("{low:.0}, {median:.0}, {high:.0}"));
        let Self { name, moved, misplaced, .. } = self;
        format!("| {name} | {real} | {simulated} | {moved:.1} | {misplaced:.0} % |")
    }

    /// A table of both.
    pub fn print(&self) {
        println!("\n| {} | real, % | simulated, % |\n|---|---|---|", self.name);
        let [real, simulated] = &self.shares;
        for ((pair, real), simulated) in self.limits.windows(2).zip(real).zip(simulated) {
            if let [low, high] = pair {
                println!("| {low}…{high} | {real:.1} | {simulated:.1} |");
            }
        }
    }
}

fn binned(values: &[f32], limits: &[f32]) -> Vec<f32> {
    let share = |pair: &[f32]| {
        let inside = |value: &&f32| matches!(pair, [low, high] if low <= *value && *value < high);
        100.0 * values.iter().filter(inside).count() as f32 / values.len().max(1) as f32
    };
    limits.windows(2).map(share).collect()
}

/// The value below which a share of sorted values lies.
fn quantile(sorted: &[f32], share: usize, of: usize) -> f32 {
    sorted.get(share * sorted.len() / of).copied().unwrap_or(0.0)
}

/// The mean distance that values of one sorted set have to move to make the other.
fn earth_movers_distance(a: &[f32], b: &[f32]) -> f32 {
    const STEPS: usize = 2000;
    let apart = |step: usize| {
        let [a, b] = [a, b].map(|sorted| quantile(sorted, 2 * step + 1, 2 * STEPS));
        (a - b).abs()
    };
    (0..STEPS).map(apart).sum::<f32>() / STEPS as f32
}
