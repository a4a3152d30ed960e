//! `/diagnostics`: what a node received, published and dropped, and what is wrong. Once a second, and in
//! between when something begins or ceases to be wrong.

use std::borrow::Cow;
use std::collections::BTreeMap;

use isobath::message::{DiagnosticArray, DiagnosticStatus, Header, KeyValue, Message, Stamp, to_cdr};
use isobath::pipeline::{Accounting, InfluenceSums, LatencySummary};
use isobath::sync::DropReason;
use r2r::{PublisherUntyped, QosProfile};

use crate::health::{InputFacts, Transport, warnings};
use crate::names::NodeName;
use crate::node::{NodeError, NodeThread};

/// A larger share of dropped frames in a second is worth a warning.
const TOLERATED_DROPS: f64 = 0.1;

/// Stamps further from the clock than this come from another one.
const CLOCK_TOLERANCE_NS: u64 = 5_000_000_000;

/// What a report is made from.
pub struct Report<'a> {
    /// The node
    pub node: &'a NodeName,
    /// Its counts
    pub accounting: &'a Accounting,
    /// Its model
    pub facts: &'a [(&'static str, String)],
    /// Its inputs
    pub inputs: &'a [InputFacts],
    /// The transport
    pub transport: &'a Transport,
    /// Time since the last report of this kind, if this is the regular one
    pub elapsed_s: Option<f64>,
    /// The node's clock
    pub now: Stamp,
}

/// Makes a node's reports. Rates and drops are those of the last whole second.
#[derive(Debug, Default)]
pub struct Reporter {
    received: u64,
    published: u64,
    dropped: BTreeMap<&'static str, u64>,
    problems: BTreeMap<String, u64>,
    radar: InfluenceSums,
    second: Second,
}

/// What the last whole second came to.
#[derive(Debug, Default)]
struct Second {
    rate_hz: f64,
    radar: InfluenceSums,
    warnings: Vec<String>,
}

/// Creates the publisher of `/diagnostics`.
pub fn publisher(node: &NodeThread) -> Result<PublisherUntyped, NodeError> {
    node.call(|owned| {
        let qos = QosProfile::default().keep_last(10);
        owned
            .node
            .create_publisher_untyped("/diagnostics", DiagnosticArray::TYPE_NAME, qos)
            .map_err(|error| NodeError::create("publisher of '/diagnostics'", &error))
    })?
}

/// Publishes `status`, stamped `now`.
pub fn publish(
    publisher: &PublisherUntyped,
    now: Stamp,
    status: DiagnosticStatus<'_>,
    buffer: &mut Vec<u8>,
) -> r2r::Result<()> {
    let array = DiagnosticArray { header: Header { stamp: now, frame_id: "" }, status: vec![status] };
    to_cdr(&array, buffer);
    publisher.publish_raw(buffer)
}

