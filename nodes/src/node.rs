//! The thread that owns a ROS node and spins it. Others reach the node by sending it a request.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use futures::FutureExt;
use futures::stream::{Stream, StreamExt};
use r2r::{Context, Node};

use crate::names::NodeName;
use crate::rcl::take_error;
use crate::rosout;

/// How long one spin waits for something to happen while requests come that somebody waits for.
const SHORT_SPIN: Duration = Duration::from_millis(10);

/// The same at other times, when each spin is a wake-up for nothing: messages end a spin at once, requests
/// do not. The longest that a request waits.
const LONG_SPIN: Duration = Duration::from_millis(50);

/// How long after such a request more are expected.
const BUSY_FOR: Duration = Duration::from_secs(1);

/// Why a node cannot do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    /// rcl refused
    #[error("cannot create {what}: {reason}")]
    Create {
        /// `node 'depth'`, `subscription to '/image'`
        what: String,
        /// rcl's reason
        reason: String,
    },
    /// The thread has ended
    #[error("node '{0}' is shut down")]
    Gone(String),
    /// The operating system gave no thread
    #[error("cannot start the thread of node '{name}': {source}")]
    Thread {
        /// Node
        name: String,
        /// The system's reason
        source: std::io::Error,
    },
}

impl NodeError {
    /// rcl refused to create `what`. To be called on the thread on which it did: its message is kept there,
    /// and says more than the code that r2r passes on.
    pub fn create(what: impl Into<String>, error: &r2r::Error) -> Self {
        let message = take_error();
        let mut reason = if message.is_empty() { error.to_string() } else { message };
        if reason.contains("cannot open shared object file") {
            reason.push_str("; source the setup.bash of the ROS 2 that this was built with");
        }
        if matches!(error, r2r::Error::InvalidMessageType { .. }) {
            reason.push_str("; this was built without that interface package: `cargo xtask setup` brings it");
        }
        Self::Create { what: what.into(), reason }
    }
}

/// What the thread owns. Requests get it to create endpoints and look at the graph.
pub struct Owned {
    /// The node itself
    pub node: Node,
    forwarders: Vec<Box<dyn FnMut() -> bool>>,
}

impl Owned {
    /// Hands each item of `stream` to `take` from now on, on this thread, right after the spin that
    /// received it.
    ///
    /// r2r's streams hold 10 items and lose the newest when full, whatever the history asked
    /// for; emptied after each spin they never hold more than one.
    pub fn forward<T: 'static>(
        &mut self,
        mut stream: impl Stream<Item = T> + Unpin + 'static,
        mut take: impl FnMut(T) + 'static,
    ) {
        self.forwarders.push(Box::new(move || {
            loop {
                match stream.next().now_or_never() {
                    Some(Some(item)) => take(item),
                    Some(None) => return false,
                    None => return true,
                }
            }
        }));
    }

    fn spin(&mut self, longest: Duration) {
        self.node.spin_once(longest);
        self.forwarders.retain_mut(|forward| forward());
    }
}

struct Request {
    run: Box<dyn FnOnce(&mut Owned) + Send>,
    is_awaited: bool,
}

/// A running node. Dropping it stops the thread and destroys the node.
pub struct NodeThread {
    name: NodeName,
    requests: mpsc::Sender<Request>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl NodeThread {
    /// Creates the node `name` (which may be remapped) and spins it on a thread of its own.
    pub fn start(context: &Context, name: &str) -> Result<Self, NodeError> {
        let create = |error| NodeError::create(format!("node '{name}'"), &error);
        let node = Node::create(context.clone(), name, "").map_err(create)?;
        let name =
            NodeName { name: node.name().map_err(create)?, namespace: node.namespace().map_err(create)? };
        let logger = Arc::from(name.logger());
        let (requests, inbox) = mpsc::channel::<Request>();
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = std::thread::Builder::new()
            .name(format!("{}-spin", name.name))
            .spawn(move || {
                rosout::name_thread(&logger);
                spin(node, &inbox, &stopped);
            })
            .map_err(|source| NodeError::Thread { name: name.name.clone(), source })?;
        Ok(Self { name, requests, stop, thread: Some(thread) })
    }

    /// The node's name after remapping.
    pub const fn name(&self) -> &NodeName {
        &self.name
    }

    /// Runs `request` on the node's thread and waits for its answer, at most a spin or two.
    pub fn call<T: Send + 'static>(
        &self,
        request: impl FnOnce(&mut Owned) -> T + Send + 'static,
    ) -> Result<T, NodeError> {
        let gone = || NodeError::Gone(self.name.full());
        let (reply, answer) = mpsc::sync_channel(1);
        let run = Box::new(move |owned: &mut Owned| {
            // The caller may have given up, which is fine.
            let _ = reply.send(request(owned));
        });
        self.requests.send(Request { run, is_awaited: true }).map_err(|_| gone())?;
        answer.recv().map_err(|_| gone())
    }

    /// Runs `request` on the node's thread without waiting.
    pub fn send(&self, request: impl FnOnce(&mut Owned) + Send + 'static) -> Result<(), NodeError> {
        let request = Request { run: Box::new(request), is_awaited: false };
        self.requests.send(request).map_err(|_| NodeError::Gone(self.name.full()))
    }

    /// Asks the thread to stop; it does within a spin.
    pub fn request_stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

impl Drop for NodeThread {
    fn drop(&mut self) {
        self.request_stop();
        if let Some(thread) = self.thread.take() {
            // A panic of the thread was reported by the panic hook already.
            let _ = thread.join();
        }
    }
}

fn spin(node: Node, inbox: &mpsc::Receiver<Request>, stop: &AtomicBool) {
    let mut owned = Owned { node, forwarders: Vec::new() };
    // With nothing to wait for, rcl returns at once and this loop would burn a core.
    let heartbeat = owned.node.create_wall_timer(Duration::from_secs(1));
    let mut awaited = Instant::now();
    while !stop.load(Ordering::Relaxed) {
        while let Ok(request) = inbox.try_recv() {
            (request.run)(&mut owned);
            if request.is_awaited {
                awaited = Instant::now();
            }
        }
        owned.spin(if awaited.elapsed() < BUSY_FOR { SHORT_SPIN } else { LONG_SPIN });
    }
    drop(heartbeat);
}
