//! The time that stamps and timeouts are compared with: the system's, or `/clock`.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use isobath::message::{Clock, Message, Stamp, from_cdr};
use r2r::QosProfile;

use crate::node::{NodeError, NodeThread};

/// A node's clock. Clones share it.
///
/// r2r's own time source is compiled in only when its build script generated the bindings in that very
/// run, and gone after one that found them cached.
#[derive(Clone)]
pub enum NodeClock {
    /// Wall time
    System,
    /// `/clock` in nanoseconds, zero before its first message
    Simulated(Arc<AtomicI64>),
}

impl NodeClock {
    /// The clock of `node`; with `use_sim_time` it listens to `/clock` from now on.
    pub fn of(node: &NodeThread, use_sim_time: bool) -> Result<Self, NodeError> {
        if !use_sim_time {
            return Ok(Self::System);
        }
        let time = Arc::new(AtomicI64::new(0));
        let newest = Arc::clone(&time);
        node.call(move |owned| {
            // Only the newest time is of interest; simulators publish best effort or reliable.
            let qos = QosProfile::default().keep_last(1).best_effort();
            let stream = owned
                .node
                .subscribe_raw("/clock", Clock::TYPE_NAME, qos)
                .map_err(|error| NodeError::create("subscription to '/clock'", &error))?;
            owned.forward(stream, move |bytes| match from_cdr::<Clock>(&bytes) {
                Ok(message) => newest.store(message.clock.0, Ordering::Relaxed),
                Err(error) => tracing::warn!("/clock: {error}"),
            });
            Ok::<_, NodeError>(())
        })??;
        Ok(Self::Simulated(time))
    }

    /// The current time.
    pub fn now(&self) -> Stamp {
        match self {
            Self::System => system_now(),
            Self::Simulated(time) => Stamp(time.load(Ordering::Relaxed)),
        }
    }
}

/// Wall time.
pub fn system_now() -> Stamp {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Stamp(i64::try_from(since_epoch.as_nanos()).unwrap_or(i64::MAX))
}
