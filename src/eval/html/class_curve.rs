//! Precision over recall of one class, as it is plotted.

use crate::eval::detection::{DetectionEval, EvalClasses, MATCH_DISTANCES_M, NuScenesReport};

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

    /// All classes; how much truth they have is not known yet.
    pub fn all(eval: &DetectionEval, classes: &EvalClasses) -> Vec<Self> {
        let curve = |index: u16| {
            // Beyond the highest recall that was reached the precision is 0.
            let reached = |(_, precision): &(f64, f64)| *precision > 0.0;
            let recalls = (0_u32..).map(|i| f64::from(i) * 0.01);
            let precision = eval.curve(index, DISTANCE).map_or_else(Vec::new, |curve| curve.precision);
            recalls.zip(precision).filter(reached).collect()
        };
        let named = (0_u16..).zip(classes);
        named
            .map(|(index, class)| Self { name: class.name.clone(), points: curve(index), truth: 0 })
            .collect()
    }

    /// The classes that `report` has truth of, most of it first, of equal ones in the order of their names.
    pub fn with_truth(curves: Vec<Self>, report: &NuScenesReport) -> Vec<Self> {
        let truth = |name: &String| report.per_class.get(name).map_or(0, |class| class.truth);
        let counted = curves.into_iter().map(|curve| Self { truth: truth(&curve.name), ..curve });
        let mut curves: Vec<Self> = counted.filter(|curve| curve.truth > 0).collect();
        curves.sort_by(|a, b| b.truth.cmp(&a.truth).then_with(|| a.name.cmp(&b.name)));
        curves
    }
}
