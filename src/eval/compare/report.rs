//! What comes of a comparison.

use serde::Serialize;

use super::{Estimate, Gate};

/// Two runs beside each other, as `isobath compare --json` prints them.
#[derive(Clone, Debug, Serialize)]
pub struct Comparison {
    /// Version of this program.
    pub isobath: &'static str,
    /// Path of run A.
    pub a: String,
    /// Path of run B.
    pub b: String,
    /// Of `interval` and `percent_interval`.
    pub confidence: f64,
    /// Of `gate_interval`.
    pub gate_confidence: f64,
    /// How often blocks are drawn.
    pub resamples: usize,
    /// What a reader of the figures should know.
    pub notes: Vec<String>,
    /// Depth images that both runs have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub depth: Option<TaskFrames>,
    /// Sweeps that both runs have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detection: Option<TaskFrames>,
    /// The figures.
    pub figures: Vec<ComparedFigure>,
    /// Whether B is worse.
    pub gate: Gate,
}

/// How many frames two runs share.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct TaskFrames {
    /// Frames that both have; the figures are over these.
    pub frames: u64,
    /// Frames of A that B does not have.
    pub only_a: u64,
    /// Frames of B that A does not have.
    pub only_b: u64,
    /// Length of the blocks that are drawn, seconds.
    pub block_s: f64,
    /// How many there are.
    pub blocks: f64,
    /// Sweeps in which other boxes of the same truth are scored, as other boxes have points.
    pub other_truth: u64,
}

/// What can be said of a difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The interval is on the better side of 0.
    Better,
    /// The interval is on the worse side of 0.
    Worse,
    /// 0 is in the interval.
    NoDifferenceSeen,
    /// There is no interval.
    NoInterval,
}

impl Verdict {
    /// As it is read.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Better => "better",
            Self::Worse => "worse",
            Self::NoDifferenceSeen => "no difference seen",
            Self::NoInterval => "no interval",
        }
    }
}

/// One figure of both runs. NaN (null in JSON) is what is not known.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ComparedFigure {
    /// As in `report.json`, steps joined by dots.
    pub key: String,
    /// Of A.
    pub a: f64,
    /// Of B.
    pub b: f64,
    /// B − A.
    pub difference: f64,
    /// B − A, % of A.
    pub percent: f64,
    /// Where B − A lies; `None` where nothing tells.
    pub interval: Option<[f64; 2]>,
    /// The same, % of A.
    pub percent_interval: Option<[f64; 2]>,
    /// Where B − A lies with more confidence: what the gate looks at.
    pub gate_interval: Option<[f64; 2]>,
    /// What can be said.
    pub verdict: Verdict,
}

impl ComparedFigure {
    /// From an estimate of a figure that is better when it is lower, or higher.
    pub fn new(key: String, estimate: &Estimate, lower_is_better: bool) -> Self {
        let Estimate { a, b, interval, gate_interval } = *estimate;
        let percent = |difference: f64| if difference == 0.0 { 0.0 } else { difference / a.abs() * 100.0 };
        let verdict = match interval {
            None => Verdict::NoInterval,
            Some([low, _]) if low > 0.0 => {
                if lower_is_better {
                    Verdict::Worse
                } else {
                    Verdict::Better
                }
            }
            Some([_, high]) if high < 0.0 => {
                if lower_is_better {
                    Verdict::Better
                } else {
                    Verdict::Worse
                }
            }
            Some(_) => Verdict::NoDifferenceSeen,
        };
        Self {
            key,
            a,
            b,
            difference: b - a,
            percent: percent(b - a),
            interval,
            percent_interval: interval.map(|ends| ends.map(percent)),
            gate_interval,
            verdict,
        }
    }

    /// A figure that is not made of frames.
    pub fn plain(key: String, [a, b]: [f64; 2]) -> Self {
        Self::new(key, &Estimate { a, b, interval: None, gate_interval: None }, true)
    }
}
