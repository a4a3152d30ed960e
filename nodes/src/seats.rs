//! The intakes of the nodes that share one worker. The main thread offers messages to them, the worker
//! takes frames out in turn, so that a fast camera does not starve a slow one.
//!
//! One short lock guards them all; it is never held while a model runs.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use isobath::pipeline::{Intake, ParameterSet, SensorInput};

use crate::clock::NodeClock;
use crate::rosout;
use crate::worker::lock;

/// How often intakes in which something waits are asked for frames whose waiting time is over. When nothing
/// waits the worker sleeps until a message comes.
const TICK: Duration = Duration::from_millis(5);

/// Takes messages for one node.
pub trait Feed: Send + Sync {
    /// Offers a message; cheap. Before the model is loaded it is ignored.
    fn offer(&self, input: SensorInput);

    /// Hands changed parameters over: the intake has them when this returns, the processor before its next
    /// frame.
    fn update(&self, parameters: ParameterSet);

    /// Counts what waits as dropped and ends the worker after the frame it works on.
    fn stop(&self);
}

/// One node's place.
struct Seat<I> {
    logger: Arc<str>,
    clock: NodeClock,
    /// `None` while the model loads
    intake: Option<I>,
    /// Changed parameters that the processor has not taken yet
    parameters: Option<ParameterSet>,
}

struct Places<I> {
    list: Vec<Seat<I>>,
    is_stopped: bool,
}

/// The places of all nodes that share one worker.
pub struct Seats<I> {
    places: Mutex<Places<I>>,
    wake: Condvar,
}

/// A frame and whose it is.
pub struct Turn<F> {
    /// Number of the node among those that share the worker
    pub seat: usize,
    /// The frame
    pub frame: F,
    /// Parameters that changed since the node's last turn
    pub parameters: Option<ParameterSet>,
}

/// One node's entrance.
struct Entrance<I> {
    seats: Arc<Seats<I>>,
    seat: usize,
}

impl<I: Intake + 'static> Seats<I> {
    /// Places for nodes with these loggers and clocks.
    pub fn new(nodes: impl IntoIterator<Item = (Arc<str>, NodeClock)>) -> Arc<Self> {
        let seat = |(logger, clock)| Seat { logger, clock, intake: None, parameters: None };
        let list = nodes.into_iter().map(seat).collect();
        Arc::new(Self { places: Mutex::new(Places { list, is_stopped: false }), wake: Condvar::new() })
    }

    /// The entrance of node number `seat`.
    pub fn entrance(self: &Arc<Self>, seat: usize) -> Arc<dyn Feed> {
        Arc::new(Entrance { seats: Arc::clone(self), seat })
    }

    /// From now on node number `seat` takes messages, with `intake`.
    pub fn open(&self, seat: usize, mut intake: I) {
        let mut places = lock(&self.places);
        if let Some(seat) = places.list.get_mut(seat) {
            // Changed while the model loaded.
            if let Some(parameters) = &seat.parameters {
                intake.update(parameters);
            }
            seat.intake = Some(intake);
        }
    }

    /// Waits for a frame. The node after number `last` is asked first; `None` when the worker is to stop.
    pub fn next(&self, last: usize) -> Option<Turn<I::Frame>> {
        let mut places = lock(&self.places);
        loop {
            if places.is_stopped {
                return None;
            }
            let count = places.list.len();
            for number in (0..count).map(|step| (last + 1 + step) % count) {
                let Some(seat) = places.list.get_mut(number) else { continue };
                let Some(intake) = &mut seat.intake else { continue };
                let now = seat.clock.now();
                if let Some(frame) = rosout::as_node(&seat.logger, || intake.poll(now)) {
                    return Some(Turn { seat: number, frame, parameters: seat.parameters.take() });
                }
            }
            let anything_waits =
                places.list.iter().any(|seat| seat.intake.as_ref().is_some_and(Intake::is_waiting));
            places = if anything_waits {
                self.wake.wait_timeout(places, TICK).unwrap_or_else(PoisonError::into_inner).0
            } else {
                self.wake.wait(places).unwrap_or_else(PoisonError::into_inner)
            };
        }
    }
}

