//! Returns as the bytes of their driver's cloud.

use super::SimulatedReturn;
use super::model::{Layout, RadarModel};
use crate::message::{CloudLayout, PointField};

const F32: u8 = PointField::FLOAT32;

/// x, y, z in metres and Doppler in m/s, positive when receding; signal to noise and noise in tenths of a dB.
static TI_MMWAVE: [PointField<'static>; 6] = [
    PointField::scalar("x", 0, F32),
    PointField::scalar("y", 4, F32),
    PointField::scalar("z", 8, F32),
    PointField::scalar("doppler", 12, F32),
    PointField::scalar("snr", 16, PointField::INT16),
    PointField::scalar("noise", 18, PointField::INT16),
];

/// Metres, radians, m/s; `rcs` in dBsm. The last two are packed without padding, as the driver does.
static ARS548: [PointField<'static>; 13] = [
    PointField::scalar("x", 0, F32),
    PointField::scalar("y", 4, F32),
    PointField::scalar("z", 8, F32),
    PointField::scalar("azimuth", 12, F32),
    PointField::scalar("azimuth_std", 16, F32),
    PointField::scalar("elevation", 20, F32),
    PointField::scalar("elevation_std", 24, F32),
    PointField::scalar("range", 28, F32),
    PointField::scalar("range_std", 32, F32),
    PointField::scalar("range_rate", 36, F32),
    PointField::scalar("range_rate_std", 40, F32),
    PointField::scalar("rcs", 44, PointField::INT8),
    PointField::scalar("measurement_id", 45, PointField::UINT16),
];

/// Writes the returns into `data` (cleared, keeps its memory), little endian, in the radar's frame.
pub fn encode(returns: &[SimulatedReturn], model: &RadarModel, data: &mut Vec<u8>) -> CloudLayout {
    data.clear();
    for (number, item) in (0_u16..).zip(returns) {
        match model.layout {
            Layout::TiMmwave => {
                let [x, y, z] = item.position().to_array();
                floats(data, [x, y, z, item.range_rate_mps]);
                for level_db in [item.snr_db, item.noise_db] {
                    data.extend(((10.0 * level_db).round() as i16).to_le_bytes());
                }
            }
            Layout::Ars548 => {
                let [x, y, z] = item.position().to_array();
                floats(data, [x, y, z, item.azimuth_rad, item.azimuth_std_rad, item.elevation_rad]);
                floats(data, [item.elevation_std_rad, item.range_m, item.range_std_m]);
                floats(data, [item.range_rate_mps, item.range_rate_std_mps]);
                data.extend((item.rcs_dbsm.round() as i8).to_le_bytes());
                data.extend(number.to_le_bytes());
            }
        }
    }
    match model.layout {
        Layout::TiMmwave => CloudLayout { fields: &TI_MMWAVE, step: 20 },
        Layout::Ars548 => CloudLayout { fields: &ARS548, step: 47 },
    }
}

fn floats<const N: usize>(data: &mut Vec<u8>, values: [f32; N]) {
    for value in values {
        data.extend(value.to_le_bytes());
    }
}
