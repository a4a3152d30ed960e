//! How well a radar tells directions.

use super::{RadarPreset, RadarReturn};

/// What is known of a radar's directions, azimuth and elevation, radians.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Directions {
    /// What it tells apart.
    resolution: [f32; 2],
    /// Least and most that is taken for a standard deviation.
    limits: (f32, f32),
    /// The standard deviation of a return whose signal-to-noise ratio is not published.
    unknown: [f32; 2],
}

const fn directions(resolution: [f32; 2], limits: (f32, f32), unknown: [f32; 2]) -> Directions {
    const DEGREE: f32 = std::f32::consts::PI / 180.0;
    Directions {
        resolution: [resolution[0] * DEGREE, resolution[1] * DEGREE],
        limits: (limits.0 * DEGREE, limits.1 * DEGREE),
        unknown: [unknown[0] * DEGREE, unknown[1] * DEGREE],
    }
}

/// AWR1843AOP: 30° and 38° (data sheet SWRS247).
const TI: Directions = directions([30.0, 38.0], (0.3, 12.0), [3.0, 4.0]);
/// Imaging radars of cars: about 1° in azimuth; few tell elevation well.
const AUTOMOTIVE: Directions = directions([1.2, 24.0], (0.3, 4.2), [0.5, 2.0]);
/// Between the two.
const OTHER: Directions = directions([15.0, 30.0], (0.3, 12.0), [2.0, 4.0]);

impl RadarPreset {
    /// Standard deviations of the azimuth and elevation of a return, radians: what the radar states, else its
    /// resolution / √(2 SNR), the bound of any estimate of a direction (Cramér and Rao).
    pub fn direction_std_rad(self, found: &RadarReturn) -> [f32; 2] {
        let radar = match self {
            Self::TiMmwave => TI,
            Self::Ars548 | Self::Smartmicro => AUTOMOTIVE,
            Self::Reve | Self::Generic | Self::Auto => OTHER,
        };
        let blur = (2.0 * 10.0_f32.powf(0.1 * found.snr_db)).sqrt().recip();
        let stated = [found.azimuth_std_rad, found.elevation_std_rad];
        std::array::from_fn(|axis| {
            let std = if stated[axis] > 0.0 && stated[axis].is_finite() {
                stated[axis]
            } else if blur.is_finite() {
                radar.resolution[axis] * blur
            } else {
                radar.unknown[axis]
            };
            std.clamp(radar.limits.0, radar.limits.1)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{RadarPreset, RadarReturn};

    fn of(snr_db: f32, stated: f32) -> RadarReturn {
        RadarReturn {
            position: [5.0, 0.0, 0.0],
            range_rate_mps: 0.0,
            snr_db,
            rcs_dbsm: f32::NAN,
            azimuth_std_rad: stated,
            elevation_std_rad: stated,
            range_std_m: f32::NAN,
        }
    }

    #[test]
    fn a_stronger_return_has_a_surer_direction() {
        let [azimuth, elevation] =
            RadarPreset::TiMmwave.direction_std_rad(&of(20.0, f32::NAN)).map(f32::to_degrees);
        // 30° and 38° over √200.
        assert!((azimuth - 2.121).abs() < 1e-3 && (elevation - 2.687).abs() < 1e-3);
        let weak = RadarPreset::TiMmwave.direction_std_rad(&of(10.0, f32::NAN));
        assert!(weak[0].to_degrees() > 3.0 * azimuth);
    }

    #[test]
    fn what_the_radar_states_counts() {
        for preset in RadarPreset::ALL {
            let [azimuth, elevation] = preset.direction_std_rad(&of(3.0, 0.02));
            assert!((azimuth - 0.02).abs() < 1e-6 && (elevation - 0.02).abs() < 1e-6);
        }
    }

    #[test]
    fn nothing_that_a_radar_sends_gives_nonsense() {
        for preset in RadarPreset::ALL {
            for snr in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, -1e30, 1e30, 0.0] {
                for stated in [f32::NAN, f32::INFINITY, -1.0, 0.0, 1e30] {
                    for std in preset.direction_std_rad(&of(snr, stated)) {
                        assert!((0.005..0.22).contains(&std), "{preset} {snr} {stated}: {std}");
                    }
                }
            }
        }
    }
}
