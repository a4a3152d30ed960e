//! What each fault does to clouds and scans, counted and measured.

use proptest::prelude::*;

use super::super::test_cloud::{CloudOptions, cloud_bytes};
use super::*;
use crate::message::{
    Header, Message, PointCloud2, PointField, RadarReturn, RadarScan, Stamp, from_cdr, to_cdr,
};
use crate::sensor::PointCloudView;

/// Fields of the clouds; azimuths are in degrees.
const NAMES: [&str; 6] = ["x", "y", "z", "range", "azimuth", "range_rate"];
/// What a row of a cloud or a return of a scan says: position, range, azimuth (rad), range rate.
type Told = [f32; 6];

fn told(i: usize) -> Told {
    let (range, azimuth) = (2.0 + 0.37 * i as f32, -0.9 + 0.05 * (i % 37) as f32);
    let elevation = 0.02 * (i % 11) as f32 - 0.1;
    let planar = range * elevation.cos();
    let z = range * elevation.sin();
    [planar * azimuth.cos(), planar * azimuth.sin(), z, range, azimuth, i as f32]
}

fn cloud(count: usize) -> Vec<u8> {
    encoded_cloud((0..count).map(told))
}

fn encoded_cloud(rows: impl Iterator<Item = Told>) -> Vec<u8> {
    let rows: Vec<Told> = rows.collect();
    let values =
        rows.iter().flat_map(|&[x, y, z, range, azimuth, rate]| [x, y, z, range, azimuth.to_degrees(), rate]);
    let data: Vec<u8> = values.flat_map(f32::to_le_bytes).collect();
    let field =
        |(i, name): (u32, _)| PointField { name, offset: 4 * i, datatype: PointField::FLOAT32, count: 1 };
    let width = rows.len() as u32;
    encode(&PointCloud2 {
        header: Header { stamp: Stamp(7), frame_id: "radar" },
        height: 1,
        width,
        fields: (0..).zip(NAMES).map(field).collect(),
        point_step: 24,
        row_step: 24 * width,
        data: &data,
        is_dense: true,
        ..PointCloud2::default()
    })
}

fn scan(count: usize) -> Vec<u8> {
    let item = |[x, y, z, range, azimuth, rate]: Told| RadarReturn {
        range,
        azimuth,
        elevation: z.atan2(x.hypot(y)),
        doppler_velocity: rate,
        amplitude: 3.0,
    };
    let header = Header { stamp: Stamp(7), frame_id: "radar" };
    encode(&RadarScan { header, returns: (0..count).map(told).map(item).collect() })
}

fn encode<'m, M: Message<'m>>(message: &M) -> Vec<u8> {
    let mut bytes = Vec::new();
    to_cdr(message, &mut bytes);
    bytes
}

/// Both messages that a radar may send, with `count` returns each, and their types.
fn messages(count: usize) -> [(&'static str, Vec<u8>); 2] {
    [(PointCloud2::TYPE_NAME, cloud(count)), (RadarScan::TYPE_NAME, scan(count))]
}

fn read(type_name: &str, bytes: &[u8]) -> Vec<Told> {
    if type_name == RadarScan::TYPE_NAME {
        let scan: RadarScan<'_> = from_cdr(bytes).unwrap();
        assert_eq!(scan.header, Header { stamp: Stamp(7), frame_id: "radar" });
        let row = |item: &RadarReturn| {
            assert_eq!(item.amplitude, 3.0);
            let planar = item.range * item.elevation.cos();
            let z = item.range * item.elevation.sin();
            let (sin, cos) = item.azimuth.sin_cos();
            [planar * cos, planar * sin, z, item.range, item.azimuth, item.doppler_velocity]
        };
        return scan.returns.iter().map(row).collect();
    }
    let cloud: PointCloud2<'_> = from_cdr(bytes).unwrap();
    assert_eq!(cloud.header, Header { stamp: Stamp(7), frame_id: "radar" });
    let view = PointCloudView::new(&cloud).unwrap();
    let row = |i: usize| {
        let mut row = NAMES.map(|name| view.field(name).unwrap().f32(i));
        row[4] = row[4].to_radians();
        row
    };
    (0..view.len()).map(row).collect()
}

/// What `fault` makes of messages of one topic.
fn faulted<'b>(
    fault: RadarFault,
    type_name: &str,
    all: impl IntoIterator<Item = &'b [u8]>,
) -> Vec<Vec<Told>> {
    let mut edit = RadarEdit::new(fault, 3, "/radar_0/points");
    all.into_iter().map(|bytes| read(type_name, edit.apply(type_name, bytes).unwrap())).collect()
}

/// Position, range and azimuth of a row agree.
#[track_caller]
fn assert_consistent(&[x, y, z, range, azimuth, _]: &Told) {
    let norm = x.hypot(y).hypot(z);
    assert!((norm - range).abs() < 1e-4 * norm, "range {range} of {norm}");
    assert!((y.atan2(x) - azimuth).abs() < 1e-4, "azimuth {azimuth} of {}", y.atan2(x));
}

