//! The thread that owns a pipeline's model. It takes frames from the intake, computes what somebody
//! listens to and publishes it. No lock is held while it computes.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use isobath::message::Stamp;
use isobath::pipeline::{
    Accounting, Intake, Pacing, ParameterSet, Pipeline, PipelineError, Processor, SensorInput,
};
use isobath::sync::DropReason;
use tokio::sync::mpsc;

use crate::clock::NodeClock;
use crate::publishers::Publishers;
use crate::rosout;

/// How often an intake is asked for frames whose waiting time is over.
const TICK: Duration = Duration::from_millis(5);

/// A longer way from stamp to output means that the stamps come from another clock.
const PLAUSIBLE_LATENCY: Duration = Duration::from_secs(10);

/// Takes messages for a pipeline.
pub trait Feed: Send + Sync {
    /// Offers a message; cheap. Before the model is loaded it is ignored.
    fn offer(&self, input: SensorInput);

    /// Hands changed parameters to the worker, which takes them before its next frame.
    fn update(&self, parameters: ParameterSet);

    /// Counts what waits as dropped and ends the worker after the frame it works on.
    fn stop(&self);
}

/// Facts about the loaded model, for diagnostics.
pub type Facts = Vec<(&'static str, String)>;

/// What a worker tells the main thread.
pub enum Event {
    /// The model is loaded, or why it is not
    Ready(Result<Facts, PipelineError>),
    /// The thread has ended
    Ended,
}

/// Sends the events of the node with this number.
#[derive(Clone)]
pub struct Events {
    /// Number of the node
    pub index: usize,
    /// To the main thread
    pub queue: mpsc::UnboundedSender<(usize, Event)>,
}

impl Events {
    fn send(&self, event: Event) {
        // The main thread stops listening only when the process ends.
        let _ = self.queue.send((self.index, event));
    }
}

/// Tells that the thread has ended, by a panic too.
struct EndNotice(Events);

impl Drop for EndNotice {
    fn drop(&mut self) {
        self.0.send(Event::Ended);
    }
}

struct Shared<I> {
    intake: Mutex<Option<I>>,
    wake: Condvar,
    parameters: Mutex<Option<ParameterSet>>,
    stop: AtomicBool,
    clock: NodeClock,
}

/// What a worker thread starts with.
pub struct Job {
    /// Name of the node's logger
    pub logger: String,
    /// Parameters at start
    pub parameters: ParameterSet,
    /// The node's clock
    pub clock: NodeClock,
    /// Where it publishes
    pub publishers: Publishers,
    /// Where it counts
    pub accounting: Arc<Mutex<Accounting>>,
}

/// Starts the worker of pipeline `P`, which loads the model first. Returns its entrance.
pub fn start<P: Pipeline>(job: Job, events: Events) -> std::io::Result<Arc<dyn Feed>> {
    let shared = Arc::new(Shared::<P::Intake> {
        intake: Mutex::new(None),
        wake: Condvar::new(),
        parameters: Mutex::new(None),
        stop: AtomicBool::new(false),
        clock: job.clock.clone(),
    });
    let feed = Arc::clone(&shared);
    std::thread::Builder::new().name(format!("{}-work", P::NODE)).spawn(move || {
        let notice = EndNotice(events);
        rosout::name_thread(&job.logger);
        match P::build(&job.parameters, Pacing::KeepLatest, Arc::clone(&job.accounting)) {
            Ok((intake, mut processor)) => {
                *lock(&shared.intake) = Some(intake);
                notice.0.send(Event::Ready(Ok(processor.describe())));
                work::<P>(&shared, &mut processor, &job);
            }
            Err(error) => notice.0.send(Event::Ready(Err(error))),
        }
    })?;
    Ok(feed)
}

impl<I: Intake> Feed for Shared<I> {
    fn offer(&self, input: SensorInput) {
        let now = self.clock.now();
        if let Some(intake) = lock(&self.intake).as_mut() {
            intake.offer(input, now);
        }
        self.wake.notify_one();
    }

    fn update(&self, parameters: ParameterSet) {
        *lock(&self.parameters) = Some(parameters);
    }

    fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(intake) = lock(&self.intake).as_mut() {
            intake.abandon();
        }
        self.wake.notify_one();
    }
}

fn work<P: Pipeline>(shared: &Shared<P::Intake>, processor: &mut P::Processor, job: &Job) {
    while let Some(frame) = next_frame(shared) {
        if let Some(parameters) = lock(&shared.parameters).take() {
            processor.update(&parameters);
        }
        let wanted = job.publishers.wanted();
        if wanted.is_none() {
            lock(&job.accounting).drop_frame(DropReason::NoSubscriber);
            continue;
        }
        let started = Instant::now();
        let mut unpublished = None;
        let result = processor.process(&frame, wanted, &mut |message| {
            if let Err(error) = job.publishers.publish(&message) {
                unpublished = Some(error);
            }
        });
        let mut accounting = lock(&job.accounting);
        match result {
            // A publisher only fails once its node is gone.
            Ok(()) if unpublished.is_some() => accounting.drop_frame(DropReason::Shutdown),
            Ok(()) => {
                let stamp = <P::Processor as Processor>::stamp(&frame);
                accounting.publish(latency(stamp, shared.clock.now(), started.elapsed()));
            }
            Err(error) => {
                accounting.drop_frame(error.reason);
                let undecodable = error.reason == DropReason::Undecodable;
                accounting.problem(error.reason.as_str(), error.detail, undecodable);
            }
        }
    }
}

/// Waits for a frame; `None` when the worker is to stop.
fn next_frame<I: Intake>(shared: &Shared<I>) -> Option<I::Frame> {
    let mut intake = lock(&shared.intake);
    loop {
        if shared.stop.load(Ordering::Relaxed) {
            return None;
        }
        if let Some(frame) = intake.as_mut().and_then(|intake| intake.poll(shared.clock.now())) {
            return Some(frame);
        }
        intake = shared.wake.wait_timeout(intake, TICK).unwrap_or_else(PoisonError::into_inner).0;
    }
}

/// From the acquisition to the output where both are on one clock, else the time spent here.
fn latency(stamp: Stamp, now: Stamp, spent: Duration) -> Duration {
    let since = u64::try_from(now.since_ns(stamp)).map(Duration::from_nanos);
    match since {
        Ok(since) if since >= spent && since < PLAUSIBLE_LATENCY => since,
        Ok(_) | Err(_) => spent,
    }
}

/// A thread that panicked while it held the lock has been reported; its counts stay usable.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn latency_counts_from_the_stamp_when_the_clocks_agree() {
        let spent = Duration::from_millis(20);
        let now = Stamp(100_000_000_000);
        assert_eq!(latency(now.offset_ns(-50_000_000), now, spent), Duration::from_millis(50));
        assert_eq!(latency(Stamp(0), now, spent), spent);
        assert_eq!(latency(now.offset_ns(1_000_000), now, spent), spent);
    }
}
