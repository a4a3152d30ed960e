//! Node `detection`: 3D boxes from a LiDAR.

use isobath::pipeline::detection::DetectionPipeline;
use isobath_nodes::function::Of;

fn main() {
    isobath_nodes::process::run(&[&Of::<DetectionPipeline>::new()]);
}