fn between(a: &Told, b: &Told) -> [f32; 3] {
    std::array::from_fn(|axis| b[axis] - a[axis])
}

#[test]
fn any_scans_of_a_frame_have_exactly_the_returns_asked_for_and_fewer_are_among_more() {
    for (type_name, bytes) in messages(60) {
        let before = read(type_name, &bytes);
        for messages in [1, 3, 4] {
            let mut denser: Option<Vec<Vec<Told>>> = None;
            for returns in [100, 50, 20, 10, 5, 1, 0] {
                let fault = RadarFault::Sparser { returns, messages };
                let after = faulted(fault, type_name, [bytes.as_slice(); 12]);
                for window in after.windows(messages as usize) {
                    let found: usize = window.iter().map(Vec::len).sum();
                    assert_eq!(found as u64, returns.min(60 * messages), "{type_name} {returns} {messages}");
                }
                for rows in &after {
                    assert!(rows.iter().all(|row| before.contains(row)), "unchanged");
                    assert!(rows.is_sorted_by_key(|row| row[5]), "in their order");
                }
                if let Some(denser) = denser {
                    let among =
                        |(few, many): (&Vec<Told>, &Vec<Told>)| few.iter().all(|row| many.contains(row));
                    assert!(after.iter().zip(&denser).all(among));
                }
                denser = Some(after);
            }
        }
        let after =
            faulted(RadarFault::Sparser { returns: 80, messages: 4 }, type_name, [bytes.as_slice(); 4]);
        assert!(after.windows(2).all(|pair| pair[0] != pair[1]), "other returns in every message");
    }
}

#[test]
fn a_share_of_the_returns_is_elsewhere_in_its_direction() {
    for (type_name, bytes) in messages(33) {
        let before = read(type_name, &bytes);
        let mut fewer: Option<Vec<(usize, usize)>> = None;
        for percent in [10, 30, 100] {
            let after = faulted(RadarFault::Ghosts { percent }, type_name, [bytes.as_slice(); 40]);
            let mut ghosts = Vec::new();
            let mut factors = Vec::new();
            for (number, rows) in after.iter().enumerate() {
                assert_eq!(rows.len(), before.len());
                for (i, (old, new)) in
                    before.iter().zip(rows).enumerate().filter(|(_, (old, new))| old != new)
                {
                    let factor = new[3] / old[3];
                    assert!((0.2499..4.001).contains(&factor), "{factor}");
                    for axis in 0..3 {
                        assert!((new[axis] - factor * old[axis]).abs() < 1e-5 * new[3], "{old:?} {new:?}");
                    }
                    assert_eq!(new[5], old[5]);
                    assert_consistent(new);
                    ghosts.push((number, i));
                    factors.push(factor.ln());
                }
            }
            assert_eq!(ghosts.len() as u64, 33 * 40 * percent / 100, "{type_name}");
            if let Some(fewer) = fewer {
                assert!(
                    percent == 100
                        || fewer.iter().filter(|ghost| ghosts.contains(ghost)).count() > fewer.len() / 2
                );
            }
            if percent == 100 {
                // Uniform from −ln 4 to ln 4: four standard deviations of the mean of 1320.
                let mean: f32 = factors.iter().sum::<f32>() / factors.len() as f32;
                assert!(mean.abs() < 4.0 * 0.8 / 36.0, "{mean}");
                let near = factors.iter().filter(|factor| factor.abs() < std::f32::consts::LN_2).count();
                assert!((560..760).contains(&near), "{near}");
            }
            fewer = Some(ghosts);
        }
    }
}

#[test]
fn a_turned_radar_is_turned_by_the_angle_in_every_message() {
    for (type_name, bytes) in messages(50) {
        let before = read(type_name, &bytes);
        for degrees in [2.0_f32, 5.0] {
            for (fault, [a, b]) in [(RadarFault::Yaw(degrees), [0, 1]), (RadarFault::Pitch(degrees), [2, 0])]
            {
                let after = faulted(fault, type_name, [bytes.as_slice(); 2]);
                assert_eq!(after[0], after[1]);
                let turns = before.iter().zip(&after[0]).map(|(old, new)| {
                    assert_consistent(new);
                    assert!((new[3] - old[3]).abs() < 1e-5 * old[3] && new[5] == old[5]);
                    let still = 3 - a - b;
                    assert!((new[still] - old[still]).abs() < 1e-5 * old[3]);
                    // In double precision, as the angle is small.
                    let [oa, ob, na, nb] = [old[a], old[b], new[a], new[b]].map(f64::from);
                    (oa * nb - ob * na).atan2(oa * na + ob * nb).to_degrees() as f32
                });
                let turns: Vec<f32> = turns.collect();
                assert!(turns.iter().all(|turn| (turn - turns[0]).abs() < 1e-3), "{turns:?}");
                assert!((turns[0].abs() - degrees).abs() < 1e-3, "{fault:?}: {}", turns[0]);
            }
        }
    }
}

