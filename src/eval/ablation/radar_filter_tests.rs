//! The filter over whole bags.

use super::*;
use crate::bag::{BagWriter, ReadFilter};
use crate::message::{Header, Message, PointCloud2, PointField, RadarReturn, RadarScan, from_cdr, to_cdr};

const MS: i64 = 1_000_000;
/// Messages of each radar, 50 ms apart: longer than two blocks.
const COUNT: i64 = 1400;
/// The message of each radar that is damaged.
const DAMAGED: i64 = 333;
const INPUTS: [(usize, InputKind); 3] =
    [(0, InputKind::Radar(0)), (1, InputKind::RadarScan(1)), (2, InputKind::CameraInfo)];

fn encode<'m, M: Message<'m>>(message: &M) -> Vec<u8> {
    let mut bytes = Vec::new();
    to_cdr(message, &mut bytes);
    bytes
}

/// Message `number` of a radar with a cloud or a scan: five returns whose x or range tells the number.
fn message(topic: usize, number: i64) -> Vec<u8> {
    let header = Header { stamp: Stamp(number * 50 * MS), frame_id: "radar" };
    let told = number as f32 + 1.0;
    let mut bytes = if topic == 0 {
        let data = [told, 0.0, 0.0].map(f32::to_le_bytes).concat().repeat(5);
        let field =
            |(i, name): (u32, _)| PointField { name, offset: 4 * i, datatype: PointField::FLOAT32, count: 1 };
        let fields = (0..).zip(["x", "y", "z"]).map(field).collect();
        encode(&PointCloud2 {
            header,
            height: 1,
            width: 5,
            fields,
            point_step: 12,
            row_step: 60,
            data: &data,
            ..PointCloud2::default()
        })
    } else {
        let one =
            RadarReturn { range: told, azimuth: 0.0, elevation: 0.0, doppler_velocity: 0.0, amplitude: 0.0 };
        encode(&RadarScan { header, returns: [one; 5].into_iter().collect() })
    };
    if number == DAMAGED {
        bytes.truncate(bytes.len() - 7);
    }
    bytes
}

fn bag(folder: &std::path::Path) -> Bag {
    let path = folder.join("bag.mcap");
    let mut writer = BagWriter::create(&path).unwrap();
    let topics = [
        ("/radar_0/points", PointCloud2::TYPE_NAME),
        ("/radar_1/scan", RadarScan::TYPE_NAME),
        ("/z_other", "x/msg/X"),
    ]
    .map(|(name, type_name)| writer.add_topic(name, type_name, None, "", &[]).unwrap());
    for number in 0..COUNT {
        for (topic, id) in topics.iter().enumerate() {
            let bytes = if topic == 2 { vec![9; 3] } else { message(topic, number) };
            writer.write(*id, Stamp(number * 50 * MS + 20 * MS), &bytes).unwrap();
        }
    }
    writer.finish().unwrap();
    Bag::open(&path).unwrap()
}

/// What comes through, by topic.
fn filtered(
    bag: &Bag,
    fault: Fault,
    seed: u64,
    section: (Stamp, Option<Stamp>),
) -> [Vec<Option<Vec<u8>>>; 3] {
    let mut filter = RadarFilter::new(fault, seed, 4);
    filter.begin(bag, &INPUTS, section).unwrap();
    assert_eq!(filter.topics, 2);
    let mut out: [Vec<_>; 3] = Default::default();
    let wanted = ReadFilter { start: Some(section.0), end: section.1, ..ReadFilter::default() };
    for message in bag.messages(&wanted).unwrap() {
        let message = message.unwrap();
        out[message.topic].push(filter.message(message.topic, message.data));
    }
    out
}

/// Header stamp, number told and how many returns tell it.
fn told(topic: usize, bytes: &[u8]) -> (i64, Vec<i64>) {
    if topic == 0 {
        let cloud: PointCloud2<'_> = from_cdr(bytes).unwrap();
        let x = |point: &[u8]| f32::from_le_bytes(*point.first_chunk().unwrap()) as i64 - 1;
        return (cloud.header.stamp.0 / MS / 50, cloud.data.chunks(12).map(x).collect());
    }
    let scan: RadarScan<'_> = from_cdr(bytes).unwrap();
    (scan.header.stamp.0 / MS / 50, scan.returns.iter().map(|item| item.range as i64 - 1).collect())
}

#[test]
fn shuffled_returns_are_those_of_another_time_each_once() {
    let temp = tempfile::tempdir().unwrap();
    let bag = bag(temp.path());
    for (section, first, count) in
        [((Stamp(0), None), 0, COUNT), ((Stamp(5000 * MS), Some(Stamp(62_000 * MS))), 100, 1140)]
    {
        let all = filtered(&bag, Fault::Shuffled, 1, section);
        for topic in [0, 1] {
            assert_eq!(all[topic].len() as i64, count);
            let mut from = Vec::new();
            for (number, bytes) in (first..).zip(&all[topic]) {
                let bytes = bytes.as_ref().unwrap();
                if number == DAMAGED {
                    assert_eq!(*bytes, message(topic, DAMAGED), "as it was");
                    continue;
                }
                let (stamp, returns) = told(topic, bytes);
                assert_eq!((stamp, returns.len()), (number, 5));
                if returns[0] == number {
                    // Its partner is the damaged one.
                    continue;
                }
                assert!((returns[0] - number).abs() * 50 > 2000, "{number} from {}", returns[0]);
                assert!((returns[0] - number).abs() * 50 <= 60_000);
                from.push(returns[0]);
            }
            assert!(from.len() as i64 >= count - 2);
            from.sort_unstable();
            from.dedup();
            assert!(from.len() as i64 >= count - 2, "no message twice");
        }
        assert!(all[2].iter().all(|bytes| bytes.as_deref() == Some(&[9, 9, 9])));
        assert_eq!(all, filtered(&bag, Fault::Shuffled, 1, section));
        assert_ne!(all[0], filtered(&bag, Fault::Shuffled, 2, section)[0]);
    }
}

#[test]
fn radars_share_the_returns_that_are_left_and_others_are_not_touched() {
    let temp = tempfile::tempdir().unwrap();
    let bag = bag(temp.path());
    let section = (Stamp(0), Some(Stamp(4000 * MS)));
    for returns in [5, 10, 20] {
        let all = filtered(&bag, Fault::Sparser(returns), 1, section);
        let counts = [0, 1].map(|topic| -> Vec<usize> {
            all[topic].iter().map(|bytes| told(topic, bytes.as_ref().unwrap()).1.len()).collect()
        });
        for (first, second) in counts[0].windows(4).zip(counts[1].windows(4)) {
            assert_eq!((first.iter().sum::<usize>() + second.iter().sum::<usize>()) as u64, returns);
        }
        assert!(all[2].iter().all(|bytes| bytes.as_deref() == Some(&[9, 9, 9])));
    }
    let all = filtered(&bag, Fault::Dropped, 1, section);
    assert!(all[0].iter().chain(&all[1]).all(Option::is_none) && all[2].iter().all(Option::is_some));
    for fault in [Fault::None, Fault::Shifted(100)] {
        let all = filtered(&bag, fault, 1, section);
        for topic in [0, 1] {
            let same = |(number, bytes): (i64, &Option<Vec<u8>>)| {
                bytes.as_deref() == Some(&message(topic, number)[..])
            };
            assert!((0..).zip(&all[topic]).all(same), "{fault:?}");
        }
    }
}
