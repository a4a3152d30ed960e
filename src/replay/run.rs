//! A whole replay: load, play every bag, record, sum up.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use super::lane::{Feed, Lane, Yield, wanted};
use super::merge::Merge;
use super::play::{Entrance, Section, play};
use super::recorder::Recorder;
use super::routing::{Routes, check_remaps};
use super::summary::{NodeSummary, RunSummary, config};
use super::{Progress, Rate, ReplayError, ReplayOptions, resources};
use crate::bag::Bag;
use crate::pipeline::depth::DepthPipeline;
use crate::pipeline::detection::DetectionPipeline;
use crate::pipeline::{
    Accounting, InputKind, InputTopic, OutputTopic, Pacing, ParameterSet, Pipeline, PipelineError,
    WantedTopics,
};

/// Messages that wait for a lane in lockstep; bounds the memory.
const LOCKSTEP_QUEUE: usize = 8;
/// Messages that wait while a paced lane computes a frame.
const PACED_QUEUE: usize = 256;

/// A lane of any pipeline.
trait AnyLane: Send {
    fn describe(&self) -> Vec<(&'static str, String)>;
    fn accounting(&self) -> Arc<Mutex<Accounting>>;
    fn run(
        self: Box<Self>,
        number: usize,
        feed: &Receiver<Feed>,
        out: &Sender<(usize, Yield)>,
        turn: Option<&Mutex<()>>,
    ) -> Result<(), ReplayError>;
}

impl<P: Pipeline> AnyLane for Lane<P> {
    fn describe(&self) -> Vec<(&'static str, String)> {
        Self::describe(self)
    }

    fn accounting(&self) -> Arc<Mutex<Accounting>> {
        Self::accounting(self)
    }

    fn run(
        self: Box<Self>,
        number: usize,
        feed: &Receiver<Feed>,
        out: &Sender<(usize, Yield)>,
        turn: Option<&Mutex<()>>,
    ) -> Result<(), ReplayError> {
        Self::run(*self, number, feed, out, turn)
    }
}

type BuildLane = fn(&ParameterSet, Pacing) -> Result<Box<dyn AnyLane>, ReplayError>;

/// What is known of a node before its lane is built.
struct Node {
    name: &'static str,
    parameters: ParameterSet,
    inputs: Vec<InputTopic>,
    trigger: fn(InputKind) -> bool,
    outputs: &'static [OutputTopic],
    wanted: WantedTopics,
    build: BuildLane,
}

impl Node {
    fn new<P: Pipeline>(parameters: &ParameterSet, trigger: fn(InputKind) -> bool) -> Self {
        Self {
            name: P::NODE,
            parameters: parameters.clone(),
            inputs: P::inputs(parameters),
            trigger,
            outputs: P::OUTPUTS,
            wanted: wanted::<P>(parameters),
            build: |parameters, pacing| Ok(Box::new(Lane::<P>::new(parameters, pacing)?)),
        }
    }

