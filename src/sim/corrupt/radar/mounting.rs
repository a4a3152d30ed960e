//! Angles and signs that are wrong.

use super::super::draw::Draws;
use super::super::ranking::MessageShare;
use super::frame::{Frame, RadarModel};
use super::returns::wrapped;

/// How far the radar is turned about its z axis, degrees: from careful mounting to a bent bracket.
pub const BIAS_DEG: [f32; 5] = [1.0, 2.0, 3.0, 4.5, 6.0];
/// Share of the cycles whose range rates have the wrong sign; 5 is a driver with the other convention.
pub const INVERTED: [f64; 5] = [0.2, 0.4, 0.6, 0.8, 1.0];

/// Every azimuth is off by the same angle, to a side that the seed decides.
pub struct AzimuthBias(pub f32);

impl RadarModel for AzimuthBias {
    fn apply(&mut self, frame: &mut Frame, draws: Draws) {
        let side = if draws.lasting().at(0).chance(0.5) { 1.0 } else { -1.0 };
        let bias = side * self.0.to_radians();
        frame.rows.iter_mut().for_each(|row| row.azimuth = wrapped(row.azimuth + bias));
    }
}

/// A share of the cycles has the opposite range rates.
pub struct DopplerSign {
    share: f64,
    cycles: MessageShare,
}

impl DopplerSign {
    /// Inverts a share of the cycles.
    pub fn new(share: f64) -> Self {
        Self { share, cycles: MessageShare::default() }
    }
}

impl RadarModel for DopplerSign {
    fn apply(&mut self, frame: &mut Frame, draws: Draws) {
        if self.cycles.holds(frame.cycles, self.share, draws) {
            frame.rows.iter_mut().for_each(|row| row.range_rate = -row.range_rate);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{CYCLES, applied, cycle};
    use super::*;

    #[test]
    fn every_azimuth_is_off_by_the_bias_in_every_cycle() {
        for bias in BIAS_DEG {
            let turned: Vec<f32> = [0, 7]
                .into_iter()
                .flat_map(|message| {
                    let after = applied(&mut AzimuthBias(bias), &cycle(50), message);
                    let pairs = cycle(50).into_iter().zip(after);
                    pairs.map(|(a, b)| b.azimuth - a.azimuth).collect::<Vec<_>>()
                })
                .collect();
            assert!(turned.iter().all(|turn| (turn - turned[0]).abs() < 1e-6));
            assert!((turned[0].abs() - bias.to_radians()).abs() < 1e-6);
        }
    }

    #[test]
    fn exactly_the_share_of_cycles_is_inverted() {
        for share in INVERTED {
            let mut model = DopplerSign::new(share);
            let inverted = (0..CYCLES)
                .filter(|message| {
                    let after = applied(&mut model, &cycle(5), *message);
                    let signs = cycle(5)
                        .iter()
                        .zip(&after)
                        .map(|(a, b)| b.range_rate / a.range_rate)
                        .collect::<Vec<_>>();
                    assert!(signs.iter().all(|sign| *sign == signs[0]));
                    signs[0] < 0.0
                })
                .count();
            assert_eq!(inverted, (share * CYCLES as f64).round() as usize);
        }
    }
}
