//! The shipped parameter file is the documentation of the defaults: it must name real parameters and hold exactly
//! the values a node has without it.

use std::path::Path;

use isobath::pipeline::NodeParameters;

#[test]
fn the_shipped_file_holds_the_defaults() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/perception.yaml");
    let defaults = NodeParameters::default();
    let mut loaded = NodeParameters::default();
    loaded.load(&path).unwrap();
    assert!(loaded.depth.iter().eq(defaults.depth.iter()), "{:?}", loaded.depth);
    assert!(loaded.detection.iter().eq(defaults.detection.iter()), "{:?}", loaded.detection);

    let set: Vec<_> = isobath::pipeline::read_parameter_file(&path)
        .unwrap()
        .into_iter()
        .map(|(node, name, _)| format!("{node}.{name}"))
        .collect();
    for node in [&defaults.depth, &defaults.detection] {
        for (name, _) in node.iter() {
            // Radars 1 to 3 are set like radar 0, and what replay records is no business of a live node.
            let shown_elsewhere = ["radar_1.", "radar_2.", "radar_3.", "record"];
            if !shown_elsewhere.iter().any(|prefix| name.starts_with(prefix)) {
                let key = format!("{}.{name}", node.node());
                assert!(set.contains(&key), "config/perception.yaml does not show {key}");
            }
        }
    }
}
