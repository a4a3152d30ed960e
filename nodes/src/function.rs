//! The nodes of one pipeline: each with its ROS node, parameters, inputs and outputs, sharing workers where
//! their models are the same.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use isobath::pipeline::{
    Accounting, InputTopic, MODEL_PARAMETERS, ParameterError, ParameterSet, ParameterSpec, Pipeline,
    PipelineError, Value,
};
use r2r::{Context, PublisherUntyped};
use tokio::sync::mpsc;

use crate::arguments::{ArgumentError, Arguments, ParameterOverride};
use crate::clock::NodeClock;
use crate::diagnostics::{self, Report, Reporter};
use crate::graph;
use crate::health::{InputFacts, Transport};
use crate::node::{NodeError, NodeThread};
use crate::parameter_services::{self, ParameterCall, ParameterEvents};
use crate::parameters::NodeParameters;
use crate::publishers::Publishers;
use crate::rosout;
use crate::seats::Feed;
use crate::subscriptions::Subscriptions;
use crate::suite;
use crate::worker::{self, Events, Facts, Job, lock};

/// Why a node cannot run.
#[derive(Debug, thiserror::Error)]
pub enum FunctionError {
    /// The command line
    #[error(transparent)]
    Arguments(#[from] ArgumentError),
    /// A parameter
    #[error(transparent)]
    Parameter(#[from] ParameterError),
    /// ROS refused
    #[error(transparent)]
    Node(#[from] NodeError),
    /// The model cannot be used
    #[error(transparent)]
    Pipeline(#[from] PipelineError),
    /// The operating system gave no thread
    #[error("cannot start the worker of node '{node}': {source}")]
    Worker {
        /// Node
        node: &'static str,
        /// The system's reason
        source: std::io::Error,
    },
    /// A bug: the panic was reported where it happened
    #[error("the worker of node '{0}' ended unexpectedly")]
    Ended(String),
}

/// What all nodes of a process share.
pub struct Process<'a> {
    /// The only context of the process
    pub context: &'a Context,
    /// Its command line
    pub arguments: &'a Arguments,
    /// The parameter values in it
    pub overrides: &'a [ParameterOverride],
    /// Parameter tables of all nodes of the suite, whichever run here
    pub tables: &'a [&'static [ParameterSpec]],
    /// Where parameter calls go, with the number of the node
    pub calls: mpsc::UnboundedSender<(usize, ParameterCall)>,
    /// Where the workers' events go, with the number of the node
    pub events: Events,
}

/// Starts the nodes of one pipeline; implemented by [`Of`] for each.
pub trait Function {
    /// Starts the nodes, numbered from `first`. Their workers load the models meanwhile.
    fn start(&self, process: &Process<'_>, first: usize) -> Result<Vec<Running>, FunctionError>;
}

/// The nodes of pipeline `P`.
pub struct Of<P> {
    /// The parameter of the process with the names of the nodes
    names: Option<&'static str>,
    pipeline: std::marker::PhantomData<P>,
}

impl<P> Of<P> {
    /// One node, called as the pipeline is.
    pub const fn new() -> Self {
        Self { names: None, pipeline: std::marker::PhantomData }
    }

    /// A node for each name in the process's parameter `names`.
    pub const fn named_by(names: &'static str) -> Self {
        Self { names: Some(names), pipeline: std::marker::PhantomData }
    }
}

impl<P> Default for Of<P> {
    fn default() -> Self {
        Self::new()
    }
}

/// A started node.
pub struct Running {
    /// The ROS node and its thread
    pub node: NodeThread,
    logger: Arc<str>,
    feed: Arc<dyn Feed>,
    parameters: NodeParameters,
    events: ParameterEvents,
    inputs: Vec<InputTopic>,
    connected: Vec<Connected>,
    clock: NodeClock,
    accounting: Arc<Mutex<Accounting>>,
    facts: Facts,
    diagnostics: PublisherUntyped,
    reporter: Reporter,
    /// When the last regular report was made
    reported: Instant,
    /// Which inputs were silent and how many kinds of problems there were at the last report of any kind
    told: (Vec<bool>, usize),
}

/// An input in the graph.
struct Connected {
    subscription: usize,
    input: InputTopic,
    publishers: Arc<Mutex<graph::Publishers>>,
}

/// A node before its worker is started.
struct Prepared {
    node: NodeThread,
    logger: Arc<str>,
    parameters: NodeParameters,
    events: ParameterEvents,
    clock: NodeClock,
    accounting: Arc<Mutex<Accounting>>,
    diagnostics: PublisherUntyped,
}

impl<P: Pipeline> Function for Of<P> {
    fn start(&self, process: &Process<'_>, first: usize) -> Result<Vec<Running>, FunctionError> {
        let names = match self.names {
            Some(parameter) => suite::node_names(process.overrides, parameter)?,
            None => vec![P::NODE.to_owned()],
        };
        let mut prepared = Vec::with_capacity(names.len());
        // Nodes whose models are the same, with what their worker needs.
        let mut crews: Vec<(Vec<Value>, Vec<Job>)> = Vec::new();
        for (index, name) in (first..).zip(names) {
            let (node, job) = prepare::<P>(process, name, index)?;
            let model = model_of(&job.parameters);
            match crews.iter_mut().find(|(other, _)| *other == model) {
                Some((_, jobs)) => jobs.push(job),
                None => crews.push((model, vec![job])),
            }
            prepared.push(node);
        }
        warn_of_shared_triggers::<P>(process.arguments, &prepared)?;
        let mut feeds = BTreeMap::new();
        for (_, jobs) in crews {
            let indices: Vec<_> = jobs.iter().map(|job| job.index).collect();
            let started = worker::start::<P>(jobs, process.events.clone())
                .map_err(|source| FunctionError::Worker { node: P::NODE, source })?;
            feeds.extend(indices.into_iter().zip(started));
        }
        let nodes = (first..).zip(prepared).filter_map(|(index, node)| {
            let feed = feeds.remove(&index)?;
            Some(Running::new(node, feed, |parameters| P::inputs(parameters)))
        });
        Ok(nodes.collect())
    }
}

/// What decides whether two nodes can share a model.
fn model_of(parameters: &ParameterSet) -> Vec<Value> {
    let wanted = |(name, value): (&str, &Value)| MODEL_PARAMETERS.contains(&name).then(|| value.clone());
    parameters.iter().filter_map(wanted).collect()
}

/// Creates node number `index` of pipeline `P` with all that it offers.
fn prepare<P: Pipeline>(
    process: &Process<'_>,
    name: String,
    index: usize,
) -> Result<(Prepared, Job), FunctionError> {
    let node = NodeThread::start(process.context, &name)?;
    let logger: Arc<str> = node.name().logger().into();
    let (parameters, unknown) = NodeParameters::declare(
        ParameterSet::of::<P>(name.clone()),
        node.name(),
        process.overrides,
        process.tables,
    )?;
    for sentence in unknown.iter().chain(parameters.notes()) {
        tracing::warn!(node = &*logger, "{sentence}");
    }
    let clock = NodeClock::of(&node, parameters.use_sim_time())?;
    let events = parameter_services::offer(&node, process.calls.clone(), index)?;
    events.declared(&parameters);
    let accounting = Arc::new(Mutex::new(Accounting::default()));
    let job = Job {
        index,
        logger: Arc::clone(&logger),
        parameters: parameters.set().clone(),
        clock: clock.clone(),
        publishers: Publishers::create(&node, P::OUTPUTS, move |topic| output_name(topic, P::NODE, &name))?,
        accounting: Arc::clone(&accounting),
    };
    let diagnostics = diagnostics::publisher(&node)?;
    Ok((Prepared { node, logger, parameters, events, clock, accounting, diagnostics }, job))
}

/// The name of output `topic` for a node of the pipeline `pipeline` that is called `name`: what stands under
/// the pipeline's name stands under the node's.
fn output_name(topic: &str, pipeline: &str, name: &str) -> String {
    match topic.strip_prefix(pipeline) {
        Some(rest) if rest.starts_with('/') => format!("{name}{rest}"),
        _ => topic.to_owned(),
    }
}

/// Two nodes that compute the same thing from the same camera are usually one forgotten remapping.
fn warn_of_shared_triggers<P: Pipeline>(
    arguments: &Arguments,
    nodes: &[Prepared],
) -> Result<(), ArgumentError> {
    let mut seen: Vec<(String, &Prepared)> = Vec::new();
    for prepared in nodes {
        for input in P::inputs(prepared.parameters.set()).into_iter().filter(|input| input.kind.is_trigger())
        {
            let topic = arguments.resolve_topic(&input.name, prepared.node.name())?;
            if let Some((_, other)) = seen.iter().find(|(known, _)| *known == topic) {
                let name = &prepared.node.name().name;
                tracing::warn!(
                    node = &*prepared.logger,
                    "takes '{topic}' as {} does: remap one of them, as in -r {name}:{}:=/{name}/{}",
                    other.node.name().full(),
                    input.name,
                    input.name
                );
            }
            seen.push((topic, prepared));
        }
    }
    Ok(())
}

impl Running {
    fn new(
        node: Prepared,
        feed: Arc<dyn Feed>,
        inputs: impl FnOnce(&ParameterSet) -> Vec<InputTopic>,
    ) -> Self {
        let Prepared { node, logger, parameters, events, clock, accounting, diagnostics } = node;
        Self {
            inputs: inputs(parameters.set()),
            node,
            logger,
            feed,
            parameters,
            events,
            connected: Vec::new(),
            clock,
            accounting,
            facts: Facts::new(),
            diagnostics,
            reporter: Reporter::default(),
            reported: Instant::now(),
            told: (Vec::new(), 0),
        }
    }

    /// Takes the model's facts and subscribes to the inputs.
    pub fn connect(
        &mut self,
        facts: Facts,
        arguments: &Arguments,
        subscriptions: &mut Subscriptions,
    ) -> Result<(), FunctionError> {
        self.facts = facts;
        for input in &self.inputs {
            let topic = arguments.resolve_topic(&input.name, self.node.name())?;
            let subscription = subscriptions.add(&self.node, &topic, input.kind, Arc::clone(&self.feed))?;
            self.connected.push(Connected { subscription, input: input.clone(), publishers: Arc::default() });
        }
        self.reported = Instant::now();
        Ok(())
    }

    /// Lines of the calling thread are this node's from now on.
    pub fn name_thread(&self) {
        rosout::name_thread(&self.logger);
    }

    /// Answers a parameter call and lets the worker know of changes.
    pub fn answer(&mut self, call: ParameterCall) {
        let Self { parameters, events, feed, logger, .. } = self;
        rosout::as_node(logger, || {
            if parameter_services::answer(call, parameters, events) {
                feed.update(parameters.set().clone());
            }
        });
    }

    /// Publishes the node's diagnostics when they are due, or when something has begun or ceased to be
    /// wrong since they were last published.
    pub fn report(&mut self, subscriptions: &Subscriptions, transport: &Transport, buffer: &mut Vec<u8>) {
        let now = Instant::now();
        let elapsed = now.duration_since(self.reported);
        let is_due = elapsed >= REPORT_PERIOD;
        let told = self.wrong(subscriptions, now);
        if !is_due && told == self.told {
            return;
        }
        self.told = told;
        let inputs: Vec<InputFacts> =
            self.connected.iter().filter_map(|connected| connected.facts(subscriptions, now)).collect();
        let accounting = lock(&self.accounting).clone();
        let stamp = self.clock.now();
        let status = self.reporter.report(&Report {
            node: self.node.name(),
            accounting: &accounting,
            facts: &self.facts,
            inputs: &inputs,
            transport,
            elapsed_s: is_due.then_some(elapsed.as_secs_f64()),
            now: stamp,
        });
        if let Err(error) = diagnostics::publish(&self.diagnostics, stamp, status, buffer) {
            tracing::debug!("cannot publish on /diagnostics: {error}");
        }
        if is_due {
            self.reported = now;
            self.look(subscriptions);
        }
    }

    /// What is wrong, in short: cheap to find out several times a second.
    fn wrong(&self, subscriptions: &Subscriptions, now: Instant) -> (Vec<bool>, usize) {
        let is_silent = |connected: &Connected| {
            subscriptions.get(connected.subscription).is_some_and(|subscription| {
                let arrivals = lock(&subscription.arrivals);
                arrivals.messages > 0 && arrivals.silent_for(now) > arrivals.patience()
            })
        };
        let problems = lock(&self.accounting).problems().len();
        (self.connected.iter().map(is_silent).collect(), problems)
    }

    /// Asks who publishes the inputs. The answers are there for the next report.
    fn look(&self, subscriptions: &Subscriptions) {
        for connected in &self.connected {
            if let Some(subscription) = subscriptions.get(connected.subscription)
                && graph::look(&self.node, subscription.topic.clone(), Arc::clone(&connected.publishers))
                    .is_err()
            {
                return;
            }
        }
    }

    /// Ends the worker's intake; what waits is counted as dropped.
    pub fn stop(&self) {
        self.feed.stop();
    }
}

impl Connected {
    fn facts(&self, subscriptions: &Subscriptions, now: Instant) -> Option<InputFacts> {
        let subscription = subscriptions.get(self.subscription)?;
        let arrivals = lock(&subscription.arrivals);
        let publishers = lock(&self.publishers);
        Some(InputFacts {
            topic: subscription.topic.clone(),
            kind: self.input.kind,
            type_name: subscription.type_name,
            messages: arrivals.messages,
            lost: arrivals.lost,
            bytes: arrivals.bytes,
            silent_for: arrivals.silent_for(now),
            patience: arrivals.patience(),
            trickles: arrivals.trickles(now),
            rates_hz: arrivals.rates_hz(),
            publishers: publishers.list.clone(),
            published_for: publishers
                .since
                .map_or(Duration::ZERO, |since| now.saturating_duration_since(since)),
        })
    }
}

/// What the process's transport is.
pub fn transport() -> Transport {
    let has_profile = ["FASTRTPS_DEFAULT_PROFILES_FILE", "FASTDDS_DEFAULT_PROFILES_FILE"]
        .iter()
        .any(|name| std::env::var_os(name).is_some_and(|path| Path::new(&path).is_file()));
    Transport { middleware: crate::rcl::middleware(), has_profile }
}

/// How often a node reports however well it is.
const REPORT_PERIOD: Duration = Duration::from_secs(1);

/// How often nodes are asked whether they have something to report: with the silence that is usual for a
/// 10 Hz sensor it adds up to less than a second.
pub const CHECK_PERIOD: Duration = Duration::from_millis(200);

#[cfg(test)]
mod tests {
    use super::output_name;

    #[test]
    fn outputs_stand_under_the_name_of_the_node() {
        assert_eq!(output_name("depth/image", "depth", "depth"), "depth/image");
        assert_eq!(output_name("depth/image", "depth", "depth_front"), "depth_front/image");
        assert_eq!(output_name("detections", "detection", "detection"), "detections");
        assert_eq!(output_name("detections/markers", "detection", "rear"), "detections/markers");
    }
}
