//! A pipeline's output topics. The pipelines encode; here the bytes go out as they are.

use isobath::pipeline::{OutputMessage, OutputTopic, WantedTopics};
use r2r::{PublisherUntyped, QosProfile};

use crate::node::{NodeError, NodeThread};

/// Outputs kept for subscribers that are slower than the pipeline.
const HISTORY: usize = 5;

/// The publishers of one pipeline, in the order of its output topics.
pub struct Publishers(Vec<(String, PublisherUntyped)>);

impl Publishers {
    /// Advertises `topics`, renamed by `rename`, on `node`: reliable, which suits best-effort subscribers
    /// too.
    pub fn create(
        node: &NodeThread,
        topics: &'static [OutputTopic],
        rename: impl Fn(&str) -> String + Send + 'static,
    ) -> Result<Self, NodeError> {
        let created = node.call(move |owned| {
            let qos = QosProfile::default().keep_last(HISTORY).reliable();
            topics
                .iter()
                .map(|topic| {
                    let name = rename(topic.name);
                    match owned.node.create_publisher_untyped(&name, topic.type_name, qos.clone()) {
                        Ok(publisher) => Ok((name, publisher)),
                        Err(error) => {
                            let what = format!("publisher of '{name}' ({})", topic.type_name);
                            Err(NodeError::create(what, &error))
                        }
                    }
                })
                .collect::<Result<Vec<_>, _>>()
        })?;
        created.map(Self)
    }

    /// The topics that anybody listens to. A topic whose count is unknown counts as wanted.
    pub fn wanted(&self) -> WantedTopics {
        self.0.iter().enumerate().fold(WantedTopics::NONE, |wanted, (index, (_, publisher))| match publisher
            .get_inter_process_subscription_count()
        {
            Ok(0) => wanted,
            Ok(_) | Err(_) => wanted.with(index),
        })
    }

    /// Sends `message` on its topic.
    pub fn publish(&self, message: &OutputMessage<'_>) -> Result<(), String> {
        let Some((name, publisher)) = self.0.get(message.topic) else {
            return Err(format!("output {} does not exist", message.topic));
        };
        publisher.publish_raw(message.bytes).map_err(|error| format!("'{name}': {error}"))
    }
}
