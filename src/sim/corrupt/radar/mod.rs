//! What goes wrong with radars, one family of causes a file.
//!
//! A model sees the returns of a cycle; whether they came as a cloud or a scan it does not know.

mod cloud;
mod frame;
mod interference;
mod mounting;
mod returns;

use super::{Kind, Severity};

pub(super) use cloud::{load_cloud, store_cloud};
pub(super) use frame::{Frame, RadarModel, Row, load_scan, store_scan};
pub(super) use returns::wrapped;

/// Stamps that are late, milliseconds: as for LiDARs.
pub(super) const LATE_MS: [i64; 5] = super::lidar::LATE_MS;

/// The model of `kind`; `None` for kinds that are not about returns.
pub(super) fn model(kind: Kind, severity: Severity) -> Option<Box<dyn RadarModel>> {
    Some(match kind {
        Kind::RadarDropout => Box::new(returns::Dropout::new(severity.of(returns::DROPPED))),
        Kind::Ghosts => Box::new(returns::Ghosts::new(severity.of(returns::GHOSTS))),
        Kind::AzimuthBias => Box::new(mounting::AzimuthBias(severity.of(mounting::BIAS_DEG))),
        Kind::DopplerSign => Box::new(mounting::DopplerSign::new(severity.of(mounting::INVERTED))),
        Kind::Interference => Box::new(interference::Interference::new(severity.of(interference::LEVELS))),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::super::draw::TopicDraws;
    use super::*;

    /// Messages of the topic.
    pub const CYCLES: u64 = 100;

    /// A cycle with returns in a sector, without a signal to noise.
    pub fn cycle(count: usize) -> Vec<Row> {
        let row = |i: usize| {
            let azimuth = (i * 37 % 101) as f32 / 101.0 - 0.5;
            let range = 3.0 + (i * 53 % 97) as f32 * 0.5 + i as f32 * 1e-3;
            Row {
                range_rate: -2.0 * azimuth.cos(),
                ..Row::at(i, [range * azimuth.cos(), range * azimuth.sin(), 0.0])
            }
        };
        (0..count).map(row).collect()
    }

    /// What `model` makes of message number `message` with these returns.
    pub fn applied(model: &mut dyn RadarModel, rows: &[Row], message: u64) -> Vec<Row> {
        let mut frame = Frame { rows: rows.to_vec(), cycles: CYCLES };
        model.apply(&mut frame, TopicDraws::new(11, "kind", "/returns").message(message));
        frame.rows
    }

    #[test]
    fn tables_grow_with_severity() {
        fn grows(values: [f64; 5]) -> bool {
            values.is_sorted_by(|a, b| a < b)
        }
        assert!(grows(returns::DROPPED) && grows(returns::GHOSTS) && grows(mounting::INVERTED));
        assert!(grows(mounting::BIAS_DEG.map(f64::from)) && grows(LATE_MS.map(|ms| ms as f64)));
        assert!(grows(interference::LEVELS.map(|level| level.cycles)));
        assert!(grows(interference::LEVELS.map(|level| f64::from(level.noise_db))));
        assert!(grows(interference::LEVELS.map(|level| f64::from(level.false_returns))));
    }

    #[test]
    fn a_cycle_without_returns_stays_empty() {
        for kind in Kind::ALL {
            for severity in Severity::ALL {
                if let Some(mut model) = model(*kind, severity) {
                    assert!(applied(model.as_mut(), &[], 0).is_empty(), "{kind}");
                }
            }
        }
    }
}
