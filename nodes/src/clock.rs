//! The time that stamps and timeouts are compared with: the system's, or `/clock`.

use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use isobath::message::Stamp;

use crate::node::{NodeError, NodeThread};

/// A node's clock. Clones share it.
#[derive(Clone)]
pub enum NodeClock {
    /// Wall time
    System,
    /// `/clock`, zero before its first message
    Simulated(Arc<Mutex<r2r::Clock>>),
}

impl NodeClock {
    /// The clock of `node`; with `use_sim_time` it listens to `/clock` from now on.
    pub fn of(node: &NodeThread, use_sim_time: bool) -> Result<Self, NodeError> {
        if !use_sim_time {
            return Ok(Self::System);
        }
        let clock = node.call(|owned| {
            let source = owned.node.get_time_source();
            source.enable_sim_time(&mut owned.node).map(|()| owned.node.get_ros_clock())
        })?;
        clock
            .map(Self::Simulated)
            .map_err(|source| NodeError::Create { what: "subscription to '/clock'".into(), source })
    }

    /// The current time.
    pub fn now(&self) -> Stamp {
        match self {
            Self::System => system_now(),
            Self::Simulated(clock) => {
                let now = clock.lock().ok().and_then(|mut clock| clock.get_now().ok());
                Stamp(now.map_or(0, |now| i64::try_from(now.as_nanos()).unwrap_or(i64::MAX)))
            }
        }
    }
}

/// Wall time.
pub fn system_now() -> Stamp {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Stamp(i64::try_from(since_epoch.as_nanos()).unwrap_or(i64::MAX))
}