#[test]
fn a_moved_radar_is_moved_across_its_axis() {
    for (type_name, bytes) in messages(50) {
        let before = read(type_name, &bytes);
        let after = faulted(RadarFault::Moved(0.1), type_name, [bytes.as_slice(); 2]);
        assert_eq!(after[0], after[1]);
        let first = between(&before[0], &after[0][0]);
        for (old, new) in before.iter().zip(&after[0]) {
            let [x, y, z] = between(old, new);
            assert!(x.abs() < 1e-4 && (y.hypot(z) - 0.1).abs() < 1e-4, "{x} {y} {z}");
            assert!((y - first[1]).abs() < 1e-4 && (z - first[2]).abs() < 1e-4);
            assert_consistent(new);
        }
    }
}

const FAULTS: [RadarFault; 5] = [
    RadarFault::Sparser { returns: 10, messages: 4 },
    RadarFault::Ghosts { percent: 30 },
    RadarFault::Yaw(5.0),
    RadarFault::Pitch(5.0),
    RadarFault::Moved(0.1),
];

#[test]
fn the_same_seed_and_topic_give_the_same_bytes() {
    for (type_name, bytes) in messages(40) {
        for fault in FAULTS {
            let after = |seed, topic| {
                let mut edit = RadarEdit::new(fault, seed, topic);
                [(); 3].map(|()| edit.apply(type_name, &bytes).unwrap().to_vec())
            };
            let first = after(1, "/a");
            assert_eq!(first, after(1, "/a"), "{fault:?}");
            // A fault with two sides only is the same for some other seed.
            let others =
                (2..12).map(|seed| after(seed, "/a")).chain(["/b", "/c", "/d"].map(|topic| after(1, topic)));
            assert!(others.into_iter().any(|other| other != first), "{fault:?}");
        }
    }
}

#[test]
fn messages_without_returns_and_points_that_are_none_are_left_alone() {
    for fault in FAULTS {
        for (type_name, bytes) in messages(0) {
            let mut edit = RadarEdit::new(fault, 1, "/radar");
            assert_eq!(edit.apply(type_name, &bytes).unwrap(), bytes, "{fault:?}");
        }
        let hole =
            |i: usize| if i.is_multiple_of(3) { [f32::NAN, 1.0, 2.0, 9.0, 0.0, i as f32] } else { told(i) };
        let bytes = encoded_cloud((0..30).map(hole));
        let after = faulted(fault, PointCloud2::TYPE_NAME, [bytes.as_slice()]);
        let holes = |row: &&Told| row[0].is_nan();
        let kept: Vec<f32> = after[0].iter().filter(holes).map(|row| row[5]).collect();
        assert_eq!(kept, (0..10).map(|i| 3.0 * i as f32).collect::<Vec<_>>(), "{fault:?}");
        assert!(after[0].iter().filter(holes).all(|row| row[1..5] == [1.0, 2.0, 9.0, 0.0]));
    }
    let after = faulted(
        RadarFault::Sparser { returns: 8, messages: 4 },
        PointCloud2::TYPE_NAME,
        [encoded_cloud((0..30).map(|i| if i == 4 { [f32::NAN; 6] } else { told(i) })).as_slice()],
    );
    assert_eq!(after[0].len(), 3, "two returns and the point that is none");
}

#[test]
fn what_cannot_be_read_stays() {
    for fault in FAULTS {
        for (type_name, bytes) in messages(20) {
            let mut edit = RadarEdit::new(fault, 1, "/radar");
            for end in [0, 3, 11, bytes.len() / 2, bytes.len() - 1] {
                assert_eq!(edit.apply(type_name, &bytes[..end]), None, "{fault:?} {end}");
            }
            assert!(edit.apply(type_name, &bytes).is_some(), "the next one is no worse for it");
        }
    }
}

#[test]
fn every_layout_of_a_cloud_can_be_changed() {
    let positions: Vec<[f32; 3]> = (0..12).map(|i| [5.0 + i as f32, 1.0, 0.5]).collect();
    for options in CloudOptions::all() {
        let bytes = cloud_bytes(&positions, &[0.5; 12], options);
        let mut edit = RadarEdit::new(RadarFault::Sparser { returns: 5, messages: 1 }, 1, "/radar");
        let after = edit.apply(PointCloud2::TYPE_NAME, &bytes).unwrap();
        let after: PointCloud2<'_> = from_cdr(after).unwrap();
        let view = PointCloudView::new(&after).unwrap();
        assert_eq!(view.points().filter(|point| point[0].is_finite()).count(), 5, "{options:?}");
    }
}

proptest! {
    #[test]
    fn no_message_makes_a_fault_panic(
        values in prop::collection::vec(prop::array::uniform6(any::<f32>()), 0..20),
        cut in 0..2000_usize,
    ) {
        let bytes = encoded_cloud(values.into_iter());
        for fault in FAULTS {
            let mut edit = RadarEdit::new(fault, 1, "/radar");
            for bytes in [bytes.as_slice(), &bytes[..cut.min(bytes.len())]] {
                if let Some(after) = edit.apply(PointCloud2::TYPE_NAME, bytes) {
                    prop_assert!(from_cdr::<PointCloud2<'_>>(after).is_ok());
                }
            }
        }
    }
}
