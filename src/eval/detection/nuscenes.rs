//! The detection metrics of nuScenes (Caesar et al. 2020): average precision over four centre distances,
//! and what is wrong with the true positives.

use std::collections::BTreeMap;

use super::outcome::{Outcomes, Part, RANGE_BIN_M, RANGE_BINS, TruePositive};
use super::report::{ClassReport, NuScenesReport, RangeReport};
use super::{Curve, EvalClass};

/// A detection is right if its centre is closer to the truth's than this, seen from above, metres.
pub const MATCH_DISTANCES_M: [f64; 4] = [0.5, 1.0, 2.0, 4.0];
/// The one at which errors of true positives are taken.
pub(super) const TP_DISTANCE: f64 = 2.0;
/// Its index.
const TP_THRESHOLD: usize = 2;
/// Weight of mAP in NDS.
const MAP_WEIGHT: f64 = 5.0;

/// The report over all classes.
pub(super) fn report(classes: &[(&EvalClass, &Outcomes)]) -> NuScenesReport {
    let mut per_class = BTreeMap::new();
    let mut by_range: Vec<BTreeMap<String, (f64, u64)>> = vec![BTreeMap::new(); RANGE_BINS];
    for (class, outcomes) in classes {
        let ranking = outcomes.ranking();
        per_class.insert(class.name.clone(), class_report(class, outcomes, &ranking));
        for (bin, row) in by_range.iter_mut().enumerate() {
            let truth = outcomes.truth(Part::Range(bin));
            if truth > 0 {
                let ap = mean(aps(outcomes, &ranking, Part::Range(bin)));
                row.insert(class.name.clone(), (ap, truth));
            }
        }
    }
    // In the order of the classes, so that sums do not depend on names.
    let reports: Vec<&ClassReport> =
        classes.iter().filter_map(|(class, _)| per_class.get(&class.name)).collect();
    let with_truth = || reports.iter().filter(|class| class.truth > 0);
    let map = mean(with_truth().map(|class| class.ap));
    let map_devkit = mean(reports.iter().map(|class| class.ap));
    let [ate, ase, aoe] = [
        mean(with_truth().map(|class| class.ate)),
        mean(with_truth().map(|class| class.ase)),
        mean(with_truth().map(|class| class.aoe)),
    ];
    // The devkit has two more: velocity, and attributes, which this truth does not have. It gives an error
    // of 1 to a class for what is not known of it.
    let ave_devkit = |class: &(&EvalClass, &Outcomes)| {
        let known = per_class.get(&class.0.name).and_then(|report: &ClassReport| report.ave);
        if class.0.has_velocity { known.unwrap_or(1.0) } else { f64::NAN }
    };
    let errors = [
        mean(reports.iter().map(|class| class.ate)),
        mean(reports.iter().map(|class| class.ase)),
        mean(reports.iter().map(|class| class.aoe)),
        mean(classes.iter().map(ave_devkit)),
        1.0,
    ];
    let nds_devkit = (MAP_WEIGHT * map_devkit + errors.iter().map(|error| score(*error)).sum::<f64>())
        / (MAP_WEIGHT + errors.len() as f64);
    NuScenesReport {
        map,
        map_devkit,
        nds3: nds3(map, [ate, ase, aoe]),
        nds_devkit,
        ate,
        ase,
        aoe,
        per_class,
        by_range: by_range
            .into_iter()
            .enumerate()
            .filter(|(_, row)| !row.is_empty())
            .map(|(bin, row)| RangeReport {
                min_m: bin as f64 * RANGE_BIN_M,
                max_m: (bin + 1) as f64 * RANGE_BIN_M,
                map: mean(row.values().map(|(ap, _)| *ap)),
                truth: row.values().map(|(_, truth)| truth).sum(),
                per_class: row.into_iter().map(|(name, (ap, _))| (name, ap)).collect(),
            })
            .collect(),
    }
}

fn class_report(class: &EvalClass, outcomes: &Outcomes, ranking: &[usize]) -> ClassReport {
    let ap_by_distance: Vec<f64> = aps(outcomes, ranking, Part::All).collect();
    let curve = outcomes.curve(ranking, TP_THRESHOLD, Part::All);
    let error = |of: fn(&TruePositive) -> f64| match &curve {
        Some(curve) => curve.mean_error(&outcomes.hits(of)),
        None => 1.0,
    };
    ClassReport {
        ap: mean(ap_by_distance.iter().copied()),
        ate: error(|found| found.translation_m),
        ase: error(|found| found.scale),
        aoe: if class.heading.period().is_some() { error(|found| found.orientation) } else { f64::NAN },
        ave: outcomes.knows_velocity().then(|| error(|found| found.velocity_mps)),
        truth: outcomes.truth(Part::All),
        detections: outcomes.detections(),
        ap_by_distance,
    }
}

/// Average precision by match distance.
fn aps<'a>(outcomes: &'a Outcomes, ranking: &'a [usize], part: Part) -> impl Iterator<Item = f64> + 'a {
    (0..MATCH_DISTANCES_M.len()).map(move |threshold| {
        outcomes.curve(ranking, threshold, part).map_or(0.0, |c: Curve| c.average_precision())
    })
}

/// (5 · mAP + Σ (1 − min(1, e)) over the errors) / 8.
pub(in crate::eval) fn nds3(map: f64, errors: [f64; 3]) -> f64 {
    (MAP_WEIGHT * map + errors.iter().map(|error| score(*error)).sum::<f64>()) / (MAP_WEIGHT + 3.0)
}

fn score(error: f64) -> f64 {
    (1.0 - error).max(0.0)
}

/// Mean of what is known; NaN of nothing.
fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values
        .filter(|value| !value.is_nan())
        .fold((0.0, 0_u64), |(sum, count), value| (sum + value, count + 1));
    sum / count as f64
}
