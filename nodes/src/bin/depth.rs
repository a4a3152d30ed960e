//! Node `depth`, one a camera: metric depth maps from a camera and radars.

use isobath::pipeline::depth::DepthPipeline;
use isobath_nodes::function::Of;
use isobath_nodes::suite::DEPTH_NODES;

fn main() {
    isobath_nodes::process::run(&[&Of::<DepthPipeline>::named_by(DEPTH_NODES)]);
}
