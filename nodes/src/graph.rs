//! Who publishes what we subscribe to, and whether it can reach us.

use std::sync::{Arc, Mutex};
use std::time::Instant;

use r2r::qos::DurabilityPolicy;

use crate::node::{NodeError, NodeThread};
use crate::worker::lock;

/// A publisher of a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Node with namespace
    pub node: String,
    /// `package/msg/Name`
    pub type_name: String,
    /// Whether it keeps messages for late subscribers
    pub is_transient_local: bool,
}

/// The publishers of one topic as they were at the last look.
#[derive(Clone, Debug, Default)]
pub struct Publishers {
    /// All of them
    pub list: Vec<Endpoint>,
    /// Since when there is one, as far as was looked
    pub since: Option<Instant>,
}

/// Looks at the graph from the node's thread and stores what it finds; does not wait.
pub fn look(node: &NodeThread, topic: String, publishers: Arc<Mutex<Publishers>>) -> Result<(), NodeError> {
    node.send(move |owned| {
        let Ok(found) = owned.node.get_publishers_info_by_topic(&topic, false) else {
            tracing::debug!("cannot list the publishers of '{topic}'");
            return;
        };
        let list: Vec<_> = found
            .into_iter()
            .map(|info| Endpoint {
                node: format!("{}/{}", info.node_namespace.trim_end_matches('/'), info.node_name),
                type_name: info.topic_type,
                is_transient_local: info.qos_profile.durability == DurabilityPolicy::TransientLocal,
            })
            .collect();
        let mut publishers = lock(&publishers);
        publishers.since =
            if list.is_empty() { None } else { publishers.since.or_else(|| Some(Instant::now())) };
        publishers.list = list;
    })
}
