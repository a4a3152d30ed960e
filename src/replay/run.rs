//! A whole replay: load, play every bag, record, sum up.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

use super::attempt::{Attempt, Place};
use super::bag_run::{BagRun, PlayedLane};
use super::frame_table::FrameTable;
use super::node::Node;
use super::play::Section;
use super::recorder::Recorder;
use super::routing::{Routes, check_remaps};
use super::stored::StoredFrames;
use super::summary::{NodeSummary, RunSummary, config};
use super::{Identity, MessageFilter, Progress, Rate, ReplayError, ReplayOptions, resources};
use crate::bag::{Bag, BagError, ReadFilter};
use crate::message::Stamp;
use crate::pipeline::{Accounting, Pacing, PipelineError, type_name_of};

/// The longest budget of a frame.
const LONGEST_BUDGET_MS: f64 = 3_600_000.0;

/// A bag with the routes of each node.
struct Source {
    bag: Bag,
    section: Section,
    routes: Vec<Routes>,
}

/// Facts about the models, by node.
type Facts = BTreeMap<&'static str, Vec<(&'static str, String)>>;

/// What came of [`replay`].
#[derive(Debug)]
pub enum Outcome {
    /// The bags were replayed
    Replayed {
        /// What is also in `run.json`
        summary: Box<RunSummary>,
        /// What of the input was unreadable
        unreadable: Option<String>,
    },
    /// The run to resume had ended; nothing was done
    AlreadyFinished,
}

/// Replays.
pub fn replay(options: &ReplayOptions, progress: &mut dyn Progress) -> Result<Outcome, ReplayError> {
    check(options)?;
    for set in [&options.parameters.depth, &options.parameters.detection] {
        for note in set.review().map_err(PipelineError::from)? {
            tracing::warn!("{note}");
        }
    }
    play_all(options, None, progress)
}

/// Replays into `node` alone what `filter` leaves of the bags.
pub(crate) fn replay_filtered(
    options: &ReplayOptions,
    node: &'static str,
    filter: &mut dyn MessageFilter,
    progress: &mut dyn Progress,
) -> Result<Outcome, ReplayError> {
    check(options)?;
    play_all(options, Some((node, filter)), progress)
}

fn play_all(
    options: &ReplayOptions,
    mut filtered: Option<(&'static str, &mut dyn MessageFilter)>,
    progress: &mut dyn Progress,
) -> Result<Outcome, ReplayError> {
    let start = Instant::now();
    let place = Place::look(&options.out, options.resume)?;
    let all = Node::all(&options.parameters);
    let inputs: Vec<_> = all.iter().flat_map(|node| node.inputs.iter().cloned()).collect();
    check_remaps(&options.remaps, &inputs)?;
    let mut sources = Vec::with_capacity(options.bags.len());
    for path in &options.bags {
        sources.push(open(path, options, &all, progress)?);
    }
    let only = filtered.as_ref().map(|(node, _)| *node);
    let used: Vec<(usize, &Node)> = all
        .iter()
        .enumerate()
        .filter(|(_, node)| only.is_none_or(|only| node.name == only))
        .filter(|(index, node)| sources.iter().any(|source| node.is_triggered_by(&source.routes[*index])))
        .collect();

    let identity = Identity::new(
        options,
        sources.iter().map(|source| &source.bag),
        used.iter().map(|(_, node)| (node.name, &node.parameters)),
        config(&options.parameters, options.calibration.as_ref()),
    )?;
    let identity_read = identity.as_read().map_err(|error| ReplayError::write(&options.out, &error))?;
    place.refuse_other(&options.out, &identity_read)?;

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
    let mut loaded = if matches!(place, Place::Finished(_)) { None } else { Some(load(&mut facts)?) };
    let begun = Attempt::begin(&options.out, options.resume, &identity_read)?;
    let Some((attempt, journal, mut stored)) = begun else { return Ok(Outcome::AlreadyFinished) };
    if options.rate != Rate::Max {
        // Which frames are dropped for being late is another matter each time.
        stored = StoredFrames::default();
    }
    let resumed_frames = stored.count();
    let mut recorder = Recorder::create(&attempt.outputs(), journal)?;
    let mut frames = FrameTable::create(&attempt.folder())?;
    for (_, node) in &used {
        recorder.add_lane(node.outputs, node.wanted)?;
    }

    let mut totals: BTreeMap<&'static str, Accounting> = BTreeMap::new();
    let (mut bag_s, mut any, mut damages) = (0.0, false, Vec::new());
    let mut paced_s = (0.0, 0.0);
    let mut outputs_per_bag = Vec::with_capacity(sources.len());
    for (number, Source { bag, section, routes }) in sources.iter().enumerate() {
        progress.bag(&bag.path().display().to_string(), section.seconds(bag));
        bag_s += section.seconds(bag);
        // A lane of its own for each bag: nothing of one recording reaches into the next.
        let lanes = match loaded.take() {
            Some(lanes) => lanes,
            None => load(&mut facts)?,
        };
        let accounts: Vec<_> = lanes.iter().map(|lane| lane.accounting()).collect();
        if filtered.is_some() {
            for account in &accounts {
                account.lock().unwrap_or_else(PoisonError::into_inner).keep_quiet();
            }
        }
        let lanes = lanes.into_iter().zip(&used).map(|(lane, (index, node))| PlayedLane {
            name: node.name,
            lane,
            routes: routes[*index].clone(),
        });
        let before = recorder.written();
        frames.start_bag(number, bag.path());
        let play = BagRun { number, bag, section: *section, options };
        let filter = filtered.as_mut().map(|(_, filter)| &mut **filter as &mut dyn MessageFilter);
        let played = play.run(lanes.collect(), &mut recorder, &mut frames, &mut stored, filter, progress)?;
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
        bags: options.bags.iter().map(|path| path.display().to_string()).collect(),
        identity,
        providers,
        nodes,
        resumed_frames,
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
    let text = serde_json::to_string_pretty(&summary);
    attempt.finish(&(text.map_err(|error| ReplayError::write(&options.out, &error))? + "\n"))?;
    let unreadable = (!unread.is_empty()).then(|| unread.join("; "));
    Ok(Outcome::Replayed { summary: Box::new(summary), unreadable })
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
