//! Precision over recall of one class, as it is plotted.

use crate::eval::detection::{DetectionEval, EvalClasses, MATCH_DISTANCES_M};

/// Which of [`MATCH_DISTANCES_M`] is plotted: 2 m, the one that errors are taken at.
const DISTANCE: usize = 2;

/// Precision at the recalls 0, 0.01, … as far as they were reached, for centres less than 2 m apart.
#[derive(Clone, Debug, PartialEq)]
pub struct ClassCurve {
    /// The class.
    pub name: String,
    /// Recall and precision, by rising recall; empty if nothing of the class was found.
    pub points: Vec<(f64, f64)>,
    /// Truth boxes.
    pub truth: u64,
}

impl ClassCurve {
    /// The match distance, metres.
    pub const DISTANCE_M: f64 = MATCH_DISTANCES_M[DISTANCE];

    /// The classes with truth, most of it first, of equal ones in the order of their names.
    pub fn all(eval: &DetectionEval, classes: &EvalClasses) -> Vec<Self> {
        let report = eval.report(classes).nuscenes;
        let mut curves: Vec<Self> = (0_u16..)
            .zip(classes)
            .filter_map(|(index, class)| {
                let truth = report.per_class.get(&class.name)?.truth;
                let curve = eval.curve(index, DISTANCE);
                // Beyond the highest recall that was reached the precision is 0.
                let reached = |(_, precision): &(f64, f64)| *precision > 0.0;
                let points = curve.map_or_else(Vec::new, |curve| {
                    let recalls = (0_u32..).map(|i| f64::from(i) * 0.01);
                    recalls.zip(curve.precision).filter(reached).collect()
                });
                (truth > 0).then(|| Self { name: class.name.clone(), points, truth })
            })
            .collect();
        curves.sort_by(|a, b| b.truth.cmp(&a.truth).then_with(|| a.name.cmp(&b.name)));
        curves
    }
}
