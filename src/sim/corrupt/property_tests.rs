//! Nothing that a message can hold makes a corruption panic, and what comes out is a message again.

use proptest::prelude::*;

use super::draw::TopicDraws;
use super::message_edit::{Act, MessageEdit, Step};
use super::run::act;
use super::{Kind, SensorKind, Severity};
use crate::message::{
    CompressedImage, Header, Image, Message, PointCloud2, PointField, RadarReturn, RadarScan, Stamp,
    from_cdr, to_cdr,
};
use crate::sensor::{ImageView, PointCloudView};

const NAMES: [&str; 14] = [
    "intensity",
    "reflectivity",
    "ring",
    "time",
    "t",
    "timestamp",
    "range_rate",
    "velocity",
    "rcs",
    "snr",
    "range",
    "azimuth",
    "elevation",
    "line",
];

const ENCODINGS: [&str; 16] = [
    "rgb8",
    "bgr8",
    "rgba8",
    "bgra8",
    "mono8",
    "mono16",
    "yuyv",
    "uyvy",
    "nv12",
    "nv21",
    "bayer_rggb8",
    "bayer_bggr8",
    "bayer_gbrg8",
    "32FC1",
    "16UC1",
    "8UC3",
];

/// Every kind of a sensor, on the same message.
fn steps(sensor: SensorKind, severity: Severity) -> Vec<Vec<Step>> {
    let kinds = Kind::ALL.iter().filter(|kind| kind.sensor() == sensor);
    let step = |kind: &Kind| {
        let draws = TopicDraws::new(1, kind.as_str(), "/topic");
        act(*kind, severity).map(|act| Step { draws, act })
    };
    kinds.map(|kind| step(kind).into_iter().collect()).collect()
}

/// What each kind makes of the message, if it can be read.
fn outcomes(type_name: &str, bytes: &[u8], sensor: SensorKind, severity: Severity) -> Vec<Vec<u8>> {
    let mut edit = MessageEdit::default();
    let mut outcomes = Vec::new();
    for mut steps in steps(sensor, severity) {
        if let Ok(Some(changed)) = edit.apply(type_name, bytes, &mut steps, (3, 10)) {
            outcomes.push(changed.to_vec());
        }
    }
    outcomes
}

fn cdr<'m, M: Message<'m>>(message: &M) -> Vec<u8> {
    let mut bytes = Vec::new();
    to_cdr(message, &mut bytes);
    bytes
}

fn severity() -> impl Strategy<Value = Severity> {
    prop::sample::select(Severity::ALL.to_vec())
}

/// Rows, columns, datatypes of x, y, z, further fields, gaps, byte order, data.
#[derive(Clone, Debug)]
struct AnyCloud {
    rows: u32,
    columns: u32,
    xyz: [u8; 3],
    more: Vec<(usize, u8)>,
    gap: u32,
    big_endian: bool,
    data: Vec<u8>,
    cut: usize,
}

fn clouds() -> impl Strategy<Value = AnyCloud> {
    let xyz = prop_oneof![3 => Just([7; 3]), 1 => prop::array::uniform3(1..=8_u8)];
    let more = prop::collection::vec((0..NAMES.len(), 1..=8_u8), 0..5);
    // Both wild bytes and floats of the size of a room.
    let data = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..2000),
        prop::collection::vec(-60.0..60.0_f32, 0..800)
            .prop_map(|values| values.into_iter().flat_map(f32::to_le_bytes).collect()),
    ];
    (0..4_u32, 0..60_u32, xyz, more, 0..3_u32, any::<bool>(), data, 0..20_usize).prop_map(
        |(rows, columns, xyz, more, gap, big_endian, data, cut)| AnyCloud {
            rows,
            columns,
            xyz,
            more,
            gap,
            big_endian,
            data,
            cut,
        },
    )
}

impl AnyCloud {
    fn bytes(&self) -> Vec<u8> {
        const SIZES: [u32; 8] = [1, 1, 2, 2, 4, 4, 4, 8];
        let mut offset = self.gap;
        let mut fields: Vec<PointField<'_>> = Vec::new();
        let named = ["x", "y", "z"].into_iter().zip(self.xyz);
        for (name, datatype) in
            named.chain(self.more.iter().map(|(name, datatype)| (NAMES[*name], *datatype)))
        {
            fields.push(PointField { name, offset, datatype, count: 1 });
            offset += SIZES[usize::from(datatype) - 1];
        }
        let row_step = offset * self.columns + self.gap;
        let mut data = self.data.clone();
        data.resize((row_step * self.rows) as usize, 0x42);
        data.truncate(data.len().saturating_sub(self.cut / 16));
        cdr(&PointCloud2 {
            header: Header { stamp: Stamp(1_000_000_000), frame_id: "sensor" },
            height: self.rows,
            width: self.columns,
            fields: fields.into_iter().collect(),
            is_bigendian: self.big_endian,
            point_step: offset,
            row_step,
            data: &data,
            is_dense: true,
        })
    }
}

