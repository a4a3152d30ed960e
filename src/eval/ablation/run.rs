//! All conditions, one after the other.

use std::path::Path;

use super::condition::{Condition, Fault};
use super::frame_errors::Recordings;
use super::frame_influence::FrameInfluence;
use super::play::Plays;
use super::recipe::Recipe;
use super::report::SCHEMA;
use super::steps::{Chance, Errors, radar_helps};
use super::{Ablation, AblationError, CONDITIONS, ConditionScore};
use crate::eval::compare::{CONFIDENCE, RESAMPLES};
use crate::eval::run::{DepthSection, EvaluateOptions};
use crate::replay::{Progress, RunSummary};

/// Hears about the progress.
pub trait AblationWatch: Progress {
    /// Condition `number` of `of`, from 1, begins.
    fn condition(&mut self, number: usize, of: usize, name: &str);
}

/// Plays the runs of `options` again under all conditions. Outputs are in `scratch`, a folder, one condition at a time.
pub fn ablate(
    options: &EvaluateOptions,
    seed: u64,
    scratch: &Path,
    watch: &mut dyn AblationWatch,
) -> Result<Ablation, AblationError> {
    let recipes = options.runs.iter().map(|run| Recipe::of(run)).collect::<Result<Vec<_>, _>>()?;
    let plays = Plays { recipes: &recipes, options, seed, scratch };
    let mut recordings = Recordings::default();
    let (mut sections, mut errors) = (Vec::new(), Vec::new());
    let (mut models, mut notes) = (Vec::new(), Vec::new());
    let (mut influence, mut warned) = (Vec::new(), Vec::new());
    let mut clean = FrameInfluence::default();
    for (number, condition) in CONDITIONS.iter().enumerate() {
        watch.condition(number + 1, CONDITIONS.len(), condition.name);
        let played = plays.play(condition, &mut recordings, watch)?;
        if number == 0 {
            models = played.summaries.iter().map(model).collect();
            notes.extend(played.unreadable);
            clean = played.influence;
        } else if condition.fault == Fault::Shuffled {
            influence = clean.scores(&played.influence);
        }
        warned.push(played.summaries.iter().map(warnings).sum());
        sections.push(played.section);
        errors.push(played.errors);
    }
    for recipe in recipes.iter().filter(|recipe| !recipe.is_lockstep) {
        notes.push(format!(
            "'{}' was not made in lockstep: the clean condition has frames that it dropped for being late",
            recipe.run.display()
        ));
    }
    let frames_clean = sections.first().map_or(0, |section| section.figures.frames);
    for (condition, section) in CONDITIONS.iter().zip(&sections) {
        let frames = section.figures.frames;
        if frames != frames_clean {
            notes.push(format!(
                "{}: {frames} frames have a figure, of {frames_clean} in the clean condition",
                condition.name
            ));
        }
    }
    let errors = Errors::new(&errors, &recordings.pairs())?;
    let chances = errors.chances();
    let (block_s, blocks) = errors.blocks();
    if chances.iter().any(|chance| chance.interval.is_none()) {
        notes.push(format!(
            "{blocks:.1} blocks of frames are too few for intervals: recordings of 5 s or more together tell more"
        ));
    }
    let conditions: Vec<ConditionScore> = CONDITIONS
        .iter()
        .zip(&sections)
        .zip(chances.iter().zip(warned))
        .map(|((condition, section), (chance, warned))| score(condition, section, chance, warned))
        .collect();
    let is_better = |score: &&ConditionScore| {
        score.vs_cleaner.as_ref().is_some_and(|step| step.better_than_cleaner == Some(true))
    };
    Ok(Ablation {
        schema: SCHEMA,
        isobath: env!("CARGO_PKG_VERSION"),
        seed,
        runs: options.runs.iter().map(|run| run.display().to_string()).collect(),
        models,
        frames: frames_clean,
        confidence: CONFIDENCE,
        resamples: RESAMPLES,
        block_s,
        blocks,
        notes,
        radar_helps: radar_helps(&chances),
        better_than_cleaner: conditions.iter().filter(is_better).map(|score| score.name).collect(),
        influence,
        conditions,
    })
}

/// Model, precision and provider.
fn model(summary: &RunSummary) -> String {
    let facts = summary.nodes.get("depth").map(|node| &node.model);
    let fact = |key| facts.and_then(|facts| facts.get(key)).map_or("", String::as_str);
    format!("{} ({}, {})", fact("model"), fact("precision"), fact("provider"))
}

/// Frames at which the node said that its radar is of no use.
fn warnings(summary: &RunSummary) -> u64 {
    summary.nodes.get("depth").and_then(|node| node.radar.get("warned")).map_or(0, |frames| *frames as u64)
}

fn score(condition: &Condition, section: &DepthSection, chance: &Chance, warned: u64) -> ConditionScore {
    let figures = &section.figures.figures;
    ConditionScore {
        name: condition.name,
        family: condition.family,
        frames: section.figures.frames,
        abs_rel: figures.abs_rel,
        abs_rel_ci: chance.interval,
        delta1: figures.delta1,
        coverage: figures.coverage,
        warned,
        vs_cleaner: chance.vs_cleaner,
        vs_dropped: chance.vs_dropped,
    }
}
