//! Log events as ROS knows them: lines on stderr in ROS's format and messages on `/rosout`.

use std::cell::RefCell;
use std::fmt::{self, Write as _};
use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use isobath::message::{Log, Message, Stamp, to_cdr};
use r2r::{PublisherUntyped, QosProfile};
use tokio::sync::mpsc;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;

use crate::arguments::LogLevels;
use crate::clock::system_now;
use crate::node::{NodeError, NodeThread};

/// Lines waiting for `/rosout`, as many as the topic's own history; more are on stderr only.
const QUEUE: usize = 1000;

thread_local! {
    static LOGGER: RefCell<Arc<str>> = RefCell::new(Arc::from("isobath"));
}

/// Lines of the calling thread carry `logger` from now on.
pub fn name_thread(logger: &Arc<str>) {
    LOGGER.with(|name| *name.borrow_mut() = Arc::clone(logger));
}

/// Runs `work`, whose lines carry `logger`.
pub fn as_node<T>(logger: &Arc<str>, work: impl FnOnce() -> T) -> T {
    let before = LOGGER.with(|name| name.replace(Arc::clone(logger)));
    let result = work();
    LOGGER.with(|name| name.replace(before));
    result
}

/// One logged line.
#[derive(Clone, Debug)]
pub struct Line {
    stamp: Stamp,
    level: u8,
    logger: String,
    text: String,
    file: &'static str,
    module: &'static str,
    row: u32,
}

/// Sends log events to stderr and to the returned queue, which feeds `/rosout`. Call it once.
pub fn install(levels: LogLevels) -> mpsc::Receiver<Line> {
    let (queue, lines) = mpsc::channel(QUEUE);
    // A second subscriber can only exist in tests, where the first one stays.
    let _ = tracing_subscriber::registry().with(RosLayer { levels, queue }).try_init();
    lines
}

/// Creates the publisher of `/rosout` as every ROS node offers it: late listeners get what was said.
pub fn publisher(node: &NodeThread) -> Result<PublisherUntyped, NodeError> {
    node.call(|owned| {
        let qos = QosProfile::default()
            .keep_last(1000)
            .reliable()
            .transient_local()
            .lifespan(Duration::from_secs(10));
        owned
            .node
            .create_publisher_untyped("/rosout", Log::TYPE_NAME, qos)
            .map_err(|error| NodeError::create("publisher of '/rosout'", &error))
    })?
}

/// Publishes `line`. A failure has no better place to go than stderr, which has the line already.
pub fn publish(publisher: &PublisherUntyped, line: &Line, buffer: &mut Vec<u8>) {
    let log = Log {
        stamp: line.stamp,
        level: line.level,
        name: &line.logger,
        msg: &line.text,
        file: line.file,
        function: line.module,
        line: line.row,
    };
    to_cdr(&log, buffer);
    let _ = publisher.publish_raw(buffer);
}

struct RosLayer {
    levels: LogLevels,
    queue: mpsc::Sender<Line>,
}

