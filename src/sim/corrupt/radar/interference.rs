//! Another radar in the same band: in the cycles in which its chirps meet ours, the noise rises. Weak returns
//! drown, and noise makes false ones.

use super::super::draw::Draws;
use super::super::ranking::MessageShare;
use super::frame::{Frame, RadarModel, Row};

/// How bad it is.
#[derive(Clone, Copy, Debug)]
pub struct Level {
    /// Share of the cycles that are met
    pub cycles: f64,
    /// How much the noise rises, dB
    pub noise_db: f32,
    /// False returns of such a cycle, on average
    pub false_returns: f32,
}

/// Mutual interference raises the noise by 3 dB and more; 15 dB is a radar on the opposite lane (Alland et al.,
/// "Interference in Automotive Radar Systems", IEEE Signal Processing Magazine 2019).
pub const LEVELS: [Level; 5] = [
    Level { cycles: 0.1, noise_db: 3.0, false_returns: 2.0 },
    Level { cycles: 0.2, noise_db: 6.0, false_returns: 4.0 },
    Level { cycles: 0.3, noise_db: 9.0, false_returns: 8.0 },
    Level { cycles: 0.4, noise_db: 12.0, false_returns: 12.0 },
    Level { cycles: 0.5, noise_db: 15.0, false_returns: 16.0 },
];

/// Place of a cycle's own random numbers, which no return has.
const CYCLE: usize = usize::MAX;

/// Some cycles are met by another radar.
pub struct Interference {
    level: Level,
    cycles: MessageShare,
}

impl Interference {
    /// As bad as `level`.
    pub fn new(level: Level) -> Self {
        Self { level, cycles: MessageShare::default() }
    }
}

/// Signal to noise of a return, dB; where the radar does not tell, what the fourth power of the range makes
/// of it, up to a constant.
fn strength(row: &Row) -> f32 {
    if row.snr_db.is_finite() { row.snr_db } else { -40.0 * row.range.max(0.1).log10() }
}

impl RadarModel for Interference {
    fn apply(&mut self, frame: &mut Frame, draws: Draws) {
        let Level { cycles, noise_db, false_returns } = self.level;
        if !self.cycles.holds(frame.cycles, cycles, draws) {
            return;
        }
        // The weakest return is as weak as one may be.
        let rows = &mut frame.rows;
        let least = rows.iter().map(strength).fold(f32::INFINITY, f32::min);
        let span = |of: fn(&Row) -> f32| {
            let values = rows.iter().map(of).filter(|value| value.is_finite());
            values.fold([f32::INFINITY, f32::NEG_INFINITY], |[low, high], v| [low.min(v), high.max(v)])
        };
        let spans = [span(|row| row.range), span(|row| row.azimuth), span(|row| row.range_rate)];
        let first = rows.first().copied();
        rows.retain(|row| strength(row) - noise_db >= least);
        for row in rows.iter_mut() {
            row.noise_db += noise_db;
        }
        // A false return needs a point to be a copy of.
        let Some(first) = first else { return };
        let mut random = draws.at(CYCLE);
        for _ in 0..random.poisson(false_returns) {
            let [range, azimuth, rate] = spans.map(|[low, high]| {
                let value = random.between(low, high);
                if value.is_finite() { value } else { f32::NAN }
            });
            let range_rate = if first.range_rate.is_finite() { rate } else { first.range_rate };
            if range.is_finite() && azimuth.is_finite() {
                // Just above the noise, whatever the point it is a copy of was.
                let gain_db = if first.snr_db.is_finite() { least - first.snr_db + noise_db } else { 0.0 };
                rows.push(Row { range, azimuth, range_rate, gain_db, noise_db, ..first });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{CYCLES, applied, cycle};
    use super::*;

    #[test]
    fn the_weak_are_lost_in_the_share_of_cycles_that_is_met() {
        for level in LEVELS {
            let mut model = Interference::new(level);
            let (mut met, mut false_returns) = (0, 0);
            for message in 0..CYCLES {
                let before = cycle(100);
                let after = applied(&mut model, &before, message);
                if after == before {
                    continue;
                }
                met += 1;
                let farthest = before.iter().map(|row| row.range).fold(0.0, f32::max);
                // Without a signal to noise, the range at which a return is as weak falls with the fourth root.
                let reach = farthest * 10_f32.powf(-level.noise_db / 40.0);
                let expected = before.iter().filter(|row| row.range <= reach * 1.0001).count();
                let own = after
                    .iter()
                    .filter(|row| before.iter().any(|b| b.range == row.range && b.azimuth == row.azimuth))
                    .count();
                assert_eq!(own, expected);
                false_returns += after.len() - own;
            }
            assert_eq!(met, (level.cycles * CYCLES as f64).round() as usize);
            let mean = f64::from(level.false_returns) * met as f64;
            assert!((false_returns as f64 - mean).abs() < 4.0 * mean.sqrt(), "{false_returns} {mean}");
        }
    }

    #[test]
    fn what_is_left_has_more_noise() {
        let mut before = cycle(50);
        before.iter_mut().enumerate().for_each(|(i, row)| row.snr_db = 10.0 + i as f32);
        let level = Level { cycles: 1.0, ..LEVELS[2] };
        let after = applied(&mut Interference::new(level), &before, 0);
        let own: Vec<_> = after.iter().filter(|row| row.source > 0).collect();
        assert_eq!(own.len(), 41, "10 to 18 dB are lost at 9 dB more noise");
        assert!(own.iter().all(|row| row.noise_db == 9.0));
    }
}
