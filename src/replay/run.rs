//! A whole replay: load, play every bag, record, sum up.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::mpsc::{Receiver, channel, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::calibration::Overlay;
use super::frame_table::{FRAMES_FILE, FrameTable};
use super::lane::Yield;
use super::merge::Merge;
use super::node::{AnyLane, Node};
use super::play::{Entrance, Played, Player, Section};
use super::play_clock::PlayClock;
use super::recorder::Recorder;
use super::routing::{Routes, check_remaps};
use super::summary::{NodeSummary, RunSummary, config};
use super::{Progress, Rate, ReplayError, ReplayOptions, resources};
use crate::bag::{Bag, BagError, OutFolder, OutFolderError, ReadFilter};
use crate::message::Stamp;
use crate::pipeline::{Accounting, FrameAccount, Pacing, PipelineError, type_name_of};

/// Messages that wait for a lane in lockstep; bounds the memory.
const LOCKSTEP_QUEUE: usize = 8;
/// Messages that wait while a paced lane computes a frame.
const PACED_QUEUE: usize = 256;

/// The longest budget of a frame.
const LONGEST_BUDGET_MS: f64 = 3_600_000.0;

/// What a replay writes, and replaces if it was told to resume.
const FILES: [&str; 5] =
    ["outputs.mcap", "run.json", "run.json.partial", FRAMES_FILE, "frames.parquet.partial"];

/// A bag with the routes of each node.
struct Source {
    bag: Bag,
    section: Section,
    routes: Vec<Routes>,
}

/// A lane about to play a bag.
struct PlayedLane {
    /// Node name
    name: &'static str,
    lane: Box<dyn AnyLane>,
    routes: Routes,
}

/// Facts about the models, by node.
type Facts = BTreeMap<&'static str, Vec<(&'static str, String)>>;

