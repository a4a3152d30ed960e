//! Node `depth`: metric depth maps from a camera and radars.

use isobath::pipeline::depth::DepthPipeline;
use isobath_nodes::function::Of;

fn main() {
    isobath_nodes::process::run(&[&Of::<DepthPipeline>::new()]);
}