/// What a corruption must not change.
fn layout(bytes: &[u8]) -> String {
    let cloud: PointCloud2<'_> = from_cdr(bytes).unwrap();
    format!("{:?} {} {} {:?}", cloud.fields, cloud.point_step, cloud.is_bigendian, cloud.header.frame_id)
}

/// Whether it can be read: a late stamp is put into any cloud.
fn is_sound(bytes: &[u8]) -> bool {
    PointCloudView::new(&from_cdr(bytes).unwrap()).is_ok()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn any_cloud(cloud in clouds(), severity in severity()) {
        let bytes = cloud.bytes();
        for sensor in [SensorKind::Lidar, SensorKind::Radar] {
            for after in outcomes(PointCloud2::TYPE_NAME, &bytes, sensor, severity) {
                prop_assert_eq!(layout(&after), layout(&bytes));
                prop_assert_eq!(is_sound(&after), is_sound(&bytes));
            }
        }
    }

    #[test]
    fn any_image(
        (width, height) in (0..20_u32, 0..20_u32),
        encoding in prop::sample::select(ENCODINGS.to_vec()),
        (padding, is_bigendian) in (0..5_u32, any::<bool>()),
        data in prop::collection::vec(any::<u8>(), 0..2500),
        severity in severity(),
    ) {
        let step = width * 4 + padding;
        let image = Image { width, height, encoding, is_bigendian, step, data: &data, ..Image::default() };
        for after in outcomes(Image::TYPE_NAME, &cdr(&image), SensorKind::Camera, severity) {
            let after: Image<'_> = from_cdr(&after).unwrap();
            prop_assert_eq!(Image { data: &data, ..after }, image);
            prop_assert!(ImageView::new_color(&after).is_ok() || after.data == data);
        }
    }

    #[test]
    fn any_file(format in "(rgb8; )?(jpeg|png)( compressed rgb8)?", data in prop::collection::vec(any::<u8>(), 0..400)) {
        let image = CompressedImage { format: &format, data: &data, ..CompressedImage::default() };
        outcomes(CompressedImage::TYPE_NAME, &cdr(&image), SensorKind::Camera, Severity::ALL[2]);
    }

    #[test]
    fn any_scan(values in prop::collection::vec(prop::array::uniform5(any::<f32>()), 0..30), severity in severity()) {
        let returns = values
            .iter()
            .map(|[range, azimuth, elevation, doppler_velocity, amplitude]| RadarReturn {
                range: *range,
                azimuth: *azimuth,
                elevation: *elevation,
                doppler_velocity: *doppler_velocity,
                amplitude: *amplitude,
            })
            .collect();
        let scan = RadarScan { returns, ..RadarScan::default() };
        for after in outcomes(RadarScan::TYPE_NAME, &cdr(&scan), SensorKind::Radar, severity) {
            from_cdr::<RadarScan<'_>>(&after).unwrap();
        }
    }

    #[test]
    fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..200), severity in severity()) {
        for type_name in [PointCloud2::TYPE_NAME, Image::TYPE_NAME, CompressedImage::TYPE_NAME, RadarScan::TYPE_NAME] {
            for sensor in [SensorKind::Lidar, SensorKind::Radar, SensorKind::Camera] {
                outcomes(type_name, &bytes, sensor, severity);
            }
        }
    }
}

#[test]
fn late_stamps_change_the_stamp_alone() {
    let bytes = AnyCloud {
        rows: 1,
        columns: 4,
        xyz: [7; 3],
        more: vec![],
        gap: 0,
        big_endian: false,
        data: vec![1; 48],
        cut: 0,
    }
    .bytes();
    let mut edit = MessageEdit::default();
    for (severity, late_ms) in Severity::ALL.into_iter().zip(super::lidar::LATE_MS) {
        let draws = TopicDraws::new(1, "lidar-time-shift", "/topic");
        let step = Step { draws, act: act(Kind::LidarTimeShift, severity).unwrap() };
        assert!(matches!(step.act, Act::Delay(_)));
        let after = edit.apply(PointCloud2::TYPE_NAME, &bytes, &mut [step], (0, 1)).unwrap().unwrap();
        let message: PointCloud2<'_> = from_cdr(after).unwrap();
        assert_eq!(message.header.stamp, Stamp(1_000_000_000 + late_ms * 1_000_000));
        assert_eq!((&after[..4], &after[12..]), (&bytes[..4], &bytes[12..]));
    }
    // A stamp that was never set says nothing, late or not.
    let mut unset = bytes.clone();
    unset[4..12].fill(0);
    let draws = TopicDraws::new(1, "lidar-time-shift", "/topic");
    let step = Step { draws, act: act(Kind::LidarTimeShift, Severity::ALL[0]).unwrap() };
    let after = edit.apply(PointCloud2::TYPE_NAME, &unset, &mut [step], (0, 1)).unwrap().unwrap();
    assert_eq!(after, unset);
}
