//! Nodes `depth` and `detection` in one process, which receives and decodes each message once.

use isobath::pipeline::depth::DepthPipeline;
use isobath::pipeline::detection::DetectionPipeline;
use isobath_nodes::function::Of;

fn main() {
    isobath_nodes::process::run(&[&Of::<DepthPipeline>::new(), &Of::<DetectionPipeline>::new()]);
}
