//! From echoes to returns: fluctuation, noise, threshold, peaks, measured positions.

use std::collections::HashMap;

use super::SimulatedReturn;
use super::cells::{Cell, Cells};
use super::echo::Echo;
use super::model::RadarModel;
use crate::sim::Random;

/// The stream of fluctuations and noise.
const NOISE: u64 = 0x5244_5201;
/// The stream of false alarms.
const ALARMS: u64 = 0x5244_5202;
/// Cells below this signal to noise are as good as empty; the false alarms stand for them.
const LEAST_SIGNAL: f32 = 0.05;
/// Resolution cells on either side that the threshold looks at, and those left out next to the cell.
const TRAINING: i64 = 8;
const GUARD: i64 = 2;

/// Finds the returns among echoes, nearest first.
pub(super) fn detect(echoes: &[Echo], model: &RadarModel, seed: u64, frame: u64) -> Vec<SimulatedReturn> {
    let cells = Cells::new(echoes, model);
    let mut found: Vec<(Cell, SimulatedReturn)> = cells
        .groups(LEAST_SIGNAL)
        .into_iter()
        .filter_map(|group| {
            let mut random = Random::new(seed, &[NOISE, frame, group.key.0]);
            // Many scatterers in a cell, or one of many facets that turns a little: Swerling 1. With the
            // noise, which is as Gaussian, the power is exponential again.
            let power = (1.0 + group.power) * random.exponential();
            let threshold = model.threshold() * cells.surroundings(group.key, GUARD, TRAINING);
            (power > threshold).then(|| (group, measure(&group, power, model, &mut random)))
        })
        .collect();
    found.sort_by(|a, b| b.1.snr_db.total_cmp(&a.1.snr_db));
    let mut returns = strongest_at_each_range(&found, model);
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
    let mut returns: Vec<SimulatedReturn> = Cells::new(echoes, model)
        .all()
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

/// Leaves out what hides under the side lobes of something stronger at the same range and Doppler. The
/// strongest come first.
fn strongest_at_each_range(found: &[(Cell, SimulatedReturn)], model: &RadarModel) -> Vec<SimulatedReturn> {
    let least_db = -10.0 * model.angular_contrast.log10();
    let mut strongest = HashMap::<[i64; 2], f32>::new();
    let mut kept = Vec::with_capacity(found.len());
    for (group, item) in found {
        let [range, doppler] = group.key.range_doppler();
        let beside = (0..9).filter_map(|k| strongest.get(&[range + k / 3 - 1, doppler + k % 3 - 1]));
        let hides = beside.fold(f32::NEG_INFINITY, |most, &snr_db| most.max(snr_db));
        if item.snr_db < hides + least_db {
            continue;
        }
        strongest.entry([range, doppler]).or_insert(item.snr_db);
        kept.push(*item);
    }
    kept
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
