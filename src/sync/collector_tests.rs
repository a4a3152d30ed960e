//! Rules of the collector one by one, then random interleavings.

use proptest::prelude::*;

use super::{Collector, CollectorConfig, FrameSet, HISTORY};
use crate::message::Stamp;
use crate::sync::DropReason;

const MS: i64 = 1_000_000;
const T0: i64 = 1_000_000 * MS;

fn at(ms: i64) -> Stamp {
    Stamp(T0 + ms * MS)
}

fn collector(radars: usize, pending: usize) -> Collector<u32, u32> {
    Collector::new(CollectorConfig {
        radars,
        window_ns: [50 * MS; 4],
        timeout_ns: 100 * MS,
        radar_offset_ns: [0; 4],
        pending,
    })
}

fn radar_of(frame: &FrameSet<u32, u32>, index: usize) -> Option<u32> {
    frame.radars[index].map(|(_, payload)| payload)
}

#[test]
fn without_radars_an_image_is_ready_at_once() {
    let mut c = collector(0, 1);
    assert_eq!(c.offer_image(at(0), 7, at(5)), None);
    assert_eq!(c.pending_stamp(), Some(at(0)));
    let frame = c.poll(at(5)).unwrap();
    assert_eq!((frame.stamp, frame.image, frame.radars), (at(0), 7, [None; 4]));
    assert_eq!(c.poll(at(5)), None);
}

#[test]
fn waits_for_the_radar_message_after_the_trigger_and_takes_the_nearest() {
    let mut c = collector(1, 1);
    c.offer_radar(0, at(-10), 1, at(-5));
    assert_eq!(c.offer_image(at(0), 7, at(1)), None);
    assert_eq!(c.poll(at(2)), None, "a nearer message may still come");
    c.offer_radar(0, at(4), 2, at(6));
    let frame = c.poll(at(6)).unwrap();
    assert_eq!(frame.radars[0], Some((at(4), 2)));
}

#[test]
fn of_two_equally_near_messages_the_older_is_taken() {
    let mut c = collector(1, 1);
    c.offer_radar(0, at(-10), 1, at(0));
    c.offer_radar(0, at(10), 2, at(0));
    assert_eq!(c.offer_image(at(0), 7, at(1)), None);
    assert_eq!(radar_of(&c.poll(at(1)).unwrap(), 0), Some(1));
}

#[test]
fn the_window_is_inclusive_and_the_offset_corrects_the_stamp() {
    for (offset, expected) in [(0, Some(1)), (-MS, None)] {
        let mut c =
            Collector::new(CollectorConfig { radar_offset_ns: [offset, 0, 0, 0], ..collector(1, 1).config });
        c.offer_radar(0, at(-50), 1, at(0));
        assert_eq!(c.offer_image(at(0), 7, at(0)), None);
        assert_eq!(radar_of(&c.poll(at(100)).unwrap(), 0), expected);
    }
}

#[test]
fn an_image_waits_no_longer_than_the_timeout() {
    let mut c = collector(1, 1);
    c.offer_radar(0, at(-10), 1, at(0));
    assert_eq!(c.offer_image(at(0), 7, at(1)), None);
    assert_eq!(c.deadline(), Some(at(101)));
    assert_eq!(c.poll(at(100)), None);
    assert_eq!(radar_of(&c.poll(at(101)).unwrap(), 0), Some(1));
}

#[test]
fn a_silent_radar_is_not_waited_for_but_one_starting_up_is() {
    let mut c = collector(2, 1);
    assert_eq!(c.offer_image(at(0), 1, at(0)), None);
    assert_eq!(c.poll(at(1)), None, "starting up");
    assert!(c.poll(at(100)).is_some());
    c.offer_radar(0, at(3900), 1, at(3900));
    assert_eq!(c.offer_image(at(4000), 2, at(4000)), None);
    assert_eq!(c.poll(at(4000)), None, "radar 0 lives; radar 1 never came");
    c.offer_radar(0, at(4010), 2, at(4010));
    assert!(c.poll(at(4010)).is_some());
    assert_eq!(c.offer_image(at(5100), 3, at(5100)), None);
    assert!(c.poll(at(5100)).is_some(), "radar 0 fell silent");
}

