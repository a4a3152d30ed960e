//! A node that only moves the bytes: an image in, an image of 32-bit floats of the same size and stamp
//! out; or a cloud in, an empty list of detections out. What it takes is the transport's, which
//! `benches/peers/compare.py` subtracts.
//!
//! ```sh
//! cargo run --release -p isobath_nodes --example echo -- depth|detection
//! ```

use anyhow::{Result, bail};
use isobath::allocator;
use isobath::message::{Detection3DArray, Image, LendCloud, LendImage, Message, PointCloud2, Stamp, to_cdr};
use isobath_nodes::native::{NativeCloud, NativeImage};
use isobath_nodes::node::{NodeThread, Owned};
use isobath_nodes::shutdown::{Shutdown, exit};
use r2r::{Context, PublisherUntyped, QosProfile, sensor_msgs};

/// Where the stamp lies in the CDR of a message that starts with a header.
const STAMP: std::ops::Range<usize> = 4..12;

fn main() -> Result<()> {
    allocator::configure();
    let kind = std::env::args().nth(1).unwrap_or_default();
    let context = Context::create()?;
    let node = match kind.as_str() {
        "depth" => {
            let node = NodeThread::start(&context, "depth")?;
            node.call(echo_images)??;
            node
        }
        "detection" => {
            let node = NodeThread::start(&context, "detection")?;
            node.call(echo_clouds)??;
            node
        }
        other => bail!("expected depth or detection, found '{other}'"),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async { Ok::<_, std::io::Error>(Shutdown::install()?.requested().await) })?;
    drop(node);
    exit(0)
}

fn publisher(owned: &mut Owned, topic: &str, type_name: &str) -> r2r::Result<PublisherUntyped> {
    owned.node.create_publisher_untyped(topic, type_name, QosProfile::default().keep_last(5).reliable())
}

fn echo_images(owned: &mut Owned) -> r2r::Result<()> {
    let out = publisher(owned, "depth/image", Image::TYPE_NAME)?;
    let stream =
        owned.node.subscribe_native::<sensor_msgs::msg::Image>("image", QosProfile::sensor_data())?;
    let (mut size, mut bytes) = ((0, 0), Vec::new());
    owned.forward(stream, move |message| {
        let message = NativeImage::from(message);
        let Ok(image) = message.image() else { return };
        if size != (image.width, image.height) {
            size = (image.width, image.height);
            let step = 4 * image.width;
            let data = vec![0; step as usize * image.height as usize];
            to_cdr(&Image { encoding: "32FC1", step, data: &data, ..image }, &mut bytes);
        }
        send(&out, image.header.stamp, &mut bytes);
    });
    Ok(())
}

fn echo_clouds(owned: &mut Owned) -> r2r::Result<()> {
    let out = publisher(owned, "detections", Detection3DArray::TYPE_NAME)?;
    let stream = owned
        .node
        .subscribe_native::<sensor_msgs::msg::PointCloud2>("lidar/points", QosProfile::sensor_data())?;
    let mut bytes = Vec::new();
    owned.forward(stream, move |message| {
        let message = NativeCloud::from(message);
        let Ok(PointCloud2 { header, .. }) = message.cloud() else { return };
        to_cdr(&Detection3DArray { header, ..Detection3DArray::default() }, &mut bytes);
        send(&out, header.stamp, &mut bytes);
    });
    Ok(())
}

/// Publishes `bytes` with another stamp.
fn send(out: &PublisherUntyped, stamp: Stamp, bytes: &mut [u8]) {
    let (seconds, nanoseconds) = stamp.to_parts();
    if let Some(field) = bytes.get_mut(STAMP) {
        let (first, second) = field.split_at_mut(4);
        first.copy_from_slice(&seconds.to_le_bytes());
        second.copy_from_slice(&nanoseconds.to_le_bytes());
    }
    if let Err(error) = out.publish_raw(bytes) {
        eprintln!("echo: {error}");
    }
}
