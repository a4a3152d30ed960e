//! A radar put into the sample recording from its depth images.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failed test is a panic")]

use std::path::{Path, PathBuf};

use isobath::bag::{Bag, BagMessage, ReadFilter};
use isobath::message::{Image, PointCloud2, TFMessage, from_cdr};
use isobath::sensor::{PointCloudView, RadarPreset, decode_radar};
use isobath::sim::{DepthBagError, DepthBagOptions, add_radar};
use tempfile::TempDir;

#[allow(dead_code, reason = "shared with the tests of bags")]
#[path = "bag/recordings.rs"]
mod recordings;

fn options(out: &Path) -> DepthBagOptions {
    DepthBagOptions {
        bag: recordings::real_bag(),
        out: out.to_owned(),
        depth_topic: None,
        returns: 41,
        mount: glam::Vec3::new(0.1, 0.0, -0.2),
        seed: 3,
    }
}

fn messages(path: &Path) -> (Bag, Vec<BagMessage>) {
    let bag = Bag::open(path).unwrap();
    let messages = bag.messages(&ReadFilter::default()).unwrap().map(Result::unwrap).collect();
    (bag, messages)
}

fn of_topic<'a>(bag: &Bag, messages: &'a [BagMessage], topic: &str) -> Vec<&'a BagMessage> {
    let index = bag.info().topic_index(topic).unwrap();
    messages.iter().filter(|message| message.topic == index).collect()
}

#[test]
fn clouds_are_added_and_everything_else_is_kept() {
    let temp = TempDir::new().unwrap();
    let out = temp.path().join("with_radar");
    let summary = add_radar(&options(&out), |_| ()).unwrap();
    assert!(summary.skipped.is_none() && summary.damage.is_none());
    let (source, before) = messages(&recordings::real_bag());
    let (bag, after) = messages(&out);
    let depth = of_topic(&source, &before, "/camera/depth/image_rect_raw");
    let clouds = of_topic(&bag, &after, "/radar_0/points");
    assert_eq!((depth.len(), clouds.len() as u64), (clouds.len(), summary.clouds));
    for topic in &source.info().topics {
        let (old, new) = (of_topic(&source, &before, &topic.name), of_topic(&bag, &after, &topic.name));
        let mut rest = new.iter();
        for message in &old {
            let is_it = |copy: &&&BagMessage| copy.data == message.data && copy.log_time == message.log_time;
            assert!(rest.any(|copy| is_it(&copy)), "{}", topic.name);
        }
        if topic.name != "/tf_static" {
            assert_eq!(old.len(), new.len());
        }
    }
    let statics = of_topic(&bag, &after, "/tf_static");
    let last: TFMessage<'_> = from_cdr(&statics.last().unwrap().data).unwrap();
    let mounted = last.transforms.iter().find(|transform| transform.child_frame_id == "radar_0").unwrap();
    assert_eq!(mounted.header.frame_id, "camera_optical_frame");
    let at = mounted.transform.translation;
    assert!(at.x == 0.0 && (at.y - 0.2).abs() < 1e-6 && (at.z - 0.1).abs() < 1e-6, "{at:?}");
    assert!(last.transforms.len() > 3, "those who join late need the others too");
    for (image, cloud) in depth.iter().zip(&clouds) {
        let image: Image<'_> = from_cdr(&image.data).unwrap();
        let cloud: PointCloud2<'_> = from_cdr(&cloud.data).unwrap();
        assert_eq!((cloud.header.stamp, cloud.header.frame_id), (image.header.stamp, "radar_0"));
        let mut returns = Vec::new();
        let view = PointCloudView::new(&cloud).unwrap();
        assert_eq!(decode_radar(&view, RadarPreset::Auto, 1.0, &mut returns).unwrap(), RadarPreset::TiMmwave);
        assert!((19..=87).contains(&returns.len()), "{}", returns.len());
        // The office of the sample is 0.5 to 6 m deep.
        let inside = returns.iter().filter(|item| (0.4..8.0).contains(&item.position[0])).count();
        assert!(inside * 10 >= returns.len() * 8, "{returns:?}");
    }
    let text = std::fs::read_to_string(out.join("metadata.yaml")).unwrap();
    assert!(text.contains("isobath_seed") && text.contains("/camera/depth/image_rect_raw"));
}

#[test]
fn equal_seeds_give_equal_files() {
    let temp = TempDir::new().unwrap();
    let write = |name: &str, seed| {
        let out: PathBuf = temp.path().join(name);
        add_radar(&DepthBagOptions { seed, ..options(&out) }, |_| ()).unwrap();
        std::fs::read(&out).unwrap()
    };
    let first = write("a.mcap", 3);
    assert!(first == write("b.mcap", 3) && first != write("c.mcap", 4));
}

#[test]
fn what_is_missing_is_named() {
    let temp = TempDir::new().unwrap();
    let out = temp.path().join("out");
    let wrong = DepthBagOptions { depth_topic: Some("/depth".to_owned()), ..options(&out) };
    let error = add_radar(&wrong, |_| ()).unwrap_err().to_string();
    assert!(error.contains("'/depth'") && error.contains("/camera/depth/image_rect_raw"), "{error}");
    assert!(!out.exists());
    // With its own clouds in it, a bag is not given a second radar.
    add_radar(&options(&out), |_| ()).unwrap();
    let again = DepthBagOptions { bag: out.clone(), ..options(&temp.path().join("again")) };
    assert!(matches!(add_radar(&again, |_| ()), Err(DepthBagError::HasRadar)));
    assert!(matches!(add_radar(&options(&out), |_| ()), Err(DepthBagError::Bag(_))));
    let colour = DepthBagOptions {
        depth_topic: Some("/camera/image_raw".to_owned()),
        ..options(&temp.path().join("colour"))
    };
    let summary = add_radar(&colour, |_| ()).unwrap();
    assert_eq!((summary.clouds, summary.skipped.map(|(count, _)| count)), (0, Some(2)));
}