/// Images every 100 ms with a radar beside each; radar 1 falls silent. How long each image waits.
#[test]
fn a_radar_that_fell_silent_delays_three_images_and_is_used_again_once_it_is_back() {
    let mut c = collector(2, 4);
    let mut waits = Vec::new();
    for image in 0..20 {
        let trigger = image * 100;
        assert_eq!(c.offer_image(at(trigger), image as u32, at(trigger)), None);
        let silent = (5..12).contains(&image);
        for wait in 0..=100 {
            let now = at(trigger + wait);
            if wait == 20 {
                c.offer_radar(0, at(trigger + 10), 0, now);
            }
            if wait == 30 && !silent {
                c.offer_radar(1, at(trigger + 10), 1, now);
            }
            if let Some(frame) = c.poll(now) {
                assert_eq!((frame.image, frame.radars[0].is_some()), (image as u32, true));
                assert_eq!(frame.radars[1].is_some(), !(silent || image == 12), "image {image}");
                waits.push(wait);
                if image != 12 {
                    break;
                }
            }
        }
    }
    // Image 12 is out by the time that the radar speaks again.
    let expected = [&[30; 5][..], &[100; 3], &[20; 5], &[30; 7]].concat();
    assert_eq!(waits, expected);
}

#[test]
fn a_radar_whose_clock_is_wrong_is_not_waited_for_either() {
    let mut c = collector(1, 4);
    let mut waits = Vec::new();
    for image in 0..6 {
        let trigger = image * 100;
        assert_eq!(c.offer_image(at(trigger), image as u32, at(trigger)), None);
        c.offer_radar(0, at(trigger - 3_600_000), 0, at(trigger));
        waits.extend((0..=100).find(|wait| c.poll(at(trigger + wait)).is_some()));
    }
    assert_eq!(waits, [100, 100, 100, 0, 0, 0]);
}

#[test]
fn each_radar_has_its_own_window() {
    let window_ns = [50 * MS, 5 * MS, 0, 0];
    let mut c = Collector::new(CollectorConfig { window_ns, ..collector(2, 1).config });
    for radar in 0..2 {
        c.offer_radar(radar, at(10), radar as u32, at(0));
    }
    assert_eq!(c.offer_image(at(0), 7, at(0)), None);
    let frame = c.poll(at(0)).unwrap();
    assert_eq!((radar_of(&frame, 0), radar_of(&frame, 1)), (Some(0), None));
}

#[test]
fn bad_repeated_and_superseded_images_come_back_with_their_reason() {
    let mut c = collector(1, 1);
    assert_eq!(c.offer_image(Stamp(0), 1, at(0)), Some((Stamp(0), 1, DropReason::ZeroStamp)));
    assert_eq!(c.offer_image(at(0), 2, at(0)), None);
    assert_eq!(c.offer_image(at(0), 3, at(0)), Some((at(0), 3, DropReason::OutOfOrder)));
    assert_eq!(c.offer_image(at(-1000), 4, at(0)), Some((at(-1000), 4, DropReason::OutOfOrder)));
    assert_eq!(c.offer_image(at(30), 5, at(30)), Some((at(0), 2, DropReason::Superseded)));
    assert_eq!(c.offer_radar(0, Stamp(0), 1, at(30)), Some(DropReason::ZeroStamp));
}

#[test]
fn a_jump_back_drops_what_waits_and_goes_on() {
    let mut c = collector(1, 3);
    for i in 0..3 {
        assert_eq!(c.offer_image(at(i * 10), i as u32, at(0)), None);
    }
    c.offer_radar(0, at(-5000), 8, at(0));
    let mut dropped = vec![c.offer_image(at(-5000), 9, at(0)).unwrap()];
    dropped.extend(std::iter::from_fn(|| c.next_drop()));
    assert_eq!(c.take_jump(), Some((at(20), at(-5000))));
    assert_eq!(c.take_jump(), None);
    let jumped = |i: i64| (at(i * 10), i as u32, DropReason::TimeJump);
    assert_eq!(dropped, [jumped(0), jumped(1), jumped(2)]);
    c.offer_radar(0, at(-4995), 10, at(5));
    let frame = c.poll(at(5)).unwrap();
    assert_eq!((frame.image, radar_of(&frame, 0)), (9, Some(10)));
}

#[test]
fn the_clock_going_back_restarts_the_collection() {
    let mut c = collector(1, 1);
    assert_eq!(c.offer_image(at(0), 1, at(0)), None);
    assert_eq!(c.poll(at(-60_000)), None);
    assert_eq!(c.next_drop(), Some((at(0), 1, DropReason::TimeJump)));
    assert_eq!(c.take_jump(), Some((at(0), at(-60_000))));
    assert_eq!(c.offer_image(at(-60_000), 2, at(-60_000)), None);
    assert!(c.poll(at(-59_900)).is_some());
}

