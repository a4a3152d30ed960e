//! `report.html`: what is in it, and that it needs and harms nothing.

use std::fs;
use std::path::{Path, PathBuf};

use isobath::table::{Cell, ColumnKind, ParquetTable};
use roxmltree::{Document, Node, ParsingOptions};
use serde_json::Value;
use tempfile::TempDir;

use crate::frames::{Frames, live};
use crate::recording::Recording;
use crate::run::Run;

const HOSTILE: &str = "<script>alert('&')</script>";
/// Most that a page may weigh, bytes.
const LIMIT: usize = 2_000_000;

fn written(folder: &Path) -> String {
    fs::read_to_string(folder.join("report.html")).unwrap()
}

/// The page as a tree. It must be well formed, refer to nothing outside and run nothing.
pub fn parsed(page: &str) -> Document<'_> {
    assert!(page.len() < LIMIT, "{}", page.len());
    let options = ParsingOptions { allow_dtd: true, ..ParsingOptions::default() };
    let document = Document::parse_with_options(page, options).unwrap();
    for node in document.descendants().filter(Node::is_element) {
        let tag = node.tag_name().name();
        assert!(
            !["script", "link", "iframe", "object", "embed", "base", "form", "audio", "video"].contains(&tag)
        );
        for attribute in node.attributes() {
            let (name, value) = (attribute.name(), attribute.value());
            assert!(!name.starts_with("on"), "{tag} {name}");
            assert!(!value.contains("://") && !value.contains("javascript:"), "{tag} {name}='{value}'");
            if ["src", "href", "srcset", "data", "action"].contains(&name) {
                let inside = value.strip_prefix('#').is_some_and(|id| has_id(&document, id));
                assert!(inside || value.starts_with("data:image/"), "{tag} {name}='{value}'");
            }
        }
        if tag == "style" {
            let sheet = node.text().unwrap();
            assert!(!sheet.contains("url(") && !sheet.contains("@import"));
        }
    }
    // The letters of a picture may spell anything.
    for node in document.descendants() {
        let figures = node.attributes().map(|attribute| attribute.value()).chain(node.text());
        for text in figures.filter(|text| !text.starts_with("data:image/")) {
            assert!(!text.contains("NaN"), "{text}");
        }
    }
    document
}

fn has_id(document: &Document<'_>, id: &str) -> bool {
    document.descendants().any(|node| node.attribute("id") == Some(id))
}

/// Whether an element says exactly `text`.
fn says(document: &Document<'_>, text: &str) -> bool {
    document.descendants().any(|node| node.is_element() && node.text() == Some(text))
}

/// All text below the element with `id`.
fn text_of(document: &Document<'_>, id: &str) -> String {
    let section = document.descendants().find(|node| node.attribute("id") == Some(id)).unwrap();
    section.descendants().filter_map(|node| if node.is_text() { node.text() } else { None }).collect()
}

/// How many plots a part has.
fn plots(document: &Document<'_>, id: &str) -> usize {
    let section = document.descendants().find(|node| node.attribute("id") == Some(id)).unwrap();
    section.descendants().filter(|node| node.has_tag_name("svg") && node.attribute("role").is_some()).count()
}

/// Every figure of a part of the report that the tables have.
fn figures(of: &Value) -> Vec<f64> {
    match of {
        Value::Object(fields) => {
            let shown = |key: &str| {
                ["abs_rel", "rmse", "delta1", "map", "nds3", "ap", "ate", "aoe", "bev", "3d", "aph"]
                    .contains(&key)
            };
            let own = fields.iter().filter(|(key, _)| shown(key)).filter_map(|(_, value)| value.as_f64());
            let deeper =
                fields.iter().filter(|(key, _)| key.as_str() != "worst").map(|(_, value)| figures(value));
            own.chain(deeper.flatten()).collect()
        }
        Value::Array(items) => items.iter().flat_map(figures).collect(),
        _ => Vec::new(),
    }
}

/// Four frames with pictures, in which names are markup.
fn hostile() -> Recording {
    let mut recording = live(4).without("/truth/detections").without("/detections").without("/lidar/points");
    for ms in [0, 100, 200, 300] {
        recording.camera(ms);
        recording.box_truth(ms, &[(HOSTILE, 10.0, 1.0, "7"), ("car", 20.0, 1.0, "8")]);
        recording.detections(ms, &[(HOSTILE, 10.3, 0.9, ""), ("\"><img src='x'>", 12.0, 0.8, "")]);
    }
    recording
}

