//! The thread that owns a model. It takes frames from the intakes of the nodes that share the model, one
//! node after the other, computes what somebody listens to and publishes it. No lock is held while it
//! computes.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use isobath::message::Stamp;
use isobath::pipeline::{Accounting, Model, Pacing, ParameterSet, Pipeline, PipelineError, Processor};
use isobath::sync::DropReason;
use tokio::sync::mpsc;

use crate::clock::NodeClock;
use crate::publishers::Publishers;
use crate::rosout;
use crate::seats::{Feed, Seats};

/// A longer way from stamp to output means that the stamps come from another clock.
const PLAUSIBLE_LATENCY: Duration = Duration::from_secs(10);

/// Facts about the loaded model, for diagnostics.
pub type Facts = Vec<(&'static str, String)>;

/// What a worker tells the main thread about a node.
pub enum Event {
    /// The node's model is loaded, or why it is not
    Ready(Result<Facts, PipelineError>),
    /// The thread has ended
    Ended,
}

/// Where events go, with the number of the node.
pub type Events = mpsc::UnboundedSender<(usize, Event)>;

/// A node that a worker works for.
pub struct Job {
    /// Number of the node
    pub index: usize,
    /// Name of the node's logger
    pub logger: Arc<str>,
    /// Parameters at start
    pub parameters: ParameterSet,
    /// The node's clock
    pub clock: NodeClock,
    /// Where it publishes
    pub publishers: Publishers,
    /// Where it counts
    pub accounting: Arc<Mutex<Accounting>>,
}

/// Sends the events of the nodes with these numbers. Tells that the thread has ended, by a panic too.
struct Notice {
    indices: Vec<usize>,
    events: Events,
}

impl Notice {
    fn send(&self, index: usize, event: Event) {
        // The main thread stops listening only when the process ends.
        let _ = self.events.send((index, event));
    }
}

impl Drop for Notice {
    fn drop(&mut self) {
        for &index in &self.indices {
            self.send(index, Event::Ended);
        }
    }
}

/// Starts one worker of pipeline `P` for all of `jobs`, whose parameters name the same model; it loads that
/// first. Returns the entrances in the order of the jobs.
pub fn start<P: Pipeline>(jobs: Vec<Job>, events: Events) -> std::io::Result<Vec<Arc<dyn Feed>>> {
    let seats = Seats::new(jobs.iter().map(|job| (Arc::clone(&job.logger), job.clock.clone())));
    let entrances = (0..jobs.len()).map(|seat| seats.entrance(seat)).collect();
    std::thread::Builder::new().name(format!("{}-work", P::NODE)).spawn(move || {
        let notice = Notice { indices: jobs.iter().map(|job| job.index).collect(), events };
        let Some(first) = jobs.first() else { return };
        rosout::name_thread(&first.logger);
        match load::<P>(first, &jobs, &seats) {
            Ok((mut model, mut processors)) => {
                for job in &jobs {
                    let mut facts = model.describe();
                    let others = jobs.iter().filter(|other| other.index != job.index);
                    let others: Vec<_> = others.map(|other| &*other.logger).collect();
                    if !others.is_empty() {
                        facts.push(("shared_with", others.join(" ")));
                    }
                    notice.send(job.index, Event::Ready(Ok(facts)));
                }
                work::<P>(&seats, &mut model, &mut processors, &jobs);
            }
            Err((index, error)) => notice.send(index, Event::Ready(Err(error))),
        }
    })?;
    Ok(entrances)
}

/// A model and a processor of each node that shares it.
type Loaded<P> = (<P as Pipeline>::Model, Vec<<P as Pipeline>::Processor>);

/// The model with a processor for each job, whose intakes are open from now on; else why there is none, with
/// the number of the node at fault.
fn load<P: Pipeline>(
    first: &Job,
    jobs: &[Job],
    seats: &Seats<P::Intake>,
) -> Result<Loaded<P>, (usize, PipelineError)> {
    let model = P::load(&first.parameters).map_err(|error| (first.index, error))?;
    let mut processors = Vec::with_capacity(jobs.len());
    for (seat, job) in jobs.iter().enumerate() {
        let (intake, processor) = rosout::as_node(&job.logger, || {
            P::attach(&model, &job.parameters, Pacing::KeepLatest, Arc::clone(&job.accounting))
        })
        .map_err(|error| (job.index, error))?;
        seats.open(seat, intake);
        processors.push(processor);
    }
    Ok((model, processors))
}

fn work<P: Pipeline>(
    seats: &Seats<P::Intake>,
    model: &mut P::Model,
    processors: &mut [P::Processor],
    jobs: &[Job],
) {
    let mut last = jobs.len().saturating_sub(1);
    while let Some(turn) = seats.next(last) {
        last = turn.seat;
        let (Some(processor), Some(job)) = (processors.get_mut(turn.seat), jobs.get(turn.seat)) else {
            continue;
        };
        if let Some(parameters) = &turn.parameters {
            processor.update(parameters);
        }
        rosout::as_node(&job.logger, || serve::<P>(model, processor, job, &turn.frame));
    }
}

/// Computes and publishes one frame of one node, or counts why not.
fn serve<P: Pipeline>(
    model: &mut P::Model,
    processor: &mut P::Processor,
    job: &Job,
    frame: &<P::Processor as Processor>::Frame,
) {
    let wanted = job.publishers.wanted();
    let stamp = <P::Processor as Processor>::stamp(frame);
    if wanted.is_none() {
        return lock(&job.accounting).drop_frame(stamp, DropReason::NoSubscriber);
    }
    let started = Instant::now();
    let mut unpublished = None;
    let result = processor.process(model, frame, wanted, &mut |message| {
        if let Err(error) = job.publishers.publish(&message) {
            unpublished = Some(error);
        }
    });
    let mut accounting = lock(&job.accounting);
    match result {
        // A publisher only fails once its node is gone.
        Ok(()) if unpublished.is_some() => accounting.drop_frame(stamp, DropReason::Shutdown),
        Ok(()) => {
            accounting.publish(stamp, latency(stamp, job.clock.now(), started.elapsed()));
        }
        Err(error) => {
            accounting.drop_frame(stamp, error.reason);
            let source = error.reason.as_str();
            let undecodable = error.reason == DropReason::Undecodable;
            if accounting.problem(source, error.detail.clone(), undecodable) {
                tracing::warn!("{source}: {}", error.detail);
            }
        }
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
