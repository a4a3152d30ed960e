//! From echoes to returns: fluctuation, noise, threshold, peaks, measured positions.

use std::f32::consts::FRAC_1_SQRT_2;

use super::SimulatedReturn;
use super::arrival::Directions;
use super::cells::{Cell, gather};
use super::echo::Echo;
use super::model::RadarModel;
use super::spectrum::{Spectrum, square};
use crate::sim::Random;

/// The stream of noise.
const NOISE: u64 = 0x5244_5201;
/// The stream of false alarms.
const ALARMS: u64 = 0x5244_5202;

/// Finds the returns among echoes, nearest first.
pub(super) fn detect(echoes: &[Echo], model: &RadarModel, seed: u64, frame: u64) -> Vec<SimulatedReturn> {
    let cells = gather(echoes, model);
    let spectrum = Spectrum::new(&cells, model, seed, frame);
    let mut random = Random::new(seed, &[NOISE, frame]);
    let mut returns = Vec::new();
    for peak in spectrum.peaks(model) {
        let mut directions = Directions { waves: spectrum.waves_at(&peak).collect() };
        let mut strongest: Option<f32> = None;
        for _ in 0..model.most_directions {
            let Some(arrival) = directions.next_strongest() else { break };
            // As Gaussian as the sum of many scatterers: the power of both is exponential again.
            let [re, im] = arrival.field.map(|part| part + FRAC_1_SQRT_2 * random.normal());
            let power = square([re, im]);
            let stands_out = if let Some(strongest) = strongest {
                power >= strongest / model.angular_contrast
            } else {
                // What comes from elsewhere at this range and Doppler is in the spectrum too.
                let rest = (peak.level - square(arrival.field)).max(0.0);
                rest + power >= model.threshold() * peak.floor
            };
            if !stands_out || power < model.threshold() {
                break;
            }
            strongest.get_or_insert(power);
            returns.push(measure(&arrival.sources, power, model, &mut random));
        }
    }
    add_false_alarms(&mut returns, model, seed, frame);
    returns.sort_by(|a, b| b.snr_db.total_cmp(&a.snr_db));
    returns.truncate(model.most_returns);
    returns.sort_by(|a, b| a.range_m.total_cmp(&b.range_m));
    returns
}

/// Every cell above the threshold, as of a radar that is configured to tell all and not only peaks.
pub(super) fn detect_cells(
    echoes: &[Echo],
    model: &RadarModel,
    seed: u64,
    frame: u64,
) -> Vec<SimulatedReturn> {
    let mut returns: Vec<SimulatedReturn> = gather(echoes, model)
        .iter()
        .filter_map(|cell| {
            let mut random = Random::new(seed, &[NOISE, frame, cell.key.0]);
            let power = (1.0 + cell.power) * random.exponential();
            (power > model.threshold()).then(|| measure(cell, power, model, &mut random))
        })
        .collect();
    add_false_alarms(&mut returns, model, seed, frame);
    returns
}

/// The measured place of a group.
fn measure(group: &Cell, power: f32, model: &RadarModel, random: &mut Random) -> SimulatedReturn {
    let [range_m, azimuth, elevation, rate] = group.moments.map(|moment| moment / group.power);
    let is_ghost = group.ghosts > 0.5 * group.power;
    let truth = [range_m, azimuth, elevation, rate];
    reported(truth, power, model, is_ghost, group.strongest.1, random)
}

fn reported(
    truth: [f32; 4],
    power: f32,
    model: &RadarModel,
    is_ghost: bool,
    object: Option<u32>,
    random: &mut Random,
) -> SimulatedReturn {
    let blur = (2.0 * power).sqrt().recip();
    let [range_m, azimuth, elevation, rate] = truth;
    let [range_noise, azimuth_noise, elevation_noise, rate_noise] =
        model.noise.map(|noise| noise * blur * random.normal());
    let mut stated = [0.0; 4];
    for ((stated, [least, most]), noise) in stated.iter_mut().zip(model.stated).zip(model.noise) {
        *stated = (noise * blur).clamp(least, most);
    }
    let [range_std_m, azimuth_std_rad, elevation_std_rad, range_rate_std_mps] = stated;
    let range_m = (range_m + range_noise).clamp(0.5 * model.nearest_m, model.farthest_m);
    let azimuth = (azimuth + azimuth_noise).clamp(-model.half_azimuth, model.half_azimuth);
    // Beyond the zenith the noise would turn a return round.
    let elevation = (elevation + elevation_noise).clamp(-1.5, 1.5);
    let unit = model.signal_to_noise(1.0, range_m, azimuth, elevation);
    SimulatedReturn {
        range_m,
        azimuth_rad: azimuth,
        elevation_rad: elevation,
        range_std_m,
        azimuth_std_rad,
        elevation_std_rad,
        range_rate_mps: folded(rate + rate_noise, model),
        range_rate_std_mps,
        snr_db: 10.0 * power.log10(),
        noise_db: model.noise_db,
        rcs_dbsm: 10.0 * (power / unit).log10(),
        is_ghost,
        object,
    }
}

/// Range rates beyond what the chirps tell apart come back at the other end.
pub(super) fn folded(rate_mps: f32, model: &RadarModel) -> f32 {
    let limit = model.doppler_limit_mps;
    if model.is_ambiguous { (rate_mps + limit).rem_euclid(2.0 * limit) - limit } else { rate_mps }
}

/// Noise that exceeds the threshold, anywhere in the field of view.
fn add_false_alarms(returns: &mut Vec<SimulatedReturn>, model: &RadarModel, seed: u64, frame: u64) {
    let mut random = Random::new(seed, &[ALARMS, frame]);
    for _ in 0..random.poisson(model.cells() * model.false_alarms) {
        let (azimuth, highest) = (model.half_azimuth, model.half_elevation.sin());
        let truth = [
            random.between(model.nearest_m, model.farthest_m),
            random.between(-azimuth, azimuth),
            random.between(-highest, highest).asin(),
            random.between(-model.doppler_limit_mps, model.doppler_limit_mps),
        ];
        let power = model.threshold() + random.exponential();
        returns.push(reported(truth, power, model, true, None, &mut random));
    }
}

#[cfg(test)]
#[path = "detector_tests.rs"]
mod tests;