#[test]
fn the_page_has_the_figures_and_takes_names_for_text() {
    let temp = TempDir::new().unwrap();
    let bag = hostile().write(&temp.path().join("<b>&\"bag'"));
    let run = Run::of(&[&bag], &[]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let page = written(&bag);
    let document = parsed(&page);
    assert!(says(&document, "Evaluation of <b>&\"bag'"));
    assert!(says(&document, HOSTILE));
    let figures = figures(&run.report);
    assert!(figures.len() > 20, "{figures:?}");
    for figure in figures {
        let shown = |node: Node<'_, '_>| node.text().and_then(|text| text.parse::<f64>().ok());
        let near = |node| shown(node).is_some_and(|value| (value - figure).abs() < 0.000_051);
        assert!(document.descendants().filter(|node| node.has_tag_name("td")).any(near), "{figure}");
    }
    assert_eq!((plots(&document, "depth"), plots(&document, "detection")), (2, 2));
    assert_eq!(plots(&document, "frames"), 2);
    let images = document.descendants().filter(|node| node.has_tag_name("img"));
    let alts: Vec<_> = images.filter_map(|node| node.attribute("alt")).collect();
    assert_eq!(alts, ["camera", "depth", "error"].repeat(4));
    let maps = document.descendants().filter(|node| node.has_tag_name("image")).count();
    assert_eq!(maps, 4, "a map of points of each frame with a missed car");

    Run::of(&[&bag], &[]);
    assert_eq!(written(&bag), page, "the same input gives the same bytes");
}

#[test]
fn what_is_missing_is_said_in_words() {
    let temp = TempDir::new().unwrap();
    let write = |name: &str, recording: &Recording| {
        let bag = recording.write(&temp.path().join(name));
        Run::of(&[&bag], &[]);
        written(&bag)
    };

    let page = write("untold", &live(2).without("/truth/depth").without("/truth/detections"));
    let document = parsed(&page);
    assert!(text_of(&document, "depth").contains("no output of it has a truth"));
    assert!(text_of(&document, "detection").contains("no output of it has a truth"));
    assert!(text_of(&document, "notes").contains("--depth-truth"));

    let mut none = live(3).without("/detections");
    (0..3).for_each(|i| none.detections(i * 100, &[]));
    let page = write("none", &none);
    let document = parsed(&page);
    assert!(text_of(&document, "detection").contains("not one detection"));
    assert_eq!(plots(&document, "detection"), 0);
    assert!(text_of(&document, "worst").contains("2 truth boxes: 0 found, 2 missed; 0 wrong detections"));

    let mut late = live(3).without("/depth/image").without("/depth/confidence").without("/detections");
    late.depth(900_000, 3.0);
    late.detections(900_000, &[]);
    let page = write("late", &late);
    let document = parsed(&page);
    assert!(text_of(&document, "depth").contains("No depth image was scored: 3 truth images, 1 output"));
    assert!(text_of(&document, "frames").contains("no frame has a figure"));
    assert!(text_of(&document, "worst").contains("no frame was scored"));
    let all = ["depth", "detection", "frames", "times", "worst"].map(|id| plots(&document, id));
    assert_eq!(all, [0; 5]);
}

/// A bag of four frames, and the folder of a run that gave outputs of three; it has no `run.json` yet.
fn replayed(temp: &TempDir) -> (PathBuf, PathBuf) {
    let bag = live(4).write(&temp.path().join("bag"));
    let run = temp.path().join("run");
    fs::create_dir(&run).unwrap();
    live(3).write(&run.join("outputs.mcap"));
    (bag, run)
}

#[test]
fn a_run_tells_its_drops_and_times_as_text() {
    let temp = TempDir::new().unwrap();
    let (bag, run) = replayed(&temp);
    let summary = serde_json::json!({
        "bags": [bag.to_str().unwrap()],
        "config": { "depth": { "model": "<i>m</i>" } },
        "nodes": { "depth": {
            "received": 4, "published": 3, "dropped": { "<u>late</u>": 1 },
            "latency_ms": { "p50": 12.5, "p90": 14.0, "p95": 15.0, "p99": 16.0, "max": 99.0 },
            "stages_ms": { "<s>decode": { "p50": 2.5, "p99": 3.5 } },
        } },
    });
    fs::write(run.join("run.json"), summary.to_string()).unwrap();
    Run::of(&[&run], &[]);
    let page = written(&run);
    let document = parsed(&page);
    assert!(says(&document, "<u>late</u> 1") && says(&document, "<s>decode") && says(&document, "99.0"));
    assert_eq!(plots(&document, "times"), 1);
    assert!(text_of(&document, "times").contains("its run has no table of frames"));
    assert!(text_of(&document, "frames").contains("truth without an output: dropped or never triggered: 1"));
    assert!(text_of(&document, "environment").contains("\"model\": \"<i>m</i>\""));
}

/// Writes a table of frames: bag 0, a frame of depth every 100 ms with the fates given.
fn write_frames(run: &Path, fates: &[&str]) {
    let columns = [
        ("node", ColumnKind::Text),
        ("bag_index", ColumnKind::Integer),
        ("logged_ns", ColumnKind::Integer),
        ("fate", ColumnKind::Text),
    ];
    let mut table = ParquetTable::create(&run.join("frames.parquet"), &columns).unwrap();
    for (index, fate) in (0..).zip(fates) {
        let row =
            [Cell::Text("depth"), Cell::Integer(0), Cell::Integer(index * 100_000_000), Cell::Text(fate)];
        table.row(&row).unwrap();
    }
    table.finish().unwrap();
}

#[test]
fn drops_are_shown_over_time_and_ages_jitter_and_budget_in_a_table() {
    let temp = TempDir::new().unwrap();
    let (bag, run) = replayed(&temp);
    let summary = serde_json::json!({
        "bags": [bag.to_str().unwrap()],
        "rate": "1",
        "nodes": { "depth": {
            "received": 4, "published": 3, "dropped": { "superseded": 1 },
            "latency_ms": { "p50": 12.5, "p90": 14.0, "p95": 15.0, "p99": 16.0, "max": 17.5 },
            "latency_histogram": [{ "min_ms": 11.3, "max_ms": 13.5, "frames": 2 }, { "min_ms": 13.5, "max_ms": 16.0, "frames": 1 }],
            "age_ms": { "p50": 31.5, "p90": 32.5, "p95": 33.5, "p99": 34.5, "max": 35.5 },
            "jitter_ms": { "std": 1.25, "p99": 2.75 },
            "budget": { "ms": 14.5, "misses": 1 },
        } },
        "rate_search": { "rate": 3.25, "frames_per_s": { "depth": 32.5 }, "limited_by": "drops", "trials": [
            { "rate": 3.25, "rate_reached": 3.24, "keeps_up": true,
              "nodes": { "depth": { "received": 100, "late": 0, "frames_per_s": 32.5 } } },
        ] },
    });
    fs::write(run.join("run.json"), summary.to_string()).unwrap();
    write_frames(&run, &["published", "superseded", "published", "published"]);
    let evaluated = Run::of(&[&run], &[]);
    let steps = &evaluated.report["runs"][0]["timelines"]["depth"]["steps"];
    assert_eq!(steps[1], serde_json::json!({ "at_s": 0.1, "fates": { "superseded": 1 } }));
    let page = written(&run);
    let document = parsed(&page);
    assert_eq!(plots(&document, "times"), 3, "fates, distribution, end to end");
    for text in ["superseded: 1", "p50 12.5 ms", "budget 14.5 ms", "31.5", "2.75", "depth 0 of 100"] {
        assert!(says(&document, text), "{text}");
    }
    assert!(text_of(&document, "times").contains("4 frames by log time, 1 dropped"));
    let markdown = fs::read_to_string(run.join("report.md")).unwrap();
    assert!(markdown.contains("| depth | 0.10 | superseded | 1 |"), "{markdown}");
    assert!(
        markdown.contains("| 31.5000 | 34.5000 | 35.5000 | 1.2500 | 2.7500 | 14.5000 | 1 |"),
        "{markdown}"
    );
    assert!(markdown.contains("3.250 × real time"), "{markdown}");

    fs::write(run.join("frames.parquet"), b"PAR1 not really PAR1").unwrap();
    let damaged = Run::of(&[&run], &[]);
    assert_eq!(damaged.code, 0, "{}", damaged.stderr);
    damaged.notes(&["frames.parquet", "no timeline of drops"]);
}