impl Reporter {
    /// The node's status.
    pub fn report(&mut self, report: &Report<'_>) -> DiagnosticStatus<'static> {
        if let Some(elapsed_s) = report.elapsed_s {
            self.second = self.close_second(report.accounting, elapsed_s);
        }
        let mut warnings: Vec<String> =
            report.inputs.iter().flat_map(|input| warnings(input, report.transport)).collect();
        warnings.extend(self.second.warnings.iter().cloned());
        // Problems since the last whole second; a new kind of problem is worth a report at once.
        let fresh = report
            .accounting
            .problems()
            .iter()
            .filter(|(source, problem)| !self.problems.contains_key(*source) && problem.count > 0);
        warnings.extend(fresh.map(|(source, problem)| format!("{source}: {}", problem.message)));
        warnings.extend(foreign_clocks(report));
        let rate_hz = self.second.rate_hz;
        let message = match warnings.first() {
            Some(first) => first.clone(),
            None if rate_hz > 0.0 => format!("publishing at {rate_hz:.1} Hz"),
            None => "waiting for input".into(),
        };
        let mut values = values(report, &self.second);
        values.extend(
            warnings.iter().enumerate().map(|(index, text)| pair(format!("warning.{index}"), text.clone())),
        );
        DiagnosticStatus {
            level: if warnings.is_empty() { DiagnosticStatus::OK } else { DiagnosticStatus::WARN },
            name: Cow::Owned(format!("{}: pipeline", report.node.full().trim_start_matches('/'))),
            message: message.into(),
            hardware_id: "isobath".into(),
            values,
        }
    }

    /// Sums up what happened since this was last called.
    fn close_second(&mut self, accounting: &Accounting, elapsed_s: f64) -> Second {
        let published = accounting.published() - self.published.min(accounting.published());
        let received = accounting.received() - self.received.min(accounting.received());
        let mut warnings = Vec::new();
        for (reason, count) in accounting.dropped() {
            let new = count - self.dropped.get(reason).copied().unwrap_or(0).min(*count);
            // Nobody listening is what the user wants, and a shutdown is no fault.
            let is_wanted = [DropReason::NoSubscriber, DropReason::Shutdown]
                .iter()
                .any(|known| known.as_str() == *reason);
            if new as f64 > TOLERATED_DROPS * received.max(1) as f64 && !is_wanted {
                warnings.push(format!("{new} frames dropped in the last second: {}", explain(reason)));
            }
        }
        for (source, problem) in accounting.problems() {
            let known = self.problems.insert(source.clone(), problem.count).unwrap_or(0);
            if problem.count > known {
                warnings.push(format!("{source}: {}", problem.message));
            }
        }
        self.received = accounting.received();
        self.published = accounting.published();
        self.dropped.clone_from(accounting.dropped());
        let radar = accounting.radar_influence().since(&self.radar);
        self.radar = *accounting.radar_influence();
        Second { rate_hz: published as f64 / elapsed_s.max(1e-3), radar, warnings }
    }
}

/// Inputs whose stamps are not of the node's clock.
fn foreign_clocks(report: &Report<'_>) -> impl Iterator<Item = String> {
    report.accounting.inputs().iter().filter_map(|(topic, input)| {
        let off = report.now.since_ns(input.newest);
        let is_foreign =
            !input.newest.is_zero() && report.now.0 > 0 && off.unsigned_abs() > CLOCK_TOLERANCE_NS;
        is_foreign.then(|| {
            format!(
                "the newest stamp on '{topic}' is {:.1} s {} this node's clock: check the sensor's clock, or use_sim_time for a bag",
                off.unsigned_abs() as f64 / 1e9,
                if off > 0 { "behind" } else { "ahead of" }
            )
        })
    })
}

fn explain(reason: &str) -> &'static str {
    DropReason::ALL
        .iter()
        .find(|known| known.as_str() == reason)
        .map_or("unknown reason", |known| known.explain())
}