impl<I: Intake + 'static> Feed for Entrance<I> {
    fn offer(&self, input: SensorInput) {
        let mut places = lock(&self.seats.places);
        let Some(seat) = places.list.get_mut(self.seat) else { return };
        let Some(intake) = &mut seat.intake else { return };
        let now = seat.clock.now();
        let is_trigger = input.is_trigger();
        rosout::as_node(&seat.logger, || intake.offer(input, now));
        // What only lies ready for a frame to come is nothing to wake the worker for. A trigger is, even if it
        // was refused: the worker counts it.
        let is_due = is_trigger || intake.is_waiting();
        drop(places);
        if is_due {
            self.seats.wake.notify_one();
        }
    }

    fn update(&self, parameters: ParameterSet) {
        let mut places = lock(&self.seats.places);
        let Some(seat) = places.list.get_mut(self.seat) else { return };
        if let Some(intake) = &mut seat.intake {
            intake.update(&parameters);
        }
        seat.parameters = Some(parameters);
        drop(places);
        // A shorter timeout may have made a frame ready.
        self.seats.wake.notify_one();
    }

    fn stop(&self) {
        let mut places = lock(&self.seats.places);
        places.is_stopped = true;
        if let Some(intake) = places.list.get_mut(self.seat).and_then(|seat| seat.intake.as_mut()) {
            intake.abandon();
        }
        drop(places);
        self.seats.wake.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use isobath::message::Stamp;
    use isobath::pipeline::Pipeline;
    use isobath::pipeline::detection::DetectionPipeline;

    /// Hands out what it was offered, one frame a message.
    #[derive(Default)]
    struct Queue {
        ready: usize,
        timeout_ms: i64,
        abandoned: Arc<Mutex<usize>>,
    }

    impl Intake for Queue {
        type Frame = i64;

        fn offer(&mut self, _: SensorInput, _: Stamp) {
            self.ready += 1;
        }

        fn poll(&mut self, _: Stamp) -> Option<i64> {
            self.ready = self.ready.checked_sub(1)?;
            Some(self.timeout_ms)
        }

        fn is_waiting(&self) -> bool {
            self.ready > 0
        }

        fn update(&mut self, parameters: &ParameterSet) {
            self.timeout_ms = parameters.integer("sync_timeout_ms");
        }

        fn flush(&mut self) -> Option<i64> {
            None
        }

        fn abandon(&mut self) {
            *lock(&self.abandoned) += self.ready;
        }
    }

    fn seats(count: usize) -> Arc<Seats<Queue>> {
        Seats::new((0..count).map(|number| (format!("depth_{number}").into(), NodeClock::System)))
    }

    fn message() -> SensorInput {
        SensorInput::CameraInfo(Arc::from([]))
    }

    fn parameters(timeout_ms: i64) -> ParameterSet {
        let mut set = ParameterSet::of::<DetectionPipeline>(DetectionPipeline::NODE);
        set.set("sync_timeout_ms", isobath::pipeline::Value::Integer(timeout_ms)).unwrap();
        set
    }

    #[test]
    fn nodes_take_turns_however_much_one_of_them_has() {
        let seats = seats(3);
        for (seat, messages) in [(0, 4), (1, 1), (2, 2)] {
            seats.open(seat, Queue::default());
            for _ in 0..messages {
                seats.entrance(seat).offer(message());
            }
        }
        let mut last = 2;
        let order: Vec<usize> = (0..7)
            .map(|_| {
                last = seats.next(last).unwrap().seat;
                last
            })
            .collect();
        assert_eq!(order, [0, 1, 2, 0, 2, 0, 0]);
    }

    #[test]
    fn a_worker_with_nothing_to_do_sleeps_until_a_message_or_the_end() {
        let seats = seats(2);
        seats.open(1, Queue::default());
        let worker = {
            let seats = Arc::clone(&seats);
            std::thread::spawn(move || (seats.next(0).map(|turn| turn.seat), seats.next(1).is_none()))
        };
        // Node 0 is still loading: what it is offered is nobody's.
        seats.entrance(0).offer(message());
        seats.entrance(1).offer(message());
        while lock(&seats.places).list[1].intake.as_ref().is_some_and(|intake| intake.ready > 0) {
            std::thread::yield_now();
        }
        seats.entrance(1).stop();
        assert_eq!(worker.join().unwrap(), (Some(1), true));
    }

    #[test]
    fn changed_parameters_reach_intake_and_processor_of_their_node_only() {
        let seats = seats(2);
        seats.entrance(0).update(parameters(7));
        seats.open(0, Queue::default());
        seats.open(1, Queue::default());
        seats.entrance(0).offer(message());
        let turn = seats.next(1).unwrap();
        assert_eq!(turn.frame, 7, "a change made while the model loaded");
        assert_eq!(turn.parameters.unwrap().integer("sync_timeout_ms"), 7);
        seats.entrance(0).offer(message());
        seats.entrance(1).offer(message());
        seats.entrance(1).update(parameters(9));
        let turn = seats.next(0).unwrap();
        assert_eq!((turn.seat, turn.frame, turn.parameters.is_some()), (1, 9, true));
        let turn = seats.next(1).unwrap();
        assert_eq!((turn.seat, turn.frame, turn.parameters.is_some()), (0, 7, false));
    }

    #[test]
    fn the_end_abandons_what_waits() {
        let seats = seats(1);
        let abandoned = Arc::new(Mutex::new(0));
        seats.open(0, Queue { abandoned: Arc::clone(&abandoned), ..Queue::default() });
        seats.entrance(0).offer(message());
        seats.entrance(0).stop();
        assert!(seats.next(0).is_none());
        assert_eq!(*lock(&abandoned), 1);
    }
}