/// Replays; gives the summary that is also in `run.json`, and what of the input was unreadable.
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
    match OutFolder::check(&options.out) {
        Err(OutFolderError::NotEmpty(_)) if options.resume => {}
        checked => checked?,
    }
    let all = Node::all(&options.parameters);
    let inputs: Vec<_> = all.iter().flat_map(|node| node.inputs.iter().cloned()).collect();
    check_remaps(&options.remaps, &inputs)?;
    let mut sources = Vec::with_capacity(options.bags.len());
    for path in &options.bags {
        sources.push(open(path, options, &all, progress)?);
    }
    let used: Vec<(usize, &Node)> = all
        .iter()
        .enumerate()
        .filter(|(index, node)| sources.iter().any(|source| node.is_triggered_by(&source.routes[*index])))
        .collect();

    let pacing = if options.rate == Rate::Max { Pacing::Lockstep } else { Pacing::KeepLatest };
    let budget = options.budget_ms.map(|ms| Duration::from_secs_f64(ms / 1e3));
    let mut facts = Facts::new();
    let mut load_s = 0.0;
    let mut load = |facts: &mut Facts| {
        let loading = Instant::now();
        let mut lanes = Vec::with_capacity(used.len());
        for (_, node) in &used {
            let lane = node.build(pacing, budget)?;
            facts.insert(node.name, lane.describe());
            lanes.push(lane);
        }
        load_s += loading.elapsed().as_secs_f64();
        Ok::<_, ReplayError>(lanes)
    };
    // Before anything is written: a model that cannot be used leaves no trace.
    let mut loaded = Some(load(&mut facts)?);
    let folder = OutFolder::create(&options.out, &FILES)?;
    let mut recorder = Recorder::create(&options.out.join("outputs.mcap"))?;
    let mut frames = FrameTable::create(&options.out)?;
    for (_, node) in &used {
        recorder.add_lane(node.outputs, node.wanted)?;
    }

    let mut totals: BTreeMap<&'static str, Accounting> = BTreeMap::new();
    let (mut bag_s, mut any, mut damages) = (0.0, false, Vec::new());
    let mut paced_s = (0.0, 0.0);
    let mut outputs_per_bag = Vec::with_capacity(sources.len());
    for (index, Source { bag, section, routes }) in sources.iter().enumerate() {
        progress.bag(&bag.path().display().to_string(), section.seconds(bag));
        bag_s += section.seconds(bag);
        // A lane of its own for each bag: nothing of one recording reaches into the next.
        let lanes = match loaded.take() {
            Some(lanes) => lanes,
            None => load(&mut facts)?,
        };
        let accounts: Vec<_> = lanes.iter().map(|lane| lane.accounting()).collect();
        let lanes = lanes.into_iter().zip(&used).map(|(lane, (number, node))| PlayedLane {
            name: node.name,
            lane,
            routes: routes[*number].clone(),
        });
        let before = recorder.written();
        frames.start_bag(index, bag.path());
        let written = (&mut recorder, &mut frames);
        let played = play_bag(bag, *section, options, lanes.collect(), written, progress)?;
        outputs_per_bag.push(recorder.written() - before);
        paced_s = (paced_s.0 + played.paced_s.0, paced_s.1 + played.paced_s.1);
        any |= played.any;
        damages.extend(played.damages);
        for ((_, node), account) in used.iter().zip(&accounts) {
            let account = account.lock().unwrap_or_else(PoisonError::into_inner);
            totals.entry(node.name).or_default().merge(&account);
        }
    }
    let whole = options.start_s == 0.0 && options.duration_s.is_none();
    if whole && !any && !damages.is_empty() {
        return Err(ReplayError::Bag(damages.swap_remove(0)));
    }
    let outputs_sha256 = recorder.finish()?;
    frames.finish()?;

    let mut nodes = BTreeMap::new();
    let mut providers = BTreeMap::new();
    let mut unread: Vec<String> = damages.iter().map(ToString::to_string).collect();
    for (name, account) in &totals {
        let facts = facts.remove(name).unwrap_or_default();
        let provider = facts.iter().find(|(key, _)| *key == "provider");
        providers.insert(*name, provider.map_or_else(String::new, |(_, value)| value.clone()));
        let undecodable = account.problems().iter().filter(|(_, problem)| problem.undecodable);
        unread.extend(undecodable.map(|(source, problem)| format!("{source}: {problem}")));
        nodes.insert(*name, NodeSummary::new(account, facts));
    }
    let (cpu_s, max_rss_mb) = resources::used();
    let summary = RunSummary {
        isobath: env!("CARGO_PKG_VERSION"),
        bags: options.bags.iter().map(|path| path.display().to_string()).collect(),
        remaps: options.remaps.iter().map(ToString::to_string).collect(),
        config: config(&options.parameters, options.calibration.as_ref()),
        providers,
        nodes,
        rate: match options.rate {
            Rate::Max => "max".to_owned(),
            Rate::Times(factor) => factor.to_string(),
        },
        rate_search: None,
        rate_reached: (paced_s.1 > 0.0).then(|| paced_s.0 / paced_s.1),
        bag_s,
        load_s,
        wall_s: start.elapsed().as_secs_f64(),
        cpu_s,
        max_rss_mb,
        outputs_sha256,
        outputs_per_bag,
    };
    write_summary(&options.out, &summary)?;
    folder.keep();
    Ok((summary, (!unread.is_empty()).then(|| unread.join("; "))))
}

/// Opens a bag and finds out what it feeds.
fn open(
    path: &Path,
    options: &ReplayOptions,
    nodes: &[Node],
    progress: &dyn Progress,
) -> Result<Source, ReplayError> {
    let bag = Bag::open_watched(path, progress.unpacking()).map_err(ReplayError::Bag)?;
    let mut routes = Vec::with_capacity(nodes.len());
    for node in nodes {
        routes.push(Routes::new(path, bag.info(), &node.inputs, &options.remaps)?);
    }
    let empty = bag.info().message_count() == 0;
    let triggered = nodes.iter().zip(&routes).any(|(node, routes)| node.is_triggered_by(routes));
    if empty || !triggered {
        // What is missing may be what cannot be read.
        return Err(match damage(&bag) {
            Some(damage) => ReplayError::Bag(damage),
            None if empty => ReplayError::EmptyBag(path.to_owned()),
            None => no_input(path, &bag, nodes),
        });
    }
    let section = Section::new(&bag, options.start_s, options.duration_s)?;
    Ok(Source { bag, section, routes })
}

/// What is wrong with the bag's files, found without reading their messages.
fn damage(bag: &Bag) -> Option<BagError> {
    let behind = bag.info().end.0.saturating_add(1);
    let filter = ReadFilter { start: Some(Stamp(behind)), ..ReadFilter::default() };
    bag.messages(&filter).map_or_else(Some, |mut messages| messages.find_map(Result::err))
}