impl RosLayer {
    fn threshold(&self, logger: &str) -> u32 {
        let named = self.levels.named.iter().rev().find(|(name, _)| name == logger);
        named.map_or(self.levels.default.unwrap_or(Log::INFO.into()), |(_, level)| *level)
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for RosLayer {
    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        let lowest = self.levels.named.iter().map(|(_, level)| *level);
        let lowest = lowest.chain([self.levels.default.unwrap_or(Log::INFO.into())]).min().unwrap_or(0);
        let severity = u32::from(severity(*metadata.level()));
        // Libraries tell their own life at info level; only who debugs wants it.
        let ours = metadata.target().starts_with("isobath");
        severity >= lowest && (ours || severity >= Log::WARN.into() || lowest <= Log::DEBUG.into())
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let metadata = event.metadata();
        let logger = fields.node.take().unwrap_or_else(|| LOGGER.with(|name| name.borrow().to_string()));
        let level = severity(*metadata.level());
        if u32::from(level) < self.threshold(&logger) {
            return;
        }
        let line = Line {
            stamp: system_now(),
            level,
            logger,
            text: fields.text,
            file: metadata.file().unwrap_or_default(),
            module: metadata.module_path().unwrap_or_default(),
            row: metadata.line().unwrap_or_default(),
        };
        // Nobody can be told when stderr is gone.
        let _ = writeln!(std::io::stderr(), "{line}");
        // A full queue means thousands of lines a second: stderr has them.
        let _ = self.queue.try_send(line);
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let level = match self.level {
            Log::DEBUG => "DEBUG",
            Log::INFO => "INFO",
            Log::WARN => "WARN",
            Log::ERROR => "ERROR",
            Log::FATAL => "FATAL",
            _ => "TRACE",
        };
        write!(f, "[{level}] [{}] [{}]: {}", self.stamp, self.logger, self.text)
    }
}

fn severity(level: Level) -> u8 {
    match level {
        Level::ERROR => Log::ERROR,
        Level::WARN => Log::WARN,
        Level::INFO => Log::INFO,
        Level::DEBUG => Log::DEBUG,
        Level::TRACE => Log::DEBUG / 2,
    }
}

/// The message of an event, with further fields as `name=value` behind it; `node` names the logger.
#[derive(Default)]
struct Fields {
    text: String,
    node: Option<String>,
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "node" {
            self.node = Some(value.to_owned());
        } else {
            self.record_debug(field, &format_args!("{value}"));
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // Writing to a string cannot fail.
        let _ = match field.name() {
            "message" => write!(self.text, "{value:?}"),
            name if name.starts_with("log.") => Ok(()),
            "node" => {
                self.node = Some(format!("{value:?}"));
                Ok(())
            }
            name if self.text.is_empty() => write!(self.text, "{name}={value:?}"),
            name => write!(self.text, " {name}={value:?}"),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines_of(levels: LogLevels, log: impl FnOnce()) -> Vec<Line> {
        let (queue, mut lines) = mpsc::channel(QUEUE);
        let subscriber = tracing_subscriber::registry().with(RosLayer { levels, queue });
        tracing::subscriber::with_default(subscriber, log);
        std::iter::from_fn(|| lines.try_recv().ok()).collect()
    }

    #[test]
    fn lines_carry_level_logger_and_fields() {
        let lines = lines_of(LogLevels::default(), || {
            name_thread(&Arc::from("robot.depth"));
            tracing::warn!(topic = "/image", "no message");
            tracing::info!(node = "detection", "ready");
            tracing::debug!("not shown");
        });
        let [warning, ready] = lines.as_slice() else { panic!("{lines:?}") };
        assert_eq!((warning.level, warning.logger.as_str()), (Log::WARN, "robot.depth"));
        assert_eq!(warning.text, "no message topic=/image");
        assert_eq!((ready.logger.as_str(), ready.text.as_str()), ("detection", "ready"));
        assert!(warning.to_string().starts_with("[WARN] ["));
        assert!(warning.to_string().ends_with("] [robot.depth]: no message topic=/image"));
    }

    #[test]
    fn a_thread_that_works_for_several_nodes_names_each() {
        let lines = lines_of(LogLevels::default(), || {
            name_thread(&Arc::from("depth"));
            as_node(&Arc::from("depth_rear"), || tracing::warn!("one"));
            tracing::warn!("two");
        });
        let loggers: Vec<_> = lines.iter().map(|line| line.logger.as_str()).collect();
        assert_eq!(loggers, ["depth_rear", "depth"]);
    }

    #[test]
    fn levels_are_by_logger() {
        let levels = LogLevels { default: Some(40), named: vec![("depth".into(), 10)] };
        let lines = lines_of(levels, || {
            tracing::debug!(node = "depth", "shown");
            tracing::warn!(node = "detection", "not shown");
            tracing::error!(node = "detection", "shown too");
        });
        assert_eq!(lines.iter().map(|line| line.text.as_str()).collect::<Vec<_>>(), ["shown", "shown too"]);
    }
}
