//! Serialized messages: what reads as a message must write, read again and write the same bytes.

#![no_main]

use isobath::message::{
    CameraInfo, CdrReader, Clock, CompressedImage, Detection3DArray, DiagnosticArray, Header, Image, Log,
    Marker, MarkerArray, Message, Odometry, PointCloud2, RadarScan, TFMessage, TransformStamped, from_cdr,
    to_cdr,
};
use libfuzzer_sys::fuzz_target;

macro_rules! round_trip {
    ($bytes:expr, $($name:ident),* $(,)?) => {$({
        if let Ok(message) = from_cdr::<$name>($bytes) {
            let mut written = Vec::new();
            to_cdr(&message, &mut written);
            let again: $name = from_cdr(&written).expect(concat!("what was written as ", stringify!($name)));
            let mut rewritten = Vec::new();
            to_cdr(&again, &mut rewritten);
            assert_eq!(written, rewritten);
            // By text: NaN is not equal to itself.
            assert_eq!(format!("{message:?}"), format!("{again:?}"));
        }
        // A prefix that reads as a message must not make the reader run on.
        if let Ok(mut reader) = CdrReader::new($bytes, $name::TYPE_NAME) {
            let _ = $name::read(&mut reader);
        }
    })*};
}

fuzz_target!(|bytes: &[u8]| {
    round_trip!(
        bytes,
        CameraInfo,
        Clock,
        CompressedImage,
        Detection3DArray,
        DiagnosticArray,
        Header,
        Image,
        Log,
        Marker,
        MarkerArray,
        Odometry,
        PointCloud2,
        RadarScan,
        TFMessage,
        TransformStamped,
    );
});