fn values(report: &Report<'_>, second: &Second) -> Vec<KeyValue<'static>> {
    let accounting = report.accounting;
    let mut values = vec![
        pair("received", accounting.received()),
        pair("published", accounting.published()),
        pair("rate_hz", format!("{:.2}", second.rate_hz)),
    ];
    values.extend(accounting.dropped().iter().map(|(reason, n)| pair(format!("dropped.{reason}"), n)));
    values.extend(accounting.degraded().iter().map(|(what, n)| pair(format!("degraded.{what}"), n)));
    let LatencySummary { p50, p90, p95, p99, max } = accounting.latency();
    for (name, value) in [("p50", p50), ("p90", p90), ("p95", p95), ("p99", p99), ("max", max)] {
        values.push(pair(format!("latency_ms.{name}"), format!("{value:.2}")));
    }
    for (stage, times) in accounting.stages() {
        values.push(pair(format!("stage_ms.{stage}.p50"), format!("{:.2}", times.p50)));
        values.push(pair(format!("stage_ms.{stage}.p99"), format!("{:.2}", times.p99)));
    }
    values
        .extend(second.radar.means().map(|(name, mean)| pair(format!("radar.{name}"), format!("{mean:.3}"))));
    values.extend(report.facts.iter().map(|(name, value)| pair(*name, value)));
    values.push(pair("rmw", &report.transport.middleware));
    for input in report.inputs {
        let topic = &input.topic;
        values.push(pair(format!("input.{topic}.messages"), input.messages));
        values.push(pair(format!("input.{topic}.lost"), input.lost));
        values.push(pair(format!("input.{topic}.publishers"), input.publishers.len()));
        if let Some((_, arriving)) = input.rates_hz {
            values.push(pair(format!("input.{topic}.rate_hz"), format!("{arriving:.2}")));
        }
    }
    for (source, problem) in accounting.problems() {
        values.push(pair(format!("problem.{source}"), format!("{} ({}×)", problem.message, problem.count)));
    }
    values
}

fn pair(key: impl Into<Cow<'static, str>>, value: impl std::fmt::Display) -> KeyValue<'static> {
    KeyValue { key: key.into(), value: value.to_string().into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn report(
        reporter: &mut Reporter,
        accounting: &Accounting,
        elapsed_s: Option<f64>,
    ) -> DiagnosticStatus<'static> {
        reporter.report(&Report {
            node: &NodeName { name: "depth".into(), namespace: "/robot".into() },
            accounting,
            facts: &[("model", "depth_baseline".into())],
            inputs: &[],
            transport: &Transport { middleware: "rmw_fastrtps_cpp".into(), has_profile: true },
            elapsed_s,
            now: Stamp(1_000_000_000_000),
        })
    }

    fn value(status: &DiagnosticStatus<'_>, key: &str) -> String {
        status.values.iter().find(|pair| pair.key == key).unwrap().value.to_string()
    }

    #[test]
    fn counts_rates_and_facts() {
        let mut accounting = Accounting::default();
        let mut reporter = Reporter::default();
        for _ in 0..10 {
            accounting.receive(Stamp(1), Stamp(1));
            accounting.publish(Stamp(1), Duration::from_millis(20));
        }
        let status = report(&mut reporter, &accounting, Some(1.0));
        assert_eq!(status.level, DiagnosticStatus::OK);
        assert_eq!(status.name, "robot/depth: pipeline");
        assert_eq!(value(&status, "rate_hz"), "10.00");
        assert_eq!(value(&status, "model"), "depth_baseline");
        let status = report(&mut reporter, &accounting, Some(1.0));
        assert_eq!(value(&status, "rate_hz"), "0.00");
        assert_eq!(value(&status, "published"), "10");
    }

    #[test]
    fn drops_warn_while_they_happen_unless_nobody_listens() {
        let mut accounting = Accounting::default();
        let mut reporter = Reporter::default();
        for reason in [DropReason::NoCameraInfo, DropReason::NoSubscriber] {
            accounting.receive(Stamp(1), Stamp(1));
            accounting.drop_frame(Stamp(1), reason);
        }
        let status = report(&mut reporter, &accounting, Some(1.0));
        assert_eq!(status.level, DiagnosticStatus::WARN);
        assert!(status.message.contains("camera_info"), "{}", status.message);
        let status = report(&mut reporter, &accounting, Some(1.0));
        assert_eq!(status.level, DiagnosticStatus::OK);
        assert_eq!(value(&status, "dropped.no_subscriber"), "1");
    }

    #[test]
    fn a_report_in_between_tells_what_is_new_and_keeps_the_rate() {
        let mut accounting = Accounting::default();
        let mut reporter = Reporter::default();
        accounting.publish(Stamp(1), Duration::from_millis(20));
        report(&mut reporter, &accounting, Some(0.5));
        accounting.problem("image", "step too short".into(), true);
        let status = report(&mut reporter, &accounting, None);
        assert_eq!(value(&status, "rate_hz"), "2.00");
        assert_eq!((status.level, &*status.message), (DiagnosticStatus::WARN, "image: step too short"));
        let status = report(&mut reporter, &accounting, Some(1.0));
        assert_eq!(status.message, "image: step too short", "it is news of this second");
        assert_eq!(value(&status, "warning.0"), "image: step too short");
        assert!(!status.values.iter().any(|pair| pair.key == "warning.1"), "told once");
        let status = report(&mut reporter, &accounting, Some(1.0));
        assert_eq!((status.level, value(&status, "rate_hz").as_str()), (DiagnosticStatus::OK, "0.00"));
    }

    #[test]
    fn stamps_of_another_clock_are_told() {
        let mut accounting = Accounting::default();
        accounting.input("lidar/points", Stamp(5));
        let status = report(&mut Reporter::default(), &accounting, Some(1.0));
        assert!(status.values.iter().any(|pair| pair.value.contains("behind this node's clock")));
    }
}
