//! Nodes `depth`, one a camera, and `detection` in one process, which receives and decodes each message once.

use isobath::pipeline::depth::DepthPipeline;
use isobath::pipeline::detection::DetectionPipeline;
use isobath_nodes::function::Of;
use isobath_nodes::suite::DEPTH_NODES;

fn main() {
    isobath_nodes::process::run(&[
        &Of::<DepthPipeline>::named_by(DEPTH_NODES),
        &Of::<DetectionPipeline>::new(),
    ]);
}
