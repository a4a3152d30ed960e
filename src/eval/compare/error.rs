//! Why runs cannot be compared.

use std::path::PathBuf;

use crate::table::TableError;

/// Why runs cannot be compared.
#[derive(Debug, thiserror::Error)]
pub enum CompareError {
    /// A run without a report or a table of its frames.
    #[error("'{}': expected {file}, found none; `isobath evaluate {}` writes it", run.display(), run.display())]
    NotEvaluated {
        /// The run.
        run: PathBuf,
        /// What is missing.
        file: &'static str,
    },
    /// A report that cannot be used.
    #[error("{}: {reason}", path.display())]
    Report {
        /// The file.
        path: PathBuf,
        /// Expected and found.
        reason: String,
    },
    /// A table that cannot be read.
    #[error("{}: {source}", path.display())]
    Table {
        /// The file.
        path: PathBuf,
        /// Expected and found.
        source: TableError,
    },
    /// A table whose rows do not fit together.
    #[error("{}, row {row}: expected {expected}, found {found}", path.display())]
    Row {
        /// The file.
        path: PathBuf,
        /// Index.
        row: usize,
        /// Expected.
        expected: &'static str,
        /// Found.
        found: String,
    },
    /// Not a rule.
    #[error(
        "--fail-if '{rule}': expected <key> > +x%, <key> < -x%, the same without % for a plain difference, or \
         without a sign for a limit of B alone; {reason}"
    )]
    Rule {
        /// As it was given.
        rule: String,
        /// What is wrong.
        reason: String,
    },
    /// A rule about a figure that there is not.
    #[error("--fail-if: expected a figure that both reports have, found '{key}'{hint}")]
    Key {
        /// The figure.
        key: String,
        /// What may be meant.
        hint: String,
    },
    /// No rule was given and no headline figure is known.
    #[error(
        "expected depth.abs_rel or detection.nuscenes.map in both runs to judge, found neither: the frames have no \
         truth boxes; --fail-if names other figures"
    )]
    NothingToJudge,
    /// Runs of different bags.
    #[error(
        "expected runs of the same bags, or of copies with the same truth, found other truth: {a} in A and {b} in B"
    )]
    OtherBags {
        /// Those of A.
        a: String,
        /// Those of B.
        b: String,
    },
    /// Several bags of a run have the truth of one of the other.
    #[error(
        "expected one bag of the same name or the same truth as {bag}, found {found}: compare runs of one of them"
    )]
    SeveralBags {
        /// The bag, and whose it is.
        bag: String,
        /// Those of the other run.
        found: String,
    },
    /// The runs share no frame.
    #[error("{task}: expected frames that both runs have, found none among {a} of A and {b} of B")]
    NoCommonFrames {
        /// Depth or detection.
        task: &'static str,
        /// Frames of A.
        a: u64,
        /// Frames of B.
        b: u64,
    },
    /// The same bags, but another time axis.
    #[error(
        "{task}: expected time to run back equally often in both runs, found {a} times in A and {b} times in B: \
         which frames are the same cannot be told"
    )]
    TimeJumps {
        /// Depth or detection.
        task: &'static str,
        /// Of A.
        a: u32,
        /// Of B.
        b: u32,
    },
    /// The runs were scored with different truth.
    #[error(
        "{task}: expected the same truth in both runs, found it different in {different} of {frames} frames"
    )]
    OtherTruth {
        /// Depth or detection.
        task: &'static str,
        /// Frames where it differs.
        different: u64,
        /// Frames that both have.
        frames: u64,
    },
    /// Nothing was scored in both.
    #[error("expected depth or detection that was scored in both runs, found {a} in A and {b} in B")]
    NothingInCommon {
        /// Sections of A.
        a: String,
        /// Sections of B.
        b: String,
    },
}

impl CompareError {
    /// Whether the input is at fault, rather than what was asked.
    pub const fn is_input(&self) -> bool {
        matches!(self, Self::Report { .. } | Self::Table { .. } | Self::Row { .. })
    }
}
