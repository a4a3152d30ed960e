//! One node of the suite: a pipeline with its ROS node, parameters, worker and outputs.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use isobath::pipeline::{
    Accounting, InputTopic, ParameterError, ParameterSet, ParameterSpec, Pipeline, PipelineError,
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
use crate::subscriptions::Subscriptions;
use crate::worker::{self, Event, Events, Facts, Job, lock};

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
        node: String,
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
    pub events: mpsc::UnboundedSender<(usize, Event)>,
}

/// Starts one node; implemented by [`Of`] for each pipeline.
pub trait Function {
    /// Starts node number `index`. Its worker loads the model meanwhile.
    fn start(&self, process: &Process<'_>, index: usize) -> Result<Running, FunctionError>;
}

/// The node of pipeline `P`.
pub struct Of<P>(std::marker::PhantomData<P>);

impl<P> Of<P> {
    /// The node of pipeline `P`.
    pub const fn new() -> Self {
        Self(std::marker::PhantomData)
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
    feed: Arc<dyn worker::Feed>,
    parameters: NodeParameters,
    events: ParameterEvents,
    inputs: Vec<InputTopic>,
    connected: Vec<(usize, InputTopic, graph::Publishers)>,
    clock: NodeClock,
    accounting: Arc<Mutex<Accounting>>,
    facts: Facts,
    diagnostics: PublisherUntyped,
    reporter: Reporter,
    reported: Instant,
}

impl<P: Pipeline> Function for Of<P> {
    fn start(&self, process: &Process<'_>, index: usize) -> Result<Running, FunctionError> {
        let node = NodeThread::start(process.context, P::NODE)?;
        let logger = node.name().logger();
        let (parameters, unknown) = NodeParameters::declare(
            ParameterSet::new(P::NODE, P::PARAMETERS),
            node.name(),
            process.overrides,
            process.tables,
        )?;
        for sentence in unknown {
            tracing::warn!(node = logger.as_str(), "{sentence}");
        }
        let clock = NodeClock::of(&node, parameters.use_sim_time())?;
        let events = parameter_services::offer(&node, process.calls.clone(), index)?;
        events.declared(&parameters);
        let accounting = Arc::new(Mutex::new(Accounting::default()));
        let job = Job {
            logger,
            parameters: parameters.set().clone(),
            clock: clock.clone(),
            publishers: Publishers::create(&node, P::OUTPUTS)?,
            accounting: Arc::clone(&accounting),
        };
        let feed = worker::start::<P>(job, Events { index, queue: process.events.clone() })
            .map_err(|source| FunctionError::Worker { node: node.name().full(), source })?;
        let diagnostics = diagnostics::publisher(&node)?;
        Ok(Running {
            feed,
            inputs: P::inputs(parameters.set()),
            parameters,
            events,
            connected: Vec::new(),
            clock,
            accounting,
            facts: Facts::new(),
            diagnostics,
            reporter: Reporter::default(),
            reported: Instant::now(),
            node,
        })
    }
}

impl Running {
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
            let number = subscriptions.add(&self.node, &topic, input.kind, Arc::clone(&self.feed))?;
            self.connected.push((number, input.clone(), graph::Publishers::default()));
        }
        self.reported = Instant::now();
        Ok(())
    }

    /// Answers a parameter call and lets the worker know of changes.
    pub fn answer(&mut self, call: ParameterCall) {
        if parameter_services::answer(call, &mut self.parameters, &self.events) {
            self.feed.update(self.parameters.set().clone());
        }
    }

    /// Publishes the node's diagnostics and logs what is new in them.
    pub fn report(&mut self, subscriptions: &Subscriptions, transport: &Transport, buffer: &mut Vec<u8>) {
        let now = Instant::now();
        let inputs: Vec<InputFacts> = self
            .connected
            .iter()
            .filter_map(|(number, input, publishers)| {
                let subscription = subscriptions.get(*number)?;
                let arrivals = lock(&subscription.arrivals);
                Some(InputFacts {
                    topic: subscription.topic.clone(),
                    kind: input.kind,
                    type_name: subscription.type_name,
                    messages: arrivals.messages,
                    lost: arrivals.lost,
                    silent_for: arrivals.silent_for(now),
                    rates_hz: arrivals.rates_hz(),
                    publishers: lock(publishers).clone(),
                })
            })
            .collect();
        let accounting = lock(&self.accounting).clone();
        let stamp = self.clock.now();
        let (status, news) = self.reporter.report(&Report {
            node: self.node.name(),
            accounting: &accounting,
            facts: &self.facts,
            inputs: &inputs,
            transport,
            elapsed_s: now.duration_since(self.reported).as_secs_f64(),
            now: stamp,
        });
        self.reported = now;
        for problem in news {
            tracing::warn!(node = self.node.name().logger().as_str(), "{problem}");
        }
        if let Err(error) = diagnostics::publish(&self.diagnostics, stamp, status, buffer) {
            tracing::debug!("cannot publish on /diagnostics: {error}");
        }
        // The answers are there for the next report.
        for (number, _, publishers) in &self.connected {
            if let Some(subscription) = subscriptions.get(*number)
                && graph::look(&self.node, subscription.topic.clone(), Arc::clone(publishers)).is_err()
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

/// What the process's transport is.
pub fn transport() -> Transport {
    let has_profile = ["FASTRTPS_DEFAULT_PROFILES_FILE", "FASTDDS_DEFAULT_PROFILES_FILE"]
        .iter()
        .any(|name| std::env::var_os(name).is_some_and(|path| Path::new(&path).is_file()));
    Transport { middleware: crate::rcl::middleware(), has_profile }
}

/// How often reports are made.
pub const REPORT_PERIOD: Duration = Duration::from_secs(1);