    fn triggers(&self) -> impl Iterator<Item = &InputTopic> {
        self.inputs.iter().filter(|input| (self.trigger)(input.kind))
    }
}

/// Replays; gives the summary that is also in `run.json`, and whether part of the input was unreadable.
pub fn replay(
    options: &ReplayOptions,
    progress: &mut dyn Progress,
) -> Result<(RunSummary, Option<String>), ReplayError> {
    let start = Instant::now();
    check(options)?;
    for set in [&options.parameters.depth, &options.parameters.detection] {
        for note in set.review().map_err(PipelineError::from)? {
            tracing::warn!("{note}");
        }
    }
    let all = [
        Node::new::<DepthPipeline>(&options.parameters.depth, |kind| {
            matches!(kind, InputKind::Image | InputKind::CompressedImage)
        }),
        Node::new::<DetectionPipeline>(&options.parameters.detection, |kind| kind == InputKind::Lidar),
    ];
    let inputs: Vec<_> = all.iter().flat_map(|node| node.inputs.iter().cloned()).collect();
    check_remaps(&options.remaps, &inputs)?;

    let mut bags = Vec::with_capacity(options.bags.len());
    for path in &options.bags {
        let bag = Bag::open(path).map_err(ReplayError::Bag)?;
        let mut routes = Vec::with_capacity(all.len());
        for node in &all {
            routes.push(Routes::new(path, bag.info(), &node.inputs, &options.remaps)?);
        }
        let triggered =
            all.iter().zip(&routes).any(|(node, routes)| node.triggers().any(|t| routes.feeds(t.kind)));
        if !triggered {
            return Err(no_input(path, &bag, &all));
        }
        bags.push((path, bag, routes));
    }
    let used: Vec<usize> = (0..all.len())
        .filter(|&node| {
            bags.iter().any(|(_, _, routes)| all[node].triggers().any(|t| routes[node].feeds(t.kind)))
        })
        .collect();

    prepare_folder(&options.out, options.resume)?;
    let mut recorder = Recorder::create(&options.out.join("outputs.mcap"))?;
    for &node in &used {
        recorder.add_lane(all[node].outputs, all[node].wanted)?;
    }
    let mut totals: BTreeMap<&'static str, Accounting> = BTreeMap::new();
    let mut facts: BTreeMap<&'static str, Vec<(&'static str, String)>> = BTreeMap::new();
    let (mut bag_s, mut load_s, mut damage) = (0.0, 0.0, None);
    for (path, bag, routes) in &bags {
        let section = Section::new(bag, options.start_s, options.duration_s);
        progress.bag(&path.display().to_string(), section.seconds(bag));
        bag_s += section.seconds(bag);

        let loading = Instant::now();
        let pacing = if options.rate == Rate::Max { Pacing::Lockstep } else { Pacing::KeepLatest };
        // A lane of its own for each bag: nothing of one recording reaches into the next.
        let mut lanes = Vec::with_capacity(used.len());
        for &node in &used {
            let lane = (all[node].build)(&all[node].parameters, pacing)?;
            facts.insert(all[node].name, lane.describe());
            lanes.push((lane, routes[node].clone()));
        }
        load_s += loading.elapsed().as_secs_f64();
        let accounts: Vec<_> = lanes.iter().map(|(lane, _)| lane.accounting()).collect();
        if let Some((error, any)) = play_bag(bag, section, options, lanes, &mut recorder, progress)? {
            if !any {
                return Err(ReplayError::Bag(error));
            }
            damage.get_or_insert(error.to_string());
        }
        for (&node, account) in used.iter().zip(&accounts) {
            let account = account.lock().unwrap_or_else(PoisonError::into_inner);
            totals.entry(all[node].name).or_default().merge(&account);
        }
    }
    let outputs_sha256 = recorder.finish()?;

    let mut nodes = BTreeMap::new();
    let mut providers = BTreeMap::new();
    for (name, account) in &totals {
        let facts = facts.remove(name).unwrap_or_default();
        let provider = facts.iter().find(|(key, _)| *key == "provider");
        providers.insert(*name, provider.map_or_else(String::new, |(_, value)| value.clone()));
        nodes.insert(*name, NodeSummary::new(account, facts));
    }
    if damage.is_none() {
        damage = nodes.values().find(|node| node.undecodable).map(|node| {
            node.problems
                .iter()
                .map(|(source, text)| format!("{source}: {text}"))
                .collect::<Vec<_>>()
                .join("; ")
        });
    }
    let (cpu_s, max_rss_mb) = resources::used();
    let summary = RunSummary {
        isobath: env!("CARGO_PKG_VERSION"),
        bags: options.bags.iter().map(|path| path.display().to_string()).collect(),
        config: config(&options.parameters),
        providers,
        nodes,
        bag_s,
        load_s,
        wall_s: start.elapsed().as_secs_f64(),
        cpu_s,
        max_rss_mb,
        outputs_sha256,
    };
    write_summary(&options.out, &summary)?;
    Ok((summary, damage))
}

