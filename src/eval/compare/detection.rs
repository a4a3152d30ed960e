//! Detection figures of two runs over the same sweeps.

use std::collections::BTreeMap;

use super::PairedFigures;
use super::evaluated_run::DetectionRows;
use super::pairing::Pairing;
use super::ranked::{ClassFigures, Detected, Ranked};
use crate::eval::detection::{EvalClass, Heading, SURE_SCORE, nds3};

/// One class of one run.
#[derive(Clone, Debug, Default)]
struct OfClass {
    /// Frame and truth boxes in it.
    truth: Vec<(u32, u32)>,
    ranked: Ranked,
    has_heading: bool,
}

impl OfClass {
    fn truth(&self, times: &[u32]) -> u64 {
        let count = |&(frame, boxes): &(u32, u32)| {
            times.get(frame as usize).map_or(0, |times| u64::from(*times) * u64::from(boxes))
        };
        self.truth.iter().map(count).sum()
    }

    /// `None` without truth.
    fn figures(&self, times: &[u32]) -> Option<ClassFigures> {
        let truth = self.truth(times);
        let mut figures = (truth > 0).then(|| self.ranked.figures(truth, times))?;
        if !self.has_heading {
            figures.errors[2] = f64::NAN;
        }
        Some(figures)
    }
}

/// Counts over all classes of one frame, of detections with a score of 0.3 or more within 2 m.
#[derive(Clone, Copy, Debug, Default)]
struct Sure {
    truth: f64,
    found: f64,
    wrong: f64,
    /// Sum and number of the translation errors.
    errors: [f64; 2],
}

/// One run.
#[derive(Clone, Debug, Default)]
struct OfRun {
    classes: Vec<OfClass>,
    sure: Vec<Sure>,
}

/// Figures that do not belong to a class.
const COMMON: [&str; 8] = [
    "nuscenes.map",
    "nuscenes.nds3",
    "nuscenes.ate",
    "nuscenes.ase",
    "nuscenes.aoe",
    "sure.recall",
    "sure.precision",
    "sure.ate",
];
/// Figures of each class, about its name.
const OF_CLASS: [[&str; 2]; 5] = [
    ["nuscenes.per_class.", ".ap"],
    ["kitti_r40.", ".bev"],
    ["kitti_r40.", ".3d"],
    ["waymo.", ".ap"],
    ["waymo.", ".aph"],
];

/// The figures of both runs.
#[derive(Clone, Debug)]
pub(super) struct DetectionPairs {
    /// Classes with truth.
    pub classes: Vec<String>,
    runs: [OfRun; 2],
    /// Frames in which not as many boxes of each class are scored in both.
    pub other_truth: u64,
}

impl DetectionPairs {
    /// Of the sweeps that are paired.
    pub fn new(rows: [&DetectionRows; 2], pairing: &Pairing) -> Self {
        let mut truth: [BTreeMap<(usize, &str), i64>; 2] = Default::default();
        let mut runs = [OfRun::default(), OfRun::default()];
        let places = |side: usize, frames: usize| {
            let mut places = vec![None; frames];
            for (number, pair) in pairing.pairs.iter().enumerate() {
                if let Some(place) = pair.get(side).and_then(|frame| places.get_mut(*frame)) {
                    *place = Some(number);
                }
            }
            places
        };
        let places = [places(0, rows[0].frames.len()), places(1, rows[1].frames.len())];
        for ((truth, run), (rows, places)) in truth.iter_mut().zip(&mut runs).zip(rows.iter().zip(&places)) {
            run.sure = vec![Sure::default(); pairing.pairs.len()];
            for row in &rows.classes {
                let place = places.get(row.frame as usize).copied().flatten();
                let name = rows.class_names.get(usize::from(row.class));
                let Some(((place, sure), name)) = with(&mut run.sure, place).zip(name) else { continue };
                sure.truth += row.truth as f64;
                sure.found += row.found as f64;
                sure.wrong += row.wrong as f64;
                if row.truth > 0 {
                    *truth.entry((place, name)).or_default() += row.truth;
                }
            }
        }
        let mut classes: Vec<String> =
            truth.iter().flat_map(BTreeMap::keys).map(|(_, name)| (*name).to_owned()).collect();
        classes.sort_unstable();
        classes.dedup();
        for ((truth, run), (rows, places)) in truth.iter().zip(&mut runs).zip(rows.iter().zip(&places)) {
            let has_heading = |name: &String| EvalClass::named(name).heading != Heading::None;
            let of_class = |name| OfClass { has_heading: has_heading(name), ..OfClass::default() };
            run.classes = classes.iter().map(of_class).collect();
            let class = |name: &str| classes.binary_search_by(|other| other.as_str().cmp(name)).ok();
            for (&(place, name), boxes) in truth {
                if let Some(of_class) = class(name).and_then(|class| run.classes.get_mut(class)) {
                    of_class.truth.push((place as u32, u32::try_from(*boxes).unwrap_or(u32::MAX)));
                }
            }
            let of_name: Vec<Option<usize>> = rows.detection_names.iter().map(|name| class(name)).collect();
            let mut detected = vec![Vec::new(); classes.len()];
            for row in &rows.detections {
                let place = places.get(row.frame as usize).copied().flatten();
                let Some((place, sure)) = with(&mut run.sure, place) else { continue };
                let [error_m, ..] = row.errors;
                if row.score >= SURE_SCORE && !error_m.is_nan() {
                    sure.errors[0] += error_m;
                    sure.errors[1] += 1.0;
                }
                let class = of_name.get(usize::from(row.class)).copied().flatten();
                if let Some(detected) = class.and_then(|class| detected.get_mut(class)) {
                    detected.push(Detected {
                        score: row.score,
                        frame: place as u32,
                        found: row.found,
                        overlap: row.overlap,
                        errors: row.errors,
                    });
                }
            }
            for (of_class, detected) in run.classes.iter_mut().zip(detected) {
                of_class.ranked = Ranked::new(detected);
            }
        }
        let [a, b] = truth;
        let differs = |place: &usize| {
            let of = |truth: &BTreeMap<(usize, &str), i64>| -> Vec<(String, i64)> {
                let range = truth.range((*place, "")..(*place + 1, ""));
                range.map(|((_, name), boxes)| ((*name).to_owned(), *boxes)).collect()
            };
            of(&a) != of(&b)
        };
        let other_truth = (0..pairing.pairs.len()).filter(differs).count() as u64;
        Self { classes, runs, other_truth }
    }

