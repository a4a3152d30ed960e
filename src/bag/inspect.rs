//! `isobath inspect` of a recording: what is in it and at which rate.

use serde::Serialize;

use super::{Bag, BagError};

/// One topic of the report.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TopicReport {
    /// Topic name.
    pub name: String,
    /// ROS type.
    #[serde(rename = "type")]
    pub type_name: String,
    /// Readable messages.
    pub count: u64,
    /// Mean rate over the topic's own time span, (count − 1) / (last − first); absent with fewer than
    /// two moments.
    pub rate_hz: Option<f64>,
}

/// A recording at a glance.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BagReport {
    /// Topics sorted by name.
    pub topics: Vec<TopicReport>,
    /// `mcap` or `sqlite3`.
    pub storage: String,
    /// Log time of the first message, seconds since the epoch, as text: a double would lose digits.
    pub start: String,
    /// Seconds from the first to the last message.
    pub duration_s: f64,
    /// Readable messages of all topics.
    pub messages: u64,
    /// As in [`super::BagInfo::compression`].
    pub compression: String,
}

/// Describes `bag` from its indices.
pub fn inspect(bag: &Bag) -> Result<BagReport, BagError> {
    let info = bag.info();
    let spans = bag.topic_spans()?;
    let topics = info
        .topics
        .iter()
        .zip(spans)
        .map(|(topic, span)| {
            let seconds = span.map_or(0.0, |span| span.last.since_ns(span.first) as f64 * 1e-9);
            let rate_hz = (topic.count >= 2 && seconds > 0.0).then(|| (topic.count - 1) as f64 / seconds);
            TopicReport {
                name: topic.name.clone(),
                type_name: topic.type_name.clone(),
                count: topic.count,
                rate_hz,
            }
        })
        .collect();
    Ok(BagReport {
        topics,
        storage: info.storage.as_str().into(),
        start: info.start.to_string(),
        duration_s: info.end.since_ns(info.start) as f64 * 1e-9,
        messages: info.message_count(),
        compression: info.compression.clone(),
    })
}