fn play_bag(
    bag: &Bag,
    section: Section,
    options: &ReplayOptions,
    lanes: Vec<(Box<dyn AnyLane>, Routes)>,
    recorder: &mut Recorder,
    progress: &mut dyn Progress,
) -> Result<Option<(crate::bag::BagError, bool)>, ReplayError> {
    let queue = if options.rate == Rate::Max { LOCKSTEP_QUEUE } else { PACED_QUEUE };
    let turn = Mutex::new(());
    let turn = (options.jobs == 1).then_some(&turn);
    let count = lanes.len();
    let (out, results) = channel();
    std::thread::scope(|scope| {
        let mut entrances = Vec::with_capacity(count);
        let mut workers = Vec::with_capacity(count);
        for (number, (lane, routes)) in lanes.into_iter().enumerate() {
            let (feed, fed) = sync_channel(queue);
            entrances.push(Entrance { routes, feed });
            let out = out.clone();
            workers.push(scope.spawn(move || lane.run(number, &fed, &out, turn)));
        }
        drop(out);
        let writer = scope.spawn(move || record(count, &results, recorder));
        let played = play(bag, section, options.rate, &entrances, progress);
        drop(entrances);
        // What failed first is what the others failed of: the recorder, then a lane, then the player.
        writer.join().map_err(|_| ReplayError::Thread("recorder"))??;
        for worker in workers {
            worker.join().map_err(|_| ReplayError::Thread("pipeline"))??;
        }
        played
    })
}

fn record(
    lanes: usize,
    results: &Receiver<(usize, Yield)>,
    recorder: &mut Recorder,
) -> Result<(), ReplayError> {
    let mut merge = Merge::new(lanes);
    while let Ok((lane, result)) = results.recv() {
        match result {
            Yield::Frame { key, stamp, messages } => merge.push(lane, key, (stamp, messages)),
            Yield::Watermark(watermark) => merge.advance(lane, watermark),
            Yield::End => merge.end(lane),
        }
        while let Some((lane, (stamp, messages))) = merge.pop() {
            for (topic, bytes) in messages {
                recorder.write(lane, topic, stamp, &bytes)?;
            }
        }
    }
    if merge.all_ended() { Ok(()) } else { Err(ReplayError::Thread("pipeline")) }
}

fn check(options: &ReplayOptions) -> Result<(), ReplayError> {
    let refuse = |name, expected, found: String| Err(ReplayError::Option { name, expected, found });
    if let Rate::Times(factor) = options.rate
        && !(factor.is_finite() && factor > 0.0)
    {
        return refuse("--rate", "max or a factor above 0", factor.to_string());
    }
    if !(options.start_s.is_finite() && options.start_s >= 0.0) {
        return refuse("--start", "seconds from 0", options.start_s.to_string());
    }
    if let Some(seconds) = options.duration_s
        && !(seconds.is_finite() && seconds > 0.0)
    {
        return refuse("--duration", "seconds above 0", seconds.to_string());
    }
    if options.jobs == 0 {
        return refuse("--jobs", "a number from 1", options.jobs.to_string());
    }
    Ok(())
}

fn no_input(path: &Path, bag: &Bag, nodes: &[Node]) -> ReplayError {
    let expected: Vec<_> = nodes
        .iter()
        .flat_map(Node::triggers)
        .map(|input| format!("/{} ({})", input.name, crate::pipeline::type_name_of(input.kind)))
        .collect();
    let found: Vec<_> = bag.info().topics.iter().map(|topic| topic.name.as_str()).collect();
    ReplayError::NoInput { bag: path.to_owned(), expected: expected.join(" or "), found: found.join(", ") }
}

fn prepare_folder(out: &Path, resume: bool) -> Result<(), ReplayError> {
    let fail = |error: std::io::Error| ReplayError::Write { path: out.to_owned(), reason: error.to_string() };
    std::fs::create_dir_all(out).map_err(fail)?;
    let empty = std::fs::read_dir(out).map_err(fail)?.next().is_none();
    if empty {
        return Ok(());
    }
    if !resume {
        return Err(ReplayError::OutNotEmpty(out.to_owned()));
    }
    for name in ["outputs.mcap", "run.json"] {
        let path: PathBuf = out.join(name);
        if path.exists() {
            std::fs::remove_file(&path).map_err(fail)?;
        }
    }
    Ok(())
}

/// Written beside and renamed, so that a `run.json` always belongs to a finished run.
fn write_summary(out: &Path, summary: &RunSummary) -> Result<(), ReplayError> {
    let path = out.join("run.json");
    let fail = |reason: String| ReplayError::Write { path: path.clone(), reason };
    let text = serde_json::to_string_pretty(summary).map_err(|error| fail(error.to_string()))?;
    let partial = out.join("run.json.partial");
    std::fs::write(&partial, text + "\n").map_err(|error| fail(error.to_string()))?;
    std::fs::rename(&partial, &path).map_err(|error| fail(error.to_string()))
}
