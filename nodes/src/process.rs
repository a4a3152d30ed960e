//! A node executable from start to end.

use std::time::Duration;

use isobath::pipeline::Pipeline;
use isobath::pipeline::depth::DepthPipeline;
use isobath::pipeline::detection::DetectionPipeline;
use r2r::Context;
use tokio::sync::mpsc;
use tokio::time::MissedTickBehavior;

use crate::arguments::Arguments;
use crate::function::{CHECK_PERIOD, Function, FunctionError, Process, Running, transport};
use crate::rosout::Line;
use crate::shutdown::Shutdown;
use crate::subscriptions::Subscriptions;
use crate::suite::SUITE_PARAMETERS;
use crate::worker::Event;
use crate::{rosout, shutdown};

/// A worker gets this long to finish its frame at shutdown.
const GRACE: Duration = Duration::from_millis(500);

/// Runs the nodes of `functions` in this process until SIGINT or SIGTERM. Does not return: the exit code
/// is 0 after a signal, 1 when a node cannot run.
pub fn run(functions: &[&dyn Function]) -> ! {
    isobath::allocator::configure();
    let arguments = match Arguments::from_process().and_then(|arguments| {
        arguments.expect_no_rest()?;
        Ok(arguments)
    }) {
        Ok(arguments) => arguments,
        Err(error) => {
            eprintln!("{error}");
            shutdown::exit(1);
        }
    };
    let lines = rosout::install(arguments.log_levels());
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            tracing::error!("cannot start the async runtime: {error}");
            shutdown::exit(1);
        }
    };
    let code = match runtime.block_on(serve(functions, &arguments, lines)) {
        Ok(()) => 0,
        Err(error) => {
            // The nodes and their /rosout are gone already.
            tracing::error!("{error:#}");
            1
        }
    };
    shutdown::exit(code)
}

async fn serve(
    functions: &[&dyn Function],
    arguments: &Arguments,
    mut lines: mpsc::Receiver<Line>,
) -> anyhow::Result<()> {
    let mut signals = Shutdown::install()?;
    let context = Context::create()?;
    let overrides = arguments.overrides()?;
    let (calls, mut parameter_calls) = mpsc::unbounded_channel();
    let (events, mut worker_events) = mpsc::unbounded_channel();
    let process = Process {
        context: &context,
        arguments,
        overrides: &overrides,
        tables: &[DepthPipeline::PARAMETERS, DetectionPipeline::PARAMETERS, SUITE_PARAMETERS],
        calls,
        events,
    };
    let mut nodes: Vec<Running> = Vec::new();
    for function in functions {
        let started = function.start(&process, nodes.len())?;
        nodes.extend(started);
    }
    let Some(first) = nodes.first() else { return Ok(()) };
    rosout::name_thread(&first.node.name().logger().into());
    let log = rosout::publisher(&first.node)?;
    let transport = transport();
    let (mut subscriptions, mut received) = Subscriptions::new();
    let mut buffer = Vec::new();
    let mut ticks = tokio::time::interval(CHECK_PERIOD);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);

    let result = loop {
        tokio::select! {
            biased;
            signal = signals.requested() => {
                tracing::info!("{signal}: shutting down");
                break Ok(());
            }
            Some(message) = received.recv() => subscriptions.deliver(&message),
            Some((index, call)) = parameter_calls.recv() => {
                if let Some(node) = nodes.get_mut(index) {
                    node.answer(call);
                }
            }
            Some(line) = lines.recv() => rosout::publish(&log, &line, &mut buffer),
            Some((index, event)) = worker_events.recv() => {
                if let Some(node) = nodes.get_mut(index)
                    && let Err(error) = handle(event, node, arguments, &mut subscriptions)
                {
                    break Err(error.into());
                }
            }
            _ = ticks.tick() => {
                for node in &mut nodes {
                    node.report(&subscriptions, &transport, &mut buffer);
                }
            }
        }
    };

    for node in &nodes {
        node.stop();
    }
    let mut working = nodes.len();
    let finished = async {
        while working > 0 {
            match worker_events.recv().await {
                Some((_, Event::Ended)) => working -= 1,
                Some((_, Event::Ready(_))) => {}
                None => return,
            }
        }
    };
    // A frame that takes longer ends with the process.
    let _ = tokio::time::timeout(GRACE, finished).await;
    while let Ok(line) = lines.try_recv() {
        rosout::publish(&log, &line, &mut buffer);
    }
    // All at once: each takes up to a spin.
    for node in &nodes {
        node.node.request_stop();
    }
    drop(nodes);
    result
}

fn handle(
    event: Event,
    node: &mut Running,
    arguments: &Arguments,
    subscriptions: &mut Subscriptions,
) -> Result<(), FunctionError> {
    let Event::Ready(loaded) = event else {
        return Err(FunctionError::Ended(node.node.name().full()));
    };
    let facts = loaded.inspect_err(|_| node.name_thread())?;
    let described: Vec<String> = facts.iter().map(|(name, value)| format!("{name} {value}")).collect();
    node.connect(facts, arguments, subscriptions)?;
    tracing::info!(node = node.node.name().logger().as_str(), "ready: {}", described.join(", "));
    Ok(())
}
