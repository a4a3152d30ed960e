//! `isobath import`.

use std::path::PathBuf;
use std::time::Instant;

use clap::{Args, ValueEnum};

use super::output::print;
use super::steps::Steps;
use super::table::Table;
use super::{Failure, Status};
use crate::import::{DataSet, ImportOptions, ImportSummary, import};

#[derive(Args)]
pub(super) struct ImportArguments {
    /// Which data set it is
    data_set: Name,
    /// The folder of the download: of KITTI the object benchmark or one raw drive, of nuScenes the one with
    /// v1.0-…, of TUM one sequence
    folder: PathBuf,
    /// New folder of the bag
    #[arg(long)]
    out: PathBuf,
    /// nuScenes: only this scene, as scene-0061
    #[arg(long)]
    scene: Option<String>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Name {
    Kitti,
    Nuscenes,
    Tum,
}

pub(super) fn run(arguments: &ImportArguments) -> Result<Status, Failure> {
    let started = Instant::now();
    let options = ImportOptions {
        data_set: match arguments.data_set {
            Name::Kitti => DataSet::Kitti,
            Name::Nuscenes => DataSet::NuScenes,
            Name::Tum => DataSet::Tum,
        },
        folder: arguments.folder.clone(),
        out: arguments.out.clone(),
        scene: arguments.scene.clone(),
    };
    let mut steps: Option<Steps> = None;
    let result = import(&options, &mut |done, of| {
        steps.get_or_insert_with(|| Steps::new("files", of)).at(done);
    });
    drop(steps);
    let summary = result?;
    print(&text(&summary, &options, started.elapsed().as_secs_f64()))?;
    Ok(Status::Fine)
}

fn text(summary: &ImportSummary, options: &ImportOptions, seconds: f64) -> String {
    let mut table = Table::new(["topic", "messages"]).right([1]);
    for topic in &summary.topics {
        table.row([topic.name.to_owned(), topic.messages.to_string()]);
    }
    let left_out: Vec<String> =
        summary.left_out.iter().map(|(name, count)| format!("{name} {count}")).collect();
    let left_out = if left_out.is_empty() {
        String::new()
    } else {
        format!("objects of no class of this project, left out: {}\n", left_out.join(", "))
    };
    format!("{table}{left_out}{seconds:.1} s; bag in {}\n", options.out.display())
}
