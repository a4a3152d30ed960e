//! The shipped layouts for RViz and Foxglove show the topics that the suite publishes and subscribes to, each in a
//! display for its type.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failed test is a panic")]

use std::collections::BTreeMap;
use std::path::Path;

use isobath::pipeline::depth::DepthPipeline;
use isobath::pipeline::detection::DetectionPipeline;
use isobath::pipeline::{NodeParameters, Pipeline, type_name_of};
use serde_json::Value;

/// Topics of both nodes with their types, by name from the root.
fn topics() -> BTreeMap<String, &'static str> {
    let parameters = NodeParameters::default();
    let inputs = [DepthPipeline::inputs(&parameters.depth), DetectionPipeline::inputs(&parameters.detection)];
    let inputs = inputs.into_iter().flatten().map(|topic| (topic.name, type_name_of(topic.kind)));
    let outputs = DepthPipeline::OUTPUTS.iter().chain(DetectionPipeline::OUTPUTS);
    let outputs = outputs.map(|topic| (topic.name.to_owned(), topic.type_name));
    let absolute = |name: String| format!("/{}", name.trim_start_matches('/'));
    inputs.chain(outputs).map(|(name, type_name)| (absolute(name), type_name)).collect()
}

fn read(name: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("config").join(name)).unwrap()
}

#[track_caller]
fn assert_shows(what: &str, shown: &[(String, &str)], expected: &[&str]) {
    let topics = topics();
    for (name, type_name) in shown {
        assert_eq!(topics.get(name), Some(type_name), "{what} shows {name}");
    }
    for name in expected {
        assert!(shown.iter().any(|(shown, _)| shown == name), "{what} does not show {name}: {shown:?}");
    }
}

#[test]
fn rviz_shows_topics_of_the_suite() {
    let layout: Value = serde_saphyr::from_str(&read("isobath.rviz")).unwrap();
    let displays = layout["Visualization Manager"]["Displays"].as_array().unwrap();
    let mut shown = Vec::new();
    for display in displays {
        let Some(topic) = display["Topic"]["Value"].as_str() else { continue };
        let type_name = match display["Class"].as_str().unwrap() {
            "rviz_default_plugins/Image" => "sensor_msgs/msg/Image",
            "rviz_default_plugins/PointCloud2" => "sensor_msgs/msg/PointCloud2",
            "rviz_default_plugins/MarkerArray" => "visualization_msgs/msg/MarkerArray",
            other => panic!("{other}"),
        };
        // Relative, so that a namespace holds for it too.
        assert!(!topic.starts_with('/'), "{topic}");
        shown.push((format!("/{topic}"), type_name));
    }
    let expected = ["/image", "/depth/preview", "/depth/points", "/lidar/points", "/radar_0/points"];
    assert_shows("isobath.rviz", &shown, &[&expected[..], &["/depth/image", "/detections/markers"]].concat());
}

/// The panels of a layout tree.
fn panels(tree: &Value) -> Vec<&str> {
    match tree.as_str() {
        Some(panel) => vec![panel],
        None => [panels(&tree["first"]), panels(&tree["second"])].concat(),
    }
}

#[test]
fn foxglove_shows_topics_of_the_suite() {
    let layout: Value = serde_json::from_str(&read("foxglove_layout.json")).unwrap();
    let configured = layout["configById"].as_object().unwrap();
    let mut names: Vec<&str> = configured.keys().map(String::as_str).collect();
    let mut placed = panels(&layout["layout"]);
    names.sort_unstable();
    placed.sort_unstable();
    assert_eq!(names, placed);
    let mut shown = Vec::new();
    for (panel, settings) in configured {
        match panel.split('!').next().unwrap() {
            "Image" => {
                let mode = &settings["imageMode"];
                shown.push((mode["imageTopic"].as_str().unwrap().to_owned(), "sensor_msgs/msg/Image"));
                if let Some(calibration) = mode["calibrationTopic"].as_str() {
                    shown.push((calibration.to_owned(), "sensor_msgs/msg/CameraInfo"));
                }
            }
            "3D" => {
                for (topic, settings) in settings["topics"].as_object().unwrap() {
                    assert_eq!(settings["visible"], true, "{topic}");
                    let is_cloud = settings["pointSize"].is_number();
                    let type_name = if is_cloud {
                        "sensor_msgs/msg/PointCloud2"
                    } else {
                        "visualization_msgs/msg/MarkerArray"
                    };
                    shown.push((topic.clone(), type_name));
                }
            }
            "DiagnosticSummary" => assert_eq!(settings["topicToRender"], "/diagnostics"),
            other => panic!("{other}"),
        }
    }
    let expected = ["/image", "/depth/image", "/depth/preview", "/depth/points", "/lidar/points"];
    let more = ["/radar_0/points", "/detections/markers"];
    assert_shows("foxglove_layout.json", &shown, &[&expected[..], &more].concat());
}
