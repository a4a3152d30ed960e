//! Whether a radar's range rates have the sign that the robot's own motion asks for.
//!
//! Most of what a moving radar sees stands still, and approaches by the radar's speed towards it. In: returns and
//! the radar's velocity. Out: how many agree, and how many would with the opposite sign.

use super::RadarReturn;

/// Slower than this towards a target, noise decides the sign, m/s.
const MIN_SPEED_MPS: f32 = 0.5;
/// Targets whose speed is farther from the expected one move, or have a folded Doppler: this plus a share.
const TOLERANCE_MPS: f32 = 0.3;
const TOLERANCE_SHARE: f32 = 0.2;
/// Returns that have to speak before a verdict
const MIN_RETURNS: u32 = 100;
/// One that agrees outweighs so many that oppose: some targets move as the mirror image of a still one.
const MIN_RATIO: u32 = 5;

/// What the returns of one radar have said so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DopplerSigns {
    /// Returns of a still world
    pub agreeing: u32,
    /// Returns that would be of a still world with the opposite sign
    pub opposing: u32,
}

/// Range rate of a still target at `position` seen from a radar that moves at `velocity_mps`, and how far from it
/// a measured one may be, m/s.
fn still_rate(position: [f32; 3], velocity_mps: [f32; 3]) -> (f32, f32) {
    let position = nalgebra::Vector3::from(position);
    let expected = -nalgebra::Vector3::from(velocity_mps).dot(&position) / position.norm();
    (expected, TOLERANCE_MPS + TOLERANCE_SHARE * expected.abs())
}

impl RadarReturn {
    /// Whether its range rate is that of something that moves, for a radar that moves at `velocity_mps` in its
    /// own frame. One without a range rate is taken to stand still.
    pub fn is_moving(&self, velocity_mps: [f32; 3]) -> bool {
        let (expected, tolerance) = still_rate(self.position, velocity_mps);
        (self.range_rate_mps - expected).abs() > tolerance
    }
}

impl DopplerSigns {
    /// Takes in the returns of one cycle; `velocity_mps` is that of the radar, in its own frame.
    pub fn add(&mut self, returns: &[RadarReturn], velocity_mps: [f32; 3]) {
        for item in returns {
            let (expected, tolerance) = still_rate(item.position, velocity_mps);
            // Comparisons with NaN are false: such returns say nothing.
            if expected.abs() >= MIN_SPEED_MPS {
                self.agreeing += u32::from((item.range_rate_mps - expected).abs() <= tolerance);
                self.opposing += u32::from((item.range_rate_mps + expected).abs() <= tolerance);
            }
        }
        if self.agreeing.max(self.opposing) > u32::MAX / 4 {
            // Long before the counts overflow: no cycle has so many returns.
            *self = Self { agreeing: self.agreeing / 2, opposing: self.opposing / 2 };
        }
    }

    /// Whether the sign is the opposite one, beyond doubt.
    pub const fn is_inverted(self) -> bool {
        self.opposing >= MIN_RETURNS && self.opposing / MIN_RATIO >= self.agreeing
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn returns(rate: impl Fn([f32; 3]) -> f32) -> Vec<RadarReturn> {
        (0..40)
            .map(|i| {
                let azimuth = i as f32 * 0.04 - 0.8;
                let position = [10.0 * azimuth.cos(), 10.0 * azimuth.sin(), 0.5];
                let nan = f32::NAN;
                RadarReturn {
                    position,
                    range_rate_mps: rate(position),
                    snr_db: nan,
                    rcs_dbsm: nan,
                    azimuth_std_rad: nan,
                    elevation_std_rad: nan,
                    range_std_m: nan,
                }
            })
            .collect()
    }

    fn after(cycles: usize, velocity: [f32; 3], rate: impl Fn([f32; 3]) -> f32 + Copy) -> DopplerSigns {
        let mut signs = DopplerSigns::default();
        (0..cycles).for_each(|_| signs.add(&returns(rate), velocity));
        signs
    }

    /// Range rate of a still target seen from a radar that drives forward at 2 m/s.
    fn still([x, y, z]: [f32; 3]) -> f32 {
        -2.0 * x / (x * x + y * y + z * z).sqrt()
    }

    #[test]
    fn an_inverted_sign_shows_while_driving() {
        let forward = [2.0, 0.0, 0.0];
        assert!(after(10, forward, |p| -still(p)).is_inverted());
        assert!(!after(10, forward, still).is_inverted());
        assert!(after(10, [-2.0, 0.0, 0.0], still).is_inverted(), "backwards");
        assert!(!after(1, forward, |p| -still(p)).is_inverted(), "too few");
    }

    #[test]
    fn what_moves_is_told_from_a_still_world() {
        let forward = [2.0, 0.0, 0.0];
        assert!(returns(still).iter().all(|found| !found.is_moving(forward)));
        assert!(returns(|p| still(p) + 1.0).iter().all(|found| found.is_moving(forward)));
        assert!(returns(|_| f32::NAN).iter().all(|found| !found.is_moving(forward)), "no range rate");
    }

    #[test]
    fn what_says_nothing_does_not_count() {
        assert_eq!(after(10, [0.1, 0.0, 0.0], |p| -still(p)), DopplerSigns::default(), "standing");
        assert_eq!(after(10, [2.0, 0.0, 0.0], |_| f32::NAN), DopplerSigns::default());
        assert_eq!(after(10, [f32::NAN; 3], still), DopplerSigns::default());
        assert_eq!(after(10, [2.0, 0.0, 0.0], |_| 9.0), DopplerSigns::default(), "movers");
        let some_movers = after(20, [2.0, 0.0, 0.0], |p| if p[1] > 4.0 { -still(p) } else { still(p) });
        assert!(some_movers.opposing >= MIN_RETURNS && !some_movers.is_inverted());
        let mut full = DopplerSigns { agreeing: 0, opposing: u32::MAX / 4 };
        full.add(&returns(|p| -still(p)), [2.0, 0.0, 0.0]);
        assert!(full.is_inverted());
    }
}