#[test]
fn new_times_hold_for_what_waits() {
    let mut c = collector(1, 2);
    c.offer_radar(0, at(-60), 1, at(0));
    assert_eq!(c.offer_image(at(0), 7, at(1)), None);
    c.retime([50 * MS; 4], 20 * MS, [40 * MS, 0, 0, 0]);
    assert_eq!(c.poll(at(20)), None);
    assert_eq!(c.poll(at(21)).unwrap().radars[0], Some((at(-20), 1)), "an earlier end, the radar shifted");
    c.retime([10 * MS; 4], 20 * MS, [-40 * MS, 0, 0, 0]);
    assert_eq!(c.offer_image(at(-20 + 40), 8, at(30)), None);
    c.offer_radar(0, at(60), 2, at(30));
    assert_eq!(c.poll(at(30)).unwrap().radars[0], Some((at(20), 2)), "in the narrow window after the shift");
}

#[test]
fn a_radar_whose_clock_restarts_is_used_again() {
    let mut c = collector(1, 1);
    c.offer_radar(0, at(60_000), 1, at(0));
    c.offer_radar(0, at(1), 2, at(1));
    assert_eq!(c.offer_image(at(0), 7, at(1)), None);
    assert_eq!(radar_of(&c.poll(at(1)).unwrap(), 0), Some(2));
}

#[test]
fn a_full_collector_drops_its_oldest_image() {
    let mut c = collector(1, 2);
    assert_eq!(c.offer_image(at(0), 0, at(0)), None);
    assert_eq!(c.offer_image(at(1), 1, at(0)), None);
    assert!(c.is_full());
    assert_eq!(c.offer_image(at(2), 2, at(0)), Some((at(0), 0, DropReason::Superseded)));
    let left: Vec<_> = std::iter::from_fn(|| c.flush()).map(|frame| frame.image).collect();
    assert_eq!(left, [1, 2]);
}

#[derive(Clone, Debug)]
enum Event {
    Image(i64),
    Radar(usize, i64),
    Poll,
}

fn events() -> impl Strategy<Value = Vec<(Event, i64)>> {
    let stamp = prop_oneof![
        8 => -200..200_i64,
        1 => Just(i64::MIN),
        1 => -10_000..10_000_i64,
    ];
    let event = prop_oneof![
        stamp.clone().prop_map(Event::Image),
        (0..5_usize, stamp).prop_map(|(radar, ms)| Event::Radar(radar, ms)),
        Just(Event::Poll),
    ];
    let step = prop_oneof![20 => 0..60_i64, 1 => -3000..0_i64, 1 => 0..5000_i64];
    prop::collection::vec((event, step), 0..200)
}

/// Everything that came out: image number with its radars, or with its reason.
type Outcome = Vec<(u32, Result<[Option<u32>; 4], DropReason>)>;

/// Runs the events; stamps are relative to the running time, the smallest meaning an unset one.
fn run(events: &[(Event, i64)], radars: usize, pending: usize) -> (Outcome, u32) {
    let mut c = collector(radars, pending);
    let (mut out, mut now, mut images) = (Outcome::new(), 0, 0);
    let stamp = |ms: i64, now: i64| if ms == i64::MIN { Stamp(0) } else { at(now + ms) };
    let took = |frame: FrameSet<u32, u32>| {
        for (radar_stamp, _) in frame.radars.iter().flatten() {
            assert!(radar_stamp.since_ns(frame.stamp).abs() <= 50 * MS);
        }
        (frame.image, Ok(frame.radars.map(|radar| radar.map(|(_, payload)| payload))))
    };
    for (number, (event, step)) in events.iter().enumerate() {
        now += step;
        match *event {
            Event::Image(ms) => {
                out.extend(c.offer_image(stamp(ms, now), images, at(now)).map(|(_, i, why)| (i, Err(why))));
                images += 1;
            }
            Event::Radar(radar, ms) => {
                c.offer_radar(radar, stamp(ms, now), number as u32, at(now));
            }
            Event::Poll => out.extend(c.poll(at(now)).map(took)),
        }
        assert!(c.waiting.len() + c.dropped.len() <= pending);
        assert!(c.radars.iter().all(|radar| radar.history.len() <= HISTORY));
        assert!(c.radars.iter().all(|radar| radar.history.iter().is_sorted_by_key(|(stamp, _)| *stamp)));
    }
    out.extend(std::iter::from_fn(|| c.flush()).map(took));
    out.extend(std::iter::from_fn(|| c.next_drop()).map(|(_, i, why)| (i, Err(why))));
    (out, images)
}

proptest! {
    #[test]
    fn every_image_comes_out_once_and_runs_repeat(events in events(), radars in 0..6_usize, pending in 1..5_usize) {
        let (out, images) = run(&events, radars, pending);
        let mut numbers: Vec<_> = out.iter().map(|(image, _)| *image).collect();
        numbers.sort_unstable();
        prop_assert_eq!(numbers, (0..images).collect::<Vec<_>>());
        prop_assert_eq!(out, run(&events, radars, pending).0);
    }
}