    /// Keys of the figures in `report.json` under `detection`, in their order; `sure.` are beside those of the
    /// report.
    pub fn keys(&self) -> Vec<String> {
        let common = COMMON.iter().map(|&name| name.to_owned());
        let of_classes = OF_CLASS.iter().flat_map(|[before, after]| {
            self.classes.iter().map(move |name| format!("{before}{name}{after}"))
        });
        common.chain(of_classes).collect()
    }
}

/// Mean of what is known; NaN of nothing.
#[derive(Clone, Copy, Debug, Default)]
struct Mean {
    sum: f64,
    known: u32,
}

impl Mean {
    fn add(&mut self, value: f64) {
        if !value.is_nan() {
            self.sum += value;
            self.known += 1;
        }
    }

    fn value(self) -> f64 {
        self.sum / f64::from(self.known)
    }
}

fn with(sure: &mut [Sure], place: Option<usize>) -> Option<(usize, &mut Sure)> {
    let place = place?;
    Some((place, sure.get_mut(place)?))
}

impl PairedFigures for DetectionPairs {
    fn count(&self) -> usize {
        COMMON.len() + OF_CLASS.len() * self.classes.len()
    }

    fn figures(&self, times: &[u32], out: &mut [[f64; 2]]) {
        let Some((common, of_classes)) = out.split_at_mut_checked(COMMON.len()) else { return };
        for (side, run) in self.runs.iter().enumerate() {
            let mut set = |figure: usize, value: f64| {
                if let Some(slot) = common.get_mut(figure).and_then(|figure| figure.get_mut(side)) {
                    *slot = value;
                }
            };
            let mut means = [Mean::default(); 4];
            for (number, class) in run.classes.iter().enumerate() {
                let found = class.figures(times);
                let values = found.map_or([f64::NAN; OF_CLASS.len()], |found| {
                    let overlap = found.overlap;
                    [found.ap, overlap.bev, overlap.volume, overlap.ap, overlap.aph]
                });
                for (value, of_figure) in values.iter().zip(of_classes.chunks_mut(run.classes.len())) {
                    if let Some(slot) = of_figure.get_mut(number).and_then(|figure| figure.get_mut(side)) {
                        *slot = *value;
                    }
                }
                let [ate, ase, aoe] = found.map_or([f64::NAN; 3], |found| found.errors);
                means.iter_mut().zip([values[0], ate, ase, aoe]).for_each(|(mean, value)| mean.add(value));
            }
            let [map, ate, ase, aoe] = means.map(Mean::value);
            set(0, map);
            set(1, nds3(map, [ate, ase, aoe]));
            set(2, ate);
            set(3, ase);
            set(4, aoe);
            let mut all = Sure::default();
            for (sure, times) in run.sure.iter().zip(times) {
                let times = f64::from(*times);
                all.truth += times * sure.truth;
                all.found += times * sure.found;
                all.wrong += times * sure.wrong;
                all.errors[0] += times * sure.errors[0];
                all.errors[1] += times * sure.errors[1];
            }
            set(5, all.found / all.truth);
            set(6, all.found / (all.found + all.wrong));
            set(7, all.errors[0] / all.errors[1]);
        }
    }
}
