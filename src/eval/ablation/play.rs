//! One condition: all runs again, scored, and nothing left of them.

use std::fs;
use std::path::{Path, PathBuf};

use super::frame_errors::{FrameErrors, Recordings};
use super::frame_influence::FrameInfluence;
use super::radar_filter::RadarFilter;
use super::recipe::Recipe;
use super::{AblationError, AblationWatch, Condition};
use crate::eval::run::{DepthSection, EvaluateOptions, score_depth};
use crate::pipeline::Pipeline;
use crate::pipeline::depth::DepthPipeline;
use crate::replay::{Outcome, ReplayError, RunSummary, replay_filtered};

/// How conditions are played.
pub(super) struct Plays<'a> {
    pub recipes: &'a [Recipe],
    /// How the runs are scored
    pub options: &'a EvaluateOptions,
    pub seed: u64,
    /// Where runs may go for a while
    pub scratch: &'a Path,
}

/// What came of a condition.
pub(super) struct Played {
    pub section: DepthSection,
    pub errors: FrameErrors,
    pub influence: FrameInfluence,
    /// Of each run
    pub summaries: Vec<RunSummary>,
    /// What of the bags could not be read
    pub unreadable: Vec<String>,
}

impl Plays<'_> {
    /// Plays and scores a condition.
    pub fn play(
        &self,
        condition: &Condition,
        recordings: &mut Recordings,
        watch: &mut dyn AblationWatch,
    ) -> Result<Played, AblationError> {
        let folder = self.scratch.join(condition.name);
        let (mut runs, mut summaries, mut unreadable) = (Vec::new(), Vec::new(), Vec::new());
        for (number, recipe) in self.recipes.iter().enumerate() {
            let out = folder.join(number.to_string());
            let mut filter = RadarFilter::new(condition.fault, self.seed, recipe.scans());
            let options = recipe.options(condition.fault, out.clone())?;
            let played = replay_filtered(&options, DepthPipeline::NODE, &mut filter, watch)?;
            let Outcome::Replayed { summary, unreadable: damage } = played else {
                return Err(ReplayError::NotARun(out).into());
            };
            if filter.topics == 0 {
                return Err(recipe.no_radar(
                    "expected bags with a topic of a radar that depth takes, found none".to_owned(),
                ));
            }
            runs.push(out);
            summaries.push(*summary);
            unreadable.extend(damage);
        }
        let section = self.score(runs.clone(), &folder)?;
        let errors = FrameErrors::read(&folder, recordings)?;
        let mut influence = FrameInfluence::default();
        for run in &runs {
            influence.read(run)?;
        }
        fs::remove_dir_all(&folder)
            .map_err(|error| AblationError::Remove { path: folder, reason: error.to_string() })?;
        Ok(Played { section, errors, influence, summaries, unreadable })
    }

    fn score(&self, runs: Vec<PathBuf>, folder: &Path) -> Result<DepthSection, AblationError> {
        let EvaluateOptions { truth, depth_truth, remaps, .. } = self.options.clone();
        let options = EvaluateOptions { runs, truth, depth_truth, remaps, ..EvaluateOptions::default() };
        Ok(score_depth(&options, folder)?)
    }
}