fn play_bag(
    bag: &Bag,
    section: Section,
    options: &ReplayOptions,
    lanes: Vec<PlayedLane>,
    (recorder, frames): (&mut Recorder, &mut FrameTable),
    progress: &mut dyn Progress,
) -> Result<Played, ReplayError> {
    let (clock, queue) = match options.rate {
        Rate::Max => (None, LOCKSTEP_QUEUE),
        Rate::Times(factor) => (Some(PlayClock::new(factor, section.start)), PACED_QUEUE),
    };
    let clock = clock.as_ref();
    let turn = Mutex::new(());
    let turn = (options.jobs == 1).then_some(&turn);
    let names: Vec<&'static str> = lanes.iter().map(|lane| lane.name).collect();
    let (out, results) = channel();
    std::thread::scope(|scope| {
        let mut entrances = Vec::with_capacity(lanes.len());
        let mut workers = Vec::with_capacity(lanes.len());
        for (number, PlayedLane { lane, routes, .. }) in lanes.into_iter().enumerate() {
            let (feed, fed) = sync_channel(queue);
            entrances.push(Entrance { routes, feed });
            let out = out.clone();
            workers.push(scope.spawn(move || lane.run(number, &fed, &out, clock, turn)));
        }
        drop(out);
        let writer = scope.spawn(|| record(&names, results, recorder, frames));
        let overlay = options.calibration.as_ref().map(Overlay::new);
        let player = Player { bag, section, clock, lanes: &entrances, overlay };
        let played = player.play(progress);
        drop(entrances);
        // What failed first is what the others failed of: the recorder, then a lane, then the player.
        writer.join().map_err(|_| ReplayError::Thread("recorder"))??;
        for worker in workers {
            worker.join().map_err(|_| ReplayError::Thread("pipeline"))??;
        }
        played
    })
}

/// What lanes give, in the order of the recording.
enum Record {
    Outputs(Stamp, Vec<(usize, Vec<u8>)>),
    Account(Vec<FrameAccount>),
}

/// Writes what the lanes called `names` give until all have ended. Without it nobody takes what they give, so that
/// they end too.
fn record(
    names: &[&'static str],
    results: Receiver<(usize, Yield)>,
    recorder: &mut Recorder,
    frames: &mut FrameTable,
) -> Result<(), ReplayError> {
    let mut merge = Merge::new(names.len());
    for (lane, result) in results {
        match result {
            Yield::Frame { key, stamp, messages } => merge.push(lane, key, Record::Outputs(stamp, messages)),
            Yield::Account { key, frames } => merge.push(lane, key, Record::Account(frames)),
            Yield::Watermark(watermark) => merge.advance(lane, watermark),
            Yield::End => merge.end(lane),
        }
        while let Some((lane, record)) = merge.pop() {
            match record {
                Record::Outputs(stamp, messages) => {
                    for (topic, bytes) in messages {
                        recorder.write(lane, topic, stamp, &bytes)?;
                    }
                }
                Record::Account(accounts) => {
                    frames.rows(names.get(lane).copied().unwrap_or_default(), &accounts)?;
                }
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
    if let Some(ms) = options.budget_ms
        && !(ms > 0.0 && ms <= LONGEST_BUDGET_MS)
    {
        return refuse("--budget", "milliseconds above 0, at most an hour", ms.to_string());
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
        .map(|input| format!("/{} ({})", input.name, type_name_of(input.kind)))
        .collect();
    let found: Vec<_> = bag.info().topics.iter().map(|topic| topic.name.as_str()).collect();
    ReplayError::NoInput { bag: path.to_owned(), expected: expected.join(" or "), found: found.join(", ") }
}

/// Written beside and renamed, so that a `run.json` always belongs to a finished run.
pub(super) fn write_summary(out: &Path, summary: &RunSummary) -> Result<(), ReplayError> {
    let path = out.join("run.json");
    let fail = |reason: String| ReplayError::Write { path: path.clone(), reason };
    let text = serde_json::to_string_pretty(summary).map_err(|error| fail(error.to_string()))?;
    let partial = out.join("run.json.partial");
    std::fs::write(&partial, text + "\n").map_err(|error| fail(error.to_string()))?;
    std::fs::rename(&partial, &path).map_err(|error| fail(error.to_string()))
}
